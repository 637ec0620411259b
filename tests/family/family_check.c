/* family_check.c - see family_check.h. */
#include "family_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/oracle.h"
#include "engine/score.h"
#include "engine/sweep.h"
#include "study/run_set.h"
#include "tensor/tensor.h"

enum { MAX_NEW = 6, MAX_BOXES = 4 };

typedef struct check { /* a checkpoint and its golden */
    cf_json *json;
    cf_safetensors tensors;
    cf_runtime runtime;
    cf_session *session;
    cf_run_set runs;
    int32_t row_step; /* of the hidden states at all positions */
    bool recompute;   /* a part of the runs, from scratch */
    family_found *found;
} check;

typedef struct checked_sample {
    const check *c;
    const cf_json *record;
    const char *key;
    int32_t first_token;
    cf_picture picture;
    cf_prepared prepared;
    cf_sample_plan plan;
} checked_sample;

static int64_t whole(const cf_json *node)
{
    int64_t v = 0;
    assert_true(cf_json_i64(&v, node));
    return v;
}

static int64_t member(const cf_json *object, const char *name)
{
    return whole(cf_json_get(object, name));
}

static bool same_list(const cf_json *list, const int32_t *found, int64_t n)
{
    assert_int_equal(cf_json_kind_of(list), CF_JSON_ARRAY);
    bool same = cf_json_count(list) == n;
    for (const cf_json *e = cf_json_first(list); same && e; e = cf_json_next(e))
        same = whole(e) == *found++;
    return same;
}

static void raise_to(double *worst, double d) /* a NaN stays */
{
    *worst = d <= *worst ? *worst : d;
}

/* ---- what goes in ---- */

static cf_slice words(const cf_json *record, const char *name)
{
    const cf_json *node = cf_json_get(record, name);
    return cf_json_kind_of(node) == CF_JSON_STRING ? cf_slice_of(cf_json_string(node)) : (cf_slice){0};
}

static void prepare(checked_sample *s)
{
    cf_object objects[MAX_BOXES];
    cf_question q = {.text = words(s->record, "question"),
                     .true_option = words(s->record, "true_option"),
                     .false_option = words(s->record, "false_option"),
                     .objects = objects,
                     .image_w = member(s->record, "width"),
                     .image_h = member(s->record, "height")};
    for (const cf_json *b = cf_json_first(cf_json_get(s->record, "boxes")); b; b = cf_json_next(b)) {
        const cf_json *x = cf_json_first(b), *y = cf_json_next(x), *w = cf_json_next(y), *h = cf_json_next(w);
        assert_true(q.n_objects < MAX_BOXES);
        objects[q.n_objects++] = (cf_object){.name = words(s->record, "noun"),
                                             .x = whole(x),
                                             .y = whole(y),
                                             .w = whole(w),
                                             .h = whole(h),
                                             .has_box = true};
    }
    OK(cf_prepare_question(&s->prepared, &s->picture, &s->c->runtime, &q,
                           cf_json_string(cf_json_get(s->record, "image")), &err));
}

static bool same_pixels(const checked_sample *s)
{
    const cf_tile_grid *g = &s->picture.tiling.grid;
    char hex[CF_HASH_HEX_BYTES];
    cf_hash *hash = NULL;
    OK(cf_hash_create(&hash, &err));
    cf_hash_add(hash, s->prepared.input.pixels,
                (size_t)g->n_tiles * 3 * (size_t)g->tile_h * (size_t)g->tile_w * sizeof(float));
    cf_hash_hex(hash, hex);
    cf_hash_free(hash);
    return strcmp(hex, cf_json_string(cf_json_get(s->record, "pixels"))) == 0;
}

static bool same_group(const cf_json *golden, const cf_groups *groups)
{
    cf_group g;
    cf_spans spans = {0};
    assert_true(cf_group_find(&g, cf_slice_of(cf_json_name(golden))));
    for (const cf_json *p = cf_json_first(golden); p; p = cf_json_next(p)) {
        const cf_json *begin = cf_json_first(p);
        OK(cf_spans_add(&spans, (int32_t)whole(begin), (int32_t)whole(cf_json_next(begin)), &err));
    }
    const bool same = cf_spans_equal(&spans, &groups->of[g]);
    cf_spans_deinit(&spans);
    return same;
}

static bool same_groups(const checked_sample *s)
{
    const cf_json *list = cf_json_get(s->record, "groups");
    bool same = true;
    assert_int_equal(cf_json_count(list), CF_N_GROUPS);
    for (const cf_json *g = cf_json_first(list); g; g = cf_json_next(g))
        same = same && same_group(g, &s->prepared.groups);
    return same;
}

/* The picture's id is the golden's; in LLaVA's own form it is none of the vocabulary's. */
static bool same_ids(const checked_sample *s)
{
    const cf_input *in = &s->prepared.input;
    const cf_json *list = cf_json_get(s->record, "text_ids");
    const int64_t at = member(s->record, "image_at");
    bool same = cf_json_count(list) == in->n_ids && in->image_index == at;
    int64_t i = 0;
    for (const cf_json *e = cf_json_first(list); same && e; e = cf_json_next(e), i++) {
        const bool no_id = i == at && cf_model_config(s->c->runtime.model)->original;
        same = in->ids[i] == (no_id ? CF_NO_IMAGE_TOKEN : whole(e));
    }
    return same;
}

/* Whether the prompt has the golden's positions, so that there is something to compare behind it. */
static bool hold_inputs(const checked_sample *s)
{
    const cf_input *in = &s->prepared.input;
    family_found *f = s->c->found;
    const cf_json *sources = cf_json_get(s->record, "sources");
    const bool ids = same_ids(s);
    f->ids += !ids;
    f->pixels += !same_pixels(s);
    f->layout += in->n_tiles != member(s->record, "n_tiles") || !same_list(sources, in->merge.source, in->merge.n);
    f->groups += !same_groups(s);
    return ids && in->merge.n == cf_json_count(sources);
}

/* ---- the baseline ---- */

static double difference(const checked_sample *s, const char *name, const float *found, int64_t n)
{
    float *golden = golden_floats(&s->c->tensors, s->key, name, n);
    const double worst = cf_compare(found, golden, (size_t)n).max_relative;
    free(golden);
    return worst;
}

static float *room(int64_t n)
{
    float *x = calloc((size_t)n, sizeof *x);
    assert_non_null(x);
    return x;
}

static void hold_hidden(const checked_sample *s)
{
    const cf_text_config *t = &cf_model_config(s->c->runtime.model)->text;
    const cf_span image = s->prepared.image;
    const int64_t d = t->hidden_size, n_image = image.end - image.begin;
    const int32_t length = s->prepared.groups.length, step = s->c->row_step, last = length - 1;
    const int64_t n_rows = (length + step - 1) / step;
    family_found *f = s->c->found;
    float *features = room(n_image * d), *at_last = room((t->n_layers + 1) * d), *rows = room(t->n_layers * n_rows * d);
    OK(cf_session_hidden(s->c->session, 0, image.begin, image.end, features, &err));
    for (int64_t l = 0; l <= t->n_layers; l++) {
        OK(cf_session_hidden(s->c->session, l, last, length, at_last + l * d, &err));
        for (int32_t i = 0; l < t->n_layers && i < n_rows; i++)
            OK(cf_session_hidden(s->c->session, l, i * step, i * step + 1, rows + (l * n_rows + i) * d, &err));
    }
    raise_to(&f->features, difference(s, "features", features, n_image * d));
    raise_to(&f->hidden, difference(s, "last_hidden", at_last, (t->n_layers + 1) * d));
    raise_to(&f->hidden, difference(s, "hidden", rows, t->n_layers * n_rows * d));
    free(features);
    free(at_last);
    free(rows);
}

static void hold_baseline(const checked_sample *s)
{
    const int64_t v = cf_model_config(s->c->runtime.model)->text.vocab_size;
    family_found *f = s->c->found;
    int32_t answer[MAX_NEW], n = 0;
    OK(cf_session_begin(s->c->session, &s->prepared.input, MAX_NEW, &err));
    OK(cf_session_baseline(s->c->session, 0, &err));
    hold_hidden(s);
    const float *logits = cf_session_logits(s->c->session);
    raise_to(&f->logits, difference(s, "logits", logits, v));
    raise_to(&f->probability, fabs(cf_softmax_probability(logits, v, s->first_token) -
                                   cf_json_number(cf_json_get(s->record, "probability"), NAN)));
    OK(cf_session_generate(s->c->session, answer, &n, MAX_NEW, &err));
    f->answers += !same_list(cf_json_get(s->record, "generated_ids"), answer, n);
}

/* ---- the knocked-out runs ---- */

/* Where products are exact by construction a run has the bits of its recomputation. */
static void hold_recomputed(const checked_sample *s, size_t run, const float *logits)
{
    const int64_t v = cf_model_config(s->c->runtime.model)->text.vocab_size;
    const cf_plan_run *r = &s->plan.runs[run];
    float *again = room(v);
    OK(cf_oracle_logits(s->c->runtime.model, &s->prepared.input,
                        &(cf_oracle_run){.parts = r->parts, .window = r->window}, again, NULL, NULL, NULL, &err));
    s->c->found->inexact += memcmp(again, logits, (size_t)v * sizeof *again) != 0;
    s->c->found->n_recomputed++;
    free(again);
}

static void hold_run(void *user, size_t run, const float *logits)
{
    const checked_sample *s = user;
    const cf_run_spec *spec = &s->c->runs.specs.items[run];
    const cf_json *by_centre = cf_json_first(cf_json_get(s->record, "knockout"));
    for (size_t f = 0; f < spec->flow; f++)
        by_centre = cf_json_next(by_centre);
    const cf_json *golden = cf_json_first(by_centre);
    for (int32_t c = 0; c < spec->centre; c++)
        golden = cf_json_next(golden);
    const double p =
        cf_softmax_probability(logits, cf_model_config(s->c->runtime.model)->text.vocab_size, s->first_token);
    raise_to(&s->c->found->probability, fabs(p - cf_json_number(golden, NAN)));
    s->c->found->n_probabilities++;
    if (s->c->recompute && spec->centre == 1)
        hold_recomputed(s, run, logits);
}

static void hold_runs(checked_sample *s)
{
    const cf_scene scene = cf_prepared_scene(&s->prepared, &s->c->runtime, &s->picture);
    OK(cf_sample_plan_create(&s->plan, &s->c->runs, &scene, 0, 0, &err));
    OK(cf_sweep(s->c->session, s->plan.plan, &(cf_sweep_reader){.user = s, .run = hold_run}, &err));
}

static void hold_sample(const check *c, const cf_json *record)
{
    checked_sample s = {.c = c,
                        .record = record,
                        .key = cf_json_string(cf_json_get(record, "key")),
                        .first_token = (int32_t)member(record, "first_token")};
    prepare(&s);
    c->found->n_samples++;
    if (hold_inputs(&s)) {
        hold_baseline(&s);
        hold_runs(&s);
    }
    cf_sample_plan_deinit(&s.plan);
    cf_prepared_deinit(&s.prepared);
    cf_picture_deinit(&s.picture);
}

/* ---- a checkpoint ---- */

/* The golden's flows, all in one text and in its order. */
static void open_runs(check *c)
{
    cf_str flows = {0};
    const int32_t k = (int32_t)member(c->json, "window");
    cf_study_options o = {.windows = &k,
                          .n_windows = 1,
                          .styles = (const cf_window_style[]){CF_WINDOW_CENTRE},
                          .n_styles = 1,
                          .repeats = 1};
    for (const cf_json *f = cf_json_first(cf_json_get(c->json, "flows")); f; f = cf_json_next(f))
        OK(cf_str_addf(&flows, &err, "%s%s", flows.n ? ", " : "", cf_json_string(f)));
    o.flows = flows.data;
    OK(cf_run_set_open(&c->runs, &o, NULL, &cf_model_config(c->runtime.model)->text, &err));
    assert_int_equal(c->runs.flows.n, N_FLOWS);
    cf_str_deinit(&flows);
}

static void open_golden(check *c, const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, FAMILY "/%s.json", name);
    OK(cf_json_open(&c->json, path, 1 << 20, &err));
    (void)snprintf(path, sizeof path, FAMILY "/%s.safetensors", name);
    OK(cf_safetensors_open(&c->tensors, path, &err));
    c->row_step = (int32_t)member(c->json, "hidden_row_step");
}

/* The golden's prompt as a template of the engine's, {} being the question. */
static char *prompt_of(const cf_json *golden)
{
    cf_str prompt = {0};
    const char *text = cf_json_string(cf_json_get(golden, "prompt")), *at = strstr(text, "{}");
    assert_non_null(at);
    OK(cf_str_addf(&prompt, &err, "%.*s{question}%s", (int)(at - text), text, at + 2));
    return prompt.data;
}

static void open_runtime(check *c, const family_case *of)
{
    char *prompt = of->golden_prompt ? prompt_of(c->json) : NULL;
    cf_runtime_options o = cf_runtime_options_default();
    o.model = of->folder;
    o.vision_tower = of->vision_tower;
    o.prompt = prompt;
    o.device = of->device ? of->device : "cpu";
    o.dtype = "f32";
    o.threads = 2;
    OK(cf_runtime_open(&c->runtime, &o, &err));
    free(prompt);
    if (of->mistake)
        of->mistake(&c->runtime);
}

void family_check(family_found *found, const family_case *of)
{
    check c = {.found = found, .recompute = of->device && strcmp(of->device, "ref") == 0};
    *found = (family_found){0};
    open_golden(&c, of->golden);
    open_runtime(&c, of);
    open_runs(&c);
    OK(cf_session_create(&c.session, c.runtime.model, false, &err));
    for (const cf_json *s = cf_json_first(cf_json_get(c.json, "samples")); s; s = cf_json_next(s))
        hold_sample(&c, s);
    cf_session_free(c.session);
    cf_run_set_close(&c.runs);
    cf_runtime_close(&c.runtime);
    cf_safetensors_deinit(&c.tensors);
    cf_json_free(c.json);
}

bool family_holds(const family_found *f)
{
    return f->ids + f->pixels + f->layout + f->groups + f->answers + f->inexact == 0 && f->features <= LOGIT_BOUND &&
           f->hidden <= LOGIT_BOUND && f->logits <= LOGIT_BOUND && f->probability <= PROBABILITY_BOUND;
}
