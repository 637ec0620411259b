/* golden_study.c - see golden_study.h. */
#include "golden_study.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "support/temp_dir.h"

static const char *const tasks[] = {"ChooseAttr", "ChooseCat", "ChooseRel", "CompareAttr", "LogicalObj", "QueryAttr"};

const char *text_of(const cf_json *object, const char *name)
{
    const char *text = cf_json_string(cf_json_get(object, name));
    if (!text)
        fail_msg("no text %s", name);
    return text;
}

double number_of(const cf_json *object, const char *name)
{
    return cf_json_number(cf_json_get(object, name), (double)NAN);
}

const cf_json *element_of(const cf_json *list, int64_t at)
{
    const cf_json *e = cf_json_first(list);
    while (e && at-- > 0)
        e = cf_json_next(e);
    return e;
}

static const cf_json *find_sample(const golden_study *g, const char *task, int64_t row)
{
    for (const cf_json *s = cf_json_first(cf_json_get(g->golden, "samples")); s; s = cf_json_next(s))
        if (strcmp(text_of(s, "task"), task) == 0 && (int64_t)number_of(s, "row") == row)
            return s;
    return NULL;
}

/* The demo's set up to its last row in the golden; other rows lose their picture, the second cell. */
static void write_set(golden_study *g, const char *task, int64_t rows)
{
    char name[64];
    cf_str out = {0};
    size_t used = 0;
    (void)snprintf(name, sizeof name, "demo/questions/shapes_%s.csv", task);
    cf_str text = content_of(name);
    const char *line = strchr(text.data, '\n') + 1;
    assert_ok(cf_str_add(&out, (cf_slice){text.data, (size_t)(line - text.data)}, report));
    for (int64_t row = 0; *line && row < rows; row++) {
        const char *end = strchr(line, '\n') + 1, *id_end = strchr(line, ','), *image_end = strchr(id_end + 1, ',');
        const bool here = find_sample(g, task, row) != NULL;
        assert_ok(cf_str_add(&out, (cf_slice){line, (size_t)(id_end - line)}, report));
        assert_ok(cf_str_add_text(&out, here ? "" : ",nowhere", report));
        line = here ? id_end : image_end;
        assert_ok(cf_str_add(&out, (cf_slice){line, (size_t)(end - line)}, report));
        g->n_samples += here;
        used = here ? out.n : used;
        line = end;
    }
    (void)snprintf(name, sizeof name, "shapes_%s.csv", task);
    if (used)
        temp_dir_write(g->questions, name, out.data, used);
    cf_str_deinit(&out);
    cf_str_deinit(&text);
}

void golden_study_open(golden_study *g, const fixture *f, const char *model, const char *golden, int64_t rows)
{
    *g = (golden_study){.questions = fixture_path(f, "golden")};
    assert_ok(cf_json_open(&g->golden, golden, 16 << 20, report));
    assert_ok(cf_tokenizer_open(&g->tokenizer, model, report));
    assert_ok(cf_dir_make(g->questions, report));
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
        write_set(g, tasks[i], rows);
}

static void free_lines(golden_study *g)
{
    for (size_t i = 0; i < g->n_lines; i++)
        cf_json_free(g->lines[i]);
    free(g->lines);
    g->lines = NULL;
    g->n_lines = 0;
}

void golden_study_close(golden_study *g)
{
    free_lines(g);
    cf_tokenizer_close(g->tokenizer);
    cf_json_free(g->golden);
    free(g->questions);
}

void golden_study_read(golden_study *g, fixture *f, const char *study)
{
    char *path = fixture_path(f, "study.jsonl");
    free_lines(g);
    RUN(&f->r, "export", study, "--jsonl", path);
    assert_done(&f->r, "export");
    cf_str text = content_of(path);
    g->lines = calloc((size_t)g->n_samples, sizeof *g->lines);
    assert_non_null(g->lines);
    for (const char *line = text.data, *end; *line; line = end + 1) {
        cf_json *sample = NULL;
        end = strchr(line, '\n');
        assert_non_null(end);
        assert_ok(cf_json_parse(&sample, (cf_slice){line, (size_t)(end - line)}, path, report));
        if (strcmp(text_of(sample, "status"), "fault") == 0) {
            assert_non_null(strstr(text_of(sample, "reason"), "nowhere.jpg: cannot open"));
            cf_json_free(sample);
            continue;
        }
        assert_true(g->n_lines < (size_t)g->n_samples);
        assert_string_equal(text_of(sample, "status"), "done");
        g->lines[g->n_lines++] = sample;
    }
    assert_int_equal(g->n_lines, g->n_samples);
    cf_str_deinit(&text);
    free(path);
}

const cf_json *golden_sample(const golden_study *g, const cf_json *line)
{
    const cf_json *s = find_sample(g, text_of(line, "task"), (int64_t)number_of(line, "row"));
    assert_non_null(s);
    return s;
}
