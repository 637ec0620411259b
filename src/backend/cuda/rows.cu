// rows.cu - see rows.h. All of these kernels are bound by memory: each reads its inputs once and writes its output once, in vectors of four elements where the addresses
// allow it. The floor given with each is those bytes; an H100 moves about 3e12 of them a second.
//
// What keeps a row's bits its own: which thread takes which element, and so the order of every sum, follows from d alone. Whether the elements come by vector or one by one
// (ALIGNED) changes no assignment.
#include "backend/cuda/rows.h"

#include <type_traits>

#include "backend/cuda/device.cuh"

namespace
{

constexpr int FOUR = 4;          // elements of a vector load
constexpr int HELD = 4;          // vectors of a row that a thread of a norm keeps in registers
constexpr int MAX_BLOCK = 1024;  // threads
constexpr int CHUNK_BLOCK = 256; // threads of an element-wise block, at most,
constexpr int CHUNK_VECTORS = 2; // and vectors that each takes
constexpr int MOVE_VECTORS = 4;  // likewise where nothing is computed

// ---- four elements at a time ----

__device__ __forceinline__ void put_four(float *y, float4 v)
{
    cf_store(y, v);
}

template <typename T> __device__ __forceinline__ void put_four(T *y, float4 v)
{
    cf_store(y, make_uint2(cf_pack<T>(v.x, v.y), cf_pack<T>(v.z, v.w)));
}

// The elements x[0..3] of which `left` exist (none where it is not positive), the others zero. ALIGNED: x is a multiple of four elements from an aligned address.
template <bool ALIGNED, typename T> __device__ __forceinline__ float4 load_four(const T *x, int64_t left)
{
    if (ALIGNED && left >= FOUR)
        return cf_load_four(x);
    return make_float4(left > 0 ? cf_to_f32(x[0]) : 0.0f, left > 1 ? cf_to_f32(x[1]) : 0.0f,
                       left > 2 ? cf_to_f32(x[2]) : 0.0f, left > 3 ? cf_to_f32(x[3]) : 0.0f);
}

template <bool ALIGNED, typename T> __device__ __forceinline__ void store_four(T *y, int64_t left, float4 v)
{
    if (ALIGNED && left >= FOUR) {
        put_four(y, v);
        return;
    }
    if (left > 0)
        cf_from_f32(&y[0], v.x);
    if (left > 1)
        cf_from_f32(&y[1], v.y);
    if (left > 2)
        cf_from_f32(&y[2], v.z);
    if (left > 3)
        cf_from_f32(&y[3], v.w);
}

// ---- norms: a block a row, 16 elements a thread up to d = 16,384; what a thread cannot hold it reads again, from the cache ----

// Element of a row at which a thread's i-th vector begins.
__device__ __forceinline__ int64_t vector_at(int64_t i)
{
    return (i * blockDim.x + threadIdx.x) * FOUR;
}

__device__ __forceinline__ float add_squares(float sum, float4 v)
{
    return fmaf(v.w, v.w, fmaf(v.z, v.z, fmaf(v.y, v.y, fmaf(v.x, v.x, sum))));
}

// v - mean, zero where the row has no element.
__device__ __forceinline__ float4 deviation(float4 v, float mean, int64_t left)
{
    return make_float4(left > 0 ? v.x - mean : 0.0f, left > 1 ? v.y - mean : 0.0f, left > 2 ? v.z - mean : 0.0f,
                       left > 3 ? v.w - mean : 0.0f);
}

// Floor: n d (4 + bytes of y).
template <typename Y, bool ALIGNED>
__global__ __launch_bounds__(MAX_BLOCK) void rms_norm(Y *__restrict__ y, const float *__restrict__ x,
                                                      const float *__restrict__ gamma, float eps, int64_t d)
{
    CF_SHARED(float[CF_WARP], partial);
    const float *const row = x + blockIdx.x * d;
    Y *const out = y + blockIdx.x * d;
    float4 held[HELD];
    float square = 0;
#pragma unroll
    for (int i = 0; i < HELD; i++) {
        held[i] = load_four<ALIGNED>(row + vector_at(i), d - vector_at(i));
        square = add_squares(square, held[i]);
    }
    for (int64_t i = HELD; vector_at(i) < d; i++)
        square = add_squares(square, load_four<ALIGNED>(row + vector_at(i), d - vector_at(i)));
    const float scale = 1.0f / sqrtf(cf_block_sum(square, partial) / static_cast<float>(d) + eps);

    const auto write = [=](int64_t at, float4 v) {
        const float4 g = load_four<ALIGNED>(gamma + at, d - at);
        store_four<ALIGNED>(out + at, d - at,
                            make_float4(v.x * scale * g.x, v.y * scale * g.y, v.z * scale * g.z, v.w * scale * g.w));
    };
#pragma unroll
    for (int i = 0; i < HELD; i++)
        write(vector_at(i), held[i]);
    for (int64_t i = HELD; vector_at(i) < d; i++)
        write(vector_at(i), load_four<ALIGNED>(row + vector_at(i), d - vector_at(i)));
}

// Floor: n d (4 + bytes of y). y may be x: a thread writes what it alone reads, after all have read for the sums.
template <typename Y, bool ALIGNED>
__global__ __launch_bounds__(MAX_BLOCK) void layer_norm(Y *y, const float *x, const float *gamma, const float *beta,
                                                        float eps, int64_t d)
{
    CF_SHARED(float[CF_WARP], partial_sum);
    CF_SHARED(float[CF_WARP], partial_square);
    const float *const row = x + blockIdx.x * d;
    Y *const out = y + blockIdx.x * d;
    float4 held[HELD];
    float sum = 0;
#pragma unroll
    for (int i = 0; i < HELD; i++) {
        held[i] = load_four<ALIGNED>(row + vector_at(i), d - vector_at(i));
        sum += held[i].x + held[i].y + (held[i].z + held[i].w);
    }
    for (int64_t i = HELD; vector_at(i) < d; i++) {
        const float4 v = load_four<ALIGNED>(row + vector_at(i), d - vector_at(i));
        sum += v.x + v.y + (v.z + v.w);
    }
    const float mean = cf_block_sum(sum, partial_sum) / static_cast<float>(d);

    float square = 0;
#pragma unroll
    for (int i = 0; i < HELD; i++) {
        held[i] = deviation(held[i], mean, d - vector_at(i));
        square = add_squares(square, held[i]);
    }
    for (int64_t i = HELD; vector_at(i) < d; i++) {
        const int64_t left = d - vector_at(i);
        square = add_squares(square, deviation(load_four<ALIGNED>(row + vector_at(i), left), mean, left));
    }
    const float scale = 1.0f / sqrtf(cf_block_sum(square, partial_square) / static_cast<float>(d) + eps);

    const auto write = [=](int64_t at, float4 v) {
        const float4 g = load_four<ALIGNED>(gamma + at, d - at), b = load_four<ALIGNED>(beta + at, d - at);
        store_four<ALIGNED>(out + at, d - at,
                            make_float4(fmaf(v.x * scale, g.x, b.x), fmaf(v.y * scale, g.y, b.y),
                                        fmaf(v.z * scale, g.z, b.z), fmaf(v.w * scale, g.w, b.w)));
    };
#pragma unroll
    for (int i = 0; i < HELD; i++)
        write(vector_at(i), held[i]);
    for (int64_t i = HELD; vector_at(i) < d; i++) {
        const int64_t left = d - vector_at(i);
        write(vector_at(i), deviation(load_four<ALIGNED>(row + vector_at(i), left), mean, left));
    }
}

// ---- rotary embedding: a block a row. A thread takes the same pairs of several heads, so that it reads their angles once ----

// Floor: 2 n n_heads head_dim (bytes of x); the angles, shared by rows of the same position, come from the cache.
template <typename X, bool ALIGNED>
__global__ __launch_bounds__(CHUNK_BLOCK) void rope(X *x, const float *table, const int32_t *pos, int64_t n_heads,
                                                    int64_t head_dim)
{
    const int64_t half = head_dim / 2;
    const float *const cosines = table + pos[blockIdx.x] * head_dim, *const sines = cosines + half;
    X *const row = x + blockIdx.x * (n_heads * head_dim);
    for (int64_t at = threadIdx.x * FOUR; at < half; at += blockDim.x * FOUR) {
        const int64_t left = half - at;
        const float4 c = load_four<ALIGNED>(cosines + at, left), s = load_four<ALIGNED>(sines + at, left);
        for (int64_t head = threadIdx.y; head < n_heads; head += blockDim.y) {
            X *const first = row + head * head_dim + at, *const second = first + half;
            const float4 a = load_four<ALIGNED>(first, left), b = load_four<ALIGNED>(second, left);
            store_four<ALIGNED>(first, left,
                                make_float4(fmaf(a.x, c.x, -(b.x * s.x)), fmaf(a.y, c.y, -(b.y * s.y)),
                                            fmaf(a.z, c.z, -(b.z * s.z)), fmaf(a.w, c.w, -(b.w * s.w))));
            store_four<ALIGNED>(second, left,
                                make_float4(fmaf(b.x, c.x, a.x * s.x), fmaf(b.y, c.y, a.y * s.y),
                                            fmaf(b.z, c.z, a.z * s.z), fmaf(b.w, c.w, a.w * s.w)));
        }
    }
}

// ---- element by element ----

template <cf_unary F> __device__ __forceinline__ float unary(float x)
{
    if (F == CF_UNARY_GELU)
        return 0.5f * x * (1.0f + erff(x * 0.707106781186547524f)); // 1/sqrt(2)
    if (F == CF_UNARY_GELU_TANH)
        return 0.5f * x * (1.0f + tanhf(0.797884560802865356f * fmaf(0.044715f * x * x, x, x))); // sqrt(2/pi)
    if (F == CF_UNARY_QUICK_GELU)
        return x / (1.0f + expf(-1.702f * x));
    return x / (1.0f + expf(-x)); // SiLU
}

// Floor: count (bytes of x + bytes of y), and those of x again with times.
template <typename Y, typename X, cf_unary F, bool ALIGNED>
__global__ __launch_bounds__(CHUNK_BLOCK) void activate(Y *__restrict__ y, const X *__restrict__ x,
                                                        const X *__restrict__ times, int64_t count)
{
    const int64_t first = (static_cast<int64_t>(blockIdx.x) * CHUNK_VECTORS * blockDim.x + threadIdx.x) * FOUR;
    const int64_t step = blockDim.x * FOUR;
#pragma unroll
    for (int i = 0; i < CHUNK_VECTORS; i++) {
        const int64_t at = first + i * step, left = count - at;
        float4 v = load_four<ALIGNED>(x + at, left);
        v = make_float4(unary<F>(v.x), unary<F>(v.y), unary<F>(v.z), unary<F>(v.w));
        if (times) {
            const float4 t = load_four<ALIGNED>(times + at, left);
            v = make_float4(v.x * t.x, v.y * t.y, v.z * t.z, v.w * t.w);
        }
        store_four<ALIGNED>(y + at, left, v);
    }
}

// ---- rows moved and converted: the grid is n rows of `chunks` blocks each ----

__device__ __forceinline__ int64_t row_of(const int32_t *rows, int64_t i)
{
    return rows ? rows[i] : i;
}

// y[i, :] = x[rows[i], :]. Floor: n d (bytes of x + bytes of y).
template <typename Y, typename X, bool ALIGNED>
__global__ __launch_bounds__(CHUNK_BLOCK) void convert_rows(Y *__restrict__ y, const X *__restrict__ x,
                                                            const int32_t *__restrict__ rows, int64_t d,
                                                            unsigned int chunks)
{
    const unsigned int row = blockIdx.x / chunks, chunk = blockIdx.x % chunks;
    const X *const from = x + row_of(rows, row) * d;
    Y *const to = y + row * d;
    const int64_t first = (static_cast<int64_t>(chunk) * CHUNK_VECTORS * blockDim.x + threadIdx.x) * FOUR;
    const int64_t step = blockDim.x * FOUR;
#pragma unroll
    for (int i = 0; i < CHUNK_VECTORS; i++) {
        const int64_t at = first + i * step;
        store_four<ALIGNED>(to + at, d - at, load_four<ALIGNED>(from + at, d - at));
    }
}

// The row y_rows[i] of y = the row x_rows[i] of x, each `words` words; every bit stays. Floor: twice the rows' bytes.
template <typename W>
__global__ __launch_bounds__(CHUNK_BLOCK) void move_rows(W *__restrict__ y, const int32_t *__restrict__ y_rows,
                                                         const W *__restrict__ x, const int32_t *__restrict__ x_rows,
                                                         int64_t words, unsigned int chunks)
{
    const unsigned int row = blockIdx.x / chunks, chunk = blockIdx.x % chunks;
    const W *const from = x + row_of(x_rows, row) * words;
    W *const to = y + row_of(y_rows, row) * words;
    const int64_t first = static_cast<int64_t>(chunk) * MOVE_VECTORS * blockDim.x + threadIdx.x;
#pragma unroll
    for (int i = 0; i < MOVE_VECTORS; i++) {
        const int64_t at = first + i * static_cast<int64_t>(blockDim.x);
        if (at < words)
            cf_store(to + at, cf_load<W>(from + at));
    }
}

// ---- the host's side: block sizes and the choice of an instance ----

int64_t ceil_div(int64_t a, int64_t b)
{
    return a / b + (a % b != 0);
}

// Threads, in whole warps and at most `most`, for that many pieces of work.
unsigned int threads_for(int64_t pieces, int64_t most)
{
    return static_cast<unsigned int>(pieces >= most ? most : ceil_div(pieces, CF_WARP) * CF_WARP);
}

// Whether n elements-or-rows of `chunks` blocks are a grid; then *blocks is their number.
bool grid_of(unsigned int *blocks, int64_t n, int64_t chunks)
{
    if (n > INT32_MAX || chunks > INT32_MAX / n)
        return false;
    *blocks = static_cast<unsigned int>(n * chunks);
    return true;
}

// Whether each pointer (NULL: none) is at a multiple of 16 bytes, which serves every vector here.
bool aligned(const void *a, const void *b, const void *c = nullptr, const void *d = nullptr)
{
    return (reinterpret_cast<uintptr_t>(a) | reinterpret_cast<uintptr_t>(b) | reinterpret_cast<uintptr_t>(c) |
            reinterpret_cast<uintptr_t>(d)) %
               sizeof(float4) ==
           0;
}

// call(T *) with y as a pointer to its own element type.
template <typename F> cudaError_t with_type(void *y, cf_dtype dtype, F call)
{
    if (dtype == CF_F32)
        return call(static_cast<float *>(y));
    if (dtype == CF_F16)
        return call(static_cast<cf_f16 *>(y));
    return call(static_cast<cf_bf16 *>(y));
}

template <typename F> cudaError_t with_type(const void *x, cf_dtype dtype, F call)
{
    if (dtype == CF_F32)
        return call(static_cast<const float *>(x));
    if (dtype == CF_F16)
        return call(static_cast<const cf_f16 *>(x));
    return call(static_cast<const cf_bf16 *>(x));
}

template <typename W>
cudaError_t move_words(cudaStream_t stream, void *y, const int32_t *y_rows, const void *x, const int32_t *x_rows,
                       int64_t n, int64_t row_bytes)
{
    const int64_t words = row_bytes / static_cast<int64_t>(sizeof(W));
    const unsigned int threads = threads_for(ceil_div(words, MOVE_VECTORS), CHUNK_BLOCK);
    const int64_t chunks = ceil_div(words, static_cast<int64_t>(threads) * MOVE_VECTORS);
    unsigned int blocks = 0;
    if (!grid_of(&blocks, n, chunks))
        return cudaErrorInvalidValue;
    return CF_LAUNCH(move_rows<W>, blocks, threads, 0, stream, static_cast<W *>(y), y_rows, static_cast<const W *>(x),
                     x_rows, words, static_cast<unsigned int>(chunks));
}

// In the widest words that divide every row's address.
cudaError_t move(cudaStream_t stream, void *y, const int32_t *y_rows, const void *x, const int32_t *x_rows, int64_t n,
                 int64_t row_bytes)
{
    const uintptr_t all =
        reinterpret_cast<uintptr_t>(x) | reinterpret_cast<uintptr_t>(y) | static_cast<uintptr_t>(row_bytes);
    if (all % sizeof(uint4) == 0)
        return move_words<uint4>(stream, y, y_rows, x, x_rows, n, row_bytes);
    if (all % sizeof(uint32_t) == 0)
        return move_words<uint32_t>(stream, y, y_rows, x, x_rows, n, row_bytes);
    return move_words<uint16_t>(stream, y, y_rows, x, x_rows, n, row_bytes);
}

template <typename Y, typename X>
cudaError_t convert(cudaStream_t stream, Y *y, const X *x, const int32_t *rows, int64_t n, int64_t d)
{
    const unsigned int threads = threads_for(ceil_div(d, FOUR * CHUNK_VECTORS), CHUNK_BLOCK);
    const int64_t chunks = ceil_div(d, static_cast<int64_t>(threads) * FOUR * CHUNK_VECTORS);
    unsigned int blocks = 0;
    if (!grid_of(&blocks, n, chunks))
        return cudaErrorInvalidValue;
    const bool by_vector = aligned(y, x) && (n == 1 || d % FOUR == 0);
    return CF_LAUNCH(by_vector ? convert_rows<Y, X, true> : convert_rows<Y, X, false>, blocks, threads, 0, stream, y, x,
                     rows, d, static_cast<unsigned int>(chunks));
}

// Threads of a norm's block: HELD vectors each.
unsigned int norm_threads(int64_t d)
{
    return threads_for(ceil_div(d, FOUR * HELD), MAX_BLOCK);
}

template <cf_unary F>
cudaError_t activate_by(cudaStream_t stream, void *y, cf_dtype y_dtype, const void *x, const void *times,
                        cf_dtype x_dtype, int64_t count)
{
    unsigned int blocks = 0;
    if (!grid_of(&blocks, 1, ceil_div(count, CHUNK_BLOCK * CHUNK_VECTORS * FOUR)))
        return cudaErrorInvalidValue;
    const bool by_vector = aligned(y, x, times);
    return with_type(y, y_dtype, [=](auto *to) {
        return with_type(x, x_dtype, [=](const auto *from) {
            using Y = std::remove_pointer_t<decltype(to)>;
            using X = std::remove_const_t<std::remove_pointer_t<decltype(from)>>;
            if constexpr (sizeof(Y) == 2 && sizeof(X) == 2 && !std::is_same_v<X, Y>)
                return cudaErrorInvalidValue;
            else
                return CF_LAUNCH(by_vector ? activate<Y, X, F, true> : activate<Y, X, F, false>, blocks, CHUNK_BLOCK, 0,
                                 stream, to, from, static_cast<const X *>(times), count);
        });
    });
}

} // namespace

cudaError_t cf_cuda_gather(cudaStream_t stream, void *y, cf_dtype y_dtype, const void *x, cf_dtype x_dtype,
                           const int32_t *rows, int64_t n, int64_t d)
{
    if (n == 0 || d == 0)
        return cudaSuccess;
    if (y_dtype == x_dtype)
        return move(stream, y, nullptr, x, rows, n, d * (x_dtype == CF_F32 ? 4 : 2));
    return with_type(y, y_dtype, [=](auto *to) {
        return with_type(x, x_dtype, [=](const auto *from) { return convert(stream, to, from, rows, n, d); });
    });
}

cudaError_t cf_cuda_convert(cudaStream_t stream, void *y, cf_dtype y_dtype, const void *x, cf_dtype x_dtype,
                            int64_t count)
{
    return cf_cuda_gather(stream, y, y_dtype, x, x_dtype, nullptr, 1, count);
}

cudaError_t cf_cuda_scatter(cudaStream_t stream, float *y, const float *x, const int32_t *rows, int64_t n, int64_t d)
{
    if (n == 0 || d == 0)
        return cudaSuccess;
    return move(stream, y, rows, x, nullptr, n, d * static_cast<int64_t>(sizeof(float)));
}

cudaError_t cf_cuda_rms_norm(cudaStream_t stream, void *y, cf_dtype y_dtype, const float *x, const float *gamma,
                             float eps, int64_t n, int64_t d)
{
    unsigned int blocks = 0;
    if (n == 0 || d == 0)
        return cudaSuccess;
    if (!grid_of(&blocks, n, 1))
        return cudaErrorInvalidValue;
    const bool by_vector = d % FOUR == 0 && aligned(y, x, gamma);
    return with_type(y, y_dtype, [=](auto *to) {
        using Y = std::remove_pointer_t<decltype(to)>;
        return CF_LAUNCH(by_vector ? rms_norm<Y, true> : rms_norm<Y, false>, blocks, norm_threads(d), 0, stream, to, x,
                         gamma, eps, d);
    });
}

cudaError_t cf_cuda_layer_norm(cudaStream_t stream, void *y, cf_dtype y_dtype, const float *x, const float *gamma,
                               const float *beta, float eps, int64_t n, int64_t d)
{
    unsigned int blocks = 0;
    if (n == 0 || d == 0)
        return cudaSuccess;
    if (!grid_of(&blocks, n, 1))
        return cudaErrorInvalidValue;
    const bool by_vector = d % FOUR == 0 && aligned(y, x, gamma, beta);
    return with_type(y, y_dtype, [=](auto *to) {
        using Y = std::remove_pointer_t<decltype(to)>;
        return CF_LAUNCH(by_vector ? layer_norm<Y, true> : layer_norm<Y, false>, blocks, norm_threads(d), 0, stream, to,
                         x, gamma, beta, eps, d);
    });
}

cudaError_t cf_cuda_rope(cudaStream_t stream, void *x, cf_dtype dtype, const float *table, const int32_t *pos,
                         int64_t n, int64_t n_heads, int64_t head_dim)
{
    unsigned int blocks = 0;
    if (n == 0 || n_heads == 0 || head_dim < 2)
        return cudaSuccess;
    if (!grid_of(&blocks, n, 1))
        return cudaErrorInvalidValue;
    const int64_t vectors = ceil_div(head_dim / 2, FOUR), across = vectors < CHUNK_BLOCK ? vectors : CHUNK_BLOCK;
    const int64_t room = CHUNK_BLOCK / across, heads = n_heads < room ? n_heads : room;
    const dim3 block(static_cast<unsigned int>(across), static_cast<unsigned int>(heads));
    const bool by_vector = head_dim % (2 * FOUR) == 0 && aligned(x, table);
    return with_type(x, dtype, [=](auto *turned) {
        using X = std::remove_pointer_t<decltype(turned)>;
        return CF_LAUNCH(by_vector ? rope<X, true> : rope<X, false>, blocks, block, 0, stream, turned, table, pos,
                         n_heads, head_dim);
    });
}

cudaError_t cf_cuda_activate(cudaStream_t stream, void *y, cf_dtype y_dtype, const void *x, const void *times,
                             cf_dtype x_dtype, cf_unary f, int64_t count)
{
    if (count == 0)
        return cudaSuccess;
    switch (f) {
    case CF_UNARY_GELU:
        return activate_by<CF_UNARY_GELU>(stream, y, y_dtype, x, times, x_dtype, count);
    case CF_UNARY_GELU_TANH:
        return activate_by<CF_UNARY_GELU_TANH>(stream, y, y_dtype, x, times, x_dtype, count);
    case CF_UNARY_QUICK_GELU:
        return activate_by<CF_UNARY_QUICK_GELU>(stream, y, y_dtype, x, times, x_dtype, count);
    case CF_UNARY_SILU:
        break;
    }
    return activate_by<CF_UNARY_SILU>(stream, y, y_dtype, x, times, x_dtype, count);
}
