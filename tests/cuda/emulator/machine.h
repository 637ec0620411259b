/* machine.h - one emulated multiprocessor: runs a grid of blocks one after the other, the threads of a block as fibers.
 *
 * How it runs. A thread runs alone until it comes to a rendezvous (a barrier, or an operation of its warp) or ends; then the next of its warp runs, in an order of the tests'
 * choice. An operation is done when its last lane comes. A warp goes as far as it can, to a barrier or its end, before the next begins; when nobody can run, the barrier
 * opens. So what the code lets happen before something else does happen before it in one of the orders: a kernel that lacks a barrier reads what another thread has not
 * written yet, or has already written over, and gives other bits there than in the rest. Shared memory holds NaN (0xff) when a block begins, so that a read before the first
 * write shows in the results.
 *
 * What it reports, by cudaErrorLaunchFailure and a line of text (cudaGetErrorString), instead of hanging: threads that wait at a barrier while others of their block have
 * ended, or wait elsewhere; a warp operation one of whose lanes never comes, or comes with another mask or another operation; a write behind a block's shared memory. It is
 * stricter than the hardware, which lets threads that ended off the barrier.
 *
 * What it cannot show: speed, races between memory accesses of one and the same order, anything between blocks (they never overlap), and the accuracy of the device's own
 * expf, erff, tanhf (the host's are used).
 *
 * One machine a process, for one thread of the host. */
#ifndef CF_TESTS_CUDA_EMULATOR_MACHINE_H
#define CF_TESTS_CUDA_EMULATOR_MACHINE_H

#include <stddef.h>
#include <stdint.h>

#include "cuda/emulator/cuda_runtime_api.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { CF_EMULATOR_WARP = 32 };

/* ---- for the tests ---- */

/* The order in which warps, and lanes of a warp, take their turns: by index, against it, or drawn anew for each turn from a seed, and how far a warp goes with it. */
typedef enum cf_emulator_order { CF_EMULATOR_FORWARD, CF_EMULATOR_BACKWARD, CF_EMULATOR_RANDOM } cf_emulator_order;
void cf_emulator_set_order(cf_emulator_order order, uint64_t seed);

/* ---- for emulator.cuh ---- */

/* What the running thread sees; read-only for kernels. */
extern uint3 cf_emulator_thread_idx, cf_emulator_block_idx;
extern dim3 cf_emulator_block_dim, cf_emulator_grid_dim;

/* Runs body(arguments) as every thread of the grid. Checks the configuration as the driver does. */
cudaError_t cf_emulator_launch(const void *kernel, void (*body)(void *arguments), void *arguments, dim3 grid,
                               dim3 block, size_t shared_bytes);

/* __syncthreads. file and line are the call's. */
void cf_emulator_barrier(const char *file, int line);

/* A rendezvous of the lanes in mask, one of them the caller: when all have come, complete() is called once with every lane's operands (NULL for lanes that are not in the
 * mask) and all go on. operands may lie on the thread's stack. This is the one way in which lanes exchange data: shuffles, votes and tensor-core operations are each a
 * complete() over a struct of operands that has room for the results. */
typedef void cf_emulator_complete(void *const operands[CF_EMULATOR_WARP], unsigned int mask);
void cf_emulator_warp(unsigned int mask, void *operands, cf_emulator_complete *complete, const char *file, int line);

/* The block's instance of a shared variable; site is an address that identifies its declaration. */
void *cf_emulator_shared(const void *site, size_t bytes);
/* The block's dynamic shared memory, aligned to 128. */
void *cf_emulator_dynamic_shared(void);
unsigned int cf_emulator_lane(void);
/* Ends the launch with a fault, from within a kernel (an assertion of an emulated primitive). Does not return. */
void cf_emulator_trap(const char *what, const char *file, int line);

/* What cudaFuncSetAttribute allowed a kernel, else 48 KiB. */
size_t cf_emulator_shared_limit(const void *kernel);
/* The report of the last fault. */
const char *cf_emulator_fault(void);

#ifdef __cplusplus
}
#endif
#endif
