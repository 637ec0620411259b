/* test_page.c - the page against the store: every number, every text, and what it does where something is missing. */
#include "page_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "image/image.h"
#include "report/page_blob.h"
#include "report/page_json.h"
#include "support/fail_alloc.h"
#include "support/temp_dir.h"

/* ---- a study with something of everything ---- */

enum { N_RUNS = 8 };
#define HOSTILE "</script><!--<script>&\"'\\\n\t\x01\x7f\xe2\x80\xa8\xe2\x80\xa9\xff\xed\xa0\x80 \xf0\x9f\x98\x80"
#define HOSTILE_READ                                                                                                   \
    "</script><!--<script>&\"'\\\n\t\x01\x7f\xe2\x80\xa8\xe2\x80\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd " \
    "\xf0\x9f\x98\x80"

/* Runs 1 to 3: a flow at three layers, window 3; 4: window 1; 5 to 7: three repeats of a random control; 8: fixed. */
static void add_runs(cf_store *s)
{
    fixture_runs(s, "Image->Question", 3, 3);
    fixture_run(s, &(cf_store_run){.spec = "Image->Question", .window = 1});
    for (int32_t r = 0; r < 3; r++)
        fixture_run(s,
                    &(cf_store_run){.spec = "random: " HOSTILE, .mode = "random", .seed = 7, .repeat = r, .window = 3});
    fixture_run(s, &(cf_store_run){.spec = "Last->Last@0:2", .style = "fixed", .layers = ""});
}

static void add_sample(cf_store *s, const char *task, int64_t row, double p1)
{
    cf_value values[2 * N_RUNS];
    size_t n = 0;
    for (int64_t run = 1; run <= N_RUNS; run++) {
        const bool none = run == 2 && row == 1;
        const cf_value_flag flag = none ? CF_VALUE_FULLY_CUT : run == 3 ? CF_VALUE_EMPTY_GROUP : CF_VALUE_OK;
        const double p2 = none ? (double)NAN : p1 * (1.0 - 1.0 / (3.0 + (double)(run * (row + 1))));
        if (run != 8 || row == 0)
            values[n++] = (cf_value){run, CF_MEASURE_PROBABILITY, p2, flag};
        if (strcmp(task, "B") == 0)
            values[n++] = (cf_value){run, CF_MEASURE_RANK, (double)run, CF_VALUE_OK};
    }
    const cf_baseline baseline = {CF_MEASURE_RANK, 1.0};
    const cf_run_answer answers[] = {{2, HOSTILE}, {5, "blue"}};
    const cf_lens_entry lens[] = {
        {.position = 9,
         .layer = 0,
         .answer = 0.1,
         .answer_upper = 0.2,
         .option = NAN,
         .option_upper = NAN,
         .words = "[\"</script>\",\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\"]",
         .scores = "[0.1,0.01,0.01,0.01,0.01,0.01,0.01,0.01,0.01,0.01,0.001]"}};
    const cf_sample x = {.task = task,
                         .row = row,
                         .question_id = "q",
                         .image = "../" HOSTILE ".jpg",
                         .question = HOSTILE,
                         .answer = HOSTILE,
                         .predicted = HOSTILE,
                         .first_token_text = "</script>",
                         .notes = "one\n<two>",
                         .probability = p1,
                         .n_tokens = 10,
                         .picture_w = 40,
                         .picture_h = 30,
                         .groups = "{\"Image\":[[1,5]]}",
                         .tokens = "[\"<s>\",null,\"</script>\"]",
                         .boxes = "[{\"name\":\"<b>\",\"x\":1,\"y\":2,\"w\":3,\"h\":4}]",
                         .patches =
                             "[{\"kind\":\"base\",\"at\":1,\"rows\":2,\"columns\":2,\"newline\":0,\"x\":0.1,\"y\":0,"
                             "\"dx\":20,\"dy\":15}]"};
    assert_ok(cf_store_put_sample(s, &x,
                                  &(cf_results){.values = values,
                                                .n_values = n,
                                                .baselines = &baseline,
                                                .n_baselines = strcmp(task, "B") == 0,
                                                .answers = answers,
                                                .n_answers = 2,
                                                .lens = lens,
                                                .n_lens = 1},
                                  report));
}

static void add_study(cf_store *s)
{
    add_runs(s);
    add_sample(s, "B", 1, 0.3);
    add_sample(s, "A", 0, 1.0 / 3.0);
    add_sample(s, "B", 0, 0.7);
    add_sample(s, "A", 1, 0.123456789012345678);
    for (int64_t row = 2; row < 5; row++) {
        const cf_sample fault = {.task = "A",
                                 .row = row,
                                 .status = CF_SAMPLE_FAULT,
                                 .reason = row == 2 ? "rare" : HOSTILE,
                                 .probability = (double)NAN};
        assert_ok(cf_store_put_sample(s, &fault, NULL, report));
    }
    const cf_sample wrong = {.task = "C", .row = 0, .status = CF_SAMPLE_WRONG, .probability = 0.5};
    assert_ok(cf_store_put_sample(s, &wrong, NULL, report));
}

static void write_whole(page *p, const fixture *f)
{
    cf_page_options o = page_options();
    o.n_samples = 2;
    add_study(f->store);
    page_write(p, f, &f->store, 1, &o);
}

/* ---- numbers ---- */

static void assert_list(const cf_json *curve, const char *name, int64_t i, double expected)
{
    const cf_json *list = page_get(curve, name);
    if (isnan(cf_json_number(page_nth(list, i), (double)NAN)) != isnan(expected))
        fail_msg("%s[%d]: expected %g", name, (int)i, expected);
    assert_number(cf_json_number(page_nth(list, i), (double)NAN), expected);
}

static void assert_curve(const cf_json *c, const cf_statistic_curve *s, const cf_curve *change, const cf_curve *value)
{
    if (s->task)
        assert_string_equal(page_text(c, "task"), s->task);
    else
        assert_int_equal(cf_json_kind_of(page_get(c, "task")), CF_JSON_NULL);
    assert_string_equal(page_text(c, "style"), s->style);
    assert_int_equal(page_number(c, "window"), s->window);
    assert_int_equal(cf_json_count(page_get(c, "layer")), s->n_points);
    for (size_t k = 0; k < s->n_points; k++) {
        const int64_t i = (int64_t)k;
        const cf_statistic_point *p = &s->points[k];
        assert_list(c, "layer", i, p->layer);
        assert_list(c, "n", i, (double)p->s.n);
        assert_list(c, "nEmpty", i, (double)p->n_empty);
        assert_list(c, "nWithout", i, (double)p->n_without);
        assert_list(c, "mean", i, change->points[k].mean);
        assert_list(c, "low", i, change->points[k].low);
        assert_list(c, "high", i, change->points[k].high);
        assert_list(c, "bootLow", i, p->s.low);
        assert_list(c, "bootHigh", i, p->s.high);
        assert_list(c, "median", i, p->s.median);
        assert_list(c, "p", i, p->s.p);
        assert_list(c, "r", i, p->s.r);
        assert_list(c, "absolute", i, value->points[k].mean);
        assert_list(c, "absoluteLow", i, value->points[k].low);
        assert_list(c, "absoluteHigh", i, value->points[k].high);
        assert_int_equal(cf_json_number(cf_json_first(page_nth(page_get(c, "runs"), i)), -1), p->run - 1);
        assert_int_equal(cf_json_count(page_nth(page_get(c, "runs"), i)), strcmp(s->mode, "random") == 0 ? 3 : 1);
    }
}

/* The curves of one measure, from *at on. */
static void assert_measure(cf_store *s, const cf_json **at, cf_measure m)
{
    cf_statistic_curve *statistics = NULL;
    cf_curve *changes = NULL, *values = NULL;
    size_t n = 0, n_changes = 0, n_values = 0;
    cf_statistics_options so = cf_statistics_options_default();
    so.measure = m;
    so.bootstrap.resamples = page_options().resamples;
    assert_ok(cf_store_statistics(s, &statistics, &n, &so, report));
    cf_curve_options co = {.measure = m, .all_tasks = m == CF_MEASURE_PROBABILITY};
    assert_ok(cf_store_curves(s, &changes, &n_changes, &co, report));
    co.absolute = true;
    assert_ok(cf_store_curves(s, &values, &n_values, &co, report));
    assert_true(n > 0 && n == n_changes && n == n_values);
    for (size_t i = 0; i < n; i++, *at = cf_json_next(*at)) {
        assert_string_equal(page_text(*at, "measure"), cf_measure_name(m));
        assert_curve(*at, &statistics[i], &changes[i], &values[i]);
    }
    cf_statistics_free(statistics, n);
    cf_curves_free(changes, n_changes);
    cf_curves_free(values, n_values);
}

static void every_number_of_every_curve_is_the_stores(void **state)
{
    const fixture *f = *state;
    page p = {0};
    write_whole(&p, f);
    const cf_json *study = page_study(&p, 0), *measures = page_get(study, "measures");
    assert_int_equal(cf_json_count(measures), 2);
    assert_string_equal(page_text(page_nth(measures, 0), "name"), "probability");
    assert_string_equal(page_text(page_nth(measures, 1), "comparison"), "difference");
    const cf_json *at = cf_json_first(page_get(study, "curves"));
    assert_measure(f->store, &at, CF_MEASURE_PROBABILITY);
    assert_measure(f->store, &at, CF_MEASURE_RANK);
    assert_null(at);
    page_free(&p);
}

/* ---- values ---- */

typedef struct value_check {
    const double *values;
    const unsigned char *flags;
    const cf_json *samples; /* of the block */
    const cf_json *all;     /* of the study */
    cf_measure measure;
    int n;
} value_check;

static cf_status check_value(void *user, const cf_sample *x, const cf_store_run *run, const cf_value *v, cf_error *err)
{
    value_check *c = user;
    int64_t row = 0;
    (void)run;
    (void)err;
    if (v->measure != c->measure)
        return CF_OK;
    for (const cf_json *i = cf_json_first(c->samples); i; i = cf_json_next(i), row++) {
        const cf_json *sample = page_nth(c->all, (int64_t)cf_json_number(i, -1));
        if (strcmp(page_text(sample, "task"), x->task) == 0 && page_number(sample, "row") == (double)x->row)
            break;
    }
    const int64_t at = row * N_RUNS + v->run - 1;
    assert_number(c->values[at], v->value);
    assert_int_equal(c->flags[at], v->flag);
    c->n++;
    return CF_OK;
}

static void every_value_of_every_sample_is_the_stores(void **state)
{
    const fixture *f = *state;
    page p = {0};
    write_whole(&p, f);
    const cf_json *study = page_study(&p, 0), *block = cf_json_first(page_get(study, "values"));
    cf_json *samples = page_list(&p, page_get(study, "samples"));
    assert_int_equal(cf_json_count(samples), 8);
    assert_int_equal(cf_json_count(page_get(study, "runs")), N_RUNS);
    const size_t n = 4 * N_RUNS;
    double *values = page_numbers(&p, page_get(block, "values"), n);
    unsigned char *flags = page_bytes(&p, page_get(block, "flags"), n);
    value_check c = {values, flags, page_get(block, "samples"), samples, CF_MEASURE_PROBABILITY, 0};
    assert_ok(cf_store_each_value(f->store, check_value, &c, report));
    assert_int_equal(c.n, 4 * N_RUNS - 2);
    assert_int_equal(cf_json_count(c.samples), 4);
    assert_int_equal(flags[2 * N_RUNS - 1], 255); /* A 1 has no run 8 */
    assert_true(isnan(values[2 * N_RUNS - 1]));
    assert_true(cf_json_bool(page_get(block, "all"), false));
    assert_null(cf_json_next(cf_json_next(block)));
    free(flags);
    free(values);
    cf_json_free(samples);
    page_free(&p);
}

/* Curves of the fixture: window 1, window 3, random, fixed. */
static void an_effect_is_the_largest_change_of_a_curve(void **state)
{
    const fixture *f = *state;
    page p = {0};
    write_whole(&p, f);
    const cf_json *effects = page_get(page_study(&p, 0), "effects"), *columns = page_get(effects, "columns");
    assert_int_equal(cf_json_count(columns), 4);
    assert_int_equal(page_number(page_nth(columns, 0), "window"), 1);
    assert_int_equal(page_number(page_nth(columns, 1), "window"), 3);
    double *values = page_numbers(&p, page_get(effects, "values"), 16);
    /* A 0: p2 = p1 (1 - 1 / (3 + run)) */
    const double p1 = 1.0 / 3.0;
    double change[N_RUNS + 1];
    for (int run = 1; run <= N_RUNS; run++)
        change[run] = cf_measure_change(CF_MEASURE_PROBABILITY, p1, p1 * (1.0 - 1.0 / (3.0 + run)));
    assert_number(values[0], change[4]);
    assert_number(values[1], change[1]);
    assert_number(values[2], (change[5] + change[6] + change[7]) / 3.0);
    assert_number(values[3], change[8]);
    assert_true(isnan(values[4 + 3])); /* A 1 has no run 8 */
    free(values);
    page_free(&p);
}

static void counts_faults_and_baselines_are_the_studys(void **state)
{
    const fixture *f = *state;
    page p = {0};
    write_whole(&p, f);
    const cf_json *study = page_study(&p, 0), *counts = page_get(study, "counts"), *faults = page_get(study, "faults");
    assert_int_equal(page_number(counts, "done"), 4);
    assert_int_equal(page_number(counts, "wrong"), 1);
    assert_int_equal(page_number(counts, "fault"), 3);
    assert_int_equal(page_number(counts, "emptyGroup"), 4);
    assert_int_equal(page_number(counts, "fullyCut"), 2);
    assert_string_equal(page_text(page_nth(faults, 0), "reason"), HOSTILE_READ);
    assert_int_equal(page_number(page_nth(faults, 0), "n"), 2);
    assert_string_equal(page_text(page_nth(faults, 1), "reason"), "rare");
    assert_int_equal(cf_json_count(page_get(study, "tasks")), 2);
    assert_int_equal(page_number(study, "nLayers"), 3);
    const cf_json *baselines = page_get(study, "baselines"), *all = page_nth(baselines, 4);
    assert_int_equal(cf_json_count(baselines), 6); /* A, B and all, of two measures */
    assert_int_equal(cf_json_kind_of(page_get(all, "task")), CF_JSON_NULL);
    assert_int_equal(page_number(all, "n"), 4);
    assert_true(fabs(page_number(all, "mean") - (1.0 / 3.0 + 0.123456789012345678 + 0.7 + 0.3) / 4) < 1e-15);
    assert_int_equal(page_number(page_nth(baselines, 1), "n"), 0); /* A has no rank */
    assert_number(page_number(page_nth(baselines, 3), "mean"), 1.0);
    page_free(&p);
}

/* ---- texts ---- */

static void text_from_outside_is_data_and_nothing_else(void **state)
{
    const fixture *f = *state;
    page p = {0};
    write_whole(&p, f);
    const char *data = strstr(p.html, "id=\"page-data\">");
    assert_non_null(data);
    data += strlen("id=\"page-data\">");
    const size_t n = (size_t)(strchr(data, '<') - data); /* nothing in it begins a tag */
    assert_int_equal(
        strncmp(data + n, "</script>\n<script type=\"application/octet-stream;base64\" id=\"blob-0\">", 66), 0);
    assert_null(memchr(data, '>', n));
    assert_null(memchr(data, '&', n));
    assert_null(strstr(p.html, "\xe2\x80\xa8"));
    assert_null(strstr(p.html, "random: <"));
    const cf_json *study = page_study(&p, 0);
    assert_string_equal(page_text(page_nth(page_get(study, "flows"), 1), "text"), "random: " HOSTILE_READ " seed 7");
    cf_json *samples = page_list(&p, page_get(study, "samples"));
    const cf_json *x = cf_json_first(samples);
    assert_string_equal(page_text(x, "question"), HOSTILE_READ);
    assert_string_equal(page_text(x, "image"), "../" HOSTILE_READ ".jpg");
    assert_string_equal(cf_json_string(page_nth(page_get(x, "notes"), 1)), "<two>");
    assert_string_equal(cf_json_string(page_nth(page_get(x, "tokens"), 2)), "</script>");
    assert_int_equal(cf_json_kind_of(page_nth(page_get(x, "tokens"), 1)), CF_JSON_NULL);
    assert_string_equal(page_text(cf_json_first(page_get(x, "boxes")), "name"), "<b>");
    assert_number(page_number(cf_json_first(page_get(x, "grids")), "x"), 0.1);
    assert_int_equal(cf_json_count(page_get(page_get(x, "groups"), "Image")), 1);
    cf_json_free(samples);
    page_free(&p);
}

static void every_character_of_json_is_safe_in_an_element(void **state)
{
    cf_str out = {0};
    (void)state;
    assert_ok(
        cf_page_escape(&out, cf_slice_of("\"<!--</script>&\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\""), report));
    assert_string_equal(out.data, "\"\\u003c!--\\u003c/script\\u003e\\u0026\xe2\x80\xa7\\u2028\\u2029\xe2\x80\"");
    cf_str_deinit(&out);
}

static void stored_json_is_written_anew_or_refused(void **state)
{
    cf_str out = {0};
    cf_error err = {0};
    (void)state;
    assert_ok(cf_page_stored(&out, "a", " [1.50, \"\\u003c\\ud83d\\ude00\", {\"b\" : [true,null]}]", CF_JSON_ARRAY, "x",
                             report));
    assert_string_equal(out.data, "\"a\":[1.5,\"<\xf0\x9f\x98\x80\",{\"b\":[true,null]}]");
    cf_str_clear(&out);
    assert_ok(cf_page_stored(&out, "a", "", CF_JSON_OBJECT, "x", report));
    assert_string_equal(out.data, "\"a\":{}");
    assert_int_equal(cf_page_stored(&out, "groups", "[]", CF_JSON_OBJECT, "x.db", &err), CF_FORMAT);
    assert_string_equal(err.text, "x.db: groups: expected an object, found []");
    assert_int_equal(cf_page_stored(&out, "groups", "{\"a\":", CF_JSON_OBJECT, "x.db", &err), CF_FORMAT);
    cf_str_deinit(&out);
}

static void numbers_are_short_and_read_back_as_they_were(void **state)
{
    static const struct {
        double v;
        const char *text;
    } cases[] = {{0.1, "0.1"},
                 {1.0 / 3.0, "0.3333333333333333"},
                 {1e300, "1e+300"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {40, "40"},
                 {(double)NAN, "null"},
                 {-(double)INFINITY, "null"},
                 {-0.0, "-0"},
                 {5e-324, "4.94065645841247e-324"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_str out = {0};
        assert_ok(cf_page_add_number(&out, cases[i].v, report));
        assert_string_equal(out.data, cases[i].text);
        cf_str_deinit(&out);
    }
}

/* RFC 4648, section 10. */
static void base64_is_the_standards(void **state)
{
    static const char *const texts[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    (void)state;
    for (size_t n = 0; n < sizeof texts / sizeof *texts; n++) {
        cf_str out = {0};
        assert_ok(cf_base64_add(&out, (const unsigned char *)"foobar", n, report));
        assert_string_equal(out.data ? out.data : "", texts[n]);
        cf_str_deinit(&out);
    }
}

/* ---- the page as a file ---- */

/* Written in another order, and twice. */
static void equal_studies_give_equal_bytes(void **state)
{
    const fixture *f = *state;
    page p = {0}, again = {0};
    write_whole(&p, f);
    cf_page_options o = page_options();
    o.n_samples = 2;
    page_write(&again, f, &f->store, 1, &o);
    assert_int_equal(p.n, again.n);
    assert_memory_equal(p.html, again.html, p.n);
    page_free(&again);
    page_free(&p);
}

static void the_page_asks_nothing_of_a_network(void **state)
{
    const fixture *f = *state;
    page p = {0};
    write_whole(&p, f);
    const char *policy = strstr(p.html, "http-equiv=\"Content-Security-Policy\"");
    assert_non_null(policy);
    const char *content = strstr(policy, "content=\"default-src 'none'; ");
    assert_true(content && content - policy < 60);
    const char *end = strchr(content + 9, '"');
    assert_null(memchr(content, '*', (size_t)(end - content)));
    assert_null(memmem(content, (size_t)(end - content), "http", 4));
    assert_non_null(strstr(p.html, "</html>"));
    assert_null(strstr(p.html, "@data@"));
    assert_null(strstr(p.html, "<link"));
    assert_null(strstr(p.html, " src=\"http"));
    page_free(&p);
}

static void a_page_that_cannot_be_written_says_where_and_leaves_nothing(void **state)
{
    const fixture *f = *state;
    cf_error err = {0};
    const cf_page_options o = page_options();
    add_study(f->store);
    assert_int_equal(cf_page_write(&f->store, 1, "/no/such/folder/page.html", &o, NULL, &err), CF_IO);
    assert_string_equal(err.text, "/no/such/folder/page.html: cannot write: No such file or directory");
}

static void an_empty_study_and_one_without_runs_make_a_page(void **state)
{
    const fixture *f = *state;
    const cf_page_options o = page_options();
    page p = {0};
    page_write(&p, f, &f->store, 1, &o);
    assert_int_equal(page_number(page_study(&p, 0), "nSamples"), 0);
    page_free(&p);
    static const double answer[] = {0.1, 0.25};
    fixture_lens_sample(f->store, "A", 0, answer, 2, true);
    page_write(&p, f, &f->store, 1, &o);
    const cf_json *lens = page_get(page_study(&p, 0), "lens");
    assert_int_equal(cf_json_count(lens), 4);
    assert_string_equal(page_text(page_nth(lens, 0), "line"), "Noncapitalized Answer");
    assert_list(page_nth(lens, 0), "mean", 1, 25.0);
    assert_int_equal(page_number(page_study(&p, 0), "nLayers"), 1); /* embeddings, and the output of one layer */
    assert_int_equal(cf_json_count(page_get(page_study(&p, 0), "curves")), 0);
    page_free(&p);
}

/* What the values of single samples may take decides the size of a page: 5,525 questions with six flows in forty layers
 * are 1.3 million, for which 10 bytes each leave room below 15 MB. */
static void a_value_takes_ten_bytes_at_most(void **state)
{
    enum { FLOWS = 6, LAYERS = 40, SAMPLES = 60 };
    const fixture *f = *state;
    cf_page_options o = page_options();
    page p = {0}, empty = {0};
    char flow[16];
    uint64_t seed = 1;
    page_write(&empty, f, &f->store, 1, &o);
    for (int i = 0; i < FLOWS; i++) {
        (void)snprintf(flow, sizeof flow, "%d->Last", i);
        fixture_runs(f->store, flow, 9, LAYERS);
    }
    for (int row = 0; row < SAMPLES; row++) {
        double change[FLOWS * LAYERS];
        for (int i = 0; i < FLOWS * LAYERS; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            change[i] = -100.0 * (double)(seed >> 11) * 0x1p-53;
        }
        fixture_sample(f->store, "A", row, change, FLOWS * LAYERS);
    }
    page_write(&p, f, &f->store, 1, &o);
    const cf_json *block = cf_json_first(page_get(page_study(&p, 0), "values"));
    const char *id = page_text(page_get(block, "values"), "id");
    char begin[80];
    (void)snprintf(begin, sizeof begin, "id=\"%s\">", id);
    const char *at = strstr(p.html, begin);
    assert_non_null(at);
    assert_true(strcspn(at, "<") < 10 * FLOWS * LAYERS * SAMPLES);
    page_free(&p);
    page_free(&empty);
}

static void where_values_do_not_fit_the_chosen_samples_have_theirs(void **state)
{
    const fixture *f = *state;
    cf_page_options o = page_options();
    page p = {0};
    add_study(f->store);
    o.n_samples = 2;
    o.n_numbers = 5 * N_RUNS; /* for the probability of four samples, and no more */
    page_write(&p, f, &f->store, 1, &o);
    const cf_json *blocks = page_get(page_study(&p, 0), "values");
    assert_true(cf_json_bool(page_get(page_nth(blocks, 0), "all"), false));
    assert_false(cf_json_bool(page_get(page_nth(blocks, 1), "all"), true));
    assert_int_equal(cf_json_count(page_get(page_nth(blocks, 1), "samples")), 2);
    unsigned char *flags = page_bytes(&p, page_get(page_nth(blocks, 1), "flags"), 2 * N_RUNS);
    assert_int_equal(flags[0], 255); /* the one of A has no rank */
    assert_int_equal(flags[N_RUNS], 0);
    free(flags);
    assert_int_equal(cf_json_count(page_get(p.json, "notes")), 2);
    assert_non_null(strstr(p.notes.data, "more values than a page holds"));
    page_free(&p);
}

static void memory_that_cannot_be_had_is_said(void **state)
{
    const fixture *f = *state;
    const cf_page_options o = {.n_samples = 2, .resamples = 2, .n_numbers = 1000};
    char *path = temp_dir_path(f->dir, "page.html");
    int64_t nth = 1;
    add_study(f->store);
    for (bool failed = true; failed; nth += nth < 200 ? 1 : 13) {
        cf_error err = {0};
        fail_alloc_at(nth);
        const cf_status st = cf_page_write(&f->store, 1, path, &o, NULL, &err);
        failed = fail_alloc_off();
        if (st != (failed ? CF_NOMEM : CF_OK))
            fail_msg("allocation %d: found %d '%s'", (int)nth, (int)st, err.text);
        assert_int_equal(cf_file_exists(path), !failed);
    }
    assert_true(nth > 200);
    free(path);
}

int test_page(void)
{
#define PAGE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        PAGE_TEST(every_number_of_every_curve_is_the_stores),
        PAGE_TEST(every_value_of_every_sample_is_the_stores),
        PAGE_TEST(an_effect_is_the_largest_change_of_a_curve),
        PAGE_TEST(counts_faults_and_baselines_are_the_studys),
        PAGE_TEST(text_from_outside_is_data_and_nothing_else),
        cmocka_unit_test(every_character_of_json_is_safe_in_an_element),
        cmocka_unit_test(stored_json_is_written_anew_or_refused),
        cmocka_unit_test(numbers_are_short_and_read_back_as_they_were),
        cmocka_unit_test(base64_is_the_standards),
        PAGE_TEST(equal_studies_give_equal_bytes),
        PAGE_TEST(the_page_asks_nothing_of_a_network),
        PAGE_TEST(a_page_that_cannot_be_written_says_where_and_leaves_nothing),
        PAGE_TEST(an_empty_study_and_one_without_runs_make_a_page),
        PAGE_TEST(a_value_takes_ten_bytes_at_most),
        PAGE_TEST(where_values_do_not_fit_the_chosen_samples_have_theirs),
        PAGE_TEST(memory_that_cannot_be_had_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
