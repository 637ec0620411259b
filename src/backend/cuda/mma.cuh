// mma.cuh - tensor-core products, the loads of their fragments, and copies to shared memory that do not wait. Everything that is inline PTX is here; under CF_EMULATED the same
// names are tests/cuda/emulator/tensor_core.cuh, with the fragment layouts of the PTX ISA ("Matrix Fragments for mma.m16n8k16 with floating point type", "ldmatrix").
//
// Fragments of D[16,8] = A[16,16] B[16,8] + C[16,8], for lane l with g = l / 4 and t = l % 4; two 16-bit elements a register, the lower column (of A) or row (of B) in the lower half:
//   A: a[0] row g, columns 2t, 2t+1; a[1] row g+8, the same; a[2] row g, columns 2t+8, 2t+9; a[3] row g+8, the same
//   B: b0 rows 2t, 2t+1 of column g; b1 rows 2t+8, 2t+9
//   C, D: [0], [1] row g, columns 2t, 2t+1; [2], [3] row g+8, the same
// Row i of D depends on row i of A, row i of C and on B.
#ifndef CF_BACKEND_CUDA_MMA_CUH
#define CF_BACKEND_CUDA_MMA_CUH

#include "backend/cuda/device.cuh"

#ifdef CF_EMULATED
#include <tensor_core.cuh>
#else

// d = a b + c for T cf_f16 or cf_bf16; sums in f32. d may be c. All lanes of a warp call it.
template <typename T>
static __device__ __forceinline__ void cf_mma(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1,
                                              const float (&c)[4]);
template <>
__device__ __forceinline__ void cf_mma<cf_f16>(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1,
                                               const float (&c)[4])
{
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
                 "{%10,%11,%12,%13};"
                 : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1), "f"(c[0]), "f"(c[1]), "f"(c[2]),
                   "f"(c[3]));
}
template <>
__device__ __forceinline__ void cf_mma<cf_bf16>(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1,
                                                const float (&c)[4])
{
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
                 "{%10,%11,%12,%13};"
                 : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1), "f"(c[0]), "f"(c[1]), "f"(c[2]),
                   "f"(c[3]));
}

// An address in shared memory, to which bytes are added: 32 bits, where a pointer has 64.
typedef uint32_t cf_shared_at;
static __device__ __forceinline__ cf_shared_at cf_shared_address(void *p)
{
    return static_cast<cf_shared_at>(__cvta_generic_to_shared(p));
}

// Four 8x8 matrices of 16-bit elements: lane 8m+i gives the address (a multiple of 16) of row i of matrix m; r[m] gets elements 2t, 2t+1 of row g of matrix m.
static __device__ __forceinline__ void cf_load_matrices(uint32_t (&r)[4], cf_shared_at row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(row)
                 : "memory");
}
// The same, transposed: r[m] gets column g, rows 2t and 2t+1.
static __device__ __forceinline__ void cf_load_matrices_transposed(uint32_t (&r)[4], cf_shared_at row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(row)
                 : "memory");
}

// Starts a copy of 16 bytes from global to shared memory, both addresses multiples of 16. cf_copy_wait: until the calling thread's own copies are done; others see them after a
// barrier.
static __device__ __forceinline__ void cf_copy_start(cf_shared_at to, const void *from)
{
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from) : "memory");
}
static __device__ __forceinline__ void cf_copy_wait()
{
    asm volatile("cp.async.wait_all;" ::: "memory");
}

// 2^x within 2 units in the last place, results below 2^-126 are 0; 2^0 is 1.
static __device__ __forceinline__ float cf_exp2(float x)
{
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

#endif
#endif
