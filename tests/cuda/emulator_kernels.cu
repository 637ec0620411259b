// emulator_kernels.cu - see emulator_kernels.h. Some of these kernels are wrong on purpose: their header says which.
#include "emulator_kernels.h"

#include "backend/cuda/device.cuh"

static dim3 count(int n)
{
    return dim3(static_cast<unsigned int>(n));
}

static __global__ void indices(int32_t *y)
{
    const unsigned int b = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    const unsigned int t = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    y[b * blockDim.x * blockDim.y * blockDim.z + t] = static_cast<int32_t>(b * 1024 + t);
}

cudaError_t probe_indices(int32_t *y, dim3 grid, dim3 block)
{
    return CF_LAUNCH(indices, grid, block, 0, nullptr, y);
}

static __global__ void reverse(float *y, const float *x, int n, int barrier)
{
    CF_SHARED(float[1024], held);
    const int t = static_cast<int>(threadIdx.x), first = static_cast<int>(blockIdx.x) * n;
    held[t] = x[first + t];
    if (barrier)
        __syncthreads();
    y[first + t] = held[n - 1 - t];
}

cudaError_t probe_reverse(float *y, const float *x, int n_blocks, int n, int barrier)
{
    return CF_LAUNCH(reverse, count(n_blocks), count(n), 0, nullptr, y, x, n, barrier);
}

static __global__ void reverse_warp(float *y, const float *x, int barrier)
{
    CF_SHARED(float[1024], held);
    const unsigned int t = threadIdx.x, first = t - t % CF_WARP;
    held[t] = x[t];
    if (barrier)
        __syncwarp();
    y[t] = held[first + CF_WARP - 1 - t % CF_WARP];
}

cudaError_t probe_reverse_warp(float *y, const float *x, int n, int barrier)
{
    return CF_LAUNCH(reverse_warp, 1, count(n), 0, nullptr, y, x, barrier);
}

static __global__ void reuse(float *y, const float *x, int barrier)
{
    CF_SHARED(float, word);
    if (threadIdx.x == 0)
        word = x[0];
    __syncthreads();
    const float first = word;
    if (barrier)
        __syncthreads();
    if (threadIdx.x == 0)
        word = x[1];
    __syncthreads();
    y[threadIdx.x] = first + word;
}

cudaError_t probe_reuse(float *y, const float *x, int n, int barrier)
{
    return CF_LAUNCH(reuse, 1, count(n), 0, nullptr, y, x, barrier);
}

static __global__ void early_exit(int n_early)
{
    if (static_cast<int>(threadIdx.x) < n_early)
        return;
    __syncthreads();
}

cudaError_t probe_early_exit(int n, int n_early)
{
    return CF_LAUNCH(early_exit, 1, count(n), 0, nullptr, n_early);
}

static __global__ void two_barriers()
{
    if (threadIdx.x < blockDim.x / 2)
        __syncthreads();
    else
        __syncthreads();
}

cudaError_t probe_two_barriers(int n)
{
    return CF_LAUNCH(two_barriers, 1, count(n), 0, nullptr);
}

static __global__ void shuffle_lanes(uint32_t mask, uint32_t present)
{
    if (present >> threadIdx.x % CF_WARP & 1)
        (void)__shfl_xor_sync(mask, 1.0f, 1);
}

cudaError_t probe_shuffle_lanes(int n, uint32_t mask, uint32_t present)
{
    return CF_LAUNCH(shuffle_lanes, 1, count(n), 0, nullptr, mask, present);
}

static __global__ void shuffle_kind(int32_t *y, probe_shuffle kind, int argument, int width)
{
    const int32_t offer = 100 + static_cast<int32_t>(threadIdx.x);
    const unsigned int delta = static_cast<unsigned int>(argument);
    int32_t got = 0;
    if (kind == SHUFFLE)
        got = __shfl_sync(cf_all_lanes, offer, argument, width);
    else if (kind == SHUFFLE_XOR)
        got = __shfl_xor_sync(cf_all_lanes, offer, argument, width);
    else if (kind == SHUFFLE_UP)
        got = __shfl_up_sync(cf_all_lanes, offer, delta, width);
    else
        got = __shfl_down_sync(cf_all_lanes, offer, delta, width);
    y[threadIdx.x] = got;
}

cudaError_t probe_shuffle_kind(int32_t *y, probe_shuffle kind, int argument, int width)
{
    return CF_LAUNCH(shuffle_kind, 1, CF_WARP, 0, nullptr, y, kind, argument, width);
}

static __global__ void votes(uint32_t *y, uint32_t predicate)
{
    const int mine = static_cast<int>(predicate >> threadIdx.x & 1);
    const uint32_t ballot = __ballot_sync(cf_all_lanes, mine);
    const int any = __any_sync(cf_all_lanes, mine), all = __all_sync(cf_all_lanes, mine);
    if (threadIdx.x == 13) {
        y[0] = ballot;
        y[1] = any != 0;
        y[2] = all != 0;
    }
}

cudaError_t probe_votes(uint32_t *y, uint32_t predicate)
{
    return CF_LAUNCH(votes, 1, CF_WARP, 0, nullptr, y, predicate);
}

static __global__ void first_read(float *y, int dynamic)
{
    CF_SHARED(float, own);
    float *const at = dynamic ? static_cast<float *>(cf_dynamic_shared()) : &own;
    y[blockIdx.x] = *at;
    *at = 1;
}

cudaError_t probe_first_read(float *y, int n_blocks, int dynamic)
{
    return CF_LAUNCH(first_read, count(n_blocks), 1, dynamic ? sizeof(float) : 0, nullptr, y, dynamic);
}

static __global__ void shared_write(int at)
{
    static_cast<float *>(cf_dynamic_shared())[at] = 1;
}

cudaError_t probe_shared_write(int n, int at)
{
    return CF_LAUNCH(shared_write, 1, 1, static_cast<size_t>(n) * sizeof(float), nullptr, at);
}

static __global__ void global_write(float *y, int at)
{
    y[at] = 1;
}

cudaError_t probe_global_write(float *y, int at)
{
    return CF_LAUNCH(global_write, 1, 1, 0, nullptr, y, at);
}

static __global__ void vector_load(float *y, const float *x, int at)
{
    const float4 v = cf_load<float4>(reinterpret_cast<const char *>(x) + at);
    cf_store(y, v);
}

cudaError_t probe_vector_load(float *y, const float *x, int at)
{
    return CF_LAUNCH(vector_load, 1, 1, 0, nullptr, y, x, at);
}

static __global__ void nothing()
{
}

cudaError_t probe_configuration(dim3 grid, dim3 block, size_t shared_bytes)
{
    return CF_LAUNCH(nothing, grid, block, shared_bytes, nullptr);
}

cudaError_t probe_allow_shared(int bytes)
{
    return cudaFuncSetAttribute(reinterpret_cast<const void *>(nothing), cudaFuncAttributeMaxDynamicSharedMemorySize,
                                bytes);
}

template <typename T> static __global__ void from_f32(uint16_t *y, const float *x, int n)
{
    for (int i = static_cast<int>(threadIdx.x); i < n; i += static_cast<int>(blockDim.x)) {
        T t;
        cf_from_f32(&t, x[i]);
        memcpy(&y[i], &t, sizeof t);
    }
}

cudaError_t probe_from_f32(uint16_t *y, const float *x, int n, int is_bf16)
{
    return CF_LAUNCH(is_bf16 ? from_f32<cf_bf16> : from_f32<cf_f16>, 1, CF_WARP, 0, nullptr, y, x, n);
}

template <typename T> static __global__ void to_f32(float *y, const uint16_t *x, int n)
{
    for (int i = static_cast<int>(threadIdx.x); i < n; i += static_cast<int>(blockDim.x)) {
        T t;
        memcpy(&t, &x[i], sizeof t);
        y[i] = cf_to_f32(t);
    }
}

cudaError_t probe_to_f32(float *y, const uint16_t *x, int n, int is_bf16)
{
    return CF_LAUNCH(is_bf16 ? to_f32<cf_bf16> : to_f32<cf_f16>, 1, CF_WARP, 0, nullptr, y, x, n);
}

template <typename T> static __global__ void pack(uint32_t *y, const float *x, int n)
{
    for (int i = static_cast<int>(threadIdx.x); i < n / 2; i += static_cast<int>(blockDim.x))
        y[i] = cf_pack<T>(x[2 * i], x[2 * i + 1]);
}

cudaError_t probe_pack(uint32_t *y, const float *x, int n, int is_bf16)
{
    return CF_LAUNCH(is_bf16 ? pack<cf_bf16> : pack<cf_f16>, 1, CF_WARP, 0, nullptr, y, x, n);
}

template <typename T> static __global__ void unpack(float *y, const uint32_t *x, int n)
{
    for (int i = static_cast<int>(threadIdx.x); i < n / 2; i += static_cast<int>(blockDim.x)) {
        const float2 pair = cf_unpack<T>(x[i]);
        y[2 * i] = pair.x;
        y[2 * i + 1] = pair.y;
    }
}

cudaError_t probe_unpack(float *y, const uint32_t *x, int n, int is_bf16)
{
    return CF_LAUNCH(is_bf16 ? unpack<cf_bf16> : unpack<cf_f16>, 1, CF_WARP, 0, nullptr, y, x, n);
}

static __global__ void reduce(float *sum, float *greatest, const float *x)
{
    CF_SHARED(float[CF_WARP], partial);
    sum[threadIdx.x] = cf_block_sum(x[threadIdx.x], partial);
    greatest[threadIdx.x] = cf_warp_max(x[threadIdx.x]);
}

cudaError_t probe_reduce(float *sum, float *greatest, const float *x, int n)
{
    return CF_LAUNCH(reduce, 1, count(n), 0, nullptr, sum, greatest, x);
}
