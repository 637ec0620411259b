/* test_folder.c - whole checkpoint folders: every weight under every layout, and every allocation of opening
 * one made to fail. */
#include "test_checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "checkpoint/checkpoint.h"
#include "llava_weights.h"
#include "support/fail_alloc.h"
#include "support/safetensors_writer.h"
#include "support/temp_dir.h"

static cf_checkpoint *opened(const char *dir)
{
    cf_checkpoint *c = NULL;
    cf_error err = {0};
    if (cf_checkpoint_open(&c, dir, &err) != CF_OK)
        fail_msg("%s", err.text);
    return c;
}

static void the_demo_model_has_every_weight_of_a_forward_pass(void **state)
{
    (void)state;
    cf_checkpoint *c = opened("demo/model");
    assert_string_equal(cf_checkpoint_dir(c), "demo/model");
    static llava_weight weights[LLAVA_MAX_WEIGHTS];
    const size_t n = llava_weights(weights, cf_checkpoint_config(c));
    assert_int_equal(n, 3 + 2 + 5 * 16 + 4 + 12 * 9 + 3);
    int64_t parameters = 0;
    for (size_t k = 0; k < n; k++) {
        cf_tensor t = {0};
        cf_error err = {0};
        if (cf_checkpoint_weight(&t, c, weights[k].name, weights[k].rank, weights[k].shape, &err) != CF_OK)
            fail_msg("%s", err.text);
        assert_int_equal(t.dtype, CF_F16);
        assert_int_equal(t.rank, weights[k].rank);
        assert_memory_equal(t.shape, weights[k].shape, sizeof t.shape);
        assert_true(cf_checkpoint_has(c, weights[k].name));
        parameters += cf_tensor_count(&t);
    }
    /* The file holds the tower's post_layernorm too, which a feature from the layer before the last does not need. */
    assert_int_equal(cf_checkpoint_n_parameters(c), parameters + 2 * 160);
    assert_int_equal(cf_checkpoint_weight_bytes(c), 2 * (parameters + 2 * 160));
    assert_true(cf_checkpoint_has(c, "model.vision_tower.vision_model.post_layernorm.weight"));
    cf_checkpoint_close(c);
}

static void the_demo_weights_are_numbers_of_a_trained_model(void **state)
{
    (void)state;
    cf_checkpoint *c = opened("demo/model");
    cf_tensor t = {0};
    cf_error err = {0};
    const int64_t shape[] = {192};
    assert_int_equal(cf_checkpoint_weight(&t, c, "model.language_model.norm.weight", 1, shape, &err), CF_OK);
    float values[192];
    cf_to_f32(values, t.data, t.dtype, 192);
    /* A gain that starts at 1: near it for every element, yet no longer equal to it. A wrong offset would show. */
    int moved = 0;
    for (size_t i = 0; i < 192; i++) {
        assert_true(values[i] > 0.1f && values[i] < 10.0f);
        moved += values[i] != 1.0f;
    }
    assert_true(moved > 96);
    cf_checkpoint_close(c);
}

static void check_tiny(const char *dir, cf_dtype dtype, const char *what)
{
    cf_checkpoint *c = opened(dir);
    static llava_weight weights[LLAVA_MAX_WEIGHTS];
    const size_t n = llava_weights(weights, cf_checkpoint_config(c));
    assert_true(n > 50);
    int64_t parameters = 0;
    for (size_t k = 0; k < n; k++) {
        cf_tensor t = {0};
        cf_error err = {0};
        if (cf_checkpoint_weight(&t, c, weights[k].name, weights[k].rank, weights[k].shape, &err) != CF_OK)
            fail_msg("%s: %s", what, err.text);
        assert_int_equal(t.dtype, dtype);
        float values[256];
        const int64_t count = cf_tensor_count(&t);
        assert_true(count <= 256 + 32);
        cf_to_f32(values, t.data, t.dtype, count < 256 ? (size_t)count : 256);
        for (int64_t i = 0; i < count && i < 256; i++)
            if (values[i] != llava_value(k, i))
                fail_msg("%s: %s[%d]: expected %g, found %g", what, weights[k].name, (int)i, (double)llava_value(k, i),
                         (double)values[i]);
        parameters += count;
    }
    assert_int_equal(cf_checkpoint_n_parameters(c), parameters);
    assert_int_equal(cf_checkpoint_weight_bytes(c), parameters * (int64_t)cf_dtype_bytes(dtype));
    cf_checkpoint_close(c);
}

static void the_same_weights_are_found_under_every_layout(void **state)
{
    (void)state;
    for (size_t i = 0; i < LLAVA_N_LAYOUTS; i++) {
        char *dir = temp_dir_make();
        llava_tiny_write(dir, llava_layout_at(i), CF_F32, 0);
        check_tiny(dir, CF_F32, llava_layout_at(i)->name);
        temp_dir_remove(dir);
    }
}

static void weights_read_alike_in_every_dtype_and_from_shards(void **state)
{
    (void)state;
    static const cf_dtype dtypes[] = {CF_F32, CF_F16, CF_BF16};
    static const size_t shards[] = {0, 1, 2, 5};
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 4; k++) {
            char *dir = temp_dir_make();
            char what[32];
            (void)snprintf(what, sizeof what, "%s, %zu shards", cf_dtype_name(dtypes[i]), shards[k]);
            llava_tiny_write(dir, llava_layout_at(0), dtypes[i], shards[k]);
            check_tiny(dir, dtypes[i], what);
            temp_dir_remove(dir);
        }
}

static void a_single_file_goes_before_an_index(void **state)
{
    (void)state;
    char *dir = temp_dir_make();
    llava_tiny_write(dir, llava_layout_at(0), CF_F32, 0);
    temp_dir_write_text(dir, "model.safetensors.index.json", "not JSON");
    check_tiny(dir, CF_F32, "single file beside an index");
    temp_dir_remove(dir);
}

static void the_writer_rounds_as_the_library_reads(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) {
        const float f = cf_f16_to_f32((uint16_t)h);
        if (f == f) /* a NaN stays some NaN */
            assert_int_equal(safetensors_f32_to_f16(f), h);
    }
    assert_int_equal(safetensors_f32_to_f16(1.0f + 0x1p-11f), 0x3c00);     /* tie to even */
    assert_int_equal(safetensors_f32_to_f16(1.0f + 3 * 0x1p-11f), 0x3c02); /* tie to even, up */
    assert_int_equal(safetensors_f32_to_f16(65519.0f), 0x7bff);
    assert_int_equal(safetensors_f32_to_f16(65520.0f), 0x7c00);
    assert_int_equal(safetensors_f32_to_f16(0x1p-25f), 0x0000);
}

/* A folder with two tensors of shape [10, 8]: the embedding (of ones) and, under `name`, another (of zeros). */
static cf_checkpoint *two_tensors(const char *dir, const char *config, const char *name)
{
    static const float ones[80] = {1, 1, 1, 1};
    const safetensors_item items[] = {{"language_model.model.embed_tokens.weight", 2, {10, 8}, ones},
                                      {name, 2, {10, 8}, NULL}};
    cf_error err = {0};
    char *path = temp_dir_path(dir, "model.safetensors");
    assert_int_equal(safetensors_write(path, items, 2, CF_F32, &err), CF_OK);
    temp_dir_write_text(dir, "config.json", config);
    free(path);
    return opened(dir);
}

static void the_head_is_the_embedding_only_where_config_ties_them(void **state)
{
    static const struct {
        const char *name, *config, *second;
        int found; /* 0 none, 1 the embedding, 2 the second tensor */
    } cases[] = {
        {"not tied", "{\"model_type\":\"llava\"}", "other", 0},
        {"tied at the root", "{\"model_type\":\"llava\",\"tie_word_embeddings\":true}", "other", 1},
        {"tied in the decoder", "{\"model_type\":\"llava\",\"text_config\":{\"tie_word_embeddings\":true}}", "other",
         1},
        {"tied, and stored", "{\"model_type\":\"llava\",\"tie_word_embeddings\":true}", "lm_head.weight", 2},
    };
    const int64_t shape[] = {10, 8};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_checkpoint *c = two_tensors(*state, cases[i].config, cases[i].second);
        cf_tensor t = {0};
        cf_error err = {0};
        const cf_status st = cf_checkpoint_weight(&t, c, "lm_head.weight", 2, shape, &err);
        float first = -1;
        if (st == CF_OK)
            cf_to_f32(&first, t.data, t.dtype, 1);
        const int found = st != CF_OK ? 0 : first == 1 ? 1 : 2;
        if (found != cases[i].found || cf_checkpoint_has(c, "lm_head.weight") != (found != 0))
            fail_msg("%s: found %d", cases[i].name, found);
        cf_checkpoint_close(c);
    }
}

static void a_name_of_no_layout_is_found_as_it_is(void **state)
{
    cf_checkpoint *c = two_tensors(*state, "{\"model_type\":\"llava\"}", "model.layers_of_something.weight");
    assert_true(cf_checkpoint_has(c, "model.layers_of_something.weight"));
    assert_true(cf_checkpoint_has(c, "model.language_model.embed_tokens.weight"));
    assert_false(
        cf_checkpoint_has(c, "language_model.model.embed_tokens.weight")); /* only canonical names are asked for */
    cf_checkpoint_close(c);
    cf_checkpoint_close(NULL);
}

/* What comes of a folder with the fused matrices of a layer and the named tensor, which may stand for one of them. */
static void check_fused(const char *dir, const char *name, int64_t rows, int64_t cols, cf_status expected,
                        const char *says)
{
    const safetensors_item items[] = {
        {"model.language_model.layers.0.self_attn.qkv_proj.weight", 2, {16, 8}, NULL},
        {"model.language_model.layers.0.mlp.gate_up_proj.weight", 2, {24, 8}, NULL},
        {name, 2, {rows, cols}, NULL},
    };
    const struct {
        const char *name;
        int64_t rows;
    } parts[] = {{"self_attn.q_proj", 8},
                 {"self_attn.k_proj", 4},
                 {"self_attn.v_proj", 4},
                 {"mlp.gate_proj", 12},
                 {"mlp.up_proj", 12}};
    const size_t first = strcmp(name, items[0].name) == 0 ? 1 : 0, n = 3 - first;
    cf_checkpoint *c = NULL;
    cf_error err = {0};
    char *path = temp_dir_path(dir, "model.safetensors");
    assert_int_equal(safetensors_write(path, items + first, n, CF_F32, &err), CF_OK);
    temp_dir_write_text(dir, "config.json", llava_tiny_config());
    free(path);
    cf_status st = cf_checkpoint_open(&c, dir, &err);
    for (size_t i = 0; st == CF_OK && i < sizeof parts / sizeof parts[0]; i++) {
        char full[80];
        cf_tensor t = {0};
        (void)snprintf(full, sizeof full, "model.language_model.layers.0.%s.weight", parts[i].name);
        st = cf_checkpoint_weight(&t, c, full, 2, (const int64_t[]){parts[i].rows, 8}, &err);
    }
    assert_int_equal(st, expected);
    if (says && !strstr(err.text, says))
        fail_msg("expected \"%s\", found \"%s\"", says, err.text);
    cf_checkpoint_close(c);
}

static void fused_matrices_of_other_rows_or_beside_their_parts_are_refused(void **state)
{
#define QKV "model.language_model.layers.0.self_attn.qkv_proj.weight"
    check_fused(*state, "other", 3, 8, CF_OK, NULL);
    check_fused(*state, QKV, 16, 8, CF_OK, NULL);
    check_fused(*state, QKV, 24, 8, CF_MISMATCH, "qkv_proj.weight': expected shape [16, 8], found [24, 8]");
    check_fused(*state, QKV, 8, 8, CF_MISMATCH, "expected shape [16, 8], found [8, 8]");
    check_fused(*state, QKV, 16, 7, CF_MISMATCH, "expected shape [16, 8], found [16, 7]");
    check_fused(*state, "model.language_model.layers.0.self_attn.v_proj.weight", 4, 8, CF_MISMATCH,
                "are both the weight 'model.language_model.layers.0.self_attn.v_proj.weight'");
}

/* Asked for with all the rows of the matrix that it is a part of, a part is not that matrix. */
static void a_part_of_a_fused_matrix_has_its_own_shape_alone(void **state)
{
    llava_tiny_write(*state, llava_layout_at(LLAVA_N_LAYOUTS - 1), CF_F32, 0);
    cf_checkpoint *c = opened(*state);
    cf_tensor t = {0};
    cf_error err = {0};
    const char *name = "model.language_model.layers.1.self_attn.k_proj.weight";
    assert_int_equal(cf_checkpoint_weight(&t, c, name, 2, (const int64_t[]){16, 8}, &err), CF_MISMATCH);
    assert_int_equal(cf_checkpoint_weight(&t, c, name, 1, (const int64_t[]){4}, &err), CF_MISMATCH);
    assert_int_equal(cf_checkpoint_weight(&t, c, name, 0, (const int64_t[]){4}, &err), CF_MISMATCH);
    assert_int_equal(cf_checkpoint_weight(&t, c, name, 2, (const int64_t[]){4, 8}, &err), CF_OK);
    assert_false(cf_checkpoint_has(c, "model.language_model.layers.1.self_attn.qkv_proj.weight"));
    cf_checkpoint_close(c);
}

static void opening_survives_every_failing_allocation(void **state)
{
    for (size_t n_shards = 0; n_shards <= 2; n_shards += 2) {
        char *dir = temp_dir_path(*state, n_shards ? "shards" : "single");
        assert_int_equal(cf_dir_make(dir, NULL), CF_OK);
        llava_tiny_write(dir, llava_layout_at(n_shards ? 0 : LLAVA_N_LAYOUTS - 1), CF_BF16, n_shards);
        temp_dir_write_text(dir, "generation_config.json", "{\"eos_token_id\": [2, 7]}");
        int64_t n = 1;
        for (;; n++) {
            cf_checkpoint *c = NULL;
            cf_error err = {0};
            fail_alloc_at(n);
            const cf_status st = cf_checkpoint_open(&c, dir, &err);
            if (!fail_alloc_off()) {
                assert_int_equal(st, CF_OK);
                assert_int_equal(cf_checkpoint_config(c)->n_eos, 2);
                cf_checkpoint_close(c);
                break;
            }
            assert_int_equal(st, CF_NOMEM);
            assert_int_equal(err.status, CF_NOMEM);
            assert_non_null(strstr(err.text, "no memory"));
            assert_null(c);
        }
        assert_true(n > 64); /* one name a weight at least: the loop has been through all of open */
        free(dir);
    }
}

static int make_dir(void **state)
{
    *state = temp_dir_make();
    return 0;
}

static int remove_dir(void **state)
{
    temp_dir_remove(*state);
    return 0;
}

int test_folder(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_demo_model_has_every_weight_of_a_forward_pass),
        cmocka_unit_test(the_demo_weights_are_numbers_of_a_trained_model),
        cmocka_unit_test(the_same_weights_are_found_under_every_layout),
        cmocka_unit_test(weights_read_alike_in_every_dtype_and_from_shards),
        cmocka_unit_test(a_single_file_goes_before_an_index),
        cmocka_unit_test(the_writer_rounds_as_the_library_reads),
        cmocka_unit_test_setup_teardown(the_head_is_the_embedding_only_where_config_ties_them, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_name_of_no_layout_is_found_as_it_is, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(fused_matrices_of_other_rows_or_beside_their_parts_are_refused, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(a_part_of_a_fused_matrix_has_its_own_shape_alone, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(opening_survives_every_failing_allocation, make_dir, remove_dir),
    };
    return cmocka_run_group_tests_name("folder", tests, NULL, NULL);
}
