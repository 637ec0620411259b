/* study_options.c - see study_options.h. */
#include "cli/study_options.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/model_options.h"

void cf_study_arguments_add(cf_study_arguments *a, const cf_option *option)
{
    assert(a->n_options < CF_STUDY_MAX_OPTIONS);
    a->options[a->n_options++] = *option;
}

void cf_study_arguments_begin(cf_study_arguments *a)
{
    *a = (cf_study_arguments){.o = cf_study_options_default(), .keep = "correct", .reuse = "on", .norm = "last"};
}

void cf_study_arguments_init(cf_study_arguments *a)
{
    cf_study_arguments_begin(a);
    const cf_option rows[] = {
        {"images", 0, CF_OPT_TEXT, &a->o.images, "DIR",
         "folder of the pictures (default: images/ beside the questions)"},
        {"scene-graphs", 0, CF_OPT_TEXT, &a->o.scene_graphs, "FILE",
         "scene graphs of GQA's own questions (default: *_sceneGraphs.json beside them)"},
        {"flow", 0, CF_OPT_LIST, &a->flows, "FLOW",
         "what is done: \"Image->Question\", \"keep: ...\", \"random: ...\",\n\"zero mlp: Question\"; repeatable. "
         "`crossflow flows` has the grammar"},
        {"flows", 0, CF_OPT_LIST, &a->flows, "LIST", "the same, comma-separated; \"paper\": the paper's six"},
        {"window", 0, CF_OPT_TEXT, &a->windows, "K[,K...]", "layers done together around each centre (default 9)"},
        {"style", 0, CF_OPT_LIST, &a->styles, "LIST",
         "of the window: centre (default), below (from the bottom up to\nthe centre), above (from it to the top), "
         "outside "
         "(all but K)"},
        {"layers", 0, CF_OPT_TEXT, &a->layers, "A:B", "centres A to B-1 (default: every layer)"},
        {"repeats", 0, CF_OPT_INT, &a->o.repeats, "N", "draws of each random control (default 1)"},
        {"seed", 0, CF_OPT_COUNT, &a->o.seed, "N", "of random controls (default 1)"},
        {"limit", 0, CF_OPT_COUNT, &a->o.limit, "N", "the first N questions of each set"},
        {"max-new-tokens", 0, CF_OPT_INT, &a->o.max_new_tokens, "N", "longest answer (default 128)"},
        {"paper", 0, CF_OPT_FLAG, &a->paper, NULL,
         "the published settings: the scripts' prompt and picture fit for\nthis model, --window 9"},
        {"in-flight", 0, CF_OPT_INT, &a->o.runtime.in_flight, "N",
         "questions that share a walk over the layers (default: 8 on a GPU\nand with small models, 4 where layers are "
         "read from the files,\nelse 1)"},
        CF_MODEL_OPTIONS(a->o.runtime, a->threads),
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cf_study_arguments_add(a, &rows[i]);
}

void cf_study_arguments_add_output(cf_study_arguments *a)
{
    const cf_option rows[] = {
        {"out", 'o', CF_OPT_NEED, &a->o.out, "STUDY.db", "the study file; an existing study is continued"},
        {"keep", 0, CF_OPT_TEXT, &a->keep, "correct|wrong|all", "which answers are studied (default correct)"},
        {"strict", 0, CF_OPT_FLAG, &a->o.strict, NULL, "exit with 1 if any question had a fault"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cf_study_arguments_add(a, &rows[i]);
}

static bool has_window(const cf_study_arguments *a, size_t n, int64_t k)
{
    for (size_t i = 0; i < n; i++)
        if (a->window_list[i] == k)
            return true;
    return false;
}

static cf_status parse_windows(cf_study_arguments *a, cf_error *err)
{
    const cf_slice list = cf_slice_of(a->windows);
    size_t cap = 0, n = 0;
    for (size_t begin = 0; begin <= list.n;) {
        const int64_t comma = cf_slice_find(list, cf_slice_of(","), begin);
        const size_t end = comma < 0 ? list.n : (size_t)comma;
        int64_t k = 0;
        if (!cf_parse_i64(&k, cf_slice_trim((cf_slice){list.data + begin, end - begin})) || k < 1 || k > INT32_MAX)
            return cf_fail(err, CF_USAGE, "--window %s: expected whole numbers, 1 or more, separated by commas",
                           a->windows);
        begin = end + 1;
        if (has_window(a, n, k)) /* a size given twice is one size, as a flow given twice is one flow */
            continue;
        void *items = a->window_list;
        const cf_status st = cf_grow(&items, &cap, n + 1, sizeof *a->window_list, "windows", err);
        if (st != CF_OK)
            return st;
        a->window_list = items;
        a->window_list[n++] = (int32_t)k;
    }
    a->o.windows = a->window_list;
    a->o.n_windows = n;
    return CF_OK;
}

static cf_status parse_layers(cf_study_arguments *a, cf_error *err)
{
    const cf_slice text = cf_slice_of(a->layers);
    const int64_t colon = cf_slice_find(text, cf_slice_of(":"), 0);
    int64_t begin = 0, end = 0;
    if (colon < 0 || !cf_parse_i64(&begin, (cf_slice){text.data, (size_t)colon}) ||
        !cf_parse_i64(&end, (cf_slice){text.data + colon + 1, text.n - (size_t)colon - 1}) || begin < 0 ||
        end <= begin || end > INT32_MAX)
        return cf_fail(err, CF_USAGE, "--layers %s: expected A:B with 0 <= A < B", a->layers);
    a->o.layer_begin = (int32_t)begin;
    a->o.layer_end = (int32_t)end;
    return CF_OK;
}

/* The next word of a comma-separated list; false at its end. */
static bool next_word(cf_slice *word, cf_slice list, size_t *begin)
{
    if (*begin > list.n || !list.n)
        return false;
    const int64_t comma = cf_slice_find(list, cf_slice_of(","), *begin);
    const size_t end = comma < 0 ? list.n : (size_t)comma;
    *word = cf_slice_trim((cf_slice){list.data + *begin, end - *begin});
    *begin = end + 1;
    return true;
}

static cf_status parse_styles(cf_study_arguments *a, cf_error *err)
{
    cf_slice word;
    size_t n = 0;
    for (size_t at = 0; next_word(&word, cf_str_slice(&a->styles), &at);) {
        cf_window_style style;
        bool known = false;
        if (!cf_window_style_find(&style, word))
            return cf_fail(err, CF_USAGE, "--style %s: expected centre, below, above or outside", a->styles.data);
        for (size_t i = 0; i < n; i++)
            known = known || a->style_list[i] == style;
        if (!known)
            a->style_list[n++] = style;
    }
    a->o.styles = a->style_list;
    a->o.n_styles = n;
    return CF_OK;
}

static cf_status parse_scores(cf_study_arguments *a, cf_error *err)
{
    static const struct {
        const char *name;
        unsigned bits;
    } names[] = {{"first", 0},
                 {"true", CF_SCORE_TRUE},
                 {"whole", CF_SCORE_WHOLE},
                 {"difference", CF_SCORE_DIFFERENCE},
                 {"rank", CF_SCORE_RANK},
                 {"greedy", CF_SCORE_GREEDY},
                 {"all", CF_SCORE_ALL}};
    const size_t n = sizeof names / sizeof names[0];
    cf_slice word;
    a->o.scores = 0;
    for (size_t at = 0; next_word(&word, cf_str_slice(&a->scores), &at);) {
        size_t i = 0;
        while (i < n && !cf_slice_is(word, names[i].name))
            i++;
        if (i == n)
            return cf_fail(err, CF_USAGE, "--score %s: expected first, true, whole, difference, rank, greedy or all",
                           a->scores.data);
        a->o.scores |= names[i].bits;
    }
    return CF_OK;
}

static cf_status parse_words(cf_study_arguments *a, cf_error *err)
{
    static const char *const keeps[] = {
        [CF_KEEP_CORRECT] = "correct", [CF_KEEP_WRONG] = "wrong", [CF_KEEP_ALL] = "all"};
    const size_t n = sizeof keeps / sizeof keeps[0];
    size_t keep = 0;
    while (keep < n && strcmp(a->keep, keeps[keep]) != 0)
        keep++;
    if (keep == n)
        return cf_fail(err, CF_USAGE, "--keep %s: expected correct, wrong or all", a->keep);
    a->o.keep = (cf_keep)keep;
    a->o.reuse = strcmp(a->reuse, "on") == 0;
    if (!a->o.reuse && strcmp(a->reuse, "off") != 0)
        return cf_fail(err, CF_USAGE, "--reuse %s: expected on or off", a->reuse);
    a->o.lens_norm = strcmp(a->norm, "all") == 0;
    if (!a->o.lens_norm && strcmp(a->norm, "last") != 0)
        return cf_fail(err, CF_USAGE, "--norm %s: expected last or all", a->norm);
    return CF_OK;
}

cf_status cf_study_arguments_finish(cf_study_arguments *a, cf_error *err)
{
    cf_status st = CF_OK;
    if (a->paper) { /* an option given beside --paper wins */
        if (!a->o.runtime.prompt)
            a->o.runtime.prompt = "paper";
        if (strcmp(a->o.runtime.image_fit, "auto") == 0)
            a->o.runtime.image_fit = "paper";
    }
    a->o.runtime.threads = a->threads;
    if (a->flows.data)
        a->o.flows = a->flows.data;
    if (a->windows)
        CF_TRY(parse_windows(a, err));
    if (a->layers)
        CF_TRY(parse_layers(a, err));
    if (a->styles.data)
        CF_TRY(parse_styles(a, err));
    if (a->scores.data)
        CF_TRY(parse_scores(a, err));
    CF_TRY(parse_words(a, err));
done:
    return st;
}

void cf_study_arguments_deinit(cf_study_arguments *a)
{
    cf_str_deinit(&a->flows);
    cf_str_deinit(&a->styles);
    cf_str_deinit(&a->scores);
    free(a->window_list);
    a->window_list = NULL;
}
