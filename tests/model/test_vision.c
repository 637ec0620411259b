/* test_vision.c - the vision tower and the projector against transformers, stage by stage. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "changed_folder.h"
#include "golden_tensors.h"
#include "loaded_model.h"
#include "test_model.h"

#include "support/temp_dir.h"

enum { MAX_STAGES = 8 };
static const double bound = 1e-4; /* of the largest value: f32 sums in another order than transformers' */

/* Every stage of one picture, as the tap shows it. */
typedef struct stages {
    int64_t n, n_rows, d;
    float *rows[MAX_STAGES];
} stages;

static void keep_stage(void *user, int64_t stage, const float *rows, int64_t n_rows, int64_t d)
{
    stages *s = user;
    assert_true(stage + 1 == s->n && s->n < MAX_STAGES); /* in order, none twice */
    s->n_rows = n_rows;
    s->d = d;
    s->rows[s->n] = malloc((size_t)(n_rows * d) * sizeof(float));
    assert_non_null(s->rows[s->n]);
    memcpy(s->rows[s->n++], rows, (size_t)(n_rows * d) * sizeof(float));
}

static void stages_free(stages *s)
{
    for (int64_t i = 0; i < s->n; i++)
        free(s->rows[i]);
    *s = (stages){0};
}

/* Features of a picture's tiles on the heap, and, unless s is NULL, its stages. */
static float *features_of_tiles(const loaded_model *m, cf_scratch *scratch, const float *pixels, int64_t n_tiles,
                                stages *s)
{
    const int64_t n = n_tiles * cf_model_n_patches(m->model), d = cf_model_config(m->model)->text.hidden_size;
    float *host = malloc((size_t)(n * d) * sizeof *host);
    assert_non_null(host);
    cf_tensor features = {0};
    OK(cf_backend_alloc(m->be, &features, CF_F32, n, d, &err));
    OK(cf_vision_features(m->model, scratch, &features, pixels, n_tiles, s ? keep_stage : NULL, s, &err));
    OK(cf_backend_download(m->be, host, &features, &err));
    cf_backend_release(m->be, &features);
    return host;
}

static float *features_of(const loaded_model *m, cf_scratch *scratch, const float *pixels, stages *s)
{
    return features_of_tiles(m, scratch, pixels, 1, s);
}

/* A golden picture: where it is, and every how manieth row of its hidden states is stored. */
typedef struct picture {
    const char *model, *golden, *key;
    int64_t row_step;
} picture;

static const picture pictures[] = {
    {DEMO_MODEL, "tests/model/golden/demo.safetensors", "ChooseAttr.0", 4},
    {DEMO_MODEL, "tests/model/golden/demo.safetensors", "LogicalObj.3", 4},
    {BITES_MODEL, "tests/engine/golden/bites.safetensors", "ChooseAttr.0", 1},
};

/* Largest differences of the hidden states and of the features, relative to the largest value of each. */
typedef struct drift {
    double hidden, features;
} drift;

static drift drift_of(const picture *p, const char *backend, cf_dtype compute, double limit)
{
    loaded_model m = model_open(p->model, backend, compute, 2);
    const cf_vision_config *v = &cf_model_config(m.model)->vision;
    const int64_t n_pixels = v->n_channels * v->image_size * v->image_size;
    drift worst = {0};
    cf_safetensors golden = {0};
    cf_scratch *scratch = NULL;
    stages s = {0};
    OK(cf_safetensors_open(&golden, p->golden, &err));
    OK(cf_scratch_create(&scratch, m.model, &err));
    float *pixels = golden_floats(&golden, p->key, "pixel_values", n_pixels);
    float *found = features_of(&m, scratch, pixels, &s);
    const int64_t n_features = cf_model_n_patches(m.model) * cf_model_config(m.model)->text.hidden_size;
    float *features = golden_floats(&golden, p->key, "image_features", n_features);
    worst.features = check_relative("image features", found, features, n_features, limit);

    assert_int_equal(s.n, cf_model_config(m.model)->feature_layer + 1); /* the layers above are not run */
    assert_int_equal(s.d, v->hidden_size);
    const int64_t stored = (s.n_rows + p->row_step - 1) / p->row_step;
    float *hidden = golden_floats(&golden, p->key, "vision_hidden", (v->n_layers + 1) * stored * s.d);
    float *picked = malloc((size_t)(stored * s.d) * sizeof *picked);
    assert_non_null(picked);
    for (int64_t i = 0; i < s.n; i++) {
        for (int64_t r = 0; r < stored; r++)
            memcpy(picked + r * s.d, s.rows[i] + r * p->row_step * s.d, (size_t)s.d * sizeof *picked);
        const double d = check_relative("vision hidden state", picked, hidden + i * stored * s.d, stored * s.d, limit);
        worst.hidden = d > worst.hidden ? d : worst.hidden;
    }
    free(picked);
    free(hidden);
    free(features);
    free(found);
    free(pixels);
    stages_free(&s);
    cf_scratch_free(scratch);
    cf_safetensors_deinit(&golden);
    model_close(&m);
    return worst;
}

static void every_stage_agrees_with_transformers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(pictures); i++) {
        const drift ref = drift_of(&pictures[i], "ref", CF_F32, bound);
        const drift cpu = drift_of(&pictures[i], "cpu", CF_F32, bound);
        print_message("  %s of %s: hidden states off by %.1e (ref), %.1e (cpu); features by %.1e, %.1e; at most %.0e\n",
                      pictures[i].key, pictures[i].model, ref.hidden, cpu.hidden, ref.features, cpu.features, bound);
    }
}

static void bf16_products_stay_near(void **state)
{
    (void)state;
    if (!cf_backend_has_bf16("cpu")) {
        print_message("  this processor does not multiply bf16\n");
        skip();
    }
    /* A product input is off by at most 2^-9 of itself. A walk over the (4 + 1) x 2 roundings that reach a residual stream stays within
     * sqrt(10) x 2^-9 of the terms' size, 0.6 %; eight times that allows for terms larger than the stream they add up to. */
    const double limit = 0.05;
    for (size_t i = 0; i < COUNT(pictures); i++) {
        const drift d = drift_of(&pictures[i], "cpu", CF_BF16, limit);
        print_message("  %s of %s in bf16: hidden states off by %.1e, features by %.1e\n", pictures[i].key,
                      pictures[i].model, d.hidden, d.features);
    }
}

static void features_have_the_same_bits_with_more_scratch_and_other_thread_counts(void **state)
{
    (void)state;
    loaded_model one = model_open(BITES_MODEL, "cpu", CF_F32, 1), two = model_open(BITES_MODEL, "cpu", CF_F32, 2);
    cf_safetensors golden = {0};
    cf_scratch *small = NULL, *large = NULL;
    OK(cf_safetensors_open(&golden, pictures[2].golden, &err));
    OK(cf_scratch_create(&small, one.model, &err));
    OK(cf_scratch_create(&large, two.model, &err));
    OK(cf_scratch_reserve(large, 1500, &err));
    float *pixels = golden_floats(&golden, pictures[2].key, "pixel_values", 3 * 56 * 56);
    float *a = features_of(&one, small, pixels, NULL), *b = features_of(&two, large, pixels, NULL);
    float *again = features_of(&two, large, pixels, NULL);
    assert_memory_equal(a, b, 16 * 64 * sizeof *a);
    assert_memory_equal(a, again, 16 * 64 * sizeof *a);
    free(a);
    free(b);
    free(again);
    free(pixels);
    cf_scratch_free(small);
    cf_scratch_free(large);
    cf_safetensors_deinit(&golden);
    model_close(&one);
    model_close(&two);
}

/* Several at once, then more, then fewer, in the same scratch; with and without class tokens among the features. */
static void tiles_have_the_bits_of_each_alone(void **state)
{
    (void)state;
    enum { TILES = 5, PIXELS = 3 * 56 * 56 };
    static const int64_t together[] = {2, TILES, 3, 1};
    float *pixels = malloc(TILES * PIXELS * sizeof *pixels);
    assert_non_null(pixels);
    for (int i = 0; i < TILES * PIXELS; i++)
        pixels[i] = (float)(i * 7919 % 4001) / 2000 - 1;
    for (int full = 0; full < 2; full++) {
        char *dir = changed_folder("\"vision_feature_select_strategy\": \"default\"",
                                   full ? "\"vision_feature_select_strategy\": \"full\""
                                        : "\"vision_feature_select_strategy\": \"default\"");
        loaded_model m = model_open(dir, "cpu", CF_F32, 2);
        const int64_t tile = cf_model_n_patches(m.model) * 64;
        cf_scratch *scratch = NULL, *own = NULL;
        OK(cf_scratch_create(&scratch, m.model, &err));
        OK(cf_scratch_create(&own, m.model, &err));
        for (size_t i = 0; i < COUNT(together); i++) {
            float *all = features_of_tiles(&m, scratch, pixels, together[i], NULL);
            for (int64_t t = 0; t < together[i]; t++) {
                float *one = features_of(&m, own, pixels + t * PIXELS, NULL);
                assert_memory_equal(all + t * tile, one, (size_t)tile * sizeof *one);
                free(one);
            }
            free(all);
        }
        cf_scratch_free(scratch);
        cf_scratch_free(own);
        model_close(&m);
        temp_dir_remove(dir);
    }
    free(pixels);
}

static void the_class_token_is_a_feature_only_where_it_is_kept(void **state)
{
    (void)state;
    char *dir = changed_folder("\"vision_feature_select_strategy\": \"default\"",
                               "\"vision_feature_select_strategy\": \"full\"");
    loaded_model without = model_open(BITES_MODEL, "ref", CF_F32, 1), with = model_open(dir, "ref", CF_F32, 1);
    assert_int_equal(cf_model_n_patches(without.model), 16);
    assert_int_equal(cf_model_n_patches(with.model), 17);
    cf_safetensors golden = {0};
    cf_scratch *a = NULL, *b = NULL;
    OK(cf_safetensors_open(&golden, pictures[2].golden, &err));
    OK(cf_scratch_create(&a, without.model, &err));
    OK(cf_scratch_create(&b, with.model, &err));
    float *pixels = golden_floats(&golden, pictures[2].key, "pixel_values", 3 * 56 * 56);
    float *patches = features_of(&without, a, pixels, NULL), *all = features_of(&with, b, pixels, NULL);
    assert_memory_equal(patches, all + 64, 16 * 64 * sizeof *all);
    assert_memory_not_equal(patches, all, 64 * sizeof *all);
    free(pixels);
    free(patches);
    free(all);
    cf_scratch_free(a);
    cf_scratch_free(b);
    cf_safetensors_deinit(&golden);
    model_close(&without);
    model_close(&with);
    temp_dir_remove(dir);
}

static void the_tower_stops_at_the_hidden_state_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *layer;
        int64_t n_stages;
    } cases[] = {{"-1", 4}, {"-2", 3}, {"-4", 1}, {"0", 1}, {"3", 4}};
    cf_safetensors golden = {0};
    OK(cf_safetensors_open(&golden, pictures[2].golden, &err));
    float *pixels = golden_floats(&golden, pictures[2].key, "pixel_values", 3 * 56 * 56);
    float *hidden = golden_floats(&golden, pictures[2].key, "vision_hidden", 4 * 17 * 48);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char word[64];
        (void)snprintf(word, sizeof word, "\"vision_feature_layer\": %s", cases[i].layer);
        char *dir = changed_folder("\"vision_feature_layer\": -2", word);
        loaded_model m = model_open(dir, "ref", CF_F32, 1);
        cf_scratch *scratch = NULL;
        stages s = {0};
        OK(cf_scratch_create(&scratch, m.model, &err));
        free(features_of(&m, scratch, pixels, &s));
        assert_int_equal(s.n, cases[i].n_stages);
        (void)check_relative(word, s.rows[s.n - 1], hidden + (s.n - 1) * 17 * 48, 17 * 48, bound);
        stages_free(&s);
        cf_scratch_free(scratch);
        model_close(&m);
        temp_dir_remove(dir);
    }
    free(pixels);
    free(hidden);
    cf_safetensors_deinit(&golden);
}

int test_vision(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stage_agrees_with_transformers),
        cmocka_unit_test(bf16_products_stay_near),
        cmocka_unit_test(features_have_the_same_bits_with_more_scratch_and_other_thread_counts),
        cmocka_unit_test(tiles_have_the_bits_of_each_alone),
        cmocka_unit_test(the_class_token_is_a_feature_only_where_it_is_kept),
        cmocka_unit_test(the_tower_stops_at_the_hidden_state_asked_for),
    };
    return cmocka_run_group_tests_name("vision", tests, NULL, NULL);
}
