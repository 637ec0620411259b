/* attention.c - what does attention with cuts cost beside the products of a layer? The operation as a sweep calls it, with the
 * extents of LLaVA-1.5-7B: 16 runs that bring their last 40 rows and 16 that bring one, all reading the one prefix before
 * them, at T = 621 (LLaVA-1.5) and 2,900 (LLaVA-NeXT with all its tiles), without a cut and with the cuts of ->Question open;
 * and in the same turn the seven products of a layer over as many rows.
 *
 * First, the rows of one run of each kind are held against the `ref` backend. */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "matrices.h"
#include "yardstick.h"

enum { RUNS = 16, OWN = 40, QUESTION = 22, BEFORE = 5, HEADS = 32, HEAD_DIM = 128, D = HEADS * HEAD_DIM, F = 11008 };
enum { N_ROWS = RUNS * (OWN + 1), REPEATS = 10 };

typedef struct bench {
    int32_t length;
    int32_t *pos; /* [OWN] length - OWN, ... */
    cf_spans image, words;
    cf_cut cut; /* Image->Question */
    cf_attn_segment segments[2 * RUNS];
    cf_attn a;
    cf_tensor q, k, v, out; /* in one backend's memory */
    cf_kv *kv;
} bench;

static bench bench_open(cf_backend *be, int32_t length)
{
    cf_error err = {0};
    bench b = {.length = length, .pos = room((size_t)length, sizeof *b.pos)};
    must(cf_spans_add(&b.image, BEFORE, length - OWN, &err), &err);
    must(cf_spans_add(&b.words, length - OWN, length - OWN + QUESTION, &err), &err);
    for (int32_t i = 0; i < length; i++)
        b.pos[i] = i;
    b.q = random_rows(be, N_ROWS, D, CF_F32, 2, 1);
    b.k = random_rows(be, N_ROWS, D, CF_F32, 2, 2);
    b.v = random_rows(be, N_ROWS, D, CF_F32, 2, 3);
    must(cf_backend_alloc(be, &b.out, cf_backend_compute(be), N_ROWS, D, &err), &err);
    must(cf_kv_create(be, &b.kv, 1, length, HEADS, HEAD_DIM, &err), &err);
    cf_tensor k = random_rows(be, length, D, CF_F32, 2, 4), v = random_rows(be, length, D, CF_F32, 2, 5);
    must(cf_kv_put(be, b.kv, 0, &k, &v, b.pos, &err), &err);
    cf_backend_release(be, &k);
    cf_backend_release(be, &v);
    return b;
}

/* The segments, once b stands where it stays. */
static void lay_out(bench *b, bool cut)
{
    const int32_t own_begin = b->length - OWN, last = b->length - 1;
    b->cut = (cf_cut){.query = &b->words, .key = &b->image};
    for (int i = 0; i < RUNS; i++) {
        b->segments[i] = (cf_attn_segment){.q_row = i * OWN, .n_q = OWN, .q_pos = b->pos + own_begin};
        b->segments[i].own_begin = own_begin;
        b->segments[i].own_row = i * OWN;
        b->segments[i].n_own = OWN;
        b->segments[i].n_keys = b->length;
        b->segments[i].cuts = cut ? &b->cut : NULL;
        b->segments[i].n_cuts = cut;
        const int32_t row = RUNS * OWN + i;
        b->segments[RUNS + i] = (cf_attn_segment){.q_row = row, .n_q = 1, .q_pos = b->pos + last};
        b->segments[RUNS + i].own_begin = last;
        b->segments[RUNS + i].own_row = row;
        b->segments[RUNS + i].n_own = 1;
        b->segments[RUNS + i].n_keys = b->length;
    }
    b->a = (cf_attn){.n_heads = HEADS, .n_kv_heads = HEADS, .head_dim = HEAD_DIM, .scale = 0.0884f, .causal = true};
    for (size_t i = 0; i < sizeof b->segments / sizeof b->segments[0]; i++)
        b->segments[i].kv = b->kv;
    b->a.segments = b->segments;
    b->a.n_segments = sizeof b->segments / sizeof b->segments[0];
}

static void bench_close(cf_backend *be, bench *b)
{
    cf_tensor *all[] = {&b->q, &b->k, &b->v, &b->out};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        cf_backend_release(be, all[i]);
    cf_kv_free(be, b->kv);
    cf_spans_deinit(&b->image);
    cf_spans_deinit(&b->words);
    free(b->pos);
}

static void attend(cf_backend *be, bench *b)
{
    cf_error err = {0};
    must(cf_attention(be, &b->out, &b->q, &b->k, &b->v, &b->a, &err), &err);
}

/* The first run of each kind, as `ref` has it. Its values are at most 2 in size, and so are their weighted means. */
static void check(const cf_backend *be, const bench *b, int32_t length, bool cut)
{
    cf_backend *ref = backend_open("ref", CF_F32, 1);
    bench r = bench_open(ref, length);
    lay_out(&r, cut);
    r.segments[1] = r.segments[RUNS];
    r.a.n_segments = 2;
    attend(ref, &r);
    const double allowed = cf_backend_compute(be) == CF_BF16 ? 0x1p-7 : 1e-5;
    const int64_t first[2] = {0, RUNS * OWN}, n[2] = {OWN, 1};
    for (int i = 0; i < 2; i++) {
        const cf_tensor rows = cf_tensor_rows(&b->out, first[i], first[i] + n[i]);
        float *ours = room((size_t)(n[i] * D), sizeof *ours);
        cf_to_f32(ours, rows.data, rows.dtype, (size_t)(n[i] * D));
        const cf_difference d = cf_compare(ours, (const float *)r.out.data + first[i] * D, (size_t)(n[i] * D));
        if (!(d.max_abs <= allowed))
            wrong("attention at T = %d: differs from ref by %.3g", length, d.max_abs);
        free(ours);
    }
    bench_close(ref, &r);
    cf_backend_close(ref);
}

/* The products of one decoder layer over as many rows. */
typedef struct layer {
    matrix square, up, down;
    cf_tensor x, wide, narrow_out, wide_out;
} layer;

static layer layer_open(cf_backend *be)
{
    const cf_dtype dtype = cf_backend_compute(be);
    return (layer){.square = matrix_open(be, D, D, true),
                   .up = matrix_open(be, F, D, true),
                   .down = matrix_open(be, D, F, true),
                   .x = random_rows(be, N_ROWS, D, dtype, 1, 6),
                   .wide = random_rows(be, N_ROWS, F, dtype, 1, 7),
                   .narrow_out = empty_rows(be, N_ROWS, D),
                   .wide_out = empty_rows(be, N_ROWS, F)};
}

static void layer_close(cf_backend *be, layer *l)
{
    cf_tensor *all[] = {&l->x, &l->wide, &l->narrow_out, &l->wide_out};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        cf_backend_release(be, all[i]);
    matrix_close(be, &l->square);
    matrix_close(be, &l->up);
    matrix_close(be, &l->down);
}

static void multiply(cf_backend *be, layer *l)
{
    cf_error err = {0};
    for (int i = 0; i < 4; i++) /* q k v o */
        must(cf_linear(be, &l->narrow_out, &l->x, l->square.copies[i % l->square.n_copies], NULL, false, &err), &err);
    for (int i = 0; i < 2; i++) /* gate up */
        must(cf_linear(be, &l->wide_out, &l->x, l->up.copies[i % l->up.n_copies], NULL, false, &err), &err);
    must(cf_linear(be, &l->narrow_out, &l->wide, l->down.copies[0], NULL, true, &err), &err);
}

/* Operations of the scores and of the values, over the keys that causality shows. */
static double operations(const bench *b)
{
    double keys = 0;
    for (int64_t s = 0; s < b->a.n_segments; s++)
        for (int64_t i = 0; i < b->segments[s].n_q; i++)
            keys += b->segments[s].q_pos[i] + 1;
    return keys * HEADS * HEAD_DIM * 2 * 2;
}

static void measure(cf_backend *be, int32_t length, bool cut, layer *l, yardstick *y)
{
    series attention = {0}, products = {0}, rate = {0};
    char what[128], shape[64];
    bench b = bench_open(be, length);
    lay_out(&b, cut);
    attend(be, &b);
    check(be, &b, length, cut);
    multiply(be, l);
    for (int i = 0; i < REPEATS; i++) {
        yardstick_take(y);
        int64_t begin = cf_clock_ns();
        attend(be, &b);
        series_add(&attention, seconds_since(begin));
        series_add(&rate, operations(&b) / seconds_since(begin) * 1e-9);
        begin = cf_clock_ns();
        multiply(be, l);
        series_add(&products, seconds_since(begin));
    }
    (void)snprintf(shape, sizeof shape, "%s T %d %s", cf_dtype_name(cf_backend_compute(be)), length,
                   cut ? "cuts of Image->Question" : "no cut");
    (void)snprintf(what, sizeof what, "%s: attention to the layer's products", shape);
    print_row("attention", what, "s", &attention, (yardstick_row){series_median(&products), NULL}, y->threads);
    if (!cut) { /* with cuts, tiles are left out */
        (void)snprintf(what, sizeof what, "%s: arithmetic to f32 peak", shape);
        print_row("attention", what, "GFLOP/s", &rate, (yardstick_row){yardstick_gflops(y), NULL}, y->threads);
    }
    bench_close(be, &b);
}

int main(int argc, char **argv)
{
    const int threads = (int)option(argc, argv, "--threads", omp_get_num_procs());
    const int32_t lengths[] = {621, 2900};
    cf_backend *be = backend_open("cpu", cf_backend_has_bf16("cpu") ? CF_BF16 : CF_F32, threads);
    yardstick y = yardstick_open(CF_F32, threads); /* attention computes in f32 whatever the products do */
    layer l = layer_open(be);
    print_head();
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        for (int cut = 0; cut < 2; cut++)
            measure(be, lengths[i], cut, &l, &y);
    layer_close(be, &l);
    yardstick_close(&y);
    cf_backend_close(be);
    return 0;
}
