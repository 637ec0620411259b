/* csv_rows.c - question sets in the CSV layout published with "Cross-modal Information Flow in Multimodal Large
 * Language Models" (CVPR 2025).
 *
 * Every slice of a row points into the set's text. Does not judge a box against its picture: the picture has not been
 * read. */
#include "question/question_internal.h"

#include <inttypes.h>

#include "question/csv.h"

enum part { X, Y, W, H, NAME, N_PARTS };

enum column {
    ID,
    IMAGE,
    TEXT,
    ANSWER,
    TRUE_OPTION,
    FALSE_OPTION,
    IMAGE_W,
    IMAGE_H,
    CENTRAL, /* an object's columns follow one another in the order of `enum part` */
    OBJECT1 = CENTRAL + N_PARTS,
    OBJECT2 = OBJECT1 + N_PARTS,
    N_COLUMNS = OBJECT2 + N_PARTS
};

static const char *const column_names[N_COLUMNS] = {
    [ID] = "question_id",
    [IMAGE] = "img_id",
    [TEXT] = "question",
    [ANSWER] = "answer",
    [TRUE_OPTION] = "true option",
    [FALSE_OPTION] = "false option",
    [IMAGE_W] = "image_w",
    [IMAGE_H] = "image_h",
    [CENTRAL + X] = "central object x",
    [CENTRAL + Y] = "central object y",
    [CENTRAL + W] = "central object w",
    [CENTRAL + H] = "central object h",
    [CENTRAL + NAME] = "central object name",
    [OBJECT1 + X] = "object1 x",
    [OBJECT1 + Y] = "object1 y",
    [OBJECT1 + W] = "object1 w",
    [OBJECT1 + H] = "object1 h",
    [OBJECT1 + NAME] = "object1 name",
    [OBJECT2 + X] = "object2 x",
    [OBJECT2 + Y] = "object2 y",
    [OBJECT2 + W] = "object2 w",
    [OBJECT2 + H] = "object2 h",
    [OBJECT2 + NAME] = "object2 name",
};

/* Where the columns of interest stand in this file. */
typedef struct layout {
    size_t at[N_COLUMNS]; /* ABSENT where the file has no such column */
    size_t n;             /* columns of the file */
    int first_object[2];
    int n_objects;
} layout;

#define ABSENT SIZE_MAX

/* ---- the header line ---- */

static cf_status need_column(const layout *l, int c, const char *path, cf_error *err)
{
    if (l->at[c] == ABSENT)
        return cf_fail(err, CF_FORMAT, "%s: the column \"%s\" is missing", path, column_names[c]);
    return CF_OK;
}

static cf_status need_box_columns(const layout *l, int first, const char *path, cf_error *err)
{
    cf_status st = CF_OK;
    for (int p = X; p <= H; p++)
        CF_TRY(need_column(l, first + p, path, err));
done:
    return st;
}

static bool has_any_box_column(const layout *l, int first)
{
    bool any = false;
    for (int p = X; p <= H; p++)
        any = any || l->at[first + p] != ABSENT;
    return any;
}

static cf_status choose_objects(layout *l, const char *path, cf_error *err)
{
    if (has_any_box_column(l, CENTRAL)) {
        l->first_object[l->n_objects++] = CENTRAL;
        return need_box_columns(l, CENTRAL, path, err);
    }
    if (!has_any_box_column(l, OBJECT1))
        return cf_fail(err, CF_FORMAT, "%s: the column \"%s\" (or \"%s\") is missing", path, column_names[CENTRAL + X],
                       column_names[OBJECT1 + X]);
    cf_status st = CF_OK;
    l->first_object[l->n_objects++] = OBJECT1;
    CF_TRY(need_box_columns(l, OBJECT1, path, err));
    if (has_any_box_column(l, OBJECT2)) {
        l->first_object[l->n_objects++] = OBJECT2;
        CF_TRY(need_box_columns(l, OBJECT2, path, err));
    }
done:
    return st;
}

static cf_status read_header(layout *l, const cf_csv_row *header, const char *path, cf_error *err)
{
    cf_status st = CF_OK;
    *l = (layout){.n = header->n};
    for (int c = 0; c < N_COLUMNS; c++) {
        l->at[c] = ABSENT;
        for (size_t i = 0; i < header->n; i++) {
            if (!cf_slice_is(header->cells[i], column_names[c]))
                continue;
            if (l->at[c] != ABSENT)
                return cf_fail(err, CF_FORMAT, "%s: the column \"%s\" occurs twice", path, column_names[c]);
            l->at[c] = i;
        }
    }
    for (int c = ID; c <= ANSWER; c++)
        CF_TRY(need_column(l, c, path, err));
    CF_TRY(choose_objects(l, path, err));
done:
    return st;
}

/* ---- one row ---- */

/* The cell of column c; empty where the file has no such column or the cell holds the published mark of absence. */
static cf_slice value(const layout *l, const cf_csv_row *cells, int c)
{
    const cf_slice none = {NULL, 0};
    if (l->at[c] == ABSENT || cf_slice_is(cells->cells[l->at[c]], "-"))
        return none;
    return cells->cells[l->at[c]];
}

static cf_status read_pixels(int64_t *out, cf_str *fault, const layout *l, const cf_csv_row *cells, int c, int64_t min,
                             cf_error *err)
{
    const cf_slice cell = cells->cells[l->at[c]];
    int64_t v = 0;
    const bool whole = cf_parse_i64(&v, cell);
    return cf_fault_pixels(out, fault, column_names[c], whole, v, min, cell, err);
}

/* The four cells of a box are numbers, or all '-'. */
static cf_status read_object(cf_object *o, cf_str *fault, const layout *l, const cf_csv_row *cells, int first,
                             cf_error *err)
{
    cf_status st = CF_OK;
    *o = (cf_object){.name = value(l, cells, first + NAME)};
    int n_absent = 0;
    for (int p = X; p <= H; p++)
        n_absent += cf_slice_is(cells->cells[l->at[first + p]], "-");
    if (n_absent == N_PARTS - 1)
        return CF_OK;
    CF_TRY(read_pixels(&o->x, fault, l, cells, first + X, -CF_MAX_PIXELS, err));
    CF_TRY(read_pixels(&o->y, fault, l, cells, first + Y, -CF_MAX_PIXELS, err));
    CF_TRY(read_pixels(&o->w, fault, l, cells, first + W, 0, err));
    CF_TRY(read_pixels(&o->h, fault, l, cells, first + H, 0, err));
    o->has_box = fault->n == 0;
done:
    return st;
}

static cf_status read_row(cf_draft *d, const layout *l, const cf_csv_row *cells, cf_error *err)
{
    cf_status st = CF_OK;
    cf_question *q = &d->question;
    cf_draft_begin(d);
    q->id = cells->cells[l->at[ID]];
    q->image = cells->cells[l->at[IMAGE]];
    q->text = cells->cells[l->at[TEXT]];
    q->answer = cells->cells[l->at[ANSWER]];
    q->true_option = value(l, cells, TRUE_OPTION);
    q->false_option = value(l, cells, FALSE_OPTION);
    for (int c = ID; c <= ANSWER; c++) {
        if (cells->cells[l->at[c]].n == 0)
            CF_TRY(cf_fault(&d->fault, column_names[c], "a value", cells->cells[l->at[c]], err));
    }
    for (int k = 0; k < l->n_objects; k++) {
        cf_object o;
        CF_TRY(read_object(&o, &d->fault, l, cells, l->first_object[k], err));
        CF_TRY(cf_draft_add_object(d, &o, column_names[l->first_object[k]], err));
    }
    if (value(l, cells, IMAGE_W).n)
        CF_TRY(read_pixels(&q->image_w, &d->fault, l, cells, IMAGE_W, 1, err));
    if (value(l, cells, IMAGE_H).n)
        CF_TRY(read_pixels(&q->image_h, &d->fault, l, cells, IMAGE_H, 1, err));
done:
    return st;
}

/* ---- the whole file ---- */

cf_status cf_read_csv(cf_question_set *s, size_t n_bytes, cf_error *err)
{
    cf_status st = CF_OK;
    cf_csv csv;
    cf_csv_row cells = {0};
    cf_draft d = {0};
    layout l;
    bool more = false;
    cf_csv_init(&csv, s->text, n_bytes, s->path);
    CF_TRY(cf_csv_next(&more, &cells, &csv, err));
    if (!more) {
        st = cf_fail(err, CF_FORMAT, "%s: expected a question set, found an empty file", s->path);
        goto done;
    }
    CF_TRY(read_header(&l, &cells, s->path, err));
    for (;;) {
        CF_TRY(cf_csv_next(&more, &cells, &csv, err));
        if (!more)
            break;
        if (cells.n != l.n) {
            st = cf_fail(err, CF_FORMAT, "%s, line %" PRId64 ": expected %zu cells as in the first line, found %zu",
                         s->path, cells.line, l.n, cells.n);
            goto done;
        }
        CF_TRY(read_row(&d, &l, &cells, err));
        CF_TRY(cf_draft_end(s, &d, err));
    }
    if (s->n == 0)
        st = cf_fail(err, CF_FORMAT, "%s: expected rows after the first line, found none", s->path);
done:
    cf_draft_deinit(&d);
    cf_csv_row_deinit(&cells);
    return st;
}
