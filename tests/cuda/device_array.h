/* device_array.h - arrays in device memory for tests of single launches: made from values, read back, misaligned on demand. */
#ifndef CF_TESTS_CUDA_DEVICE_ARRAY_H
#define CF_TESTS_CUDA_DEVICE_ARRAY_H

#include <stdint.h>

#include <cuda_runtime_api.h>

#include "tensor/tensor.h"

/* Fails the test unless the call succeeds. */
#define CUDA_OK(call)                                                                                                  \
    do {                                                                                                               \
        const cudaError_t error = (call);                                                                              \
        if (error != cudaSuccess)                                                                                      \
            fail_msg("%s: %s", #call, cudaGetErrorString(error));                                                      \
    } while (0)

typedef struct device_array {
    void *data; /* `offset` elements behind `base` */
    void *base;
    cf_dtype dtype;
    int64_t n;
} device_array;

/* n elements with these values, rounded to dtype; NULL: NaN. The array ends where its allocation ends. Never fails. */
device_array device_make(cf_dtype dtype, const float *values, int64_t n, int64_t offset);
/* The same from raw elements. */
device_array device_make_raw(cf_dtype dtype, const void *elements, int64_t n, int64_t offset);
/* Its values as f32, or its elements as they are; on the heap. */
float *device_values(const device_array *a);
void *device_elements(const device_array *a);
/* Fails the test if the emulator finds a write outside of the array. */
void device_free(device_array *a);

/* An index list in device memory; NULL for an empty one. */
int32_t *device_indices(const int32_t *indices, int64_t n);

/* x to the nearest value of the dtype, ties to even, by arithmetic; f16 overflows to infinity. */
double round_to(cf_dtype dtype, double x);
/* The bits of a value that the dtype, f16 or bf16, can hold. */
uint16_t bits_of_half(cf_dtype dtype, double x);

#endif
