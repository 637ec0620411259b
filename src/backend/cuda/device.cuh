// device.cuh - the one place where kernels meet the device: launches, shared memory, element types, vector loads and stores, reductions over a warp and a block. Tensor-core
// operations are in mma.cuh.
//
// A .cu file includes this and nothing of CUDA itself, so that it compiles in two ways: by nvcc for the device, and with CF_EMULATED by the host's C++ compiler against
// tests/cuda/emulator, where every op is tested on machines without a GPU. Kernels use these CUDA names freely, which both have: __global__, __device__, __launch_bounds__,
// threadIdx and its kin, __syncthreads, __syncwarp, __shfl*_sync, __ballot_sync, __any_sync, __all_sync, float2, float4, uint2, uint4 with their make_ functions,
// __float_as_uint, __uint_as_float, __popc, __ffs, __clz and their ll forms, min, max, and the f32 functions of math.h. Anything else is wrapped here first.
//
// Compiled with -fmad=false, as the host's code is with -ffp-contract=off: a fused multiply-add is where the code says fmaf, so that the same formula has the same bits in
// every kernel that contains it.
#ifndef CF_BACKEND_CUDA_DEVICE_CUH
#define CF_BACKEND_CUDA_DEVICE_CUH

#include <stddef.h>
#include <stdint.h>

#ifdef CF_EMULATED
#include <emulator.cuh>
#else
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#endif

enum { CF_WARP = 32 };
constexpr unsigned int cf_all_lanes = 0xffffffffu;

// ---- launches ----

// CF_LAUNCH(kernel, grid, block, shared_bytes, stream, arguments...) -> cudaError_t: asynchronous. kernel may be a template's instance, commas and all. More than 48 KiB of
// dynamic shared memory must have been allowed before, by cudaFuncSetAttribute.
#define CF_LAUNCH(...) cf_launch(__VA_ARGS__)

template <typename... P, typename... A>
static inline cudaError_t cf_launch(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared_bytes,
                                    cudaStream_t stream, A... arguments)
{
#ifdef CF_EMULATED
    (void)stream;
    return cf_emulator_launch_kernel(kernel, grid, block, shared_bytes, arguments...);
#else
    cudaLaunchConfig_t config = {};
    config.gridDim = grid;
    config.blockDim = block;
    config.dynamicSmemBytes = shared_bytes;
    config.stream = stream;
    return cudaLaunchKernelEx(&config, kernel, arguments...);
#endif
}

// ---- shared memory ----

template <typename T> using cf_same = T; // lets an array type stand before a name

// CF_SHARED(float[32], partial): a block's own variable, inside a kernel or a device function. cf_dynamic_shared(): the bytes asked for at the launch, aligned to 128.
#ifdef CF_EMULATED
#define CF_SHARED(type, name)                                                                                          \
    static char name##_site;                                                                                           \
    cf_same<type> &name = *static_cast<cf_same<type> *>(cf_emulator_shared(&name##_site, sizeof(type)))

static inline void *cf_dynamic_shared()
{
    return cf_emulator_dynamic_shared();
}
#else
#define CF_SHARED(type, name) __shared__ cf_same<type> name

static __device__ __forceinline__ void *cf_dynamic_shared()
{
    extern __shared__ __align__(128) unsigned char cf_dynamic_shared_bytes[];
    return cf_dynamic_shared_bytes;
}
#endif

// ---- element types: float, cf_f16, cf_bf16. To f32 is exact; from f32 rounds to the nearest, even in a tie, f16 overflowing to infinity; a NaN stays some NaN ----

#ifdef CF_EMULATED
struct cf_f16 {
    uint16_t bits;
};
struct cf_bf16 {
    uint16_t bits;
};
#include <convert.cuh>
#else
typedef __half cf_f16;
typedef __nv_bfloat16 cf_bf16;

static __device__ __forceinline__ float cf_to_f32(cf_f16 x)
{
    return __half2float(x);
}
static __device__ __forceinline__ float cf_to_f32(cf_bf16 x)
{
    return __bfloat162float(x);
}
static __device__ __forceinline__ void cf_from_f32(cf_f16 *y, float x)
{
    *y = __float2half_rn(x);
}
static __device__ __forceinline__ void cf_from_f32(cf_bf16 *y, float x)
{
    *y = __float2bfloat16_rn(x);
}
#endif

static __device__ __forceinline__ float cf_to_f32(float x)
{
    return x;
}
static __device__ __forceinline__ void cf_from_f32(float *y, float x)
{
    *y = x;
}

// Two 16-bit elements in a word, the lower address in the lower half: cf_pack<cf_f16>(low, high), cf_unpack<cf_f16>(word).
template <typename T> struct cf_pair {
    T low, high;
};

template <typename T> static __device__ __forceinline__ uint32_t cf_pack(float low, float high)
{
    cf_pair<T> pair;
    uint32_t word;
    static_assert(sizeof pair == sizeof word, "two elements of 16 bits");
    cf_from_f32(&pair.low, low);
    cf_from_f32(&pair.high, high);
    memcpy(&word, &pair, sizeof word);
    return word;
}

#ifndef CF_EMULATED // both in one instruction
template <> __device__ __forceinline__ uint32_t cf_pack<cf_f16>(float low, float high)
{
    const __half2 pair = __floats2half2_rn(low, high);
    uint32_t word;
    memcpy(&word, &pair, sizeof word);
    return word;
}
template <> __device__ __forceinline__ uint32_t cf_pack<cf_bf16>(float low, float high)
{
    const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
    uint32_t word;
    memcpy(&word, &pair, sizeof word);
    return word;
}
#endif

template <typename T> static __device__ __forceinline__ float2 cf_unpack(uint32_t word)
{
    cf_pair<T> pair;
    static_assert(sizeof pair == sizeof word, "two elements of 16 bits");
    memcpy(&pair, &word, sizeof word);
    return make_float2(cf_to_f32(pair.low), cf_to_f32(pair.high));
}

// ---- one vector load or store: V is float2, float4, uint2, uint4, ...; the address is a multiple of sizeof(V), which the emulator checks ----

template <typename V> static __device__ __forceinline__ V cf_load(const void *from)
{
#ifdef CF_EMULATED
    if (reinterpret_cast<uintptr_t>(from) % sizeof(V))
        cf_emulator_trap("a vector load from an address that is not its multiple", __FILE__, __LINE__);
    V v;
    memcpy(&v, from, sizeof v);
    return v;
#else
    return *static_cast<const V *>(from);
#endif
}

template <typename V> static __device__ __forceinline__ void cf_store(void *to, V v)
{
#ifdef CF_EMULATED
    if (reinterpret_cast<uintptr_t>(to) % sizeof(V))
        cf_emulator_trap("a vector store to an address that is not its multiple", __FILE__, __LINE__);
    memcpy(to, &v, sizeof v);
#else
    *static_cast<V *>(to) = v;
#endif
}

// Four elements as f32, the address a multiple of theirs.
static __device__ __forceinline__ float4 cf_load_four(const float *x)
{
    return cf_load<float4>(x);
}

template <typename T> static __device__ __forceinline__ float4 cf_load_four(const T *x)
{
    const uint2 words = cf_load<uint2>(x);
    const float2 low = cf_unpack<T>(words.x), high = cf_unpack<T>(words.y);
    return make_float4(low.x, low.y, high.x, high.y);
}

// ---- reductions; all lanes, or threads, call them and all get the result ----

static __device__ __forceinline__ float cf_warp_sum(float x)
{
#pragma unroll
    for (int lanes = CF_WARP / 2; lanes > 0; lanes /= 2)
        x += __shfl_xor_sync(cf_all_lanes, x, lanes);
    return x;
}

static __device__ __forceinline__ float cf_warp_max(float x)
{
#pragma unroll
    for (int lanes = CF_WARP / 2; lanes > 0; lanes /= 2)
        x = fmaxf(x, __shfl_xor_sync(cf_all_lanes, x, lanes));
    return x;
}

// The sum over a block of whole warps, by a tree over each warp and one over the warps' sums. partial: shared, a block's own for each call, since nothing keeps a thread from
// the next call while others still read.
static __device__ __forceinline__ float cf_block_sum(float x, float (&partial)[CF_WARP])
{
    const unsigned int lane = threadIdx.x % CF_WARP, warp = threadIdx.x / CF_WARP, n_warps = blockDim.x / CF_WARP;
    x = cf_warp_sum(x);
    if (n_warps == 1)
        return x;
    if (lane == 0)
        partial[warp] = x;
    __syncthreads();
    return cf_warp_sum(lane < n_warps ? partial[lane] : 0.0f);
}

#endif
