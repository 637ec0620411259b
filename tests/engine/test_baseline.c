/* test_baseline.c - the pass without cuts against transformers: pixels, hidden states, logits, probabilities,
 * answer, lens; and the oracle likewise. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "walk.h"

#include "engine/score.h"

static const double bound = 1e-4; /* of the largest value of a state: f32 sums in another order */
static const double probability_bound = 1e-5;

/* Largest differences over the samples of a set. */
typedef struct differences {
    double hidden, last, logits, probability, lens;
} differences;

static void raise_to(double *worst, double d)
{
    *worst = d <= *worst ? *worst : d;
}

static float *floats(int64_t n)
{
    float *x = calloc((size_t)n, sizeof *x);
    assert_non_null(x);
    return x;
}

static bool is_stored(const sample_set *set, const sample *s, const char *name)
{
    char full[64];
    (void)snprintf(full, sizeof full, "%s.%s", s->key, name);
    return cf_safetensors_find(&set->tensors, full) != NULL;
}

/* Every row_step'th row of all hidden states but the last, whose other rows the session does not have. */
static void check_hidden(differences *worst, const sample_set *set, const sample *s, cf_session *session)
{
    const int64_t step = strcmp(set->name, "demo") == 0 ? 4 : 1, t = s->groups.length, d = set->hidden_size;
    const int64_t n = (t + step - 1) / step;
    float *expected = golden_floats(&set->tensors, s->key, "hidden", (set->n_layers + 1) * n * d);
    float *all = floats(t * d), *picked = floats(n * d);
    for (int64_t l = 0; l < set->n_layers; l++) {
        OK(cf_session_hidden(session, l, 0, s->groups.length, all, &err));
        for (int64_t r = 0; r < n; r++)
            memcpy(picked + r * d, all + r * step * d, (size_t)d * sizeof *all);
        raise_to(&worst->hidden, check_relative(s->key, picked, expected + l * n * d, n * d, bound));
    }
    free(expected);
    free(all);
    free(picked);
}

/* Each hidden state at the last position; the last one after the final norm. */
static void check_last(differences *worst, const sample_set *set, const sample *s, cf_session *session)
{
    const int64_t d = set->hidden_size;
    const int32_t t = s->groups.length;
    float *expected = golden_floats(&set->tensors, s->key, "last_hidden", (set->n_layers + 1) * d), *row = floats(d);
    for (int64_t l = 0; l <= set->n_layers; l++) {
        OK(cf_session_hidden(session, l, t - 1, t, row, &err));
        raise_to(&worst->last, check_relative(s->key, row, expected + l * d, d, bound));
    }
    free(expected);
    free(row);
}

typedef struct lens_check {
    const sample_set *set;
    const sample *s;
    differences *worst;
    int64_t n_seen;
} lens_check;

static void check_entry(void *user, int64_t entry, int32_t position, const float *logits)
{
    lens_check *c = user;
    assert_int_equal(entry, c->n_seen++);
    assert_int_equal(position, c->s->groups.length - 1);
    const double p = cf_softmax_probability(logits, c->set->vocab_size, c->s->first_token);
    raise_to(&c->worst->lens, fabs(p - cf_json_number(json_at(cf_json_get(c->s->record, "lens"), entry), -1)));
}

static void check_scores(differences *worst, const sample_set *set, const sample *s, cf_session *session)
{
    const float *logits = cf_session_logits(session);
    float *expected = golden_floats(&set->tensors, s->key, "logits", set->vocab_size);
    raise_to(&worst->logits, check_relative(s->key, logits, expected, set->vocab_size, bound));
    free(expected);
    assert_int_equal(cf_argmax(logits, set->vocab_size), s->first_token);
    const double p = cf_softmax_probability(logits, set->vocab_size, s->first_token);
    raise_to(&worst->probability, fabs(p - json_double(s->record, "probability")));
    int32_t top[5];
    double top_p[5];
    cf_top_k(logits, set->vocab_size, 5, top, top_p);
    for (int64_t i = 0; i < 5; i++) {
        int64_t id = -1;
        assert_true(cf_json_i64(&id, json_at(cf_json_get(s->record, "top5_ids"), i)));
        assert_int_equal(top[i], id);
        raise_to(&worst->probability, fabs(top_p[i] - cf_json_number(json_at(cf_json_get(s->record, "top5"), i), -1)));
    }
    lens_check lens = {set, s, worst, 0};
    OK(cf_session_lens(session, s->groups.length - 1, s->groups.length, false, check_entry, &lens, &err));
    assert_int_equal(lens.n_seen, set->n_layers + 1);
}

static void check_answer(const sample *s, cf_session *session)
{
    enum { NEW_TOKENS = 8 };
    const cf_json *expected = cf_json_get(s->record, "generated_ids");
    int32_t ids[NEW_TOKENS], n = 0;
    OK(cf_session_generate(session, ids, &n, NEW_TOKENS, &err));
    assert_int_equal(n, cf_json_count(expected));
    for (int32_t i = 0; i < n; i++) {
        int64_t id = -1;
        assert_true(cf_json_i64(&id, json_at(expected, i)));
        assert_int_equal(ids[i], id);
    }
}

static void check_set(const sample_set *set, const loaded_model *m)
{
    differences worst = {0};
    cf_session *session = NULL;
    size_t n_whole = 0;
    OK(cf_session_create(&session, m->model, false, &err));
    for (size_t i = 0; i < set->n; i++) {
        const sample *s = &set->samples[i];
        OK(cf_session_begin(session, &s->input, 8, &err));
        OK(cf_session_baseline(session, 0, &err));
        if (is_stored(set, s, "hidden")) {
            check_hidden(&worst, set, s, session);
            n_whole++;
        }
        if (is_stored(set, s, "last_hidden"))
            check_last(&worst, set, s, session);
        check_scores(&worst, set, s, session);
        check_answer(s, session);
    }
    cf_session_free(session);
    assert_true(n_whole > 0);
    print_message("  %s on %s, %zu samples (%zu whole): hidden states off by %.1e, at the last position %.1e, logits "
                  "%.1e of the largest; probabilities %.1e, lens %.1e\n",
                  set->name, model_backend_name(m), set->n, n_whole, worst.hidden, worst.last, worst.logits,
                  worst.probability, worst.lens);
    assert_true(worst.probability <= probability_bound && worst.lens <= probability_bound);
}

static void the_baseline_agrees_with_transformers(void **state)
{
    const fixture *f = *state;
    check_set(&f->demo, &f->demo_f32);
    check_set(&f->bites, &f->bites_f32);
    check_set(&f->bites, &f->bites_ref);
}

static void pixels_of_the_picture_are_those_of_transformers(void **state)
{
    const fixture *f = *state;
    const sample_set *sets[] = {&f->demo, &f->bites};
    const int64_t n_pixels[] = {3 * 168 * 168, 3 * 56 * 56};
    size_t n = 0;
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < sets[i]->n; k++) {
            const sample *s = &sets[i]->samples[k];
            if (!is_stored(sets[i], s, "pixel_values"))
                continue;
            float *expected = golden_floats(&sets[i]->tensors, s->key, "pixel_values", n_pixels[i]);
            assert_memory_equal(s->pixels, expected, (size_t)n_pixels[i] * sizeof *expected);
            free(expected);
            n++;
        }
    assert_true(n >= 2);
}

/* Holds each hidden state of the oracle against the golden's; the last through the model's final norm. */
typedef struct oracle_check {
    const loaded_model *m;
    const float *expected; /* [L + 1, n, D] */
    int64_t row_step, n_layers, n_seen;
    double worst;
} oracle_check;

static void check_state(void *user, int64_t l, const float *rows, int64_t n, int64_t d)
{
    oracle_check *c = user;
    const int64_t stored = (n + c->row_step - 1) / c->row_step;
    float *picked = floats(stored * d);
    for (int64_t r = 0; r < stored; r++)
        memcpy(picked + r * d, rows + r * c->row_step * d, (size_t)d * sizeof *picked);
    if (l == c->n_layers) {
        cf_tensor x = {0}, y = {0};
        OK(cf_backend_alloc(c->m->be, &x, CF_F32, stored, d, &err));
        OK(cf_backend_alloc(c->m->be, &y, CF_F32, stored, d, &err));
        OK(cf_backend_upload(c->m->be, &x, picked, &err));
        OK(cf_decoder_norm(c->m->model, &y, &x, &err));
        OK(cf_backend_download(c->m->be, picked, &y, &err));
        cf_backend_release(c->m->be, &x);
        cf_backend_release(c->m->be, &y);
    }
    assert_int_equal(l, c->n_seen++);
    raise_to(&c->worst, check_relative("the oracle", picked, c->expected + l * stored * d, stored * d, bound));
    free(picked);
}

static void check_oracle(const sample_set *set, const loaded_model *m, const char *tensor, const cf_oracle_run *run)
{
    const sample *s = &set->samples[0];
    oracle_check c = {.m = m, .n_layers = set->n_layers, .row_step = strcmp(set->name, "demo") == 0 ? 4 : 1};
    const int64_t n = (s->groups.length + c.row_step - 1) / c.row_step;
    float *expected = golden_floats(&set->tensors, s->key, tensor, (set->n_layers + 1) * n * set->hidden_size);
    float *logits = floats(set->vocab_size);
    int64_t macs = 5;
    c.expected = expected;
    OK(cf_oracle_logits(m->model, &s->input, run, logits, &macs, check_state, &c, &err));
    assert_int_equal(c.n_seen, set->n_layers + 1);
    assert_int_equal(macs, 5 + set->n_layers * s->groups.length * cf_model_row_layer_macs(m->model));
    print_message("  the oracle, %s of %s on %s, all states: off by %.1e\n", tensor, set->name, model_backend_name(m),
                  c.worst);
    if (!run->parts) {
        float *golden = golden_floats(&set->tensors, s->key, "logits", set->vocab_size);
        (void)check_relative("the oracle's logits", logits, golden, set->vocab_size, bound);
        free(golden);
    }
    free(expected);
    free(logits);
}

static void the_oracle_agrees_with_transformers(void **state)
{
    const fixture *f = *state;
    check_oracle(&f->demo, &f->demo_f32, "hidden", &(cf_oracle_run){0});
    check_oracle(&f->bites, &f->bites_ref, "hidden", &(cf_oracle_run){0});
    /* The golden's knocked-out run of bites. */
    const cf_json *run = cf_json_get(f->bites.json, "hidden_run");
    const sample *s = &f->bites.samples[0];
    assert_string_equal(cf_json_string(cf_json_get(run, "key")), s->key);
    size_t flow = 0;
    while (strcmp(f->bites.flow_names[flow], cf_json_string(cf_json_get(run, "flow"))) != 0)
        flow++;
    const cf_edge_run edge = flow_run(&f->bites, s, flow, json_int(run, "window"), json_int(run, "centre"));
    oracle_edge cut;
    oracle_edge_init(&cut, &edge);
    check_oracle(&f->bites, &f->bites_f32, "knockout.hidden", &cut.run);
    check_oracle(&f->bites, &f->bites_ref, "knockout.hidden", &cut.run);
}

static void the_baselines_work_is_counted(void **state)
{
    const fixture *f = *state;
    const sample *s = &f->bites.samples[0];
    const loaded_model *m = &f->bites_f32;
    const cf_text_config *t = &cf_model_config(m->model)->text;
    cf_session *session = NULL;
    OK(cf_session_create(&session, m->model, false, &err));
    OK(cf_session_begin(session, &s->input, 0, &err));
    assert_int_equal(cf_session_decoder_macs(session), 0);
    assert_int_equal(cf_session_length(session), s->groups.length);
    OK(cf_session_baseline(session, 0, &err));
    /* In the last layer, every row's keys and values, and one row's everything else. */
    const int64_t row = cf_model_row_layer_macs(m->model), kv = 2 * t->hidden_size * t->n_kv_heads * t->head_dim;
    const int64_t expected = (t->n_layers - 1) * s->groups.length * row + s->groups.length * kv + row - kv;
    assert_int_equal(cf_session_decoder_macs(session), expected);
    cf_session_free(session);
}

static void a_prompt_longer_than_the_model_is_refused(void **state)
{
    const fixture *f = *state;
    enum { N = 256 };
    int32_t ids[N] = {0};
    const sample *s = &f->bites.samples[0];
    cf_input in = {.ids = ids, .n_ids = N, .image_index = 4, .pixels = s->pixels};
    cf_session *session = NULL;
    float logits[656];
    cf_error err = {0};
    assert_int_equal(cf_session_create(&session, f->bites_f32.model, false, &err), CF_OK);
    assert_int_equal(cf_session_begin(session, &in, 0, &err), CF_MISMATCH); /* 271 positions of 256 */
    assert_non_null(strstr(err.text, "271"));
    assert_int_equal(cf_oracle_logits(f->bites_f32.model, &in, &(cf_oracle_run){0}, logits, NULL, NULL, NULL, &err),
                     CF_MISMATCH);
    in.n_ids = 256 - 15; /* 256 positions: as many as there are */
    assert_int_equal(cf_session_begin(session, &in, 1, &err), CF_MISMATCH);
    assert_int_equal(cf_session_begin(session, &in, 0, &err), CF_OK);
    assert_int_equal(cf_session_baseline(session, 300, &err), CF_OK); /* the last row at least is kept */
    float row[64];
    assert_int_equal(cf_session_hidden(session, 4, 255, 256, row, &err), CF_OK);
    cf_session_free(session);
}

static void generation_stops_where_it_is_told(void **state)
{
    const fixture *f = *state;
    const sample *s = &f->demo.samples[0]; /* its answer is one token and the end token */
    int32_t ids[4], n = 77;
    cf_session *session = NULL;
    OK(cf_session_create(&session, f->demo_f32.model, false, &err));
    OK(cf_session_begin(session, &s->input, 4, &err));
    OK(cf_session_baseline(session, s->groups.length, &err));
    OK(cf_session_generate(session, ids, &n, 4, &err));
    assert_int_equal(n, 2);
    assert_int_equal(ids[1], cf_model_config(f->demo_f32.model)->eos_token_ids[0]);
    OK(cf_session_generate(session, ids, &n, 1, &err));
    assert_int_equal(n, 1);
    assert_int_equal(ids[0], s->first_token);
    OK(cf_session_generate(session, ids, &n, 0, &err));
    assert_int_equal(n, 0);
    cf_session_free(session);
}

int test_baseline(fixture *f)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(pixels_of_the_picture_are_those_of_transformers, f),
        cmocka_unit_test_prestate(the_baseline_agrees_with_transformers, f),
        cmocka_unit_test_prestate(the_oracle_agrees_with_transformers, f),
        cmocka_unit_test_prestate(the_baselines_work_is_counted, f),
        cmocka_unit_test_prestate(a_prompt_longer_than_the_model_is_refused, f),
        cmocka_unit_test_prestate(generation_stops_where_it_is_told, f),
    };
    return cmocka_run_group_tests_name("baseline", tests, NULL, NULL);
}
