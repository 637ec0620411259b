// emulator.cuh - CUDA's device-side language for the host's C++ compiler: what a .cu file of src/backend/cuda finds instead of cuda_runtime.h in an emulated build. Qualifiers,
// built-in variables, vector types, barriers, warp shuffles and votes, launches; names and meanings as in the CUDA C++ Programming Guide. Everything that waits goes through
// machine.h.
#ifndef CF_TESTS_CUDA_EMULATOR_EMULATOR_CUH
#define CF_TESTS_CUDA_EMULATOR_EMULATOR_CUH

#include <math.h>
#include <stdint.h>
#include <string.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "cuda/emulator/cuda_runtime_api.h"
#include "cuda/emulator/machine.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(bytes) alignas(bytes)

#define threadIdx cf_emulator_thread_idx
#define blockIdx cf_emulator_block_idx
#define blockDim cf_emulator_block_dim
#define gridDim cf_emulator_grid_dim

using std::max;
using std::min;

struct alignas(8) float2 {
    float x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(8) uint2 {
    unsigned int x, y;
};
struct alignas(16) uint4 {
    unsigned int x, y, z, w;
};
static inline float2 make_float2(float x, float y)
{
    return {x, y};
}
static inline float4 make_float4(float x, float y, float z, float w)
{
    return {x, y, z, w};
}
static inline uint2 make_uint2(unsigned int x, unsigned int y)
{
    return {x, y};
}
static inline uint4 make_uint4(unsigned int x, unsigned int y, unsigned int z, unsigned int w)
{
    return {x, y, z, w};
}

static inline unsigned int __float_as_uint(float f)
{
    unsigned int u;
    memcpy(&u, &f, sizeof u);
    return u;
}
static inline float __uint_as_float(unsigned int u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}
static inline int __popc(unsigned int u)
{
    return __builtin_popcount(u);
}
static inline int __popcll(unsigned long long u)
{
    return __builtin_popcountll(u);
}
static inline int __ffs(int u) // 1 + index of the lowest set bit, 0 for none
{
    return __builtin_ffs(u);
}
static inline int __ffsll(long long u)
{
    return __builtin_ffsll(u);
}
static inline int __clz(int u) // 32 for 0, unlike the compiler's
{
    return u ? __builtin_clz(static_cast<unsigned int>(u)) : 32;
}
static inline int __clzll(long long u)
{
    return u ? __builtin_clzll(static_cast<unsigned long long>(u)) : 64;
}

// ---- rendezvous. The last two parameters are the place of the call, filled in by the compiler ----

#define CF_EMULATOR_PLACE const char *file = __builtin_FILE(), int line = __builtin_LINE()

static inline void __syncthreads(CF_EMULATOR_PLACE)
{
    cf_emulator_barrier(file, line);
}

static inline void cf_emulator_nothing(void *const[CF_EMULATOR_WARP], unsigned int)
{
}

static inline void __syncwarp(unsigned int mask = 0xffffffffu, CF_EMULATOR_PLACE)
{
    cf_emulator_warp(mask, nullptr, cf_emulator_nothing, file, line);
}

template <typename T> struct cf_emulator_shuffle {
    T value, result;
    unsigned int source;

    static void complete(void *const operands[CF_EMULATOR_WARP], unsigned int mask)
    {
        for (unsigned int i = 0; i < CF_EMULATOR_WARP; i++)
            if (mask >> i & 1) {
                cf_emulator_shuffle *to = static_cast<cf_emulator_shuffle *>(operands[i]);
                to->result = static_cast<cf_emulator_shuffle *>(operands[to->source])->value;
            }
    }
};

template <typename T>
static inline T cf_emulator_shuffle_from(unsigned int mask, T value, unsigned int source, const char *file, int line)
{
    if (!(mask >> source & 1))
        cf_emulator_trap("a shuffle from a lane that is not in its mask", file, line);
    cf_emulator_shuffle<T> operands = {value, value, source};
    cf_emulator_warp(mask, &operands, cf_emulator_shuffle<T>::complete, file, line);
    return operands.result;
}

// width: lanes exchange within groups of that many, a power of two.
template <typename T>
static inline T __shfl_sync(unsigned int mask, T value, int source, int width = 32, CF_EMULATOR_PLACE)
{
    const unsigned int w = static_cast<unsigned int>(width), group = cf_emulator_lane() & ~(w - 1);
    return cf_emulator_shuffle_from(mask, value, group + (static_cast<unsigned int>(source) & (w - 1)), file, line);
}

template <typename T>
static inline T __shfl_xor_sync(unsigned int mask, T value, int lanes, int width = 32, CF_EMULATOR_PLACE)
{
    const unsigned int w = static_cast<unsigned int>(width), lane = cf_emulator_lane();
    const unsigned int source = lane ^ static_cast<unsigned int>(lanes);
    return cf_emulator_shuffle_from(mask, value, source >= (lane & ~(w - 1)) + w ? lane : source, file, line);
}

template <typename T>
static inline T __shfl_down_sync(unsigned int mask, T value, unsigned int delta, int width = 32, CF_EMULATOR_PLACE)
{
    const unsigned int w = static_cast<unsigned int>(width), lane = cf_emulator_lane();
    return cf_emulator_shuffle_from(mask, value, (lane & (w - 1)) + delta < w ? lane + delta : lane, file, line);
}

template <typename T>
static inline T __shfl_up_sync(unsigned int mask, T value, unsigned int delta, int width = 32, CF_EMULATOR_PLACE)
{
    const unsigned int w = static_cast<unsigned int>(width), lane = cf_emulator_lane();
    return cf_emulator_shuffle_from(mask, value, (lane & (w - 1)) >= delta ? lane - delta : lane, file, line);
}

struct cf_emulator_vote {
    unsigned int lanes; // in: this lane's predicate, 0 or 1; out: the lanes where it holds

    static void complete(void *const operands[CF_EMULATOR_WARP], unsigned int mask)
    {
        unsigned int lanes = 0;
        for (unsigned int i = 0; i < CF_EMULATOR_WARP; i++)
            if (mask >> i & 1)
                lanes |= static_cast<cf_emulator_vote *>(operands[i])->lanes << i;
        for (unsigned int i = 0; i < CF_EMULATOR_WARP; i++)
            if (mask >> i & 1)
                static_cast<cf_emulator_vote *>(operands[i])->lanes = lanes;
    }
};

static inline unsigned int __ballot_sync(unsigned int mask, int predicate, CF_EMULATOR_PLACE)
{
    cf_emulator_vote vote = {predicate != 0};
    cf_emulator_warp(mask, &vote, cf_emulator_vote::complete, file, line);
    return vote.lanes;
}

static inline int __any_sync(unsigned int mask, int predicate, CF_EMULATOR_PLACE)
{
    return __ballot_sync(mask, predicate, file, line) != 0;
}

static inline int __all_sync(unsigned int mask, int predicate, CF_EMULATOR_PLACE)
{
    return __ballot_sync(mask, predicate, file, line) == mask;
}

// ---- launches ----

// Arguments are converted to the kernel's own parameter types once, as the driver copies them.
template <typename... P, typename... A>
static inline cudaError_t cf_emulator_launch_kernel(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared_bytes,
                                                    A... arguments)
{
    struct call {
        void (*kernel)(P...);
        std::tuple<P...> arguments;
    };
    call c = {kernel, std::tuple<P...>(arguments...)};
    return cf_emulator_launch(
        reinterpret_cast<const void *>(kernel),
        [](void *p) { std::apply(static_cast<call *>(p)->kernel, static_cast<call *>(p)->arguments); }, &c, grid, block,
        shared_bytes);
}

#endif
