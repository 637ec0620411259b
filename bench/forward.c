/* forward.c - how long does one plain forward pass take, from pixels to the logits of the last position, and how far is that
 * from what its multiply-adds alone would take? On a model of LLaVA-1.5-7B's width; peers/forward.py and
 * peers/llama_cpp.py ask the same of transformers and llama.cpp with the prompt and logits that --out leaves. --profile 1 adds
 * where the time of both parts goes.
 *
 * First, the logits are held against those of the recomputation (engine/oracle.h), which has no keys and values to keep and a
 * mask of its own. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "deep_model.h"
#include "engine/oracle.h"
#include "measure.h"
#include "meter.h"
#include "yardstick.h"

enum { DEFAULT_LAYERS = 2, DEFAULT_REPEATS = 10 };

typedef struct times {
    series vision, prefill, whole; /* seconds */
    double vision_macs, prefill_macs;
    series vision_parts[N_PARTS], prefill_parts[N_PARTS];
} times;

static int64_t macs_of(const deep_model *m)
{
    return cf_backend_counters(m->be).linear_macs;
}

static void take_parts(series parts[N_PARTS], meter *by_part)
{
    for (int p = 0; p < N_PARTS; p++)
        series_add(&parts[p], by_part->seconds[p]);
    meter_reset(by_part);
}

static void pass(times *t, cf_session *s, const deep_model *m, meter *by_part)
{
    cf_error err = {0};
    meter_reset(by_part);
    const int64_t before = macs_of(m), begin = cf_clock_ns();
    must(cf_session_begin(s, &m->input, 1, &err), &err);
    const double seen = seconds_since(begin);
    const int64_t between = macs_of(m);
    take_parts(t->vision_parts, by_part);
    must(cf_session_baseline(s, m->length, &err), &err);
    const double done = seconds_since(begin);
    t->vision_macs = (double)(between - before);
    t->prefill_macs = (double)(macs_of(m) - between);
    series_add(&t->vision, seen);
    series_add(&t->prefill, done - seen);
    series_add(&t->whole, done);
    take_parts(t->prefill_parts, by_part);
}

static void check(const deep_model *m, const float *logits)
{
    cf_error err = {0};
    const int64_t vocab = cf_model_config(m->model)->text.vocab_size;
    const double allowed = cf_backend_compute(m->be) == CF_F32 ? 1e-4 : 1e-2; /* of the largest logit */
    float *expected = room((size_t)vocab, sizeof *expected);
    must(cf_oracle_logits(m->model, &m->input, &(cf_oracle_run){0}, expected, NULL, NULL, NULL, &err), &err);
    const cf_difference d = cf_compare(logits, expected, (size_t)vocab);
    if (!(d.max_relative <= allowed))
        wrong("the forward pass differs from the recomputation by %.3g of the largest logit", d.max_relative);
    free(expected);
}

/* What another program needs to compute the same: the prompt as ids and pixels, and as the rows that the decoder takes. */
static void write_all(const char *folder, cf_session *s, const deep_model *m)
{
    cf_error err = {0};
    const cf_text_config *t = &cf_model_config(m->model)->text;
    const size_t n = (size_t)(m->length * t->hidden_size);
    float *rows = room(n, sizeof *rows);
    must(cf_session_baseline(s, 0, &err), &err); /* keeps all of them */
    must(cf_session_hidden(s, 0, 0, m->length, rows, &err), &err);
    write_prompt(folder, m);
    write_values(folder, "embedded.f32", rows, n * sizeof *rows);
    write_values(folder, "logits.f32", cf_session_logits(s), (size_t)t->vocab_size * sizeof(float));
    free(rows);
}

static void print_times(const times *t, const deep_model *m, const yardstick *y)
{
    const double rate = yardstick_gflops(y) * 1e9;
    const struct {
        const char *name;
        const series *seconds;
        double macs;
    } rows[] = {{"vision and projector to floor", &t->vision, t->vision_macs},
                {"prefill to floor", &t->prefill, t->prefill_macs},
                {"whole pass to floor", &t->whole, t->vision_macs + t->prefill_macs}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char what[128];
        (void)snprintf(what, sizeof what, "%s T %d %lld layers: %s", cf_dtype_name(cf_backend_compute(m->be)),
                       m->length, (long long)cf_model_config(m->model)->text.n_layers, rows[i].name);
        print_row("forward", what, "s", rows[i].seconds, (yardstick_row){2 * rows[i].macs / rate, NULL}, y->threads);
    }
}

static void print_parts(const char *of, const series *whole, const series parts[N_PARTS], const deep_model *m,
                        int threads)
{
    for (int p = 0; p < N_PARTS; p++) {
        char what[128];
        (void)snprintf(what, sizeof what, "%s T %d %lld layers: %s: share of %s",
                       cf_dtype_name(cf_backend_compute(m->be)), m->length,
                       (long long)cf_model_config(m->model)->text.n_layers, of, part_name((part)p));
        print_row("forward", what, "s", &parts[p], (yardstick_row){series_median(whole), NULL}, threads);
    }
}

int main(int argc, char **argv)
{
    cf_error err = {0};
    deep_model m = deep_model_open(argc, argv, DEFAULT_LAYERS);
    const int64_t repeats = option(argc, argv, "--repeats", DEFAULT_REPEATS);
    const char *out = option_text(argc, argv, "--out");
    cf_session *s = NULL;
    meter by_part = {0};
    times warm_up = {0}, t = {0};
    must(cf_session_create(&s, m.model, false, &err), &err);
    meter_attach(&by_part, m.be, &cf_model_config(m.model)->text);
    pass(&warm_up, s, &m, &by_part);
    check(&m, cf_session_logits(s));
    if (out)
        write_all(out, s, &m);
    yardstick y = yardstick_open_on(m.be, m.device);
    for (int64_t i = 0; i < repeats; i++) {
        yardstick_take(&y);
        pass(&t, s, &m, &by_part);
    }
    meter_detach(&by_part, m.be);
    print_head();
    print_times(&t, &m, &y);
    if (option_text(argc, argv, "--profile")) {
        print_parts("vision and projector", &t.vision, t.vision_parts, &m, y.threads);
        print_parts("prefill", &t.prefill, t.prefill_parts, &m, y.threads);
    }
    yardstick_close(&y);
    cf_session_free(s);
    deep_model_close(&m);
    return 0;
}
