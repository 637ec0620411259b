/* test_golden.c - every published form of a checkpoint, made with transformers' own classes and torch.save, against what
 * transformers loads from it (tools/make_checkpoint_golden.py). */
#include "test_checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "checkpoint/checkpoint_internal.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/torch_zip.h"
#include "support/fail_alloc.h"
#include "support/temp_dir.h"

#define GOLDEN "tests/checkpoint/golden/"

static cf_json *references(void)
{
    cf_json *root = NULL;
    cf_error err = {0};
    if (cf_json_open(&root, GOLDEN "references.json", 1 << 20, &err) != CF_OK)
        fail_msg("%s", err.text);
    return root;
}

static char *golden_path(const cf_json *form, const char *key)
{
    return temp_dir_path("tests/checkpoint/golden", cf_json_string(cf_json_get(form, key)));
}

/* LLaVA-1.5's tower has no folder beside it in golden/llava_original but one beside that. */
static cf_checkpoint *open_form(const cf_json *form)
{
    char *dir = golden_path(form, "folder");
    cf_checkpoint *c = NULL;
    cf_error err = {0};
    if (cf_checkpoint_open(&c, dir, &err) != CF_OK)
        fail_msg("%s", err.text);
    free(dir);
    return c;
}

static void check_weight(const cf_checkpoint *c, const cf_stored_tensor *expected)
{
    cf_tensor t = {0};
    cf_error err = {0};
    const cf_status st = cf_checkpoint_weight(&t, c, expected->name, expected->rank, expected->shape, &err);
    if (!expected->readable) {
        assert_int_equal(st, CF_UNSUPPORTED);
        assert_non_null(strstr(err.text, "found I64"));
        return;
    }
    if (st != CF_OK)
        fail_msg("%s", err.text);
    assert_int_equal(t.dtype, expected->dtype);
    if (memcmp(t.data, expected->data, expected->n_bytes) != 0)
        fail_msg("%s: %s has other values than transformers loads", cf_checkpoint_dir(c), expected->name);
}

static void every_weight_is_the_one_that_transformers_loads(void **state)
{
    (void)state;
    cf_json *root = references();
    size_t n_forms = 0;
    for (const cf_json *form = cf_json_first(cf_json_get(root, "forms")); form; form = cf_json_next(form), n_forms++) {
        cf_checkpoint *c = open_form(form);
        cf_safetensors expected = {0};
        char *path = golden_path(form, "reference");
        assert_int_equal(cf_safetensors_open(&expected, path, NULL), CF_OK);
        for (size_t i = 0; i < expected.n; i++)
            check_weight(c, &expected.tensors[i]);
        for (size_t i = 0; i < c->n_weights; i++) /* and no other */
            if (!cf_safetensors_find(&expected, c->weights[i].name))
                fail_msg("%s: transformers has no '%s'", cf_checkpoint_dir(c), c->weights[i].name);
        const bool tied = c->config.text.tie_word_embeddings; /* state_dict() has the embedding twice */
        assert_int_equal(c->n_weights + tied, expected.n);
        assert_true(c->n_weights > 40);
        cf_safetensors_deinit(&expected);
        free(path);
        cf_checkpoint_close(c);
    }
    assert_int_equal(n_forms, 5);
    cf_json_free(root);
}

static double wanted(const cf_json *config, const char *key)
{
    const cf_json *v = cf_json_get(config, key);
    if (cf_json_kind_of(v) == CF_JSON_BOOL)
        return cf_json_bool(v, false);
    assert_int_equal(cf_json_kind_of(v), CF_JSON_NUMBER);
    return cf_json_number(v, 0);
}

static void check_lists(const cf_config *c, const cf_json *config)
{
    const cf_json *eos = cf_json_get(config, "eos"), *grid = cf_json_get(config, "grid");
    assert_int_equal(c->n_eos, cf_json_count(eos));
    int32_t i = 0;
    for (const cf_json *e = cf_json_first(eos); e; e = cf_json_next(e))
        assert_true(cf_json_number(e, -1) == c->eos_token_ids[i++]);
    assert_int_equal(c->n_grid, cf_json_count(grid));
    i = 0;
    for (const cf_json *e = cf_json_first(grid); e; e = cf_json_next(e), i++) {
        assert_true(cf_json_number(cf_json_first(e), -1) == c->grid[i].height);
        assert_true(cf_json_number(cf_json_next(cf_json_first(e)), -1) == c->grid[i].width);
    }
}

static void every_configuration_is_what_transformers_resolves(void **state)
{
    (void)state;
    static const char *const rope_types[] = {"default", "linear", "llama3"};
    cf_json *root = references();
    for (const cf_json *form = cf_json_first(cf_json_get(root, "forms")); form; form = cf_json_next(form)) {
        cf_checkpoint *checkpoint = open_form(form);
        const cf_config *c = cf_checkpoint_config(checkpoint);
        const cf_json *config = cf_json_get(form, "config");
        const struct {
            const char *key;
            double value;
        } values[] = {
            {"original", c->original},
            {"hidden_size", (double)c->text.hidden_size},
            {"n_layers", (double)c->text.n_layers},
            {"n_heads", (double)c->text.n_heads},
            {"n_kv_heads", (double)c->text.n_kv_heads},
            {"head_dim", (double)c->text.head_dim},
            {"vocab_size", (double)c->text.vocab_size},
            {"intermediate_size", (double)c->text.intermediate_size},
            {"max_position_embeddings", (double)c->text.max_position_embeddings},
            {"rope_theta", c->text.rope_theta},
            {"rope_factor", c->text.rope_factor},
            {"rope_low", c->text.rope_low_freq_factor},
            {"rope_high", c->text.rope_high_freq_factor},
            {"rope_original", (double)c->text.rope_original_positions},
            {"vision_hidden_size", (double)c->vision.hidden_size},
            {"vision_n_layers", (double)c->vision.n_layers},
            {"vision_n_heads", (double)c->vision.n_heads},
            {"vision_intermediate_size", (double)c->vision.intermediate_size},
            {"image_size", (double)c->vision.image_size},
            {"patch_size", (double)c->vision.patch_size},
            {"feature_layer", (double)c->feature_layer},
            {"drop_class_token", c->feature_drop_class_token},
            {"image_token_id", c->image_token_id},
        };
        for (size_t i = 0; i < sizeof values / sizeof *values; i++)
            if (values[i].value != wanted(config, values[i].key))
                fail_msg("%s: %s is %g, transformers has %g", cf_checkpoint_dir(checkpoint), values[i].key,
                         values[i].value, wanted(config, values[i].key));
        assert_true(c->text.rms_norm_eps == (float)wanted(config, "rms_norm_eps"));
        assert_string_equal(c->model_type, cf_json_string(cf_json_get(config, "model_type")));
        assert_string_equal(rope_types[c->text.rope_type], cf_json_string(cf_json_get(config, "rope_type")));
        check_lists(c, config);
        cf_checkpoint_close(checkpoint);
    }
    cf_json_free(root);
}

static void an_archive_of_torch_holds_the_tensors_that_were_saved(void **state)
{
    (void)state;
    static const char *const names[] = {"variety", "many"};
    for (size_t i = 0; i < 2; i++) {
        char path[64];
        cf_weight_file found = {0};
        cf_safetensors expected = {0};
        cf_error err = {0};
        (void)snprintf(path, sizeof path, GOLDEN "torch/%s.bin", names[i]);
        if (cf_weight_file_open(&found, path, cf_torch_zip_parse, &err) != CF_OK)
            fail_msg("%s", err.text);
        (void)snprintf(path, sizeof path, GOLDEN "torch/%s.safetensors", names[i]);
        assert_int_equal(cf_safetensors_open(&expected, path, NULL), CF_OK);
        assert_int_equal(found.n, i == 0 ? expected.n : 1200);
        for (size_t k = 0; k < expected.n; k++) {
            const cf_stored_tensor *e = &expected.tensors[k], *t = cf_weight_file_find(&found, e->name);
            if (!t)
                fail_msg("%s: no '%s'", path, e->name);
            assert_string_equal(t->dtype_name, e->dtype_name);
            assert_int_equal(t->readable, e->readable);
            assert_int_equal(t->dtype, e->dtype);
            assert_int_equal(t->rank, e->rank);
            assert_memory_equal(t->shape, e->shape, sizeof t->shape);
            assert_int_equal(t->count, e->count);
            assert_int_equal(t->n_bytes, e->n_bytes);
            assert_memory_equal(t->data, e->data, e->n_bytes);
        }
        cf_safetensors_deinit(&expected);
        cf_weight_file_deinit(&found);
    }
}

static void what_torch_writes_and_no_model_needs_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        cf_status status;
        const char *say;
    } cases[] = {
        {"legacy.bin", CF_UNSUPPORTED,
         "the torch format of before version 1.6 is not read; convert it with torch.save("},
        {"transposed.bin", CF_UNSUPPORTED, "a tensor that is not contiguous is not supported; call .contiguous()"},
        {"protocol_4.bin", CF_UNSUPPORTED, "data.pkl, byte 0: pickle protocol 4 is not supported, only 2"},
        {"module.bin", CF_UNSUPPORTED,
         "data.pkl, byte 2: global 'torch.nn.modules.linear Linear' is not one of a state"},
        {"script.bin", CF_UNSUPPORTED, "is compressed (method 8): expected an archive as torch.save writes it"},
        {"nested.bin", CF_UNSUPPORTED, "expected a tensor under each name, 'model' is none"},
        {"variety.safetensors", CF_FORMAT, "expected a zip archive as torch.save writes it, found something else"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[64];
        cf_weight_file found = {0};
        cf_error err = {0};
        (void)snprintf(path, sizeof path, GOLDEN "torch/%s", cases[i].file);
        const cf_status st = cf_weight_file_open(&found, path, cf_torch_zip_parse, &err);
        if (st != cases[i].status || !strstr(err.text, cases[i].say))
            fail_msg("%s: status %d: %s", cases[i].file, st, err.text);
        assert_int_equal(strncmp(err.text, path, strlen(path)), 0);
        assert_null(found.tensors);
    }
}

static void opening_any_form_survives_every_failing_allocation(void **state)
{
    (void)state;
    static const char *const dirs[] = {GOLDEN "llava_original", GOLDEN "next_hf"};
    for (size_t i = 0; i < 2; i++)
        for (int64_t n = 1;; n++) {
            cf_checkpoint *c = NULL;
            cf_error err = {0};
            fail_alloc_at(n);
            const cf_status st = cf_checkpoint_open(&c, dirs[i], &err);
            if (!fail_alloc_off()) {
                assert_int_equal(st, CF_OK);
                cf_checkpoint_close(c);
                assert_true(n > 100);
                break;
            }
            if (st != CF_NOMEM || c)
                fail_msg("%s, allocation %d: status %d: %s", dirs[i], (int)n, st, err.text);
        }
}

int test_golden(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_weight_is_the_one_that_transformers_loads),
        cmocka_unit_test(every_configuration_is_what_transformers_resolves),
        cmocka_unit_test(an_archive_of_torch_holds_the_tensors_that_were_saved),
        cmocka_unit_test(what_torch_writes_and_no_model_needs_is_refused),
        cmocka_unit_test(opening_any_form_survives_every_failing_allocation),
    };
    return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
