/* test_gqa_rows.c - no row of the published question sets is lost: each of the 5,525 is prepared, or is a fault with a
 * reason. The files are not part of the project: CF_GQA_DIR names their folder, else ../shared/gqa beside the source
 * root; where there is none, the test is skipped. Pictures are stand-ins of the size that a row states: nothing that is
 * looked at here depends on what they show. The demo model's tokenizer spells six of the characters in these texts as
 * bytes, in which no text is found; here they are tokens, as they are in the tokenizers of real models. */
#include "study_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "study/prepare.h"
#include "study/question_list.h"
#include "support/temp_dir.h"

enum { N_ROWS = 5525, N_SETS = 6, N_NOTES = 5 };

static const char *gqa_folder(void)
{
    const char *const named = getenv("CF_GQA_DIR");
    const char *const dir = named ? named : "../shared/gqa";
    return cf_file_is_dir(dir) ? dir : NULL;
}

/* What notes say, by their first and last words. */
static const struct {
    const char *what, *first, *last;
} notes[N_NOTES] = {
    {"option twice or more", " Option \"", ": the first is taken\n"},
    {"option nowhere", " Option \"", " does not occur after the picture\n"},
    {"object twice or more", "Central Object \"", ": the first is taken\n"},
    {"object nowhere", "Central Object \"", " does not occur after the picture\n"},
    {"question twice or more", "Question occurs ", ": the first is taken\n"},
};

/* A folder with the demo model, six of the byte tokens in its tokenizer.json read as their characters. */
static void make_model(const char *dir)
{
    static const char *const linked[] = {"config.json", "generation_config.json", "preprocessor_config.json",
                                         "model.safetensors"};
    static const char *const bytes[][2] = {{"\"<0x27>\"", "\"'\""}, {"\"<0x2C>\"", "\",\""}, {"\"<0x2D>\"", "\"-\""},
                                           {"\"<0x46>\"", "\"F\""}, {"\"<0x48>\"", "\"H\""}, {"\"<0x78>\"", "\"x\""}};
    cf_str text = {0}, changed = {0};
    size_t done = 0;
    char *root = realpath("demo/model", NULL);
    assert_non_null(root);
    for (size_t i = 0; i < sizeof linked / sizeof *linked; i++) {
        char *from = temp_dir_path(root, linked[i]), *to = temp_dir_path(dir, linked[i]);
        assert_int_equal(symlink(from, to), 0);
        free(from);
        free(to);
    }
    assert_ok(cf_file_read(&text, "demo/model/tokenizer.json", SIZE_MAX, report));
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) { /* in the order of the file */
        const int64_t at = cf_slice_find(cf_str_slice(&text), cf_slice_of(bytes[i][0]), done);
        assert_true(at >= 0);
        assert_ok(cf_str_add(&changed, (cf_slice){text.data + done, (size_t)at - done}, report));
        assert_ok(cf_str_add_text(&changed, bytes[i][1], report));
        done = (size_t)at + strlen(bytes[i][0]);
    }
    assert_ok(cf_str_add(&changed, (cf_slice){text.data + done, text.n - done}, report));
    temp_dir_write(dir, "tokenizer.json", changed.data, changed.n);
    cf_str_deinit(&changed);
    cf_str_deinit(&text);
    free(root);
}

typedef struct tally {
    const char *task;
    int64_t rows, prepared, faults, noted, notes[N_NOTES];
    int64_t empty_object; /* of the rows that have a box */
    int64_t without_box;
} tally;

/* What became of one row. */
typedef struct outcome {
    cf_status status;
    cf_error err;
    cf_str notes;
    int32_t n_question, n_object;
    bool has_box, has_hits;
} outcome;

static void prepare_row(outcome *out, const cf_runtime *r, const cf_question *q)
{
    char path[] = "stand-in"; /* a picture of this name is the one already held */
    cf_picture picture = {.path = path, .width = (int32_t)q->image_w, .height = (int32_t)q->image_h, .name = 1};
    cf_prepared p = {0};
    assert_ok(cf_tiling_plan(&picture.tiling, picture.width, picture.height, &r->preprocess, &r->packing, report));
    out->status = cf_prepare_question(&p, &picture, r, q, path, &out->err);
    for (int32_t i = 0; i < q->n_objects; i++)
        out->has_box = out->has_box || q->objects[i].has_box;
    out->n_question = (int32_t)cf_spans_count(&p.groups.of[CF_GROUP_QUESTION]);
    out->n_object = (int32_t)cf_spans_count(&p.groups.of[CF_GROUP_OBJECT]);
    out->has_hits = p.hit != NULL;
    out->notes = p.notes;
    p.notes = (cf_str){0};
    cf_prepared_deinit(&p);
    cf_tiling_deinit(&picture.tiling);
}

static void count_notes(tally *t, const cf_str *text)
{
    const char *line = text->data;
    t->noted += text->n > 0;
    while (line && *line) {
        const char *end = strchr(line, '\n');
        int kind = -1;
        for (int i = 0; i < N_NOTES && kind < 0; i++) {
            const char *first = strstr(line, notes[i].first), *last = strstr(line, notes[i].last);
            if (first && first < end && last && last < end)
                kind = i;
        }
        if (kind < 0)
            fail_msg("a note of no kind: %s", line);
        t->notes[kind]++;
        line = end + 1;
    }
}

/* The one row that cannot be used: its box lies beside its picture. */
static bool is_the_known_fault(const cf_list_item *item, const outcome *x)
{
    return x->status == CF_MISMATCH && item->row == 821 && strcmp(cf_question_set_task(item->set), "QueryAttr") == 0 &&
           strcmp(x->err.text, "box 0 (x 503, y 91, w 163, h 72) does not meet the picture of 500 x 375") == 0;
}

static void count_row(tally *t, const cf_list_item *item, const outcome *x)
{
    t->rows++;
    if (x->status != CF_OK) {
        print_message("[          ] %s, row %d: %s\n", t->task, (int)item->row, x->err.text);
        assert_true(is_the_known_fault(item, x));
        t->faults++;
        return;
    }
    assert_true(item->question->image_w > 0 && item->question->image_h > 0);
    assert_true(x->n_question > 0);
    assert_int_equal(x->has_hits, x->has_box);
    t->prepared++;
    t->without_box += !x->has_box;
    t->empty_object += x->has_box && x->n_object == 0;
    count_notes(t, &x->notes);
}

static void add_tally(tally *to, const tally *t)
{
    to->rows += t->rows;
    to->prepared += t->prepared;
    to->faults += t->faults;
    to->noted += t->noted;
    to->empty_object += t->empty_object;
    to->without_box += t->without_box;
    for (int n = 0; n < N_NOTES; n++)
        to->notes[n] += t->notes[n];
}

static void print_tally(const tally *t)
{
    print_message(
        "[          ] %-12s %5d rows, %5d prepared, %3d faults; box outside the crop %4d, no box %4d; noted %4d:",
        t->task, (int)t->rows, (int)t->prepared, (int)t->faults, (int)t->empty_object, (int)t->without_box,
        (int)t->noted);
    for (int i = 0; i < N_NOTES; i++)
        if (t->notes[i])
            print_message(" %s %d,", notes[i].what, (int)t->notes[i]);
    print_message("\n");
}

/* Every row of the list under one setting; returns the sums. */
static tally tally_of(const cf_question_list *list, const cf_runtime *r)
{
    outcome *outcomes = calloc(list->n_items, sizeof *outcomes);
    tally of[N_SETS] = {0}, all = {.task = "all"};
    assert_non_null(outcomes);
#pragma omp parallel for schedule(dynamic, 32)
    for (size_t k = 0; k < list->n_items; k++)
        prepare_row(&outcomes[k], r, list->items[k].question);
    for (size_t k = 0; k < list->n_items; k++) {
        size_t s = 0;
        while (list->sets[s] != list->items[k].set)
            s++;
        of[s].task = cf_question_set_task(list->sets[s]);
        count_row(&of[s], &list->items[k], &outcomes[k]);
        cf_str_deinit(&outcomes[k].notes);
    }
    for (int s = 0; s < N_SETS; s++) {
        print_tally(&of[s]);
        add_tally(&all, &of[s]);
    }
    print_tally(&all);
    free(outcomes);
    return all;
}

static void no_row_of_the_published_sets_is_lost(void **state)
{
    static const struct {
        const char *prompt, *fit;
        bool crops;
    } settings[] = {{"vicuna_v1", "pad", false}, {"llava_hf_1.5", "crop", true}};
    const char *const dir = gqa_folder();
    cf_question_list list = {0};
    if (!dir) {
        print_message(
            "[          ] no folder of the published questions: CF_GQA_DIR names none, ../shared/gqa is not there\n");
        skip();
        return;
    }
    make_model(*state);
    assert_ok(cf_question_list_open(&list, dir, NULL, 0, report));
    assert_int_equal(list.n_sets, N_SETS);
    assert_int_equal(list.n_items, N_ROWS);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        cf_runtime r = {0};
        cf_runtime_options o = cf_runtime_options_default();
        o.model = *state;
        o.prompt = settings[i].prompt;
        o.image_fit = settings[i].fit;
        assert_ok(cf_runtime_open_files(&r, &o, report));
        print_message("[          ] %s, %s, %d pixels\n", settings[i].prompt, settings[i].fit, r.preprocess.crop_w);
        const tally all = tally_of(&list, &r);
        assert_int_equal(all.prepared + all.faults, N_ROWS);
        assert_int_equal(all.faults, 1);
        assert_int_equal(all.empty_object > 0, settings[i].crops); /* padding loses no pixel */
        cf_runtime_close(&r);
    }
    cf_question_list_close(&list);
}

int test_gqa_rows(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_row_of_the_published_sets_is_lost, folder_setup, folder_teardown),
    };
    return cmocka_run_group_tests_name("the published questions", tests, NULL, NULL);
}
