/* question_list.c - see question_list.h. */
#include "study/question_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

static bool ends_with(cf_slice s, const char *ending)
{
    const cf_slice e = cf_slice_of(ending);
    return s.n >= e.n && memcmp(s.data + s.n - e.n, e.data, e.n) == 0;
}

/* A folder may hold other .json files, scene graphs among them: only those named as GQA names its questions are taken.
 */
static int is_question_set(const struct dirent *d)
{
    const cf_slice name = cf_slice_of(d->d_name);
    if (d->d_name[0] == '.')
        return 0;
    return ends_with(name, ".csv") || ends_with(name, ".jsonl") ||
           (cf_question_is_gqa(d->d_name) && strstr(d->d_name, "_questions"));
}

static cf_status add_set(cf_question_list *l, size_t *cap, const char *path, const char *scene_graphs, cf_error *err)
{
    cf_status st = CF_OK;
    cf_question_set *set = NULL;
    void *sets = l->sets;
    CF_TRY(cf_question_set_open_gqa(&set, path, scene_graphs, err));
    for (size_t i = 0; i < l->n_sets; i++)
        if (strcmp(cf_question_set_task(l->sets[i]), cf_question_set_task(set)) == 0) {
            st =
                cf_fail(err, CF_MISMATCH, "%s: task %s is that of %s too; the last _word of a file name names its task",
                        path, cf_question_set_task(set), cf_question_set_path(l->sets[i]));
            goto done;
        }
    CF_TRY(cf_grow(&sets, cap, l->n_sets + 1, sizeof(cf_question_set *), "question sets", err));
    l->sets = sets;
    l->sets[l->n_sets++] = set;
    set = NULL;
done:
    cf_question_set_free(set);
    return st;
}

static cf_status add_folder(cf_question_list *l, size_t *cap, const char *dir, const char *scene_graphs, cf_error *err)
{
    struct dirent **entries = NULL;
    const int n = scandir(dir, &entries, is_question_set, alphasort);
    if (n < 0)
        return cf_fail(err, CF_IO, "%s: cannot read the folder: %s", dir, strerror(errno));
    cf_status st = CF_OK;
    bool any_gqa = false;
    for (int i = 0; i < n; i++) {
        char *path = NULL;
        const bool is_gqa = cf_question_is_gqa(entries[i]->d_name);
        any_gqa = any_gqa || is_gqa;
        if (st == CF_OK)
            st = cf_path_join(&path, dir, entries[i]->d_name, err);
        if (st == CF_OK)
            st = add_set(l, cap, path, is_gqa ? scene_graphs : NULL, err);
        free(path);
        free(entries[i]);
    }
    free(entries);
    if (st == CF_OK && n == 0)
        st = cf_fail(err, CF_IO, "%s: no .csv file in the folder, no .jsonl and no *_questions*.json", dir);
    if (st == CF_OK && scene_graphs && !any_gqa)
        st = cf_fail(err, CF_USAGE, "%s: scene graphs (%s) go with GQA's own questions, and the folder has none", dir,
                     scene_graphs);
    return st;
}

static int by_picture(const void *a, const void *b)
{
    const cf_list_item *x = a, *y = b;
    const cf_slice p = x->question->image, q = y->question->image;
    const size_t n = p.n < q.n ? p.n : q.n;
    const int order = n ? memcmp(p.data, q.data, n) : 0;
    if (order)
        return order;
    if (p.n != q.n)
        return p.n < q.n ? -1 : 1;
    if (x->set != y->set)
        return strcmp(cf_question_set_task(x->set), cf_question_set_task(y->set));
    return x->row < y->row ? -1 : x->row > y->row;
}

/* Lists the questions of the sets. */
static cf_status list_items(cf_question_list *l, int64_t limit, cf_error *err)
{
    size_t n_items = 0;
    void *items = NULL;
    for (size_t i = 0; i < l->n_sets; i++)
        n_items += cf_question_set_size(l->sets[i]);
    const cf_status st = cf_alloc(&items, n_items, sizeof *l->items, "questions", err);
    if (st != CF_OK)
        return st;
    l->items = items;
    for (size_t i = 0; i < l->n_sets; i++)
        for (size_t row = 0; row < cf_question_set_size(l->sets[i]) && (limit <= 0 || (int64_t)row < limit); row++)
            l->items[l->n_items++] = (cf_list_item){l->sets[i], cf_question_set_row(l->sets[i], row), (int64_t)row};
    qsort(l->items, l->n_items, sizeof *l->items, by_picture);
    return CF_OK;
}

cf_status cf_question_list_open(cf_question_list *out, const char *path, const char *scene_graphs, int64_t limit,
                                cf_error *err)
{
    cf_status st = CF_OK;
    cf_question_list l = {0};
    size_t cap = 0;
    CF_TRY(cf_file_is_dir(path) ? add_folder(&l, &cap, path, scene_graphs, err)
                                : add_set(&l, &cap, path, scene_graphs, err));
    CF_TRY(list_items(&l, limit, err));
    *out = l;
    l = (cf_question_list){0};
done:
    cf_question_list_close(&l);
    return st;
}

cf_status cf_question_list_parse(cf_question_list *out, const char *text, const char *path, int64_t limit,
                                 cf_error *err)
{
    cf_status st = CF_OK;
    cf_question_list l = {0};
    void *sets = NULL;
    CF_TRY(cf_alloc(&sets, 1, sizeof(cf_question_set *), "question sets", err));
    l.sets = sets;
    CF_TRY(cf_question_set_parse(&l.sets[0], cf_slice_of(text), path, err));
    l.n_sets = 1;
    CF_TRY(list_items(&l, limit, err));
    *out = l;
    l = (cf_question_list){0};
done:
    cf_question_list_close(&l);
    return st;
}

void cf_question_list_close(cf_question_list *l)
{
    for (size_t i = 0; i < l->n_sets; i++)
        cf_question_set_free(l->sets[i]);
    free(l->sets);
    free(l->items);
    *l = (cf_question_list){0};
}

/* A picture may have an ending of its own, or none: *path becomes that of the file which is named as ID alone. */
static cf_status prefer_bare_name(char **path, const char *images, cf_slice id, cf_error *err)
{
    cf_status st = CF_OK;
    char *name = NULL, *bare = NULL;
    CF_TRY(cf_strdup(&name, id, err));
    CF_TRY(cf_path_join(&bare, images, name, err));
    if (cf_file_exists(bare) && !cf_file_is_dir(bare)) {
        free(*path);
        *path = bare;
        bare = NULL;
    }
done:
    free(name);
    free(bare);
    return st;
}

cf_status cf_picture_path(char **out, const char *images, cf_slice id, cf_error *err)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png"};
    const size_t n = sizeof endings / sizeof endings[0];
    cf_status st = CF_OK;
    cf_str name = {0};
    char *path = NULL;
    bool has_ending = false;
    for (size_t i = 0; i < n; i++)
        has_ending = has_ending || ends_with(id, endings[i]);
    for (size_t i = 0; i <= n; i++) { /* the last turn gives the .jpg name, for the message of whoever opens it */
        free(path);
        path = NULL;
        cf_str_clear(&name);
        CF_TRY(cf_str_add(&name, id, err));
        if (!has_ending)
            CF_TRY(cf_str_add_text(&name, endings[i % n], err));
        CF_TRY(cf_path_join(&path, images, name.data ? name.data : "", err));
        if (has_ending || cf_file_exists(path))
            break;
    }
    if (!has_ending && !cf_file_exists(path))
        CF_TRY(prefer_bare_name(&path, images, id, err));
    *out = path;
    path = NULL;
done:
    free(path);
    cf_str_deinit(&name);
    return st;
}

cf_status cf_picture_dir(char **out, const char *images, const char *questions, cf_error *err)
{
    cf_status st = CF_OK;
    char *dir = NULL, *path = NULL;
    if (images)
        CF_TRY(cf_strdup(&path, cf_slice_of(images), err));
    else {
        CF_TRY(cf_file_is_dir(questions) ? cf_strdup(&dir, cf_slice_of(questions), err)
                                         : cf_path_dir(&dir, questions, err));
        CF_TRY(cf_path_join(&path, dir, "images", err));
    }
    if (!cf_file_is_dir(path)) {
        st = cf_fail(err, CF_IO, "%s: expected a folder of pictures (--images DIR names another)", path);
        goto done;
    }
    *out = path;
    path = NULL;
done:
    free(path);
    free(dir);
    return st;
}
