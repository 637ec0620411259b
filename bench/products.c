/* products.c - how near does the engine's own product come to the processor's peak, and a single row's to the speed of
 * memory? cf_linear at the four shapes of LLaVA-1.5-7B, from one row (a decoding step) over 16 and 40 (what one flow brings)
 * to the stacks of a sweep, in bf16 and f32.
 *
 * The weights that one shape is measured with fill several times the last cache and take turns, as a model's layers do.
 * First, values all over the result are held against sums in double. */
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "matrices.h"
#include "random_values.h"
#include "yardstick.h"

enum { REPEATS = 10, WARM_UP = 2, CHECKED = 500, HEAD = 32064 };

static const struct {
    const char *name;
    int64_t n, k, most_rows;
} shapes[] = {{"q k v o 4096x4096", 4096, 4096, 2560},
              {"gate up 11008x4096", 11008, 4096, 2560},
              {"down 4096x11008", 4096, 11008, 2560},
              {"head 32064x4096", HEAD, 4096, 128}}; /* logits are made 64 rows at a time */
static const int64_t row_counts[] = {1, 16, 40, 128, 640, 2560};

/* Values spread over y must be the sums that they stand for, within what f32 sums of k products may lose. */
static void check(const cf_tensor *y, const matrix *m, const float *x)
{
    const float *values = y->data;
    const int64_t rows = y->shape[0];
    for (int64_t i = 0; i < CHECKED; i++) {
        const int64_t r = i * 7919 % rows, c = i * 104729 % m->n;
        double sum = 0, size = 0;
        for (int64_t j = 0; j < m->k; j++) {
            const double term = (double)x[r * m->k + j] * (double)m->host[c * m->k + j];
            sum += term;
            size += fabs(term);
        }
        if (!(fabs((double)values[r * m->n + c] - sum) <= 1e-5 * size))
            wrong("product of %lld rows with %lldx%lld: row %lld, column %lld is %.8g, expected %.8g", (long long)rows,
                  (long long)m->n, (long long)m->k, (long long)r, (long long)c, (double)values[r * m->n + c], sum);
    }
}

static void multiply(cf_backend *be, cf_tensor *y, const cf_tensor *x, const matrix *m, int turn)
{
    cf_error err = {0};
    must(cf_linear(be, y, x, m->copies[turn % m->n_copies], NULL, false, &err), &err);
}

static void measure(cf_backend *be, const matrix *m, int64_t rows, const char *name, yardstick *y)
{
    const cf_dtype dtype = cf_backend_compute(be);
    const uint64_t seed = 5;
    char what[128];
    series s = {0};
    float *values = room((size_t)(rows * m->k), sizeof *values);
    fill_random_bf16(values, (size_t)(rows * m->k), 1, seed);
    cf_tensor x = random_rows(be, rows, m->k, dtype, 1, seed), out = empty_rows(be, rows, m->n);
    int turn = 0;
    for (; turn < WARM_UP; turn++)
        multiply(be, &out, &x, m, turn);
    check(&out, m, values);
    const double work =
        rows == 1 ? (double)(m->n * m->k) * (double)cf_dtype_bytes(dtype) : 2.0 * (double)(rows * m->n * m->k);
    const int inner = rows < 128 ? m->n_copies : 1; /* a short product is timed over all the weights at once */
    for (int i = 0; i < REPEATS; i++) {
        yardstick_take(y);
        const int64_t begin = cf_clock_ns();
        for (int j = 0; j < inner; j++)
            multiply(be, &out, &x, m, turn++);
        series_add(&s, inner * work / seconds_since(begin) * 1e-9);
    }
    (void)snprintf(what, sizeof what, "%s %s rows %lld to %s", cf_dtype_name(dtype), name, (long long)rows,
                   rows == 1 ? "memory read" : "peak");
    const yardstick_row beside = {rows == 1 ? yardstick_gbytes(y) : yardstick_gflops(y),
                                  rows == 1 || rows >= 128 ? ">= 0.80" : NULL};
    print_row("products", what, rows == 1 ? "GB/s" : "GFLOP/s", &s, beside, y->threads);
    cf_backend_release(be, &x);
    cf_backend_release(be, &out);
    free(values);
}

static void measure_dtype(cf_dtype dtype, int threads, int64_t most_rows)
{
    cf_backend *be = backend_open("cpu", dtype, threads);
    yardstick y = yardstick_open(dtype, threads);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        matrix m = matrix_open(be, shapes[i].n, shapes[i].k, true);
        for (size_t r = 0; r < sizeof row_counts / sizeof row_counts[0]; r++)
            if (row_counts[r] <= shapes[i].most_rows && row_counts[r] <= most_rows)
                measure(be, &m, row_counts[r], shapes[i].name, &y);
        matrix_close(be, &m);
    }
    yardstick_close(&y);
    cf_backend_close(be);
}

int main(int argc, char **argv)
{
    const int threads = (int)option(argc, argv, "--threads", omp_get_num_procs());
    const int64_t most_rows = option(argc, argv, "--rows", INT64_MAX);
    print_head();
    if (cf_backend_has_bf16("cpu"))
        measure_dtype(CF_BF16, threads, most_rows);
    measure_dtype(CF_F32, threads, most_rows);
    return 0;
}
