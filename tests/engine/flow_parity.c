/* flow_parity.c - see flow_parity.h. */
#include "flow_parity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/sweep.h"

/* What the golden says of one run; -1: a rank or token that depends on rounding, and is not recorded. */
typedef struct golden_run {
    size_t line;
    cf_spans window;
    double probability, truth, whole, difference;
    int32_t rank, top;
} golden_run;

typedef struct sample_runs {
    const flow_golden *g;
    const flow_sample *s;
    flow_line *lines;
    cf_parts *parts; /* [n_lines] */
    size_t n_lines;
    golden_run *runs;
    size_t n;
    flow_found *found;
} sample_runs;

static void *room(size_t n, size_t bytes)
{
    void *memory = calloc(n + 1, bytes);
    assert_non_null(memory);
    return memory;
}

static void add_runs(sample_runs *r, size_t line, flow_mistake m)
{
    const flow_line *l = &r->lines[line];
    static const char *const names[] = {"probability", "true", "whole", "difference", "rank", "top"};
    const cf_json *at[COUNT(names)];
    for (size_t i = 0; i < COUNT(names); i++)
        at[i] = cf_json_first(cf_json_get(l->record, names[i]));
    for (const cf_json *c = cf_json_first(l->centres); c; c = cf_json_next(c)) {
        golden_run *run = &r->runs[r->n++];
        *run = (golden_run){.line = line,
                            .probability = cf_json_number(at[0], NAN),
                            .truth = cf_json_number(at[1], NAN),
                            .whole = cf_json_number(at[2], NAN),
                            .difference = cf_json_number(at[3], NAN),
                            .rank = (int32_t)cf_json_number(at[4], -1),
                            .top = (int32_t)cf_json_number(at[5], -1)};
        assert_true(l->fully_cut || l->too_few_keys || !isnan(run->probability + run->truth + run->whole));
        assert_true(!isnan(run->difference) || !at[3]);
        flow_window(&run->window, r->g, l, json_whole(c), m);
        for (size_t i = 0; i < COUNT(names); i++)
            at[i] = cf_json_next(at[i]);
    }
}

static void read_runs(sample_runs *r, int32_t n_after, flow_mistake m)
{
    const cf_json *records = cf_json_get(r->s->base.record, "runs");
    size_t n_runs = 0;
    for (const cf_json *record = cf_json_first(records); record; record = cf_json_next(record))
        n_runs += (size_t)cf_json_count(cf_json_get(record, "centres"));
    r->lines = room((size_t)cf_json_count(records), sizeof *r->lines);
    r->parts = room((size_t)cf_json_count(records), sizeof *r->parts);
    r->runs = room(n_runs, sizeof *r->runs);
    for (const cf_json *record = cf_json_first(records); record; record = cf_json_next(record)) {
        const flow_line line = flow_line_read(r->g, record);
        if (m != NO_MISTAKE &&
            (!flow_mistake_applies(m, &r->g->flows[line.flow], line.style) || line.fully_cut || line.too_few_keys))
            continue;
        r->lines[r->n_lines] = line;
        flow_parts(&r->parts[r->n_lines], r->g, r->s, &line, n_after, m);
        add_runs(r, r->n_lines++, m);
    }
}

static void free_runs(sample_runs *r)
{
    for (size_t i = 0; i < r->n_lines; i++)
        cf_parts_deinit(&r->parts[i]);
    for (size_t i = 0; i < r->n; i++)
        cf_spans_deinit(&r->runs[i].window);
    free(r->lines);
    free(r->parts);
    free(r->runs);
}

static void list_plan_runs(cf_plan_run *out, const sample_runs *r)
{
    for (size_t i = 0; i < r->n; i++)
        out[i] = (cf_plan_run){&r->parts[r->runs[i].line], &r->runs[i].window};
}

static flow_found *found_of(const sample_runs *r, size_t run)
{
    const flow_line *line = &r->lines[r->runs[run].line];
    return &r->found[line->flow * CF_N_WINDOW_STYLES + (size_t)line->style];
}

/* Counts the runs that are not what the same runs are without the mistake: in one plan, equal runs have equal
 * leaves. */
static void count_changed(const sample_runs *r, int32_t n_after)
{
    sample_runs right = {.g = r->g, .s = r->s, .found = r->found};
    read_runs(&right, n_after, NO_MISTAKE);
    cf_plan_run *both = room(r->n + right.n, sizeof *both);
    list_plan_runs(both, r);
    size_t n = r->n;
    cf_plan *plan = NULL;
    for (size_t i = 0, k = 0; i < right.n && k < r->n; i++) { /* those of right that r has too, in the same order */
        if (right.lines[right.runs[i].line].record != r->lines[r->runs[k].line].record)
            continue;
        both[n++] = (cf_plan_run){&right.parts[right.runs[i].line], &right.runs[i].window};
        k++;
    }
    assert_int_equal(n, 2 * r->n);
    OK(cf_plan_create(&plan, both, n, r->s->base.groups.length + n_after, r->g->n_layers, r->g->n_heads, NULL, &err));
    for (size_t i = 0; i < r->n; i++)
        found_of(r, i)->n_changed +=
            plan->runs[i].leaf != plan->runs[r->n + i].leaf || plan->runs[i].status == CF_RUN_FULLY_CUT;
    cf_plan_free(plan);
    free(both);
    free_runs(&right);
}

static void check_status(const sample_runs *r, const cf_plan *plan, size_t run)
{
    const flow_line *line = &r->lines[r->runs[run].line];
    const cf_planned_run *planned = &plan->runs[run];
    const bool baseline = planned->status == CF_RUN_EMPTY_GROUP || planned->status == CF_RUN_NO_VISIBLE_EDGE;
    bool right = planned->empty_group == line->empty_group;
    if (line->fully_cut)
        right = right && planned->status == CF_RUN_FULLY_CUT;
    else if (line->too_few_keys)
        right = right && planned->status == CF_RUN_TOO_FEW_KEYS;
    else
        right = right && (baseline || planned->status == CF_RUN_PLANNED);
    found_of(r, run)->n_wrong += !right;
    found_of(r, run)->n_runs++;
}

static double largest_of(const float *v, int64_t n)
{
    double largest = 0;
    for (int64_t i = 0; i < n; i++)
        largest = fmax(largest, fabs((double)v[i]));
    return largest;
}

/* max, but a NaN stays. */
static void raise_to(double *worst, double d)
{
    *worst = d <= *worst ? *worst : d;
}

/* A product of n probabilities against the golden's; largest: logit. */
static void hold_product(flow_found *f, double found, double golden, int n, double largest)
{
    const double absolute = fabs(found - golden), logarithm = fabs(log(found) - log(golden));
    raise_to(&f->absolute, absolute);
    raise_to(&f->logarithm, logarithm);
    raise_to(&f->over, absolute / PROBABILITY_BOUND);
    raise_to(&f->over, logarithm / (2 * n * LOGIT_BOUND * largest));
    f->n_values++;
}

static void hold_run(void *user, size_t run, const float *logits)
{
    const sample_runs *r = user;
    const golden_run *golden = &r->runs[run];
    const int32_t n = r->s->asked.n_answer;
    const double largest = largest_of(logits, r->g->vocab_size);
    flow_found *f = found_of(r, run);
    cf_scores s;
    cf_score(&s, &r->s->asked, logits, r->g->vocab_size);
    hold_product(f, s.probability, golden->probability, 1, largest);
    hold_product(f, s.truth, golden->truth, 1, largest);
    hold_product(f, s.whole, golden->whole, n, largest_of(logits, (int64_t)n * r->g->vocab_size));
    if (isnan(golden->difference)) {
        f->n_wrong += !isnan(s.difference);
    } else {
        const double d = fabs(s.difference - golden->difference) / largest;
        raise_to(&f->difference, d);
        raise_to(&f->over, d / (2 * LOGIT_BOUND));
        f->n_values++;
    }
    f->n_wrong += golden->rank >= 0 && s.rank != (double)golden->rank;
    f->n_wrong += golden->top >= 0 && s.top != golden->top;
}

static void hold_sample(flow_found *found, const flow_golden *g, cf_session *session, const flow_sample *s,
                        flow_mistake mistake)
{
    const int32_t n_after = s->asked.n_answer - 1;
    sample_runs r = {.g = g, .s = s, .found = found};
    cf_plan *plan = NULL;
    int32_t forced[MAX_ANSWER];
    read_runs(&r, n_after, mistake);
    if (mistake != NO_MISTAKE)
        count_changed(&r, n_after);
    cf_plan_run *runs = room(r.n, sizeof *runs);
    list_plan_runs(runs, &r);
    OK(cf_plan_create(&plan, runs, r.n, s->base.groups.length + n_after, g->n_layers, g->n_heads, NULL, &err));
    for (size_t i = 0; i < r.n; i++)
        check_status(&r, plan, i);
    flow_forced(forced, s->answer, n_after, g->vocab_size, mistake);
    OK(cf_session_begin(session, &s->base.input, n_after, &err));
    OK(cf_session_baseline(session, plan->lowest, &err));
    OK(cf_session_force(session, forced, n_after, &err));
    OK(cf_sweep(session, plan, &(cf_sweep_reader){.user = &r, .run = hold_run}, &err));
    cf_plan_free(plan);
    free(runs);
    free_runs(&r);
}

bool flows_hold(flow_found *found, const flow_golden *g, const loaded_model *m, size_t sample_step,
                flow_mistake mistake)
{
    const size_t n_found = g->n_flows * CF_N_WINDOW_STYLES;
    cf_session *session = NULL;
    bool holds = true;
    memset(found, 0, n_found * sizeof *found);
    OK(cf_session_create(&session, m->model, false, &err));
    for (size_t i = 0; i < g->n; i += sample_step)
        hold_sample(found, g, session, &g->samples[i], mistake);
    cf_session_free(session);
    for (size_t i = 0; i < n_found; i++)
        holds = holds && found[i].over <= 1 && found[i].n_wrong == 0;
    return holds;
}
