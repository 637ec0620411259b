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

void cf_study_arguments_init(cf_study_arguments *a)
{
    *a = (cf_study_arguments){.o = cf_trace_options_default(), .keep = "correct", .reuse = "on"};
    const cf_option rows[] = {
        {"images", 0, CF_OPT_TEXT, &a->o.images, "DIR",
         "folder of the pictures (default: images/ beside the questions)"},
        {"scene-graphs", 0, CF_OPT_TEXT, &a->o.scene_graphs, "FILE",
         "scene graphs of GQA's own questions (default: *_sceneGraphs.json beside them)"},
        {"flow", 0, CF_OPT_LIST, &a->flows, "SOURCE->TARGET",
         "edges to cut; repeatable. Groups: Image, Question, Last,\nImage Central Object, Image Without Central "
         "Object"},
        {"flows", 0, CF_OPT_LIST, &a->flows, "LIST", "the same, comma-separated; \"paper\": the paper's six (default)"},
        {"window", 0, CF_OPT_TEXT, &a->windows, "K[,K...]", "layers cut together around each centre (default 9)"},
        {"layers", 0, CF_OPT_TEXT, &a->layers, "A:B", "centres A to B-1 (default: every layer)"},
        {"limit", 0, CF_OPT_COUNT, &a->o.limit, "N", "the first N questions of each set"},
        {"max-new-tokens", 0, CF_OPT_INT, &a->o.max_new_tokens, "N", "longest answer (default 128)"},
        {"paper", 0, CF_OPT_FLAG, &a->paper, NULL,
         "the published settings: --prompt vicuna_v1 --image-fit pad\n--window 9"},
        CF_MODEL_OPTIONS(a->o.runtime, a->threads),
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
    return CF_OK;
}

cf_status cf_study_arguments_finish(cf_study_arguments *a, cf_error *err)
{
    cf_status st = CF_OK;
    if (a->paper) { /* an option given beside --paper wins */
        if (!a->o.runtime.prompt)
            a->o.runtime.prompt = "vicuna_v1";
        if (strcmp(a->o.runtime.image_fit, "auto") == 0)
            a->o.runtime.image_fit = "pad";
    }
    a->o.runtime.threads = a->threads;
    if (a->flows.data)
        a->o.flows = a->flows.data;
    if (a->windows)
        CF_TRY(parse_windows(a, err));
    if (a->layers)
        CF_TRY(parse_layers(a, err));
    CF_TRY(parse_words(a, err));
done:
    return st;
}

void cf_study_arguments_deinit(cf_study_arguments *a)
{
    cf_str_deinit(&a->flows);
    free(a->window_list);
    a->window_list = NULL;
}
