/* table_counts.c - see table_counts.h.
 *
 * Notes are lines of text (cf_sample.notes). Those that differ only in what they quote and in numbers are of one kind:
 * True Option "left" occurs 2 times  ->  True Option "..." occurs N times. */
#include "report/table_counts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/table_text.h"

enum { SHOWN = 10, EXAMPLES = 3, INDENT = 15 };

/* ---- texts and how often each occurs ---- */

typedef struct example {
    char *task, *text;
    int64_t row;
} example;

typedef struct kind {
    char *text;
    int64_t n;
    example examples[EXAMPLES]; /* of notes: the first ones */
    size_t n_examples;
} kind;

typedef struct kinds { /* zero-initialise */
    kind *items;
    size_t n, cap;
    int64_t samples; /* that have any */
} kinds;

static void kinds_deinit(kinds *k)
{
    for (size_t i = 0; i < k->n; i++) {
        for (size_t j = 0; j < k->items[i].n_examples; j++) {
            free(k->items[i].examples[j].task);
            free(k->items[i].examples[j].text);
        }
        free(k->items[i].text);
    }
    free(k->items);
}

/* *out: borrowed until the next call. */
static cf_status count(kinds *k, kind **out, const char *text, cf_error *err)
{
    for (size_t i = 0; i < k->n; i++) {
        if (strcmp(k->items[i].text, text) == 0) {
            k->items[i].n++;
            *out = &k->items[i];
            return CF_OK;
        }
    }
    void *items = k->items;
    cf_status st = cf_grow(&items, &k->cap, k->n + 1, sizeof *k->items, "reasons", err);
    k->items = items;
    if (st != CF_OK)
        return st;
    char *copy = NULL;
    st = cf_strdup(&copy, cf_slice_of(text), err);
    if (st == CF_OK) {
        *out = &k->items[k->n++];
        **out = (kind){.text = copy, .n = 1};
    }
    return st;
}

/* Most frequent first; then by text, so that a study always reads the same. */
static int compare_kinds(const void *a, const void *b)
{
    const kind *x = a, *y = b;
    return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : strcmp(x->text, y->text);
}

static cf_status add_kinds(cf_str *out, kinds *k, const char *name, const char *others, cf_error *err)
{
    cf_status st = CF_OK;
    if (k->n)
        qsort(k->items, k->n, sizeof *k->items, compare_kinds);
    for (size_t i = 0; i < k->n && i < SHOWN; i++) {
        const kind *x = &k->items[i];
        CF_TRY(cf_str_addf(out, err, "  %-5s %5" PRId64 "  ", name, x->n));
        CF_TRY(cf_table_wrapped(out, x->text, INDENT, err));
        CF_TRY(cf_str_add_text(out, "\n", err));
        for (size_t j = 0; j < x->n_examples; j++) {
            CF_TRY(cf_str_addf(out, err, "%*s", INDENT + 2, ""));
            CF_TRY(cf_table_text(out, x->examples[j].task, err));
            CF_TRY(cf_str_addf(out, err, " row %" PRId64 ": ", x->examples[j].row));
            CF_TRY(cf_table_wrapped(out, x->examples[j].text, INDENT + 4, err));
            CF_TRY(cf_str_add_text(out, "\n", err));
        }
    }
    if (k->n > SHOWN)
        CF_TRY(cf_str_addf(out, err, "  %-5s        and %zu other %s\n", name, k->n - SHOWN, others));
done:
    return st;
}

/* ---- faults ---- */

static cf_status note_fault(void *user, const cf_sample *sample, cf_error *err)
{
    kind *unused;
    return sample->status == CF_SAMPLE_FAULT ? count(user, &unused, sample->reason, err) : CF_OK;
}

static cf_status add_faults(cf_store *s, cf_str *out, cf_error *err)
{
    cf_status st = CF_OK;
    kinds faults = {0};
    CF_TRY(cf_store_each_sample(s, note_fault, &faults, err));
    CF_TRY(add_kinds(out, &faults, "fault", "reasons", err));
done:
    kinds_deinit(&faults);
    return st;
}

/* ---- notes ---- */

/* Appends the note with "..." for what is quoted (from its first quote to its last) and N for each number. */
static cf_status add_note_kind(cf_str *out, cf_slice note, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(out, "", err));
    const char *first = memchr(note.data, '"', note.n);
    size_t last = note.n;
    while (last && note.data[last - 1] != '"')
        last--;
    for (size_t i = 0; i < note.n; i++) {
        const char c = note.data[i];
        const bool digit = c >= '0' && c <= '9';
        if (first && note.data + i == first && last > i + 1) {
            CF_TRY(cf_str_add_text(out, "\"...\"", err));
            i = last - 1;
        } else if (!digit)
            CF_TRY(cf_str_add(out, (cf_slice){&c, 1}, err));
        else if (i == 0 || note.data[i - 1] < '0' || note.data[i - 1] > '9')
            CF_TRY(cf_str_add_text(out, "N", err));
    }
done:
    return st;
}

static cf_status keep_example(kind *k, const cf_sample *sample, cf_slice note, cf_error *err)
{
    cf_status st = CF_OK;
    example e = {.row = sample->row};
    if (k->n_examples == EXAMPLES)
        goto done;
    CF_TRY(cf_strdup(&e.task, cf_slice_of(sample->task), err));
    CF_TRY(cf_strdup(&e.text, note, err));
    k->examples[k->n_examples++] = e;
    e = (example){0};
done:
    free(e.task);
    free(e.text);
    return st;
}

static cf_status note_notes(void *user, const cf_sample *sample, cf_error *err)
{
    kinds *k = user;
    cf_status st = CF_OK;
    cf_str text = {0};
    bool any = false;
    for (const char *line = sample->notes; *line;) {
        const size_t n = strcspn(line, "\n");
        const cf_slice note = cf_slice_trim((cf_slice){line, n});
        line += n + (line[n] == '\n');
        if (note.n == 0)
            continue;
        kind *found = NULL;
        any = true;
        cf_str_clear(&text);
        CF_TRY(add_note_kind(&text, note, err));
        CF_TRY(count(k, &found, text.data, err));
        CF_TRY(keep_example(found, sample, note, err));
    }
    k->samples += any;
done:
    cf_str_deinit(&text);
    return st;
}

static cf_status add_notes(cf_store *s, cf_str *out, cf_error *err)
{
    cf_status st = CF_OK;
    kinds notes = {0};
    CF_TRY(cf_store_each_sample(s, note_notes, &notes, err));
    CF_TRY(cf_str_addf(out, err, "notes        %" PRId64 " sample%s with notes\n", notes.samples,
                       notes.samples == 1 ? "" : "s"));
    CF_TRY(add_kinds(out, &notes, "note", "kinds", err));
done:
    kinds_deinit(&notes);
    return st;
}

/* ---- together ---- */

cf_status cf_table_counts(cf_store *s, cf_str *out, bool drop_empty, cf_error *err)
{
    cf_status st = CF_OK;
    cf_store_counts c = {0};
    CF_TRY(cf_store_count(s, &c, err));
    CF_TRY(cf_str_addf(out, err, "samples      %" PRId64 " done, %" PRId64 " wrong, %" PRId64 " fault\n", c.done,
                       c.wrong, c.fault));
    CF_TRY(add_faults(s, out, err));
    CF_TRY(add_notes(s, out, err));
    CF_TRY(cf_str_addf(out, err,
                       "values       %" PRId64 " empty_group (%s), %" PRId64 " no_visible_edge\n"
                       "             without a number: %" PRId64 " fully_cut, %" PRId64 " too_few_keys\n",
                       c.empty_group, drop_empty ? "left out of means" : "in the means, as no change",
                       c.no_visible_edge, c.fully_cut, c.too_few_keys));
    if (c.lens)
        CF_TRY(cf_str_addf(out, err, "lens         of %" PRId64 " sample%s\n", c.lens, c.lens == 1 ? "" : "s"));
done:
    return st;
}
