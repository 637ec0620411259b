/* lens_sample.c - see lens_sample.h. */
#include "study/lens_sample.h"

#include <stdlib.h>

#include "base/memory.h"
#include "study/answer_tokens.h"

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

static cf_status read_top(cf_lens_sample *l, cf_lens_top *out, const float *logits, int32_t k, cf_error *err)
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
static void read_logits(cf_lens_sample *l, cf_lens_reading *r, const float *logits, bool few)
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
    cf_lens_sample *l = user;
    (void)entry;
    read_logits(l, &l->baseline[l->n_baseline++], logits, position < l->ranges[l->n_ranges - 1].begin);
}

static void visit_node(void *user, int32_t layer, int32_t node, const float *logits)
{
    cf_lens_sample *l = user;
    (void)layer;
    l->has_node[node] = true;
    read_logits(l, &l->nodes[node], logits, true);
}

/* ---- entries ---- */

static void add_entry(cf_lens_sample *l, int64_t run, int32_t position, int32_t layer, const cf_lens_reading *r)
{
    const cf_lens_top *top = run == CF_NO_RUN ? &r->top : &r->few;
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

static void add_range(cf_lens_sample *l, const cf_lens_range *r, int32_t n_entries)
{
    const int32_t n = r->end - r->begin;
    for (int32_t e = 0; e < n_entries; e++)
        for (int32_t i = 0; i < n; i++)
            add_entry(l, CF_NO_RUN, r->begin + i, e, &l->baseline[r->first + (size_t)(e * n + i)]);
}

/* A run's entries; the baseline's where its nodes leave the last position as it is. */
static cf_status add_run(cf_lens_sample *l, size_t run, int32_t position, const cf_lens_reading *last, cf_error *err)
{
    const cf_plan *p = l->planned.plan;
    void *memory = NULL;
    const cf_status st =
        cf_alloc(&memory, (size_t)p->n_layers + 1, sizeof(const cf_lens_reading *), "lens entries", err);
    if (st != CF_OK)
        return st;
    const cf_lens_reading **of = memory;
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

/* ---- a sample ---- */

cf_status cf_lens_sample_open(cf_lens_sample *l, const cf_study *s, cf_error *err)
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

void cf_lens_sample_close(cf_lens_sample *l)
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

static void choose_ranges(cf_lens_sample *l, const cf_study_sample *x)
{
    const cf_span image = x->prepared.image;
    const int32_t length = x->prepared.groups.length;
    l->n_ranges = 0;
    if (l->study->o->lens_image)
        l->ranges[l->n_ranges++] = (cf_lens_range){image.begin, image.end, 0};
    l->ranges[l->n_ranges++] = (cf_lens_range){length - 1, length, 0};
}

cf_status cf_lens_sample_plan(cf_lens_sample *l, const cf_study_sample *x, int32_t *keep_from, cf_error *err)
{
    cf_sample_plan_deinit(&l->planned);
    const cf_status st = cf_sample_plan_create(&l->planned, &l->study->runs, &x->scene, x->row, 0, err);
    if (st != CF_OK)
        return st;
    choose_ranges(l, x);
    const int32_t lowest = l->planned.plan->lowest, read = l->ranges[0].begin;
    *keep_from = read < lowest ? read : lowest;
    return CF_OK;
}

static cf_status choose_tokens(cf_lens_sample *l, const cf_question *q, cf_error *err)
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

static cf_status reserve(cf_lens_sample *l, size_t n_readings, size_t n_entries, cf_error *err)
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
static cf_status reserve_nodes(cf_lens_sample *l, cf_error *err)
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

cf_status cf_lens_sample_ready(cf_lens_sample *l, const cf_study_sample *x, cf_error *err)
{
    const size_t n_entries = (size_t)l->study->runs.n_layers + 1;
    cf_status st = CF_OK;
    size_t n_positions = 0;
    for (size_t i = 0; i < l->n_ranges; i++)
        n_positions += (size_t)(l->ranges[i].end - l->ranges[i].begin);
    l->n_baseline = l->n_entries = 0;
    l->status = CF_OK;
    cf_str_clear(&l->texts);
    CF_TRY(choose_tokens(l, x->question, err));
    CF_TRY(reserve(l, n_positions * n_entries, (n_positions + l->study->runs.specs.n) * n_entries, err));
    CF_TRY(reserve_nodes(l, err));
done:
    return st;
}

cf_status cf_lens_sample_read(cf_lens_sample *l, const cf_study_sample *x, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = 0; i < l->n_ranges; i++) {
        cf_lens_range *r = &l->ranges[i];
        r->first = l->n_baseline;
        CF_TRY(cf_session_lens(x->session, r->begin, r->end, l->study->o->lens_norm, visit_baseline, l, err));
    }
done:
    return st;
}

cf_sweep_reader cf_lens_sample_reader(cf_lens_sample *l)
{
    return (cf_sweep_reader){.user = l, .lens = visit_node, .lens_normed = l->study->o->lens_norm};
}

cf_status cf_lens_sample_finish(cf_lens_sample *l, cf_study_sample *x, cf_error *err)
{
    const int32_t n_entries = l->study->runs.n_layers + 1;
    const cf_lens_range *last = &l->ranges[l->n_ranges - 1];
    cf_status st = CF_OK;
    if (l->status != CF_OK) {
        *err = l->error;
        return l->status;
    }
    for (size_t i = 0; i < l->n_ranges; i++)
        add_range(l, &l->ranges[i], n_entries);
    for (size_t i = 0; i < l->study->runs.specs.n; i++)
        if (cf_run_has_number(&l->planned.plan->runs[i]))
            CF_TRY(add_run(l, i, last->begin, &l->baseline[last->first], err));
    x->results.lens = l->entries;
    x->results.n_lens = l->n_entries;
done:
    return st;
}
