/* test_sessions.c - what must not matter to a result: the order of runs, how they are divided into plans, threads,
 * what the session did before, a shared prefix, decoding in between. Bits are compared where products are
 * row-invariant. */
#include <stdlib.h>
#include <string.h>

#include "walk.h"

enum { MAX_RUNS = N_FLOWS * MAX_WINDOWS * 16 };

/* Everything a sample's measurement gives. */
typedef struct result {
    float *logits;       /* [vocab] */
    float *hidden;       /* [L, D] at the last position */
    double *probability; /* [n] */
    size_t n;
    int32_t ids[8], n_ids; /* the answer, where one was generated */
    int64_t macs;          /* done for it */
} result;

typedef struct measure_options {
    bool generate; /* between baseline and sweep */
    int32_t keep_from;
} measure_options;

/* Every flow in windows of 1 and 3 layers, at all centres. */
static size_t all_runs(cf_edge_run runs[MAX_RUNS], const sample_set *set, const sample *s)
{
    size_t n = 0;
    for (size_t f = 0; f < N_FLOWS; f++)
        for (int32_t k = 1; k <= 3; k += 2)
            for (int32_t c = 0; c < set->n_layers; c++)
                runs[n++] = flow_run(set, s, f, k, c);
    return n;
}

static result measure(const loaded_model *m, cf_session *session, const cf_input *in, int32_t token,
                      const cf_edge_run *runs, size_t n, const measure_options *o)
{
    const cf_text_config *t = &cf_model_config(m->model)->text;
    const int32_t length = cf_input_length(m->model, in);
    result r = {.logits = malloc((size_t)t->vocab_size * sizeof(float)),
                .hidden = malloc((size_t)(t->n_layers * t->hidden_size) * sizeof(float)),
                .probability = malloc((n + 1) * sizeof(double)),
                .n = n};
    assert_true(r.logits && r.hidden && r.probability);
    cf_plan *plan = NULL;
    OK(cf_plan_create_edges(&plan, runs, n, length, (int32_t)t->n_layers, (int32_t)t->n_heads, &err));
    const int64_t before = cf_session_decoder_macs(session);
    OK(cf_session_begin(session, in, 8, &err));
    OK(cf_session_baseline(session, o->keep_from < plan->lowest ? o->keep_from : plan->lowest, &err));
    if (o->generate)
        OK(cf_session_generate(session, r.ids, &r.n_ids, 8, &err));
    sweep_probabilities(r.probability, session, plan, m->model, token);
    r.macs = cf_session_decoder_macs(session) - before;
    memcpy(r.logits, cf_session_logits(session), (size_t)t->vocab_size * sizeof(float));
    for (int64_t l = 0; l < t->n_layers; l++)
        OK(cf_session_hidden(session, l, length - 1, length, r.hidden + l * t->hidden_size, &err));
    cf_plan_free(plan);
    return r;
}

static const measure_options plain = {false, INT32_MAX};

/* In a session of its own. */
static result measure_fresh(const loaded_model *m, const cf_input *in, int32_t token, const cf_edge_run *runs, size_t n)
{
    cf_session *session = NULL;
    OK(cf_session_create(&session, m->model, false, &err));
    const result r = measure(m, session, in, token, runs, n, &plain);
    cf_session_free(session);
    return r;
}

static void result_free(result *r)
{
    free(r->logits);
    free(r->hidden);
    free(r->probability);
}

static void check_same(const char *what, const loaded_model *m, const result *a, const result *b)
{
    const cf_text_config *t = &cf_model_config(m->model)->text;
    assert_int_equal(a->n, b->n);
    if (memcmp(a->logits, b->logits, (size_t)t->vocab_size * sizeof(float)) != 0)
        fail_msg("%s: other logits", what);
    if (memcmp(a->hidden, b->hidden, (size_t)(t->n_layers * t->hidden_size) * sizeof(float)) != 0)
        fail_msg("%s: other hidden states", what);
    for (size_t i = 0; i < a->n; i++)
        if (memcmp(&a->probability[i], &b->probability[i], sizeof(double)) != 0)
            fail_msg("%s: run %zu: %a and %a", what, i, a->probability[i], b->probability[i]);
}

/* Calls the check with each model of bites in which bits can be compared. */
static void with_models(const fixture *f, void (*check)(const fixture *f, const loaded_model *m))
{
    if (!not_exact_here(&f->bites_f32, "f32"))
        check(f, &f->bites_f32);
    if (!not_exact_here(&f->bites_bf16, "bf16"))
        check(f, &f->bites_bf16);
}

static void check_order(const fixture *f, const loaded_model *m)
{
    const sample *s = &f->bites.samples[0];
    cf_edge_run runs[MAX_RUNS], shuffled[MAX_RUNS];
    const size_t n = all_runs(runs, &f->bites, s), step = 37;
    assert_true(n % step != 0); /* i * 37 mod n is then a permutation, 37 being prime */
    for (size_t i = 0; i < n; i++)
        shuffled[i] = runs[i * step % n];
    result a = measure_fresh(m, &s->input, s->first_token, runs, n),
           b = measure_fresh(m, &s->input, s->first_token, shuffled, n);
    double *back = malloc((n + 1) * sizeof *back);
    assert_non_null(back);
    for (size_t i = 0; i < n; i++)
        back[i * step % n] = b.probability[i];
    free(b.probability);
    b.probability = back;
    check_same("runs in another order", m, &a, &b);
    result_free(&a);
    result_free(&b);
}

static void the_order_of_runs_does_not_matter(void **state)
{
    with_models(*state, check_order);
}

static void check_halves(const fixture *f, const loaded_model *m)
{
    const sample *s = &f->bites.samples[0];
    cf_edge_run runs[MAX_RUNS];
    const size_t n = all_runs(runs, &f->bites, s);
    result whole = measure_fresh(m, &s->input, s->first_token, runs, n);
    for (size_t part = 1; part < n; part += n / 3) {
        result a = measure_fresh(m, &s->input, s->first_token, runs, part),
               b = measure_fresh(m, &s->input, s->first_token, runs + part, n - part);
        for (size_t i = 0; i < n; i++) {
            const double p = i < part ? a.probability[i] : b.probability[i - part];
            if (memcmp(&whole.probability[i], &p, sizeof p) != 0)
                fail_msg("run %zu of %zu, parted at %zu: %a and %a", i, n, part, whole.probability[i], p);
        }
        result_free(&a);
        result_free(&b);
    }
    for (size_t i = 0; i < n; i += 7) { /* and each alone */
        result a = measure_fresh(m, &s->input, s->first_token, runs + i, 1);
        assert_memory_equal(a.probability, whole.probability + i, sizeof(double));
        result_free(&a);
    }
    result_free(&whole);
}

static void a_sweep_in_parts_is_the_sweep(void **state)
{
    with_models(*state, check_halves);
}

static void two_sweeps_of_one_baseline_do_not_disturb_each_other(void **state)
{
    const fixture *f = *state;
    const sample *s = &f->bites.samples[0];
    cf_edge_run runs[MAX_RUNS];
    const size_t n = all_runs(runs, &f->bites, s);
    double first[MAX_RUNS], second[MAX_RUNS];
    cf_session *session = NULL;
    cf_plan *plan = NULL;
    OK(cf_session_create(&session, f->bites_f32.model, false, &err));
    OK(cf_plan_create_edges(&plan, runs, n, s->groups.length, f->bites.n_layers, f->bites.n_heads, &err));
    OK(cf_session_begin(session, &s->input, 0, &err));
    OK(cf_session_baseline(session, plan->lowest, &err));
    sweep_probabilities(first, session, plan, f->bites_f32.model, s->first_token);
    sweep_probabilities(second, session, plan, f->bites_f32.model, s->first_token);
    assert_memory_equal(first, second, n * sizeof *first);
    cf_plan_free(plan);
    cf_session_free(session);
}

static void check_forcing_again(const fixture *f, const loaded_model *m)
{
    /* What a session was given to say before leaves no trace: other ids, more ids, none, an answer of its own. */
    const sample *s = &f->bites.samples[0];
    const cf_text_config *t = &cf_model_config(m->model)->text;
    enum { N = 3 };
    const int32_t first[N] = {s->first_token, 300, 7}, second[2] = {41, 500};
    int32_t ids[N], n_ids = 0;
    cf_span end = {s->groups.length - 1, s->groups.length + 2};
    const cf_spans query = {.items = &end, .n = 1};
    const cf_edge_run run = {&query, &s->groups.of[CF_GROUP_IMAGE], NULL, 0, {1, 3}};
    walk fresh;
    cf_plan *plan = NULL;
    OK(cf_plan_create_edges(&plan, &run, 1, s->groups.length + 2, (int32_t)t->n_layers, (int32_t)t->n_heads, &err));
    walk_open_plan(&fresh, m, NULL, s, plan, second, 2, WALK_KEEP);
    cf_session *session = fresh.session;
    const size_t bytes = 3 * (size_t)t->vocab_size * sizeof(float);
    float *logits = malloc(bytes);
    assert_non_null(logits);
    memcpy(logits, cf_session_logits(session), bytes);
    OK(cf_session_begin(session, &s->input, N, &err));
    OK(cf_session_baseline(session, plan->lowest, &err));
    for (int i = 0; i < 4; i++) {
        double p = 0;
        OK(cf_session_force(session, first, i == 1 ? 0 : N, &err));
        assert_int_equal(cf_session_n_forced(session), i == 1 ? 0 : N);
        if (i == 2) {
            OK(cf_session_generate(session, ids, &n_ids, N, &err));
            assert_int_equal(cf_session_n_forced(session), 0);
        }
        OK(cf_session_force(session, second, 2, &err));
        assert_memory_equal(cf_session_logits(session), logits, bytes);
        sweep_probabilities(&p, session, plan, m->model, s->first_token);
        assert_memory_equal(&p, &fresh.probability[0], sizeof p);
    }
    free(logits);
    walk_close(&fresh, false);
}

static void an_answer_forced_before_leaves_no_trace(void **state)
{
    with_models(*state, check_forcing_again);
}

static void one_thread_gives_the_bits_of_two(void **state)
{
    const fixture *f = *state;
    for (size_t i = 0; i < f->bites.n; i++) {
        const sample *s = &f->bites.samples[i];
        cf_edge_run runs[MAX_RUNS];
        const size_t n = all_runs(runs, &f->bites, s);
        if (not_exact_here(&f->bites_f32, "f32, two threads") ||
            not_exact_here(&f->bites_one_thread, "f32, one thread"))
            return;
        result two = measure_fresh(&f->bites_f32, &s->input, s->first_token, runs, n),
               one = measure_fresh(&f->bites_one_thread, &s->input, s->first_token, runs, n);
        check_same("one thread", &f->bites_f32, &two, &one);
        result_free(&one);
        result_free(&two);
    }
}

static void check_reuse(const fixture *f, const loaded_model *m)
{
    /* Another sample, a far longer prompt, back again: buffers grow and are used in part. */
    const sample *s = &f->bites.samples[0], *other = &f->bites.samples[1];
    int32_t ids[200];
    const int32_t n_ids = (int32_t)COUNT(ids);
    memcpy(ids, other->ids, (size_t)other->input.n_ids * sizeof *ids);
    for (int32_t i = other->input.n_ids; i < n_ids; i++)
        ids[i] = 3 + i % 600;
    const cf_input inputs[] = {s->input,
                               other->input,
                               {.ids = ids, .n_ids = n_ids, .image_index = 4, .pixels = other->pixels},
                               s->input,
                               other->input};
    cf_session *session = NULL;
    OK(cf_session_create(&session, m->model, false, &err));
    for (size_t i = 0; i < COUNT(inputs); i++) {
        cf_edge_run runs[MAX_RUNS];
        const size_t n = all_runs(runs, &f->bites, inputs[i].ids == s->ids ? s : other);
        result fresh = measure_fresh(m, &inputs[i], 41, runs, n);
        result reused = measure(m, session, &inputs[i], 41, runs, n, &plain);
        check_same("a session used before", m, &fresh, &reused);
        result_free(&fresh);
        result_free(&reused);
    }
    cf_session_free(session);
}

static void a_session_used_before_gives_the_bits_of_a_fresh_one(void **state)
{
    with_models(*state, check_reuse);
}

static void check_generate(const fixture *f, const loaded_model *m)
{
    const sample *s = &f->bites.samples[2 % f->bites.n];
    cf_edge_run runs[MAX_RUNS];
    const size_t n = all_runs(runs, &f->bites, s);
    cf_session *session = NULL;
    OK(cf_session_create(&session, m->model, false, &err));
    result without = measure_fresh(m, &s->input, s->first_token, runs, n);
    result with = measure(m, session, &s->input, s->first_token, runs, n, &(measure_options){true, INT32_MAX});
    result kept = measure(m, session, &s->input, s->first_token, runs, n, &(measure_options){true, 0});
    assert_true(with.n_ids > 1);
    check_same("after generating", m, &without, &with);
    check_same("with all rows kept", m, &without, &kept);
    result_free(&without);
    result_free(&with);
    result_free(&kept);
    cf_session_free(session);
}

static void generating_before_the_sweep_changes_nothing(void **state)
{
    with_models(*state, check_generate);
}

/* The prompt of one sample with the picture of another. */
static cf_input input_of(const sample *words, const sample *seen, uint64_t picture)
{
    return (cf_input){
        .ids = words->ids, .n_ids = words->input.n_ids, .image_index = 4, .pixels = seen->pixels, .picture = picture};
}

/* Two questions about one picture, in one session: the second may share the first one's rows up to the picture's
 * end. */
static void check_prefix(const fixture *f, const loaded_model *m)
{
    const sample *first = &f->bites.samples[1], *second = &f->bites.samples[0];
    cf_edge_run runs[MAX_RUNS];
    size_t n = all_runs(runs, &f->bites, second);
    int32_t other[64], longer[64]; /* one more id before the picture: first of all; just before it */
    other[0] = second->ids[0];
    memcpy(other + 1, second->ids, (size_t)second->input.n_ids * sizeof *other);
    memcpy(longer, second->ids, 4 * sizeof *longer);
    memcpy(longer + 4, second->ids + 3, (size_t)(second->input.n_ids - 3) * sizeof *longer);
    const cf_input same = input_of(second, first, 7);
    const struct {
        const char *name;
        cf_input first, second;
        bool from_the_picture; /* the plan's lowest row lies within the picture */
        bool shares;
    } cases[] = {
        {"one picture", input_of(first, first, 7), same, false, true},
        {"one picture, cuts within it", input_of(first, first, 7), same, true, true},
        {"pictures without a name", input_of(first, first, 0), input_of(second, second, 0), false, false},
        {"two pictures", input_of(first, first, 7), input_of(second, second, 8), false, false},
        {"another text before the picture",
         input_of(first, first, 7),
         {.ids = other, .n_ids = second->input.n_ids + 1, .image_index = 5, .pixels = first->pixels, .picture = 7},
         false,
         false},
        {"a longer text before the picture",
         input_of(first, first, 7),
         {.ids = longer, .n_ids = second->input.n_ids + 1, .image_index = 5, .pixels = first->pixels, .picture = 7},
         false,
         false},
        {"a session that must grow begins anew",
         {.ids = second->ids,
          .n_ids = second->input.n_ids - 8,
          .image_index = 4,
          .pixels = first->pixels,
          .picture = 7},
         same,
         false,
         false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_session *session = NULL;
        size_t n_asked = n;
        if (cases[i].from_the_picture) /* later rows of the picture do not see earlier ones */
            runs[n_asked++] =
                (cf_edge_run){&second->groups.of[CF_GROUP_REST], &second->groups.of[CF_GROUP_OBJECT], NULL, 0, {1, 3}};
        OK(cf_session_create(&session, m->model, true, &err));
        result a = measure(m, session, &cases[i].first, 41, runs, 0, &plain);
        result shared = measure(m, session, &cases[i].second, 41, runs, n_asked, &plain);
        result again = measure(m, session, &cases[i].second, 41, runs, n_asked, &plain);
        result fresh = measure_fresh(m, &cases[i].second, 41, runs, n_asked);
        check_same(cases[i].name, m, &fresh, &shared);
        check_same(cases[i].name, m, &fresh, &again);
        if (again.macs > fresh.macs || (cases[i].second.picture != 0) != (again.macs < fresh.macs))
            fail_msg("%s: %lld multiply-adds with the prefix at hand, %lld without", cases[i].name,
                     (long long)again.macs, (long long)fresh.macs);
        if (cases[i].shares != (shared.macs < fresh.macs))
            fail_msg("%s: %lld multiply-adds after the other question, %lld alone", cases[i].name,
                     (long long)shared.macs, (long long)fresh.macs);
        result_free(&a);
        result_free(&shared);
        result_free(&again);
        result_free(&fresh);
        cf_session_free(session);
    }
}

static void a_shared_prefix_gives_the_same_bits(void **state)
{
    with_models(*state, check_prefix);
}

int test_sessions(fixture *f)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(the_order_of_runs_does_not_matter, f),
        cmocka_unit_test_prestate(a_sweep_in_parts_is_the_sweep, f),
        cmocka_unit_test_prestate(two_sweeps_of_one_baseline_do_not_disturb_each_other, f),
        cmocka_unit_test_prestate(an_answer_forced_before_leaves_no_trace, f),
        cmocka_unit_test_prestate(one_thread_gives_the_bits_of_two, f),
        cmocka_unit_test_prestate(a_session_used_before_gives_the_bits_of_a_fresh_one, f),
        cmocka_unit_test_prestate(generating_before_the_sweep_changes_nothing, f),
        cmocka_unit_test_prestate(a_shared_prefix_gives_the_same_bits, f),
    };
    return cmocka_run_group_tests_name("sessions", tests, NULL, NULL);
}
