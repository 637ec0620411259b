/* question_set.c - see question.h: opening by format, and the rows as the readers hand them over.
 *
 * Owns a set's memory. Knows no format: csv_rows.c, jsonl_rows.c and gqa_rows.c do. */
#include "question/question_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

/* ---- rows ---- */

void cf_draft_begin(cf_draft *d)
{
    d->question = (cf_question){0};
    d->n_objects = 0;
    cf_str_clear(&d->fault);
}

cf_status cf_draft_add_object(cf_draft *d, const cf_object *o, const char *field, cf_error *err)
{
    if (d->n_objects == CF_MAX_OBJECTS) {
        cf_str expected = {0};
        cf_status st = cf_str_addf(&expected, err, "at most %d objects", CF_MAX_OBJECTS);
        if (st == CF_OK)
            st = cf_fault(&d->fault, field, expected.data, cf_slice_of("more"), err);
        cf_str_deinit(&expected);
        return st;
    }
    d->objects[d->n_objects++] = *o;
    return CF_OK;
}

cf_status cf_draft_end(cf_question_set *s, const cf_draft *d, cf_error *err)
{
    cf_status st = CF_OK;
    cf_question q = d->question;
    void *m = NULL;
    for (int32_t i = 0; i < d->n_objects; i++)
        if (d->objects[i].has_box || d->objects[i].name.n)
            q.n_objects = i + 1;
    const size_t n_bytes = (size_t)q.n_objects * sizeof *q.objects;
    CF_TRY(cf_arena_take(&m, &s->arena, n_bytes, err));
    if (m)
        memcpy(m, d->objects, n_bytes);
    q.objects = m;
    CF_TRY(cf_arena_text(&q.fault, &s->arena, cf_str_slice(&d->fault), err));
    m = s->rows;
    CF_TRY(cf_grow(&m, &s->cap, s->n + 1, sizeof *s->rows, "the rows of a question set", err));
    s->rows = m;
    s->rows[s->n++] = q;
done:
    return st;
}

void cf_draft_deinit(cf_draft *d)
{
    cf_str_deinit(&d->fault);
}

cf_status cf_fault(cf_str *fault, const char *field, const char *expected, cf_slice found, cf_error *err)
{
    if (fault->n)
        return CF_OK;
    char shown[41] = {0}; /* of any bytes; the reason is printable whatever they are */
    for (size_t i = 0; i < found.n && i < sizeof shown - 1; i++)
        shown[i] = found.data[i] >= ' ' && found.data[i] <= '~' ? found.data[i] : '?';
    return cf_str_addf(fault, err, "%s: expected %s, found \"%s\"", field, expected, shown);
}

cf_status cf_fault_pixels(int64_t *out, cf_str *fault, const char *field, bool whole, int64_t v, int64_t min,
                          cf_slice found, cf_error *err)
{
    if (!whole)
        return cf_fault(fault, field, "a whole number of pixels", found, err);
    if (v < min || v > CF_MAX_PIXELS)
        return cf_fault(fault, field, "a number of pixels in range", found, err);
    *out = v;
    return CF_OK;
}

/* ---- the whole file ---- */

static bool ends_with(const char *path, const char *ending)
{
    const size_t n = strlen(path), e = strlen(ending);
    return n >= e && memcmp(path + n - e, ending, e) == 0;
}

bool cf_question_is_gqa(const char *path)
{
    return ends_with(path, ".json");
}

static cf_status hash_bytes(char out[CF_HASH_HEX_BYTES], cf_slice text, cf_slice scene_text, cf_error *err)
{
    cf_hash *h = NULL;
    const cf_status st = cf_hash_create(&h, err);
    if (st != CF_OK)
        return st;
    cf_hash_add(h, text.data, text.n);
    cf_hash_add(h, scene_text.data, scene_text.n);
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

static cf_status read_by_ending(cf_question_set *s, cf_slice text, cf_slice scene_text, const char *scene_path,
                                cf_error *err)
{
    if (cf_question_is_gqa(s->path))
        return cf_read_gqa(s, text, scene_text, scene_path, err);
    if (ends_with(s->path, ".jsonl"))
        return cf_read_jsonl(s, text, err);
    const cf_status st = cf_strdup(&s->text, text, err);
    return st == CF_OK ? cf_read_csv(s, text.n, err) : st;
}

cf_status cf_question_set_parse_gqa(cf_question_set **out, cf_slice text, const char *path, cf_slice scene_text,
                                    const char *scene_path, cf_error *err)
{
    cf_status st = CF_OK;
    cf_question_set *s = calloc(1, sizeof *s);
    if (!s)
        return cf_fail(err, CF_NOMEM, "no memory for the question set %s", path);
    CF_TRY(cf_strdup(&s->path, cf_slice_of(path), err));
    CF_TRY(cf_strdup(&s->task, last_word(cf_path_stem(path)), err));
    CF_TRY(hash_bytes(s->hash, text, scene_text, err));
    CF_TRY(read_by_ending(s, text, scene_text, scene_path, err));
    *out = s;
    s = NULL;
done:
    cf_question_set_free(s);
    return st;
}

cf_status cf_question_set_parse(cf_question_set **out, cf_slice text, const char *path, cf_error *err)
{
    return cf_question_set_parse_gqa(out, text, path, (cf_slice){NULL, 0}, NULL, err);
}

static cf_slice slice_of_file(const cf_mapping *m)
{
    return (cf_slice){(const char *)m->data, m->n};
}

/* *out = the scene graph file beside a questions file; NULL where there is none. */
static cf_status find_scene_graphs(char **out, const char *path, cf_error *err)
{
    const cf_slice stem = cf_path_stem(path);
    const int64_t first = cf_slice_find(stem, cf_slice_of("_"), 0);
    cf_status st = CF_OK;
    cf_str name = {0};
    char *dir = NULL, *found = NULL;
    CF_TRY(cf_str_add(&name, (cf_slice){stem.data, first < 0 ? stem.n : (size_t)first}, err));
    CF_TRY(cf_str_add_text(&name, "_sceneGraphs.json", err));
    CF_TRY(cf_path_dir(&dir, path, err));
    CF_TRY(cf_path_join(&found, dir, name.data, err));
    if (cf_file_exists(found)) {
        *out = found;
        found = NULL;
    }
done:
    free(found);
    free(dir);
    cf_str_deinit(&name);
    return st;
}

cf_status cf_question_set_open_gqa(cf_question_set **out, const char *path, const char *scene_graphs, cf_error *err)
{
    cf_status st = CF_OK;
    cf_mapping file = {0}, scenes = {0};
    char *beside = NULL;
    if (scene_graphs && !cf_question_is_gqa(path))
        return cf_fail(err, CF_USAGE, "%s: scene graphs (%s) go with GQA's own questions, a .json file", path,
                       scene_graphs);
    if (!scene_graphs && cf_question_is_gqa(path)) {
        CF_TRY(find_scene_graphs(&beside, path, err));
        scene_graphs = beside;
    }
    CF_TRY(cf_file_map(&file, path, err));
    if (scene_graphs)
        CF_TRY(cf_file_map(&scenes, scene_graphs, err));
    CF_TRY(cf_question_set_parse_gqa(out, slice_of_file(&file), path, slice_of_file(&scenes), scene_graphs, err));
done:
    cf_file_unmap(&scenes);
    cf_file_unmap(&file);
    free(beside);
    return st;
}

cf_status cf_question_set_open(cf_question_set **out, const char *path, cf_error *err)
{
    return cf_question_set_open_gqa(out, path, NULL, err);
}

void cf_question_set_free(cf_question_set *s)
{
    if (!s)
        return;
    cf_arena_deinit(&s->arena);
    cf_str_deinit(&s->note);
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

const char *cf_question_set_note(const cf_question_set *s)
{
    return s->note.data ? s->note.data : "";
}

size_t cf_question_set_size(const cf_question_set *s)
{
    return s->n;
}

const cf_question *cf_question_set_row(const cf_question_set *s, size_t i)
{
    return &s->rows[i];
}

void cf_question_set_hash(char out[CF_HASH_HEX_BYTES], const cf_question_set *s)
{
    memcpy(out, s->hash, CF_HASH_HEX_BYTES);
}
