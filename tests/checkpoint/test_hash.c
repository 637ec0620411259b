/* test_hash.c - the hash that names a checkpoint. */
#include "test_checkpoint.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "checkpoint/checkpoint.h"
#include "llava_weights.h"
#include "support/safetensors_writer.h"
#include "support/temp_dir.h"

/* False where the folder does not open. */
static bool hash_of(char hex[CF_HASH_HEX_BYTES], const char *dir)
{
    cf_checkpoint *c = NULL;
    cf_error err = {0};
    if (cf_checkpoint_open(&c, dir, &err) != CF_OK)
        return false;
    assert_int_equal(cf_checkpoint_hash(hex, c, &err), CF_OK);
    assert_int_equal(strlen(hex), CF_HASH_HEX_BYTES - 1);
    cf_checkpoint_close(c);
    return true;
}

static void a_copy_in_another_folder_has_the_same_hash(void **state)
{
    (void)state;
    char *a = temp_dir_make(), *b = temp_dir_make(), *c = temp_dir_make();
    char hex_a[CF_HASH_HEX_BYTES], hex_b[CF_HASH_HEX_BYTES], hex_c[CF_HASH_HEX_BYTES];
    llava_tiny_write(a, llava_layout_at(0), CF_F16, 3);
    llava_tiny_write(b, llava_layout_at(0), CF_F16, 3);
    llava_tiny_write(c, llava_layout_at(0), CF_BF16, 3);
    assert_true(hash_of(hex_a, a));
    assert_true(hash_of(hex_b, b));
    assert_true(hash_of(hex_c, c));
    assert_string_equal(hex_a, hex_b);
    assert_string_not_equal(hex_a, hex_c);
    temp_dir_remove(c);
    temp_dir_remove(b);
    temp_dir_remove(a);
}

/* Changes one byte of dir/name after another. Most changes of a header make the folder unreadable;
 * returns how many did not. */
static size_t flip_every_byte(const char *dir, const char *name, const char *hex)
{
    cf_str content = {0};
    char *path = temp_dir_path(dir, name);
    assert_int_equal(cf_file_read(&content, path, 1 << 20, NULL), CF_OK);
    size_t opened = 0;
    for (size_t i = 0; i < content.n; i++) {
        char other[CF_HASH_HEX_BYTES];
        content.data[i] ^= 1;
        temp_dir_write(dir, name, content.data, content.n);
        if (hash_of(other, dir)) {
            opened++;
            if (strcmp(other, hex) == 0)
                fail_msg("%s: byte %zu does not count", name, i);
        }
        content.data[i] ^= 1;
    }
    temp_dir_write(dir, name, content.data, content.n);
    cf_str_deinit(&content);
    free(path);
    return opened;
}

static void every_byte_counts(void **state)
{
    static const float values[12] = {1, 2, 3};
    const safetensors_item items[] = {{"a.weight", 2, {3, 4}, values}, {"b.weight", 1, {12}, values}};
    const char *dir = *state;
    char *path = temp_dir_path(dir, "model.safetensors");
    char hex[CF_HASH_HEX_BYTES], again[CF_HASH_HEX_BYTES];
    assert_int_equal(safetensors_write(path, items, 2, CF_F32, NULL), CF_OK);
    temp_dir_write_text(dir, "config.json", "{\"model_type\": \"llava\", \"transformers_version\": \"4.37.2\"}\n");
    temp_dir_write_text(dir, "generation_config.json", "{\"eos_token_id\": 2}\n");
    assert_true(hash_of(hex, dir));
    /* the config's version string and some more; all 96 bytes of weights and the letters of two names; the end token */
    assert_true(flip_every_byte(dir, "config.json", hex) > 5);
    assert_true(flip_every_byte(dir, "model.safetensors", hex) > 96 + 10);
    assert_true(flip_every_byte(dir, "generation_config.json", hex) > 1);
    assert_true(hash_of(again, dir));
    assert_string_equal(hex, again);
    free(path);
}

static void every_byte_of_a_torch_archive_counts(void **state)
{
    const char *dir = *state;
    cf_str archive = {0};
    char hex[CF_HASH_HEX_BYTES];
    assert_int_equal(cf_file_read(&archive, "tests/checkpoint/golden/torch/variety.bin", 1 << 20, NULL), CF_OK);
    temp_dir_write(dir, "pytorch_model.bin", archive.data, archive.n);
    temp_dir_write_text(dir, "config.json", "{\"model_type\": \"llava\"}\n");
    assert_true(hash_of(hex, dir));
    assert_true(flip_every_byte(dir, "pytorch_model.bin", hex) > 500); /* storages, padding, checksums, names */
    cf_str_deinit(&archive);
}

static void poke(const char *dir, off_t at, const char *byte)
{
    char *path = temp_dir_path(dir, "model.safetensors");
    const int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, byte, 1, at), 1);
    close(fd);
    free(path);
}

static void past_64_mib_the_first_4_kib_of_every_mib_count(void **state)
{
    enum { MIB = 1 << 20, N_DATA = 67 * MIB + 100 };
    const char *dir = *state;
    char header[128], hex[CF_HASH_HEX_BYTES], other[CF_HASH_HEX_BYTES];
    const int n = snprintf(header, sizeof header, "{\"a\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[0,%d]}}",
                           N_DATA, N_DATA);
    assert_in_range(n, 1, 127);
    char *path = temp_dir_path(dir, "model.safetensors");
    cf_str file = {0};
    const char length[8] = {(char)n};
    assert_int_equal(cf_str_add(&file, (cf_slice){length, 8}, NULL), CF_OK);
    assert_int_equal(cf_str_add_text(&file, header, NULL), CF_OK);
    temp_dir_write(dir, "model.safetensors", file.data, file.n);
    assert_int_equal(truncate(path, (off_t)file.n + N_DATA), 0); /* a hole: no disk is used */
    temp_dir_write_text(dir, "config.json", "{\"model_type\": \"llava\"}");
    assert_true(hash_of(hex, dir));
    static const struct {
        const char *name;
        off_t at; /* data byte */
        bool counts;
    } cases[] = {
        {"first", 0, true},
        {"middle of the whole part", 33 * MIB + 54321, true},
        {"last of the whole part", 64 * MIB - 1, true},
        {"first sample, first byte", 64 * MIB, true},
        {"first sample, last byte", 64 * MIB + 4095, true},
        {"after the first sample", 64 * MIB + 4096, false},
        {"before the second sample", 65 * MIB - 1, false},
        {"second sample", 65 * MIB, true},
        {"last byte, in a short sample", N_DATA - 1, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        poke(dir, (off_t)file.n + cases[i].at, "x");
        assert_true(hash_of(other, dir));
        if ((strcmp(hex, other) != 0) != cases[i].counts)
            fail_msg("%s", cases[i].name);
        poke(dir, (off_t)file.n + cases[i].at, "\0");
    }
    cf_str_deinit(&file);
    free(path);
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

int test_hash(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_in_another_folder_has_the_same_hash),
        cmocka_unit_test_setup_teardown(every_byte_counts, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(every_byte_of_a_torch_archive_counts, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(past_64_mib_the_first_4_kib_of_every_mib_count, make_dir, remove_dir),
    };
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
