/* page_choice.c - see page_choice.h. */
#include "report/page_choice.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/str.h"

void cf_page_choice_deinit(cf_page_choice *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->items[i].task);
    free(c->items);
    *c = (cf_page_choice){0};
}

/* ---- orders ---- */

static int by_question(const void *a, const void *b)
{
    const cf_page_sample *x = a, *y = b;
    const int tasks = strcmp(x->task, y->task);
    return tasks ? tasks : (x->row > y->row) - (x->row < y->row);
}

/* Within a task: the better ones first. */
static int by_worth(const void *a, const void *b)
{
    const cf_page_sample *x = a, *y = b;
    const int tasks = strcmp(x->task, y->task), drawn = strcmp(x->order, y->order);
    if (tasks)
        return tasks;
    if (x->done != y->done)
        return y->done - x->done;
    if (x->n_studies != y->n_studies)
        return (x->n_studies < y->n_studies) - (x->n_studies > y->n_studies);
    return drawn ? drawn : (x->row > y->row) - (x->row < y->row);
}

/* One of each task, then another of each. */
static int by_turn(const void *a, const void *b)
{
    const cf_page_sample *x = a, *y = b;
    if (x->named != y->named)
        return y->named - x->named;
    if (x->mapped != y->mapped)
        return y->mapped - x->mapped;
    if (x->rank != y->rank)
        return (x->rank > y->rank) - (x->rank < y->rank);
    return strcmp(x->task, y->task);
}

/* ---- candidates ---- */

typedef struct collector {
    cf_page_choice *choice;
    bool mapped;
} collector;

static cf_status collect(void *user, const cf_sample *x, cf_error *err)
{
    const collector *c = user;
    cf_page_choice *all = c->choice;
    void *items = all->items;
    if (x->status == CF_SAMPLE_FAULT)
        return CF_OK;
    cf_status st = cf_grow(&items, &all->cap, all->n + 1, sizeof *all->items, "samples of the page", err);
    if (st != CF_OK)
        return st;
    all->items = items;
    cf_page_sample *s = &all->items[all->n];
    *s = (cf_page_sample){.row = x->row, .mapped = c->mapped, .done = x->status == CF_SAMPLE_DONE, .n_studies = 1};
    st = cf_strdup(&s->task, cf_slice_of(x->task), err);
    all->n += st == CF_OK;
    return st;
}

/* The same question in several studies becomes one candidate. */
static void merge(cf_page_choice *c)
{
    size_t n = 0;
    if (c->n)
        qsort(c->items, c->n, sizeof *c->items, by_question);
    for (size_t i = 0; i < c->n; i++) {
        cf_page_sample *s = &c->items[i], *last = n ? &c->items[n - 1] : NULL;
        if (!last || by_question(last, s) != 0) {
            c->items[n++] = *s;
            continue;
        }
        last->mapped = last->mapped || s->mapped;
        last->done = last->done || s->done;
        last->n_studies++;
        free(s->task);
    }
    c->n = n;
}

static cf_status draw(cf_page_sample *s, int64_t seed, cf_error *err)
{
    cf_hash *h = NULL;
    const cf_status st = cf_hash_create(&h, err);
    if (st != CF_OK)
        return st;
    cf_hash_add(h, &seed, sizeof seed);
    cf_hash_add(h, &s->row, sizeof s->row);
    cf_hash_add(h, s->task, strlen(s->task));
    cf_hash_hex(h, s->order);
    cf_hash_free(h);
    return CF_OK;
}

/* "TASK.ROW" to a candidate; the row is behind the last dot. */
static cf_status name_sample(cf_page_choice *c, const char *name, cf_error *err)
{
    cf_status st = CF_OK;
    cf_page_sample key = {0}, *found = NULL;
    const char *dot = strrchr(name, '.');
    if (!dot || !cf_parse_i64(&key.row, cf_slice_of(dot + 1)))
        return cf_fail(err, CF_USAGE, "--sample %s: expected TASK.ROW", name);
    CF_TRY(cf_strdup(&key.task, (cf_slice){name, (size_t)(dot - name)}, err));
    if (c->n)
        found = bsearch(&key, c->items, c->n, sizeof *c->items, by_question);
    if (found)
        found->named = true;
    else
        st = cf_fail(err, CF_USAGE, "--sample %s: no study has this sample, or only as a fault", name);
done:
    free(key.task);
    return st;
}

/* ---- the choice ---- */

static void rank(cf_page_choice *c)
{
    qsort(c->items, c->n, sizeof *c->items, by_worth);
    for (size_t i = 0; i < c->n; i++)
        c->items[i].rank = i && strcmp(c->items[i - 1].task, c->items[i].task) == 0 ? c->items[i - 1].rank + 1 : 0;
}

static void keep_first(cf_page_choice *c, int64_t most)
{
    size_t n = 0;
    qsort(c->items, c->n, sizeof *c->items, by_turn);
    while (n < c->n && (c->items[n].named || (int64_t)n < most))
        n++;
    for (size_t i = n; i < c->n; i++)
        free(c->items[i].task);
    c->n = n;
    if (n)
        qsort(c->items, n, sizeof *c->items, by_question);
}

cf_status cf_page_choice_make(cf_page_choice *out, cf_store *const *stores, size_t n_stores,
                              const cf_page_choice_options *o, cf_error *err)
{
    cf_status st = CF_OK;
    cf_page_choice c = {0};
    cf_str text = {0};
    for (size_t i = 0; i < n_stores; i++) {
        collector walk = {.choice = &c};
        CF_TRY(cf_store_fact(stores[i], "map", &text, &walk.mapped, err));
        CF_TRY(cf_store_each_sample(stores[i], collect, &walk, err));
    }
    merge(&c);
    for (size_t i = 0; i < c.n; i++)
        CF_TRY(draw(&c.items[i], o->seed, err));
    for (size_t i = 0; i < o->n_named; i++)
        CF_TRY(name_sample(&c, o->named[i], err));
    if (c.n) {
        rank(&c);
        keep_first(&c, o->n);
    }
    *out = c;
    c = (cf_page_choice){0};
done:
    cf_str_deinit(&text);
    cf_page_choice_deinit(&c);
    return st;
}

bool cf_page_choice_has(const cf_page_choice *c, const char *task, int64_t row)
{
    const cf_page_sample key = {.task = (char *)(uintptr_t)task, .row = row};
    return c->n && bsearch(&key, c->items, c->n, sizeof *c->items, by_question);
}
