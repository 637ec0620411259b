/* sample_row.c - see sample_row.h. */
#include "study/sample_row.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"
#include "image/patch_area.h"

void cf_sample_row_deinit(cf_sample_row *r)
{
    cf_str *all[] = {&r->id,           &r->image,  &r->question,  &r->answer,      &r->true_option,
                     &r->false_option, &r->object, &r->predicted, &r->first_token, &r->answer_ids,
                     &r->groups,       &r->notes,  &r->boxes,     &r->tokens,      &r->patches};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        cf_str_deinit(all[i]);
}

static const char *text_of(const cf_str *s)
{
    return s->data ? s->data : "";
}

static cf_status add_boxes(cf_str *out, const cf_question *q, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str name = {0};
    CF_TRY(cf_str_add_text(out, "[", err));
    for (int32_t i = 0; i < q->n_objects; i++) {
        const cf_object *o = &q->objects[i];
        if (!o->has_box)
            continue;
        cf_str_clear(&name);
        CF_TRY(cf_str_add(&name, o->name, err));
        CF_TRY(cf_str_add_text(out, out->n > 1 ? ",{\"name\":" : "{\"name\":", err));
        CF_TRY(cf_json_add_string(out, text_of(&name), err));
        CF_TRY(cf_str_addf(out, err, ",\"x\":%lld,\"y\":%lld,\"w\":%lld,\"h\":%lld}", (long long)o->x, (long long)o->y,
                           (long long)o->w, (long long)o->h));
    }
    CF_TRY(cf_str_add_text(out, "]", err));
done:
    cf_str_deinit(&name);
    return st;
}

cf_status cf_sample_row_question(cf_sample_row *r, const cf_question *q, const char *task, int64_t number,
                                 const char *path, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add(&r->id, q->id, err));
    CF_TRY(cf_str_add_text(&r->image, strrchr(path, '/') ? strrchr(path, '/') + 1 : path, err));
    CF_TRY(cf_str_add(&r->question, q->text, err));
    CF_TRY(cf_str_add(&r->answer, q->answer, err));
    CF_TRY(cf_str_add(&r->true_option, q->true_option, err));
    CF_TRY(cf_str_add(&r->false_option, q->false_option, err));
    for (int32_t i = 0; i < q->n_objects; i++) {
        if (i)
            CF_TRY(cf_str_add_text(&r->object, ", ", err));
        CF_TRY(cf_str_add(&r->object, q->objects[i].name, err));
    }
    CF_TRY(add_boxes(&r->boxes, q, err));
    r->sample = (cf_sample){.task = task,
                            .row = number,
                            .question_id = text_of(&r->id),
                            .image = text_of(&r->image),
                            .question = text_of(&r->question),
                            .answer = text_of(&r->answer),
                            .true_option = text_of(&r->true_option),
                            .false_option = text_of(&r->false_option),
                            .object = text_of(&r->object),
                            .reason = "",
                            .predicted = "",
                            .first_token = -1,
                            .first_token_text = "",
                            .answer_ids = "[]",
                            .true_token = -1,
                            .groups = "{}",
                            .notes = "",
                            .tokens = "[]",
                            .boxes = text_of(&r->boxes),
                            .patches = "[]"};
done:
    return st;
}

/* Lines, without the last one's end. */
static cf_status copy_notes(cf_str *out, const cf_str *notes, cf_error *err)
{
    return cf_str_add(out, cf_slice_trim(cf_str_slice(notes)), err);
}

/* The texts of the vocabulary; one null for the picture. */
static cf_status add_tokens(cf_str *out, const cf_runtime *r, const cf_prompt *prompt, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str token = {0};
    CF_TRY(cf_str_add_text(out, "[", err));
    for (size_t i = 0; i < prompt->ids.n; i++) {
        CF_TRY(cf_str_add_text(out, i ? "," : "", err));
        if (i == (size_t)prompt->image_index) {
            CF_TRY(cf_str_add_text(out, "null", err));
            continue;
        }
        cf_str_clear(&token);
        CF_TRY(cf_str_add(&token, cf_tokenizer_token(r->tokenizer, prompt->ids.items[i]), err));
        CF_TRY(cf_json_add_string(out, text_of(&token), err));
    }
    CF_TRY(cf_str_add_text(out, "]", err));
done:
    cf_str_deinit(&token);
    return st;
}

static cf_status add_number(cf_str *out, const char *name, double v, cf_error *err)
{
    const cf_status st = cf_str_addf(out, err, ",\"%s\":", name);
    return st == CF_OK ? cf_json_add_number(out, v, err) : st;
}

/* begin: the picture's first position in the prompt. */
static cf_status add_patches(cf_str *out, const cf_tile_grid *g, const cf_runtime *r, int32_t begin, cf_error *err)
{
    cf_status st = CF_OK;
    cf_patch_area *areas = NULL;
    size_t n = 0;
    CF_TRY(cf_patch_areas(&areas, &n, g, &r->preprocess, &r->packing, err));
    CF_TRY(cf_str_add_text(out, "[", err));
    for (size_t i = 0; i < n; i++) {
        const cf_patch_area *a = &areas[i];
        CF_TRY(cf_str_addf(out, err, "%s{\"kind\":\"%s\",\"at\":%d,\"rows\":%d,\"columns\":%d,\"newline\":%d",
                           i ? "," : "", a->role == CF_PATCH_BASE ? "base" : "hd", begin + a->at, a->rows, a->columns,
                           a->newline));
        CF_TRY(add_number(out, "x", a->x, err));
        CF_TRY(add_number(out, "y", a->y, err));
        CF_TRY(add_number(out, "dx", a->dx, err));
        CF_TRY(add_number(out, "dy", a->dy, err));
        CF_TRY(cf_str_add_text(out, "}", err));
    }
    CF_TRY(cf_str_add_text(out, "]", err));
done:
    free(areas);
    return st;
}

cf_status cf_sample_row_answer(cf_sample_row *r, const cf_study *s, const cf_study_sample *x, cf_error *err)
{
    const cf_prepared *p = &x->prepared;
    const int64_t vocab = cf_checkpoint_config(s->runtime.checkpoint)->text.vocab_size;
    cf_sample *out = &r->sample;
    cf_status st = CF_OK;
    CF_TRY(cf_str_add(&r->predicted, cf_str_slice(&x->predicted), err));
    CF_TRY(cf_str_add(&r->first_token, cf_tokenizer_token(s->runtime.tokenizer, x->asked.first), err));
    CF_TRY(cf_str_add_text(&r->answer_ids, "[", err));
    for (int32_t i = 0; i < x->asked.n_answer; i++)
        CF_TRY(cf_str_addf(&r->answer_ids, err, "%s%d", i ? "," : "", x->asked.answer[i]));
    CF_TRY(cf_str_add_text(&r->answer_ids, "]", err));
    CF_TRY(cf_groups_json(&r->groups, &p->groups, err));
    CF_TRY(copy_notes(&r->notes, &p->notes, err));
    CF_TRY(add_tokens(&r->tokens, &s->runtime, &p->prompt, err));
    CF_TRY(add_patches(&r->patches, &x->picture->tiling.grid, &s->runtime, p->image.begin, err));
    out->predicted = text_of(&r->predicted);
    out->first_token = x->asked.first;
    out->first_token_text = text_of(&r->first_token);
    out->answer_ids = text_of(&r->answer_ids);
    out->true_token = x->asked.truth;
    out->groups = text_of(&r->groups);
    out->notes = text_of(&r->notes);
    out->tokens = text_of(&r->tokens);
    out->patches = text_of(&r->patches);
    out->probability = cf_softmax_probability(cf_session_logits(x->session), vocab, x->asked.first);
    out->n_tokens = p->groups.length;
    out->grid_h = p->grid_h;
    out->grid_w = p->grid_w;
    out->picture_w = x->picture->width;
    out->picture_h = x->picture->height;
    out->fitted_w = x->picture->tiling.grid.tile_w;
    out->fitted_h = x->picture->tiling.grid.tile_h;
done:
    return st;
}
