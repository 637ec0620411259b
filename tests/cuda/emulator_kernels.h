/* emulator_kernels.h - small kernels, right and wrong ones, by which the emulator itself is tested. */
#ifndef CF_TESTS_CUDA_EMULATOR_KERNELS_H
#define CF_TESTS_CUDA_EMULATOR_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* y[grid * block]: where each thread is, as ((block index * 1024) + thread index) in the order x, y, z; every thread of a grid and block of that form is there once. */
cudaError_t probe_indices(int32_t *y, dim3 grid, dim3 block);
/* y = x reversed in each block of n threads, through shared memory; without the barrier between write and read where barrier is 0. */
cudaError_t probe_reverse(float *y, const float *x, int n_blocks, int n, int barrier);
/* The same in each warp, by __syncwarp. */
cudaError_t probe_reverse_warp(float *y, const float *x, int n, int barrier);
/* y[n] = x[0] + x[1]: thread 0 puts one after the other in the same shared word, for all to read; without the barrier before the second where barrier is 0. */
cudaError_t probe_reuse(float *y, const float *x, int n, int barrier);
/* Threads below n_early leave before a barrier that the others come to. */
cudaError_t probe_early_exit(int n, int n_early);
/* The first half of the threads waits at one barrier, the second at another. */
cudaError_t probe_two_barriers(int n);
/* n threads, one shuffle with this mask by the lanes of `present`. */
cudaError_t probe_shuffle_lanes(int n, uint32_t mask, uint32_t present);

typedef enum probe_shuffle { SHUFFLE, SHUFFLE_XOR, SHUFFLE_UP, SHUFFLE_DOWN } probe_shuffle;
/* y[32] = what lane i gets where every lane offers 100 + its index. */
cudaError_t probe_shuffle_kind(int32_t *y, probe_shuffle kind, int argument, int width);
/* y[3] = ballot, any, all of "bit of lane set in predicate". */
cudaError_t probe_votes(uint32_t *y, uint32_t predicate);
/* y[n_blocks] = what a shared variable (or dynamic shared memory) holds before it is written; then writes it. */
cudaError_t probe_first_read(float *y, int n_blocks, int dynamic);
/* Writes element `at` of n floats of dynamic shared memory. */
cudaError_t probe_shared_write(int n, int at);
/* Writes element `at` of y. */
cudaError_t probe_global_write(float *y, int at);
/* Loads 16 bytes from byte `at` of x. */
cudaError_t probe_vector_load(float *y, const float *x, int at);
cudaError_t probe_configuration(dim3 grid, dim3 block, size_t shared_bytes);
/* Allows probe_configuration's kernel that much dynamic shared memory. */
cudaError_t probe_allow_shared(int bytes);
/* y[n]: f16 (or bf16) bits of x[n], and the f32 of n such. */
cudaError_t probe_from_f32(uint16_t *y, const float *x, int n, int is_bf16);
cudaError_t probe_to_f32(float *y, const uint16_t *x, int n, int is_bf16);
/* y[n/2] words of pairs of x, and y[n] back from them. */
cudaError_t probe_pack(uint32_t *y, const float *x, int n, int is_bf16);
cudaError_t probe_unpack(float *y, const uint32_t *x, int n, int is_bf16);
/* sum[i] = cf_block_sum over one block of n threads of x, as thread i got it; greatest[i] = cf_warp_max over its warp. */
cudaError_t probe_reduce(float *sum, float *greatest, const float *x, int n);

#ifdef __cplusplus
}
#endif
#endif
