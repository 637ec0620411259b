/* test_bad_model.c - a checkpoint folder with something wrong in it: one line, exit status 1, nothing written. Each
 * damage is done to a copy of a good folder. */
#include "cli_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "support/temp_dir.h"

static void copy_model(const char *to)
{
    static const char *const files[] = {"config.json", "generation_config.json", "model.safetensors",
                                        "preprocessor_config.json", "tokenizer.json"};
    assert_ok(cf_dir_make(to, report));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *from = temp_dir_path(BITES, files[i]);
        cf_str content = content_of(from);
        temp_dir_write(to, files[i], content.data, content.n);
        cf_str_deinit(&content);
        free(from);
    }
}

/* Every occurrence of `find` becomes `with`; the text must be there. */
static void replace(const char *dir, const char *name, const char *find, const char *with)
{
    char *path = temp_dir_path(dir, name);
    cf_str before = content_of(path), after = {0};
    int64_t at = 0, n = 0;
    size_t from = 0;
    for (; (at = cf_slice_find(cf_str_slice(&before), cf_slice_of(find), from)) >= 0; n++) {
        assert_ok(cf_str_add(&after, (cf_slice){before.data + from, (size_t)at - from}, report));
        assert_ok(cf_str_add_text(&after, with, report));
        from = (size_t)at + strlen(find);
    }
    assert_true(n > 0);
    assert_ok(cf_str_add(&after, (cf_slice){before.data + from, before.n - from}, report));
    temp_dir_write(dir, name, after.data, after.n);
    cf_str_deinit(&before);
    cf_str_deinit(&after);
    free(path);
}

static void remove_file(const char *dir, const char *name)
{
    char *path = temp_dir_path(dir, name);
    assert_int_equal(unlink(path), 0);
    free(path);
}

/* A safetensors file of this header and eight bytes of data. */
static void write_weights(const char *dir, const char *header)
{
    cf_str file = {0};
    const size_t n = strlen(header);
    const unsigned char length[8] = {(unsigned char)n, (unsigned char)(n >> 8)};
    assert_ok(cf_str_add(&file, (cf_slice){(const char *)length, 8}, report));
    assert_ok(cf_str_add_text(&file, header, report));
    assert_ok(cf_str_add(&file, (cf_slice){"\0\0\0\0\0\0\0\0", 8}, report));
    temp_dir_write(dir, "model.safetensors", file.data, file.n);
    cf_str_deinit(&file);
}

static void no_weights(const char *dir)
{
    remove_file(dir, "model.safetensors");
}

static void cut_weights(const char *dir)
{
    char *path = temp_dir_path(dir, "model.safetensors");
    assert_int_equal(truncate(path, 700000), 0);
    free(path);
}

static void cut_header(const char *dir)
{
    char *path = temp_dir_path(dir, "model.safetensors");
    assert_int_equal(truncate(path, 5000), 0);
    free(path);
}

static void long_header(const char *dir)
{
    temp_dir_write(dir, "model.safetensors", "\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10);
}

static void overlap(const char *dir)
{
    write_weights(dir, "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                       "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}");
}

static void overflow(const char *dir)
{
    write_weights(dir, "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}}");
}

static void other_dtype(const char *dir)
{
    replace(dir, "model.safetensors", "layers.3.mlp.up_proj.weight\":{\"dtype\":\"F32",
            "layers.3.mlp.up_proj.weight\":{\"dtype\":\"I32");
}

static void missing_weight(const char *dir)
{
    replace(dir, "model.safetensors", "layers.3.mlp.up_proj.weight", "layers.3.mlp.up_proj.waight");
}

static void other_shape(const char *dir)
{
    replace(dir, "model.safetensors", "up_proj.weight\":{\"dtype\":\"F32\",\"shape\":[96,64]",
            "up_proj.weight\":{\"dtype\":\"F32\",\"shape\":[64,96]");
}

static void other_model_type(const char *dir)
{
    replace(dir, "config.json", "\"llava\"", "\"lovely\"");
}

static void other_decoder(const char *dir)
{
    replace(dir, "config.json", "\"model_type\": \"llama\"", "\"model_type\": \"qwen2\"");
}

static void no_config(const char *dir)
{
    remove_file(dir, "config.json");
}

static void more_layers(const char *dir)
{
    replace(dir, "config.json", "\"num_hidden_layers\": 5", "\"num_hidden_layers\": 6");
}

static void no_tokenizer(const char *dir)
{
    remove_file(dir, "tokenizer.json");
}

static void other_tokenizer(const char *dir)
{
    replace(dir, "tokenizer.json", "\"type\": \"BPE\"", "\"type\": \"Unigram\"");
}

static void tokenizer_is_a_list(const char *dir)
{
    temp_dir_write_text(dir, "tokenizer.json", "[1, 2, 3]");
}

static void tokenizer_without_picture(const char *dir)
{
    replace(dir, "tokenizer.json", "<image>", "<movie>");
}

static void tokenizer_too_large(const char *dir)
{
    replace(dir, "config.json", "\"vocab_size\": 656", "\"vocab_size\": 600");
}

static void no_preprocessor(const char *dir)
{
    remove_file(dir, "preprocessor_config.json");
}

static void other_picture_size(const char *dir)
{
    replace(dir, "preprocessor_config.json", "56", "70");
}

static void other_resample(const char *dir)
{
    replace(dir, "preprocessor_config.json", "\"resample\": 3", "\"resample\": 2");
}

static const struct {
    const char *name;
    void (*damage)(const char *dir);
    const char *say;
} damages[] = {
    {"no weights", no_weights, "expected model.safetensors or pytorch_model.bin, or the index"},
    {"truncated weights", cut_weights, "/model.safetensors: tensor '"},
    {"truncated header", cut_header, "/model.safetensors: "},
    {"header beyond the file", long_header, "/model.safetensors: "},
    {"overlapping weights", overlap, "tensors 'a' and 'b' overlap"},
    {"overflowing shape", overflow, "tensor 'a': its shape overflows"},
    {"a weight of another dtype", other_dtype, "layers.3.mlp.up_proj.weight': expected F32, F16 or BF16, found I32"},
    {"a missing weight", missing_weight, "no weight 'model.language_model.layers.3.mlp.up_proj.weight'"},
    {"a weight of another shape", other_shape, "layers.0.mlp.up_proj.weight': expected shape [96, 64], found [64, 96]"},
    {"another kind of model", other_model_type, "/config.json: model_type 'lovely' is not supported, only 'llava'"},
    {"another kind of decoder", other_decoder, "model_type 'qwen2' is not supported"},
    {"no config", no_config, "/config.json: cannot open: No such file or directory"},
    {"more layers than weights", more_layers, "no weight 'model.language_model.layers.5."},
    {"no tokenizer", no_tokenizer, "/tokenizer.json: cannot open: No such file or directory"},
    {"another kind of tokenizer", other_tokenizer, "/tokenizer.json: "},
    {"a tokenizer that is a list", tokenizer_is_a_list, "/tokenizer.json: "},
    {"a tokenizer without <image>", tokenizer_without_picture, "expected image token 644 once, found it 0 times"},
    {"more tokens than embeddings", tokenizer_too_large, "the model 600 embeddings"},
    {"no preprocessor", no_preprocessor, "neither preprocessor_config.json nor processor_config.json is there"},
    {"pictures of another size", other_picture_size, "prepared as 70x70, the vision tower reads 56x56"},
    {"another filter", other_resample, "/preprocessor_config.json: "},
};

static void a_damaged_checkpoint_is_one_line_and_writes_nothing(void **state)
{
    fixture *f = *state;
    char *model = fixture_path(f, "model"), *fresh = fixture_path(f, "fresh.db");
    copy_model(model);
    fixture_trace(f, &(trace_call){.model = model}); /* it is the damage that is refused */
    assert_done(&f->r, "the copy");
    cf_str before = content_of(f->study);
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        copy_model(model);
        damages[i].damage(model);
        fixture_trace(f, &(trace_call){.model = model, .study = fresh});
        assert_refused(&f->r, damages[i].name, 1, damages[i].say);
        if (!strstr(f->r.err.data, model) && !strstr(damages[i].say, "image token"))
            fail_msg("%s: does not name the folder: %s", damages[i].name, f->r.err.data);
        assert_no_study(fresh, damages[i].name);
        fixture_trace(f, &(trace_call){.model = model});
        assert_refused(&f->r, damages[i].name, 1, damages[i].say);
        assert_study_is(f->study, &before, damages[i].name);
        RUN(&f->r, "ask", model, "--image", PICTURES "/000024.jpg", "--question", "Is it?", "--max-new-tokens", "1");
        assert_refused(&f->r, damages[i].name, 1, damages[i].say);
    }
    cf_str_deinit(&before);
    free(model);
    free(fresh);
}

static void what_is_no_checkpoint_folder_is_one_line(void **state)
{
    static const struct {
        const char *path, *say;
    } cases[] = {
        {"tests/no-such-model", "tests/no-such-model: expected a model folder, found nothing"},
        {"demo/model/config.json", "demo/model/config.json: expected a model folder, found a file"},
        {"demo/questions", "demo/questions/config.json: cannot open"},
        {"", ": expected a model folder, found nothing"},
    };
    fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture_trace(f, &(trace_call){.model = cases[i].path});
        assert_refused(&f->r, cases[i].path, 1, cases[i].say);
        assert_no_study(f->study, cases[i].path);
        RUN(&f->r, "info", cases[i].path);
        assert_refused(&f->r, cases[i].path, 1, cases[i].say);
        RUN(&f->r, "tokens", cases[i].path, "--image", PICTURES "/000024.jpg", "--question", "Is it?");
        assert_refused(&f->r, cases[i].path, 1, cases[i].say);
    }
}

int test_bad_model(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_damaged_checkpoint_is_one_line_and_writes_nothing, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(what_is_no_checkpoint_folder_is_one_line, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("bad checkpoints", tests, NULL, NULL);
}
