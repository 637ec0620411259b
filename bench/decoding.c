/* decoding.c - how near does greedy decoding come to the speed of memory? Each token reads every weight of the decoder and
 * every key and value before it once; seconds a token, and those bytes by those seconds beside the bandwidth measured in the
 * same run, on a model of LLaVA-1.5-7B's width.
 *
 * First, every token is held against teacher forcing, which puts all rows through a layer together. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "deep_model.h"
#include "engine/score.h"
#include "measure.h"
#include "yardstick.h"

enum { DEFAULT_LAYERS = 8, DEFAULT_REPEATS = 10, TOKENS = 17 };

static void decode(cf_session *s, int32_t *ids)
{
    cf_error err = {0};
    int32_t n = 0;
    must(cf_session_generate(s, ids, &n, TOKENS, &err), &err);
    if (n != TOKENS)
        wrong("decoding ended after %d tokens, expected %d", n, TOKENS);
}

/* What decoding chose is the best after its forerunners, but for what products of another row count may lose. */
static void check(cf_session *s, const int32_t *ids, int64_t vocab)
{
    cf_error err = {0};
    must(cf_session_force(s, ids, TOKENS - 1, &err), &err);
    for (int i = 0; i < TOKENS; i++) {
        const float *logits = cf_session_logits(s) + i * vocab;
        const float best = logits[cf_argmax(logits, vocab)], chosen = logits[ids[i]];
        if (!(chosen >= best - 0.01f))
            wrong("token %d of decoding has the logit %.6g when forced, the best has %.6g", i, (double)chosen,
                  (double)best);
    }
}

/* Bytes that a token meets: all layers and the head; keys and values (f32) of the positions before it, halfway through. */
static double token_bytes(const deep_model *m)
{
    const cf_text_config *t = &cf_model_config(m->model)->text;
    const double elements = (double)(t->n_layers * cf_text_layer_macs(t) + t->vocab_size * t->hidden_size);
    const double kv =
        2.0 * (double)(t->n_layers * t->n_kv_heads * t->head_dim) * (m->length + TOKENS / 2) * sizeof(float);
    return elements * (double)cf_dtype_bytes(cf_backend_compute(m->be)) + kv;
}

int main(int argc, char **argv)
{
    cf_error err = {0};
    deep_model m = deep_model_open(argc, argv, DEFAULT_LAYERS);
    const cf_text_config *t = &cf_model_config(m.model)->text;
    const int64_t repeats = option(argc, argv, "--repeats", DEFAULT_REPEATS);
    cf_session *s = NULL;
    series token = {0}, rate = {0};
    int32_t ids[TOKENS];
    char what[128], shape[64];
    must(cf_session_create(&s, m.model, false, &err), &err);
    must(cf_session_begin(s, &m.input, TOKENS, &err), &err);
    must(cf_session_baseline(s, m.length, &err), &err);
    decode(s, ids);
    check(s, ids, t->vocab_size);
    yardstick y = yardstick_open_on(m.be, m.device);
    for (int64_t i = 0; i < repeats; i++) {
        yardstick_take(&y);
        const int64_t begin = cf_clock_ns();
        decode(s, ids);
        const double seconds = seconds_since(begin) / (TOKENS - 1); /* the first token is the prompt's */
        series_add(&token, seconds);
        series_add(&rate, token_bytes(&m) / seconds * 1e-9);
    }
    (void)snprintf(shape, sizeof shape, "%s %lld layers after T %d", cf_dtype_name(cf_backend_compute(m.be)),
                   (long long)t->n_layers, m.length);
    print_head();
    (void)snprintf(what, sizeof what, "%s: weights and kv read to memory read", shape);
    print_row("decoding", what, "GB/s", &rate, (yardstick_row){yardstick_gbytes(&y), ">= 0.80"}, y.threads);
    (void)snprintf(what, sizeof what, "%s: seconds a token", shape);
    print_row("decoding", what, "s", &token, (yardstick_row){0}, y.threads);
    yardstick_close(&y);
    cf_session_free(s);
    deep_model_close(&m);
    return 0;
}
