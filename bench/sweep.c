/* sweep.c - how near does a whole question come to the time that its multiply-adds alone would take, and where does the rest
 * go? The baseline pass and the sweep of the paper's six flows, one run a layer, k = 9, on a model of LLaVA-1.5-7B's width.
 *
 * The floor is row-layers times operations of a row through a layer, by the peak measured in the same run. First, one run of
 * two flows is held against the same computed from scratch (engine/oracle.h), and must differ from the baseline.
 *
 * --in-flight N: so many questions together, as a study takes them; figures are one question's share. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "deep_model.h"
#include "engine/oracle.h"
#include "engine/score.h"
#include "engine/sweep.h"
#include "meter.h"
#include "yardstick.h"

enum { N_FLOWS = 6, DEFAULT_LAYERS = 12, DEFAULT_REPEATS = 5, MOST_IN_FLIGHT = 64 };

/* The six flows of the paper over a deep_model's prompt, and the plan of all their runs. */
typedef struct question {
    cf_spans image, words, last, object, rest;
    const cf_spans *source[N_FLOWS], *target[N_FLOWS];
    const char *names[N_FLOWS];
    int32_t n_layers, k;
    cf_plan *plan;
} question;

static cf_spans spans_of(int32_t begin, int32_t end)
{
    cf_error err = {0};
    cf_spans s = {0};
    must(cf_spans_add(&s, begin, end, &err), &err);
    return s;
}

/* The six flows; a square of the picture's middle is the object. */
static void make_flows(question *q, const deep_model *m)
{
    cf_error err = {0};
    const int32_t side = (int32_t)sqrt((double)(m->image.end - m->image.begin));
    q->image = spans_of(m->image.begin, m->image.end);
    q->words = spans_of(m->question.begin, m->question.end);
    q->last = spans_of(m->length - 1, m->length);
    for (int32_t y = side / 3; y < side * 2 / 3; y++) {
        const int32_t row = m->image.begin + y * side;
        must(cf_spans_add(&q->object, row + side / 3, row + side * 2 / 3, &err), &err);
    }
    must(cf_spans_minus(&q->rest, &q->image, &q->object, &err), &err);
    const struct {
        const char *name;
        const cf_spans *source, *target;
    } flows[N_FLOWS] = {{"Question->Last", &q->words, &q->last},
                        {"Image->Last", &q->image, &q->last},
                        {"Last->Last", &q->last, &q->last},
                        {"Image->Question", &q->image, &q->words},
                        {"Image Central Object->Question", &q->object, &q->words},
                        {"Image Without Central Object->Question", &q->rest, &q->words}};
    for (int f = 0; f < N_FLOWS; f++) {
        q->names[f] = flows[f].name;
        q->source[f] = flows[f].source;
        q->target[f] = flows[f].target;
    }
}

static void question_open(question *q, const deep_model *m, int32_t k)
{
    cf_error err = {0};
    const cf_text_config *t = &cf_model_config(m->model)->text;
    *q = (question){.n_layers = (int32_t)t->n_layers, .k = k};
    make_flows(q, m);
    cf_edge_run *runs = room((size_t)(N_FLOWS * q->n_layers), sizeof *runs);
    for (int32_t f = 0; f < N_FLOWS; f++)
        for (int32_t l = 0; l < q->n_layers; l++)
            runs[f * q->n_layers + l] = (cf_edge_run){
                .query = q->target[f], .key = q->source[f], .window = cf_window_around(l, k, q->n_layers)};
    must(cf_plan_create_edges(&q->plan, runs, (size_t)(N_FLOWS * q->n_layers), m->length, q->n_layers,
                              (int32_t)t->n_heads, &err),
         &err);
    free(runs);
}

static void question_close(question *q)
{
    cf_spans *all[] = {&q->image, &q->words, &q->last, &q->object, &q->rest};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        cf_spans_deinit(all[i]);
    cf_plan_free(q->plan);
}

/* What a sweep gives: the probability that each run leaves the baseline's first token, and all logits of two runs. */
typedef struct outcome {
    int64_t vocab;
    int32_t token;
    double *probability; /* [runs] */
    size_t kept[2];      /* runs whose logits are kept */
    float *logits[2];
} outcome;

static void take_run(void *user, size_t run, const float *logits)
{
    outcome *o = user;
    o->probability[run] = cf_softmax_probability(logits, o->vocab, o->token);
    for (int i = 0; i < 2; i++)
        if (o->kept[i] == run)
            memcpy(o->logits[i], logits, (size_t)o->vocab * sizeof *logits);
}

/* The same question so many times: sessions that do not know it. */
typedef struct flight {
    cf_session *sessions[MOST_IN_FLIGHT];
    size_t n;
} flight;

static flight flight_open(const deep_model *m, size_t n)
{
    cf_error err = {0};
    flight f = {.n = n};
    must(cf_session_create(&f.sessions[0], m->model, false, &err), &err);
    for (size_t i = 1; i < n; i++)
        must(cf_session_create_beside(&f.sessions[i], f.sessions[0], &err), &err);
    return f;
}

static void flight_close(flight *f)
{
    while (f->n > 0)
        cf_session_free(f->sessions[--f->n]);
}

static void run_begin(const flight *f, const deep_model *m)
{
    cf_error err = {0};
    for (size_t i = 0; i < f->n; i++)
        must(cf_session_begin(f->sessions[i], &m->input, 1, &err), &err);
}

static void run_baseline(const flight *f, const question *q, outcome *o)
{
    cf_error err = {0};
    cf_baseline_task tasks[MOST_IN_FLIGHT];
    for (size_t i = 0; i < f->n; i++)
        tasks[i] = (cf_baseline_task){f->sessions[i], q->plan->lowest};
    must(cf_sessions_baseline(tasks, f->n, &err), &err);
    o->token = cf_argmax(cf_session_logits(f->sessions[0]), o->vocab);
}

static void run_sweep(const flight *f, const question *q, outcome *o)
{
    cf_error err = {0};
    const cf_sweep_reader reader = {.user = o, .run = take_run, .runs_at_once = true};
    cf_sweep_task tasks[MOST_IN_FLIGHT];
    for (size_t i = 0; i < f->n; i++)
        tasks[i] = (cf_sweep_task){f->sessions[i], q->plan, &reader};
    must(cf_sweeps(tasks, f->n, &err), &err);
}

/* The kept runs against the same from scratch. */
static void check(const deep_model *m, const question *q, const outcome *o, const float *baseline)
{
    cf_error err = {0};
    const double allowed = cf_backend_compute(m->be) == CF_F32 ? 1e-4 : 1e-2; /* of the largest logit */
    float *logits = room((size_t)o->vocab, sizeof *logits);
    for (int i = 0; i < 2; i++) {
        const size_t f = o->kept[i] / (size_t)q->n_layers;
        const int32_t layer = (int32_t)(o->kept[i] % (size_t)q->n_layers);
        const cf_window w = cf_window_around(layer, q->k, q->n_layers);
        cf_spans window = spans_of(w.first, w.last);
        cf_part cut = {.kind = CF_PART_CUT, .query = *q->target[f], .key = *q->source[f]};
        const cf_parts parts = {.items = &cut, .n = 1, .cap = 1};
        must(cf_oracle_logits(m->model, &m->input, &(cf_oracle_run){.parts = &parts, .window = &window}, logits, NULL,
                              NULL, NULL, &err),
             &err);
        const cf_difference to_oracle = cf_compare(o->logits[i], logits, (size_t)o->vocab),
                            to_baseline = cf_compare(o->logits[i], baseline, (size_t)o->vocab);
        (void)fprintf(stderr, "%s at layer %d: %.3g from scratch, %.3g from the baseline, of the largest logit\n",
                      q->names[f], layer, to_oracle.max_relative, to_baseline.max_relative);
        if (!(to_oracle.max_relative <= allowed))
            wrong("%s at layer %d: the sweep is not what is computed from scratch", q->names[f], layer);
        if (!(to_baseline.max_relative > 3 * to_oracle.max_relative))
            wrong("%s at layer %d: the cut changes nothing", q->names[f], layer);
        cf_spans_deinit(&window);
    }
    free(logits);
}

/* What a published run is compared with (peers/published.py): the prompt, and each run's probability of the token. */
static void write_runs(const char *folder, const deep_model *m, const question *q, const outcome *o, double p1)
{
    cf_error err = {0};
    cf_str text = {0};
    must(cf_str_addf(&text, &err, "flow,layer,token,probability\nnone,-1,%d,%.9g\n", o->token, p1), &err);
    for (int32_t f = 0; f < N_FLOWS; f++)
        for (int32_t l = 0; l < q->n_layers; l++)
            must(cf_str_addf(&text, &err, "%s,%d,%d,%.9g\n", q->names[f], l, o->token,
                             o->probability[f * q->n_layers + l]),
                 &err);
    write_prompt(folder, m);
    write_values(folder, "runs.csv", text.data, text.n);
    cf_str_deinit(&text);
}

typedef struct times {
    series begin, baseline, sweep, whole;    /* seconds */
    series parts[N_PARTS], rest, row_layers; /* of baseline and sweep */
} times;

static void measure(times *t, meter *m, const flight *f, const deep_model *deep, const question *q, outcome *o)
{
    const double n = (double)f->n;
    const int64_t macs = cf_session_decoder_macs(f->sessions[0]), begin = cf_clock_ns();
    run_begin(f, deep);
    const double seen = seconds_since(begin);
    meter_reset(m);
    run_baseline(f, q, o);
    const double read = seconds_since(begin) - seen;
    run_sweep(f, q, o);
    const double done = seconds_since(begin) - seen;
    series_add(&t->begin, seen / n);
    series_add(&t->baseline, read / n);
    series_add(&t->sweep, (done - read) / n);
    series_add(&t->whole, done / n);
    for (int p = 0; p < N_PARTS; p++)
        series_add(&t->parts[p], m->seconds[p] / n);
    series_add(&t->rest, (done - meter_total(m)) / n);
    series_add(&t->row_layers, (double)(cf_session_decoder_macs(f->sessions[0]) - macs) /
                                   (double)cf_model_row_layer_macs(deep->model) / n);
}

static void print_times(const times *t, const deep_model *m, const question *q, size_t in_flight, const yardstick *y)
{
    const char *dtype = cf_dtype_name(cf_backend_compute(m->be));
    const double row_layer = 2 * (double)cf_model_row_layer_macs(m->model) / (yardstick_gflops(y) * 1e9);
    const double whole = series_median(&t->whole);
    char what[128], shape[64];
    const int n = snprintf(shape, sizeof shape, "%s T %d %d layers k %d", dtype, m->length, q->n_layers, q->k);
    if (in_flight > 1)
        (void)snprintf(shape + n, sizeof shape - (size_t)n, ", %zu in flight", in_flight);
    (void)snprintf(what, sizeof what, "%s: baseline and sweep to floor", shape);
    print_row("sweep", what, "s", &t->whole, (yardstick_row){series_median(&t->row_layers) * row_layer, "<= 1.25"},
              y->threads);
    (void)snprintf(what, sizeof what, "%s: sweep to baseline", shape);
    print_row("sweep", what, "s", &t->sweep, (yardstick_row){series_median(&t->baseline), NULL}, y->threads);
    (void)snprintf(what, sizeof what, "%s: row-layers", shape);
    print_row("sweep", what, "row-layers", &t->row_layers, (yardstick_row){0}, y->threads);
    (void)snprintf(what, sizeof what, "%s: vision tower and embedding", shape);
    print_row("sweep", what, "s", &t->begin, (yardstick_row){0}, y->threads);
    if (cf_backend_is_accelerator(m->device)) /* its operations are only begun when a call returns */
        return;
    for (int p = 0; p < N_PARTS; p++) {
        (void)snprintf(what, sizeof what, "%s: share of %s", shape, part_name((part)p));
        print_row("sweep", what, "s", &t->parts[p], (yardstick_row){whole, NULL}, y->threads);
    }
    (void)snprintf(what, sizeof what, "%s: share outside of operations", shape);
    print_row("sweep", what, "s", &t->rest, (yardstick_row){whole, NULL}, y->threads);
}

int main(int argc, char **argv)
{
    deep_model m = deep_model_open(argc, argv, DEFAULT_LAYERS);
    question q = {0};
    meter by_part = {0};
    times t = {0};
    question_open(&q, &m, (int32_t)option(argc, argv, "--window", 9));
    const int64_t vocab = cf_model_config(m.model)->text.vocab_size,
                  repeats = option(argc, argv, "--repeats", DEFAULT_REPEATS);
    const size_t middle = (size_t)q.n_layers / 2, layers = (size_t)q.n_layers;
    outcome o = {.vocab = vocab,
                 .probability = room(q.plan->n_runs, sizeof *o.probability),
                 .kept = {middle, 3 * layers + middle},
                 .logits = {room((size_t)vocab, sizeof(float)), room((size_t)vocab, sizeof(float))}};
    const int64_t in_flight = option(argc, argv, "--in-flight", 1);
    if (in_flight < 1 || in_flight > MOST_IN_FLIGHT)
        wrong("--in-flight %d: expected 1 to %d", (int)in_flight, MOST_IN_FLIGHT);
    flight f = flight_open(&m, (size_t)in_flight);
    run_begin(&f, &m);
    run_baseline(&f, &q, &o);
    run_sweep(&f, &q, &o);
    const float *logits = cf_session_logits(f.sessions[0]);
    check(&m, &q, &o, logits);
    const char *out = option_text(argc, argv, "--out");
    if (out)
        write_runs(out, &m, &q, &o, cf_softmax_probability(logits, vocab, o.token));
    yardstick y = yardstick_open_on(m.be, m.device);
    meter_attach(&by_part, m.be, &cf_model_config(m.model)->text);
    for (int64_t i = 0; i < repeats; i++) {
        yardstick_take(&y);
        measure(&t, &by_part, &f, &m, &q, &o);
    }
    meter_detach(&by_part, m.be);
    print_head();
    print_times(&t, &m, &q, f.n, &y);
    yardstick_close(&y);
    flight_close(&f);
    free(o.probability);
    free(o.logits[0]);
    free(o.logits[1]);
    question_close(&q);
    deep_model_close(&m);
    return 0;
}
