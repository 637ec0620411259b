/* test_emulator.c - the emulator finds the faults that it is for, and its shuffles, votes and conversions are the documented ones. What the conformance tests of the kernels
 * are worth rests on this. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cuda/emulator/machine.h"
#include "emulator_kernels.h"
#include "tensor/tensor.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Fails the test unless the call succeeds. */
#define OK(call)                                                                                                       \
    do {                                                                                                               \
        const cudaError_t error = (call);                                                                              \
        if (error != cudaSuccess)                                                                                      \
            fail_msg("%s: %s", #call, cudaGetErrorString(error));                                                      \
    } while (0)

/* Fails the test unless the call is a fault whose report has this in it. */
#define FAULT(call, text)                                                                                              \
    do {                                                                                                               \
        if ((call) != cudaErrorLaunchFailure)                                                                          \
            fail_msg("%s: no fault was found", #call);                                                                 \
        if (!strstr(cudaGetErrorString(cudaErrorLaunchFailure), text))                                                 \
            fail_msg("%s: %s", #call, cudaGetErrorString(cudaErrorLaunchFailure));                                     \
    } while (0)

static const struct {
    const char *name;
    cf_emulator_order order;
    uint64_t seed;
} orders[] = {
    {"forward", CF_EMULATOR_FORWARD, 0},
    {"backward", CF_EMULATOR_BACKWARD, 0},
    {"random 1", CF_EMULATOR_RANDOM, 1},
    {"random 2", CF_EMULATOR_RANDOM, 2},
};

static int forward(void **state)
{
    (void)state;
    cf_emulator_set_order(CF_EMULATOR_FORWARD, 0);
    return 0;
}

static void every_thread_of_every_block_runs_once(void **state)
{
    (void)state;
    static const struct {
        dim3 grid, block;
    } cases[] = {{{1, 1, 1}, {1, 1, 1}}, {{3, 2, 2}, {5, 3, 2}}, {{2, 1, 3}, {1024, 1, 1}}, {{1, 2, 1}, {8, 2, 64}}};
    for (size_t c = 0; c < COUNT(cases); c++)
        for (size_t o = 0; o < COUNT(orders); o++) {
            const dim3 g = cases[c].grid, b = cases[c].block;
            const size_t n = (size_t)b.x * b.y * b.z, total = n * g.x * g.y * g.z;
            int32_t *y = calloc(total, sizeof *y);
            assert_non_null(y);
            cf_emulator_set_order(orders[o].order, orders[o].seed);
            OK(probe_indices(y, g, b));
            for (size_t i = 0; i < total; i++)
                assert_int_equal(y[i], i / n * 1024 + i % n);
            free(y);
        }
}

enum { N = 96, BLOCKS = 3 };

/* How many orders give what they should. */
static size_t orders_that_reverse(int warp, int barrier)
{
    float x[N * BLOCKS], y[N * BLOCKS];
    size_t right = 0;
    for (int i = 0; i < N * BLOCKS; i++)
        x[i] = (float)i;
    for (size_t o = 0; o < COUNT(orders); o++) {
        cf_emulator_set_order(orders[o].order, orders[o].seed);
        if (warp)
            OK(probe_reverse_warp(y, x, N, barrier));
        else
            OK(probe_reverse(y, x, BLOCKS, N, barrier));
        int same = 1;
        for (int i = 0, width = warp ? CF_EMULATOR_WARP : N; i < (warp ? N : N * BLOCKS); i++)
            same = same && y[i] == x[i / width * width + width - 1 - i % width];
        right += same != 0;
    }
    return right;
}

static void a_missing_barrier_shows_in_some_order(void **state)
{
    (void)state;
    assert_int_equal(orders_that_reverse(0, 1), COUNT(orders));
    assert_int_equal(orders_that_reverse(0, 0), 0);
}

static void a_missing_warp_barrier_shows_in_some_order(void **state)
{
    (void)state;
    assert_int_equal(orders_that_reverse(1, 1), COUNT(orders));
    assert_int_equal(orders_that_reverse(1, 0), 0);
}

/* The reader comes too late here, not the writer. */
static void a_missing_barrier_before_a_word_is_used_again_shows_in_some_order(void **state)
{
    (void)state;
    const float x[2] = {1, 10};
    for (int barrier = 0; barrier < 2; barrier++) {
        size_t right = 0;
        for (size_t o = 0; o < COUNT(orders); o++) {
            float y[N];
            cf_emulator_set_order(orders[o].order, orders[o].seed);
            OK(probe_reuse(y, x, N, barrier));
            int same = 1;
            for (int i = 0; i < N; i++)
                same = same && y[i] == 11;
            right += same != 0;
        }
        assert_true(barrier ? right == COUNT(orders) : right < COUNT(orders));
    }
}

static void threads_that_end_before_a_barrier_are_reported(void **state)
{
    (void)state;
    OK(probe_early_exit(64, 0));
    OK(probe_early_exit(64, 64));
    FAULT(probe_early_exit(64, 1), "63 threads, the first 1, wait at the barrier of");
    FAULT(probe_early_exit(64, 40), "40 threads, the first 0, have ended");
}

static void threads_at_different_barriers_are_reported(void **state)
{
    (void)state;
    FAULT(probe_two_barriers(64), "32 threads, the first 32, wait at the barrier of");
    OK(probe_two_barriers(1)); /* all of them at one */
}

static void a_shuffle_without_all_its_lanes_is_reported(void **state)
{
    (void)state;
    const uint32_t all = 0xffffffff, low = 0xffff;
    OK(probe_shuffle_lanes(64, all, all));
    OK(probe_shuffle_lanes(64, low, low));
    FAULT(probe_shuffle_lanes(32, all, 0x7fffffff), "31 threads, the first 0, wait for lanes ffffffff of their warp");
    FAULT(probe_shuffle_lanes(33, all, all), "1 threads, the first 32, wait for lanes ffffffff");
    FAULT(probe_shuffle_lanes(32, 2, 1), "by a lane that its own mask leaves out"); /* lane 0 */
    FAULT(probe_shuffle_lanes(32, 1, 1), "from a lane that is not in its mask");    /* lane 0 asks lane 1 */
}

static void shuffles_read_the_lanes_they_should(void **state)
{
    (void)state;
    for (int width = 1; width <= 32; width *= 2)
        for (int a = 0; a < 32; a++)
            for (int kind = SHUFFLE; kind <= SHUFFLE_DOWN; kind++) {
                int32_t y[32];
                OK(probe_shuffle_kind(y, (probe_shuffle)kind, a, width));
                for (int i = 0; i < 32; i++) { /* the table of PTX's shfl.sync, in terms of the lane's group */
                    const int group = i / width * width, at = i % width;
                    int source = kind == SHUFFLE       ? group + a % width
                                 : kind == SHUFFLE_XOR ? i ^ a
                                 : kind == SHUFFLE_UP  ? group + at - a
                                                       : group + at + a;
                    if ((kind == SHUFFLE_UP && source < group) || (kind != SHUFFLE_UP && source >= group + width))
                        source = i;
                    if (y[i] != 100 + source)
                        fail_msg("shuffle %d, argument %d, width %d: lane %d got lane %d's, expected lane %d's", kind,
                                 a, width, i, y[i] - 100, source);
                }
            }
}

static void votes_count_every_lane(void **state)
{
    (void)state;
    static const uint32_t predicates[] = {0, 1, 0x80000000, 0x00ff1234, 0xfffffffe, 0xffffffff};
    for (size_t i = 0; i < COUNT(predicates); i++) {
        uint32_t y[3];
        OK(probe_votes(y, predicates[i]));
        assert_int_equal(y[0], predicates[i]);
        assert_int_equal(y[1], predicates[i] != 0);
        assert_int_equal(y[2], predicates[i] == 0xffffffff);
    }
}

static void shared_memory_holds_nan_when_a_block_begins(void **state)
{
    (void)state;
    for (int dynamic = 0; dynamic < 2; dynamic++) {
        float y[5] = {0};
        OK(probe_first_read(y, 5, dynamic));
        for (int i = 0; i < 5; i++)
            assert_true(isnan(y[i]));
    }
}

static void a_write_behind_shared_memory_is_reported(void **state)
{
    (void)state;
    OK(probe_shared_write(7, 6));
    FAULT(probe_shared_write(7, 7), "a write behind the 28 bytes of dynamic shared memory");
}

static void a_write_outside_of_an_allocation_is_reported(void **state)
{
    (void)state;
#ifndef __SANITIZE_ADDRESS__ /* which ends the program there */
    static const int at[] = {-1, 3, 50};
    for (size_t i = 0; i < COUNT(at); i++) {
        void *y = NULL;
        OK(cudaMalloc(&y, 3 * sizeof(float)));
        OK(probe_global_write(y, at[i]));
        assert_int_equal(cudaFree(y), cudaErrorIllegalAddress);
        assert_int_equal(cudaGetLastError(), cudaErrorIllegalAddress);
    }
#endif
    void *y = NULL;
    OK(cudaMalloc(&y, 3 * sizeof(float)));
    OK(probe_global_write(y, 2));
    OK(cudaFree(y));
}

static void a_vector_load_from_an_odd_address_is_reported(void **state)
{
    (void)state;
    _Alignas(16) float x[8] = {1, 2, 3, 4, 5, 6, 7, 8}, y[4];
    OK(probe_vector_load(y, x, 16));
    assert_true(y[0] == 5 && y[3] == 8);
    FAULT(probe_vector_load(y, x, 4), "a vector load from an address that is not its multiple");
    FAULT(probe_vector_load(y, x, 8), "a vector load from an address that is not its multiple");
}

static void a_configuration_is_held_to_the_devices_limits(void **state)
{
    (void)state;
    static const struct {
        dim3 grid, block;
        size_t shared_bytes;
        cudaError_t expected;
    } cases[] = {
        {{1, 1, 1}, {1024, 1, 1}, 48 * 1024, cudaSuccess},
        {{1, 1, 1}, {16, 1, 64}, 0, cudaSuccess},
        {{0, 1, 1}, {32, 1, 1}, 0, cudaErrorInvalidConfiguration},
        {{1, 1, 1}, {0, 1, 1}, 0, cudaErrorInvalidConfiguration},
        {{1, 1, 1}, {1025, 1, 1}, 0, cudaErrorInvalidConfiguration},
        {{1, 1, 1}, {32, 33, 1}, 0, cudaErrorInvalidConfiguration},
        {{1, 1, 1}, {1, 1, 65}, 0, cudaErrorInvalidConfiguration},
        {{1, 65536, 1}, {1, 1, 1}, 0, cudaErrorInvalidConfiguration},
        {{1, 1, 65536}, {1, 1, 1}, 0, cudaErrorInvalidConfiguration},
        {{0x80000000, 1, 1}, {1, 1, 1}, 0, cudaErrorInvalidConfiguration},
        {{1, 1, 1}, {1, 1, 1}, 48 * 1024 + 1, cudaErrorInvalidConfiguration},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(probe_configuration(cases[i].grid, cases[i].block, cases[i].shared_bytes), cases[i].expected);
    const dim3 one = {1, 1, 1};
    assert_int_equal(probe_allow_shared(227 * 1024 + 1), cudaErrorInvalidValue);
    OK(probe_allow_shared(100 * 1024));
    OK(probe_configuration(one, one, 100 * 1024));
    assert_int_equal(probe_configuration(one, one, 100 * 1024 + 1), cudaErrorInvalidConfiguration);
}

static uint16_t *bits_of(const float *x, size_t n, int is_bf16)
{
    uint16_t *bits = malloc(n * sizeof *bits);
    assert_non_null(bits);
    OK(probe_from_f32(bits, x, (int)n, is_bf16));
    return bits;
}

static void every_16_bit_value_widens_exactly_and_comes_back(void **state)
{
    (void)state;
    enum { ALL = 65536 };
    uint16_t *in = malloc(ALL * sizeof *in);
    float *wide = malloc(ALL * sizeof *wide);
    assert_non_null(in);
    assert_non_null(wide);
    for (int i = 0; i < ALL; i++)
        in[i] = (uint16_t)i;
    for (int is_bf16 = 0; is_bf16 < 2; is_bf16++) {
        OK(probe_to_f32(wide, in, ALL, is_bf16));
        uint16_t *back = bits_of(wide, ALL, is_bf16);
        for (int i = 0; i < ALL; i++) {
            const float expected = is_bf16 ? cf_bf16_to_f32(in[i]) : cf_f16_to_f32(in[i]);
            if (isnan(expected)) {
                assert_true(isnan(wide[i]));
                assert_int_equal(back[i] & 0x7fff, 0x7fff);
            } else {
                assert_memory_equal(&wide[i], &expected, sizeof expected);
                assert_int_equal(back[i], in[i]);
            }
        }
        free(back);
    }
    free(in);
    free(wide);
}

/* Between two neighbours a value goes to the nearer, and half way to the one with an even last bit; behind the largest one, half a step on is infinity. */
static void conversion_rounds_to_the_nearest_and_ties_to_even(void **state)
{
    (void)state;
    for (int is_bf16 = 0; is_bf16 < 2; is_bf16++) {
        const int infinity = is_bf16 ? 0x7f80 : 0x7c00;
        float *x = malloc((size_t)infinity * 3 * sizeof *x);
        assert_non_null(x);
        for (int i = 0; i < infinity; i++) {
            const double low = (double)(is_bf16 ? cf_bf16_to_f32((uint16_t)i) : cf_f16_to_f32((uint16_t)i));
            const double next = i + 1 == infinity ? (is_bf16 ? 0x1p128 : 0x1p16)
                                : is_bf16         ? (double)cf_bf16_to_f32((uint16_t)(i + 1))
                                                  : (double)cf_f16_to_f32((uint16_t)(i + 1));
            const float half_way = (float)(low + (next - low) / 2);
            x[3 * i] = nextafterf(half_way, 0);
            x[3 * i + 1] = half_way;
            x[3 * i + 2] = nextafterf(half_way, INFINITY);
        }
        uint16_t *up = bits_of(x, (size_t)infinity * 3, is_bf16);
        for (int i = 0; i < infinity * 3; i++)
            x[i] = -x[i];
        uint16_t *down = bits_of(x, (size_t)infinity * 3, is_bf16);
        for (int i = 0; i < infinity; i++) {
            const int expected[] = {i, i + i % 2, i + 1};
            for (int j = 0; j < 3; j++) {
                if (up[3 * i + j] != expected[j])
                    fail_msg("%s of %a: 0x%04x, expected 0x%04x", is_bf16 ? "bf16" : "f16", -(double)x[3 * i + j],
                             up[3 * i + j], expected[j]);
                assert_int_equal(down[3 * i + j], expected[j] | 0x8000);
            }
        }
        free(x);
        free(up);
        free(down);
    }
}

static void a_packed_pair_has_the_first_in_the_low_half(void **state)
{
    (void)state;
    const float x[] = {1, -2, 0.1f, 1000};
    for (int is_bf16 = 0; is_bf16 < 2; is_bf16++) {
        uint32_t words[2];
        float back[4];
        uint16_t *bits = bits_of(x, 4, is_bf16);
        OK(probe_pack(words, x, 4, is_bf16));
        OK(probe_unpack(back, words, 4, is_bf16));
        for (int i = 0; i < 4; i++) {
            assert_int_equal(words[i / 2] >> (i % 2 ? 16 : 0) & 0xffff, bits[i]);
            assert_true(back[i] == (is_bf16 ? cf_bf16_to_f32(bits[i]) : cf_f16_to_f32(bits[i])));
        }
        free(bits);
    }
}

static void a_reduction_gives_every_thread_the_same(void **state)
{
    (void)state;
    static const int sizes[] = {32, 64, 96, 992, 1024};
    for (size_t s = 0; s < COUNT(sizes); s++)
        for (size_t o = 0; o < COUNT(orders); o++) {
            float x[1024], sum[1024], greatest[1024];
            int total = 0;
            for (int i = 0; i < sizes[s]; i++) {
                x[i] = (float)(i * 37 % 101 - 50);
                total += i * 37 % 101 - 50;
            }
            cf_emulator_set_order(orders[o].order, orders[o].seed);
            OK(probe_reduce(sum, greatest, x, sizes[s]));
            for (int i = 0; i < sizes[s]; i++) {
                float expected = -INFINITY;
                for (int j = i / 32 * 32; j < i / 32 * 32 + 32; j++)
                    expected = fmaxf(expected, x[j]);
                assert_true(sum[i] == (float)total); /* small integers: exact */
                assert_true(greatest[i] == expected);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_thread_of_every_block_runs_once, forward),
        cmocka_unit_test_setup(a_missing_barrier_shows_in_some_order, forward),
        cmocka_unit_test_setup(a_missing_warp_barrier_shows_in_some_order, forward),
        cmocka_unit_test_setup(a_missing_barrier_before_a_word_is_used_again_shows_in_some_order, forward),
        cmocka_unit_test_setup(threads_that_end_before_a_barrier_are_reported, forward),
        cmocka_unit_test_setup(threads_at_different_barriers_are_reported, forward),
        cmocka_unit_test_setup(a_shuffle_without_all_its_lanes_is_reported, forward),
        cmocka_unit_test_setup(shuffles_read_the_lanes_they_should, forward),
        cmocka_unit_test_setup(votes_count_every_lane, forward),
        cmocka_unit_test_setup(shared_memory_holds_nan_when_a_block_begins, forward),
        cmocka_unit_test_setup(a_write_behind_shared_memory_is_reported, forward),
        cmocka_unit_test_setup(a_write_outside_of_an_allocation_is_reported, forward),
        cmocka_unit_test_setup(a_vector_load_from_an_odd_address_is_reported, forward),
        cmocka_unit_test_setup(a_configuration_is_held_to_the_devices_limits, forward),
        cmocka_unit_test_setup(every_16_bit_value_widens_exactly_and_comes_back, forward),
        cmocka_unit_test_setup(conversion_rounds_to_the_nearest_and_ties_to_even, forward),
        cmocka_unit_test_setup(a_packed_pair_has_the_first_in_the_low_half, forward),
        cmocka_unit_test_setup(a_reduction_gives_every_thread_the_same, forward),
    };
    return cmocka_run_group_tests_name("the CUDA emulator", tests, NULL, NULL);
}
