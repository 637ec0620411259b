/* test_sequences.c - several sequences in one device: keys that one takes over from another, and attention of several in one
 * call. By memcmp: what is stored and what is asked is no sum of anything. */
#include <stdlib.h>
#include <string.h>

#include "attend_call.h"

enum { N_LAYERS = 3, COPIED_LAYER = 1, N_HEADS = 5, N_ASKING = 5 };

static const heads all_heads[N_HEADS] = {{1, 1, 8}, {2, 1, 24}, {3, 3, 32}, {4, 2, 80}, {8, 2, 128}};

/* ---- copies ---- */

/* A store and what it holds: a sequence a layer. */
typedef struct store {
    cf_backend *be;
    cf_kv *kv;
    int64_t capacity;
    sequence layers[N_LAYERS];
} store;

static void store_layer(const store *s, int64_t layer)
{
    const sequence *x = &s->layers[layer];
    const int64_t width = x->heads.n_kv * x->heads.dim;
    int32_t *pos = malloc((size_t)s->capacity * sizeof *pos);
    assert_non_null(pos);
    for (int64_t i = 0; i < s->capacity; i++)
        pos[i] = (int32_t)i;
    cf_tensor k = tensor_make(s->be, CF_F32, s->capacity, width, x->k),
              v = tensor_make(s->be, CF_F32, s->capacity, width, x->v);
    OK(cf_kv_put(s->be, s->kv, layer, &k, &v, pos, &err));
    cf_backend_release(s->be, &k);
    cf_backend_release(s->be, &v);
    free(pos);
}

static store store_open(cf_backend *be, heads h, int64_t capacity, uint64_t seed)
{
    store s = {.be = be, .capacity = capacity};
    OK(cf_kv_create(be, &s.kv, N_LAYERS, capacity, h.n_kv, h.dim, &err));
    for (int64_t l = 0; l < N_LAYERS; l++) {
        s.layers[l] = sequence_make(seed + 10 * (uint64_t)l, h, capacity, 1);
        store_layer(&s, l);
    }
    return s;
}

static void store_close(store *s)
{
    cf_kv_free(s->be, s->kv);
    for (int64_t l = 0; l < N_LAYERS; l++)
        sequence_free(&s->layers[l]);
}

/* What a layer's keys and values say: attention of queries that are the same for all stores, the last of which sees every
 * position. */
static float *ask(const store *s, int64_t layer, int64_t *n)
{
    const heads h = s->layers[0].heads;
    const int64_t last = s->capacity - 1;
    const int32_t pos[N_ASKING] = {0, (int32_t)(last < 62 ? last : 62), (int32_t)(last < 64 ? last : 64),
                                   (int32_t)(last / 2), (int32_t)last};
    float *values = random_values(5, N_ASKING * h.n * h.dim, 1);
    cf_tensor q = tensor_make(s->be, CF_F32, N_ASKING, h.n * h.dim, values),
              out = tensor_make(s->be, CF_F32, N_ASKING, h.n * h.dim, NULL);
    const cf_attn_segment all = {
        .n_q = N_ASKING, .q_pos = pos, .kv = s->kv, .own_begin = s->capacity, .n_keys = s->capacity};
    OK(cf_attention(s->be, &out, &q, NULL, NULL,
                    &(cf_attn){.n_heads = h.n,
                               .n_kv_heads = h.n_kv,
                               .head_dim = h.dim,
                               .scale = attend_scale(h),
                               .causal = true,
                               .layer = layer,
                               .segments = &all,
                               .n_segments = 1},
                    &err));
    float *found = tensor_values(s->be, &out);
    *n = N_ASKING * h.n * h.dim;
    cf_backend_release(s->be, &q);
    cf_backend_release(s->be, &out);
    free(values);
    return found;
}

static void check_equal(const char *what, const store *a, const store *b, int64_t h, int64_t copied)
{
    for (int64_t l = 0; l < N_LAYERS; l++) {
        int64_t n = 0;
        float *found = ask(a, l, &n), *expected = ask(b, l, &n);
        check_same(what, h, copied, l, found, expected, n);
        free(found);
        free(expected);
    }
}

/* `direct` is given by put what `to` gets by copy. */
static void check_copy(cf_backend *be, int64_t h, int64_t to_capacity, int64_t from_capacity, int64_t n)
{
    const int64_t width = all_heads[h].n_kv * all_heads[h].dim;
    store to = store_open(be, all_heads[h], to_capacity, 100), direct = store_open(be, all_heads[h], to_capacity, 100);
    store from = store_open(be, all_heads[h], from_capacity, 200),
          unchanged = store_open(be, all_heads[h], from_capacity, 200);
    memcpy(direct.layers[COPIED_LAYER].k, from.layers[COPIED_LAYER].k, (size_t)(n * width) * sizeof(float));
    memcpy(direct.layers[COPIED_LAYER].v, from.layers[COPIED_LAYER].v, (size_t)(n * width) * sizeof(float));
    store_layer(&direct, COPIED_LAYER);
    OK(cf_kv_copy(be, to.kv, from.kv, COPIED_LAYER, n, &err));
    check_equal("the store copied to", &to, &direct, h, n);
    check_equal("the store copied from", &from, &unchanged, h, n);
    store_close(&to);
    store_close(&direct);
    store_close(&from);
    store_close(&unchanged);
}

static void copied_keys_are_as_if_they_had_been_stored(void **state)
{
    static const int64_t capacities[][2] = {{65, 200}, {130, 130}, {200, 65}, {64, 129}, {1, 3}};
    static const int64_t counts[] = {0, 1, 63, 64, 65, 128};
    const fixture *f = *state;
    cf_backend *const backends[] = {f->ref, f->one, f->two};
    for (int64_t b = f->thin > 1 ? 2 : 0; b < COUNT(backends); b++)
        for (int64_t h = 0; h<N_HEADS; h += f->thin> 1 ? 2 : 1)
            for (int64_t c = 0; c<COUNT(capacities); c += f->thin> 1 ? 2 : 1) {
                const int64_t most = capacities[c][0] < capacities[c][1] ? capacities[c][0] : capacities[c][1];
                for (int64_t i = 0; i < COUNT(counts); i++)
                    if (counts[i] < most)
                        check_copy(backends[b], h, capacities[c][0], capacities[c][1], counts[i]);
                check_copy(backends[b], h, capacities[c][0], capacities[c][1], most);
            }
}

/* ---- one call ---- */

enum { N_SEQUENCES = 3, N_Q = 10 };

static const int64_t lengths[N_SEQUENCES] = {200, 137, 70};

/* The last positions of each sequence. */
static const int32_t queries[N_SEQUENCES][N_Q] = {{190, 191, 192, 193, 194, 195, 196, 197, 198, 199},
                                                  {127, 128, 129, 130, 131, 132, 133, 134, 135, 136},
                                                  {60, 61, 62, 63, 64, 65, 66, 67, 68, 69}};

/* Whose rows they are, how many keys they have themselves, and which cut is made. */
typedef struct row_kind {
    int64_t sequence, n_own;
    int64_t cut; /* -1: none */
} row_kind;

enum { NOTHING_SHARED = -1 }; /* n_own: every key, and no store */

static const cf_spans late = {.items = (cf_span[]){{61, 66}, {128, 131}, {133, 136}, {191, 199}}, .n = 4};
static const cf_spans everyone = {.items = (cf_span[]){{0, 200}}, .n = 1};
static const cf_spans picture = {.items = (cf_span[]){{3, 58}}, .n = 1},
                      words = {.items = (cf_span[]){{0, 2}, {31, 60}, {64, 65}, {120, 127}}, .n = 4};
static const uint64_t some_heads[] = {0xa5};
static const cf_cut cuts[] = {{&late, &picture, NULL}, {&everyone, &words, some_heads}};

static const row_kind kinds[] = {
    {0, 0, -1},
    {1, 20, -1},
    {2, NOTHING_SHARED, -1},
    {2, 0, 0},
    {1, 0, 1},
    {0, 130, 0},
    {2, NOTHING_SHARED, 1},
    {0, 7, 1},
    {1, 73, 0},
    {2, 6, -1},
    {0, 0, 0},
    {2, 69, 1},
    {1, 0, -1},
    {0, NOTHING_SHARED, 0},
};

static void rows_of_several_sequences_in_one_call_have_the_bits_they_have_alone(void **state)
{
    const fixture *f = *state;
    cf_backend *const backends[] = {f->ref, f->one, f->two};
    for (int64_t b = f->thin > 1 ? 2 : 0; b < COUNT(backends); b++)
        for (int64_t h = 0; h<N_HEADS; h += f->thin> 1 ? 2 : 1) {
            const int64_t width = all_heads[h].n * all_heads[h].dim;
            sequence s[N_SEQUENCES];
            attend_run runs[COUNT(kinds)];
            for (int64_t i = 0; i < N_SEQUENCES; i++)
                s[i] = sequence_make(20 + 10 * (uint64_t)i, all_heads[h], lengths[i], 2);
            for (int64_t i = 0; i < COUNT(kinds); i++) {
                const row_kind *k = &kinds[i];
                runs[i] = (attend_run){.q_pos = queries[k->sequence],
                                       .n_q = N_Q,
                                       .n_own = k->n_own == NOTHING_SHARED ? lengths[k->sequence] : k->n_own,
                                       .cuts = k->cut < 0 ? NULL : &cuts[k->cut],
                                       .n_cuts = k->cut >= 0,
                                       .of = &s[k->sequence]};
            }
            float *together = attend(backends[b], &s[0], runs, COUNT(runs), (attend_layout){.rows_before = 3});
            for (int64_t i = 0; i < COUNT(runs); i++) {
                float *alone = attend(backends[b], runs[i].of, &runs[i], 1, (attend_layout){0});
                check_same("rows of one of several sequences", b, h, i, together + i * N_Q * width, alone, N_Q * width);
                free(alone);
            }
            free(together);
            for (int64_t i = 0; i < N_SEQUENCES; i++)
                sequence_free(&s[i]);
        }
}

int test_sequences(fixture *f)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(copied_keys_are_as_if_they_had_been_stored, f),
        cmocka_unit_test_prestate(rows_of_several_sequences_in_one_call_have_the_bits_they_have_alone, f),
    };
    return cmocka_run_group_tests_name("several sequences", tests, NULL, NULL);
}
