/* test_study.c - the three formats as a study takes them: one trace of the same questions from each exports the same files, and a folder
 * of question sets gives all of them. */
#include "question_asserts.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "store/export.h"
#include "study/question_list.h"
#include "study/trace.h"
#include "support/temp_dir.h"

enum { ROWS = 3 };

typedef struct folder {
    char *dir;
    cf_question_set *demo; /* the first rows are the questions of every file written here */
} folder;

static int folder_setup(void **state)
{
    folder *f = calloc(1, sizeof *f);
    cf_error err = {0};
    assert_non_null(f);
    f->dir = temp_dir_make();
    assert_int_equal(cf_question_set_open(&f->demo, "demo/questions/shapes_ChooseRel.csv", &err), CF_OK);
    *state = f;
    return 0;
}

static int folder_teardown(void **state)
{
    folder *f = *state;
    cf_question_set_free(f->demo);
    temp_dir_remove(f->dir);
    free(f);
    return 0;
}

static void write_file(const folder *f, const char *name, cf_str *text)
{
    temp_dir_write(f->dir, name, text->data, text->n);
    cf_str_deinit(text);
}

#define TEXT(slice) (int)(slice).n, (slice).data

static void write_csv(const folder *f, const char *name)
{
    cf_str text = {0};
    assert_int_equal(cf_file_read(&text, "demo/questions/shapes_ChooseRel.csv", 1 << 20, NULL), CF_OK);
    int64_t end = 0;
    for (int line = 0; line <= ROWS; line++)
        end = cf_slice_find(cf_str_slice(&text), cf_slice_of("\n"), (size_t)end) + 1;
    text.n = (size_t)end;
    write_file(f, name, &text);
}

/* No text of the demo set holds a quote or a backslash. */
static void write_jsonl(const folder *f, const char *name)
{
    cf_str text = {0};
    for (size_t i = 0; i < ROWS; i++) {
        const cf_question *q = cf_question_set_row(f->demo, i);
        const cf_object *a = &q->objects[0], *b = &q->objects[1];
        assert_int_equal(q->n_objects, 2);
        assert_int_equal(cf_str_addf(&text, NULL,
                                     "{\"id\":\"%.*s\",\"image\":\"%.*s\",\"question\":\"%.*s\",\"answer\":\"%.*s\","
                                     "\"boxes\":[[%d,%d,%d,%d],{\"x\":%d,\"y\":%d,\"w\":%d,\"h\":%d}]}\n",
                                     TEXT(q->id), TEXT(q->image), TEXT(q->text), TEXT(q->answer), (int)a->x, (int)a->y,
                                     (int)a->w, (int)a->h, (int)b->x, (int)b->y, (int)b->w, (int)b->h),
                         CF_OK);
    }
    write_file(f, name, &text);
}

/* In GQA's layout: object k of question i is named k in the scene graph of its picture. */
static void write_gqa(const folder *f, const char *name, const char *scene_name)
{
    cf_str text = {0}, scenes = {0};
    for (size_t i = 0; i < ROWS; i++) {
        const cf_question *q = cf_question_set_row(f->demo, i);
        assert_int_equal(cf_str_addf(&text, NULL,
                                     "%s\"%.*s\":{\"imageId\":\"%.*s\",\"question\":\"%.*s\",\"answer\":\"%.*s\","
                                     "\"annotations\":{\"question\":{\"2\":\"0\",\"11\":\"1\"}}}",
                                     i ? "," : "{", TEXT(q->id), TEXT(q->image), TEXT(q->text), TEXT(q->answer)),
                         CF_OK);
        assert_int_equal(cf_str_addf(&scenes, NULL, "%s\"%.*s\":{\"width\":%d,\"height\":%d,\"objects\":{",
                                     i ? "," : "{", TEXT(q->image), (int)q->image_w, (int)q->image_h),
                         CF_OK);
        for (int k = 0; k < 2; k++)
            assert_int_equal(cf_str_addf(&scenes, NULL,
                                         "%s\"%d\":{\"name\":\"%.*s\",\"x\":%d,\"y\":%d,\"w\":%d,\"h\":%d}",
                                         k ? "," : "", k, TEXT(q->objects[k].name), (int)q->objects[k].x,
                                         (int)q->objects[k].y, (int)q->objects[k].w, (int)q->objects[k].h),
                             CF_OK);
        assert_int_equal(cf_str_add_text(&scenes, "}}", NULL), CF_OK);
    }
    assert_int_equal(cf_str_add_text(&text, "}", NULL), CF_OK);
    assert_int_equal(cf_str_add_text(&scenes, "}", NULL), CF_OK);
    write_file(f, name, &text);
    write_file(f, scene_name, &scenes);
}

/* Traces one file of the folder; every byte of what it exports, file after file, into *out. The number of files. */
static int trace(cf_str *out, cf_study_result *result, const folder *f, const char *questions, const char *study)
{
    cf_study_options o = cf_study_options_default();
    cf_error err = {0};
    cf_store *store = NULL;
    int64_t n_files = 0;
    char *path = temp_dir_path(f->dir, questions), *db = temp_dir_path(f->dir, study);
    char *csv = temp_dir_path(db, "");
    csv[strlen(csv) - strlen(".db/")] = '\0';
    o.runtime.model = "demo/model";
    o.runtime.dtype = "f32";
    o.questions = path;
    o.images = "demo/questions/images";
    o.out = db;
    o.flows = "Image Central Object->Question,Image Without Central Object->Question,Question->Last";
    o.keep = CF_KEEP_ALL;
    o.max_new_tokens = 4;
    if (cf_trace(result, &o, NULL, NULL, &err) != CF_OK || cf_store_open(&store, db, &err) != CF_OK ||
        cf_export_csv(store, csv, &n_files, &err) != CF_OK)
        fail_msg("%s: %s", questions, err.text);
    cf_store_close(store);
    struct dirent **entries = NULL;
    const int n = scandir(csv, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.') {
            char *file = temp_dir_path(csv, entries[i]->d_name);
            assert_int_equal(cf_str_addf(out, NULL, "%s\n", entries[i]->d_name), CF_OK);
            assert_int_equal(cf_file_read(out, file, 1 << 24, NULL), CF_OK);
            free(file);
        }
        free(entries[i]);
    }
    free(entries);
    free(csv);
    free(db);
    free(path);
    return (int)n_files;
}

static void the_same_questions_export_the_same_values_from_every_format(void **state)
{
    const folder *f = *state;
    static const struct {
        const char *questions, *study;
    } others[] = {{"b_ChooseRel.jsonl", "jsonl.db"}, {"c_ChooseRel.json", "gqa.db"}};
    cf_str expected = {0};
    cf_study_result result = {0};
    write_csv(f, "a_ChooseRel.csv");
    write_jsonl(f, "b_ChooseRel.jsonl");
    write_gqa(f, "c_ChooseRel.json", "c_sceneGraphs.json");
    assert_int_equal(trace(&expected, &result, f, "a_ChooseRel.csv", "csv.db"), 3);
    assert_int_equal(result.traced, ROWS);
    assert_null(strchr(result.notes, '\n'));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        cf_str found = {0};
        assert_int_equal(trace(&found, &result, f, others[i].questions, others[i].study), 3);
        assert_int_equal(result.traced, ROWS);
        assert_null(strchr(result.notes, '\n'));
        assert_true(cf_slice_equal(cf_str_slice(&found), cf_str_slice(&expected)));
        cf_str_deinit(&found);
    }
    /* Without its boxes the same file gives other values, so the boxes above were used; and the study says why. */
    char *scenes = temp_dir_path(f->dir, "c_sceneGraphs.json");
    cf_str found = {0};
    assert_int_equal(remove(scenes), 0);
    assert_int_equal(trace(&found, &result, f, "c_ChooseRel.json", "bare.db"), 3);
    assert_false(cf_slice_equal(cf_str_slice(&found), cf_str_slice(&expected)));
    assert_non_null(strstr(result.notes, "c_ChooseRel.json: no scene graphs, so its questions have no boxes"));
    cf_str_deinit(&found);
    cf_str_deinit(&expected);
    free(scenes);
}

static void a_folder_gives_the_sets_of_every_format_in_the_order_of_their_names(void **state)
{
    const folder *f = *state;
    static const char *const tasks[] = {"One", "Two", "questions"};
    cf_question_list l = {0};
    cf_error err = {0};
    write_csv(f, "a_One.csv");
    write_jsonl(f, "b_Two.jsonl");
    write_gqa(f, "c_balanced_questions.json", "c_sceneGraphs.json");
    temp_dir_write_text(f->dir, "settings.json", "not a question set");
    temp_dir_write_text(f->dir, ".d_questions.json", "not looked at");
    if (cf_question_list_open(&l, f->dir, NULL, 2, &err) != CF_OK)
        fail_msg("%s", err.text);
    assert_int_equal(l.n_sets, 3);
    assert_int_equal(l.n_items, 6);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(cf_question_set_task(l.sets[i]), tasks[i]);
        assert_int_equal(cf_question_set_row(l.sets[i], 0)->n_objects, 2);
    }
    cf_question_list_close(&l);
}

static void scene_graphs_that_are_named_are_for_gqas_questions_only(void **state)
{
    const folder *f = *state;
    cf_question_list l = {0};
    cf_error err = {0};
    write_csv(f, "a_One.csv");
    write_gqa(f, "other.json", "named.json");
    char *named = temp_dir_path(f->dir, "named.json"), *csv = temp_dir_path(f->dir, "a_One.csv");
    assert_int_equal(cf_question_list_open(&l, csv, named, 0, &err), CF_USAGE);
    assert_int_equal(cf_question_list_open(&l, f->dir, named, 0, &err), CF_USAGE);
    assert_non_null(strstr(err.text, "go with GQA's own questions, and the folder has none"));
    write_gqa(f, "c_balanced_questions.json", "named.json");
    if (cf_question_list_open(&l, f->dir, named, 0, &err) != CF_OK)
        fail_msg("%s", err.text);
    assert_int_equal(l.n_sets, 2);
    assert_int_equal(cf_question_set_row(l.sets[1], 0)->n_objects, 2);
    cf_question_list_close(&l);
    free(named);
    free(csv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_questions_export_the_same_values_from_every_format, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_folder_gives_the_sets_of_every_format_in_the_order_of_their_names,
                                        folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(scene_graphs_that_are_named_are_for_gqas_questions_only, folder_setup,
                                        folder_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
