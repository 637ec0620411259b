/* test_bad_folder.c - damaged folders: each gives one clear line, and nothing else. */
#include "test_checkpoint.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "checkpoint/checkpoint.h"
#include "llava_weights.h"
#include "support/safetensors_writer.h"
#include "support/temp_dir.h"

#define SHARD_1 "model-00001-of-00002.safetensors"
#define SHARD_2 "model-00002-of-00002.safetensors"
#define INDEX "model.safetensors.index.json"
#define NORM "language_model.model.norm.weight"

static void remove_from(const char *dir, const char *name)
{
    char *path = temp_dir_path(dir, name);
    assert_int_equal(unlink(path), 0);
    free(path);
}

static void cut_weights(const char *dir)
{
    char *path = temp_dir_path(dir, "model.safetensors");
    cf_mapping m = {0};
    assert_int_equal(cf_file_map(&m, path, NULL), CF_OK);
    assert_int_equal(truncate(path, (off_t)m.n - 1), 0);
    cf_file_unmap(&m);
    free(path);
}

static void cut_to_seven_bytes(const char *dir)
{
    temp_dir_write(dir, "model.safetensors", "1234567", 7);
}

static void write_header_too_long(const char *dir)
{
    temp_dir_write(dir, "model.safetensors", "\xff\xff\0\0\0\0\0\0{}", 10);
}

static void write_lfs_pointer(const char *dir)
{
    temp_dir_write_text(dir, "model.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
}

static void write_file(const char *dir, const char *header, size_t n_data)
{
    cf_str file = {0};
    const size_t n = strlen(header);
    const unsigned char length[8] = {(unsigned char)n, (unsigned char)(n >> 8)};
    assert_int_equal(cf_str_add(&file, (cf_slice){(const char *)length, 8}, NULL), CF_OK);
    assert_int_equal(cf_str_add_text(&file, header, NULL), CF_OK);
    for (size_t i = 0; i < n_data; i++)
        assert_int_equal(cf_str_add(&file, (cf_slice){"\0", 1}, NULL), CF_OK);
    temp_dir_write(dir, "model.safetensors", file.data, file.n);
    cf_str_deinit(&file);
}

static void write_overlap(const char *dir)
{
    write_file(dir,
               "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
               "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
               8);
}

static void write_overflow(const char *dir)
{
    write_file(dir, "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,4294967296],\"data_offsets\":[0,8]}}",
               8);
}

static void write_two_layouts(const char *dir)
{
    write_file(dir,
               "{\"model.norm.weight\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]},"
               "\"language_model.model.norm.weight\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[4,8]}}",
               8);
}

static void remove_weights(const char *dir)
{
    remove_from(dir, "model.safetensors");
}

static void remove_config(const char *dir)
{
    remove_from(dir, "config.json");
}

static void break_config(const char *dir)
{
    temp_dir_write_text(dir, "config.json", "{\"model_type\": \"llava\",}");
}

static void change_model_type(const char *dir)
{
    temp_dir_write_text(dir, "config.json", "{\"model_type\": \"qwen2_5_vl\"}");
}

static void break_generation(const char *dir)
{
    temp_dir_write_text(dir, "generation_config.json", "{");
}

static void generation_list(const char *dir)
{
    temp_dir_write_text(dir, "generation_config.json", "[]");
}

static void remove_shard(const char *dir)
{
    remove_from(dir, SHARD_2);
}

static void break_index(const char *dir)
{
    temp_dir_write_text(dir, INDEX, "{\"weight_map\": {");
}

static void index_without_map(const char *dir)
{
    temp_dir_write_text(dir, INDEX, "{\"metadata\": {}}");
}

static void index_with_empty_map(const char *dir)
{
    temp_dir_write_text(dir, INDEX, "{\"weight_map\": {}}");
}

static void index_with_list(const char *dir)
{
    temp_dir_write_text(dir, INDEX, "{\"weight_map\": [\"" SHARD_1 "\"]}");
}

static void index_with_number(const char *dir)
{
    temp_dir_write_text(dir, INDEX, "{\"weight_map\": {\"" NORM "\": 1}}");
}

static void index_with_empty_name(const char *dir)
{
    temp_dir_write_text(dir, INDEX, "{\"weight_map\": {\"" NORM "\": \"\"}}");
}

static void index_to_a_path(const char *dir)
{
    temp_dir_write_text(dir, INDEX, "{\"weight_map\": {\"" NORM "\": \"/etc/passwd\"}}");
}

static void index_to_a_parent(const char *dir)
{
    temp_dir_write_text(dir, INDEX, "{\"weight_map\": {\"" NORM "\": \"..\"}}");
}

static void index_to_the_wrong_shard(const char *dir)
{
    temp_dir_write_text(dir, INDEX, "{\"weight_map\": {\"no.such.weight\": \"" SHARD_1 "\"}}");
}

static const struct {
    const char *name;
    size_t n_shards;
    void (*damage)(const char *dir);
    cf_status status;
    const char *say; /* after the folder's name */
} damages[] = {
    {"no weights", 0, remove_weights, CF_IO, ": expected model.safetensors or pytorch_model.bin, or the index"},
    {"no config", 0, remove_config, CF_IO, "/config.json: cannot open: No such file"},
    {"bad config", 0, break_config, CF_FORMAT, "/config.json: not valid JSON at byte"},
    {"another model", 0, change_model_type, CF_UNSUPPORTED,
     "/config.json: model_type 'qwen2_5_vl' is not supported, only 'llava', 'llava_next' and 'llava_llama'"},
    {"bad generation config", 0, break_generation, CF_FORMAT, "/generation_config.json: not valid JSON"},
    {"generation config is a list", 0, generation_list, CF_FORMAT, "generation_config.json"},
    {"truncated weights", 0, cut_weights, CF_FORMAT, "data bytes (truncated?)"},
    {"truncated length", 0, cut_to_seven_bytes, CF_FORMAT, "expected a safetensors file, found only 7 bytes"},
    {"header beyond the file", 0, write_header_too_long, CF_FORMAT, "should have 65535 bytes, but only 2 follow"},
    {"a Git LFS pointer", 0, write_lfs_pointer, CF_FORMAT, "truncated, or not safetensors"},
    {"overlap", 0, write_overlap, CF_FORMAT, "tensors 'a' and 'b' overlap"},
    {"overflowing shape", 0, write_overflow, CF_FORMAT, "tensor 'a': its shape overflows"},
    {"a weight under two layouts", 0, write_two_layouts, CF_MISMATCH,
     "are both the weight 'model.language_model.norm.weight'"},
    {"no such shard", 2, remove_shard, CF_IO, "/" SHARD_2 ": cannot open: No such file"},
    {"bad index", 2, break_index, CF_FORMAT, "/" INDEX ": not valid JSON"},
    {"index without weight_map", 2, index_without_map, CF_FORMAT, "/" INDEX ": expected an object weight_map"},
    {"index with an empty weight_map", 2, index_with_empty_map, CF_FORMAT, "expected an object weight_map"},
    {"weight_map is a list", 2, index_with_list, CF_FORMAT, "expected an object weight_map"},
    {"weight mapped to a number", 2, index_with_number, CF_FORMAT, "expected a file name for '" NORM "'"},
    {"weight mapped to nothing", 2, index_with_empty_name, CF_FORMAT, "expected a file name for '" NORM "'"},
    {"weight mapped out of the folder", 2, index_to_a_path, CF_FORMAT, "expected a plain file name for '" NORM "'"},
    {"weight mapped to the parent", 2, index_to_a_parent, CF_FORMAT, "found '..'"},
    {"weight not in its shard", 2, index_to_the_wrong_shard, CF_MISMATCH, "expected 'no.such.weight' in " SHARD_1},
};

static void damaged_folders_are_refused_in_one_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        char *dir = temp_dir_make();
        llava_tiny_write(dir, llava_layout_at(0), CF_F16, damages[i].n_shards);
        cf_checkpoint *c = NULL;
        cf_error err = {0};
        assert_int_equal(cf_checkpoint_open(&c, dir, &err), CF_OK); /* it is the damage that is refused */
        cf_checkpoint_close(c);
        c = NULL;
        damages[i].damage(dir);
        const cf_status st = cf_checkpoint_open(&c, dir, &err);
        if (st != damages[i].status || !strstr(err.text, damages[i].say))
            fail_msg("%s: status %d: %s", damages[i].name, st, err.text);
        assert_int_equal(err.status, st);
        assert_non_null(strstr(err.text, dir));
        assert_null(strchr(err.text, '\n'));
        assert_null(c);
        temp_dir_remove(dir);
    }
}

static void what_is_no_folder_is_refused(void **state)
{
    (void)state;
    cf_checkpoint *c = NULL;
    cf_error err = {0};
    assert_int_equal(cf_checkpoint_open(&c, "./tests/no-such-model", &err), CF_IO);
    assert_string_equal(err.text, "./tests/no-such-model: expected a model folder, found nothing");
    assert_int_equal(cf_checkpoint_open(&c, "demo/model/config.json", &err), CF_IO);
    assert_string_equal(err.text, "demo/model/config.json: expected a model folder, found a file");
    assert_null(c);
}

/* A tensor of another dtype may lie in a checkpoint (CLIP's position_ids are I64): only asking for it is an error. */
static void a_weight_that_cannot_be_used_is_refused_when_asked_for(void **state)
{
    static const char header[] =
        "{\"vision_tower.embeddings.position_ids\":{\"dtype\":\"I64\",\"shape\":[1,5],\"data_offsets\":[0,40]},"
        "\"lm_head.weight\":{\"dtype\":\"F8_E4M3\",\"shape\":[4],\"data_offsets\":[40,44]},"
        "\"model.norm.weight\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[44,52]},"
        "\"deep\":{\"dtype\":\"F16\",\"shape\":[1,1,1,1,1],\"data_offsets\":[52,54]},"
        "\"byte\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[54,55]},"
        "\"odd\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[55,59]}} "; /* an even length */
    static const struct {
        const char *name;
        int32_t rank;
        int64_t shape[CF_MAX_RANK];
        cf_status status;
        const char *say;
    } cases[] = {
        {"model.language_model.norm.weight", 1, {4}, CF_OK, ""},
        {"model.vision_tower.vision_model.embeddings.position_ids",
         2,
         {1, 5},
         CF_UNSUPPORTED,
         "/model.safetensors: tensor 'vision_tower.embeddings.position_ids': expected F32, F16 or BF16, found I64"},
        {"lm_head.weight", 1, {4}, CF_UNSUPPORTED, "found F8_E4M3"},
        {"model.language_model.norm.weight",
         1,
         {5},
         CF_MISMATCH,
         "tensor 'model.norm.weight': expected shape [5], found [4]"},
        {"model.language_model.norm.weight", 2, {4, 1}, CF_MISMATCH, "expected shape [4, 1], found [4]"},
        {"model.language_model.norm.weight", 0, {0}, CF_MISMATCH, "expected shape [], found [4]"},
        {"deep", 4, {1, 1, 1, 1}, CF_MISMATCH, "found 5 extents"},
        {"odd", 1, {1}, CF_UNSUPPORTED, "lies at an odd byte"},
        {"model.language_model.embed_tokens.weight",
         2,
         {1, 1},
         CF_FORMAT,
         ": no weight 'model.language_model.embed_tokens.weight'"},
        {"model.norm.weight", 1, {4}, CF_FORMAT, ": no weight 'model.norm.weight'"},
        {"model.language_model.norm.weight", 5, {4}, CF_USAGE, "at most 4 extents"},
        {"model.language_model.norm.weight", -1, {4}, CF_USAGE, "at most 4 extents"},
    };
    assert_int_equal(strlen(header) % 2, 0);
    write_file(*state, header, 59);
    temp_dir_write_text(*state, "config.json", llava_tiny_config());
    cf_checkpoint *c = NULL;
    cf_error err = {0};
    if (cf_checkpoint_open(&c, *state, &err) != CF_OK)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_tensor t = {0};
        err = (cf_error){0};
        const cf_status st = cf_checkpoint_weight(&t, c, cases[i].name, cases[i].rank, cases[i].shape, &err);
        if (st != cases[i].status || !strstr(err.text, cases[i].say))
            fail_msg("%s: status %d: %s", cases[i].name, st, err.text);
        assert_int_equal(t.data != NULL, st == CF_OK); /* unchanged on failure */
        if (st != CF_OK && st != CF_USAGE)
            assert_non_null(strstr(err.text, *state));
    }
    cf_checkpoint_close(c);
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

int test_bad_folder(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_folders_are_refused_in_one_line),
        cmocka_unit_test(what_is_no_folder_is_refused),
        cmocka_unit_test_setup_teardown(a_weight_that_cannot_be_used_is_refused_when_asked_for, make_dir, remove_dir),
    };
    return cmocka_run_group_tests_name("bad folder", tests, NULL, NULL);
}
