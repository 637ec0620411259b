/* page_values.c - see page_values.h. */
#include "report/page_values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/page_json.h"

enum { ABSENT = 255 };

static void block_deinit(cf_page_block *b)
{
    free(b->values);
    free(b->flags);
    free(b->samples);
}

void cf_page_values_deinit(cf_page_values *v)
{
    for (int m = 0; m < CF_N_MEASURES; m++)
        block_deinit(&v->blocks[m]);
    block_deinit(&v->effects);
    free(v->sums);
    free(v->repeats);
    *v = (cf_page_values){0};
}

cf_status cf_page_values_init(cf_page_values *out, const cf_page_runs *runs, const bool has[CF_N_MEASURES],
                              int64_t n_samples, int64_t *room, bool *left_out, cf_error *err)
{
    cf_status st = CF_OK;
    cf_page_values v = {.runs = runs};
    void *memory = NULL;
    CF_TRY(cf_alloc(&memory, runs->n_points, sizeof *v.sums, "effects", err));
    v.sums = memory;
    CF_TRY(cf_alloc(&memory, runs->n_points, sizeof *v.repeats, "effects", err));
    v.repeats = memory;
    for (int m = 0; m < CF_N_MEASURES; m++) {
        cf_page_block *b = &v.blocks[m];
        b->used = has[m] && runs->n;
        b->all = b->used && n_samples <= *room / (int64_t)runs->n;
        if (b->all)
            *room -= n_samples * (int64_t)runs->n;
        *left_out = *left_out || b->used != b->all;
    }
    v.effects.used = v.blocks[CF_MEASURE_PROBABILITY].used;
    *out = v;
    v = (cf_page_values){0};
done:
    cf_page_values_deinit(&v);
    return st;
}

/* ---- a sample ---- */

/* One more row, of nothing. */
static cf_status add_row(cf_page_block *b, int64_t sample, size_t n_columns, bool with_flags, cf_error *err)
{
    cf_status st = CF_OK;
    void *samples = b->samples, *values = b->values, *flags = b->flags;
    size_t cap = b->cap, cap_values = cap * n_columns, cap_flags = cap_values;
    size_t need = 0;
    if (b->n == b->cap) { /* all three grow by doubling together */
        CF_TRY(cf_grow(&samples, &cap, b->n + 1, sizeof *b->samples, "samples of the page", err));
        b->samples = samples;
        CF_TRY(cf_mul_size(&need, cap, n_columns, err));
        CF_TRY(cf_grow(&values, &cap_values, need, sizeof *b->values, "values of the page", err));
        b->values = values;
        if (with_flags) {
            CF_TRY(cf_grow(&flags, &cap_flags, need, sizeof *b->flags, "flags of the page", err));
            b->flags = flags;
        }
        b->cap = cap;
    }
    for (size_t i = 0; i < n_columns; i++)
        b->values[b->n * n_columns + i] = (double)NAN;
    if (with_flags)
        memset(b->flags + b->n * n_columns, ABSENT, n_columns);
    b->samples[b->n++] = sample;
done:
    return st;
}

static cf_status add_rows(cf_page_values *w, int64_t sample, bool chosen, cf_error *err)
{
    const size_t n_columns = w->runs->n;
    cf_status st = CF_OK;
    for (int m = 0; m < CF_N_MEASURES; m++) {
        cf_page_block *b = &w->blocks[m];
        if (b->used && (b->all || chosen))
            CF_TRY(add_row(b, sample, n_columns, true, err));
    }
    if (w->effects.used)
        CF_TRY(add_row(&w->effects, sample, w->runs->n_curves, false, err));
done:
    return st;
}

static void put_value(cf_page_values *w, const cf_sample *x, size_t run, const cf_value *v, bool chosen)
{
    const cf_page_runs *runs = w->runs;
    const cf_page_block *b = &w->blocks[v->measure];
    if (b->used && (b->all || chosen)) {
        const size_t at = (b->n - 1) * runs->n + run;
        b->values[at] = v->value;
        b->flags[at] = (unsigned char)v->flag;
    }
    const double change = cf_measure_change(CF_MEASURE_PROBABILITY, x->probability, v->value);
    if (v->measure == CF_MEASURE_PROBABILITY && !isnan(change)) {
        w->sums[runs->items[run].point] += change;
        w->repeats[runs->items[run].point]++;
    }
}

/* The repeats of a point count as their mean. */
static void put_effects(cf_page_values *w)
{
    const cf_page_runs *runs = w->runs;
    double *row = w->effects.values + (w->effects.n - 1) * runs->n_curves;
    for (size_t i = 0; i < runs->n; i++) {
        const cf_page_run *run = &runs->items[runs->sorted[i]];
        const int64_t n = w->repeats[run->point];
        if (run->sorted_at != i || n == 0)
            continue;
        const double change = w->sums[run->point] / (double)n;
        if (!(fabs(change) <= fabs(row[run->curve])))
            row[run->curve] = change;
    }
}

cf_status cf_page_values_put(cf_page_values *w, int64_t index, const cf_sample *x, const cf_results *r, bool chosen,
                             const char *path, cf_error *err)
{
    const cf_page_runs *runs = w->runs;
    cf_status st = CF_OK;
    CF_TRY(add_rows(w, index, chosen, err));
    memset(w->sums, 0, runs->n_points * sizeof *w->sums);
    memset(w->repeats, 0, runs->n_points * sizeof *w->repeats);
    for (size_t i = 0; i < r->n_values; i++) {
        size_t run = 0;
        if (!cf_page_runs_find(&run, runs, r->values[i].run)) {
            st = cf_fail(err, CF_FORMAT, "%s: a value names run %lld, which is not in the study", path,
                         (long long)r->values[i].run);
            goto done;
        }
        put_value(w, x, run, &r->values[i], chosen);
    }
    if (w->effects.used)
        put_effects(w);
done:
    return st;
}

/* ---- JSON ---- */

static cf_status add_indices(cf_str *json, const cf_page_block *b, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_page_name(json, "samples", err));
    CF_TRY(cf_str_add_text(json, "[", err));
    for (size_t i = 0; i < b->n; i++)
        CF_TRY(cf_str_addf(json, err, "%s%lld", i ? "," : "", (long long)b->samples[i]));
    CF_TRY(cf_str_add_text(json, "]", err));
done:
    return st;
}

static cf_status add_blocks(cf_str *json, cf_page_blobs *blobs, const cf_page_values *w, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_page_name(json, "values", err));
    CF_TRY(cf_str_add_text(json, "[", err));
    for (int m = 0; m < CF_N_MEASURES; m++) {
        const cf_page_block *b = &w->blocks[m];
        if (!b->used)
            continue;
        const size_t n = b->n * w->runs->n;
        CF_TRY(cf_page_next(json, err));
        CF_TRY(cf_str_add_text(json, "{", err));
        CF_TRY(cf_page_text(json, "measure", cf_measure_name((cf_measure)m), err));
        CF_TRY(add_indices(json, b, err));
        CF_TRY(cf_page_bool(json, "all", b->all, err));
        CF_TRY(cf_page_blob_numbers(blobs, json, "values", b->values, n, err));
        CF_TRY(cf_page_blob_bytes(blobs, json, "flags", b->flags, n, err));
        CF_TRY(cf_str_add_text(json, "}", err));
    }
    CF_TRY(cf_str_add_text(json, "]", err));
done:
    return st;
}

static cf_status add_effects(cf_str *json, cf_page_blobs *blobs, const cf_page_values *w, cf_error *err)
{
    const cf_page_runs *runs = w->runs;
    cf_status st = CF_OK;
    if (!w->effects.used)
        return cf_page_index(json, "effects", -1, err);
    CF_TRY(cf_page_name(json, "effects", err));
    CF_TRY(cf_str_add_text(json, "{", err));
    CF_TRY(add_indices(json, &w->effects, err));
    CF_TRY(cf_page_name(json, "columns", err));
    CF_TRY(cf_str_add_text(json, "[", err));
    for (size_t i = 0, n = 0; i < runs->n; i++) {
        const cf_page_run *run = &runs->items[runs->sorted[i]];
        if (run->curve != n)
            continue;
        n++;
        CF_TRY(cf_page_next(json, err));
        CF_TRY(cf_str_add_text(json, "{", err));
        CF_TRY(cf_page_integer(json, "flow", (int64_t)run->flow, err));
        CF_TRY(cf_page_text(json, "style", run->style, err));
        CF_TRY(cf_page_integer(json, "window", run->window, err));
        CF_TRY(cf_str_add_text(json, "}", err));
    }
    CF_TRY(cf_str_add_text(json, "]", err));
    CF_TRY(cf_page_blob_numbers(blobs, json, "values", w->effects.values, w->effects.n * runs->n_curves, err));
    CF_TRY(cf_str_add_text(json, "}", err));
done:
    return st;
}

cf_status cf_page_values_add(cf_str *json, cf_page_blobs *blobs, const cf_page_values *v, cf_error *err)
{
    const cf_status st = add_blocks(json, blobs, v, err);
    return st == CF_OK ? add_effects(json, blobs, v, err) : st;
}
