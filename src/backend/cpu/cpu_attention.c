/* cpu_attention.c - keys and values as tiles, and the schedule of attention: one task per segment and kv head.
 *
 * Tiles are what the kernel reads (kernels.h): 64 keys transposed, 64 value rows. The shared kv of a sequence is
 * stored as tiles once. A run's own rows are laid out as tiles when its task starts; the tile that own_begin falls
 * into takes its first columns from the shared one. So the kernel sees absolute, aligned tiles whoever computed the
 * keys, and the bits cannot depend on where the boundary lies. */
#include "backend/cpu/cpu_internal.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct cf_kv {
    int64_t n_tiles, n_kv_heads, head_dim;
    float *k; /* [n_layers, n_kv_heads, n_tiles, head_dim, 64] */
    float *v; /* [n_layers, n_kv_heads, n_tiles, 64, padded] */
};

static int64_t padded_of(int64_t head_dim)
{
    return (head_dim + CF_V_ALIGN - 1) / CF_V_ALIGN * CF_V_ALIGN;
}

static float *key_tile(const cf_kv *kv, int64_t layer, int64_t head, int64_t tile)
{
    return kv->k + ((layer * kv->n_kv_heads + head) * kv->n_tiles + tile) * kv->head_dim * CF_TILE;
}

static float *value_tile(const cf_kv *kv, int64_t layer, int64_t head, int64_t tile)
{
    return kv->v + ((layer * kv->n_kv_heads + head) * kv->n_tiles + tile) * padded_of(kv->head_dim) * CF_TILE;
}

cf_status cf_cpu_kv_create(cf_backend *be, cf_kv **out, int64_t n_layers, int64_t capacity, int64_t n_kv_heads,
                           int64_t head_dim, cf_error *err)
{
    (void)be;
    cf_status st = CF_OK;
    void *k = NULL, *v = NULL;
    cf_kv *kv = calloc(1, sizeof *kv);
    if (!kv)
        return cf_fail(err, CF_NOMEM, "no memory for keys and values");
    const int64_t n_tiles = (capacity + CF_TILE - 1) / CF_TILE;
    const size_t rows = (size_t)(n_layers * n_kv_heads * n_tiles * CF_TILE);
    CF_TRY(cf_alloc(&k, rows * (size_t)head_dim, sizeof(float), "keys", err));
    CF_TRY(cf_alloc(&v, rows * (size_t)padded_of(head_dim), sizeof(float), "values", err));
    *kv = (cf_kv){n_tiles, n_kv_heads, head_dim, k, v};
    *out = kv;
    return CF_OK;
done:
    free(k);
    free(kv);
    return st;
}

void cf_cpu_kv_free(cf_backend *be, cf_kv *kv)
{
    (void)be;
    free(kv->k);
    free(kv->v);
    free(kv);
}

enum { PUT_ROWS = 16 }; /* keys laid out together: one cache line of a tile's row */

/* n <= PUT_ROWS key and value rows of one head, `stride` elements apart, into the columns (rows) of a tile from `slot`
 * on. */
static void put_rows(float *kt, float *vt, int64_t slot, int64_t n, const float *k, const float *v, int64_t stride,
                     int64_t head_dim)
{
    for (int64_t x = 0; x < head_dim; x++)
        for (int64_t i = 0; i < n; i++)
            kt[x * CF_TILE + slot + i] = k[i * stride + x];
    for (int64_t i = 0; i < n; i++)
        memcpy(vt + (slot + i) * padded_of(head_dim), v + i * stride, (size_t)head_dim * sizeof *v);
}

/* How many of the positions from pos[0] on follow one another up to the end of a cache line of their tile. */
static int64_t run_of(const int32_t *pos, int64_t n)
{
    int64_t run = 1;
    while (run < n && pos[run] == pos[0] + run && pos[run] % PUT_ROWS)
        run++;
    return run;
}

cf_status cf_cpu_kv_put(cf_backend *be, cf_kv *kv, int64_t layer, const cf_tensor *k, const cf_tensor *v,
                        const int32_t *pos, cf_error *err)
{
    (void)err;
    const int64_t g = kv->n_kv_heads, e = kv->head_dim;
#pragma omp parallel for num_threads(be->n_threads) if (k->shape[0] > 8)
    for (int64_t h = 0; h < g; h++)
        for (int64_t i = 0, n = 0; i < k->shape[0]; i += n) {
            const int64_t tile = pos[i] / CF_TILE, slot = pos[i] % CF_TILE;
            n = run_of(pos + i, k->shape[0] - i);
            put_rows(key_tile(kv, layer, h, tile), value_tile(kv, layer, h, tile), slot, n,
                     (const float *)k->data + (i * g + h) * e, (const float *)v->data + (i * g + h) * e, g * e, e);
        }
    return CF_OK;
}

/* The first n keys and values of a tile as they are in another; what follows them stays. */
static void copy_tile(float *kt, float *vt, const float *from_kt, const float *from_vt, int64_t n, int64_t head_dim)
{
    for (int64_t x = 0; x < head_dim; x++)
        memcpy(kt + x * CF_TILE, from_kt + x * CF_TILE, (size_t)n * sizeof *kt);
    memcpy(vt, from_vt, (size_t)(n * padded_of(head_dim)) * sizeof *vt);
}

cf_status cf_cpu_kv_copy(cf_backend *be, cf_kv *to, const cf_kv *from, int64_t layer, int64_t n, cf_error *err)
{
    (void)err;
    const int64_t n_tiles = (n + CF_TILE - 1) / CF_TILE;
#pragma omp parallel for num_threads(be->n_threads) collapse(2)
    for (int64_t h = 0; h < to->n_kv_heads; h++)
        for (int64_t t = 0; t < n_tiles; t++) {
            const int64_t left = n - t * CF_TILE;
            copy_tile(key_tile(to, layer, h, t), value_tile(to, layer, h, t), key_tile(from, layer, h, t),
                      value_tile(from, layer, h, t), left < CF_TILE ? left : CF_TILE, to->head_dim);
        }
    return CF_OK;
}

/* Makes room in a thread's scratch for a segment. */
static cf_status reserve(cf_attend_scratch *w, const cf_attn *a, const cf_attn_segment *s, cf_error *err)
{
    const size_t e = (size_t)a->head_dim, padded = (size_t)padded_of(a->head_dim);
    const size_t n_tiles = (size_t)(s->n_keys + CF_TILE - 1) / CF_TILE;
    const size_t n_own = s->n_own ? n_tiles - (size_t)(s->own_begin / CF_TILE) : 0;
    void *own = w->own, *tiles = w->tiles, *words = w->words, *acc = w->acc;
    cf_status st = cf_grow(&own, &w->own_cap, n_own * CF_TILE * (e + padded), sizeof(float), "attention tiles", err);
    w->own = own;
    if (st == CF_OK)
        st = cf_grow(&tiles, &w->tiles_cap, n_tiles, sizeof(cf_tile), "attention tiles", err);
    w->tiles = tiles;
    if (st == CF_OK)
        st = cf_grow(&words, &w->words_cap, n_tiles * (CF_ATTEND_ROWS + (size_t)s->n_cuts), sizeof(uint64_t),
                     "attention masks", err);
    w->words = words;
    if (st == CF_OK)
        st = cf_grow(&acc, &w->acc_cap, CF_ATTEND_ROWS * padded, sizeof(float), "attention sums", err);
    w->acc = acc;
    return st;
}

/* Fills w->tiles with the keys and values of one segment and kv head. */
static void lay_tiles(cf_attend_scratch *w, const cf_attn *a, const cf_attn_segment *s, const cf_tensor *k,
                      const cf_tensor *v, int64_t head)
{
    const int64_t e = a->head_dim, padded = padded_of(e), g = a->n_kv_heads;
    const int64_t n_tiles = (s->n_keys + CF_TILE - 1) / CF_TILE,
                  first_own = s->n_own ? s->own_begin / CF_TILE : n_tiles;
    for (int64_t t = 0; t < first_own; t++)
        w->tiles[t] = (cf_tile){key_tile(s->kv, a->layer, head, t), value_tile(s->kv, a->layer, head, t)};
    for (int64_t t = first_own; t < n_tiles; t++) {
        float *kt = w->own + (t - first_own) * CF_TILE * (e + padded), *vt = kt + e * CF_TILE;
        const int64_t begin = t * CF_TILE, end = begin + CF_TILE < s->n_keys ? begin + CF_TILE : s->n_keys;
        const int64_t n_shared = s->own_begin > begin ? s->own_begin - begin : 0; /* only the first own tile has any */
        if (n_shared)
            copy_tile(kt, vt, key_tile(s->kv, a->layer, head, t), value_tile(s->kv, a->layer, head, t), n_shared, e);
        for (int64_t p = begin + n_shared, n = 0; p < end; p += n) {
            const int64_t line = (p / PUT_ROWS + 1) * PUT_ROWS, row = ((s->own_row + p - s->own_begin) * g + head) * e;
            n = (line < end ? line : end) - p;
            put_rows(kt, vt, p - begin, n, (const float *)k->data + row, (const float *)v->data + row, g * e, e);
        }
        if (padded > e) /* what is added with weight 0 must be finite */
            for (int64_t i = n_shared; i < end - begin; i++)
                memset(vt + i * padded + e, 0, (size_t)(padded - e) * sizeof *vt);
        w->tiles[t] = (cf_tile){kt, vt};
    }
}

/* Sets the bits of positions [begin, end) that fall into words of 64. */
static void set_bits(uint64_t *words, int64_t n_words, int64_t begin, int64_t end)
{
    if (end > n_words * 64)
        end = n_words * 64;
    for (int64_t p = begin; p < end;) {
        const int64_t stop = (p / 64 + 1) * 64 < end ? (p / 64 + 1) * 64 : end;
        const uint64_t low = ~0ull << (p % 64), high = stop % 64 ? ~(~0ull << (stop % 64)) : ~0ull;
        words[p / 64] |= low & high;
        p = stop;
    }
}

/* visible[t]: which keys of each tile query row i sees in a head. cut_keys holds a bitset of n_tiles words per cut.
 * Returns whether it sees any. */
static bool see(uint64_t *visible, const cf_attn *a, const cf_attn_segment *s, const uint64_t *cut_keys, int64_t head,
                int64_t i)
{
    const int64_t n_tiles = (s->n_keys + CF_TILE - 1) / CF_TILE;
    if (s->dense) {
        memcpy(visible, s->dense + (s->dense_per_head ? head * s->n_q + i : i) * n_tiles,
               (size_t)n_tiles * sizeof *visible);
    } else {
        const int64_t end = a->causal && s->q_pos[i] + 1 < s->n_keys ? s->q_pos[i] + 1 : s->n_keys;
        const int64_t begin = a->window && s->q_pos[i] >= a->window ? s->q_pos[i] + 1 - a->window : 0;
        memset(visible, 0, (size_t)n_tiles * sizeof *visible);
        set_bits(visible, n_tiles, begin, end);
        for (int64_t c = 0; c < s->n_cuts; c++)
            if (cf_cut_reaches(&s->cuts[c], head, s->q_pos[i]))
                for (int64_t t = 0; t < n_tiles; t++)
                    visible[t] &= ~cut_keys[c * n_tiles + t];
    }
    uint64_t any = 0;
    for (int64_t t = 0; t < n_tiles; t++)
        any |= visible[t];
    return any != 0;
}

/* All heads of one kv group for the rows of one segment. Returns the position of a query that sees no key, or -1. */
static int64_t run_task(cf_cpu *cpu, cf_attend_scratch *w, cf_tensor *out, const cf_tensor *q, const cf_attn *a,
                        const cf_attn_segment *s, int64_t kv_head)
{
    const int64_t e = a->head_dim, padded = padded_of(e), group = a->n_heads / a->n_kv_heads;
    const int64_t n_tiles = (s->n_keys + CF_TILE - 1) / CF_TILE;
    uint64_t *visible = w->words, *cut_keys = w->words + CF_ATTEND_ROWS * n_tiles;
    memset(cut_keys, 0, (size_t)(s->n_cuts * n_tiles) * sizeof *cut_keys);
    for (int64_t c = 0; c < s->n_cuts; c++)
        for (size_t i = 0; i < s->cuts[c].key->n; i++)
            set_bits(cut_keys + c * n_tiles, n_tiles, s->cuts[c].key->items[i].begin, s->cuts[c].key->items[i].end);
    for (int64_t h = kv_head * group; h < (kv_head + 1) * group; h++)
        for (int64_t i = 0; i < s->n_q; i += CF_ATTEND_ROWS) {
            const int n = (int)(s->n_q - i < CF_ATTEND_ROWS ? s->n_q - i : CF_ATTEND_ROWS);
            const float *rows[CF_ATTEND_ROWS];
            for (int r = 0; r < n; r++) {
                rows[r] = (const float *)q->data + ((s->q_row + i + r) * a->n_heads + h) * e;
                if (!see(visible + r * n_tiles, a, s, cut_keys, h, i + r))
                    return s->q_pos[i + r];
            }
            cpu->kernels->attend(w->acc, rows, n, w->tiles, n_tiles, visible, a->scale, e);
            for (int r = 0; r < n; r++) {
                const int64_t at = ((s->q_row + i + r) * a->n_heads + h) * e;
                if (out->dtype == CF_F32)
                    memcpy((float *)out->data + at, w->acc + r * padded, (size_t)e * sizeof(float));
                else
                    cpu->kernels->to_bf16((uint16_t *)out->data + at, w->acc + r * padded, e);
            }
        }
    return -1;
}

cf_status cf_cpu_attention(cf_backend *be, cf_tensor *out, const cf_tensor *q, const cf_tensor *k, const cf_tensor *v,
                           const cf_attn *a, cf_error *err)
{
    cf_cpu *cpu = (cf_cpu *)be;
    for (int64_t i = 0; i < a->n_segments; i++)
        for (int t = 0; t < be->n_threads; t++) {
            const cf_status st = reserve(&cpu->scratch[t], a, &a->segments[i], err);
            if (st != CF_OK)
                return st;
        }
    int64_t blind = -1; /* a query position without a key */
#pragma omp parallel for num_threads(be->n_threads) schedule(dynamic) reduction(max : blind)
    for (int64_t task = 0; task < a->n_segments * a->n_kv_heads;
         task++) { /* all segments of a head: they share its tiles */
        const cf_attn_segment *s = &a->segments[task % a->n_segments];
        const int64_t kv_head = task / a->n_segments;
        cf_attend_scratch *w = &cpu->scratch[omp_get_thread_num()];
        lay_tiles(w, a, s, k, v, kv_head);
        const int64_t found = run_task(cpu, w, out, q, a, s, kv_head);
        blind = found > blind ? found : blind;
    }
    if (blind >= 0)
        return cf_fail(err, CF_MISMATCH, "attention: query position %lld sees no key", (long long)blind);
    return CF_OK;
}
