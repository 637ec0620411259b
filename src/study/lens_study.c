/* lens_study.c - the lens job of a study; see lens_study.h.
 *
 * The lens of a run rides on the sweep: a node of the plan is read once and serves every run below it; entries before a
 * run's first node are the baseline's. */
#include "study/lens_study.h"

#include <stdlib.h>

#include "base/memory.h"
#include "engine/sweep.h"
#include "study/answer_tokens.h"
#include "study/study.h"
#include "study/study_facts.h"

typedef struct top_lists { /* where they begin in the lens's texts */
    size_t words, scores;
} top_lists;

/* One hidden state's reading. A run takes the few, also where its state is the baseline's. */
typedef struct reading {
    double p[CF_N_LENS_LINES];
    top_lists top, few;
} reading;

/* The lens on a sample in flight. */
typedef struct lens {
    cf_sample_plan planned;
    const cf_study *study;
    int32_t last;                    /* the sample's last position */
    int32_t tokens[CF_N_LENS_LINES]; /* -1 where there is none */
    int64_t vocab;
    int32_t *top_ids;
    double *top_scores;
    cf_str texts;      /* JSON lists, each closed by a NUL */
    reading *baseline; /* [n_entries, positions] entry by entry, as cf_session_lens visits them */
    size_t n_baseline, cap_baseline;
    reading *nodes; /* [plan nodes] */
    bool *has_node; /* the node changes the last position */
    cf_lens_entry *entries;
    size_t n_entries, cap_entries;
    cf_status status; /* of the visitors, which cannot fail */
    cf_error error;
} lens;

typedef struct lenses {
    lens *places; /* [n_places] of the study */
    size_t n_places;
} lenses;

/* ---- reading ---- */

static cf_status add_word(cf_str *out, cf_slice word, cf_error *err)
{
    cf_status st = cf_str_add_text(out, "\"", err);
    for (size_t i = 0; st == CF_OK && i < word.n; i++) {
        const unsigned char c = (unsigned char)word.data[i];
        if (c == '"' || c == '\\')
            st = cf_str_addf(out, err, "\\%c", c);
        else if (c < 0x20)
            st = cf_str_addf(out, err, "\\u%04x", c);
        else
            st = cf_str_add(out, (cf_slice){word.data + i, 1}, err);
    }
    return st == CF_OK ? cf_str_add_text(out, "\"", err) : st;
}

static cf_status read_top(lens *l, top_lists *out, const float *logits, int32_t k, cf_error *err)
{
    cf_status st = CF_OK;
    cf_top_k(logits, l->vocab, k, l->top_ids, l->top_scores);
    out->words = l->texts.n;
    CF_TRY(cf_str_add_text(&l->texts, "[", err));
    for (int32_t i = 0; i < k; i++) {
        if (i)
            CF_TRY(cf_str_add_text(&l->texts, ", ", err));
        CF_TRY(add_word(&l->texts, cf_tokenizer_token(l->study->runtime.tokenizer, l->top_ids[i]), err));
    }
    CF_TRY(cf_str_add(&l->texts, (cf_slice){"]", 2}, err));
    out->scores = l->texts.n;
    CF_TRY(cf_str_add_text(&l->texts, "[", err));
    for (int32_t i = 0; i < k; i++) {
        if (i)
            CF_TRY(cf_str_add_text(&l->texts, ", ", err));
        CF_TRY(cf_str_add_float(&l->texts, l->top_scores[i], err));
    }
    CF_TRY(cf_str_add(&l->texts, (cf_slice){"]", 2}, err));
done:
    return st;
}

/* few: not the baseline's last position, of which there is one. */
static void read_logits(lens *l, reading *r, const float *logits, bool few)
{
    const int32_t top = l->study->o->top, least = top < CF_LENS_FEW ? top : CF_LENS_FEW;
    cf_softmax_probabilities(r->p, l->tokens, CF_N_LENS_LINES, logits, l->vocab);
    if (l->status == CF_OK)
        l->status = read_top(l, &r->few, logits, least, &l->error);
    r->top = r->few;
    if (l->status == CF_OK && !few && top > least)
        l->status = read_top(l, &r->top, logits, top, &l->error);
}

static void visit_baseline(void *user, int64_t entry, int32_t position, const float *logits)
{
    lens *l = user;
    (void)entry;
    read_logits(l, &l->baseline[l->n_baseline++], logits, position < l->last);
}

static void visit_node(void *user, int32_t layer, int32_t node, const float *logits)
{
    lens *l = user;
    (void)layer;
    l->has_node[node] = true;
    read_logits(l, &l->nodes[node], logits, true);
}

/* ---- entries ---- */

static void add_entry(lens *l, int64_t run, int32_t position, int32_t layer, const reading *r)
{
    const top_lists *top = run == CF_NO_RUN ? &r->top : &r->few;
    l->entries[l->n_entries++] = (cf_lens_entry){.run = run,
                                                 .position = position,
                                                 .layer = layer,
                                                 .answer = r->p[CF_LENS_ANSWER],
                                                 .answer_upper = r->p[CF_LENS_ANSWER_UPPER],
                                                 .option = r->p[CF_LENS_OPTION],
                                                 .option_upper = r->p[CF_LENS_OPTION_UPPER],
                                                 .words = l->texts.data + top->words,
                                                 .scores = l->texts.data + top->scores};
}

/* Positions of the baseline's lens, in the order in which they are read: the image, where asked for, then the last. */
typedef struct read_range {
    int32_t begin, end;
    size_t first; /* of its readings */
} read_range;

static void add_range(lens *l, const read_range *r, int32_t n_entries)
{
    const int32_t n = r->end - r->begin;
    for (int32_t e = 0; e < n_entries; e++)
        for (int32_t i = 0; i < n; i++)
            add_entry(l, CF_NO_RUN, r->begin + i, e, &l->baseline[r->first + (size_t)(e * n + i)]);
}

/* A run's entries; the baseline's where its nodes leave the last position as it is. */
static cf_status add_run(lens *l, size_t run, int32_t position, const reading *last, cf_error *err)
{
    const cf_plan *p = l->planned.plan;
    void *memory = NULL;
    const cf_status st = cf_alloc(&memory, (size_t)p->n_layers + 1, sizeof(const reading *), "lens entries", err);
    if (st != CF_OK)
        return st;
    const reading **of = memory;
    for (int32_t e = 0; e <= p->n_layers; e++)
        of[e] = &last[e];
    for (int32_t node = p->runs[run].leaf; node != CF_BASELINE; node = p->nodes[node].parent)
        if (l->has_node[node])
            of[p->nodes[node].layer + 1] = &l->nodes[node];
    for (int32_t e = 0; e <= p->n_layers; e++)
        add_entry(l, l->study->runs.ids[run], position, e, of[e]);
    free(memory);
    return CF_OK;
}

/* ---- the job ---- */

static cf_status add_facts(cf_facts *f, const cf_study_options *o, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_facts_add_text(f, true, "final norm on", o->lens_norm ? "every entry" : "the last entry", err));
    CF_TRY(cf_facts_add_number(f, true, "top tokens", o->top, err));
    CF_TRY(cf_facts_add_text(f, true, "positions", o->lens_image ? "image and last" : "last", err));
done:
    return st;
}

static cf_status open_lens(lens *l, const cf_study *s, cf_error *err)
{
    cf_status st = CF_OK;
    void *ids = NULL, *scores = NULL;
    l->study = s;
    l->vocab = cf_checkpoint_config(s->runtime.checkpoint)->text.vocab_size;
    CF_TRY(cf_alloc(&ids, (size_t)s->o->top, sizeof *l->top_ids, "top tokens", err));
    l->top_ids = ids;
    CF_TRY(cf_alloc(&scores, (size_t)s->o->top, sizeof *l->top_scores, "top tokens", err));
    l->top_scores = scores;
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
        st = open_lens(&all->places[i], s, err);
    return st;
}

static cf_status plan_sample(void *user, cf_study *s, const cf_study_sample *x, int32_t *keep_from, cf_error *err)
{
    const lenses *all = user;
    lens *l = &all->places[x->place];
    cf_sample_plan_deinit(&l->planned);
    const cf_status st = cf_sample_plan_create(&l->planned, &s->runs, &x->scene, x->row, 0, err);
    if (st != CF_OK)
        return st;
    *keep_from = l->planned.plan->lowest;
    if (s->o->lens_image && x->prepared.image.begin < *keep_from)
        *keep_from = x->prepared.image.begin;
    return CF_OK;
}

static cf_status choose_tokens(lens *l, const cf_question *q, cf_error *err)
{
    static const struct {
        cf_lens_line line;
        bool option, upper;
    } lines[] = {{CF_LENS_ANSWER, false, false},
                 {CF_LENS_ANSWER_UPPER, false, true},
                 {CF_LENS_OPTION, true, false},
                 {CF_LENS_OPTION_UPPER, true, true}};
    cf_status st = CF_OK;
    cf_str word = {0};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        cf_str_clear(&word);
        CF_TRY(cf_word_cased(&word, lines[i].option ? q->false_option : q->answer, lines[i].upper, err));
        CF_TRY(cf_first_token(&l->tokens[lines[i].line], &l->study->runtime, cf_str_slice(&word), err));
    }
done:
    cf_str_deinit(&word);
    return st;
}

static cf_status reserve(lens *l, size_t n_readings, size_t n_entries, cf_error *err)
{
    void *baseline = l->baseline, *entries = l->entries;
    cf_status st = cf_grow(&baseline, &l->cap_baseline, n_readings, sizeof *l->baseline, "lens readings", err);
    l->baseline = baseline;
    if (st == CF_OK)
        st = cf_grow(&entries, &l->cap_entries, n_entries, sizeof *l->entries, "lens entries", err);
    l->entries = entries;
    return st;
}

/* Readings of the plan's nodes. */
static cf_status reserve_nodes(lens *l, cf_error *err)
{
    cf_status st = CF_OK;
    void *nodes = NULL, *has = NULL;
    free(l->nodes);
    free(l->has_node);
    l->nodes = NULL;
    l->has_node = NULL;
    CF_TRY(cf_alloc(&nodes, l->planned.plan->n_nodes, sizeof *l->nodes, "lens readings", err));
    l->nodes = nodes;
    CF_TRY(cf_alloc(&has, l->planned.plan->n_nodes, sizeof *l->has_node, "lens readings", err));
    l->has_node = has;
done:
    return st;
}

/* The positions that are read in the baseline. */
typedef struct read_ranges {
    read_range items[2];
    size_t n, n_positions;
} read_ranges;

static read_ranges ranges_of(const cf_study *s, const cf_study_sample *x)
{
    const cf_span image = x->prepared.image;
    const int32_t length = x->prepared.groups.length;
    read_ranges r = {.n_positions = 1};
    if (s->o->lens_image) {
        r.items[r.n++] = (read_range){image.begin, image.end, 0};
        r.n_positions += (size_t)(image.end - image.begin);
    }
    r.items[r.n++] = (read_range){length - 1, length, 0};
    return r;
}

static cf_status ready_sample(void *user, cf_study *s, const cf_study_sample *x, cf_error *err)
{
    const lenses *all = user;
    lens *l = &all->places[x->place];
    const size_t n_entries = (size_t)s->runs.n_layers + 1, n_positions = ranges_of(s, x).n_positions;
    cf_status st = CF_OK;
    l->last = x->prepared.groups.length - 1;
    l->n_baseline = l->n_entries = 0;
    l->status = CF_OK;
    cf_str_clear(&l->texts);
    CF_TRY(choose_tokens(l, x->question, err));
    CF_TRY(reserve(l, n_positions * n_entries, (n_positions + s->runs.specs.n) * n_entries, err));
    CF_TRY(reserve_nodes(l, err));
done:
    return st;
}

static cf_status read_baseline(lens *l, const cf_study *s, const cf_study_sample *x, read_ranges *r, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = 0; i < r->n; i++) {
        read_range *at = &r->items[i];
        at->first = l->n_baseline;
        CF_TRY(cf_session_lens(x->session, at->begin, at->end, s->o->lens_norm, visit_baseline, l, err));
    }
done:
    return st;
}

/* What the visitors could not say. */
static cf_status check_visits(const lens *l, cf_error *err)
{
    if (l->status != CF_OK)
        *err = l->error;
    return l->status;
}

static cf_status read_runs(const lenses *all, cf_study *s, cf_study_sample *const *samples, size_t n, cf_error *err)
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
        lens *l = &all->places[samples[i]->place];
        of[i] = (cf_sweep_reader){.user = l, .lens = visit_node, .lens_normed = s->o->lens_norm};
        sweeps[i] = (cf_sweep_task){samples[i]->session, l->planned.plan, &of[i]};
    }
    CF_TRY(cf_sweeps(sweeps, n, err));
done:
    free(readers);
    free(memory);
    return st;
}

static cf_status add_entries(lens *l, cf_study *s, cf_study_sample *x, const read_ranges *r, cf_error *err)
{
    const int32_t n_entries = s->runs.n_layers + 1;
    cf_status st = CF_OK;
    for (size_t i = 0; i < r->n; i++)
        add_range(l, &r->items[i], n_entries);
    for (size_t i = 0; i < s->runs.specs.n; i++) {
        const cf_run_status status = l->planned.plan->runs[i].status;
        if (status != CF_RUN_FULLY_CUT && status != CF_RUN_TOO_FEW_KEYS)
            CF_TRY(add_run(l, i, l->last, &l->baseline[r->items[r->n - 1].first], err));
    }
    x->results.lens = l->entries;
    x->results.n_lens = l->n_entries;
    s->result.runs += (int64_t)s->runs.specs.n;
    s->result.row_layers_plain += (double)(s->runs.specs.n + 1) * (double)(l->last + 1) * (double)s->runs.n_layers;
done:
    return st;
}

static cf_status measure_samples(void *user, cf_study *s, cf_study_sample *const *samples, size_t n, cf_error *err)
{
    const lenses *all = user;
    cf_status st = CF_OK;
    void *memory = NULL;
    CF_TRY(cf_alloc(&memory, n, sizeof(read_ranges), "positions", err));
    read_ranges *ranges = memory;
    for (size_t i = 0; i < n; i++) {
        ranges[i] = ranges_of(s, samples[i]);
        CF_TRY(read_baseline(&all->places[samples[i]->place], s, samples[i], &ranges[i], err));
    }
    CF_TRY(read_runs(all, s, samples, n, err));
    for (size_t i = 0; i < n; i++) {
        lens *l = &all->places[samples[i]->place];
        CF_TRY(check_visits(l, err));
        CF_TRY(add_entries(l, s, samples[i], &ranges[i], err));
    }
done:
    free(memory);
    return st;
}

static void close_lens(lens *l)
{
    cf_sample_plan_deinit(&l->planned);
    cf_str_deinit(&l->texts);
    free(l->top_ids);
    free(l->top_scores);
    free(l->baseline);
    free(l->nodes);
    free(l->has_node);
    free(l->entries);
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
        close_lens(&all.places[i]);
    free(all.places);
    return st;
}
