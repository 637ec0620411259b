/* test_prompt_layout.c - where the parts of a prompt are, in the demo model's tokens: written as the tokens that each
 * part is made of, so that a part off by a token, or by the picture's positions, shows. */
#include "study_fixture.h"

#include <string.h>

#include "study/prompt_layout.h"

enum { N_IMAGE = 144 }; /* positions of the picture */

#define HF "USER: <image>\n{question} \nAnswer the question using a single word or phrase. ASSISTANT:"

/* What a part should be: its tokens in the stored form, joined, with the word mark as a blank; spans apart by "|". */
static const struct {
    const char *name, *prompt; /* a preset's name or a text */
    const char *question, *true_option, *false_option, *object;
    const char *is_question, *is_true, *is_false, *is_object, *instruction, *role_words, *notes;
} cases[] = {
    {"the checkpoint's own prompt", "llava_hf_1.5", "Is the circle blue or orange?", "orange", "blue", "circle",
     "Is the circle blue or orange?", " orange", " blue", " circle",
     "Answer the question using a single word or phrase.", " USER:| ASSISTANT:", ""},
    {"the published prompt", "vicuna_v1", "Is the circle blue or orange?", "orange", "blue", "circle",
     "Is the circle blue or orange?", " orange", " blue", " circle",
     "Answer the question using a single word or phrase.", " USER:| ASSISTANT:", ""},
    {"no options, no object", HF, "Is the moon white?", "", "", "", "Is the moon white?", "", "", "",
     "Answer the question using a single word or phrase.", " USER:| ASSISTANT:", ""},
    {"a template without role words and without an instruction", "<image>\n{question}", "Is the moon white?", "", "",
     "moon", "Is the moon white?", "", "", " moon", "", "", ""},
    {"a template without role words", "See <image> {question} Say yes or no.", "Is the moon white?", "", "", "moon",
     " Is the moon white?", "", "", " moon", " Say yes or no.", "", ""},
    {"an instruction before the question is none", "<image> Answer this: {question}", "Is the moon white?", "", "", "",
     " Is the moon white?", "", "", "", "", "", ""},
    {"the role word after the picture", "<image>\nUSER: {question}\nASSISTANT:", "Is the moon white?", "", "", "",
     " Is the moon white?", "", "", "", "", "USER:|ASSISTANT:", ""},
    {"one role word twice", "USER: <image> {question} ASSISTANT: yes USER:", "Is it?", "", "", "", " Is it?", "", "",
     "", "", " USER:| ASSISTANT:| USER:", ""},
    {"role words of a question are its own", HF, "Does USER: mean me?", "", "", "", "Does USER: mean me?", "", "", "",
     "Answer the question using a single word or phrase.", " USER:| ASSISTANT:", ""},
    {"an option that occurs twice", HF, "Is the moon left or left?", "left", "moon", "", "Is the moon left or left?",
     " left", " moon", "", "Answer the question using a single word or phrase.",
     " USER:| ASSISTANT:", "True Option \"left\" occurs 2 times after the picture: the first is taken\n"},
    {"an option that does not occur", HF, "Is the moon left or right?", "left", "below", "",
     "Is the moon left or right?", " left", "", "", "Answer the question using a single word or phrase.",
     " USER:| ASSISTANT:", "False Option \"below\" does not occur after the picture\n"},
    {"names are looked for in the whole text after the picture, the instruction's included", HF, "Is the moon white?",
     "phrase", "", "word", "Is the moon white?", " phrase", "", " word",
     "Answer the question using a single word or phrase.", " USER:| ASSISTANT:", ""},
    {"but not before it", "vicuna_v1", "Is it?", "chat", "", "human", "Is it?", "", "", "",
     "Answer the question using a single word or phrase.", " USER:| ASSISTANT:",
     "True Option \"chat\" does not occur after the picture\n"
     "Central Object \"human\" does not occur after the picture\n"},
    {"a name is found inside a longer word", HF, "Is the object on a string?", "ring", "", "object",
     "Is the object on a string?", "ring", "", " object", "Answer the question using a single word or phrase.",
     " USER:| ASSISTANT:", ""},
    {"letter case matters", HF, "Is the moon white?", "White", "", "Moon", "Is the moon white?", "", "", "",
     "Answer the question using a single word or phrase.", " USER:| ASSISTANT:",
     "True Option \"White\" does not occur after the picture\nCentral Object \"Moon\" does not occur after the "
     "picture\n"},
    {"a question that occurs twice", "<image>{question} Once more: Is it?", "Is it?", "", "", "", " Is it?", "", "", "",
     " Once more: Is it?", "", "Question occurs 2 times after the picture: the first is taken\n"},
};

/* The tokens of a span of positions; a span must not reach into the picture. */
static void add_tokens(cf_str *out, const cf_runtime *r, const cf_prompt *p, cf_span span)
{
    static const char mark[] = "\xe2\x96\x81";
    for (int32_t at = span.begin; at < span.end; at++) {
        if (at >= p->image_index && at < p->image_index + N_IMAGE)
            fail_msg("position %d is the picture's", at);
        const int32_t i = at < p->image_index ? at : at - N_IMAGE + 1;
        assert_in_range(i, 0, p->ids.n - 1);
        const cf_slice token = cf_tokenizer_token(r->tokenizer, p->ids.items[i]);
        for (size_t c = 0; c < token.n;) {
            const bool is_mark = token.n - c >= 3 && memcmp(token.data + c, mark, 3) == 0;
            assert_ok(cf_str_add(out, is_mark ? cf_slice_of(" ") : (cf_slice){token.data + c, 1}, report));
            c += is_mark ? 3 : 1;
        }
    }
}

static void assert_part(const char *name, const char *part, const char *expected, const cf_str *found)
{
    if (strcmp(found->data ? found->data : "", expected) != 0)
        fail_msg("%s: %s: expected \"%s\", found \"%s\"", name, part, expected, found->data ? found->data : "");
}

static void assert_span(size_t i, const char *part, const char *expected, const cf_runtime *r, const cf_prompt *p,
                        cf_span span)
{
    cf_str found = {0};
    add_tokens(&found, r, p, span);
    assert_part(cases[i].name, part, expected, &found);
    cf_str_deinit(&found);
}

static void assert_case(size_t i, const cf_runtime *r)
{
    const cf_object object = {.name = cf_slice_of(cases[i].object)};
    const cf_question q = {.text = cf_slice_of(cases[i].question),
                           .true_option = cf_slice_of(cases[i].true_option),
                           .false_option = cf_slice_of(cases[i].false_option),
                           .objects = &object,
                           .n_objects = 1};
    cf_prompt prompt = {0};
    cf_prompt_parts parts = {0};
    cf_str notes = {0}, roles = {0};
    const int32_t image_id = cf_checkpoint_config(r->checkpoint)->image_token_id;
    assert_ok(cf_prompt_create(&prompt, r->tokenizer, image_id, r->prompt, q.text, r->prompt_whole, report));
    assert_ok(cf_prompt_parts_find(&parts, &notes, r, &prompt, N_IMAGE, &q, report));
    assert_int_equal(parts.image.begin, prompt.image_index);
    assert_int_equal(parts.image.end, prompt.image_index + N_IMAGE);
    assert_span(i, "Question", cases[i].is_question, r, &prompt, parts.question);
    assert_span(i, "True Option", cases[i].is_true, r, &prompt, parts.true_option);
    assert_span(i, "False Option", cases[i].is_false, r, &prompt, parts.false_option);
    assert_span(i, "Central Object", cases[i].is_object, r, &prompt, parts.noun);
    assert_span(i, "Instruction", cases[i].instruction, r, &prompt, parts.instruction);
    for (size_t s = 0; s < parts.role_words.n; s++) {
        assert_ok(cf_str_add_text(&roles, s ? "|" : "", report));
        add_tokens(&roles, r, &prompt, parts.role_words.items[s]);
    }
    assert_part(cases[i].name, "Role Words", cases[i].role_words, &roles);
    assert_part(cases[i].name, "notes", cases[i].notes, &notes);
    cf_str_deinit(&roles);
    cf_str_deinit(&notes);
    cf_prompt_parts_deinit(&parts);
    cf_prompt_deinit(&prompt);
}

static void parts_are_found_in_every_kind_of_prompt(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_runtime r = {0};
        cf_runtime_options o = cf_runtime_options_default();
        o.model = "demo/model";
        o.prompt = cases[i].prompt;
        assert_ok(cf_runtime_open_files(&r, &o, report));
        assert_case(i, &r);
        cf_runtime_close(&r);
    }
}

int test_prompt_layout(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_found_in_every_kind_of_prompt),
    };
    return cmocka_run_group_tests_name("parts of a prompt", tests, NULL, NULL);
}
