/* page_sample_row.c - see page_sample_row.h. */
#include "report/page_sample_row.h"

#include "base/json_text.h"
#include "report/page_json.h"

enum { TOP_WORDS = 10 };

/* ---- what is known of a sample ---- */

static cf_status add_baselines(cf_str *out, const cf_results *r, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_page_name(out, "baselines", err));
    CF_TRY(cf_str_add_text(out, "{", err));
    for (size_t i = 0; i < r->n_baselines; i++)
        CF_TRY(cf_page_number(out, cf_measure_name(r->baselines[i].measure), r->baselines[i].value, err));
    CF_TRY(cf_str_add_text(out, "}", err));
done:
    return st;
}

static cf_status add_question(cf_str *out, const cf_sample *x, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_page_text(out, "task", x->task, err));
    CF_TRY(cf_page_integer(out, "row", x->row, err));
    CF_TRY(cf_page_text(out, "questionId", x->question_id, err));
    CF_TRY(cf_page_text(out, "image", x->image, err));
    CF_TRY(cf_page_text(out, "question", x->question, err));
    CF_TRY(cf_page_text(out, "answer", x->answer, err));
    CF_TRY(cf_page_text(out, "trueOption", x->true_option, err));
    CF_TRY(cf_page_text(out, "falseOption", x->false_option, err));
    CF_TRY(cf_page_text(out, "object", x->object, err));
    CF_TRY(cf_page_text(out, "status", cf_sample_status_name(x->status), err));
    CF_TRY(cf_page_text(out, "reason", x->reason, err));
done:
    return st;
}

static cf_status add_answer(cf_str *out, const cf_sample *x, const cf_results *r, const char *path, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_page_text(out, "predicted", x->predicted, err));
    CF_TRY(cf_page_integer(out, "firstToken", x->first_token, err));
    CF_TRY(cf_page_text(out, "firstTokenText", x->first_token_text, err));
    CF_TRY(cf_page_number(out, "probability", x->probability, err));
    CF_TRY(add_baselines(out, r, err));
    CF_TRY(cf_page_integer(out, "nTokens", x->n_tokens, err));
    CF_TRY(cf_page_stored(out, "tokens", x->tokens, CF_JSON_ARRAY, path, err));
    CF_TRY(cf_page_stored(out, "groups", x->groups, CF_JSON_OBJECT, path, err));
    CF_TRY(cf_page_name(out, "notes", err));
    CF_TRY(cf_json_add_lines(out, x->notes, err));
    CF_TRY(cf_page_integer(out, "pictureWidth", x->picture_w, err));
    CF_TRY(cf_page_integer(out, "pictureHeight", x->picture_h, err));
    CF_TRY(cf_page_stored(out, "boxes", x->boxes, CF_JSON_ARRAY, path, err));
    CF_TRY(cf_page_stored(out, "grids", x->patches, CF_JSON_ARRAY, path, err));
done:
    return st;
}

cf_status cf_page_sample_add(cf_str *out, int64_t index, const cf_sample *x, const cf_results *r, int64_t picture,
                             bool detailed, const char *path, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(out, out->n ? ",{" : "{", err));
    CF_TRY(cf_page_integer(out, "index", index, err));
    CF_TRY(add_question(out, x, err));
    CF_TRY(add_answer(out, x, r, path, err));
    CF_TRY(cf_page_index(out, "picture", picture, err));
    CF_TRY(cf_page_bool(out, "detailed", detailed, err));
    CF_TRY(cf_str_add_text(out, "}", err));
done:
    return st;
}

/* ---- more of a chosen one ---- */

static cf_status add_words(cf_str *out, const char *name, const char *json, const char *path, cf_error *err)
{
    cf_status st = CF_OK;
    cf_json *list = NULL;
    CF_TRY(cf_json_parse(&list, cf_slice_of(json), path, err));
    CF_TRY(cf_page_name(out, name, err));
    CF_TRY(cf_page_add_node(out, list, TOP_WORDS, err));
done:
    cf_json_free(list);
    return st;
}

static cf_status add_lens_entry(cf_str *out, const cf_lens_entry *e, const char *path, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_page_next(out, err));
    CF_TRY(cf_str_add_text(out, "{", err));
    CF_TRY(cf_page_integer(out, "layer", e->layer, err));
    CF_TRY(cf_page_number(out, "answer", e->answer, err));
    CF_TRY(cf_page_number(out, "answerUpper", e->answer_upper, err));
    CF_TRY(cf_page_number(out, "option", e->option, err));
    CF_TRY(cf_page_number(out, "optionUpper", e->option_upper, err));
    CF_TRY(add_words(out, "words", e->words, path, err));
    CF_TRY(add_words(out, "scores", e->scores, path, err));
    CF_TRY(cf_str_add_text(out, "}", err));
done:
    return st;
}

cf_status cf_page_detail_add(cf_str *out, int64_t index, const cf_results *r, const cf_page_runs *runs,
                             const char *path, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(out, out->n ? ",{" : "{", err));
    CF_TRY(cf_page_integer(out, "sample", index, err));
    CF_TRY(cf_page_name(out, "answers", err));
    CF_TRY(cf_str_add_text(out, "[", err));
    for (size_t i = 0; i < r->n_answers; i++) {
        size_t run = 0;
        if (!cf_page_runs_find(&run, runs, r->answers[i].run))
            continue;
        CF_TRY(cf_page_next(out, err));
        CF_TRY(cf_str_add_text(out, "{", err));
        CF_TRY(cf_page_integer(out, "run", (int64_t)run, err));
        CF_TRY(cf_page_text(out, "text", r->answers[i].text, err));
        CF_TRY(cf_str_add_text(out, "}", err));
    }
    CF_TRY(cf_str_add_text(out, "]", err));
    CF_TRY(cf_page_name(out, "lens", err));
    CF_TRY(cf_str_add_text(out, "[", err));
    for (size_t i = 0; i < r->n_lens; i++)
        CF_TRY(add_lens_entry(out, &r->lens[i], path, err));
    CF_TRY(cf_str_add_text(out, "]}", err));
done:
    return st;
}
