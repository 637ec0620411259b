// attention.cu - attention over a plan's items (attention_plan.h): one block per item and head, four warps of 16 query rows, online softmax (Milakov and Gimelshein 2018,
// arXiv 1805.02867; tiled as in Dao 2023, arXiv 2307.08691). And the store of keys and values.
//
// A block walks its item's steps. While scores of one key tile are computed its values are being copied to shared memory, and while those are summed the next tile's keys:
// two barriers a step, one buffer for keys and one for values. Each warp works on its own rows in registers, and leaves out a step that none of them takes part in.
//
// In f16 and bf16 the products are tensor-core products (tile_math<T>); weights are rounded to T before they meet the values, their total is summed unrounded. In f32 they
// are chains of fused multiply-adds in key order, and a weight travels between lanes by shuffle.
//
// Why a row's bits are its own. Its tiles come in position order, whoever holds the keys: own keys in compute dtype are the same numbers as stored ones. A row of a product
// depends on its own row of the left side only. Whether a row takes a step is decided by its own word: if not, its maximum, total and sums are kept by select, not by adding
// zeros. A hidden key's score is replaced before the maximum is taken, its weight is exactly 0, and its value (finite) is multiplied by that. No formula has two forms:
// contraction is off (device.cuh), and the branches that skip work (all rows see all keys; nothing to rescale) leave out identities only.
//
// Cost, f16, head_dim 128, per item, head and step: 2 x 64 x 64 x 128 multiply-adds, 4,096 exponentials, 32 KiB of keys and values from the L2 cache. A question at T = 621 with
// 58,552 row-layers and 32 heads has 29,300 items and heads, of 9 shared steps each and 2 to 3 own ones, in which one or two of the four warps work: 0.34 M steps, 0.65e12 flop, 11 GB.
// At the 400 TFLOP/s that mma.sync reaches on an H100 and 5 TB/s of its L2 cache this is 1.6 ms and 2.2 ms, side by side; three blocks a multiprocessor hide the one behind the other
// in part, so 3 to 4 ms are expected. Estimated, not measured.
#include "backend/cuda/attention.h"

#include "backend/cuda/mma.cuh"

namespace
{

enum {
    WARPS = 4,
    THREADS = WARPS * CF_WARP,
    WARP_ROWS = CF_QUERY_TILE / WARPS,
    KEY_BLOCKS = CF_KEY_TILE / 8 // columns of scores come in blocks of 8: a lane has two of each, for two rows
};
static_assert(WARP_ROWS == 16 && THREADS == 2 * CF_KEY_TILE, "rows of a tensor-core product; lanes of load_tile");

template <typename T> struct attend_args {
    void *out;
    const void *q;
    const T *shared_k, *shared_v; // of the layer: [n_kv_heads, capacity, head_dim]
    const T *own_k, *own_v;       // [rows, n_kv_heads * head_dim]
    int head_stride;              // capacity * head_dim
    cf_attend_view plan;
    float scale; // in exponent_unit
    int head_dim, n_heads, n_kv_heads;
    bool q_f32, out_f32;
};

// A row of a tile in shared memory: 16 bytes more than its elements, so that 8 rows lie in different banks.
template <typename T, int E> constexpr int row_stride = E + 16 / static_cast<int>(sizeof(T));
template <typename T, int E> constexpr int row_bytes = row_stride<T, E> *static_cast<int>(sizeof(T));

// What scores are measured in: 16-bit kernels take powers of 2, the f32 ones of e.
template <typename T> constexpr float exponent_unit = sizeof(T) == 2 ? 1.44269504f : 1.0f; // log2(e)

// ---- products of a warp's 16 rows with a key tile ----
//
// Lane l, g = l / 4, t = l % 4, has scores of its rows g (index 0) and g + 8 (index 1) with keys 8 b + 2 t + {0, 1}: score[b][2 * row + {0, 1}].

typedef float scores[KEY_BLOCKS][4];

// T f16 or bf16.
template <typename T, int E> struct tile_math {
    float sum[E / 8][4]; // of weighted values: columns 8 b + 2 t + {0, 1}, rows as in scores

    static __device__ __forceinline__ float power(float x)
    {
        return cf_exp2(x);
    }

    __device__ __forceinline__ void begin()
    {
#pragma unroll
        for (int b = 0; b < E / 8; b++)
            sum[b][0] = sum[b][1] = sum[b][2] = sum[b][3] = 0.0f;
    }

    // Queries are read anew for every key tile: kept, they would take a fifth of the registers.
    static __device__ __forceinline__ void score_keys(scores &s, T *queries, T *keys)
    {
        const int lane = threadIdx.x % CF_WARP; // a chunk of 8 elements has 16 bytes
        const cf_shared_at q_row = cf_shared_address(queries) + lane % 16 * row_bytes<T, E> + lane / 16 * 16;
        const cf_shared_at k_row =
            cf_shared_address(keys) + (lane % 8 + lane / 16 * 8) * row_bytes<T, E> + lane / 8 % 2 * 16;
#pragma unroll
        for (int b = 0; b < KEY_BLOCKS; b++)
            s[b][0] = s[b][1] = s[b][2] = s[b][3] = 0.0f;
#pragma unroll
        for (int x = 0; x < E; x += 16) {
            uint32_t q[4];
            cf_load_matrices(q, q_row + 2 * x);
#pragma unroll
            for (int b = 0; b < KEY_BLOCKS; b += 2) {
                uint32_t k[4];
                cf_load_matrices(k, k_row + b * 8 * row_bytes<T, E> + 2 * x);
                cf_mma<T>(s[b], q, k[0], k[1], s[b]);
                cf_mma<T>(s[b + 1], q, k[2], k[3], s[b + 1]);
            }
        }
    }

    __device__ __forceinline__ void fade(const float (&by)[2])
    {
#pragma unroll
        for (int b = 0; b < E / 8; b++)
#pragma unroll
            for (int i = 0; i < 4; i++)
                sum[b][i] *= by[i / 2];
    }

    typedef uint32_t weights[KEY_BLOCKS][2]; // rounded to T: pairs of row g, of row g + 8

    static __device__ __forceinline__ void keep(weights &w, const scores &s)
    {
#pragma unroll
        for (int b = 0; b < KEY_BLOCKS; b++) {
            w[b][0] = cf_pack<T>(s[b][0], s[b][1]);
            w[b][1] = cf_pack<T>(s[b][2], s[b][3]);
        }
    }

    // sum += weights times values, in the rows that `seen` says (ALL: in both).
    template <bool ALL> __device__ __forceinline__ void add_values(const weights &w, T *values, const bool (&seen)[2])
    {
        const int lane = threadIdx.x % CF_WARP;
        const cf_shared_at row = cf_shared_address(values) + lane % 16 * row_bytes<T, E> + lane / 16 * 16;
#pragma unroll
        for (int k = 0; k < KEY_BLOCKS; k += 2) {
            const uint32_t weight[4] = {w[k][0], w[k][1], w[k + 1][0], w[k + 1][1]};
#pragma unroll
            for (int b = 0; b < E / 8; b += 2) {
                uint32_t v[4];
                cf_load_matrices_transposed(v, row + k * 8 * row_bytes<T, E> + b * 16);
                add<ALL>(sum[b], weight, v[0], v[1], seen);
                add<ALL>(sum[b + 1], weight, v[2], v[3], seen);
            }
        }
    }

    template <bool ALL>
    static __device__ __forceinline__ void add(float (&to)[4], const uint32_t (&weight)[4], uint32_t v0, uint32_t v1,
                                               const bool (&seen)[2])
    {
        if (ALL) {
            cf_mma<T>(to, weight, v0, v1, to);
            return;
        }
        float with[4];
        cf_mma<T>(with, weight, v0, v1, to);
#pragma unroll
        for (int i = 0; i < 4; i++)
            to[i] = seen[i / 2] ? with[i] : to[i];
    }

    // Calls put(row index, column, value of it, value of the next) for each pair the lane has.
    template <typename F> __device__ __forceinline__ void each_pair(F put) const
    {
        const int t = threadIdx.x % 4;
#pragma unroll
        for (int b = 0; b < E / 8; b++)
#pragma unroll
            for (int r = 0; r < 2; r++)
                put(r, 8 * b + 2 * t, sum[b][2 * r], sum[b][2 * r + 1]);
    }
};

template <int E> struct tile_math<float, E> {
    float sum[2][E / 4]; // columns 16 b + 4 t + {0 .. 3}

    static __device__ __forceinline__ float power(float x)
    {
        return expf(x);
    }

    __device__ __forceinline__ void begin()
    {
#pragma unroll
        for (int x = 0; x < E / 4; x++)
            sum[0][x] = sum[1][x] = 0.0f;
    }

    static __device__ __forceinline__ float dot(float4 a, float4 b, float c)
    {
        return fmaf(a.w, b.w, fmaf(a.z, b.z, fmaf(a.y, b.y, fmaf(a.x, b.x, c))));
    }

    static __device__ __forceinline__ void score_keys(scores &s, const float *queries, const float *keys)
    {
        const int lane = threadIdx.x % CF_WARP, g = lane / 4, t = lane % 4;
#pragma unroll
        for (int b = 0; b < KEY_BLOCKS; b++)
            s[b][0] = s[b][1] = s[b][2] = s[b][3] = 0.0f;
#pragma unroll 1
        for (int x = 0; x < E; x += 4) {
            const float4 q0 = cf_load<float4>(queries + g * row_stride<float, E> + x);
            const float4 q1 = cf_load<float4>(queries + (g + 8) * row_stride<float, E> + x);
#pragma unroll
            for (int b = 0; b < KEY_BLOCKS; b++)
#pragma unroll
                for (int i = 0; i < 2; i++) {
                    const float4 k = cf_load<float4>(keys + (8 * b + 2 * t + i) * row_stride<float, E> + x);
                    s[b][i] = dot(q0, k, s[b][i]);
                    s[b][2 + i] = dot(q1, k, s[b][2 + i]);
                }
        }
    }

    __device__ __forceinline__ void fade(const float (&by)[2])
    {
#pragma unroll
        for (int r = 0; r < 2; r++)
#pragma unroll
            for (int x = 0; x < E / 4; x++)
                sum[r][x] *= by[r];
    }

    typedef scores weights;

    static __device__ __forceinline__ void keep(weights &w, const scores &s)
    {
#pragma unroll
        for (int b = 0; b < KEY_BLOCKS; b++)
#pragma unroll
            for (int i = 0; i < 4; i++)
                w[b][i] = s[b][i];
    }

    template <bool ALL>
    __device__ __forceinline__ void add_values(const weights &w, const float *values, const bool (&seen)[2])
    {
        const int lane = threadIdx.x % CF_WARP, t = lane % 4;
#pragma unroll
        for (int b = 0; b < KEY_BLOCKS; b++)
#pragma unroll 1
            for (int from = 0; from < 4; from++) // the lane of the quad that has keys 8 b + 2 from + {0, 1}
#pragma unroll
                for (int i = 0; i < 2; i++) {
                    const float w0 = __shfl_sync(cf_all_lanes, w[b][i], lane - t + from);
                    const float w1 = __shfl_sync(cf_all_lanes, w[b][2 + i], lane - t + from);
                    const float *row = values + (8 * b + 2 * from + i) * row_stride<float, E> + 4 * t;
#pragma unroll
                    for (int x = 0; x < E / 16; x++) {
                        const float4 v = cf_load<float4>(row + 16 * x);
                        const float value[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
                        for (int c = 0; c < 4; c++) {
                            const float a0 = fmaf(w0, value[c], sum[0][4 * x + c]);
                            const float a1 = fmaf(w1, value[c], sum[1][4 * x + c]);
                            sum[0][4 * x + c] = ALL || seen[0] ? a0 : sum[0][4 * x + c];
                            sum[1][4 * x + c] = ALL || seen[1] ? a1 : sum[1][4 * x + c];
                        }
                    }
                }
    }

    template <typename F> __device__ __forceinline__ void each_pair(F put) const
    {
        const int t = threadIdx.x % 4;
#pragma unroll
        for (int x = 0; x < E / 4; x += 2)
#pragma unroll
            for (int r = 0; r < 2; r++)
                put(r, 16 * (x / 4) + 4 * t + x % 4, sum[r][x], sum[r][x + 1]);
    }
};

// ---- loads ----

// Columns that the head does not have are zeros in shared memory: whole tiles are multiplied. Q: of the queries, float or T.
template <typename Q, typename T, int E>
__device__ __forceinline__ void load_queries(T *tile, const attend_args<T> &a, const cf_attend_row *rows, int head)
{
    const bool whole = a.head_dim % 4 == 0; // else rows are not aligned to four elements
#pragma unroll 8
    for (int i = static_cast<int>(threadIdx.x); i < CF_QUERY_TILE * (E / 4); i += THREADS) {
        const int r = i / (E / 4), x = i % (E / 4) * 4, q_row = rows[r].q_row;
        const int64_t at = (static_cast<int64_t>(max(q_row, 0)) * a.n_heads + head) * a.head_dim + x;
        const Q *const from = static_cast<const Q *>(a.q) + at;
        float q[4] = {0.0f, 0.0f, 0.0f, 0.0f};
        if (q_row >= 0 && x < a.head_dim) {
            if (whole) {
                const float4 all = cf_load_four(from);
                q[0] = all.x, q[1] = all.y, q[2] = all.z, q[3] = all.w;
            } else
                for (int j = 0; j < 4 && x + j < a.head_dim; j++)
                    q[j] = cf_to_f32(from[j]);
        }
        T *const to = tile + r * row_stride<T, E> + x;
        if constexpr (sizeof(T) == 2)
            cf_store(to, make_uint2(cf_pack<T>(q[0], q[1]), cf_pack<T>(q[2], q[3])));
        else
            cf_store(to, make_float4(q[0], q[1], q[2], q[3]));
    }
}

// Where the keys (and values) of a block's kv head lie. 32 bits: a layer's stored keys, and a call's own, have fewer than 2^31 elements.
struct key_place {
    int shared; // element of position 0 in the stored ones
    int own;    // element of row 0 in the call's own
    int own_stride, head_dim;
};

// Starts to bring a step's keys (or values) to shared memory: done after cf_copy_wait and a barrier.
template <typename T, int E>
__device__ __forceinline__ void load_tile(T *tile, const T *shared, const T *own, const key_place &at,
                                          const cf_attend_step &s)
{
    constexpr int chunk = 16 / static_cast<int>(sizeof(T)), chunks = E / chunk; // elements of a copy, copies of a row
    const int first = static_cast<int>(threadIdx.x) / chunks, x = static_cast<int>(threadIdx.x) % chunks * chunk;
    const int begin = s.tile * CF_KEY_TILE, own_begin = s.own_begin - begin, end = s.own_end - begin;
    const int shared_at = at.shared + begin * at.head_dim + x;
    const int own_at = own_begin < CF_KEY_TILE ? at.own + (s.own_row - own_begin) * at.own_stride + x : 0;
    const bool whole = at.head_dim % chunk == 0; // else rows are not aligned to a copy
    const cf_shared_at to = cf_shared_address(tile + first * row_stride<T, E> + x);
#pragma unroll 2
    for (int i = 0; i < CF_KEY_TILE * chunks / THREADS; i++) {
        const int r = first + i * (THREADS / chunks);
        const bool stored = r < own_begin;
        const T *const from =
            (stored ? shared : own) + (stored ? shared_at + r * at.head_dim : own_at + r * at.own_stride);
        if (whole && r < end && x < at.head_dim)
            cf_copy_start(to + i * (THREADS / chunks) * row_bytes<T, E>, from);
        else
#pragma unroll 1
            for (int j = 0; j < chunk; j++) {
                T *const element = tile + r * row_stride<T, E> + x + j;
                if (r < end && x + j < at.head_dim)
                    *element = from[j];
                else
                    cf_from_f32(element, 0.0f);
            }
    }
}

// ---- what a row sees ----

// Bits of keys [begin, end) in a tile.
__device__ __forceinline__ uint64_t interval(int begin, int end, int tile)
{
    const int low = max(begin - tile * CF_KEY_TILE, 0), high = min(end - tile * CF_KEY_TILE, int{CF_KEY_TILE});
    return low >= high ? 0 : (~0ull >> (CF_KEY_TILE - high + low)) << low;
}

// The keys of a step that a row takes part with.
__device__ __forceinline__ uint64_t word_of(const cf_attend_row &row, int slot, const uint64_t *masks, int mask_at,
                                            const cf_attend_step &s)
{
    const bool is_shared = s.own_begin == INT32_MAX;
    if (slot < s.slot_begin || slot >= s.slot_end || is_shared != (s.tile < row.n_shared))
        return 0;
    const uint64_t word = interval(row.key_begin, row.key_end, s.tile);
    return mask_at < 0 ? word : word & masks[mask_at + s.tile];
}

// A lane's scores of one row to what is left of them: hidden keys to minus infinity. word: bits of the row's keys.
__device__ __forceinline__ void hide(scores &s, int row, uint64_t word)
{
    const uint64_t own = word >> (2 * (threadIdx.x % 4)); // key 8 b + 2 t + i is bit 8 b + i
    const uint32_t half[2] = {static_cast<uint32_t>(own), static_cast<uint32_t>(own >> 32)};
#pragma unroll
    for (int b = 0; b < KEY_BLOCKS; b++)
#pragma unroll
        for (int i = 0; i < 2; i++)
            s[b][2 * row + i] = half[b / 4] >> (b % 4 * 8 + i) & 1 ? s[b][2 * row + i] : -INFINITY;
}

// Scores of one row to weights; what was summed so far is to be multiplied by the result. seen: whether the row takes part.
template <typename M>
__device__ __forceinline__ float soften(scores &s, int row, bool seen, float scale, float *maximum, float *total)
{
    float largest = -INFINITY;
#pragma unroll
    for (int b = 0; b < KEY_BLOCKS; b++)
        largest = fmaxf(largest, fmaxf(s[b][2 * row], s[b][2 * row + 1]));
    largest = fmaxf(largest, __shfl_xor_sync(cf_all_lanes, largest, 1));
    largest = fmaxf(largest, __shfl_xor_sync(cf_all_lanes, largest, 2));
    const float before = *maximum, now = seen ? fmaxf(before, largest) : before;
    const float base = seen ? now * scale : 0.0f; // where nothing is seen, all scores are minus infinity
    float sum = 0.0f;
#pragma unroll
    for (int b = 0; b < KEY_BLOCKS; b++)
#pragma unroll
        for (int i = 0; i < 2; i++) {
            s[b][2 * row + i] = M::power(fmaf(s[b][2 * row + i], scale, -base));
            sum += s[b][2 * row + i];
        }
    sum += __shfl_xor_sync(cf_all_lanes, sum, 1);
    sum += __shfl_xor_sync(cf_all_lanes, sum, 2);
    const float by = before == now ? 1.0f : M::power((before - now) * scale);
    *total = seen ? fmaf(*total, by, sum) : *total;
    *maximum = now;
    return by;
}

// ---- the kernel ----

// 16-bit heads up to 128: three blocks by registers (ptxas 13.0 at 128: 166 on sm_90, none spilled; on sm_80 and sm_89 168, 11 to 14 more spilled) and 51 KiB of shared memory each:
// 12 warps a multiprocessor on sm_90 and sm_80, 4 on sm_89. f32 up to 128: 212 registers, 99 KiB, two blocks on sm_90, one elsewhere. Above 128 one block: 255 registers, 3 to 7 spilled,
// 99 KiB in 16 bits; 254 and 195 KiB in f32.
template <typename T, int E> constexpr int blocks_per_multiprocessor()
{
    return E > 128 ? 1 : sizeof(T) == 2 ? 3 : 2;
}

template <typename T, int E> constexpr size_t shared_bytes()
{
    return sizeof(T) * row_stride<T, E> * (CF_QUERY_TILE + 2 * CF_KEY_TILE);
}

template <typename T, int E>
__global__ void __launch_bounds__(THREADS, (blocks_per_multiprocessor<T, E>())) attend(const attend_args<T> a)
{
    typedef tile_math<T, E> math_type;
    T *const queries = static_cast<T *>(cf_dynamic_shared()), *const keys = queries + CF_QUERY_TILE * row_stride<T, E>;
    T *const values = keys + CF_KEY_TILE * row_stride<T, E>;
    const cf_attend_item item = a.plan.items[blockIdx.x];
    const cf_attend_step *const steps = a.plan.steps + item.first_step;
    const int head = static_cast<int>(blockIdx.y), kv_head = head / (a.n_heads / a.n_kv_heads);
    const int warp = static_cast<int>(threadIdx.x) / CF_WARP, lane = static_cast<int>(threadIdx.x) % CF_WARP;
    const key_place at = {kv_head * a.head_stride, kv_head * a.head_dim, a.n_kv_heads * a.head_dim, a.head_dim};

    // Lane i has the descriptor of its warp's row i % 16. An empty slot does as the others do; nobody reads it.
    const int slot = warp * WARP_ROWS + lane % WARP_ROWS;
    const cf_attend_row row = a.plan.rows[item.first_row + slot];
    const bool empty = row.key_end == 0;
    const int mask_at = row.mask < 0 ? -1 : a.plan.mask_at[row.mask + head * row.head_step];

    cf_attend_step step = steps[0];
    load_tile<T, E>(keys, a.shared_k, a.own_k, at, step);
    if (sizeof(T) == 4 || a.q_f32) // the queries are there after the first barrier
        load_queries<float, T, E>(queries, a, a.plan.rows + item.first_row, head);
    else
        load_queries<T, T, E>(queries, a, a.plan.rows + item.first_row, head);
    T *const warp_queries = queries + warp * WARP_ROWS * row_stride<T, E>;
    math_type math;
    math.begin();
    float maximum[2] = {-INFINITY, -INFINITY}, total[2] = {0.0f, 0.0f};

    for (int i = 0; i < item.n_steps; i++) {
        const uint64_t word = empty ? ~0ull : word_of(row, slot, a.plan.masks, mask_at, step);
        const bool sees = __any_sync(cf_all_lanes, !empty && word != 0);
        cf_copy_wait();
        __syncthreads(); // the keys are there, and the values before are used up
        load_tile<T, E>(values, a.shared_v, a.own_v, at, step);
        typename math_type::weights weights;
        bool seen[2] = {false, false};
        float by[2] = {1.0f, 1.0f}; // what the sums so far are multiplied by
        if (sees) {
            const uint64_t words[2] = {__shfl_sync(cf_all_lanes, word, lane / 4),
                                       __shfl_sync(cf_all_lanes, word, lane / 4 + 8)};
            scores s;
            math.score_keys(s, warp_queries, keys);
            if (__any_sync(cf_all_lanes, word != ~0ull)) {
                hide(s, 0, words[0]);
                hide(s, 1, words[1]);
            }
#pragma unroll
            for (int r = 0; r < 2; r++) {
                seen[r] = words[r] != 0;
                by[r] = soften<math_type>(s, r, seen[r], a.scale, &maximum[r], &total[r]);
            }
            math_type::keep(weights, s);
        }
        cf_copy_wait();
        __syncthreads(); // the values are there, and the keys are used up
        if (i + 1 < item.n_steps) {
            step = steps[i + 1];
            load_tile<T, E>(keys, a.shared_k, a.own_k, at, step);
        }
        if (!sees)
            continue;
        if (__any_sync(cf_all_lanes, by[0] != 1.0f || by[1] != 1.0f))
            math.fade(by);
        if (__all_sync(cf_all_lanes, word != 0))
            math.template add_values<true>(weights, values, seen);
        else
            math.template add_values<false>(weights, values, seen);
    }

    const cf_attend_row *const rows = a.plan.rows + a.plan.items[blockIdx.x].first_row + warp * WARP_ROWS + lane / 4;
    const int q_rows[2] = {rows[0].q_row, rows[8].q_row};
    const float share[2] = {1.0f / total[0], 1.0f / total[1]};
    math.each_pair([&](int r, int x, float low, float high) {
        if (q_rows[r] < 0 || x >= a.head_dim)
            return;
        const int64_t to = (static_cast<int64_t>(q_rows[r]) * a.n_heads + head) * a.head_dim + x;
        low *= share[r];
        high *= share[r];
        if (a.head_dim % 2) { // pairs are not aligned, and the last one is half
            for (int j = 0; j < 2 && x + j < a.head_dim; j++)
                if (a.out_f32)
                    static_cast<float *>(a.out)[to + j] = j ? high : low;
                else
                    cf_from_f32(static_cast<T *>(a.out) + to + j, j ? high : low);
        } else if (a.out_f32)
            cf_store(static_cast<float *>(a.out) + to, make_float2(low, high));
        else if constexpr (sizeof(T) == 2)
            cf_store(static_cast<T *>(a.out) + to, cf_pack<T>(low, high));
    });
}

// ---- the store ----

enum { PUT_THREADS = 256 };

template <typename T, typename X>
__global__ void __launch_bounds__(PUT_THREADS) put(T *k, T *v, const X *from_k, const X *from_v, const int32_t *pos,
                                                   int n_kv_heads, int head_dim, int64_t capacity)
{
    const int row = static_cast<int>(blockIdx.x), width = n_kv_heads * head_dim;
    const int64_t position = pos[row], from = static_cast<int64_t>(row) * width;
    for (int i = static_cast<int>(threadIdx.x); i < width; i += PUT_THREADS) {
        const int64_t to = (i / head_dim * capacity + position) * head_dim + i % head_dim;
        cf_from_f32(&k[to], cf_to_f32(from_k[from + i]));
        cf_from_f32(&v[to], cf_to_f32(from_v[from + i]));
    }
}

template <typename T, typename X>
cudaError_t put_from(cudaStream_t stream, const cf_kv *kv, int64_t layer, const X *k, const X *v, const int32_t *pos,
                     int64_t n)
{
    const int64_t at = layer * kv->n_kv_heads * kv->capacity * kv->head_dim;
    return CF_LAUNCH((put<T, X>), dim3(static_cast<unsigned int>(n)), dim3(PUT_THREADS), 0, stream,
                     static_cast<T *>(kv->k) + at, static_cast<T *>(kv->v) + at, k, v, pos,
                     static_cast<int>(kv->n_kv_heads), static_cast<int>(kv->head_dim), kv->capacity);
}

template <typename T>
cudaError_t put_as(cudaStream_t stream, const cf_kv *kv, int64_t layer, const void *k, const void *v, cf_dtype dtype,
                   const int32_t *pos, int64_t n)
{
    if (dtype == CF_F32)
        return put_from<T>(stream, kv, layer, static_cast<const float *>(k), static_cast<const float *>(v), pos, n);
    return put_from<T>(stream, kv, layer, static_cast<const T *>(k), static_cast<const T *>(v), pos, n);
}

// ---- choice of kernel ----

// A multiprocessor's memory is to be shared memory, as far as it goes: the rest is L1 cache, which has descriptors to hold only.
template <typename T, int E> cudaError_t prepare(int most_bytes)
{
    const void *const kernel = reinterpret_cast<const void *>(attend<T, E>);
    const int bytes = static_cast<int>(shared_bytes<T, E>());
    if (bytes > most_bytes)
        return cudaSuccess;
    const cudaError_t e = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
    return e == cudaSuccess ? cudaFuncSetAttribute(kernel, cudaFuncAttributePreferredSharedMemoryCarveout, 100) : e;
}

template <typename T> cudaError_t prepare_all(int most_bytes)
{
    cudaError_t e = prepare<T, 32>(most_bytes);
    e = e == cudaSuccess ? prepare<T, 64>(most_bytes) : e;
    e = e == cudaSuccess ? prepare<T, 128>(most_bytes) : e;
    return e == cudaSuccess ? prepare<T, 256>(most_bytes) : e;
}

template <typename T> cudaError_t attend_as(cudaStream_t stream, const cf_cuda_attend_call *c)
{
    const int64_t layer_at = c->kv ? c->layer * c->kv->n_kv_heads * c->kv->capacity * c->kv->head_dim : 0;
    const attend_args<T> a = {c->out,
                              c->q,
                              c->kv ? static_cast<const T *>(c->kv->k) + layer_at : nullptr,
                              c->kv ? static_cast<const T *>(c->kv->v) + layer_at : nullptr,
                              static_cast<const T *>(c->own_k),
                              static_cast<const T *>(c->own_v),
                              c->kv ? static_cast<int>(c->kv->capacity * c->head_dim) : 0,
                              c->plan,
                              c->scale * exponent_unit<T>,
                              static_cast<int>(c->head_dim),
                              static_cast<int>(c->n_heads),
                              static_cast<int>(c->n_kv_heads),
                              c->q_dtype == CF_F32,
                              c->out_dtype == CF_F32};
    const dim3 grid(static_cast<unsigned int>(c->plan.n_items), static_cast<unsigned int>(c->n_heads)), block(THREADS);
    if (c->head_dim <= 32)
        return CF_LAUNCH((attend<T, 32>), grid, block, (shared_bytes<T, 32>()), stream, a);
    if (c->head_dim <= 64)
        return CF_LAUNCH((attend<T, 64>), grid, block, (shared_bytes<T, 64>()), stream, a);
    if (c->head_dim <= 128)
        return CF_LAUNCH((attend<T, 128>), grid, block, (shared_bytes<T, 128>()), stream, a);
    return CF_LAUNCH((attend<T, 256>), grid, block, (shared_bytes<T, 256>()), stream, a);
}

} // namespace

extern "C" cudaError_t cf_cuda_kv_put(cudaStream_t stream, const cf_kv *kv, int64_t layer, const void *k, const void *v,
                                      cf_dtype dtype, const int32_t *pos, int64_t n)
{
    if (dtype != CF_F32 && dtype != kv->dtype)
        return cudaErrorInvalidValue;
    if (n == 0)
        return cudaSuccess;
    if (kv->dtype == CF_F32)
        return put_as<float>(stream, kv, layer, k, v, dtype, pos, n);
    if (kv->dtype == CF_F16)
        return put_as<cf_f16>(stream, kv, layer, k, v, dtype, pos, n);
    return put_as<cf_bf16>(stream, kv, layer, k, v, dtype, pos, n);
}

extern "C" cudaError_t cf_cuda_attend_prepare(void)
{
    int device = 0, most_bytes = 0;
    cudaError_t e = cudaGetDevice(&device);
    e = e == cudaSuccess ? cudaDeviceGetAttribute(&most_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device) : e;
    e = e == cudaSuccess ? prepare_all<float>(most_bytes) : e;
    e = e == cudaSuccess ? prepare_all<cf_f16>(most_bytes) : e;
    return e == cudaSuccess ? prepare_all<cf_bf16>(most_bytes) : e;
}

extern "C" cudaError_t cf_cuda_attend(cudaStream_t stream, const cf_cuda_attend_call *call)
{
    if (call->head_dim < 1 || call->head_dim > CF_CUDA_MOST_HEAD_DIM)
        return cudaErrorInvalidValue;
    if (call->kv && call->kv->capacity > INT32_MAX / (call->n_kv_heads * call->head_dim))
        return cudaErrorInvalidValue;
    if (call->q_dtype != CF_F32 && call->q_dtype != call->compute)
        return cudaErrorInvalidValue;
    if (call->plan.n_items == 0)
        return cudaSuccess;
    if (call->compute == CF_F32)
        return attend_as<float>(stream, call);
    if (call->compute == CF_F16)
        return attend_as<cf_f16>(stream, call);
    return attend_as<cf_bf16>(stream, call);
}
