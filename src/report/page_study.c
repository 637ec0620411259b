/* page_study.c - see page_study.h. */
#include "report/page_study.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"
#include "base/memory.h"
#include "report/page_curves.h"
#include "report/page_json.h"
#include "report/page_maps.h"
#include "report/page_runs.h"
#include "report/page_samples.h"
#include "store/map.h"

/* ---- facts and counts ---- */

static cf_status add_fact(void *user, const cf_fact *fact, cf_error *err)
{
    cf_str *json = user;
    cf_status st = CF_OK;
    CF_TRY(cf_page_next(json, err));
    CF_TRY(cf_str_add_text(json, "{", err));
    CF_TRY(cf_page_text(json, "key", fact->key, err));
    CF_TRY(cf_page_text(json, "value", fact->value, err));
    CF_TRY(cf_page_bool(json, "identity", fact->identity, err));
    CF_TRY(cf_str_add_text(json, "}", err));
done:
    return st;
}

static cf_status add_facts(cf_str *json, cf_store *s, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_page_name(json, "facts", err));
    CF_TRY(cf_str_add_text(json, "[", err));
    CF_TRY(cf_store_each_fact(s, add_fact, json, err));
    CF_TRY(cf_str_add_text(json, "]", err));
done:
    return st;
}

static cf_status add_counts(cf_str *json, const cf_store_counts *n, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_page_name(json, "counts", err));
    CF_TRY(cf_str_add_text(json, "{", err));
    CF_TRY(cf_page_integer(json, "done", n->done, err));
    CF_TRY(cf_page_integer(json, "wrong", n->wrong, err));
    CF_TRY(cf_page_integer(json, "fault", n->fault, err));
    CF_TRY(cf_page_integer(json, "emptyGroup", n->empty_group, err));
    CF_TRY(cf_page_integer(json, "noVisibleEdge", n->no_visible_edge, err));
    CF_TRY(cf_page_integer(json, "fullyCut", n->fully_cut, err));
    CF_TRY(cf_page_integer(json, "tooFewKeys", n->too_few_keys, err));
    CF_TRY(cf_page_integer(json, "lens", n->lens, err));
    CF_TRY(cf_str_add_text(json, "}", err));
done:
    return st;
}

/* ---- faults and tasks ---- */

typedef struct counted_text {
    char *text;
    int64_t n;
} counted_text;

typedef struct text_list {
    counted_text *items;
    size_t n, cap;
} text_list;

typedef struct texts {
    text_list reasons; /* a text each time, until they are counted */
    text_list tasks;   /* of kept samples, in order */
} texts;

static void list_deinit(text_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->items[i].text);
    free(l->items);
}

static cf_status list_add(text_list *l, const char *text, cf_error *err)
{
    void *items = l->items;
    cf_status st = cf_grow(&items, &l->cap, l->n + 1, sizeof *l->items, "texts of the page", err);
    if (st != CF_OK)
        return st;
    l->items = items;
    l->items[l->n] = (counted_text){.n = 1};
    st = cf_strdup(&l->items[l->n].text, cf_slice_of(text), err);
    l->n += st == CF_OK;
    return st;
}

static cf_status collect(void *user, const cf_sample *x, cf_error *err)
{
    texts *t = user;
    if (x->status == CF_SAMPLE_FAULT)
        return list_add(&t->reasons, x->reason, err);
    const bool known = t->tasks.n && strcmp(t->tasks.items[t->tasks.n - 1].text, x->task) == 0;
    return x->status != CF_SAMPLE_DONE || known ? CF_OK : list_add(&t->tasks, x->task, err);
}

static int by_text(const void *a, const void *b)
{
    const counted_text *x = a, *y = b;
    return strcmp(x->text, y->text);
}

static int by_number(const void *a, const void *b)
{
    const counted_text *x = a, *y = b;
    return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : strcmp(x->text, y->text);
}

static void count(text_list *l)
{
    size_t n = 0;
    if (!l->n)
        return;
    qsort(l->items, l->n, sizeof *l->items, by_text);
    for (size_t i = 0; i < l->n; i++) {
        if (n && strcmp(l->items[n - 1].text, l->items[i].text) == 0) {
            l->items[n - 1].n++;
            free(l->items[i].text);
        } else
            l->items[n++] = l->items[i];
    }
    l->n = n;
    qsort(l->items, l->n, sizeof *l->items, by_number);
}

static cf_status add_texts(cf_str *json, cf_store *s, int64_t *n_tasks, cf_error *err)
{
    cf_status st = CF_OK;
    texts t = {0};
    CF_TRY(cf_store_each_sample(s, collect, &t, err));
    count(&t.reasons);
    CF_TRY(cf_page_name(json, "faults", err));
    CF_TRY(cf_str_add_text(json, "[", err));
    for (size_t i = 0; i < t.reasons.n; i++) {
        CF_TRY(cf_page_next(json, err));
        CF_TRY(cf_str_add_text(json, "{", err));
        CF_TRY(cf_page_text(json, "reason", t.reasons.items[i].text, err));
        CF_TRY(cf_page_integer(json, "n", t.reasons.items[i].n, err));
        CF_TRY(cf_str_add_text(json, "}", err));
    }
    CF_TRY(cf_str_add_text(json, "]", err));
    CF_TRY(cf_page_name(json, "tasks", err));
    CF_TRY(cf_str_add_text(json, "[", err));
    for (size_t i = 0; i < t.tasks.n; i++) {
        CF_TRY(cf_page_next(json, err));
        CF_TRY(cf_json_add_string(json, t.tasks.items[i].text, err));
    }
    CF_TRY(cf_str_add_text(json, "]", err));
    *n_tasks = (int64_t)t.tasks.n;
done:
    list_deinit(&t.reasons);
    list_deinit(&t.tasks);
    return st;
}

/* ---- the study ---- */

static cf_status add_kind(cf_str *json, cf_store *s, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str study = {0};
    bool found = false;
    CF_TRY(cf_store_fact(s, "study", &study, &found, err));
    const bool plain = found && (strcmp(study.data, "lens") == 0 || strcmp(study.data, "map") == 0);
    CF_TRY(cf_page_text(json, "kind", plain ? study.data : "trace", err));
done:
    cf_str_deinit(&study);
    return st;
}

/* The B of the fact "layers", A:B; unchanged where there is none. */
static cf_status layers_asked_for(int64_t *n_layers, cf_store *s, cf_error *err)
{
    cf_str layers = {0};
    bool found = false;
    const cf_status st = cf_store_fact(s, "layers", &layers, &found, err);
    const char *colon = st == CF_OK && found ? strchr(layers.data, ':') : NULL;
    if (colon)
        (void)cf_parse_i64(n_layers, cf_slice_of(colon + 1));
    cf_str_deinit(&layers);
    return st;
}

/* The folder of the pictures: the user's word for it, else the study's. */
static cf_status add_samples(cf_str *json, cf_page_parts *page, cf_store *s, cf_page_samples_input *in, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str images = {0};
    bool found = false;
    in->images = page->o->images;
    if (!in->images) {
        CF_TRY(cf_store_fact(s, "images", &images, &found, err));
        in->images = found ? images.data : "";
    }
    in->store = s;
    in->choice = &page->choice;
    CF_TRY(cf_page_samples_add(json, &page->blobs, &page->pictures, in, &page->room, &page->left_out, err));
done:
    cf_str_deinit(&images);
    return st;
}

/* map NULL: the study is none. */
static cf_status add_maps(cf_str *json, cf_page_parts *page, cf_store *s, const cf_map *map, bool has[CF_N_MEASURES],
                          int64_t *n_layers, cf_error *err)
{
    if (map)
        return cf_page_maps_add(json, &page->blobs, s, map, &page->choice, has, n_layers, &page->room, &page->left_out,
                                err);
    const cf_status st = cf_page_name(json, "maps", err);
    return st == CF_OK ? cf_str_add_text(json, "[]", err) : st;
}

cf_status cf_page_study_add(cf_str *json, cf_page_parts *page, cf_store *s, const char *name, size_t model,
                            cf_error *err)
{
    cf_status st = CF_OK;
    cf_page_runs runs = {0};
    cf_store_counts counts = {0};
    cf_page_samples_input in = {.runs = &runs};
    cf_map map = {0};
    bool is_map = false;
    int64_t n_tasks = 0, n_layers = 0;
    CF_TRY(cf_page_next(json, err));
    CF_TRY(cf_str_add_text(json, "{", err));
    CF_TRY(cf_page_text(json, "name", name, err));
    CF_TRY(add_kind(json, s, err));
    CF_TRY(cf_page_integer(json, "model", (int64_t)model, err));
    CF_TRY(add_facts(json, s, err));
    CF_TRY(cf_store_count(s, &counts, err));
    CF_TRY(add_counts(json, &counts, err));
    CF_TRY(add_texts(json, s, &n_tasks, err));
    CF_TRY(cf_store_map(s, &map, &is_map, err));
    if (!is_map) /* the runs of a map are its cells */
        CF_TRY(cf_page_runs_read(&runs, s, err));
    CF_TRY(cf_page_runs_add(json, &runs, err));
    CF_TRY(layers_asked_for(&n_layers, s, err));
    for (size_t i = 0; i < runs.n; i++)
        if (runs.items[i].centre >= n_layers)
            n_layers = (int64_t)runs.items[i].centre + 1;
    CF_TRY(cf_page_curves_add(json, s, &runs, page->o->resamples, in.has, err));
    CF_TRY(cf_page_lens_add(json, s, &runs, n_tasks, &n_layers, err));
    in.n_done = counts.done;
    CF_TRY(add_samples(json, page, s, &in, err));
    CF_TRY(add_maps(json, page, s, is_map ? &map : NULL, in.has, &n_layers, err));
    CF_TRY(cf_page_integer(json, "nLayers", n_layers, err));
    CF_TRY(cf_page_measures_add(json, in.has, err));
    CF_TRY(cf_str_add_text(json, "}", err));
done:
    cf_map_deinit(&map);
    cf_page_runs_deinit(&runs);
    return st;
}
