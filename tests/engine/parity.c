/* parity.c - see parity.h. */
#include "parity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "walk.h"

const char *change_name(change c)
{
    static const char *const names[N_CHANGES] = {
        "as asked",
        "cut ignored",
        "window begins a layer earlier",
        "window begins a layer later",
        "window ends a layer earlier",
        "window ends a layer later",
        "queries begin a position earlier",
        "queries begin a position later",
        "queries end a position earlier",
        "queries end a position later",
        "first key missing",
        "middle key missing",
        "last key missing",
        "head 0 left uncut",
        "head 1 left uncut",
        "head 2 left uncut",
        "head 3 left uncut",
    };
    return names[c];
}

bool change_applies(const sample_set *set, size_t flow, change c)
{
    const bool to_last = set->flows[flow].target == CF_GROUP_LAST, from_last = set->flows[flow].source == CF_GROUP_LAST;
    return !(c == QUERIES_END_LATER && to_last) && !(c == QUERIES_BEGIN_EARLIER && from_last);
}

/* A run as changed, with the lists it refers to. */
typedef struct changed_run {
    cf_spans query, key;
    uint64_t heads;
} changed_run;

static void change_window(cf_window *w, change c, int32_t n_layers)
{
    if (c == WINDOW_BEGINS_EARLIER && w->first > 0)
        w->first--;
    if (c == WINDOW_BEGINS_LATER)
        w->first++;
    if (c == WINDOW_ENDS_EARLIER)
        w->last--;
    if (c == WINDOW_ENDS_LATER && w->last < n_layers)
        w->last++;
    if (c == NOT_CUT)
        w->last = w->first;
}

void spans_changed(cf_spans *out, const cf_spans *s, int64_t without, int32_t plus, int32_t length)
{
    int64_t at = 0;
    for (int32_t p = 0; p < length; p++) {
        const bool in = cf_spans_contain(s, p);
        if (p == plus || (in && at != without))
            OK(cf_spans_add(out, p, p + 1, &err));
        at += in;
    }
}

static cf_edge_run change_run(changed_run *own, cf_edge_run r, change c, const sample_set *set, int32_t length)
{
    const int64_t n_query = cf_spans_count(r.query), n_key = cf_spans_count(r.key);
    int64_t no_query = -1, no_key = -1;
    int32_t plus = -1;
    switch (c) {
    case QUERIES_BEGIN_EARLIER:
        plus = r.query->items[0].begin - 1;
        break;
    case QUERIES_BEGIN_LATER:
        no_query = 0;
        break;
    case QUERIES_END_EARLIER:
        no_query = n_query - 1;
        break;
    case QUERIES_END_LATER:
        plus = r.query->items[r.query->n - 1].end;
        break;
    case FIRST_KEY_MISSING:
        no_key = 0;
        break;
    case MIDDLE_KEY_MISSING:
        no_key = n_key / 2;
        break;
    case LAST_KEY_MISSING:
        no_key = n_key - 1;
        break;
    default:
        break;
    }
    *own = (changed_run){0};
    spans_changed(&own->query, r.query, no_query, plus, length);
    spans_changed(&own->key, r.key, no_key, -1, length);
    change_window(&r.window, c, set->n_layers);
    if (c >= HEAD_LEFT_UNCUT) {
        own->heads = (((uint64_t)1 << set->n_heads) - 1) & ~((uint64_t)1 << (c - HEAD_LEFT_UNCUT));
        r.heads = &own->heads;
        r.n_head_words = 1;
    }
    r.query = &own->query;
    r.key = &own->key;
    return r;
}

/* Where a run stands in the golden. */
typedef struct asked {
    size_t flow;
    int32_t k, centre;
} asked;

/* Runs in which transformers' own f32 is further from the value than the bound: what it gives in float64 for the
 * same weights and pixels. */
static const struct {
    const char *set, *key, *flow;
    int32_t k, centre;
    double f32, f64;
} imprecise[] = {{"demo", "CompareAttr.4", "Image->Question", 3, 0, 0.664777398, 0.6647914769615776}};

static double expected_probability(const sample_set *set, const sample *s, const asked *a)
{
    const char *flow = set->flow_names[a->flow];
    const double golden = cf_json_number(json_at(knocked_out(s, flow, a->k), a->centre), -1);
    for (size_t i = 0; i < COUNT(imprecise); i++)
        if (strcmp(imprecise[i].set, set->name) == 0 && strcmp(imprecise[i].key, s->key) == 0 &&
            strcmp(imprecise[i].flow, flow) == 0 && imprecise[i].k == a->k && imprecise[i].centre == a->centre) {
            assert_true(fabs(golden - imprecise[i].f32) < 1e-8); /* still the run that this is about */
            return imprecise[i].f64;
        }
    return golden;
}

static void hold_logits(parity *found, const sample_set *set, const sample *s, const walk *w, size_t run,
                        const asked *a)
{
    char name[96];
    (void)snprintf(name, sizeof name, "knockout.%s", set->flow_names[a->flow]);
    float *all = golden_floats(&set->tensors, s->key, name, (int64_t)set->n_layers * set->vocab_size);
    const cf_difference d =
        cf_compare(walk_logits(w, run), all + (int64_t)a->centre * set->vocab_size, (size_t)set->vocab_size);
    found->logits = d.max_relative > found->logits ? d.max_relative : found->logits;
    found->n_logits++;
    free(all);
}

static void hold_sample(parity *found, const sample_set *set, const loaded_model *m, cf_session *session,
                        const sample *s, const asked *runs, size_t n, change c)
{
    changed_run *own = calloc(n, sizeof *own);
    cf_edge_run *edges = calloc(n, sizeof *edges);
    assert_non_null(own);
    assert_non_null(edges);
    for (size_t i = 0; i < n; i++)
        edges[i] =
            change_run(&own[i], flow_run(set, s, runs[i].flow, runs[i].k, runs[i].centre), c, set, s->groups.length);
    const bool with_logits = strcmp(set->name, "bites") == 0;
    walk w;
    walk_open(&w, m, session, s, edges, n, with_logits ? WALK_KEEP : WALK_SCORE);
    for (size_t i = 0; i < n; i++) {
        parity *f = &found[runs[i].flow];
        const double d = fabs(w.probability[i] - expected_probability(set, s, &runs[i]));
        f->probability = d <= f->probability ? f->probability : d; /* a NaN stays */
        f->n_probabilities++;
        f->n_far += !(d <= 0.1);
        if (runs[i].k == 3 && with_logits)
            hold_logits(f, set, s, &w, i, &runs[i]);
    }
    walk_close(&w, true);
    for (size_t i = 0; i < n; i++) {
        cf_spans_deinit(&own[i].query);
        cf_spans_deinit(&own[i].key);
    }
    free(own);
    free(edges);
}

bool parity_holds(parity found[N_FLOWS], const sample_set *set, const loaded_model *m, size_t flow_begin,
                  size_t flow_end, change c)
{
    asked runs[N_FLOWS * MAX_WINDOWS * 16];
    size_t n = 0;
    cf_session *session = NULL;
    memset(found, 0, N_FLOWS * sizeof *found);
    for (size_t f = flow_begin; f < flow_end; f++)
        for (size_t w = 0; w < set->n_windows; w++)
            for (int32_t centre = 0; centre < set->n_layers; centre++) {
                assert_true(n < COUNT(runs));
                runs[n++] = (asked){f, set->windows[w], centre};
            }
    OK(cf_session_create(&session, m->model, false, &err));
    for (size_t i = 0; i < set->n; i += set->step)
        hold_sample(found, set, m, session, &set->samples[i], runs, n, c);
    cf_session_free(session);
    bool holds = true;
    for (size_t f = flow_begin; f < flow_end; f++)
        holds = holds && found[f].probability <= PROBABILITY_BOUND && found[f].logits <= LOGIT_BOUND;
    return holds;
}
