/* cpu.c - the cpu backend: opens it for the processor at hand and runs the row-wise kernels over all threads.
 *
 * OpenMP is the only pool: oneDNN uses the same one, and a second pool would fight its spinning workers. */
#include "backend/cpu/cpu_internal.h"

#include <omp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <oneapi/dnnl/dnnl_version.h>

enum {
    PARALLEL_ELEMENTS = 16384, /* below this a fork costs more than it saves: about 5 us against 1 element/ns */
    MAX_THREADS = 4096
};

/* The kernels follow what oneDNN may use, so that its own cap (DNNL_MAX_CPU_ISA) makes the whole backend run as on a
 * lesser processor. */
static const cf_kernels *kernels_here(void)
{
    const cf_isa isa = cf_products_isa();
    return isa >= CF_ISA_AVX512 ? &cf_kernels_avx512 : isa == CF_ISA_AVX2 ? &cf_kernels_avx2 : &cf_kernels_base;
}

static bool multiplies(cf_dtype compute)
{
    return compute == CF_F32 || (compute == CF_BF16 && cf_products_isa() == CF_ISA_AVX512_BF16);
}

static bool takes_values(const cf_backend *be, cf_dtype dtype)
{
    (void)be;
    return dtype == CF_F32;
}

static void cpu_close(cf_backend *be)
{
    cf_cpu *cpu = (cf_cpu *)be;
    cf_products_close(cpu->products);
    for (int i = 0; cpu->scratch && i < be->n_threads; i++) {
        free(cpu->scratch[i].own);
        free(cpu->scratch[i].tiles);
        free(cpu->scratch[i].words);
        free(cpu->scratch[i].acc);
    }
    free(cpu->scratch);
    free(cpu);
}

/* libgomp ends the process in words of its own where it cannot start a thread: see first that there is room for all
 * their stacks. */
static cf_status check_stacks(int n_threads, cf_error *err)
{
    pthread_attr_t attr;
    size_t stack = 0;
    if (pthread_getattr_default_np(&attr) != 0)
        return CF_OK;
    (void)pthread_attr_getstacksize(&attr, &stack);
    (void)pthread_attr_destroy(&attr);
    const size_t all = (size_t)(n_threads - 1) * stack;
    if (all == 0)
        return CF_OK;
    void *room = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        return cf_fail(err, CF_NOMEM, "no memory for the stacks of %d threads (%zu bytes)", n_threads, all);
    munmap(room, all);
    return CF_OK;
}

static cf_status cpu_open(cf_backend **out, const cf_backend_options *options, cf_error *err)
{
    cf_status st = CF_OK;
    if (options->n_threads > MAX_THREADS)
        return cf_fail(err, CF_USAGE, "%d threads: expected at most %d", options->n_threads, MAX_THREADS);
    cf_cpu *cpu = calloc(1, sizeof *cpu);
    if (!cpu)
        return cf_fail(err, CF_NOMEM, "no memory for the cpu backend");
    cpu->base.ops = &cf_backend_cpu;
    cpu->base.compute = options->compute;
    cpu->base.n_threads = options->n_threads > 0 ? options->n_threads : omp_get_num_procs();
    CF_TRY(check_stacks(cpu->base.n_threads, err));
    cpu->kernels = kernels_here();
    cpu->scratch = calloc((size_t)cpu->base.n_threads, sizeof *cpu->scratch);
    if (!cpu->scratch) {
        st = cf_fail(err, CF_NOMEM, "no memory for %d worker threads", cpu->base.n_threads);
        goto done;
    }
    CF_TRY(cf_products_open(&cpu->products, err));
    (void)snprintf(cpu->base.describe, sizeof cpu->base.describe, "cpu, %s kernels, oneDNN %d.%d.%d, %s products",
                   cpu->kernels->isa, DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR, DNNL_VERSION_PATCH,
                   cf_dtype_name(options->compute));
    *out = &cpu->base;
    cpu = NULL;
done:
    if (cpu)
        cpu_close(&cpu->base);
    return st;
}

static char *row_of(const cf_tensor *t, int64_t i)
{
    return (char *)t->data + (size_t)(i * t->shape[1]) * cf_dtype_bytes(t->dtype);
}

static bool worth_threads(const cf_tensor *t)
{
    return cf_tensor_count(t) >= PARALLEL_ELEMENTS;
}

static cf_status gather(cf_backend *be, cf_tensor *y, const cf_tensor *x, const int32_t *rows, cf_error *err)
{
    (void)err;
    const cf_kernels *kernels = ((cf_cpu *)be)->kernels;
    const int64_t d = x->shape[1];
#pragma omp parallel for num_threads(be->n_threads) if (worth_threads(y))
    for (int64_t i = 0; i < y->shape[0]; i++) {
        const char *src = row_of(x, rows ? rows[i] : i);
        char *dst = row_of(y, i);
        if (y->dtype == x->dtype)
            memcpy(dst, src, (size_t)d * cf_dtype_bytes(x->dtype));
        else if (y->dtype == CF_BF16)
            kernels->to_bf16((uint16_t *)(void *)dst, (const float *)(const void *)src, d);
        else if (x->dtype == CF_F16)
            kernels->from_f16((float *)(void *)dst, (const uint16_t *)(const void *)src, d);
        else
            cf_to_f32((float *)(void *)dst, src, x->dtype, (size_t)d);
    }
    return CF_OK;
}

static cf_status rms_norm(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *gamma, float eps,
                          cf_error *err)
{
    (void)err;
    const cf_kernels *kernels = ((cf_cpu *)be)->kernels;
#pragma omp parallel for num_threads(be->n_threads) if (worth_threads(x))
    for (int64_t i = 0; i < x->shape[0]; i++)
        kernels->rms_norm(row_of(y, i), y->dtype, (const float *)(const void *)row_of(x, i), gamma->data, eps,
                          x->shape[1]);
    return CF_OK;
}

static cf_status layer_norm(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *gamma,
                            const cf_tensor *beta, float eps, cf_error *err)
{
    (void)err;
    const cf_kernels *kernels = ((cf_cpu *)be)->kernels;
#pragma omp parallel for num_threads(be->n_threads) if (worth_threads(x))
    for (int64_t i = 0; i < x->shape[0]; i++)
        kernels->layer_norm(row_of(y, i), y->dtype, (const float *)(const void *)row_of(x, i), gamma->data, beta->data,
                            eps, x->shape[1]);
    return CF_OK;
}

static cf_status rope(cf_backend *be, cf_tensor *x, const cf_tensor *table, const int32_t *pos, int64_t n_heads,
                      cf_error *err)
{
    (void)err;
    const cf_kernels *kernels = ((cf_cpu *)be)->kernels;
    const int64_t head_dim = table->shape[1];
#pragma omp parallel for num_threads(be->n_threads) if (worth_threads(x))
    for (int64_t i = 0; i < x->shape[0]; i++)
        kernels->rope((float *)(void *)row_of(x, i), (const float *)(const void *)row_of(table, pos[i]), n_heads,
                      head_dim);
    return CF_OK;
}

static cf_status activate(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *times, cf_unary f,
                          cf_error *err)
{
    (void)err;
    const cf_kernels *kernels = ((cf_cpu *)be)->kernels;
#pragma omp parallel for num_threads(be->n_threads) if (worth_threads(x))
    for (int64_t i = 0; i < x->shape[0]; i++)
        kernels->activate(row_of(y, i), y->dtype, (const float *)(const void *)row_of(x, i),
                          times ? (const float *)(const void *)row_of(times, i) : NULL, f, x->shape[1]);
    return CF_OK;
}

const cf_backend_ops cf_backend_cpu = {
    .name = "cpu",
    .multiplies = multiplies,
    .takes_values = takes_values,
    .open = cpu_open,
    .close = cpu_close,
    .alloc = cf_host_alloc,
    .release = cf_host_release,
    .upload = cf_host_upload,
    .download = cf_host_download,
    .weight_create = cf_cpu_weight_create,
    .weight_fill = cf_cpu_weight_fill,
    .weight_free = cf_cpu_weight_free,
    .weight_shape = cf_cpu_weight_shape,
    .kv_create = cf_cpu_kv_create,
    .kv_free = cf_cpu_kv_free,
    .linear = cf_cpu_linear,
    .gather = gather,
    .scatter = cf_host_scatter,
    .rms_norm = rms_norm,
    .layer_norm = layer_norm,
    .rope = rope,
    .activate = activate,
    .kv_put = cf_cpu_kv_put,
    .kv_copy = cf_cpu_kv_copy,
    .attention = cf_cpu_attention,
};
