/* test_prompt.c - prompts: every question of the demo sets against the library, and templates that do not fit. */
#include "test_text.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "support/fail_alloc.h"
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

static void the_presets_are_the_documented_texts(void **state)
{
    (void)state;
    size_t n = 0;
    const cf_prompt_preset *all = cf_prompt_presets(&n);
    assert_int_equal(n, 2);
    for (size_t i = 0; i < n; i++)
        assert_ptr_equal(cf_prompt_preset_text(all[i].name), all[i].text);
    assert_null(cf_prompt_preset_text("llava"));
    assert_string_equal(cf_prompt_preset_text("llava_hf_1.5"),
                        "USER: <image>\n{question} \nAnswer the question using a single word or phrase. ASSISTANT:");
    assert_string_equal(cf_prompt_preset_text("vicuna_v1"),
                        "A chat between a curious user and an artificial intelligence assistant. The assistant gives "
                        "helpful, detailed, and polite "
                        "answers to the user's questions. USER: <image>\n{question} \nAnswer the question using a "
                        "single word or phrase. ASSISTANT:");
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
        cmocka_unit_test(a_template_or_question_that_does_not_fit_is_refused),
        cmocka_unit_test(a_tokenizer_that_does_not_know_the_image_token_is_refused),
        cmocka_unit_test(the_question_may_stand_before_the_image),
        cmocka_unit_test(every_failing_allocation_of_a_prompt_is_reported),
    };
    return cmocka_run_group_tests_name("prompt", tests, demo_open, demo_close);
}
