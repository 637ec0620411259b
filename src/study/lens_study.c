/* lens_study.c - the lens job of a study; see lens_study.h. What is read of a sample is in lens_sample.h. */
#include "study/lens_study.h"

#include <stdlib.h>

#include "base/memory.h"
#include "study/lens_sample.h"
#include "study/study_facts.h"

typedef struct lenses {
    cf_lens_sample *places; /* [n_places] of the study */
    size_t n_places;
} lenses;

static cf_status add_facts(cf_facts *f, const cf_study_options *o, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_facts_add_text(f, true, "final norm on", o->lens_norm ? "every entry" : "the last entry", err));
    CF_TRY(cf_facts_add_number(f, true, "top tokens", o->top, err));
    CF_TRY(cf_facts_add_text(f, true, "positions", o->lens_image ? "image and last" : "last", err));
done:
    return st;
}

static cf_status open_places(void *user, cf_study *s, cf_error *err)
{
    lenses *all = user;
    void *places = NULL;
    cf_status st = cf_alloc(&places, s->n_places, sizeof *all->places, "samples", err);
    if (st != CF_OK)
        return st;
    all->places = places;
    all->n_places = s->n_places;
    for (size_t i = 0; st == CF_OK && i < all->n_places; i++)
        st = cf_lens_sample_open(&all->places[i], s, err);
    return st;
}

static cf_status plan_sample(void *user, cf_study *s, const cf_study_sample *x, int32_t *keep_from, cf_error *err)
{
    const lenses *all = user;
    (void)s;
    return cf_lens_sample_plan(&all->places[x->place], x, keep_from, err);
}

static cf_status ready_sample(void *user, cf_study *s, const cf_study_sample *x, cf_error *err)
{
    const lenses *all = user;
    (void)s;
    return cf_lens_sample_ready(&all->places[x->place], x, err);
}

static cf_status read_runs(const lenses *all, const cf_study *s, cf_study_sample *const *samples, size_t n,
                           cf_error *err)
{
    cf_status st = CF_OK;
    void *readers = NULL, *memory = NULL;
    if (s->runs.specs.n == 0)
        return CF_OK;
    CF_TRY(cf_alloc(&readers, n, sizeof(cf_sweep_reader), "tasks", err));
    CF_TRY(cf_alloc(&memory, n, sizeof(cf_sweep_task), "tasks", err));
    cf_sweep_reader *of = readers;
    cf_sweep_task *sweeps = memory;
    for (size_t i = 0; i < n; i++) {
        cf_lens_sample *l = &all->places[samples[i]->place];
        of[i] = cf_lens_sample_reader(l);
        sweeps[i] = (cf_sweep_task){samples[i]->session, l->planned.plan, &of[i]};
    }
    CF_TRY(cf_sweeps(sweeps, n, err));
done:
    free(readers);
    free(memory);
    return st;
}

static cf_status measure_samples(void *user, cf_study *s, cf_study_sample *const *samples, size_t n, cf_error *err)
{
    const lenses *all = user;
    cf_status st = CF_OK;
    for (size_t i = 0; i < n; i++)
        CF_TRY(cf_lens_sample_read(&all->places[samples[i]->place], samples[i], err));
    CF_TRY(read_runs(all, s, samples, n, err));
    for (size_t i = 0; i < n; i++) {
        const double length = (double)samples[i]->prepared.groups.length;
        CF_TRY(cf_lens_sample_finish(&all->places[samples[i]->place], samples[i], err));
        s->result.runs += (int64_t)s->runs.specs.n;
        s->result.row_layers_plain += (double)(s->runs.specs.n + 1) * length * (double)s->runs.n_layers;
    }
done:
    return st;
}

cf_status cf_lens(cf_study_result *out, const cf_study_options *o, cf_study_listener listen, void *user, cf_error *err)
{
    lenses all = {0};
    const cf_study_job job = {.name = "lens",
                              .user = &all,
                              .add_facts = add_facts,
                              .open = open_places,
                              .plan = plan_sample,
                              .ready = ready_sample,
                              .measure = measure_samples};
    const cf_status st = cf_study_run(out, o, &job, listen, user, err);
    for (size_t i = 0; i < all.n_places; i++)
        cf_lens_sample_close(&all.places[i]);
    free(all.places);
    return st;
}
