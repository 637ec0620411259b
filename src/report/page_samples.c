/* page_samples.c - see page_samples.h. One walk over the samples fills the lists; what was measured on a sample is read
 * as it passes. */
#include "report/page_samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/page_json.h"
#include "report/page_sample_row.h"
#include "report/page_values.h"
#include "store/mean.h"

typedef struct task_mean { /* of baselines; task NULL: of all tasks */
    char *task;
    cf_mean of[CF_N_MEASURES];
} task_mean;

typedef struct walk {
    const cf_page_samples_input *in;
    cf_page_pictures *pictures;
    cf_results_buffer results;
    cf_str samples, details; /* JSON lists without their brackets */
    int64_t n_samples;
    cf_page_values values;
    task_mean *tasks; /* in order */
    size_t n_tasks, cap_tasks;
    task_mean all;
} walk;

static void walk_deinit(walk *w)
{
    for (size_t i = 0; i < w->n_tasks; i++)
        free(w->tasks[i].task);
    free(w->tasks);
    cf_page_values_deinit(&w->values);
    cf_str_deinit(&w->samples);
    cf_str_deinit(&w->details);
    cf_results_buffer_deinit(&w->results);
}

/* ---- means of the baselines ---- */

static cf_status task_at_hand(walk *w, task_mean **out, const char *task, cf_error *err)
{
    cf_status st = CF_OK;
    void *items = w->tasks;
    if (!w->n_tasks || strcmp(w->tasks[w->n_tasks - 1].task, task) != 0) {
        CF_TRY(cf_grow(&items, &w->cap_tasks, w->n_tasks + 1, sizeof *w->tasks, "tasks of the page", err));
        w->tasks = items;
        w->tasks[w->n_tasks] = (task_mean){0};
        CF_TRY(cf_strdup(&w->tasks[w->n_tasks].task, cf_slice_of(task), err));
        w->n_tasks++;
    }
    *out = &w->tasks[w->n_tasks - 1];
done:
    return st;
}

static void count_baseline(walk *w, task_mean *task, cf_measure m, double v)
{
    if (isnan(v))
        return;
    cf_mean_add(&task->of[m], v);
    cf_mean_add(&w->all.of[m], v);
}

static cf_status count_baselines(walk *w, const cf_sample *x, cf_error *err)
{
    const cf_results *r = &w->results.results;
    task_mean *task = NULL;
    const cf_status st = task_at_hand(w, &task, x->task, err);
    if (st != CF_OK)
        return st;
    count_baseline(w, task, CF_MEASURE_PROBABILITY, x->probability);
    for (size_t i = 0; i < r->n_baselines; i++)
        count_baseline(w, task, r->baselines[i].measure, r->baselines[i].value);
    return CF_OK;
}

static cf_status add_task_means(cf_str *json, const walk *w, const task_mean *t, cf_error *err)
{
    cf_status st = CF_OK;
    for (int m = 0; m < CF_N_MEASURES; m++) {
        if (!w->in->has[m])
            continue;
        const cf_point p = cf_mean_point(&t->of[m], 0);
        CF_TRY(cf_page_next(json, err));
        CF_TRY(cf_str_add_text(json, "{", err));
        if (t->task)
            CF_TRY(cf_page_text(json, "task", t->task, err));
        else
            CF_TRY(cf_page_index(json, "task", -1, err));
        CF_TRY(cf_page_text(json, "measure", cf_measure_name((cf_measure)m), err));
        CF_TRY(cf_page_integer(json, "n", p.n, err));
        CF_TRY(cf_page_number(json, "mean", p.mean, err));
        CF_TRY(cf_page_number(json, "low", p.low, err));
        CF_TRY(cf_page_number(json, "high", p.high, err));
        CF_TRY(cf_str_add_text(json, "}", err));
    }
done:
    return st;
}

static cf_status add_means(cf_str *json, const walk *w, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_page_name(json, "baselines", err));
    CF_TRY(cf_str_add_text(json, "[", err));
    for (size_t i = 0; i < w->n_tasks; i++)
        CF_TRY(add_task_means(json, w, &w->tasks[i], err));
    if (w->n_tasks > 1)
        CF_TRY(add_task_means(json, w, &w->all, err));
    CF_TRY(cf_str_add_text(json, "]", err));
done:
    return st;
}

/* ---- the walk ---- */

static cf_status add_sample(walk *w, const cf_sample *x, bool chosen, cf_error *err)
{
    const cf_results *r = &w->results.results;
    const char *path = cf_store_path(w->in->store);
    cf_status st = CF_OK;
    int64_t picture = -1;
    if (chosen)
        CF_TRY(cf_page_pictures_find(w->pictures, &picture, w->in->images, x->image, err));
    CF_TRY(cf_page_sample_add(&w->samples, w->n_samples, x, r, picture, chosen, path, err));
    if (chosen)
        CF_TRY(cf_page_detail_add(&w->details, w->n_samples, r, w->in->runs, path, err));
    if (r->n_values)
        CF_TRY(cf_page_values_put(&w->values, w->n_samples, x, r, chosen, path, err));
done:
    return st;
}

static cf_status visit(void *user, const cf_sample *x, cf_error *err)
{
    walk *w = user;
    const bool done = x->status == CF_SAMPLE_DONE, chosen = cf_page_choice_has(w->in->choice, x->task, x->row);
    const unsigned parts = CF_READ_BASELINES | (done && w->in->runs->n ? (unsigned)CF_READ_VALUES : 0U) |
                           (chosen ? (unsigned)CF_READ_ANSWERS | (unsigned)CF_READ_LENS : 0U);
    cf_status st = CF_OK;
    CF_TRY(cf_store_read_results(w->in->store, &w->results, x->task, x->row, parts, err));
    CF_TRY(add_sample(w, x, chosen, err));
    if (done)
        CF_TRY(count_baselines(w, x, err));
    w->n_samples++;
done:
    return st;
}

/* A list as a blob. */
static cf_status add_list(cf_str *json, cf_page_blobs *blobs, const char *name, const cf_str *elements, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str list = {0};
    CF_TRY(cf_str_add_text(&list, "[", err));
    CF_TRY(cf_str_add(&list, cf_str_slice(elements), err));
    CF_TRY(cf_str_add_text(&list, "]", err));
    CF_TRY(cf_page_blob_json(blobs, json, name, cf_str_slice(&list), err));
done:
    cf_str_deinit(&list);
    return st;
}

cf_status cf_page_samples_add(cf_str *json, cf_page_blobs *blobs, cf_page_pictures *pictures,
                              const cf_page_samples_input *in, int64_t *room, bool *left_out, cf_error *err)
{
    cf_status st = CF_OK;
    walk w = {.in = in, .pictures = pictures};
    CF_TRY(cf_page_values_init(&w.values, in->runs, in->has, in->n_done, room, left_out, err));
    CF_TRY(cf_store_each_sample(in->store, visit, &w, err));
    CF_TRY(add_means(json, &w, err));
    CF_TRY(add_list(json, blobs, "samples", &w.samples, err));
    CF_TRY(cf_page_integer(json, "nSamples", w.n_samples, err));
    CF_TRY(cf_page_values_add(json, blobs, &w.values, err));
    CF_TRY(add_list(json, blobs, "details", &w.details, err));
done:
    walk_deinit(&w);
    return st;
}
