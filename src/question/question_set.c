/* question_set.c - question sets in the CSV layout published with "Cross-modal Information Flow in Multimodal Large Language
 * Models" (CVPR 2025): see question.h.
 *
 * Owns the file's bytes, into which every slice points, and the texts of the faults. Does not judge a box against its picture:
 * the picture has not been read. A file whose shape is wrong is an error; a row whose values are wrong is kept with its fault. */
#include "question/question.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
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
    int first_object[CF_MAX_OBJECTS];
    int n_objects;
} layout;

#define ABSENT SIZE_MAX

typedef struct row {
    cf_question question;
    cf_str fault; /* storage of question.fault */
} row;

struct cf_question_set {
    char *path, *task;
    char *text; /* the file, its quoted cells unescaped in place */
    row *rows;
    size_t n, cap;
    char hash[CF_HASH_HEX_BYTES];
};

/* Boxes are added and scaled by others: bounded here, so that no sum of a few of them can overflow. */
static const int64_t max_pixels = INT32_MAX;

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

/* Records why the row cannot be used; the first reason stays. */
static cf_status add_fault(row *r, int c, const char *expected, cf_slice found, cf_error *err)
{
    if (r->fault.n)
        return CF_OK;
    char shown[41] = {0}; /* of any bytes; the reason is printable whatever they are */
    for (size_t i = 0; i < found.n && i < sizeof shown - 1; i++)
        shown[i] = found.data[i] >= ' ' && found.data[i] <= '~' ? found.data[i] : '?';
    return cf_str_addf(&r->fault, err, "%s: expected %s, found \"%s\"", column_names[c], expected, shown);
}

static cf_status read_pixels(int64_t *out, row *r, const layout *l, const cf_csv_row *cells, int c, int64_t min,
                             cf_error *err)
{
    const cf_slice cell = cells->cells[l->at[c]];
    int64_t v = 0;
    if (!cf_parse_i64(&v, cell))
        return add_fault(r, c, "a whole number of pixels", cell, err);
    if (v < min || v > max_pixels)
        return add_fault(r, c, "a number of pixels in range", cell, err);
    *out = v;
    return CF_OK;
}

/* The four cells of a box are numbers, or all '-'. */
static cf_status read_object(cf_object *o, row *r, const layout *l, const cf_csv_row *cells, int first, cf_error *err)
{
    cf_status st = CF_OK;
    o->name = value(l, cells, first + NAME);
    int n_absent = 0;
    for (int p = X; p <= H; p++)
        n_absent += cf_slice_is(cells->cells[l->at[first + p]], "-");
    if (n_absent == N_PARTS - 1)
        return CF_OK;
    CF_TRY(read_pixels(&o->x, r, l, cells, first + X, -max_pixels, err));
    CF_TRY(read_pixels(&o->y, r, l, cells, first + Y, -max_pixels, err));
    CF_TRY(read_pixels(&o->w, r, l, cells, first + W, 0, err));
    CF_TRY(read_pixels(&o->h, r, l, cells, first + H, 0, err));
    o->has_box = r->fault.n == 0;
done:
    return st;
}

static cf_status read_row(row *r, const layout *l, const cf_csv_row *cells, cf_error *err)
{
    cf_status st = CF_OK;
    cf_question *q = &r->question;
    q->id = cells->cells[l->at[ID]];
    q->image = cells->cells[l->at[IMAGE]];
    q->text = cells->cells[l->at[TEXT]];
    q->answer = cells->cells[l->at[ANSWER]];
    q->true_option = value(l, cells, TRUE_OPTION);
    q->false_option = value(l, cells, FALSE_OPTION);
    for (int c = ID; c <= ANSWER; c++) {
        if (cells->cells[l->at[c]].n == 0)
            CF_TRY(add_fault(r, c, "a value", cells->cells[l->at[c]], err));
    }
    for (int k = 0; k < l->n_objects; k++) {
        cf_object *o = &q->objects[k];
        CF_TRY(read_object(o, r, l, cells, l->first_object[k], err));
        if (o->has_box || o->name.n)
            q->n_objects = k + 1;
    }
    if (value(l, cells, IMAGE_W).n)
        CF_TRY(read_pixels(&q->image_w, r, l, cells, IMAGE_W, 1, err));
    if (value(l, cells, IMAGE_H).n)
        CF_TRY(read_pixels(&q->image_h, r, l, cells, IMAGE_H, 1, err));
    q->fault = cf_str_slice(&r->fault);
done:
    return st;
}

/* ---- the whole file ---- */

static cf_status read_rows(cf_question_set *s, size_t n_bytes, cf_error *err)
{
    cf_status st = CF_OK;
    cf_csv csv;
    cf_csv_row cells = {0};
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
        void *rows = s->rows;
        CF_TRY(cf_grow(&rows, &s->cap, s->n + 1, sizeof *s->rows, "the rows of a question set", err));
        s->rows = rows;
        s->rows[s->n] = (row){0};
        s->n++; /* counted before it is filled: the free function releases its fault */
        CF_TRY(read_row(&s->rows[s->n - 1], &l, &cells, err));
    }
    if (s->n == 0)
        st = cf_fail(err, CF_FORMAT, "%s: expected rows after the first line, found none", s->path);
done:
    cf_csv_row_deinit(&cells);
    return st;
}

static cf_status hash_bytes(char out[CF_HASH_HEX_BYTES], cf_slice text, cf_error *err)
{
    cf_hash *h = NULL;
    const cf_status st = cf_hash_create(&h, err);
    if (st != CF_OK)
        return st;
    cf_hash_add(h, text.data, text.n);
    cf_hash_hex(h, out);
    cf_hash_free(h);
    return CF_OK;
}

/* The last '_' word of a stem, the stem itself where it has none. */
static cf_slice last_word(cf_slice stem)
{
    size_t begin = stem.n;
    while (begin > 0 && stem.data[begin - 1] != '_')
        begin--;
    return (cf_slice){stem.data + begin, stem.n - begin};
}

cf_status cf_question_set_parse(cf_question_set **out, cf_slice text, const char *path, cf_error *err)
{
    cf_status st = CF_OK;
    cf_question_set *s = calloc(1, sizeof *s);
    if (!s)
        return cf_fail(err, CF_NOMEM, "no memory for the question set %s", path);
    CF_TRY(cf_strdup(&s->path, cf_slice_of(path), err));
    CF_TRY(cf_strdup(&s->task, last_word(cf_path_stem(path)), err));
    CF_TRY(cf_strdup(&s->text, text, err));
    CF_TRY(hash_bytes(s->hash, text, err));
    CF_TRY(read_rows(s, text.n, err));
    *out = s;
    s = NULL;
done:
    cf_question_set_free(s);
    return st;
}

cf_status cf_question_set_open(cf_question_set **out, const char *path, cf_error *err)
{
    cf_mapping file = {0};
    cf_status st = cf_file_map(&file, path, err);
    if (st == CF_OK)
        st = cf_question_set_parse(out, (cf_slice){(const char *)file.data, file.n}, path, err);
    cf_file_unmap(&file);
    return st;
}

void cf_question_set_free(cf_question_set *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        cf_str_deinit(&s->rows[i].fault);
    free(s->rows);
    free(s->text);
    free(s->task);
    free(s->path);
    free(s);
}

const char *cf_question_set_path(const cf_question_set *s)
{
    return s->path;
}

const char *cf_question_set_task(const cf_question_set *s)
{
    return s->task;
}

size_t cf_question_set_size(const cf_question_set *s)
{
    return s->n;
}

const cf_question *cf_question_set_row(const cf_question_set *s, size_t i)
{
    return &s->rows[i].question;
}

void cf_question_set_hash(char out[CF_HASH_HEX_BYTES], const cf_question_set *s)
{
    memcpy(out, s->hash, CF_HASH_HEX_BYTES);
}
