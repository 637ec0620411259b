/* test_shared_picture.c - samples in flight that begin alike: a picture's rows are computed once for all of them, and each
 * sample still ends with the bits it has alone; flight after flight, whoever moves on to another picture. */
#include <string.h>

#include "together.h"

enum { PLACES = 4, P = 7, Q = 8, MOST_IDS = 64 };

/* What a place of a flight is asked. */
typedef struct place_case {
    int words;        /* of which sample; none: -1, the place has no part in the flight */
    uint64_t picture; /* P, Q: its name; 0: P without a name */
    bool longer;      /* another text before the picture */
    bool within;      /* cuts within the picture: its rows from the first one cut on are computed */
    bool shares;      /* its rows are at hand: its own ones of a flight before, or those of a place before it */
} place_case;

static const struct {
    const char *name;
    place_case places[PLACES];
} flights[] = {
    {"a picture of all but one",
     {{0, P, .shares = false},
      {1, Q, .shares = false},
      {2, P, .shares = true},
      {3, P, .within = true, .shares = true}}},
    {"one has moved on, before one that stays",
     {{1, Q, .shares = false}, {2, Q, .shares = true}, {0, P, .within = true, .shares = true}, {1, P, .shares = true}}},
    {"one comes back, one moves alone",
     {{2, P, .shares = false}, {3, P, .shares = true}, {0, P, .shares = true}, {1, Q, .shares = false}}},
    {"rows of a place that has them from a flight before",
     {{0, P, .shares = true}, {2, P, .within = true, .shares = true}, {3, Q, .shares = false}, {1, P, .shares = true}}},
    {"another text before the picture, a picture without a name",
     {{0, P, .longer = true, .shares = false},
      {1, P, .shares = true},
      {2, 0, .shares = false},
      {3, P, .longer = true, .within = true, .shares = true}}},
    {"and back again",
     {{0, P, .longer = true, .shares = true},
      {1, 0, .shares = false},
      {2, P, .shares = false},
      {3, P, .shares = true}}},
    {"some of the places",
     {{.words = -1}, {0, Q, .shares = false}, {.words = -1}, {1, Q, .within = true, .shares = true}}},
    {"all places again",
     {{0, P, .longer = true, .shares = true}, {2, Q, .shares = true}, {1, P, .shares = true}, {0, Q, .shares = true}}},
};

/* The prompt of one sample with the picture of another. */
static cf_input input_of(const sample_set *set, const place_case *c, int32_t *ids)
{
    const sample *words = &set->samples[(size_t)c->words % set->n], *seen = &set->samples[c->picture == Q];
    cf_input in = words->input;
    const int32_t at = in.image_index;
    memcpy(ids, words->ids, (size_t)in.n_ids * sizeof *ids);
    if (c->longer) { /* one id twice */
        memmove(ids + at, ids + at - 1, (size_t)(in.n_ids - at + 1) * sizeof *ids);
        in.n_ids++;
        in.image_index++;
    }
    in.ids = ids;
    in.pixels = seen->pixels;
    in.picture = c->picture;
    return in;
}

/* Multiply-adds of a row that stands before the last one: in the last layer it has keys and values only. */
static int64_t row_macs(const cf_model *m)
{
    const cf_text_config *t = &cf_model_config(m)->text;
    return (t->n_layers - 1) * cf_model_row_layer_macs(m) + 2 * t->hidden_size * t->n_kv_heads * t->head_dim;
}

/* Rows of the picture, and before it, that lie below everything the sample's runs change. */
static int64_t rows_to_share(const cf_model *m, const asked *a)
{
    const int32_t end = cf_input_image(m, &a->input).end;
    const int32_t lowest = a->plan->lowest < a->generated->lowest ? a->plan->lowest : a->generated->lowest;
    return lowest < end ? lowest : end;
}

static void check_flight(size_t flight, const sample_set *set, const cf_model *m, cf_session *const *all)
{
    asked a[PLACES];
    told alone[PLACES], together[PLACES], *out[PLACES];
    cf_session *sessions[PLACES];
    int32_t ids[PLACES][MOST_IDS];
    int64_t expected = 0;
    size_t n = 0;
    for (size_t i = 0; i < PLACES; i++) {
        const place_case *c = &flights[flight].places[i];
        if (c->words < 0)
            continue;
        const sample *s = &set->samples[(size_t)c->words % set->n];
        a[n] = (asked){.input = input_of(set, c, ids[n]), .forced = {s->first_token, 41}, .n_forced = (int32_t)i % 3};
        ask_flows(&a[n], set, s, m, c->within);
        told_open(&alone[n], &a[n], set->vocab_size);
        told_open(&together[n], &a[n], set->vocab_size);
        out[n] = &together[n];
        sessions[n] = all[i];
        const int64_t rows = rows_to_share(m, &a[n]), picture_end = cf_input_image(m, &a[n].input).end;
        assert_true(rows > 0 && c->within == (rows < picture_end));
        expected += measure_alone(&alone[n], &a[n], m) - (c->shares ? rows * row_macs(m) : 0);
        n++;
    }
    const int64_t found = measure_together(out, a, sessions, n);
    if (found != expected)
        fail_msg("%s: %lld multiply-adds in the baseline, expected %lld: %g rows too many", flights[flight].name,
                 (long long)found, (long long)expected, (double)(found - expected) / (double)row_macs(m));
    for (size_t i = 0; i < n; i++) {
        check_told(flights[flight].name, i, &a[i], &alone[i], &together[i]);
        told_close(&alone[i]);
        told_close(&together[i]);
        unask(&a[i]);
    }
}

/* Stores of different sizes, large enough for every prompt: where one must grow, it loses what it holds. */
static void open_places(cf_session **sessions, const sample_set *set, const cf_model *m, bool share)
{
    for (size_t i = 0; i < PLACES; i++) {
        OK(i ? cf_session_create_beside(&sessions[i], sessions[0], &err)
             : cf_session_create(&sessions[0], m, share, &err));
        OK(cf_session_begin(sessions[i], &set->samples[0].input, 60 + 17 * (int32_t)i, &err));
    }
}

static void close_places(cf_session **sessions)
{
    for (size_t i = PLACES; i-- > 0;)
        cf_session_free(sessions[i]);
}

static void check_flights(const sample_set *set, const loaded_model *m)
{
    cf_session *sessions[PLACES];
    open_places(sessions, set, m->model, true);
    for (size_t i = 0; i < COUNT(flights); i++)
        check_flight(i, set, m->model, sessions);
    close_places(sessions);
}

static void a_picture_of_several_samples_is_computed_once_and_nothing_changes(void **state)
{
    const fixture *f = *state;
    const loaded_model *models[] = {&f->bites_f32, &f->bites_bf16};
    for (size_t m = 0; m < COUNT(models); m++)
        if (!not_exact_here(models[m], m ? "bf16" : "f32"))
            check_flights(&f->bites, models[m]);
    check_flights(&f->bites, &f->bites_ref);
}

/* The vision tower works where the picture is not the last one seen, or has no name, or nothing may be shared. */
static void a_picture_that_follows_itself_is_seen_once(void **state)
{
    static const struct {
        size_t place;
        uint64_t picture;
        bool seen_before;
    } begins[] = {{0, P, false}, {1, P, true},  {1, P, true},  {2, Q, false}, {0, P, false},
                  {1, 0, false}, {2, 0, false}, {3, P, false}, {2, P, true}};
    const fixture *f = *state;
    const cf_backend *be = f->bites_f32.be;
    for (int share = 0; share < 2; share++) {
        cf_session *sessions[PLACES];
        open_places(sessions, &f->bites, f->bites_f32.model, share);
        for (size_t i = 0; i < COUNT(begins); i++) {
            int32_t ids[MOST_IDS];
            const cf_input in = input_of(&f->bites, &(place_case){.picture = begins[i].picture}, ids);
            const int64_t before = cf_backend_counters(be).linear_macs;
            OK(cf_session_begin(sessions[begins[i].place], &in, NEW_TOKENS, &err));
            if ((cf_backend_counters(be).linear_macs == before) != (share && begins[i].seen_before))
                fail_msg("sharing %d, begin %zu: seen %s", share, i, share && begins[i].seen_before ? "again" : "not");
        }
        close_places(sessions);
    }
}

int test_shared_picture(fixture *f)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(a_picture_of_several_samples_is_computed_once_and_nothing_changes, f),
        cmocka_unit_test_prestate(a_picture_that_follows_itself_is_seen_once, f),
    };
    return cmocka_run_group_tests_name("shared pictures", tests, NULL, NULL);
}
