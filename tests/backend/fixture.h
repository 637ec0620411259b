/* fixture.h - what the conformance tests of src/backend share: the backends under test, pseudo-random tensors, comparison.
 *
 * Bounds in these tests are multiples of u = 2^-24, the unit roundoff of f32: one operation on a result of size s is off by at most u s. Sums of random terms are bounded
 * as random walks, with a stated margin. Inputs of bf16 products are rounded to bf16 first and the oracle is given the rounded values, so that one set of bounds,
 * that of f32 sums, holds for both dtypes: a product of two bf16 values is exact in f32, as is one of two f16 values. What a device does beyond that (a tensor core's sums,
 * keys and values stored in 16 bits) has terms of its own where it matters. */
#ifndef CF_TESTS_BACKEND_FIXTURE_H
#define CF_TESTS_BACKEND_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>

#include "backend/backend.h"

#define U 0x1p-24     /* unit roundoff of f32 */
#define U_BF16 0x1p-8 /* and of bf16 */
#define U_F16 0x1p-11 /* and of f16 */
#define COUNT(a) ((int64_t)(sizeof(a) / sizeof *(a)))

/* The state of every test: the oracle, and the device under test with one and with two threads. */
typedef struct fixture {
    cf_backend *ref, *one, *two;
    cf_dtype compute;   /* of one and two */
    cf_dtype value;     /* theirs (cf_backend_value_dtype) */
    const char *device; /* "cpu", "cuda:0" */
    int64_t thin; /* every how many of a walk over all counts: 1, or more where the device is emulated (CF_TEST_THIN) */
    bool is_accelerator; /* products of 16 bits are a tensor core's, and keys and values have the compute dtype */
} fixture;

void fixture_open(fixture *f, const char *device, cf_dtype compute);
void fixture_close(fixture *f);

/* Fails the test with the message unless st is CF_OK. */
#define OK(call)                                                                                                       \
    do {                                                                                                               \
        cf_error err = {0};                                                                                            \
        if ((call) != CF_OK)                                                                                           \
            fail_msg("%s: %s", #call, err.text);                                                                       \
    } while (0)

/* n heap values, uniform in [-scale, scale), from a seed; never fails. */
float *random_values(uint64_t seed, int64_t n, float scale);
/* Each value to the nearest one of the dtype (f32: no change). */
void round_values(float *x, int64_t n, cf_dtype dtype);
/* A tensor in the backend's memory with these values, rounded to dtype; values NULL: zeros. */
cf_tensor tensor_make(cf_backend *be, cf_dtype dtype, int64_t rows, int64_t cols, const float *values);
/* Its values as f32, on the heap. */
float *tensor_values(cf_backend *be, const cf_tensor *t);

/* Fails unless got is within both bounds of expected; what and the numbers i, j, k name the case. */
typedef struct bounds {
    double nmse, max_abs;
} bounds;
void check_close(const char *what, int64_t i, int64_t j, int64_t k, const float *got, const float *expected, int64_t n,
                 bounds b);
/* Fails unless the two are the same bits. */
void check_same(const char *what, int64_t i, int64_t j, int64_t k, const float *a, const float *b, int64_t n);
/* Fails unless got is what rounding to dtype leaves of values within delta of the exact ones: off by at most delta, and by half a step of the dtype there. */
void check_stored(const char *what, int64_t i, int64_t j, int64_t k, cf_dtype dtype, const float *got,
                  const float *exact, int64_t n, double delta);
/* Fails unless half (widened) is f32 rounded to dtype, bit for bit. */
void check_rounded(const char *what, cf_dtype dtype, const float *half, const float *f32, int64_t n);

/* Ends the test as skipped, saying why, where the device is not the cpu. */
void only_on_the_cpu(const fixture *f, const char *why);

/* The groups; each returns its number of failed tests. */
int test_open(void);
int test_oracle(void);
int test_kernels(void);
int test_plugin(void);
int test_products(fixture *f);
int test_rows(fixture *f);
int test_attention(fixture *f);
int test_attention_exact(fixture *f);
int test_sequences(fixture *f);
int test_accelerator(fixture *f);

#endif
