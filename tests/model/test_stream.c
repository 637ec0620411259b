/* test_stream.c - layers that do not fit in memory: filled anew in every walk, they give the same bits. */
#include <stdlib.h>
#include <string.h>

#include "golden_tensors.h"
#include "loaded_model.h"
#include "test_model.h"

enum { ROWS = 9 };

static cf_model *load(const loaded_model *with, int64_t max_weight_bytes)
{
    cf_model *m = NULL;
    OK(cf_model_load(&m, with->be, with->checkpoint, max_weight_bytes, &err));
    return m;
}

/* Rows of some ids through every layer, twice over. */
static float *walk(const cf_model *m)
{
    const cf_text_config *t = &cf_model_config(m)->text;
    cf_backend *be = cf_model_backend(m);
    cf_scratch *scratch = NULL;
    cf_tensor x = {0};
    int32_t ids[ROWS], pos[ROWS];
    float *out = malloc((size_t)(2 * ROWS * t->hidden_size) * sizeof *out);
    assert_non_null(out);
    for (int32_t i = 0; i < ROWS; i++) {
        ids[i] = 7 * i + 3;
        pos[i] = i;
    }
    OK(cf_scratch_create(&scratch, m, &err));
    OK(cf_scratch_reserve(scratch, ROWS, &err));
    OK(cf_backend_alloc(be, &x, CF_F32, ROWS, t->hidden_size, &err));
    const cf_attn_segment segment = {.n_q = ROWS, .q_pos = pos, .n_own = ROWS, .n_keys = ROWS};
    const cf_layer_batch b = {.pos = pos, .n_q = ROWS, .q_pos = pos, .segments = &segment, .n_segments = 1};
    for (int pass = 0; pass < 2; pass++) {
        OK(cf_decoder_embed(m, &x, ids, &err));
        for (int64_t l = 0; l < t->n_layers; l++)
            OK(cf_decoder_layer(m, scratch, l, &b, &x, &x, &err));
        OK(cf_backend_download(be, out + pass * ROWS * t->hidden_size, &x, &err));
    }
    cf_backend_release(be, &x);
    cf_scratch_free(scratch);
    return out;
}

static void streamed_layers_give_the_bits_of_layers_in_memory(void **state)
{
    (void)state;
    static const struct {
        const char *dir, *backend;
        cf_dtype compute;
    } cases[] = {{BITES_MODEL, "cpu", CF_F32},
                 {BITES_MODEL, "ref", CF_F32},
                 {BITES_MODEL, "cpu", CF_BF16},
                 {DEMO_MODEL, "cpu", CF_F32}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (cases[i].compute == CF_BF16 && !cf_backend_has_bf16(cases[i].backend))
            continue;
        loaded_model whole = model_open(cases[i].dir, cases[i].backend, cases[i].compute, 2);
        const cf_config *c = cf_model_config(whole.model);
        const int64_t layer = cf_text_layer_macs(&c->text) * (int64_t)cf_dtype_bytes(cases[i].compute);
        const cf_weight_plan all = cf_model_plan_weights(c, cases[i].compute, 0);
        const size_t bytes = (size_t)(2 * ROWS * c->text.hidden_size) * sizeof(float);
        float *expected = walk(whole.model);
        assert_int_equal(all.n_resident, c->text.n_layers);
        assert_int_equal(cf_model_n_streamed(whole.model), 0);
        for (int64_t spare = -1; spare < c->text.n_layers; spare += 2) { /* layers' worth of memory that is missing */
            cf_model *m = load(&whole, all.bytes - (spare + 1) * layer - (spare < 0 ? 0 : 1));
            const int64_t streamed = spare < 0 ? 0 : spare + 3 < c->text.n_layers ? spare + 3 : c->text.n_layers;
            assert_int_equal(cf_model_n_streamed(m), streamed);
            float *found = walk(m);
            assert_memory_equal(found, expected, bytes);
            free(found);
            cf_model_free(m);
        }
        free(expected);
        model_close(&whole);
    }
}

static void the_plan_of_weights_stays_within_its_limit(void **state)
{
    (void)state;
    loaded_model m = model_open(DEMO_MODEL, "cpu", CF_F32, 1);
    const cf_config *c = cf_model_config(m.model);
    const cf_weight_plan all = cf_model_plan_weights(c, CF_F32, 0), least = cf_model_plan_weights(c, CF_F32, 1);
    assert_int_equal(least.n_resident, 0); /* it cannot do with less than one set */
    for (int64_t limit = least.bytes; limit < all.bytes; limit += all.bytes / 57) {
        const cf_weight_plan p = cf_model_plan_weights(c, CF_F32, limit);
        assert_in_range(p.bytes, 1, limit);
        assert_in_range(p.n_resident, 0, c->text.n_layers - 2);
    }
    model_close(&m);
}

int test_stream(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streamed_layers_give_the_bits_of_layers_in_memory),
        cmocka_unit_test(the_plan_of_weights_stays_within_its_limit),
    };
    return cmocka_run_group_tests_name("streamed layers", tests, NULL, NULL);
}
