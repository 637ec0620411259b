/* cuda_runtime_api.h - what the plug-in's host code needs of CUDA's runtime API beyond the emulator's: streams that do their work as late as they may, events, pinned
 * memory, a device to ask about. For the whole plug-in over the emulated device (whole.c says how). Names, values and meanings are those of the CUDA Runtime API reference. */
#ifndef CF_TESTS_CUDA_WHOLE_CUDA_RUNTIME_API_H
#define CF_TESTS_CUDA_WHOLE_CUDA_RUNTIME_API_H

#include "cuda/emulator/cuda_runtime_api.h"

#ifdef __cplusplus
extern "C" {
#endif

#define cudaErrorInsufficientDriver ((cudaError_t)35)
enum { cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2, cudaHostAllocDefault = 0 };

typedef struct CUevent_st *cudaEvent_t;

struct cudaDeviceProp {
    char name[256];
    size_t totalGlobalMem;
    int major, minor;
};

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *properties, int device);
cudaError_t cudaDriverGetVersion(int *version);
cudaError_t cudaRuntimeGetVersion(int *version);
cudaError_t cudaMemGetInfo(size_t *available, size_t *total);
cudaError_t cudaHostAlloc(void **memory, size_t bytes, unsigned int flags);
cudaError_t cudaFreeHost(void *memory);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned int flags);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned int flags);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned int flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);

/* The emulator's own do their work at once. */
#define cudaMalloc cf_whole_malloc
#define cudaFree cf_whole_free
#define cudaMemcpyAsync cf_whole_memcpy_async
#define cudaMemsetAsync cf_whole_memset_async
#define cudaStreamDestroy cf_whole_stream_destroy
#define cudaStreamSynchronize cf_whole_stream_synchronize
cudaError_t cf_whole_malloc(void **memory, size_t bytes);
cudaError_t cf_whole_free(void *memory);
cudaError_t cf_whole_memcpy_async(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind,
                                  cudaStream_t stream);
cudaError_t cudaMemcpy2DAsync(void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t width,
                              size_t height, enum cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cf_whole_memset_async(void *memory, int value, size_t bytes, cudaStream_t stream);
cudaError_t cf_whole_stream_destroy(cudaStream_t stream);
cudaError_t cf_whole_stream_synchronize(cudaStream_t stream);

/* Does what stands in the stream, as a kernel that is launched on it needs. */
void cf_whole_run(cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
