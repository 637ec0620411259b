/* sample_row.c - see sample_row.h. */
#include "study/sample_row.h"

#include <string.h>

void cf_sample_row_deinit(cf_sample_row *r)
{
    cf_str *all[] = {&r->id,     &r->image,     &r->question,    &r->answer,     &r->true_option, &r->false_option,
                     &r->object, &r->predicted, &r->first_token, &r->answer_ids, &r->groups,      &r->notes};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        cf_str_deinit(all[i]);
}

static const char *text_of(const cf_str *s)
{
    return s->data ? s->data : "";
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
                            .notes = ""};
done:
    return st;
}

/* Lines, without the last one's end. */
static cf_status copy_notes(cf_str *out, const cf_str *notes, cf_error *err)
{
    return cf_str_add(out, cf_slice_trim(cf_str_slice(notes)), err);
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
    out->predicted = text_of(&r->predicted);
    out->first_token = x->asked.first;
    out->first_token_text = text_of(&r->first_token);
    out->answer_ids = text_of(&r->answer_ids);
    out->true_token = x->asked.truth;
    out->groups = text_of(&r->groups);
    out->notes = text_of(&r->notes);
    out->probability = cf_softmax_probability(cf_session_logits(x->session), vocab, x->asked.first);
    out->n_tokens = p->groups.length;
    out->grid_h = p->grid_h;
    out->grid_w = p->grid_w;
    out->picture_w = x->picture.width;
    out->picture_h = x->picture.height;
    out->fitted_w = x->picture.tiling.grid.tile_w;
    out->fitted_h = x->picture.tiling.grid.tile_h;
done:
    return st;
}
