/* test_vision_tower.c - original LLaVA checkpoints whose vision tower lies in a folder of its own: where it is looked for,
 * and what it says when it is not there. */
#include "test_checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "checkpoint/alias.h"
#include "checkpoint/checkpoint.h"
#include "support/temp_dir.h"

#define GOLDEN "tests/checkpoint/golden/"
#define PATCHES "model.vision_tower.vision_model.embeddings.patch_embedding.weight"

static void copy_file(const char *from, const char *dir, const char *name)
{
    cf_str content = {0};
    assert_int_equal(cf_file_read(&content, from, 1 << 20, NULL), CF_OK);
    temp_dir_write(dir, name, content.data, content.n);
    cf_str_deinit(&content);
}

/* Copies the named files of golden/FROM to dir/to, which is made. */
static char *copy_folder(const char *dir, const char *to, const char *from, const char *const *names)
{
    char *target = temp_dir_path(dir, to);
    assert_int_equal(cf_dir_make(target, NULL), CF_OK);
    for (; *names; names++) {
        char path[160];
        (void)snprintf(path, sizeof path, GOLDEN "%s/%s", from, *names);
        copy_file(path, target, *names);
    }
    return target;
}

/* LLaVA-1.5 without its tower, its tower, and LLaVA-1.6 that holds it. */
static char *copy_llava(const char *dir, const char *to)
{
    static const char *const names[] = {"config.json", "pytorch_model-00001-of-00002.bin",
                                        "pytorch_model-00002-of-00002.bin", "pytorch_model.bin.index.json", NULL};
    return copy_folder(dir, to, "llava_original", names);
}

static char *copy_tower(const char *dir, const char *to)
{
    static const char *const names[] = {"config.json", "pytorch_model.bin", NULL};
    return copy_folder(dir, to, "tiny-clip", names);
}

static char *copy_next(const char *dir, const char *to)
{
    static const char *const names[] = {"config.json", "model.safetensors", NULL};
    return copy_folder(dir, to, "next_original", names);
}

/* Opens the model and closes it again; the tower's folder is *tower, its patch weights' first bytes *first. */
static void assert_tower(const char *model, const char *given, const char *tower)
{
    const int64_t shape[] = {8, 3, 4, 4};
    const cf_checkpoint_options o = {.vision_tower = given};
    cf_checkpoint *c = NULL;
    cf_error err = {0};
    cf_tensor t = {0};
    if (cf_checkpoint_open_with(&c, model, &o, &err) != CF_OK)
        fail_msg("%s", err.text);
    assert_non_null(cf_checkpoint_vision_tower(c));
    assert_string_equal(cf_checkpoint_vision_tower(c), tower);
    if (cf_checkpoint_weight(&t, c, PATCHES, 4, shape, &err) != CF_OK)
        fail_msg("%s", err.text);
    assert_int_equal(t.dtype, CF_F32); /* the decoder is F16 */
    cf_checkpoint_close(c);
}

static void the_tower_is_found_where_people_put_it(void **state)
{
    static const struct {
        const char *tower; /* below the test's folder */
        const char *found; /* where it differs: as it is reported */
    } places[] = {
        {"models/llava/tiny-clip", NULL},
        {"models/tiny-clip", NULL},
        {"openai/tiny-clip", "openai/tiny-clip"}, /* mm_vision_tower as a path */
        {"hub/models--openai--tiny-clip/snapshots/0123456789abcdef0123456789abcdef01234567", NULL},
    };
    const char *dir = *state;
    char here[4096];
    char *model = copy_llava(dir, "models/llava"), *hub = temp_dir_path(dir, "hub");
    char *slashes = temp_dir_path(dir, "models/llava//");
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(setenv("HF_HUB_CACHE", hub, 1), 0);
    for (size_t i = sizeof places / sizeof *places; i-- > 0;) { /* each hides those after it */
        char *tower = copy_tower(dir, places[i].tower);
        if (i == 3) {
            char *refs = temp_dir_path(hub, "models--openai--tiny-clip/refs");
            assert_int_equal(cf_dir_make(refs, NULL), CF_OK);
            temp_dir_write_text(refs, "main", "0123456789abcdef0123456789abcdef01234567");
            free(refs);
        }
        assert_int_equal(chdir(dir), 0);
        assert_tower(model, NULL, places[i].found ? places[i].found : tower);
        assert_tower(slashes, NULL, places[i].found ? places[i].found : tower);
        assert_int_equal(chdir(here), 0);
        free(tower);
    }
    char *other = copy_tower(dir, "elsewhere");
    assert_tower(model, other, other); /* what is given goes before everything */
    free(other);
    free(slashes);
    free(hub);
    free(model);
}

static void a_folder_without_a_configuration_is_no_tower(void **state)
{
    const char *dir = *state;
    char *model = copy_llava(dir, "models/llava"), *empty = temp_dir_path(dir, "models/llava/tiny-clip"),
         *beside = copy_tower(dir, "models/tiny-clip");
    assert_int_equal(cf_dir_make(empty, NULL), CF_OK);
    assert_tower(model, NULL, beside);
    free(beside);
    free(empty);
    free(model);
}

static void what_is_missing_is_said(void **state)
{
    const char *dir = *state;
    char *model = copy_llava(dir, "llava"), *next = copy_next(dir, "next"), *tower = copy_tower(dir, "given"),
         *broken = copy_tower(dir, "broken");
    char *archive = temp_dir_path(broken, "pytorch_model.bin");
    assert_int_equal(unlink(archive), 0);
    assert_int_equal(setenv("HF_HUB_CACHE", dir, 1), 0);
    const struct {
        const char *model, *given;
        cf_status status;
        const char *say;
    } cases[] = {
        {model, NULL, CF_IO,
         "llava/config.json: mm_vision_tower 'openai/tiny-clip': its folder is not at hand; download its config.json, "
         "and its model.safetensors or pytorch_model.bin"},
        {next, NULL, CF_IO, "next/config.json: mm_vision_tower 'openai/tiny-clip': its folder is not at hand"},
        {model, "no/where", CF_IO, "no/where: expected a model folder, found nothing"},
        {model, broken, CF_IO, "broken: expected model.safetensors or pytorch_model.bin"},
        {model, next, CF_UNSUPPORTED, "next/config.json: model_type 'llava_llama' is not supported, only 'clip'"},
        {"demo/model", tower, CF_USAGE, "demo/model: a vision tower is given ("},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const cf_checkpoint_options o = {.vision_tower = cases[i].given};
        cf_checkpoint *c = NULL;
        cf_error err = {0};
        const cf_status st = cf_checkpoint_open_with(&c, cases[i].model, &o, &err);
        if (st != cases[i].status || !strstr(err.text, cases[i].say))
            fail_msg("%zu: status %d: %s", i, st, err.text);
        assert_null(c);
    }
    free(archive);
    free(broken);
    free(tower);
    free(next);
    free(model);
}

/* The published models' tower needs no folder where the weights are in the checkpoint: LLaVA-1.6. */
static void a_checkpoint_that_holds_its_tower_reads_no_other_weights(void **state)
{
    const char *dir = *state;
    const int64_t shape[] = {8, 3, 4, 4};
    char *next = copy_next(dir, "next"), *tower = copy_tower(dir, "tiny-clip"),
         *archive = temp_dir_path(tower, "pytorch_model.bin");
    assert_int_equal(unlink(archive), 0);
    cf_checkpoint *c = NULL;
    cf_error err = {0};
    cf_tensor t = {0};
    if (cf_checkpoint_open(&c, next, &err) != CF_OK)
        fail_msg("%s", err.text);
    assert_int_equal(cf_checkpoint_weight(&t, c, PATCHES, 4, shape, &err), CF_OK);
    assert_int_equal(t.dtype, CF_BF16);
    cf_checkpoint_close(c);
    /* Named as the published models name theirs, it is described by that model's own configuration. */
    cf_str config = {0};
    char *path = temp_dir_path(next, "config.json");
    assert_int_equal(cf_file_read(&config, path, 1 << 20, NULL), CF_OK);
    const int64_t at = cf_slice_find(cf_str_slice(&config), cf_slice_of("openai/tiny-clip"), 0);
    assert_true(at > 0);
    cf_str changed = {0};
    assert_int_equal(cf_str_add(&changed, (cf_slice){config.data, (size_t)at}, NULL), CF_OK);
    assert_int_equal(cf_str_add_text(&changed, "openai/clip-vit-large-patch14-336\", \"x\": \"", NULL), CF_OK);
    assert_int_equal(cf_str_add_text(&changed, config.data + at, NULL), CF_OK);
    temp_dir_write_text(next, "config.json", changed.data);
    assert_int_equal(setenv("HF_HUB_CACHE", dir, 1), 0);
    assert_int_equal(cf_checkpoint_open(&c, next, &err), CF_MISMATCH);
    assert_non_null(strstr(
        err.text, "mm_hidden_size 8, but the vision tower 'openai/clip-vit-large-patch14-336' has hidden size 1024"));
    cf_str_deinit(&changed);
    cf_str_deinit(&config);
    free(path);
    free(archive);
    free(tower);
    free(next);
}

/* Without its folder the published tower can be described, but its weights cannot be had. */
static void a_known_tower_that_is_not_at_hand_is_asked_for(void **state)
{
    const char *dir = *state;
    char *model = copy_llava(dir, "llava");
    temp_dir_write_text(
        model, "config.json",
        "{\"model_type\":\"llava\",\"mm_vision_tower\":\"openai/"
        "clip-vit-large-patch14-336\",\"mm_projector_type\":\"mlp2x_gelu\",\"mm_vision_select_layer\":-2}");
    assert_int_equal(setenv("HF_HUB_CACHE", dir, 1), 0);
    cf_checkpoint *c = NULL;
    cf_error err = {0};
    assert_int_equal(cf_checkpoint_open(&c, model, &err), CF_IO);
    assert_non_null(strstr(err.text,
                           "its vision tower is a checkpoint of its own, which is not at hand: download config.json, "
                           "preprocessor_config.json, and model.safetensors or pytorch_model.bin"));
    free(model);
}

static void only_the_vision_model_of_a_clip_is_of_use(void **state)
{
    (void)state;
    static const struct {
        const char *stored, *below; /* what the canonical name has after CF_TOWER; NULL: left out */
    } cases[] = {
        {"vision_model.embeddings.class_embedding", "embeddings.class_embedding"},
        {"vision_model.pre_layrnorm.weight", "pre_layrnorm.weight"},
        {"embeddings.class_embedding", "embeddings.class_embedding"}, /* CLIPVisionModel of transformers 5 */
        {"pre_layrnorm.weight", "pre_layrnorm.weight"},
        {"encoder.layers.0.mlp.fc1.bias", "encoder.layers.0.mlp.fc1.bias"},
        {"post_layernorm.bias", "post_layernorm.bias"},
        {"text_model.embeddings.token_embedding.weight", NULL},
        {"visual_projection.weight", NULL},
        {"logit_scale", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *name = NULL;
        assert_int_equal(cf_alias_tower(&name, cases[i].stored, NULL), CF_OK);
        if (!cases[i].below)
            assert_null(name);
        else {
            assert_memory_equal(name, CF_TOWER, strlen(CF_TOWER));
            assert_string_equal(name + strlen(CF_TOWER), cases[i].below);
        }
        free(name);
    }
}

static char *hash_of(const char *model, const char *tower)
{
    const cf_checkpoint_options o = {.vision_tower = tower};
    char *hex = malloc(CF_HASH_HEX_BYTES);
    cf_checkpoint *c = NULL;
    cf_error err = {0};
    assert_non_null(hex);
    if (cf_checkpoint_open_with(&c, model, &o, &err) != CF_OK)
        fail_msg("%s", err.text);
    assert_int_equal(cf_checkpoint_hash(hex, c, &err), CF_OK);
    cf_checkpoint_close(c);
    return hex;
}

static void the_hash_counts_the_tower(void **state)
{
    const char *dir = *state;
    char *model = copy_llava(dir, "llava"), *a = copy_tower(dir, "a"), *b = copy_tower(dir, "b");
    char *of_a = hash_of(model, a), *of_b = hash_of(model, b);
    assert_string_equal(of_a, of_b);
    free(of_b);
    cf_str content = {0};
    char *config = temp_dir_path(b, "config.json"), *archive = temp_dir_path(b, "pytorch_model.bin");
    assert_int_equal(cf_file_read(&content, archive, 1 << 20, NULL), CF_OK);
    const int64_t at = cf_slice_find(cf_str_slice(&content), cf_slice_of("/data/0"), 0);
    assert_true(at > 0);
    content.data[at + 200] ^= 1; /* inside a storage, or the padding before it */
    temp_dir_write(b, "pytorch_model.bin", content.data, content.n);
    of_b = hash_of(model, b);
    assert_string_not_equal(of_a, of_b);
    free(of_b);
    content.data[at + 200] ^= 1;
    temp_dir_write(b, "pytorch_model.bin", content.data, content.n);
    cf_str_clear(&content);
    assert_int_equal(cf_file_read(&content, config, 1 << 20, NULL), CF_OK);
    assert_int_equal(cf_str_add_text(&content, " ", NULL), CF_OK);
    temp_dir_write_text(b, "config.json", content.data);
    of_b = hash_of(model, b);
    assert_string_not_equal(of_a, of_b);
    free(of_b);
    cf_str_deinit(&content);
    free(archive);
    free(config);
    free(of_a);
    free(b);
    free(a);
    free(model);
}

static char *saved_cache;

static int make_dir(void **state)
{
    const char *value = getenv("HF_HUB_CACHE");
    saved_cache = value ? strdup(value) : NULL;
    *state = temp_dir_make();
    return 0;
}

static int remove_dir(void **state)
{
    temp_dir_remove(*state);
    if (saved_cache)
        setenv("HF_HUB_CACHE", saved_cache, 1);
    else
        unsetenv("HF_HUB_CACHE");
    free(saved_cache);
    return 0;
}

int test_vision_tower(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_tower_is_found_where_people_put_it, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_folder_without_a_configuration_is_no_tower, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(what_is_missing_is_said, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_checkpoint_that_holds_its_tower_reads_no_other_weights, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_known_tower_that_is_not_at_hand_is_asked_for, make_dir, remove_dir),
        cmocka_unit_test(only_the_vision_model_of_a_clip_is_of_use),
        cmocka_unit_test_setup_teardown(the_hash_counts_the_tower, make_dir, remove_dir),
    };
    return cmocka_run_group_tests_name("vision tower", tests, NULL, NULL);
}
