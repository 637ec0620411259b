/* flight.c - see flight.h.
 *
 * What belongs to one sample can fail for it alone: from then on its place is out, and its fault is its row. What samples
 * do together ends the study where it fails. */
#include "study/flight.h"

#include <stdlib.h>

#include "base/memory.h"
#include "study/answer_tokens.h"
#include "study/question_queue.h"
#include "study/sample_row.h"

typedef struct place {
    cf_study_sample sample;
    cf_sample_row row;
    int32_t keep_from;
    cf_error fault; /* of the sample, where `out` */
    bool out;
} place;

struct cf_flight {
    place *places;
    size_t n_places, n;
    cf_question_queue *questions;
};

/* ---- places ---- */

static void clear_place(place *p)
{
    cf_sample_row_deinit(&p->row);
    cf_prepared_deinit(&p->sample.prepared);
    cf_str_deinit(&p->sample.predicted);
}

static cf_status open_place(cf_flight *f, size_t i, const cf_study *s, cf_error *err)
{
    cf_study_sample *x = &f->places[i].sample;
    cf_status st = CF_OK;
    void *ids = NULL;
    x->place = i;
    if (i == 0)
        CF_TRY(cf_session_create(&x->session, s->runtime.model, s->o->reuse && s->runtime.row_invariant, err));
    else
        CF_TRY(cf_session_create_beside(&x->session, f->places[0].sample.session, err));
    CF_TRY(cf_alloc(&ids, (size_t)s->o->max_new_tokens, sizeof *x->answer_ids, "answer tokens", err));
    x->answer_ids = ids;
done:
    return st;
}

cf_status cf_flight_create(cf_flight **out, const cf_study *s, cf_error *err)
{
    cf_status st = CF_OK;
    void *places = NULL;
    cf_flight *f = calloc(1, sizeof *f);
    if (!f)
        return cf_fail(err, CF_NOMEM, "no memory for samples");
    CF_TRY(cf_alloc(&places, s->n_places, sizeof *f->places, "samples", err));
    f->places = places;
    f->n_places = s->n_places;
    for (size_t i = 0; i < f->n_places; i++)
        CF_TRY(open_place(f, i, s, err));
    CF_TRY(cf_question_queue_create(&f->questions, &s->runtime, s->images, s->list.items, s->list.n_items, s->n_places,
                                    s->n_places, err));
    *out = f;
    f = NULL;
done:
    cf_flight_free(f);
    return st;
}

void cf_flight_free(cf_flight *f)
{
    if (!f)
        return;
    cf_question_queue_free(f->questions);
    for (size_t i = f->n_places; i-- > 0;) { /* the first session's buffers are the others' too */
        place *p = &f->places[i];
        clear_place(p);
        cf_session_free(p->sample.session);
        free(p->sample.answer_ids);
    }
    free(f->places);
    free(f);
}

size_t cf_flight_n(const cf_flight *f)
{
    return f->n;
}

const char *cf_flight_task(const cf_flight *f, size_t i)
{
    return f->places[i].sample.task;
}

void cf_flight_clear(cf_flight *f)
{
    f->n = 0;
}

int64_t cf_flight_decoder_macs(const cf_flight *f)
{
    return cf_session_decoder_macs(f->places[0].sample.session); /* the others are beside it */
}

/* ---- what belongs to one sample ---- */

/* Faults that belong to one question; anything else ends the study. */
static bool is_row_fault(cf_status s)
{
    return s == CF_IO || s == CF_FORMAT || s == CF_MISMATCH || s == CF_UNSUPPORTED;
}

/* Passes on how something went for one sample, its message in p->fault: a fault of its own takes the place out. */
static cf_status settle(place *p, cf_status st, cf_error *err)
{
    p->out = st != CF_OK;
    if (st == CF_OK || is_row_fault(st))
        return CF_OK;
    *err = p->fault;
    return st;
}

/* Picture, prompt, plan. */
static cf_status prepare(const cf_flight *f, place *p, cf_study *s, const cf_list_item *item, cf_error *err)
{
    cf_study_sample *x = &p->sample;
    cf_status st = CF_OK;
    CF_TRY(cf_question_queue_take(f->questions, item, &x->prepared, &x->picture, err));
    x->scene = cf_prepared_scene(&x->prepared, &s->runtime, x->picture);
    CF_TRY(s->job->plan(s->job->user, s, x, &p->keep_from, err));
    CF_TRY(cf_session_begin(x->session, &x->prepared.input, s->o->max_new_tokens, err));
done:
    return st;
}

cf_status cf_flight_take(cf_flight *f, cf_study *s, const cf_list_item *item, cf_error *err)
{
    place *p = &f->places[f->n];
    cf_study_sample *x = &p->sample;
    cf_status st = CF_OK;
    char *path = NULL;
    clear_place(p);
    x->task = cf_question_set_task(item->set);
    p->row = (cf_sample_row){0};
    x->question = item->question;
    x->row = item->row;
    x->results = (cf_results){0};
    CF_TRY(cf_picture_path(&path, s->images, x->question->image, err));
    CF_TRY(cf_sample_row_question(&p->row, x->question, x->task, item->row, path, err));
    CF_TRY(settle(p, prepare(f, p, s, item, &p->fault), err));
    f->n++;
done:
    free(path);
    return st;
}

static bool is_kept(cf_keep keep, bool correct)
{
    return keep == CF_KEEP_ALL || (keep == CF_KEEP_CORRECT) == correct;
}

/* The tokens that the sample is scored by. */
static cf_status choose_tokens(const cf_study *s, cf_study_sample *x, int32_t n_generated, cf_error *err)
{
    const cf_question *q = x->question;
    const cf_slice predicted = cf_str_slice(&x->predicted);
    cf_asked *a = &x->asked;
    cf_status st = CF_OK;
    *a = (cf_asked){.answer = x->answer_ids,
                    .n_answer = cf_answer_length(&s->runtime, x->answer_ids, n_generated),
                    .first = x->answer_ids[0],
                    .true_option = -1,
                    .false_option = -1};
    CF_TRY(cf_first_token_like(&a->truth, &s->runtime, q->answer, predicted, err));
    if (q->true_option.n && q->false_option.n) {
        CF_TRY(cf_first_token_like(&a->true_option, &s->runtime, q->true_option, predicted, err));
        CF_TRY(cf_first_token_like(&a->false_option, &s->runtime, q->false_option, predicted, err));
    }
done:
    return st;
}

/* From the ids of its answer on. */
static cf_status take_answer(place *p, cf_study *s, int32_t n_ids, cf_error *err)
{
    cf_study_sample *x = &p->sample;
    cf_status st = CF_OK;
    CF_TRY(cf_answer_text(&x->predicted, &s->runtime, x->answer_ids, n_ids, err));
    CF_TRY(choose_tokens(s, x, n_ids, err));
    CF_TRY(cf_sample_row_answer(&p->row, s, x, err));
    p->row.sample.status = CF_SAMPLE_WRONG;
    if (is_kept(s->o->keep, cf_answer_is(cf_str_slice(&x->predicted), x->question->answer))) {
        CF_TRY(s->job->ready(s->job->user, s, x, err));
        p->row.sample.status = CF_SAMPLE_DONE;
    }
done:
    return st;
}

/* ---- together ---- */

typedef struct tasks { /* [n_places] each */
    cf_baseline_task *baselines;
    cf_generate_task *answers;
    place **of; /* whose they are */
    cf_study_sample **kept;
} tasks;

static void free_tasks(tasks *t)
{
    free(t->baselines);
    free(t->answers);
    free(t->of);
    free(t->kept);
}

static cf_status create_tasks(tasks *t, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL;
    CF_TRY(cf_alloc(&memory, n, sizeof *t->baselines, "tasks", err));
    t->baselines = memory;
    CF_TRY(cf_alloc(&memory, n, sizeof *t->answers, "tasks", err));
    t->answers = memory;
    CF_TRY(cf_alloc(&memory, n, sizeof(place *), "tasks", err));
    t->of = memory;
    CF_TRY(cf_alloc(&memory, n, sizeof(cf_study_sample *), "tasks", err));
    t->kept = memory;
done:
    return st;
}

cf_status cf_flight_measure(cf_flight *f, cf_study *s, cf_error *err)
{
    cf_status st = CF_OK;
    tasks t = {0};
    size_t n = 0, n_kept = 0;
    CF_TRY(create_tasks(&t, f->n, err));
    for (size_t i = 0; i < f->n; i++) {
        place *p = &f->places[i];
        if (p->out)
            continue;
        t.baselines[n] = (cf_baseline_task){p->sample.session, p->keep_from};
        t.answers[n] = (cf_generate_task){p->sample.session, p->sample.answer_ids, 0};
        t.of[n++] = p;
    }
    CF_TRY(cf_sessions_baseline(t.baselines, n, err));
    CF_TRY(cf_sessions_generate(t.answers, n, s->o->max_new_tokens, err));
    for (size_t i = 0; i < n; i++) {
        place *p = t.of[i];
        CF_TRY(settle(p, take_answer(p, s, t.answers[i].n, &p->fault), err));
        if (!p->out && p->row.sample.status == CF_SAMPLE_DONE)
            t.kept[n_kept++] = &p->sample;
    }
    if (n_kept)
        CF_TRY(s->job->measure(s->job->user, s, t.kept, n_kept, err));
done:
    free_tasks(&t);
    return st;
}

cf_status cf_flight_commit(cf_flight *f, cf_study *s, size_t i, cf_error *err)
{
    place *p = &f->places[i];
    cf_sample *row = &p->row.sample;
    if (p->out) {
        row->status = CF_SAMPLE_FAULT;
        row->reason = p->fault.text;
    }
    const cf_status st = cf_store_put_sample(s->store, row, &p->sample.results, err);
    if (st != CF_OK)
        return st;
    s->result.traced += row->status == CF_SAMPLE_DONE;
    s->result.noted += row->notes[0] != '\0';
    return CF_OK;
}
