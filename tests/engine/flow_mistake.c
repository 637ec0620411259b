/* flow_mistake.c - see flow_mistake.h. */
#include "flow_mistake.h"

#include <stdlib.h>
#include <string.h>

#include "parity.h"

const char *flow_mistake_name(flow_mistake m)
{
    static const char *const names[N_FLOW_MISTAKES] = {
        "none",
        "nothing done",
        "keep: the first pair left uncut",
        "keep: the last pair left uncut",
        "keep: a kept pair cut",
        "keep: a group cut from itself",
        "random: drawn within the source",
        "random: one key too few",
        "random: another seed",
        "random: drawn for another row",
        "random: drawn for another repeat",
        "random: drawn for the query before",
        "zero: places begin earlier",
        "zero: places begin later",
        "zero: places end earlier",
        "zero: places end later",
        "zero: the other sublayer",
        "heads: every head",
        "heads: each one higher",
        "heads: one too few",
        "heads: one too many",
        "own layers: the window's",
        "own layers: begin later",
        "own layers: end earlier",
        "own layers: end later",
        "style: centre a layer too high",
        "style: centre a layer too low",
        "style: another style",
        "whole answer: a forced token off",
        "whole answer: forced in another order",
        "whole answer: forced are not Last",
    };
    return names[m];
}

static bool has_own_heads(const cf_flow *flow)
{
    for (size_t i = 0; i < flow->n_edges; i++)
        if (flow->edges[i].heads.n)
            return true;
    return false;
}

static bool has_own_layers(const cf_flow *flow)
{
    for (size_t i = 0; i < flow->n_edges; i++)
        if (flow->edges[i].layers.n)
            return true;
    return false;
}

bool flow_mistake_applies(flow_mistake m, const cf_flow *flow, cf_window_style style)
{
    if (m >= FORCED_ONE_TOKEN_OFF || m <= NOTHING_DONE)
        return true;
    if (m >= CENTRE_TOO_HIGH)
        return style != CF_WINDOW_CENTRE && style != CF_WINDOW_FIXED;
    if (m >= OWN_LAYERS_IGNORED)
        return has_own_layers(flow);
    if (m >= HEADS_IGNORED)
        return has_own_heads(flow);
    if (m >= PLACES_BEGIN_EARLIER)
        return flow->mode == CF_MODE_ZERO_ATTENTION || flow->mode == CF_MODE_ZERO_MLP;
    return flow->mode == (m >= DRAWN_WITHIN_THE_SOURCE ? CF_MODE_RANDOM : CF_MODE_KEEP);
}

/* ---- parts ---- */

static void deinit_part(cf_part *part)
{
    cf_spans_deinit(&part->query);
    cf_spans_deinit(&part->key);
    cf_spans_deinit(&part->layers);
    free(part->heads);
}

static void remove_part(cf_parts *p, size_t at)
{
    deinit_part(&p->items[at]);
    memmove(p->items + at, p->items + at + 1, (p->n - at - 1) * sizeof *p->items);
    p->n--;
}

static bool is_visible(const cf_part *part)
{
    return part->key.items[0].begin < part->query.items[part->query.n - 1].end;
}

static void remove_visible(cf_parts *p, bool last)
{
    for (size_t i = 0; i < p->n; i++) {
        const size_t at = last ? p->n - 1 - i : i;
        if (is_visible(&p->items[at])) {
            remove_part(p, at);
            return;
        }
    }
}

static void add_cut(cf_parts *p, const cf_group_expr *source, const cf_group_expr *target, const flow_sample *s,
                    int32_t n_after)
{
    cf_part part = {.kind = CF_PART_CUT};
    OK(cf_group_positions(&part.query, target, &s->scene, CF_SIDE_QUERY, n_after, &err));
    OK(cf_group_positions(&part.key, source, &s->scene, CF_SIDE_KEY, n_after, &err));
    p->items = realloc(p->items, (p->n + 1) * sizeof *p->items);
    assert_non_null(p->items);
    p->cap = p->n + 1;
    p->items[p->n++] = part;
}

/* Replaces a list by itself without one position and with another (spans_changed). */
static void change_spans(cf_spans *s, int64_t without, int32_t plus, int32_t length)
{
    cf_spans changed = {0};
    spans_changed(&changed, s, without, plus, length);
    cf_spans_deinit(s);
    *s = changed;
}

static void change_places(cf_spans *s, flow_mistake m, int32_t length)
{
    if (m == PLACES_BEGIN_EARLIER)
        change_spans(s, -1, s->items[0].begin - 1, length);
    if (m == PLACES_BEGIN_LATER)
        change_spans(s, 0, -1, length);
    if (m == PLACES_END_EARLIER)
        change_spans(s, cf_spans_count(s) - 1, -1, length);
    if (m == PLACES_END_LATER)
        change_spans(s, -1, s->items[s->n - 1].end, length);
}

static void change_layers(cf_spans *s, flow_mistake m, int32_t n_layers)
{
    if (m == OWN_LAYERS_IGNORED)
        cf_spans_deinit(s);
    if (m == OWN_LAYERS_BEGIN_LATER)
        change_spans(s, 0, -1, n_layers);
    if (m == OWN_LAYERS_END_EARLIER)
        change_spans(s, cf_spans_count(s) - 1, -1, n_layers);
    if (m == OWN_LAYERS_END_LATER)
        change_spans(s, -1, s->items[s->n - 1].end, n_layers);
}

static void change_heads(cf_part *part, flow_mistake m, int32_t n_heads)
{
    const uint64_t all = ((uint64_t)1 << n_heads) - 1, heads = *part->heads;
    const uint64_t shifted = (heads << 1 | heads >> (n_heads - 1)) & all;
    assert_int_equal(part->n_head_words, 1);
    if (m == HEADS_SHIFTED)
        *part->heads = shifted;
    if (m == ONE_HEAD_TOO_FEW)
        *part->heads = heads & (heads - 1);
    if (m == ONE_HEAD_TOO_MANY)
        *part->heads = heads | (heads + 1);
    if (m == HEADS_IGNORED) {
        free(part->heads);
        part->heads = NULL;
        part->n_head_words = 0;
    }
}

/* A mistake in each part. */
static void change_part(cf_part *part, const flow_golden *g, flow_mistake m, int32_t length)
{
    if (m == DRAWN_ONE_KEY_TOO_FEW)
        change_spans(&part->key, cf_spans_count(&part->key) - 1, -1, length);
    if (m == DRAWN_FOR_THE_QUERY_BEFORE)
        change_spans(&part->query, 0, part->query.items[0].begin + 1, length);
    if (m >= PLACES_BEGIN_EARLIER && m <= PLACES_END_LATER)
        change_places(&part->query, m, length);
    if (m == OTHER_SUBLAYER)
        part->kind = part->kind == CF_PART_ZERO_MLP ? CF_PART_ZERO_ATTENTION : CF_PART_ZERO_MLP;
    if (m >= OWN_LAYERS_IGNORED && m <= OWN_LAYERS_END_LATER && part->layers.n)
        change_layers(&part->layers, m, g->n_layers);
    if (m >= HEADS_IGNORED && m <= ONE_HEAD_TOO_MANY && part->heads)
        change_heads(part, m, g->n_heads);
}

/* A cut without queries or keys, a part whose layers or heads are gone, do not exist. */
static bool is_gone(const cf_part *part, bool had_layers)
{
    return part->query.n == 0 || (part->kind == CF_PART_CUT && part->key.n == 0) ||
           (had_layers && part->layers.n == 0) || (part->heads && *part->heads == 0);
}

void flow_parts(cf_parts *out, const flow_golden *g, const flow_sample *s, const flow_line *line, int32_t n_after,
                flow_mistake m)
{
    const int32_t length = s->base.groups.length + n_after;
    cf_flow flow = g->flows[line->flow]; /* shallow */
    cf_draw draw = {.seed = line->seed, .row = (uint64_t)s->row, .repeat = line->repeat};
    draw.seed += m == DRAWN_WITH_ANOTHER_SEED;
    draw.row += m == DRAWN_FOR_ANOTHER_ROW;
    draw.repeat += m == DRAWN_FOR_ANOTHER_REPEAT;
    if (m == DRAWN_WITHIN_THE_SOURCE)
        flow.mode = CF_MODE_CUT;
    OK(cf_parts_create(out, &flow, &s->scene, m == FORCED_POSITIONS_ARE_NOT_LAST ? 0 : n_after, g->n_heads, &draw,
                       &err));
    if (m == KEEP_FIRST_PAIR_UNCUT || m == KEEP_LAST_PAIR_UNCUT)
        remove_visible(out, m == KEEP_LAST_PAIR_UNCUT);
    if (m == KEPT_PAIR_CUT)
        add_cut(out, &flow.edges[0].source, &flow.edges[0].target, s, n_after);
    if (m == KEEP_CUTS_WITHIN_A_GROUP)
        add_cut(out, &flow.edges[0].target, &flow.edges[0].target, s, n_after);
    for (size_t i = out->n; i-- > 0;) {
        const bool had_layers = out->items[i].layers.n && m != OWN_LAYERS_IGNORED;
        change_part(&out->items[i], g, m, length);
        if (m == NOTHING_DONE || is_gone(&out->items[i], had_layers))
            remove_part(out, i);
    }
}

void flow_window(cf_spans *out, const flow_golden *g, const flow_line *line, int32_t centre, flow_mistake m)
{
    cf_window_style style = line->style;
    if (m == CENTRE_TOO_HIGH && centre + 1 < g->n_layers)
        centre++;
    if (m == CENTRE_TOO_LOW && centre > 0)
        centre--;
    if (m == OTHER_STYLE)
        style = style == CF_WINDOW_BELOW   ? CF_WINDOW_ABOVE
                : style == CF_WINDOW_ABOVE ? CF_WINDOW_BELOW
                                           : CF_WINDOW_CENTRE;
    OK(cf_window_layers(out, style, centre, line->k, g->n_layers, &err));
}

void flow_forced(int32_t *forced, const int32_t *answer, int32_t n, int32_t vocab_size, flow_mistake m)
{
    memcpy(forced, answer, (size_t)n * sizeof *forced);
    if (m == FORCED_ONE_TOKEN_OFF)
        forced[0] = (forced[0] + 1) % vocab_size;
    for (int32_t i = 0; m == FORCED_IN_ANOTHER_ORDER && i < n; i++)
        forced[i] = answer[n - 1 - i];
}
