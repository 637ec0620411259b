/* runtime.c - the runtime API over the host's memory: see cuda_runtime_api.h. Owns the guards around allocations and what cudaFuncSetAttribute was told. */
#include "cuda/emulator/cuda_runtime_api.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cuda/emulator/machine.h"
#include "cuda/emulator/sanitizer.h"

enum {
    GUARD_BYTES = 256, /* before and behind an allocation; also cudaMalloc's alignment */
    GUARD_VALUE = 0xa5,
    MAX_KERNELS = 64,
    SHARED_DEFAULT = 48 * 1024, /* what every kernel may have, */
    SHARED_OPTIN = 227 * 1024   /* and what it may ask for on sm_90 */
};

static struct {
    cudaError_t last;
    struct {
        const void *kernel;
        size_t shared_bytes;
    } allowed[MAX_KERNELS];
    size_t n_allowed;
} runtime;

static cudaError_t result(cudaError_t error)
{
    if (error != cudaSuccess)
        runtime.last = error;
    return error;
}

cudaError_t cudaGetLastError(void)
{
    const cudaError_t last = runtime.last;
    runtime.last = cudaSuccess;
    return last;
}

cudaError_t cudaPeekAtLastError(void)
{
    return runtime.last;
}

static const struct {
    cudaError_t error;
    const char *name, *text;
} errors[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration", "invalid configuration argument"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorIllegalAddress, "cudaErrorIllegalAddress", "a write outside of an allocation"},
};

const char *cudaGetErrorName(cudaError_t error)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].error == error)
            return errors[i].name;
    return error == cudaErrorLaunchFailure ? "cudaErrorLaunchFailure" : "unrecognized error code";
}

const char *cudaGetErrorString(cudaError_t error)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].error == error)
            return errors[i].text;
    return error == cudaErrorLaunchFailure ? cf_emulator_fault() : "unrecognized error code";
}

/* ---- the one device ---- */

cudaError_t cudaGetDeviceCount(int *count)
{
    *count = 1;
    return cudaSuccess;
}

cudaError_t cudaGetDevice(int *device)
{
    *device = 0;
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int device)
{
    return result(device == 0 ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t cudaDeviceSynchronize(void)
{
    return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attribute, int device)
{
    (void)device;
    switch (attribute) {
    case cudaDevAttrMultiProcessorCount:
        *value = 2; /* few, so that work which is spread over processors meets its wrap-around in small shapes */
        return cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor:
        *value = 9;
        return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
        *value = 0;
        return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
        *value = SHARED_OPTIN;
        return cudaSuccess;
    }
    return result(cudaErrorInvalidValue);
}

/* ---- memory ---- */

cudaError_t cudaMalloc(void **memory, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        return result(cudaErrorMemoryAllocation);
    const size_t room = (bytes + GUARD_BYTES - 1) / GUARD_BYTES * GUARD_BYTES + 2 * GUARD_BYTES;
    unsigned char *base = aligned_alloc(GUARD_BYTES, room);
    if (!base)
        return result(cudaErrorMemoryAllocation);
    memset(base, GUARD_VALUE, room);
    memcpy(base, &bytes, sizeof bytes);
    memset(base + GUARD_BYTES, 0xff, bytes);
    CF_FORBID(base, GUARD_BYTES);
    CF_FORBID(base + GUARD_BYTES + bytes, room - GUARD_BYTES - bytes);
    *memory = base + GUARD_BYTES;
    return cudaSuccess;
}

static int is_guard(const unsigned char *begin, const unsigned char *end)
{
    while (begin < end && *begin == GUARD_VALUE)
        begin++;
    return begin == end;
}

cudaError_t cudaFree(void *memory)
{
    if (!memory)
        return cudaSuccess;
    unsigned char *at = memory, *base = at - GUARD_BYTES;
    size_t bytes = 0;
    CF_PERMIT(base, GUARD_BYTES);
    memcpy(&bytes, base, sizeof bytes);
    CF_PERMIT(at + bytes, GUARD_BYTES);
    const int whole = is_guard(base + sizeof bytes, at) && is_guard(at + bytes, at + bytes + GUARD_BYTES);
    free(base);
    return result(whole ? cudaSuccess : cudaErrorIllegalAddress);
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind)
{
    (void)kind;
    if (bytes)
        memcpy(to, from, bytes);
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind, cudaStream_t stream)
{
    (void)stream;
    return cudaMemcpy(to, from, bytes, kind);
}

cudaError_t cudaMemset(void *memory, int value, size_t bytes)
{
    if (bytes)
        memset(memory, value, bytes);
    return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void *memory, int value, size_t bytes, cudaStream_t stream)
{
    (void)stream;
    return cudaMemset(memory, value, bytes);
}

/* ---- streams: work is done when it is handed in ---- */

cudaError_t cudaStreamCreate(cudaStream_t *stream)
{
    *stream = NULL;
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    (void)stream;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    (void)stream;
    return cudaSuccess;
}

/* ---- kernels ---- */

cudaError_t cudaFuncSetAttribute(const void *kernel, enum cudaFuncAttribute attribute, int value)
{
    if (attribute == cudaFuncAttributePreferredSharedMemoryCarveout)
        return result(value >= -1 && value <= 100 ? cudaSuccess : cudaErrorInvalidValue);
    if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize || value < 0 || value > SHARED_OPTIN)
        return result(cudaErrorInvalidValue);
    size_t i = 0;
    while (i < runtime.n_allowed && runtime.allowed[i].kernel != kernel)
        i++;
    if (i == MAX_KERNELS)
        return result(cudaErrorMemoryAllocation);
    runtime.allowed[i].kernel = kernel;
    runtime.allowed[i].shared_bytes = (size_t)value;
    if (i == runtime.n_allowed)
        runtime.n_allowed++;
    return cudaSuccess;
}

size_t cf_emulator_shared_limit(const void *kernel)
{
    for (size_t i = 0; i < runtime.n_allowed; i++)
        if (runtime.allowed[i].kernel == kernel && runtime.allowed[i].shared_bytes > SHARED_DEFAULT)
            return runtime.allowed[i].shared_bytes;
    return SHARED_DEFAULT;
}
