/* page.c - see page.h. */
#include "report/page.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"
#include "base/out_file.h"
#include "base/version.h"
#include "report/page_assets.h"
#include "report/page_json.h"
#include "report/page_study.h"

cf_page_options cf_page_options_default(void)
{
    /* 1.4 million numbers are the values of 5,525 questions, six flows and forty layers, and take 13 MB. */
    return (cf_page_options){.n_samples = 24, .seed = 1, .resamples = CF_BOOTSTRAP_RESAMPLES, .n_numbers = 1400000};
}

/* ---- names ---- */

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The file's name, or its path where two studies share a name. */
static const char *name_of(cf_store *const *stores, size_t n, size_t i)
{
    const char *path = cf_store_path(stores[i]), *name = last_part(path);
    for (size_t k = 0; k < n; k++)
        if (k != i && strcmp(last_part(cf_store_path(stores[k])), name) == 0)
            return path;
    return name;
}

static cf_status check_names(cf_store *const *stores, size_t n, cf_error *err)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(cf_store_path(stores[i]), cf_store_path(stores[k])) == 0)
                return cf_fail(err, CF_USAGE, "%s: is given twice", cf_store_path(stores[i]));
    return CF_OK;
}

static cf_status add_title(cf_str *json, cf_store *const *stores, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str title = {0};
    CF_TRY(cf_str_add_text(&title, "", err));
    for (size_t i = 0; i < n; i++)
        CF_TRY(cf_str_addf(&title, err, "%s%s", i ? ", " : "", name_of(stores, n, i)));
    CF_TRY(cf_page_text(json, "title", title.data, err));
done:
    cf_str_deinit(&title);
    return st;
}

/* ---- models ---- */

/* A fact, "" where there is none. */
static cf_status fact_of(cf_str *out, cf_store *s, const char *key, cf_error *err)
{
    bool found = false;
    cf_str_clear(out);
    const cf_status st = cf_str_add_text(out, "", err);
    return st == CF_OK ? cf_store_fact(s, key, out, &found, err) : st;
}

/* The first study of the same checkpoint. */
static cf_status same_model(size_t *out, cf_store *const *stores, size_t i, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str mine = {0}, other = {0};
    size_t k = 0;
    CF_TRY(fact_of(&mine, stores[i], "checkpoint", err));
    for (; k < i; k++) {
        CF_TRY(fact_of(&other, stores[k], "checkpoint", err));
        if (strcmp(mine.data, other.data) == 0)
            break;
    }
    *out = k;
done:
    cf_str_deinit(&other);
    cf_str_deinit(&mine);
    return st;
}

static cf_status add_model(cf_str *json, cf_store *s, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str text = {0};
    CF_TRY(cf_page_next(json, err));
    CF_TRY(cf_str_add_text(json, "{", err));
    CF_TRY(fact_of(&text, s, "model", err));
    CF_TRY(cf_page_text(json, "name", text.data, err));
    CF_TRY(fact_of(&text, s, "checkpoint", err));
    CF_TRY(cf_page_text(json, "checkpoint", text.data, err));
    CF_TRY(cf_str_add_text(json, "}", err));
done:
    cf_str_deinit(&text);
    return st;
}

/* Members "models" and "studies". */
static cf_status add_studies(cf_str *json, cf_page_parts *page, cf_store *const *stores, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str studies = {0};
    size_t *models = calloc(n + 1, sizeof *models), n_models = 0; /* by study */
    if (!models)
        return cf_fail(err, CF_NOMEM, "studies of the page");
    CF_TRY(cf_page_name(json, "models", err));
    CF_TRY(cf_str_add_text(json, "[", err));
    CF_TRY(cf_str_add_text(&studies, "[", err));
    for (size_t i = 0; i < n; i++) {
        size_t same = 0;
        CF_TRY(same_model(&same, stores, i, err));
        models[i] = same == i ? n_models++ : models[same];
        if (same == i)
            CF_TRY(add_model(json, stores[i], err));
        CF_TRY(cf_page_study_add(&studies, page, stores[i], name_of(stores, n, i), models[i], err));
    }
    CF_TRY(cf_str_add_text(json, "]", err));
    CF_TRY(cf_page_name(json, "studies", err));
    CF_TRY(cf_str_add(json, cf_str_slice(&studies), err));
    CF_TRY(cf_str_add_text(json, "]", err));
done:
    cf_str_deinit(&studies);
    free(models);
    return st;
}

/* ---- notes ---- */

/* Lines. */
static cf_status write_notes(cf_str *out, const cf_page_parts *page, cf_error *err)
{
    const cf_page_pictures *p = &page->pictures;
    cf_status st = cf_str_add_text(out, "", err);
    if (st == CF_OK && p->n_missing)
        st = cf_str_addf(out, err, "%lld of %lld pictures cannot be read (--images DIR says where they are): %s\n",
                         (long long)p->n_missing, (long long)(p->n_missing + p->n_read), p->problem.data);
    if (st == CF_OK && page->left_out)
        st = cf_str_addf(out, err,
                         "there are more values than a page holds (%lld numbers): some measures are shown sample by "
                         "sample only for the %zu samples with pictures\n",
                         (long long)page->o->n_numbers, page->choice.n);
    return st;
}

static cf_status add_notes(cf_str *json, const cf_str *notes, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str note = {0};
    CF_TRY(cf_page_name(json, "notes", err));
    CF_TRY(cf_str_add_text(json, "[", err));
    for (size_t i = 0; i < notes->n;) {
        const size_t n = strcspn(notes->data + i, "\n");
        cf_str_clear(&note);
        CF_TRY(cf_str_add(&note, (cf_slice){notes->data + i, n}, err));
        CF_TRY(cf_page_next(json, err));
        CF_TRY(cf_json_add_string(json, note.data, err));
        i += n + 1;
    }
    CF_TRY(cf_str_add_text(json, "]", err));
done:
    cf_str_deinit(&note);
    return st;
}

/* ---- the page ---- */

static cf_status add_page(cf_str *json, cf_page_parts *page, cf_store *const *stores, size_t n, cf_str *notes,
                          cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(json, "{", err));
    CF_TRY(cf_page_integer(json, "format", 1, err));
    CF_TRY(cf_page_text(json, "crossflow", cf_version(), err));
    CF_TRY(add_title(json, stores, n, err));
    CF_TRY(add_studies(json, page, stores, n, err));
    CF_TRY(cf_page_name(json, "pictures", err));
    CF_TRY(cf_str_add_text(json, "[", err));
    CF_TRY(cf_str_add(json, cf_str_slice(&page->pictures.json), err));
    CF_TRY(cf_str_add_text(json, "]", err));
    CF_TRY(write_notes(notes, page, err));
    CF_TRY(add_notes(json, notes, err));
    CF_TRY(cf_str_add_text(json, "}", err));
done:
    return st;
}

/* What stands for a mark of the template. */
typedef struct slot {
    const char *mark;
    cf_slice text[4];
} slot;

static cf_status write_html(cf_out_file *f, const slot *slots, size_t n, cf_error *err)
{
    const cf_slice whole = cf_page_template();
    cf_status st = CF_OK;
    size_t from = 0;
    for (size_t i = 0; i < n; i++) {
        const int64_t at = cf_slice_find(whole, cf_slice_of(slots[i].mark), from);
        if (at < 0)
            return cf_fail(err, CF_MISMATCH, "the page's template has no %s", slots[i].mark);
        CF_TRY(cf_out_file_add(f, (cf_slice){whole.data + from, (size_t)at - from}, err));
        for (size_t k = 0; k < sizeof slots[i].text / sizeof *slots[i].text; k++)
            CF_TRY(cf_out_file_add(f, slots[i].text[k], err));
        from = (size_t)at + strlen(slots[i].mark);
    }
    CF_TRY(cf_out_file_add(f, (cf_slice){whole.data + from, whole.n - from}, err));
done:
    return st;
}

static cf_status write_page(const char *path, const cf_str *json, const cf_page_blobs *blobs, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str safe = {0};
    cf_out_file f = {0};
    CF_TRY(cf_page_escape(&safe, cf_str_slice(json), err));
    const slot slots[] = {{"@css@", {cf_page_css()}},
                          {"@data@",
                           {cf_slice_of("<script type=\"application/json\" id=\"page-data\">"), cf_str_slice(&safe),
                            cf_slice_of("</script>\n"), cf_str_slice(&blobs->elements)}},
                          {"@js@", {cf_page_js()}}};
    CF_TRY(cf_out_file_open(&f, path, err));
    CF_TRY(write_html(&f, slots, sizeof slots / sizeof *slots, err));
    CF_TRY(cf_out_file_close(&f, err));
done:
    cf_out_file_deinit(&f);
    cf_str_deinit(&safe);
    return st;
}

cf_status cf_page_write(cf_store *const *stores, size_t n, const char *path, const cf_page_options *o, cf_str *notes,
                        cf_error *err)
{
    cf_status st = CF_OK;
    cf_page_parts page = {.o = o, .room = o->n_numbers};
    cf_str json = {0}, lines = {0};
    const cf_page_choice_options choice = {o->n_samples, o->named, o->n_named, o->seed};
    CF_TRY(check_names(stores, n, err));
    CF_TRY(cf_page_choice_make(&page.choice, stores, n, &choice, err));
    CF_TRY(add_page(&json, &page, stores, n, &lines, err));
    CF_TRY(write_page(path, &json, &page.blobs, err));
    if (notes)
        CF_TRY(cf_str_add(notes, cf_str_slice(&lines), err));
done:
    cf_str_deinit(&lines);
    cf_str_deinit(&json);
    cf_page_pictures_deinit(&page.pictures);
    cf_page_blobs_deinit(&page.blobs);
    cf_page_choice_deinit(&page.choice);
    return st;
}
