/* prompt_layout.c - see prompt_layout.h. */
#include "study/prompt_layout.h"

#include <string.h>

/* Of the chat templates that crossflow knows; any template that uses one of them has role words. */
static const char *const role_words[] = {
    "USER:",
    "ASSISTANT:",
    "[INST]",
    "[/INST]",
    "<|start_header_id|>system<|end_header_id|>",
    "<|start_header_id|>user<|end_header_id|>",
    "<|start_header_id|>assistant<|end_header_id|>",
};
enum { N_ROLE_WORDS = sizeof role_words / sizeof role_words[0] };

/* Of those templates that close a turn: no role word, and no word of the instruction before it. */
static const char end_of_turn[] = "<|eot_id|>";

void cf_prompt_parts_deinit(cf_prompt_parts *p)
{
    cf_spans_deinit(&p->role_words);
}

/* A prompt's ids and how they map to positions. */
typedef struct searched {
    const cf_tokenizer *tokenizer;
    const cf_prompt *prompt;
    int32_t n_image;
} searched;

/* A span of ids that does not hold the picture, as positions. */
static cf_span positions_of(const searched *s, size_t begin, cf_span found)
{
    const int32_t first = (int32_t)begin + found.begin;
    const int32_t shift = first > s->prompt->image_index ? s->n_image - 1 : 0;
    return (cf_span){first + shift, first + shift + found.end - found.begin};
}

/* The first occurrence of text among ids [begin, end), as positions; *n_found: all of them, 0 where there is none. */
static cf_status find(cf_span *out, int64_t *n_found, const searched *s, size_t begin, size_t end, cf_slice text,
                      cf_error *err)
{
    cf_error ignored = {0};
    cf_span found = {0};
    *n_found = 0;
    if (begin >= end)
        return CF_OK;
    const cf_status st =
        cf_text_find(&found, n_found, s->tokenizer, s->prompt->ids.items + begin, end - begin, text, &ignored);
    if (st == CF_MISMATCH)
        return CF_OK;
    if (st != CF_OK) {
        *err = ignored;
        return st;
    }
    *out = positions_of(s, begin, found);
    return CF_OK;
}

static int quoted(cf_slice text)
{
    return (int)(text.n < 80 ? text.n : 80);
}

/* An option or a name, after the picture. */
static cf_status find_named(cf_span *out, cf_str *notes, const searched *s, const char *name, cf_slice text,
                            cf_error *err)
{
    int64_t n = 0;
    if (!text.n)
        return CF_OK;
    const size_t after = (size_t)s->prompt->image_index + 1;
    cf_status st = find(out, &n, s, after, s->prompt->ids.n, text, err);
    if (st == CF_OK && n == 0)
        st = cf_str_addf(notes, err, "%s \"%.*s\" does not occur after the picture\n", name, quoted(text), text.data);
    else if (st == CF_OK && n > 1)
        st = cf_str_addf(notes, err, "%s \"%.*s\" occurs %lld times after the picture: the first is taken\n", name,
                         quoted(text), text.data, (long long)n);
    return st;
}

static cf_status find_question(cf_span *out, cf_str *notes, const searched *s, cf_slice text, cf_error *err)
{
    const size_t after = (size_t)s->prompt->image_index + 1;
    int64_t n = 0;
    cf_span found = {0};
    cf_status st =
        cf_text_find(&found, &n, s->tokenizer, s->prompt->ids.items + after, s->prompt->ids.n - after, text, err);
    if (st == CF_OK && n > 1)
        st =
            cf_str_addf(notes, err, "Question occurs %lld times after the picture: the first is taken\n", (long long)n);
    if (st == CF_OK)
        *out = positions_of(s, after, found);
    return st;
}

static void end_before(cf_slice *text, const char *mark)
{
    const int64_t at = cf_slice_find(*text, cf_slice_of(mark), 0);
    if (at >= 0)
        text->n = (size_t)at;
}

/* The template's text after the question (and the picture), up to the end of the turn, without blanks at its ends. */
static cf_slice instruction_of(const char *template_text)
{
    static const char image[] = "<image>", question[] = "{question}";
    const cf_slice t = cf_slice_of(template_text);
    const int64_t i = cf_slice_find(t, cf_slice_of(image), 0), q = cf_slice_find(t, cf_slice_of(question), 0);
    const size_t image_end = i < 0 ? 0 : (size_t)i + strlen(image),
                 question_end = q < 0 ? 0 : (size_t)q + strlen(question);
    const size_t begin = image_end > question_end ? image_end : question_end;
    cf_slice rest = {t.data + begin, t.n - begin};
    end_before(&rest, end_of_turn);
    for (int w = 0; w < N_ROLE_WORDS; w++)
        end_before(&rest, role_words[w]);
    return cf_slice_trim(rest);
}

/* Adds a span to a list of any order. */
static cf_status join(cf_spans *list, cf_span one, cf_error *err)
{
    cf_spans added = {0}, sum = {0};
    cf_status st = CF_OK;
    CF_TRY(cf_spans_add(&added, one.begin, one.end, err));
    CF_TRY(cf_spans_union(&sum, list, &added, err));
    cf_spans_deinit(list);
    *list = sum;
    sum = (cf_spans){0};
done:
    cf_spans_deinit(&added);
    cf_spans_deinit(&sum);
    return st;
}

enum { N_SIDES = 3 };

/* Role words of the template: before the picture, between it and the question, after the question (ids [begin, end)). */
static cf_status find_role_words(cf_spans *out, const searched *s, size_t question_begin, size_t question_end,
                                 const char *template_text, cf_error *err)
{
    const size_t begins[N_SIDES] = {0, (size_t)s->prompt->image_index + 1, question_end};
    const size_t ends[N_SIDES] = {(size_t)s->prompt->image_index, question_begin, s->prompt->ids.n};
    cf_status st = CF_OK;
    for (int w = 0; w < N_ROLE_WORDS; w++) {
        const cf_slice word = cf_slice_of(role_words[w]);
        if (cf_slice_find(cf_slice_of(template_text), word, 0) < 0)
            continue;
        for (int side = 0; side < N_SIDES; side++) {
            cf_span one = {0};
            int64_t n = 0;
            CF_TRY(find(&one, &n, s, begins[side], ends[side], word, err));
            CF_TRY(join(out, one, err)); /* words that share a token overlap in it; none is an empty span */
        }
    }
done:
    return st;
}

/* The name of the first object that has one. */
static cf_slice noun_of(const cf_question *q)
{
    for (int32_t i = 0; i < q->n_objects; i++)
        if (q->objects[i].name.n)
            return q->objects[i].name;
    return (cf_slice){0};
}

cf_status cf_prompt_parts_find(cf_prompt_parts *out, cf_str *notes, const cf_runtime *r, const cf_prompt *prompt,
                               int32_t n_image, const cf_question *q, cf_error *err)
{
    const searched s = {r->tokenizer, prompt, n_image};
    cf_status st = CF_OK;
    int64_t n = 0;
    cf_prompt_parts p = {.image = {prompt->image_index, prompt->image_index + n_image}};
    CF_TRY(find_question(&p.question, notes, &s, q->text, err));
    CF_TRY(find_named(&p.true_option, notes, &s, "True Option", q->true_option, err));
    CF_TRY(find_named(&p.false_option, notes, &s, "False Option", q->false_option, err));
    CF_TRY(find_named(&p.noun, notes, &s, "Central Object", noun_of(q), err));
    const size_t before_question = (size_t)(p.question.begin - n_image + 1);
    const size_t after_question = (size_t)(p.question.end - n_image + 1);
    const cf_slice instruction = instruction_of(r->prompt);
    if (instruction.n)
        CF_TRY(find(&p.instruction, &n, &s, after_question, prompt->ids.n, instruction, err));
    CF_TRY(find_role_words(&p.role_words, &s, before_question, after_question, r->prompt, err));
    *out = p;
    p = (cf_prompt_parts){0};
done:
    cf_prompt_parts_deinit(&p);
    return st;
}
