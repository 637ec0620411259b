/* cli_fixture.c - see cli_fixture.h. */
#include "cli_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "support/temp_dir.h"

int fixture_setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    if (!f)
        return 1;
    f->dir = temp_dir_make();
    f->study = temp_dir_path(f->dir, "study.db");
    f->questions = temp_dir_path(f->dir, "small_Test.csv");
    temp_dir_write_text(f->dir, "small_Test.csv",
                        QUESTION_HEADER "0,000024,Is the circle blue or orange?,orange,247,137,82,82\n"
                                        "1,000062,Is the moon orange or green?,orange,250,17,83,83\n"
                                        "2,000024,Is the circle large?,no,247,137,82,82\n");
    *state = f;
    return 0;
}

int fixture_teardown(void **state)
{
    fixture *f = *state;
    temp_dir_remove(f->dir);
    program_result_deinit(&f->r);
    free(f->study);
    free(f->questions);
    free(f);
    return 0;
}

char *fixture_path(const fixture *f, const char *name)
{
    return temp_dir_path(f->dir, name);
}

void fixture_trace(fixture *f, const trace_call *call)
{
    const char *args[40] = {"trace",
                            call->model ? call->model : BITES,
                            call->questions ? call->questions : f->questions,
                            "-o",
                            call->study ? call->study : f->study,
                            "--images",
                            call->images ? call->images : PICTURES,
                            "--keep",
                            "all",
                            "--max-new-tokens",
                            "2",
                            "--window",
                            "3"};
    size_t n = 0;
    while (args[n])
        n++;
    for (size_t i = 0; i < sizeof call->extra / sizeof *call->extra && call->extra[i]; i++)
        args[n++] = call->extra[i];
    program_run(&f->r, args, &call->setting);
}

void assert_refused(const program_result *r, const char *name, int exit_status, const char *say)
{
    const char *text = r->err.data;
    const char *end = strchr(text, '\n');
    if (r->signal)
        fail_msg("%s: ended by signal %d: %s", name, r->signal, text);
    if (r->exit_status != exit_status)
        fail_msg("%s: exit status %d, expected %d: %s", name, r->exit_status, exit_status, text);
    if (strncmp(text, "crossflow: ", 11) != 0 || !end || end[1] != '\0')
        fail_msg("%s: expected one line beginning with \"crossflow: \", found: %s", name, text);
    if (!strstr(text, say))
        fail_msg("%s: expected \"%s\" in: %s", name, say, text);
    if (r->out.n)
        fail_msg("%s: expected nothing on standard output, found: %s", name, r->out.data);
}

void assert_done(const program_result *r, const char *name)
{
    if (r->exit_status != 0)
        fail_msg("%s: exit status %d, signal %d: %s", name, r->exit_status, r->signal, r->err.data);
}

static int no_dot(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

static void add_file(cf_str *out, const char *path)
{
    assert_ok(cf_file_read(out, path, SIZE_MAX, report));
}

cf_str content_of(const char *path)
{
    cf_str out = {0};
    if (!cf_file_is_dir(path)) {
        add_file(&out, path);
        return out;
    }
    struct dirent **entries = NULL;
    const int n = scandir(path, &entries, no_dot, alphasort);
    assert_true(n >= 0);
    for (int i = 0; i < n; i++) {
        char *file = temp_dir_path(path, entries[i]->d_name);
        assert_ok(cf_str_addf(&out, report, "== %s\n", entries[i]->d_name));
        add_file(&out, file);
        free(file);
        free(entries[i]);
    }
    free(entries);
    return out;
}

bool path_exists(const char *path)
{
    struct stat s;
    return lstat(path, &s) == 0;
}

static void assert_nothing_beside(const char *path, const char *name)
{
    static const char *const endings[] = {"-journal", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        cf_str beside = {0};
        assert_ok(cf_str_addf(&beside, report, "%s%s", path, endings[i]));
        if (path_exists(beside.data))
            fail_msg("%s: %s was left behind", name, beside.data);
        cf_str_deinit(&beside);
    }
}

void assert_no_study(const char *path, const char *name)
{
    if (path_exists(path))
        fail_msg("%s: %s was left behind", name, path);
    assert_nothing_beside(path, name);
}

void assert_study_is(const char *path, const cf_str *content, const char *name)
{
    cf_str now = content_of(path);
    if (!cf_slice_equal(cf_str_slice(&now), cf_str_slice(content)))
        fail_msg("%s: %s was changed", name, path);
    cf_str_deinit(&now);
    assert_nothing_beside(path, name);
}

typedef struct wanted {
    const char *task;
    int64_t row;
    kept_sample found;
    bool has;
} wanted;

static cf_status take_sample(void *user, const cf_sample *x, cf_error *err)
{
    (void)err;
    wanted *w = user;
    if (strcmp(x->task, w->task) != 0 || x->row != w->row)
        return CF_OK;
    w->has = true;
    w->found.status = x->status;
    w->found.probability = x->probability;
    (void)snprintf(w->found.reason, sizeof w->found.reason, "%s", x->reason);
    (void)snprintf(w->found.predicted, sizeof w->found.predicted, "%s", x->predicted);
    return CF_OK;
}

static cf_status take_value(void *user, const cf_sample *x, const cf_store_run *run, const cf_value *v, cf_error *err)
{
    (void)run;
    (void)err;
    wanted *w = user;
    if (strcmp(x->task, w->task) != 0 || x->row != w->row)
        return CF_OK;
    w->found.n_others += v->measure != CF_MEASURE_PROBABILITY;
    if (v->measure != CF_MEASURE_PROBABILITY)
        return CF_OK;
    w->found.n_values++;
    w->found.n_empty += v->flag == CF_VALUE_EMPTY_GROUP;
    w->found.n_unchanged += v->flag == CF_VALUE_EMPTY_GROUP && v->value == x->probability;
    return CF_OK;
}

kept_sample fixture_sample(const char *study, const char *task, int64_t row)
{
    wanted w = {.task = task, .row = row};
    cf_store *s = NULL;
    assert_ok(cf_store_open(&s, study, report));
    assert_ok(cf_store_each_sample(s, take_sample, &w, report));
    assert_ok(cf_store_each_value(s, take_value, &w, report));
    cf_store_close(s);
    if (!w.has)
        fail_msg("%s: no sample %s %lld", study, task, (long long)row);
    return w.found;
}

cf_str export_of(fixture *f, const char *study)
{
    char *dir = temp_dir_make(), *csv = temp_dir_path(dir, "csv");
    RUN(&f->r, "export", study, "--csv", csv);
    assert_done(&f->r, "export");
    cf_str content = content_of(csv);
    free(csv);
    temp_dir_remove(dir);
    return content;
}

cf_str everything_of(fixture *f, const char *study)
{
    char *dir = temp_dir_make(), *jsonl = temp_dir_path(dir, "study.jsonl");
    RUN(&f->r, "export", study, "--jsonl", jsonl);
    assert_done(&f->r, "export");
    cf_str content = content_of(jsonl);
    free(jsonl);
    temp_dir_remove(dir);
    return content;
}
