/* test_load.c - weights from a folder into a backend: what a model says about itself, and what cannot be loaded. */
#include <string.h>

#include "changed_folder.h"
#include "golden_tensors.h"
#include "loaded_model.h"
#include "test_model.h"

#include "support/fail_alloc.h"
#include "support/temp_dir.h"

static void a_model_knows_its_extents(void **state)
{
    (void)state;
    static const struct {
        const char *dir;
        int64_t n_patches, row_layer_macs;
    } cases[] = {
        {DEMO_MODEL, 144, 192 * (4 * 192 + 3 * 512)},
        {BITES_MODEL, 16, 64 * (2 * 96 + 2 * 48 + 3 * 96)}, /* four heads of 24, two of keys and values */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        loaded_model m = model_open(cases[i].dir, "cpu", CF_F32, 1);
        const cf_weight *weights[16] = {NULL};
        assert_int_equal(cf_model_n_patches(m.model), cases[i].n_patches);
        assert_int_equal(cf_model_row_layer_macs(m.model), cases[i].row_layer_macs);
        assert_ptr_equal(cf_model_backend(m.model), m.be);
        int64_t n = 0;
        OK(cf_model_weights(m.model, NULL, 0, &n, &err));
        assert_int_equal(n, 8); /* q k v o gate up down, and the head */
        OK(cf_model_weights(m.model, weights, 3, &n, &err));
        assert_int_equal(n, 8);
        assert_non_null(weights[2]);
        assert_null(weights[3]);
        model_close(&m);
    }
}

static void a_model_in_memory_outlives_its_checkpoint(void **state)
{
    (void)state;
    loaded_model m = model_open(BITES_MODEL, "ref", CF_F32, 1);
    const int32_t ids[] = {5, 644, 0, 655};
    const int64_t shape[] = {656, 64};
    cf_tensor table, x = {0};
    float rows[4 * 64], expected[64];
    OK(cf_checkpoint_weight(&table, m.checkpoint, "model.language_model.embed_tokens.weight", 2, shape, &err));
    cf_to_f32(expected, (const char *)table.data + 5 * 64 * cf_dtype_bytes(table.dtype), table.dtype, 64);
    cf_checkpoint_close(m.checkpoint);
    m.checkpoint = NULL;
    OK(cf_backend_alloc(m.be, &x, CF_F32, 4, 64, &err));
    OK(cf_decoder_embed(m.model, &x, ids, &err));
    OK(cf_backend_download(m.be, rows, &x, &err));
    assert_memory_equal(rows, expected, sizeof expected);
    cf_backend_release(m.be, &x);
    model_close(&m);
    cf_model_free(NULL);
    cf_scratch_free(NULL);
}

/* Loads the weights of bites under a changed configuration. */
static cf_status load_changed(const char *from, const char *to, cf_error *err)
{
    char *dir = changed_folder(from, to);
    cf_backend *be = NULL;
    cf_checkpoint *c = NULL;
    cf_model *m = NULL;
    cf_status st = cf_backend_open(&be, "ref", &(cf_backend_options){.compute = CF_F32}, err);
    if (st == CF_OK)
        st = cf_checkpoint_open(&c, dir, err);
    if (st == CF_OK)
        st = cf_model_load(&m, be, c, 0, err);
    assert_true(st == CF_OK ? m != NULL : m == NULL);
    cf_model_free(m);
    cf_checkpoint_close(c);
    cf_backend_close(be);
    temp_dir_remove(dir);
    return st;
}

static void weights_that_do_not_fit_the_configuration_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *name, *from, *to;
        cf_status status;
        const char *message;
    } cases[] = {
        {"as it is", "\"num_hidden_layers\": 5", "\"num_hidden_layers\": 5", CF_OK, ""},
        {"a decoder layer that is not there", "\"num_hidden_layers\": 5", "\"num_hidden_layers\": 6", CF_FORMAT,
         "layers.5."},
        {"a wider vocabulary", "\"vocab_size\": 656", "\"vocab_size\": 657", CF_MISMATCH, "embed_tokens.weight"},
        {"a narrower MLP", "\"intermediate_size\": 96", "\"intermediate_size\": 95", CF_MISMATCH, "mlp.gate_proj"},
        {"smaller patches", "\"patch_size\": 14", "\"patch_size\": 7", CF_MISMATCH, "patch_embedding"},
        {"a larger picture", "\"image_size\": 56", "\"image_size\": 70", CF_MISMATCH, "position_embedding"},
        {"biases that are not there", "\"attention_bias\": false", "\"attention_bias\": true", CF_FORMAT,
         "q_proj.bias"},
        {"a vision layer that is not there", "\"num_hidden_layers\": 3", "\"num_hidden_layers\": 5", CF_FORMAT,
         "encoder.layers.3."},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_error err = {0};
        const cf_status st = load_changed(cases[i].from, cases[i].to, &err);
        if (st != cases[i].status || (st != CF_OK && !strstr(err.text, cases[i].message)))
            fail_msg("%s: status %d, \"%s\"", cases[i].name, (int)st, err.text);
    }
}

static void a_model_refused_memory_is_not_made(void **state)
{
    (void)state;
    cf_backend *be = NULL;
    cf_checkpoint *c = NULL;
    OK(cf_backend_open(&be, "ref", &(cf_backend_options){.compute = CF_F32}, &err));
    OK(cf_checkpoint_open(&c, BITES_MODEL, &err));
    int64_t refused = 0;
    for (bool failed = true; failed; refused += failed) {
        cf_model *m = NULL;
        cf_scratch *scratch = NULL;
        cf_error err = {0};
        fail_alloc_at(refused + 1);
        cf_status st = cf_model_load(&m, be, c, 0, &err);
        if (st == CF_OK)
            st = cf_scratch_create(&scratch, m, &err);
        if (st == CF_OK)
            st = cf_scratch_reserve(scratch, 20, &err);
        failed = fail_alloc_off();
        assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
        assert_true(!failed || err.text[0]);
        if (scratch) /* a reserve that failed may be tried again */
            assert_int_equal(cf_scratch_reserve(scratch, 20, &err), CF_OK);
        cf_scratch_free(scratch);
        cf_model_free(m);
    }
    assert_true(refused > 100);
    cf_checkpoint_close(c);
    cf_backend_close(be);
}

int test_load(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_knows_its_extents),
        cmocka_unit_test(a_model_in_memory_outlives_its_checkpoint),
        cmocka_unit_test(weights_that_do_not_fit_the_configuration_are_named),
        cmocka_unit_test(a_model_refused_memory_is_not_made),
    };
    return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
