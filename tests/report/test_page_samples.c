/* test_page_samples.c - which samples a page shows with their pictures, those pictures, and causal maps. */
#include "page_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "image/image.h"
#include "report/page_choice.h"
#include "support/temp_dir.h"

/* ---- the choice ---- */

static void add_question(cf_store *s, const char *task, int64_t row, cf_sample_status status, const char *image)
{
    const cf_sample x = {.task = task,
                         .row = row,
                         .image = image,
                         .status = status,
                         .reason = status == CF_SAMPLE_FAULT ? "broken" : "",
                         .probability = 0.5,
                         .n_tokens = 1,
                         .groups = "{}",
                         .tokens = "[]",
                         .boxes = "[]",
                         .patches = "[]"};
    assert_ok(cf_store_put_sample(s, &x, NULL, report));
}

/* Ten traced of A and of B, ten wrong of B, ten faults of C; D has one. */
static void add_questions(cf_store *s)
{
    for (int64_t row = 0; row < 10; row++) {
        add_question(s, "A", row, CF_SAMPLE_DONE, "");
        add_question(s, "B", row, CF_SAMPLE_DONE, "");
        add_question(s, "B", row + 10, CF_SAMPLE_WRONG, "");
        add_question(s, "C", row, CF_SAMPLE_FAULT, "");
    }
    add_question(s, "D", 3, CF_SAMPLE_DONE, "");
}

/* "A 3, B 1, ...", and how many of a task. */
static void choose(cf_str *out, cf_store *const *stores, size_t n_stores, int64_t n, int64_t seed, const char *name)
{
    cf_page_choice c = {0};
    const cf_page_choice_options o = {.n = n, .named = &name, .n_named = name ? 1 : 0, .seed = seed};
    cf_str_clear(out);
    assert_ok(cf_str_add_text(out, "", report));
    assert_ok(cf_page_choice_make(&c, stores, n_stores, &o, report));
    for (size_t i = 0; i < c.n; i++) {
        assert_true(cf_page_choice_has(&c, c.items[i].task, c.items[i].row));
        assert_ok(cf_str_addf(out, report, "%s%s %d", i ? ", " : "", c.items[i].task, (int)c.items[i].row));
    }
    assert_false(cf_page_choice_has(&c, "C", 0));
    cf_page_choice_deinit(&c);
}

static int count(const char *text, char task)
{
    int n = 0;
    for (; *text; text++)
        n += *text == task;
    return n;
}

static void the_choice_is_spread_over_the_tasks(void **state)
{
    const fixture *f = *state;
    cf_str c = {0};
    add_questions(f->store);
    choose(&c, &f->store, 1, 7, 1, NULL);
    assert_int_equal(count(c.data, 'A'), 3);
    assert_int_equal(count(c.data, 'B'), 3);
    assert_int_equal(count(c.data, 'D'), 1);
    assert_null(strstr(c.data, "B 1")); /* wrong ones only when no traced one is left: rows 10 to 19, and 1 */
    choose(&c, &f->store, 1, 1000, 1, NULL);
    assert_int_equal(count(c.data, 'B'), 20);
    assert_int_equal(count(c.data, 'C'), 0);
    choose(&c, &f->store, 1, 0, 1, NULL);
    assert_int_equal(c.n, 0);
    cf_str_deinit(&c);
}

static void the_choice_depends_on_the_seed_alone(void **state)
{
    const fixture *f = *state;
    cf_str one = {0}, two = {0};
    add_questions(f->store);
    choose(&one, &f->store, 1, 6, 1, NULL);
    choose(&two, &f->store, 1, 6, 1, NULL);
    assert_string_equal(one.data, two.data);
    bool moved = false;
    for (int64_t seed = 2; seed < 6; seed++) {
        choose(&two, &f->store, 1, 6, seed, NULL);
        moved = moved || strcmp(one.data, two.data) != 0;
    }
    assert_true(moved);
    cf_str_deinit(&two);
    cf_str_deinit(&one);
}

static void named_samples_come_first_and_must_be_there(void **state)
{
    static const struct {
        const char *name, *message;
    } bad[] = {{"A", "--sample A: expected TASK.ROW"},
               {"A.x", "--sample A.x: expected TASK.ROW"},
               {"A.10", "--sample A.10: no study has this sample, or only as a fault"},
               {"C.0", "--sample C.0: no study has this sample, or only as a fault"}};
    const fixture *f = *state;
    cf_str c = {0};
    add_questions(f->store);
    choose(&c, &f->store, 1, 0, 1, "B.17");
    assert_string_equal(c.data, "B 17");
    choose(&c, &f->store, 1, 2, 1, "B.17");
    assert_int_equal(count(c.data, ','), 1);
    assert_non_null(strstr(c.data, "B 17"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cf_page_choice none = {0};
        cf_error err = {0};
        const cf_page_choice_options o = {.named = &bad[i].name, .n_named = 1};
        assert_int_equal(cf_page_choice_make(&none, &f->store, 1, &o, &err), CF_USAGE);
        assert_string_equal(err.text, bad[i].message);
    }
    cf_str_deinit(&c);
}

/* A second study beside the fixture's; map: that fact's value, or NULL. */
static cf_store *other_study(const fixture *f, const char *name, const cf_fact *facts, size_t n)
{
    cf_store *s = NULL;
    char *path = temp_dir_path(f->dir, name);
    assert_ok(cf_store_create(&s, path, facts, n, report));
    free(path);
    return s;
}

static void samples_of_several_studies_come_first(void **state)
{
    const fixture *f = *state;
    cf_str c = {0};
    cf_store *other = other_study(f, "other.db", NULL, 0);
    cf_store *const stores[] = {f->store, other};
    add_questions(f->store);
    add_question(other, "B", 4, CF_SAMPLE_DONE, "");
    add_question(other, "A", 8, CF_SAMPLE_DONE, "");
    choose(&c, stores, 2, 3, 1, NULL);
    assert_string_equal(c.data, "A 8, B 4, D 3");
    cf_store_close(other);
    cf_str_deinit(&c);
}

/* ---- pictures ---- */

static void write_picture(const char *dir, const char *name, int32_t width, int32_t height)
{
    cf_image im = {0};
    cf_str bytes = {0};
    assert_ok(cf_image_create(&im, width, height, report));
    memset(im.rgb, 200, (size_t)width * (size_t)height * 3);
    assert_ok(cf_image_write_jpeg(&bytes, &im, 90, report));
    temp_dir_write(dir, name, bytes.data, bytes.n);
    cf_str_deinit(&bytes);
    cf_image_deinit(&im);
}

static void assert_picture(const cf_json *picture, int32_t width, int32_t height)
{
    const cf_slice uri = cf_slice_of(page_text(picture, "uri")), head = cf_slice_of("data:image/jpeg;base64,");
    cf_image im = {0};
    size_t n = 0;
    assert_true(uri.n > head.n && memcmp(uri.data, head.data, head.n) == 0);
    unsigned char *jpeg = page_unbase64((cf_slice){uri.data + head.n, uri.n - head.n}, &n);
    assert_ok(cf_image_decode(&im, jpeg, n, "the page", report));
    assert_int_equal(im.width, width);
    assert_int_equal(im.height, height);
    assert_in_range(im.rgb[0], 195, 205);
    cf_image_deinit(&im);
    free(jpeg);
}

static void pictures_are_made_small_and_put_in_once(void **state)
{
    const fixture *f = *state;
    cf_page_options o = page_options();
    page p = {0};
    write_picture(f->dir, "wide.jpg", 700, 350);
    write_picture(f->dir, "small.jpg", 20, 30);
    temp_dir_write_text(f->dir, "damaged.jpg", "no picture");
    add_question(f->store, "A", 0, CF_SAMPLE_DONE, "wide.jpg");
    add_question(f->store, "A", 1, CF_SAMPLE_DONE, "missing.jpg");
    add_question(f->store, "A", 2, CF_SAMPLE_DONE, "../../elsewhere/small.jpg");
    add_question(f->store, "A", 3, CF_SAMPLE_WRONG, "wide.jpg");
    add_question(f->store, "A", 4, CF_SAMPLE_DONE, "damaged.jpg");
    add_question(f->store, "A", 5, CF_SAMPLE_DONE, "missing.jpg");
    o.n_samples = 10;
    o.images = f->dir;
    page_write(&p, f, &f->store, 1, &o);
    const cf_json *pictures = page_get(p.json, "pictures"), *wide = page_nth(pictures, 0);
    assert_int_equal(cf_json_count(pictures), 2);
    assert_string_equal(page_text(wide, "name"), "wide.jpg");
    assert_int_equal(page_number(wide, "width"), 700);
    assert_int_equal(page_number(wide, "height"), 350);
    assert_picture(wide, 336, 168);
    assert_picture(page_nth(pictures, 1), 20, 30);
    assert_string_equal(page_text(page_nth(pictures, 1), "name"), "small.jpg");
    cf_json *samples = page_list(&p, page_get(page_study(&p, 0), "samples"));
    static const double index[] = {0, NAN, 1, 0, NAN, NAN};
    for (int i = 0; i < 6; i++) {
        assert_number(page_number(page_nth(samples, i), "picture"), index[i]);
        assert_true(cf_json_bool(page_get(page_nth(samples, i), "detailed"), false));
    }
    char start[128];
    (void)snprintf(start, sizeof start,
                   "2 of 4 pictures cannot be read (--images DIR says where they are): %s/missing.jpg", f->dir);
    assert_int_equal(strncmp(p.notes.data, start, strlen(start)), 0);
    assert_int_equal(cf_json_count(page_get(p.json, "notes")), 1);
    cf_json_free(samples);
    page_free(&p);
}

static void without_pictures_at_hand_the_page_works_and_says_so(void **state)
{
    const fixture *f = *state;
    cf_page_options o = page_options();
    page p = {0};
    add_question(f->store, "A", 0, CF_SAMPLE_DONE, "a.jpg");
    o.n_samples = 10;
    page_write(&p, f, &f->store, 1, &o); /* the study does not say where its pictures were */
    assert_int_equal(cf_json_count(page_get(p.json, "pictures")), 0);
    assert_non_null(strstr(p.notes.data, "1 of 1 pictures cannot be read"));
    page_free(&p);
}

/* ---- details ---- */

static void a_chosen_sample_has_its_lens_and_its_answers(void **state)
{
    const fixture *f = *state;
    cf_page_options o = page_options();
    page p = {0};
    fixture_runs(f->store, "Image->Last", 3, 2);
    const cf_run_answer answers[] = {{2, "</b>"}};
    const cf_lens_entry lens[] = {{.position = 1, .layer = 0, .words = "[]", .scores = "[]"},
                                  {.position = 2, .layer = 0, .words = "[]", .scores = "[]"},
                                  {.position = 2,
                                   .layer = 1,
                                   .answer = 0.1,
                                   .answer_upper = 0.7,
                                   .option = (double)NAN,
                                   .option_upper = (double)NAN,
                                   .words = "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\",\"k\"]",
                                   .scores = "[0.7,0.1]"}};
    const cf_sample x = {.task = "A", .probability = 0.5, .n_tokens = 3};
    assert_ok(cf_store_put_sample(
        f->store, &x, &(cf_results){.answers = answers, .n_answers = 1, .lens = lens, .n_lens = 3}, report));
    o.n_samples = 1;
    page_write(&p, f, &f->store, 1, &o);
    cf_json *details = page_list(&p, page_get(page_study(&p, 0), "details"));
    const cf_json *d = page_nth(details, 0), *entries = page_get(d, "lens");
    assert_int_equal(page_number(d, "sample"), 0);
    assert_int_equal(page_number(page_nth(page_get(d, "answers"), 0), "run"), 1);
    assert_string_equal(page_text(page_nth(page_get(d, "answers"), 0), "text"), "</b>");
    assert_int_equal(cf_json_count(entries), 2); /* of the last position */
    const cf_json *e = page_nth(entries, 1);
    assert_number(page_number(e, "answerUpper"), 0.7);
    assert_number(page_number(e, "option"), (double)NAN);
    assert_int_equal(cf_json_count(page_get(e, "words")), 10);
    assert_int_equal(cf_json_count(page_get(e, "scores")), 2);
    cf_json_free(details);
    page_free(&p);
}

/* ---- maps ---- */

static const cf_fact patch_facts[] = {
    {"study", "map", true}, {"map", "patches", true}, {"map to", "Question", true}, {"map tile", "2", true}};

/* Cells patch(0:2,0:2), patch(0:2,2) of a picture of 2 x 3 patches and hd(0:2,0:2) of one that has no such grid, in
 * layers 1 and 3. */
static void add_patch_map(cf_store *s)
{
    static const char *const cells[] = {"patch(0:2,0:2)->Question", "patch(0:2,2)->Question", "hd(0:2,0:2)->Question"};
    cf_value values[6];
    for (int i = 0; i < 6; i++) {
        const int64_t run =
            fixture_run(s, &(cf_store_run){.spec = cells[i / 2], .window = 3, .centre = 1 + 2 * (i % 2)});
        values[i] = (cf_value){run, CF_MEASURE_PROBABILITY, i < 4 ? 0.1 * (i + 1) : 0.5,
                               i < 4 ? CF_VALUE_OK : CF_VALUE_EMPTY_GROUP};
    }
    const cf_sample x = {.task = "A",
                         .row = 6,
                         .probability = 0.5,
                         .n_tokens = 12,
                         .groups = "{\"Question\":[[7,8],[10,12]]}",
                         .patches =
                             "[{\"kind\":\"base\",\"at\":1,\"rows\":2,\"columns\":3,\"newline\":0,\"x\":0,\"y\":0,"
                             "\"dx\":1,\"dy\":1}]"};
    assert_ok(cf_store_put_sample(s, &x, &(cf_results){.values = values, .n_values = 6}, report));
}

static void assert_positions(const cf_json *list, const char *expected)
{
    cf_str text = {0};
    assert_ok(cf_str_add_text(&text, "", report));
    for (const cf_json *c = cf_json_first(list); c; c = cf_json_next(c))
        assert_ok(cf_str_addf(&text, report, "%d ", (int)cf_json_number(c, -9)));
    assert_string_equal(text.data, expected);
    cf_str_deinit(&text);
}

static void a_map_of_patches_has_layers_as_frames(void **state)
{
    const fixture *f = *state;
    cf_page_options o = page_options();
    page p = {0};
    cf_store *s = other_study(f, "map.db", patch_facts, 4);
    add_patch_map(s);
    o.n_samples = 1;
    page_write(&p, f, &s, 1, &o);
    const cf_json *study = page_study(&p, 0), *m = page_nth(page_get(study, "maps"), 0);
    assert_string_equal(page_text(study, "kind"), "map");
    assert_int_equal(cf_json_count(page_get(study, "flows")) + cf_json_count(page_get(study, "curves")), 0);
    assert_int_equal(cf_json_count(page_get(study, "measures")), 1);
    assert_int_equal(page_number(study, "nLayers"), 4);
    assert_int_equal(cf_json_count(page_get(study, "maps")), 1);
    assert_string_equal(page_text(m, "kind"), "patches");
    assert_string_equal(page_text(m, "title"), "patch->Question");
    assert_int_equal(page_number(m, "sample"), 0);
    assert_int_equal(page_number(m, "window"), 3);
    assert_number(page_number(m, "baseline"), 0.5);
    assert_positions(page_get(m, "frames"), "1 3 ");
    assert_positions(page_get(m, "rows"), "");
    const cf_json *columns = page_get(m, "columns");
    assert_int_equal(cf_json_count(columns), 3);
    assert_positions(page_nth(columns, 0), "1 2 4 5 ");
    assert_positions(page_nth(columns, 1), "3 6 ");
    assert_positions(page_nth(columns, 2), "");
    double *values = page_numbers(&p, page_get(m, "values"), 6);
    const double expected[] = {0.1 * 1, 0.1 * 3, (double)NAN, 0.1 * 2, 0.1 * 4, (double)NAN};
    for (int i = 0; i < 6; i++)
        assert_number(values[i], expected[i]);
    free(values);
    page_free(&p);
    cf_store_close(s);
}

/* Tile after tile: two tiles side by side, two below them. */
static void patches_of_tiles_are_found_in_their_tile(void **state)
{
    const fixture *f = *state;
    cf_page_options o = page_options();
    page p = {0};
    cf_store *s = other_study(f, "map.db", patch_facts, 4);
    const int64_t run = fixture_run(s, &(cf_store_run){.spec = "hd(1:3,1:3)->Question", .window = 3});
    const cf_value value = {run, CF_MEASURE_PROBABILITY, 0.25, CF_VALUE_OK};
#define TILE(at, x, y)                                                                                                 \
    "{\"kind\":\"hd\",\"at\":" at ",\"rows\":2,\"columns\":2,\"newline\":0,\"x\":" x ",\"y\":" y ",\"dx\":1,\"dy\":1}"
    const cf_sample x = {.task = "A",
                         .probability = 0.5,
                         .groups = "{}",
                         .patches = "[" TILE("10", "0", "0") "," TILE("20", "2", "0") "," TILE("30", "0", "2") "," TILE(
                             "40", "2", "2") "]"};
    assert_ok(cf_store_put_sample(s, &x, &(cf_results){.values = &value, .n_values = 1}, report));
    o.n_samples = 1;
    page_write(&p, f, &s, 1, &o);
    const cf_json *m = page_nth(page_get(page_study(&p, 0), "maps"), 0);
    assert_positions(page_nth(page_get(m, "columns"), 0), "13 22 31 40 ");
    page_free(&p);
    cf_store_close(s);
}

static void runs_that_are_no_grid_are_refused(void **state)
{
    const fixture *f = *state;
    const cf_page_options o = page_options();
    cf_error err = {0};
    cf_store *s = other_study(f, "map.db", patch_facts, 4);
    char *path = temp_dir_path(f->dir, "page.html");
    fixture_run(s, &(cf_store_run){.spec = "patch(0,0)->Question", .window = 3, .centre = 1});
    fixture_run(s, &(cf_store_run){.spec = "patch(0:90000,1:90000)->Question", .window = 3, .centre = 2});
    assert_int_equal(cf_page_write(&s, 1, path, &o, NULL, &err), CF_FORMAT);
    assert_non_null(strstr(err.text, "map.db: expected a map's runs to be a grid"));
    fixture_run(s, &(cf_store_run){.spec = "Image->Question", .window = 3, .centre = 2});
    assert_int_equal(cf_page_write(&s, 1, path, &o, NULL, &err), CF_FORMAT);
    assert_non_null(strstr(err.text, "is no flow of a map of patches"));
    assert_false(cf_file_exists(path));
    free(path);
    cf_store_close(s);
}

/* The cell says more patches than there are, in both directions. */
static void a_cell_ends_where_the_picture_does(void **state)
{
    const fixture *f = *state;
    cf_page_options o = page_options();
    page p = {0};
    cf_store *s = other_study(f, "map.db", patch_facts, 4);
    const int64_t run = fixture_run(s, &(cf_store_run){.spec = "patch(1:90000,2:90000)->Question", .window = 3});
    const cf_value value = {run, CF_MEASURE_PROBABILITY, 0.25, CF_VALUE_OK};
    const cf_sample x = {.task = "A",
                         .probability = 0.5,
                         .groups = "{}",
                         .patches = "[{\"kind\":\"base\",\"at\":1,\"rows\":3,\"columns\":4,\"newline\":0}]"};
    assert_ok(cf_store_put_sample(s, &x, &(cf_results){.values = &value, .n_values = 1}, report));
    o.n_samples = 1;
    page_write(&p, f, &s, 1, &o);
    assert_positions(page_nth(page_get(page_nth(page_get(page_study(&p, 0), "maps"), 0), "columns"), 0), "7 8 11 12 ");
    page_free(&p);
    cf_store_close(s);
}

static void maps_of_heads_and_of_tokens_are_grids(void **state)
{
    static const cf_fact head_facts[] = {{"map", "heads", true}, {"map flow", "Image->Question", true}};
    static const cf_fact token_facts[] = {
        {"map", "tokens", true}, {"map to", "Question", true}, {"map tile", "1", true}, {"layers", "0:4", true}};
    const fixture *f = *state;
    cf_page_options o = page_options();
    page p = {0};
    cf_store *const maps[] = {other_study(f, "heads.db", head_facts, 2), other_study(f, "tokens.db", token_facts, 4)};
    cf_value values[4];
    for (int i = 0; i < 4; i++) {
        char spec[64];
        (void)snprintf(spec, sizeof spec, "Image->Question#%d", i % 2);
        const int64_t run = fixture_run(maps[0], &(cf_store_run){.spec = spec, .window = 1, .centre = i / 2});
        values[i] = (cf_value){run, CF_MEASURE_PROBABILITY, 0.1 * (i + 1), CF_VALUE_OK};
    }
    const cf_sample x = {.task = "A",
                         .probability = 0.5,
                         .groups = "{\"Question\":[[7,8],[10,12]]}",
                         .patches = "[{\"kind\":\"base\",\"at\":1,\"rows\":1,\"columns\":2,\"newline\":0}]"};
    assert_ok(cf_store_put_sample(maps[0], &x, &(cf_results){.values = values, .n_values = 4}, report));
    for (int i = 0; i < 4; i++) {
        char spec[64];
        (void)snprintf(spec, sizeof spec, "patch(0,%d)->Question[%d]@0:4", i % 2, i / 2 * 2);
        values[i].run = fixture_run(maps[1], &(cf_store_run){.spec = spec, .style = "fixed", .layers = ""});
    }
    assert_ok(cf_store_put_sample(maps[1], &x, &(cf_results){.values = values, .n_values = 4}, report));
    o.n_samples = 1;
    page_write(&p, f, maps, 2, &o);
    const cf_json *heads = page_nth(page_get(page_study(&p, 0), "maps"), 0);
    const cf_json *tokens = page_nth(page_get(page_study(&p, 1), "maps"), 0);
    assert_string_equal(page_text(heads, "kind"), "heads");
    assert_string_equal(page_text(heads, "title"), "Image->Question");
    assert_positions(page_get(heads, "frames"), "");
    assert_positions(page_get(heads, "rows"), "0 1 ");
    assert_positions(page_nth(page_get(heads, "columns"), 1), "1 ");
    assert_string_equal(page_text(tokens, "kind"), "token-patches");
    assert_string_equal(page_text(tokens, "title"), "patch->token of Question, layers 0:4");
    assert_positions(page_get(tokens, "frames"), "");
    assert_positions(page_get(tokens, "rows"), "7 11 ");
    assert_positions(page_nth(page_get(tokens, "columns"), 1), "2 ");
    const cf_json *both[] = {heads, tokens};
    for (int k = 0; k < 2; k++) {
        double *found = page_numbers(&p, page_get(both[k], "values"), 4);
        for (int i = 0; i < 4; i++)
            assert_number(found[i], values[i].value);
        free(found);
    }
    page_free(&p);
    cf_store_close(maps[1]);
    cf_store_close(maps[0]);
}

static void studies_of_one_checkpoint_share_a_model(void **state)
{
    static const cf_fact same[] = {{"checkpoint", "c1", true}, {"model", "here", false}};
    static const cf_fact moved[] = {{"checkpoint", "c1", true}, {"model", "there", false}};
    static const cf_fact other[] = {{"checkpoint", "c2", true}, {"model", "<other>", false}};
    const fixture *f = *state;
    const cf_page_options o = page_options();
    page p = {0};
    cf_store *const stores[] = {other_study(f, "a.db", same, 2), other_study(f, "b.db", other, 2),
                                other_study(f, "c.db", moved, 2)};
    page_write(&p, f, stores, 3, &o);
    const cf_json *models = page_get(p.json, "models");
    assert_int_equal(cf_json_count(models), 2);
    assert_string_equal(page_text(page_nth(models, 0), "name"), "here");
    assert_string_equal(page_text(page_nth(models, 1), "name"), "<other>");
    assert_int_equal(page_number(page_study(&p, 0), "model"), 0);
    assert_int_equal(page_number(page_study(&p, 1), "model"), 1);
    assert_int_equal(page_number(page_study(&p, 2), "model"), 0);
    assert_string_equal(page_text(p.json, "title"), "a.db, b.db, c.db");
    for (int i = 0; i < 3; i++)
        cf_store_close(stores[i]);
    page_free(&p);
}

int test_page_samples(void)
{
#define PAGE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        PAGE_TEST(the_choice_is_spread_over_the_tasks),
        PAGE_TEST(the_choice_depends_on_the_seed_alone),
        PAGE_TEST(named_samples_come_first_and_must_be_there),
        PAGE_TEST(samples_of_several_studies_come_first),
        PAGE_TEST(pictures_are_made_small_and_put_in_once),
        PAGE_TEST(without_pictures_at_hand_the_page_works_and_says_so),
        PAGE_TEST(a_chosen_sample_has_its_lens_and_its_answers),
        PAGE_TEST(a_map_of_patches_has_layers_as_frames),
        PAGE_TEST(patches_of_tiles_are_found_in_their_tile),
        PAGE_TEST(runs_that_are_no_grid_are_refused),
        PAGE_TEST(a_cell_ends_where_the_picture_does),
        PAGE_TEST(maps_of_heads_and_of_tokens_are_grids),
        PAGE_TEST(studies_of_one_checkpoint_share_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
