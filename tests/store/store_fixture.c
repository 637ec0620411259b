/* store_fixture.c - see store_fixture.h. */
#include "store_fixture.h"

#include <math.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/temp_dir.h"

int fixture_setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    if (!f)
        return 1;
    f->dir = temp_dir_make();
    f->path = temp_dir_path(f->dir, "study.db");
    f->csv = temp_dir_path(f->dir, "csv");
    f->statistics = temp_dir_path(f->dir, "statistics.csv");
    f->values = temp_dir_path(f->dir, "values.csv");
    f->jsonl = temp_dir_path(f->dir, "study.jsonl");
    *state = f;
    return 0;
}

int fixture_teardown(void **state)
{
    fixture *f = *state;
    temp_dir_remove(f->dir);
    free(f->jsonl);
    free(f->values);
    free(f->statistics);
    free(f->csv);
    free(f->path);
    free(f);
    return 0;
}

const cf_fact fixture_facts[] = {{"checkpoint", "aa11", true},
                                 {"dtype", "f32", true},
                                 {"flows", "Image->Question", true},
                                 {"version", "0.1.0", false},
                                 {"threads", "2", false}};
const size_t fixture_n_facts = sizeof fixture_facts / sizeof *fixture_facts;

cf_store *fixture_create(const fixture *f)
{
    cf_store *s = NULL;
    assert_ok(cf_store_create(&s, f->path, fixture_facts, fixture_n_facts, report));
    return s;
}

cf_store *fixture_open(const fixture *f)
{
    cf_store *s = NULL;
    assert_ok(cf_store_open(&s, f->path, report));
    return s;
}

int64_t fixture_add_run(cf_store *s, const cf_store_run *run)
{
    int64_t id = 0;
    assert_ok(cf_store_add_run(s, &id, run, report));
    return id;
}

int64_t fixture_run(cf_store *s, const char *spec, int32_t window, int32_t centre)
{
    char layers[32];
    (void)snprintf(layers, sizeof layers, "%d:%d", (int)(centre > window / 2 ? centre - window / 2 : 0),
                   (int)(centre + (window + 1) / 2));
    return fixture_add_run(s, &(cf_store_run){.spec = spec,
                                              .mode = "cut",
                                              .heads = "all",
                                              .style = "centre",
                                              .window = window,
                                              .centre = centre,
                                              .layers = layers});
}

int64_t fixture_random(cf_store *s, int32_t repeat, int32_t centre)
{
    return fixture_add_run(s, &(cf_store_run){.spec = "random: Image->Last",
                                              .mode = "random",
                                              .heads = "all",
                                              .seed = 7,
                                              .repeat = repeat,
                                              .style = "centre",
                                              .window = 3,
                                              .centre = centre,
                                              .layers = "0:2"});
}

cf_sample fixture_sample(const char *task, int64_t row, double probability)
{
    return (cf_sample){.task = task,
                       .row = row,
                       .question_id = "00000024",
                       .image = "2390560.jpg",
                       .question = "Is the circle blue, or orange?",
                       .answer = "orange",
                       .true_option = "orange",
                       .false_option = "blue",
                       .object = "circle",
                       .status = CF_SAMPLE_DONE,
                       .reason = "",
                       .predicted = "Orange",
                       .first_token = 537,
                       .first_token_text = "Orange",
                       .probability = probability,
                       .n_tokens = 172,
                       .answer_ids = "[537,2]",
                       .true_token = 540,
                       .groups = "{\"Image\":[[4,148]]}",
                       .notes = "one\ntwo",
                       .grid_h = 12,
                       .grid_w = 13,
                       .picture_w = 640,
                       .picture_h = 480,
                       .fitted_w = 168,
                       .fitted_h = 169,
                       .tokens = "[\"<s>\",null,\"Is\"]",
                       .boxes = "[{\"name\":\"circle\",\"x\":247,\"y\":137,\"w\":82,\"h\":82}]",
                       .patches = "[{\"kind\":\"base\",\"at\":4}]"};
}

cf_value fixture_value(int64_t run, double p2)
{
    return (cf_value){.run = run, .measure = CF_MEASURE_PROBABILITY, .value = p2};
}

void fixture_put(cf_store *s, const cf_sample *sample, const cf_value *values, size_t n)
{
    fixture_put_results(s, sample, &(cf_results){.values = values, .n_values = n});
}

void fixture_put_results(cf_store *s, const cf_sample *sample, const cf_results *results)
{
    assert_ok(cf_store_put_sample(s, sample, results, report));
}

cf_lens_entry fixture_lens(int64_t run, int32_t position, int32_t layer, double answer)
{
    return (cf_lens_entry){.run = run,
                           .position = position,
                           .layer = layer,
                           .answer = answer,
                           .answer_upper = answer / 2.0,
                           .option = answer / 4.0,
                           .option_upper = answer / 8.0,
                           .words = "[\"a\",\"b\"]",
                           .scores = "[0.5,0.25]"};
}

static void put_rich_sample(cf_store *s, const int64_t runs[4])
{
    const cf_sample x = fixture_sample("A", 0, 0.5);
    const cf_value values[] = {
        {runs[0], CF_MEASURE_PROBABILITY, 0.25, CF_VALUE_OK},
        {runs[0], CF_MEASURE_DIFFERENCE, -1.5, CF_VALUE_OK},
        {runs[0], CF_MEASURE_FLIP, 1.0, CF_VALUE_OK},
        {runs[0], CF_MEASURE_TOP, 12.0, CF_VALUE_OK},
        {runs[1], CF_MEASURE_PROBABILITY, 0.375, CF_VALUE_OK},
        {runs[2], CF_MEASURE_PROBABILITY, (double)NAN, CF_VALUE_TOO_FEW_KEYS},
        {runs[3], CF_MEASURE_PROBABILITY, 0.5, CF_VALUE_EMPTY_GROUP},
    };
    const cf_baseline baselines[] = {
        {CF_MEASURE_DIFFERENCE, 2.0}, {CF_MEASURE_FLIP, 0.0}, {CF_MEASURE_TOP, 537.0}, {CF_MEASURE_TRUE, (double)NAN}};
    const cf_run_answer answers[] = {{runs[0], "Blue \"sky\"\n"}, {runs[3], ""}};
    cf_lens_entry lens[] = {fixture_lens(CF_NO_RUN, FIXTURE_LAST, 0, 0.25),
                            fixture_lens(CF_NO_RUN, FIXTURE_LAST, 1, 0.5), fixture_lens(CF_NO_RUN, 5, 1, 0.125),
                            fixture_lens(runs[2], FIXTURE_LAST, 1, 0.0625)};
    lens[2].words = "[\"it's\",\n\"\\\"q,\\\"\"]";
    fixture_put_results(s, &x,
                        &(cf_results){.values = values,
                                      .n_values = sizeof values / sizeof *values,
                                      .baselines = baselines,
                                      .n_baselines = sizeof baselines / sizeof *baselines,
                                      .answers = answers,
                                      .n_answers = sizeof answers / sizeof *answers,
                                      .lens = lens,
                                      .n_lens = sizeof lens / sizeof *lens});
}

void fixture_rich_study(cf_store *s)
{
    const int64_t runs[4] = {fixture_run(s, "Image->Last", 1, 0), fixture_random(s, 0, 1), fixture_random(s, 1, 1),
                             fixture_add_run(s, &(cf_store_run){.spec = "Image->Last@0:2 & Last->Last@3",
                                                                .mode = "cut",
                                                                .heads = "mixed",
                                                                .style = "fixed",
                                                                .layers = ""})};
    put_rich_sample(s, runs);
    const cf_sample fault = {.task = "A",
                             .row = 1,
                             .question_id = "q\"1\xff",
                             .status = CF_SAMPLE_FAULT,
                             .reason = "picture: not found",
                             .probability = (double)NAN,
                             .answer_ids = "[]",
                             .true_token = -1,
                             .groups = "{}",
                             .tokens = "[]",
                             .boxes = "[]",
                             .patches = "[]"};
    fixture_put(s, &fault, NULL, 0);
    cf_sample other = fixture_sample("B", 0, 0.5);
    other.true_option = other.false_option = "";
    const cf_value value = fixture_value(runs[0], 0.125);
    cf_lens_entry lens = fixture_lens(CF_NO_RUN, FIXTURE_LAST, 0, 0.75);
    lens.option = lens.option_upper = (double)NAN;
    fixture_put_results(s, &other, &(cf_results){.values = &value, .n_values = 1, .lens = &lens, .n_lens = 1});
}

void fixture_sql(const fixture *f, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

bool fixture_sql_refused(const fixture *f, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    const int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return rc == SQLITE_CONSTRAINT;
}

void fixture_sql_killed(const fixture *f, const char *sql)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        sqlite3 *db = NULL;
        if (sqlite3_open(f->path, &db) != SQLITE_OK || sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
            _exit(1);
        (void)raise(SIGKILL);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

/* The only row of a query; close it with end_query. */
static sqlite3_stmt *query(const fixture *f, sqlite3 **db, const char *sql)
{
    sqlite3_stmt *q = NULL;
    assert_int_equal(sqlite3_open_v2(f->path, db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(*db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    return q;
}

static void end_query(sqlite3 *db, sqlite3_stmt *q)
{
    assert_int_equal(sqlite3_step(q), SQLITE_DONE);
    sqlite3_finalize(q);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int64_t fixture_count(const fixture *f, const char *table)
{
    sqlite3 *db = NULL;
    cf_str sql = {0};
    assert_ok(cf_str_addf(&sql, report, "SELECT count(*) FROM %s", table));
    sqlite3_stmt *q = query(f, &db, sql.data);
    const int64_t n = sqlite3_column_int64(q, 0);
    end_query(db, q);
    cf_str_deinit(&sql);
    return n;
}

void fixture_statistic(const fixture *f, fixture_row *out, const char *task, int64_t run, cf_measure measure)
{
    sqlite3 *db = NULL;
    cf_str sql = {0};
    assert_ok(cf_str_addf(&sql, report,
                          "SELECT n, n_empty, n_without, mean, low, high, median, p, r FROM statistic "
                          "WHERE task = '%s' AND run = %lld AND measure = '%s'",
                          task, (long long)run, cf_measure_name(measure)));
    sqlite3_stmt *q = query(f, &db, sql.data);
    for (int i = 0; i < 3; i++)
        out->counts[i] = sqlite3_column_int64(q, i);
    for (int i = 0; i < 6; i++)
        out->numbers[i] = sqlite3_column_type(q, 3 + i) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(q, 3 + i);
    end_query(db, q);
    cf_str_deinit(&sql);
}
