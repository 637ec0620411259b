/* test_decoder.c - one decoder layer over any batch of rows: what stands with a row does not matter to it, and work is counted.
 * Values are held against transformers in tests/engine. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend_internal.h"
#include "golden_tensors.h"
#include "loaded_model.h"
#include "model/model_internal.h"
#include "test_model.h"

enum { T = 40, D = 64, V = 656, N_COPIES = 30 }; /* 30 x 40 rows: more than one chunk of the MLP */

typedef struct rig {
    loaded_model m;
    cf_scratch *scratch;
    int32_t pos[T];
    float input[T * D];
} rig;

static rig rig_open(const char *backend)
{
    rig r = {.m = model_open(BITES_MODEL, backend, CF_F32, 2)};
    OK(cf_scratch_create(&r.scratch, r.m.model, &err));
    OK(cf_scratch_reserve(r.scratch, N_COPIES * T, &err));
    int32_t ids[T];
    for (int32_t i = 0; i < T; i++) {
        ids[i] = (i * 37 + 11) % V;
        r.pos[i] = i;
    }
    cf_tensor x = {0};
    OK(cf_backend_alloc(r.m.be, &x, CF_F32, T, D, &err));
    OK(cf_decoder_embed(r.m.model, &x, ids, &err));
    OK(cf_backend_download(r.m.be, r.input, &x, &err));
    cf_backend_release(r.m.be, &x);
    return r;
}

static void rig_close(rig *r)
{
    cf_scratch_free(r->scratch);
    model_close(&r->m);
}

/* Layer 2 over n_copies stacked copies of the input, each seeing its own keys; out[n_copies * T * D]. */
static void run_stacked(rig *r, int64_t n_copies, float *out)
{
    const int64_t n = n_copies * T;
    cf_tensor x = {0};
    int32_t *pos = malloc((size_t)n * sizeof *pos);
    cf_attn_segment *segments = calloc((size_t)n_copies, sizeof *segments);
    assert_non_null(pos);
    assert_non_null(segments);
    OK(cf_backend_alloc(r->m.be, &x, CF_F32, n, D, &err));
    for (int64_t i = 0; i < n_copies; i++) {
        cf_tensor rows = cf_tensor_rows(&x, i * T, (i + 1) * T);
        OK(cf_backend_upload(r->m.be, &rows, r->input, &err));
        memcpy(pos + i * T, r->pos, sizeof r->pos);
        segments[i] = (cf_attn_segment){
            .q_row = i * T, .n_q = T, .q_pos = pos + i * T, .own_row = i * T, .n_own = T, .n_keys = T};
    }
    const cf_layer_batch b = {.pos = pos, .n_q = n, .q_pos = pos, .segments = segments, .n_segments = n_copies};
    const int64_t before = cf_backend_counters(r->m.be).linear_macs;
    OK(cf_decoder_layer(r->m.model, r->scratch, 2, &b, &x, &x, &err));
    assert_int_equal(cf_backend_counters(r->m.be).linear_macs - before, n * cf_model_row_layer_macs(r->m.model));
    OK(cf_backend_download(r->m.be, out, &x, &err));
    cf_backend_release(r->m.be, &x);
    free(pos);
    free(segments);
}

static const char *const backends[] = {"ref", "cpu"};

static bool skipped(const rig *r)
{
    if (model_is_row_invariant(&r->m))
        return false;
    print_message("  %s: products are not row-invariant here\n", model_backend_name(&r->m));
    return true;
}

static void a_row_does_not_depend_on_what_is_stacked_with_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(backends); i++) {
        rig r = rig_open(backends[i]);
        float *one = malloc(sizeof r.input), *many = malloc(N_COPIES * sizeof r.input);
        assert_non_null(one);
        assert_non_null(many);
        run_stacked(&r, 1, one);
        assert_memory_not_equal(one, r.input, sizeof r.input);
        run_stacked(&r, N_COPIES, many);
        for (int64_t c = 0; !skipped(&r) && c < N_COPIES; c++)
            assert_memory_equal(many + c * T * D, one, sizeof r.input);
        free(one);
        free(many);
        rig_close(&r);
    }
}

/* Layer 2 over input[T * D] with keys and values in a shared store; only the rows of q_rows ask. */
static void run_stored(rig *r, const float *input, const int32_t *q_rows, int64_t n_q, float *out)
{
    cf_tensor x = {0}, y = {0};
    cf_kv *kv = NULL;
    OK(cf_backend_alloc(r->m.be, &x, CF_F32, T, D, &err));
    OK(cf_backend_upload(r->m.be, &x, input, &err));
    OK(cf_kv_create(r->m.be, &kv, 5, T + 3, 2, 24, &err));
    const cf_attn_segment all = {.n_q = n_q, .q_pos = q_rows ? q_rows : r->pos, .kv = kv, .own_begin = T, .n_keys = T};
    const cf_kv_update stored = {.kv = kv, .n = T};
    const cf_layer_batch b = {.pos = r->pos,
                              .q_rows = q_rows,
                              .n_q = n_q,
                              .q_pos = all.q_pos,
                              .updates = &stored,
                              .n_updates = 1,
                              .segments = &all,
                              .n_segments = 1};
    if (q_rows)
        OK(cf_backend_alloc(r->m.be, &y, CF_F32, n_q, D, &err));
    OK(cf_decoder_layer(r->m.model, r->scratch, 2, &b, q_rows ? &y : &x, &x, &err));
    OK(cf_backend_download(r->m.be, out, q_rows ? &y : &x, &err));
    cf_kv_free(r->m.be, kv);
    cf_backend_release(r->m.be, &x);
    cf_backend_release(r->m.be, &y);
}

static void a_row_is_the_same_whoever_else_asks_and_wherever_keys_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(backends); i++) {
        rig r = rig_open(backends[i]);
        static const int32_t asking[] = {0, 7, 8, T - 1};
        float own[T * D], stored[T * D], some[COUNT(asking) * D];
        run_stacked(&r, 1, own);
        run_stored(&r, r.input, NULL, T, stored);
        assert_memory_equal(own, stored, sizeof own);
        run_stored(&r, r.input, asking, COUNT(asking), some);
        for (size_t a = 0; !skipped(&r) && a < COUNT(asking); a++)
            assert_memory_equal(some + a * D, own + asking[a] * D, D * sizeof *own);
        rig_close(&r);
    }
}

/* ---- two sequences ---- */

enum { N_ALIKE = 23, N_OTHER = T - N_ALIKE, ALL = T + N_OTHER };

/* The input of a sequence that begins like the rig's: other ids from position N_ALIKE on. */
static void begin_alike(const rig *r, float *out)
{
    int32_t ids[N_OTHER];
    cf_tensor x = {0};
    for (int32_t i = 0; i < N_OTHER; i++)
        ids[i] = (i * 71 + 5) % V;
    memcpy(out, r->input, N_ALIKE * D * sizeof *out);
    OK(cf_backend_alloc(r->m.be, &x, CF_F32, N_OTHER, D, &err));
    OK(cf_decoder_embed(r->m.model, &x, ids, &err));
    OK(cf_backend_download(r->m.be, out + N_ALIKE * D, &x, &err));
    cf_backend_release(r->m.be, &x);
}

/* Layer 2 over positions N_ALIKE .. T-1 of the second sequence and, below them, all of the first one's. The second takes
 * over what the first has stored before them, from rows of the same call. some: the last row of each asks alone.
 * out[N_OTHER + T, D] or [2, D]. */
static void run_two(rig *r, const float *second, bool some, float *out)
{
    static const int32_t last[] = {N_OTHER - 1, ALL - 1}, last_pos[] = {T - 1, T - 1};
    const int64_t n_q[] = {some ? 1 : N_OTHER, some ? 1 : T};
    int32_t pos[ALL];
    float input[ALL * D];
    cf_tensor x = {0}, y = {0};
    cf_kv *first_kv = NULL, *second_kv = NULL;
    for (int32_t i = 0; i < ALL; i++)
        pos[i] = i < N_OTHER ? N_ALIKE + i : i - N_OTHER;
    memcpy(input, second + N_ALIKE * D, N_OTHER * D * sizeof *input);
    memcpy(input + N_OTHER * D, r->input, sizeof r->input);
    OK(cf_backend_alloc(r->m.be, &x, CF_F32, ALL, D, &err));
    OK(cf_backend_upload(r->m.be, &x, input, &err));
    OK(cf_backend_alloc(r->m.be, &y, CF_F32, 2, D, &err));
    OK(cf_kv_create(r->m.be, &first_kv, 5, T, 2, 24, &err));
    OK(cf_kv_create(r->m.be, &second_kv, 5, T + 50, 2, 24, &err));
    const cf_attn_segment segments[] = {
        {.n_q = n_q[0], .q_pos = some ? last_pos : pos, .kv = second_kv, .own_begin = T, .n_keys = T},
        {.q_row = n_q[0],
         .n_q = n_q[1],
         .q_pos = some ? last_pos + 1 : pos + N_OTHER,
         .kv = first_kv,
         .own_begin = T,
         .n_keys = T}};
    const cf_kv_update updates[] = {{.kv = second_kv, .n = N_OTHER, .from = first_kv, .n_from = N_ALIKE},
                                    {.kv = first_kv, .row = N_OTHER, .n = T}};
    const cf_layer_batch b = {.pos = pos,
                              .q_rows = some ? last : NULL,
                              .n_q = n_q[0] + n_q[1],
                              .q_pos = some ? last_pos : pos,
                              .updates = updates,
                              .n_updates = 2,
                              .segments = segments,
                              .n_segments = 2};
    OK(cf_decoder_layer(r->m.model, r->scratch, 2, &b, some ? &y : &x, &x, &err));
    OK(cf_backend_download(r->m.be, out, some ? &y : &x, &err));
    cf_kv_free(r->m.be, first_kv);
    cf_kv_free(r->m.be, second_kv);
    cf_backend_release(r->m.be, &x);
    cf_backend_release(r->m.be, &y);
}

static void rows_of_two_sequences_that_begin_alike_have_the_bits_they_have_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(backends); i++) {
        rig r = rig_open(backends[i]);
        float input[T * D], first[T * D], second[T * D], both[ALL * D], last[2 * D];
        begin_alike(&r, input);
        run_stored(&r, r.input, NULL, T, first);
        run_stored(&r, input, NULL, T, second);
        run_two(&r, input, false, both);
        run_two(&r, input, true, last);
        if (!skipped(&r)) {
            assert_memory_equal(both, second + N_ALIKE * D, N_OTHER * D * sizeof *both);
            assert_memory_equal(both + N_OTHER * D, first, sizeof first);
            assert_memory_equal(last, second + (T - 1) * D, D * sizeof *last);
            assert_memory_equal(last + D, first + (T - 1) * D, D * sizeof *last);
        }
        rig_close(&r);
    }
}

static void a_batch_in_which_nobody_asks_is_no_work(void **state)
{
    (void)state;
    rig r = rig_open("ref");
    cf_tensor x = {0}, y = {0};
    OK(cf_backend_alloc(r.m.be, &x, CF_F32, 2, D, &err));
    OK(cf_backend_alloc(r.m.be, &y, CF_F32, 0, D, &err));
    const cf_layer_batch b = {.pos = r.pos, .q_rows = r.pos, .n_q = 0, .q_pos = r.pos};
    const int64_t before = cf_backend_counters(r.m.be).linear_macs;
    OK(cf_decoder_layer(r.m.model, r.scratch, 0, &b, &y, &x, &err));
    assert_int_equal(cf_backend_counters(r.m.be).linear_macs, before);
    cf_backend_release(r.m.be, &x);
    cf_backend_release(r.m.be, &y);
    rig_close(&r);
}

/* A weight of bites, as f32 on the heap. */
static float *weight_of(const loaded_model *m, const char *name, int32_t rank, const int64_t *shape)
{
    cf_tensor t = {0};
    OK(cf_checkpoint_weight(&t, m->checkpoint, name, rank, shape, &err));
    const size_t n = (size_t)cf_tensor_count(&t);
    float *x = malloc(n * sizeof *x);
    assert_non_null(x);
    cf_to_f32(x, t.data, t.dtype, n);
    return x;
}

static void logits_are_the_head_over_the_final_norm(void **state)
{
    (void)state;
    rig r = rig_open("cpu");
    float *gamma = weight_of(&r.m, "model.language_model.norm.weight", 1, (const int64_t[]){D});
    float *head = weight_of(&r.m, "lm_head.weight", 2, (const int64_t[]){V, D});
    cf_tensor x = {0}, normed = {0}, logits = {0};
    float norm[D], expected_norm[D], found[2][V], expected[2][V];
    OK(cf_backend_alloc(r.m.be, &x, CF_F32, 1, D, &err));
    OK(cf_backend_alloc(r.m.be, &normed, CF_F32, 1, D, &err));
    OK(cf_backend_alloc(r.m.be, &logits, CF_F32, 1, V, &err));
    OK(cf_backend_upload(r.m.be, &x, r.input, &err));
    OK(cf_decoder_norm(r.m.model, &normed, &x, &err));
    OK(cf_backend_download(r.m.be, norm, &normed, &err));
    double squares = 0;
    for (int i = 0; i < D; i++)
        squares += (double)r.input[i] * (double)r.input[i];
    for (int i = 0; i < D; i++)
        expected_norm[i] = (float)((double)r.input[i] / sqrt(squares / D + 1e-5) * (double)gamma[i]);
    (void)check_relative("final norm", norm, expected_norm, D, 1e-6);
    for (int n = 0; n < 2; n++) {
        const float *in = n ? expected_norm : r.input;
        OK(cf_decoder_logits(r.m.model, r.scratch, &logits, &x, n, &err));
        OK(cf_backend_download(r.m.be, found[n], &logits, &err));
        for (int v = 0; v < V; v++) {
            double sum = 0;
            for (int i = 0; i < D; i++)
                sum += (double)in[i] * (double)head[v * D + i];
            expected[n][v] = (float)sum;
        }
        (void)check_relative(n ? "logits" : "lens logits", found[n], expected[n], V, 1e-5);
    }
    cf_backend_release(r.m.be, &x);
    cf_backend_release(r.m.be, &normed);
    cf_backend_release(r.m.be, &logits);
    free(gamma);
    free(head);
    rig_close(&r);
}

static bool takes_anything(const cf_backend *be, cf_dtype dtype)
{
    (void)be;
    (void)dtype;
    return true;
}

/* What one operation takes has one dtype: that of values, or f32 where any of its products adds a bias. A view in it is the buffer's beginning. */
static void one_bias_makes_values_f32(void **state)
{
    (void)state;
    float number = 0;
    const cf_backend_ops ops = {.takes_values = takes_anything};
    struct cf_backend be = {.ops = &ops, .compute = CF_BF16};
    const cf_model m = {.be = &be};
    const cf_linear_part without = {0}, with = {.bias = cf_tensor_2d(&number, CF_F32, 1, 1)};
    const cf_linear_part *const none[] = {&without, &without, &without}, *const last[] = {&without, &without, &with};
    assert_int_equal(cf_value_dtype(&m, none, 3), CF_BF16);
    assert_int_equal(cf_value_dtype(&m, last, 2), CF_BF16);
    assert_int_equal(cf_value_dtype(&m, last, 3), CF_F32);
    be.compute = CF_F32;
    assert_int_equal(cf_value_dtype(&m, none, 3), CF_F32);
    const cf_tensor buffer = cf_tensor_2d(&number, CF_F32, 7, 9), taken = cf_take_as(&buffer, CF_BF16, 3, 5);
    assert_true(taken.data == buffer.data && taken.dtype == CF_BF16 && taken.shape[0] == 3 && taken.shape[1] == 5);
}

int test_decoder(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_does_not_depend_on_what_is_stacked_with_it),
        cmocka_unit_test(a_row_is_the_same_whoever_else_asks_and_wherever_keys_are),
        cmocka_unit_test(rows_of_two_sequences_that_begin_alike_have_the_bits_they_have_alone),
        cmocka_unit_test(a_batch_in_which_nobody_asks_is_no_work),
        cmocka_unit_test(logits_are_the_head_over_the_final_norm),
        cmocka_unit_test(one_bias_makes_values_f32),
    };
    return cmocka_run_group_tests_name("decoder", tests, NULL, NULL);
}
