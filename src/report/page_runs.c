/* page_runs.c - see page_runs.h. */
#include "report/page_runs.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/flow_style.h"
#include "report/page_json.h"

static void run_deinit(cf_page_run *r)
{
    free(r->heads);
    free(r->style);
    free(r->layers);
}

static void flow_deinit(cf_page_flow *f)
{
    free(f->text);
    free(f->mode);
}

void cf_page_runs_deinit(cf_page_runs *r)
{
    for (size_t i = 0; i < r->n; i++)
        run_deinit(&r->items[i]);
    for (size_t i = 0; i < r->n_flows; i++)
        flow_deinit(&r->flows[i]);
    free(r->items);
    free(r->flows);
    free(r->sorted);
    *r = (cf_page_runs){0};
}

bool cf_page_flow_find(size_t *out, const cf_page_runs *r, const char *text)
{
    for (size_t i = r->n_flows; i-- > 0;) { /* runs of one flow come together: the last is the likeliest */
        if (strcmp(r->flows[i].text, text) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static int by_id(const void *key, const void *item)
{
    const int64_t id = *(const int64_t *)key, other = ((const cf_page_run *)item)->id;
    return (id > other) - (id < other);
}

bool cf_page_runs_find(size_t *out, const cf_page_runs *r, int64_t id)
{
    const cf_page_run *found = r->n ? bsearch(&id, r->items, r->n, sizeof *r->items, by_id) : NULL;
    if (found)
        *out = (size_t)(found - r->items);
    return found;
}

/* ---- reading ---- */

static cf_status find_or_add_flow(cf_page_runs *r, size_t *out, const cf_store_run *run, cf_error *err)
{
    cf_status st = CF_OK;
    cf_page_flow f = {0};
    cf_str text = {0};
    void *items = r->flows;
    CF_TRY(cf_store_run_label(&text, run, err));
    if (cf_page_flow_find(out, r, text.data))
        goto done;
    CF_TRY(cf_strdup(&f.text, cf_str_slice(&text), err));
    CF_TRY(cf_strdup(&f.mode, cf_slice_of(run->mode), err));
    CF_TRY(cf_grow(&items, &r->cap_flows, r->n_flows + 1, sizeof *r->flows, "flows of the page", err));
    r->flows = items;
    r->flows[r->n_flows] = f;
    f = (cf_page_flow){0};
    *out = r->n_flows++;
done:
    flow_deinit(&f);
    cf_str_deinit(&text);
    return st;
}

static cf_status add_run(void *user, int64_t id, const cf_store_run *run, cf_error *err)
{
    cf_page_runs *r = user;
    cf_status st = CF_OK;
    cf_page_run x = {.id = id, .repeat = run->repeat, .window = run->window, .centre = run->centre};
    void *items = r->items;
    CF_TRY(find_or_add_flow(r, &x.flow, run, err));
    CF_TRY(cf_strdup(&x.heads, cf_slice_of(run->heads), err));
    CF_TRY(cf_strdup(&x.style, cf_slice_of(run->style), err));
    CF_TRY(cf_strdup(&x.layers, cf_slice_of(run->layers), err));
    CF_TRY(cf_grow(&items, &r->cap, r->n + 1, sizeof *r->items, "runs of the page", err));
    r->items = items;
    r->items[r->n++] = x;
    x = (cf_page_run){0};
done:
    run_deinit(&x);
    return st;
}

/* ---- curves and points ---- */

static int compare_curves(const cf_page_run *a, const cf_page_run *b)
{
    if (a->flow != b->flow)
        return (a->flow > b->flow) - (a->flow < b->flow);
    const int styles = strcmp(a->style, b->style);
    return styles ? styles : (a->window > b->window) - (a->window < b->window);
}

static int compare_points(const cf_page_run *a, const cf_page_run *b)
{
    const int curves = compare_curves(a, b);
    if (curves)
        return curves;
    return a->centre != b->centre ? (a->centre > b->centre) - (a->centre < b->centre) : strcmp(a->layers, b->layers);
}

static int by_point(const void *a, const void *b, void *user)
{
    const cf_page_run *items = user;
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;
    const int points = compare_points(&items[x], &items[y]);
    return points ? points : (x > y) - (x < y);
}

static cf_status group(cf_page_runs *r, cf_error *err)
{
    void *memory = NULL;
    const cf_status st = cf_alloc(&memory, r->n, sizeof *r->sorted, "runs of the page", err);
    if (st != CF_OK)
        return st;
    r->sorted = memory;
    for (size_t i = 0; i < r->n; i++)
        r->sorted[i] = i;
    if (r->n)
        qsort_r(r->sorted, r->n, sizeof *r->sorted, by_point, r->items);
    for (size_t i = 0; i < r->n; i++) {
        cf_page_run *x = &r->items[r->sorted[i]];
        const cf_page_run *before = i ? &r->items[r->sorted[i - 1]] : NULL;
        r->n_curves += !before || compare_curves(before, x) != 0;
        r->n_points += !before || compare_points(before, x) != 0;
        x->curve = r->n_curves - 1;
        x->point = r->n_points - 1;
        x->sorted_at = before && before->point == x->point ? before->sorted_at : i;
    }
    return CF_OK;
}

cf_status cf_page_runs_read(cf_page_runs *out, cf_store *s, cf_error *err)
{
    cf_status st = CF_OK;
    cf_page_runs r = {0};
    CF_TRY(cf_store_each_run(s, add_run, &r, err));
    CF_TRY(group(&r, err));
    *out = r;
    r = (cf_page_runs){0};
done:
    cf_page_runs_deinit(&r);
    return st;
}

/* ---- JSON ---- */

static cf_status add_flows(cf_str *json, const cf_page_runs *r, cf_error *err)
{
    cf_status st = CF_OK;
    size_t nth = 0;
    CF_TRY(cf_page_name(json, "flows", err));
    CF_TRY(cf_str_add_text(json, "[", err));
    for (size_t i = 0; i < r->n_flows; i++) {
        const cf_page_flow *f = &r->flows[i];
        CF_TRY(cf_page_next(json, err));
        CF_TRY(cf_str_add_text(json, "{", err));
        CF_TRY(cf_page_text(json, "text", f->text, err));
        CF_TRY(cf_page_text(json, "mode", f->mode, err));
        CF_TRY(cf_page_text(json, "colour", cf_flow_style_of(f->text, &nth).colour, err));
        CF_TRY(cf_str_add_text(json, "}", err));
    }
    CF_TRY(cf_str_add_text(json, "]", err));
done:
    return st;
}

cf_status cf_page_runs_add(cf_str *json, const cf_page_runs *r, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(add_flows(json, r, err));
    CF_TRY(cf_page_name(json, "runs", err));
    CF_TRY(cf_str_add_text(json, "[", err));
    for (size_t i = 0; i < r->n; i++) {
        const cf_page_run *x = &r->items[i];
        CF_TRY(cf_page_next(json, err));
        CF_TRY(cf_str_add_text(json, "{", err));
        CF_TRY(cf_page_integer(json, "flow", (int64_t)x->flow, err));
        CF_TRY(cf_page_text(json, "heads", x->heads, err));
        CF_TRY(cf_page_integer(json, "repeat", x->repeat, err));
        CF_TRY(cf_page_text(json, "style", x->style, err));
        CF_TRY(cf_page_integer(json, "window", x->window, err));
        CF_TRY(cf_page_integer(json, "centre", x->centre, err));
        CF_TRY(cf_page_text(json, "layers", x->layers, err));
        CF_TRY(cf_str_add_text(json, "}", err));
    }
    CF_TRY(cf_str_add_text(json, "]", err));
done:
    return st;
}
