/* test_prompt.c - prompts: every question of the demo sets against the library, and templates that do not fit. */
#include "test_text.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "support/fail_alloc.h"
#include "support/temp_dir.h"
#include "text/prompt.h"

enum { IMAGE = 644 };

/* The third column of the line at *at (no field is quoted: the golden's script made sure), advancing *at to the next line. */
static cf_slice question_of_line(cf_slice csv, size_t *at)
{
    const int64_t end = cf_slice_find(csv, cf_slice_of("\n"), *at);
    assert_true(end >= 0);
    size_t begin = *at;
    for (int comma = 0; comma < 2; comma++)
        begin = (size_t)cf_slice_find(csv, cf_slice_of(","), begin) + 1;
    const size_t stop = (size_t)cf_slice_find(csv, cf_slice_of(","), begin);
    *at = (size_t)end + 1;
    return (cf_slice){csv.data + begin, stop - begin};
}

/* expected: hash of the ids, first and one-past-last token of the question behind the image. */
static void check_prompt(const cf_tokenizer *t, const char *preset, cf_slice question, bool hf, const cf_json *expected,
                         const cf_json *whole)
{
    cf_prompt p = {0};
    cf_span span = {0};
    cf_error err = {0};
    char hash[17];
    if (cf_prompt_create(&p, t, IMAGE, cf_prompt_preset_text(preset), question, hf, &err) != CF_OK)
        fail_msg("%s", err.text);
    ids_hash(hash, &p.ids);
    if (strcmp(hash, cf_json_string(cf_json_first(expected))) != 0)
        fail_msg("%s, hf %d: other ids for \"%.*s\"", preset, hf, (int)question.n, question.data);
    if (whole && strcmp(preset, "vicuna_v1") == 0)
        assert_true(ids_are(&p.ids, whole));
    assert_int_equal(p.ids.items[p.image_index], IMAGE);
    const size_t after = (size_t)p.image_index + 1;
    if (cf_text_find(&span, NULL, t, p.ids.items + after, p.ids.n - after, question, &err) != CF_OK)
        fail_msg("%s", err.text);
    assert_int_equal(span.begin, cf_json_number(cf_json_next(cf_json_first(expected)), -1));
    assert_int_equal(span.end, cf_json_number(cf_json_next(cf_json_next(cf_json_first(expected))), -1));
    cf_prompt_deinit(&p);
}

static void every_question_of_the_demo_sets_becomes_the_librarys_prompt(void **state)
{
    cf_json *golden = golden_open("prompts");
    int64_t n = 0;
    for (const cf_json *file = cf_json_first(cf_json_get(golden, "files")); file; file = cf_json_next(file)) {
        cf_str csv = {0};
        cf_error err = {0};
        char path[128];
        size_t at = 0;
        (void)snprintf(path, sizeof path, "demo/questions/%s", cf_json_string(cf_json_get(file, "file")));
        assert_int_equal(cf_file_read(&csv, path, 1 << 20, &err), CF_OK);
        assert_true(cf_slice_is(question_of_line(cf_str_slice(&csv), &at), "question"));
        for (const cf_json *row = cf_json_first(cf_json_get(file, "rows")); row; row = cf_json_next(row), n++) {
            const cf_slice question = question_of_line(cf_str_slice(&csv), &at);
            const cf_json *hf = cf_json_first(row), *vicuna = cf_json_next(hf), *whole = cf_json_next(vicuna);
            for (int way = 0; way < 2; way++) {
                check_prompt(*state, "llava_hf_1.5", question, way == 0, hf, whole);
                check_prompt(*state, "vicuna_v1", question, way == 0, vicuna, whole);
            }
        }
        assert_int_equal(at, csv.n);
        cf_str_deinit(&csv);
    }
    assert_int_equal(n, 895);
    cf_json_free(golden);
}

#define ASKED "<image>\n{question} \nAnswer the question using a single word or phrase."
#define VICUNA(who)                                                                                                    \
    "A chat between a curious " who " and an artificial intelligence assistant. The assistant gives helpful, "         \
    "detailed, and polite answers to the " who "'s questions. "

static void the_presets_are_the_documented_texts(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        bool whole;
    } expected[] = {
        {"llava_hf_1.5", "USER: " ASKED " ASSISTANT:", true},
        {"vicuna_v1", VICUNA("user") "USER: " ASKED " ASSISTANT:", false},
        {"llava_hf_vicuna_next", VICUNA("human") "USER: " ASKED " ASSISTANT:", true},
        {"llava_llama_3",
         "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nYou are a helpful language and vision "
         "assistant. You are able to understand the visual content that the user provides, and assist the user with a "
         "variety of tasks using natural language.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n" ASKED
         "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n \n",
         false},
        {"llava_hf_llama3_next",
         "<|start_header_id|>user<|end_header_id|>\n\n" ASKED
         "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
         true},
        {"llava_hf_mistral_next", "[INST] " ASKED " [/INST]", true},
    };
    size_t n = 0;
    const cf_prompt_preset *all = cf_prompt_presets(&n);
    assert_int_equal(n, sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < n; i++) {
        const cf_prompt_preset *p = cf_prompt_preset_named(expected[i].name);
        assert_non_null(p);
        assert_string_equal(p->text, expected[i].text);
        assert_int_equal(p->whole, expected[i].whole);
        assert_ptr_equal(cf_prompt_preset_text(expected[i].name), p->text);
        assert_ptr_equal(cf_prompt_preset_named(all[i].name), &all[i]);
    }
    assert_null(cf_prompt_preset_text("llava"));
    assert_null(cf_prompt_preset_named(""));
}

/* The tokenizer of a row: the demo's folder, or a golden's file in a folder whose tokenizer_config.json names begin-of-text. */
static cf_tokenizer *tokenizer_of_row(const char *file, const char *bos)
{
    cf_tokenizer *t = NULL;
    cf_error err = {0};
    char path[128], config[64];
    cf_str json = {0};
    if (strcmp(file, "demo/model") == 0) {
        assert_int_equal(cf_tokenizer_open(&t, file, &err), CF_OK);
        return t;
    }
    (void)snprintf(path, sizeof path, "tests/text/golden/%s.json", file);
    (void)snprintf(config, sizeof config, "{\"bos_token\":\"%s\"}", bos);
    assert_int_equal(cf_file_read(&json, path, 1 << 20, &err), CF_OK);
    char *dir = temp_dir_make();
    temp_dir_write(dir, "tokenizer.json", json.data, json.n);
    temp_dir_write_text(dir, "tokenizer_config.json", config);
    if (cf_tokenizer_open(&t, dir, &err) != CF_OK)
        fail_msg("%s", err.text);
    temp_dir_remove(dir);
    cf_str_deinit(&json);
    return t;
}

static void check_preset_row(const cf_json *row)
{
    const cf_json *bos = cf_json_next(cf_json_first(row)), *name = cf_json_next(bos), *question = cf_json_next(name);
    const cf_json *image = cf_json_next(question), *ids = cf_json_next(image);
    const cf_prompt_preset *preset = cf_prompt_preset_named(cf_json_string(name));
    cf_tokenizer *t = tokenizer_of_row(cf_json_string(cf_json_first(row)), cf_json_string(bos));
    const int32_t image_id = (int32_t)cf_json_number(image, -1);
    cf_prompt p = {0};
    cf_error err = {0};
    assert_non_null(preset);
    assert_int_equal(cf_tokenizer_bos(t), cf_tokenizer_id(t, cf_slice_of(cf_json_string(bos))));
    if (cf_prompt_create(&p, t, image_id, preset->text, cf_slice_of(cf_json_string(question)), preset->whole, &err) !=
        CF_OK)
        fail_msg("%s", err.text);
    if (!ids_are(&p.ids, ids))
        fail_msg("%s, %s, \"%s\": other ids", cf_json_string(cf_json_first(row)), preset->name,
                 cf_json_string(question));
    assert_int_equal(p.ids.items[p.image_index], image_id);
    cf_prompt_deinit(&p);
    cf_tokenizer_close(t);
}

static void every_preset_gives_the_ids_that_the_published_code_gives(void **state)
{
    (void)state;
    cf_json *golden = golden_open("presets");
    int64_t n = 0;
    for (const cf_json *row = cf_json_first(cf_json_get(golden, "rows")); row; row = cf_json_next(row), n++)
        check_preset_row(row);
    assert_int_equal(n, 3 * 5 * 3);
    cf_json_free(golden);
}

/* The template's begin-of-text and a tokenizer that adds its own: two, and the newline behind the picture stays. A
 * tokenizer that adds none: one, and the newline is taken for the tokenizer's begin-of-text and dropped. */
static void the_llama_3_prompt_has_as_many_begins_as_the_tokenizer_makes_it(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        size_t n_begins;
        bool newline;
    } cases[] = {{"byte_level", 2, true}, {"byte_level_bare", 1, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cf_tokenizer *t = tokenizer_of_row(cases[i].file, "<|begin_of_text|>");
        cf_prompt p = {0};
        cf_error err = {0};
        size_t n = 0;
        assert_int_equal(
            cf_prompt_create(&p, t, -200, cf_prompt_preset_text("llava_llama_3"), cf_slice_of("Why?"), false, &err),
            CF_OK);
        while (p.ids.items[n] == cf_tokenizer_bos(t))
            n++;
        assert_int_equal(n, cases[i].n_begins);
        const cf_slice behind = cf_tokenizer_token(t, p.ids.items[p.image_index + 1]);
        assert_int_equal(cf_slice_is(behind, "\xC4\x8A"), cases[i].newline);
        cf_prompt_deinit(&p);
        cf_tokenizer_close(t);
    }
}

static void a_checkpoint_is_given_the_preset_it_was_published_with(void **state)
{
    static const struct {
        const char *model_type;
        bool original, llama3, mistral;
        const char *expected;
    } cases[] = {
        {"llava", false, false, false, "llava_hf_1.5"},
        {"llava_next", false, false, false, "llava_hf_vicuna_next"},
        {"llava_next", false, true, false, "llava_hf_llama3_next"},
        {"llava_next", false, false, true, "llava_hf_mistral_next"},
        {"llava_next", true, false, true, "llava_hf_mistral_next"},
        {"llava_llama", true, false, false, "vicuna_v1"},
        {"llava_next", true, false, false, "vicuna_v1"},
        {"llava_llama", true, true, false, "llava_llama_3"},
    };
    cf_tokenizer *llama3 = golden_tokenizer("byte_level");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const cf_tokenizer *t = cases[i].llama3 ? llama3 : *state;
        const cf_prompt_preset *p = cf_prompt_preset_for(cases[i].model_type, cases[i].original, cases[i].mistral, t);
        assert_string_equal(p->name, cases[i].expected);
    }
    cf_tokenizer_close(llama3);
}

static void a_template_or_question_that_does_not_fit_is_refused(void **state)
{
    static const struct {
        const char *name, *template_text, *question, *says;
    } cases[] = {
        {"no image", "USER: {question}", "q", "<image> once, found it nowhere"},
        {"no question", "USER: <image>", "q", "{question} once, found it nowhere"},
        {"two images", "<image> <image> {question}", "q", "<image> once, found it again"},
        {"two questions", "<image> {question} {question}", "q", "{question} once, found it again"},
        {"nothing", "", "q", "nowhere"},
        {"an image in the question", "<image> {question}", "a <image> b", "holds <image> itself"},
        {"an image put together", "<image> <ima{question}", "ge>", "expected image token 644 once, found it 2 times"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int hf = 0; hf < 2; hf++) {
            cf_prompt p = {0};
            cf_error err = {0};
            const cf_status st =
                cf_prompt_create(&p, *state, IMAGE, cases[i].template_text, cf_slice_of(cases[i].question), hf, &err);
            if (st != CF_MISMATCH || !strstr(err.text, cases[i].says) || p.ids.items)
                fail_msg("%s, hf %d: status %d, \"%s\"", cases[i].name, hf, (int)st, err.text);
        }
}

static void a_tokenizer_that_does_not_know_the_image_token_is_refused(void **state)
{
    cf_prompt p = {0};
    cf_error err = {0};
    assert_int_equal(cf_prompt_create(&p, *state, 9999, "<image> {question}", cf_slice_of("q"), true, &err),
                     CF_MISMATCH);
    assert_non_null(strstr(err.text, "image token 9999 once, found it 0 times"));
}

static void the_question_may_stand_before_the_image(void **state)
{
    cf_prompt p = {0};
    cf_ids expected = {0};
    cf_error err = {0};
    for (int hf = 0; hf < 2; hf++) {
        assert_int_equal(
            cf_prompt_create(&p, *state, IMAGE, "A {question} B<image>C", cf_slice_of("the {question}"), hf, &err),
            CF_OK);
        expected.n = 0;
        assert_int_equal(cf_tokenizer_encode(&expected, *state, cf_slice_of("A the {question} B<image>C"), true, &err),
                         CF_OK);
        assert_int_equal(p.ids.n, expected.n);
        assert_memory_equal(p.ids.items, expected.items, expected.n * sizeof(int32_t));
    }
    cf_prompt_deinit(&p);
    cf_ids_deinit(&expected);
}

static void every_failing_allocation_of_a_prompt_is_reported(void **state)
{
    for (int64_t n = 1;; n++) {
        cf_prompt p = {0};
        cf_error err = {0};
        fail_alloc_at(n);
        const cf_status st =
            cf_prompt_create(&p, *state, IMAGE, "USER: <image> {question}", cf_slice_of("the"), false, &err);
        if (!fail_alloc_off()) {
            assert_int_equal(st, CF_OK);
            cf_prompt_deinit(&p);
            break;
        }
        assert_int_equal(st, CF_NOMEM);
        assert_null(p.ids.items);
    }
}

int test_prompt(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_question_of_the_demo_sets_becomes_the_librarys_prompt),
        cmocka_unit_test(the_presets_are_the_documented_texts),
        cmocka_unit_test(every_preset_gives_the_ids_that_the_published_code_gives),
        cmocka_unit_test(the_llama_3_prompt_has_as_many_begins_as_the_tokenizer_makes_it),
        cmocka_unit_test(a_checkpoint_is_given_the_preset_it_was_published_with),
        cmocka_unit_test(a_template_or_question_that_does_not_fit_is_refused),
        cmocka_unit_test(a_tokenizer_that_does_not_know_the_image_token_is_refused),
        cmocka_unit_test(the_question_may_stand_before_the_image),
        cmocka_unit_test(every_failing_allocation_of_a_prompt_is_reported),
    };
    return cmocka_run_group_tests_name("prompt", tests, demo_open, demo_close);
}
