/* yardstick.c - see yardstick.h.
 *
 * Each loop runs CHAINS independent accumulators, chain c from c on; a lane adds 1 (f32) or 2 (bf16: two products a lane) a
 * step, and stops below 2^24, so that what it must hold at the end is known exactly. */
#include "yardstick.h"

#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "matrices.h"

enum { CHAINS = 12, STEPS = 1 << 22 }; /* 4 to 6 cycles of latency at 2 a cycle: 12 in flight */

#define EACH_CHAIN _Pragma("GCC unroll 12") for (int c = 0; c < CHAINS; c++)

/* The sum of every lane of every chain. `one` is read from memory and each chain begins elsewhere, so that the compiler can
 * neither foresee a sum nor make one chain of two. */
__attribute__((target("avx2,fma"))) static double run_avx2(const volatile float *one)
{
    __m256 sum[CHAINS];
    const __m256 x = _mm256_set1_ps(*one), y = _mm256_set1_ps(*one);
    EACH_CHAIN sum[c] = _mm256_set1_ps((float)c * *one);
    for (int i = 0; i < STEPS; i++)
        EACH_CHAIN sum[c] = _mm256_fmadd_ps(x, y, sum[c]);
    double all = 0;
    EACH_CHAIN
    {
        float lane[8];
        _mm256_storeu_ps(lane, sum[c]);
        for (int i = 0; i < 8; i++)
            all += (double)lane[i];
    }
    return all;
}

__attribute__((target("avx512f"))) static double add_lanes(__m512 v)
{
    float lane[16];
    double all = 0;
    _mm512_storeu_ps(lane, v);
    for (int i = 0; i < 16; i++)
        all += (double)lane[i];
    return all;
}

__attribute__((target("avx512f"))) static double run_avx512(const volatile float *one)
{
    __m512 sum[CHAINS];
    const __m512 x = _mm512_set1_ps(*one), y = _mm512_set1_ps(*one);
    EACH_CHAIN sum[c] = _mm512_set1_ps((float)c * *one);
    for (int i = 0; i < STEPS; i++)
        EACH_CHAIN sum[c] = _mm512_fmadd_ps(x, y, sum[c]);
    double all = 0;
    EACH_CHAIN all += add_lanes(sum[c]);
    return all;
}

__attribute__((target("avx512f,avx512bf16"))) static double run_bf16(const volatile float *one)
{
    __m512 sum[CHAINS];
    const __m512 wide = _mm512_set1_ps(*one);
    const __m512bh x = _mm512_cvtne2ps_pbh(wide, wide), y = _mm512_cvtne2ps_pbh(wide, wide);
    EACH_CHAIN sum[c] = _mm512_set1_ps((float)c * *one);
    for (int i = 0; i < STEPS; i++)
        EACH_CHAIN sum[c] = _mm512_dpbf16_ps(sum[c], x, y);
    double all = 0;
    EACH_CHAIN all += add_lanes(sum[c]);
    return all;
}

static const struct {
    const char *name;
    double (*run)(const volatile float *one);
    int lanes, adds; /* a step adds `adds` products to each of `lanes` lanes */
} loops[N_PEAK_LOOPS] = {
    {"AVX2 f32", run_avx2, 8, 1}, {"AVX-512 f32", run_avx512, 16, 1}, {"AVX-512 bf16", run_bf16, 16, 2}};

const char *peak_name(peak_loop loop)
{
    return loops[loop].name;
}

bool peak_exists(peak_loop loop)
{
    switch (loop) {
    case PEAK_AVX2_F32:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case PEAK_AVX512_F32:
        return __builtin_cpu_supports("avx512f");
    case PEAK_AVX512_BF16:
        return __builtin_cpu_supports("avx512bf16");
    case N_PEAK_LOOPS:
        break;
    }
    return false;
}

void peak_measure(series *out, peak_loop loop, int threads)
{
    const volatile float one = 1;
    const double steps = (double)STEPS * CHAINS * loops[loop].lanes * loops[loop].adds;
    const double expected = steps + loops[loop].lanes * (CHAINS * (CHAINS - 1) / 2);
    int bad = 0;
    const int64_t begin = cf_clock_ns();
#pragma omp parallel num_threads(threads) reduction(+ : bad)
    bad += loops[loop].run(&one) != expected;
    const double seconds = seconds_since(begin);
    if (bad)
        wrong("%s: the sum of the loop is not %.0f", loops[loop].name, expected);
    series_add(out, 2 * steps * threads / seconds * 1e-9);
}

peak_loop peak_for(cf_dtype compute)
{
    if (compute == CF_BF16 && peak_exists(PEAK_AVX512_BF16))
        return PEAK_AVX512_BF16;
    if (peak_exists(PEAK_AVX512_F32))
        return PEAK_AVX512_F32;
    if (!peak_exists(PEAK_AVX2_F32))
        wrong("this processor has none of the instruction sets that are measured");
    return PEAK_AVX2_F32;
}

/* ---- memory ---- */

struct stream_array {
    uint64_t *words;
    size_t n;
};

/* Eight times the last cache, and half a gigabyte at least. */
stream_array *stream_open(int threads)
{
    const long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
    const size_t least = (size_t)512 << 20, many = cache > 0 ? 8 * (size_t)cache : 0;
    stream_array *a = room(1, sizeof *a);
    a->n = (many > least ? many : least) / sizeof *a->words;
    a->words = malloc(a->n * sizeof *a->words); /* untouched, unlike room() */
    if (!a->words)
        wrong("no memory for an array of %zu bytes", a->n * sizeof *a->words);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (size_t i = 0; i < a->n; i++) /* by the threads that will read it, so that its pages are near them */
        a->words[i] = i;
    return a;
}

void stream_measure(series *out, const stream_array *a, int threads)
{
    const uint64_t *words = a->words;
    const size_t n = a->n;
    uint64_t sum = 0;
    const int64_t begin = cf_clock_ns();
#pragma omp parallel for num_threads(threads) schedule(static) reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += words[i];
    const double seconds = seconds_since(begin);
    const uint64_t expected = (n % 2 ? n : n - 1) * (n % 2 ? (n - 1) / 2 : n / 2);
    if (sum != expected)
        wrong("the sum of the array is %llu, expected %llu", (unsigned long long)sum, (unsigned long long)expected);
    series_add(out, (double)(n * sizeof *words) / seconds * 1e-9);
}

void stream_close(stream_array *a)
{
    free(a->words);
    free(a);
}

/* ---- both ---- */

yardstick yardstick_open(cf_dtype compute, int threads)
{
    return (yardstick){.loop = peak_for(compute), .threads = threads, .array = stream_open(threads)};
}

/* ---- an accelerator ---- */

enum { SIDE = 8192, SIDE_F32 = 4096, COPY_ROWS = 1 << 16, COPY_WIDTH = 4096, AT_ONCE = 4 };

yardstick yardstick_open_on(cf_backend *be, const char *device)
{
    const cf_dtype compute = cf_backend_compute(be);
    const int64_t side = compute == CF_F32 ? SIDE_F32 : SIDE;
    cf_error err = {0};
    if (!cf_backend_is_accelerator(device))
        return yardstick_open(compute, cf_backend_n_threads(be));
    yardstick y = {.threads = cf_backend_n_threads(be), .be = be};
    float *values = room((size_t)(side * side), sizeof *values);
    for (int64_t i = 0; i < side * side; i++)
        values[i] = (float)(i * 2654435761 % 4093 - 2046) / 4096; /* no zeros to save power with */
    const cf_tensor host = cf_tensor_2d(values, CF_F32, side, side);
    must(cf_weight_create(be, &y.w, &host, &err), &err);
    free(values);
    y.x = random_rows(be, side, side, compute, 1, 3);
    y.y = empty_rows(be, side, side);
    y.from = empty_rows(be, COPY_ROWS, COPY_WIDTH);
    y.to = empty_rows(be, COPY_ROWS, COPY_WIDTH);
    return y;
}

/* Waits for what has been begun: a row of the result must be there. */
static void wait_for(cf_backend *be, const cf_tensor *t)
{
    cf_error err = {0};
    float *row = room((size_t)t->shape[1], sizeof *row);
    const cf_tensor first = cf_tensor_rows(t, 0, 1);
    must(cf_backend_download(be, row, &first, &err), &err);
    free(row);
}

static void take_on_device(yardstick *y)
{
    cf_error err = {0};
    const double side = (double)y->x.shape[0];
    wait_for(y->be, &y->y);
    int64_t begin = cf_clock_ns();
    for (int i = 0; i < AT_ONCE; i++)
        must(cf_linear(y->be, &y->y, &y->x, y->w, NULL, false, &err), &err);
    wait_for(y->be, &y->y);
    series_add(&y->flops, AT_ONCE * 2 * side * side * side / seconds_since(begin) * 1e-9);
    begin = cf_clock_ns();
    for (int i = 0; i < AT_ONCE; i++)
        must(cf_gather(y->be, &y->to, &y->from, NULL, &err), &err);
    wait_for(y->be, &y->to);
    series_add(&y->bytes, AT_ONCE * 2.0 * COPY_ROWS * COPY_WIDTH * sizeof(float) / seconds_since(begin) * 1e-9);
}

void yardstick_take(yardstick *y)
{
    if (y->be) {
        take_on_device(y);
        return;
    }
    peak_measure(&y->flops, y->loop, y->threads);
    stream_measure(&y->bytes, y->array, y->threads);
}

double yardstick_gflops(const yardstick *y)
{
    return series_max(&y->flops);
}

double yardstick_gbytes(const yardstick *y)
{
    return series_median(&y->bytes);
}

void yardstick_close(yardstick *y)
{
    if (y->be) {
        cf_tensor *const tensors[] = {&y->x, &y->y, &y->from, &y->to};
        for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++)
            cf_backend_release(y->be, tensors[i]);
        cf_weight_free(y->be, y->w);
    } else
        stream_close(y->array);
    *y = (yardstick){0};
}
