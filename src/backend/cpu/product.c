/* product.c - matrix products by oneDNN: weights laid out once in the library's own blocked form, one prepared
 * primitive per shape.
 *
 * Traps this file exists to keep in one place (oneDNN 2.6):
 * (1) Scratchpads are ours (user mode): a primitive with the library's scratchpad gives wrong numbers when two threads
 *     share it.
 * (2) A primitive fixes its thread count when it is made, from the count of the calling thread: set it here, as
 *     another backend may have another.
 * (3) A weight's blocked layout is asked for once, at a middling row count, and used for every row count: row
 *     invariance needs one layout.
 * (4) Code that cannot be mapped is generated all the same, through a null pointer: see first that there is room.
 * (5) There is no f16 product and the f16 -> f32 reorder is slow: f16 weights are widened by our own kernel first. */
#include "backend/cpu/cpu_internal.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <oneapi/dnnl/dnnl.h>

#include "base/memory.h"

enum {
    CODE_BYTES =
        8 << 20,       /* of addresses, free before a primitive is made; 2 MiB is the most that one was seen to take */
    LAYOUT_ROWS = 128, /* row count at which a weight's layout is chosen */
    MAX_PREPARED =
        4096 /* prepared products kept; all are dropped when the table is full (each takes 0.3 ms to remake) */
};

struct cf_weight {
    int64_t n, k;
    dnnl_memory_desc_t layout;
    dnnl_memory_t memory;
    void *data; /* in layout */
};

typedef struct product_key {
    int64_t m, n, k;
    int32_t bias, accumulate;
} product_key;

typedef struct product {
    product_key key;
    dnnl_primitive_t primitive; /* NULL: a free slot */
    dnnl_memory_t src, dst, bias, scratch;
    size_t scratch_bytes;
} product;

struct cf_products {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    product *slots; /* open-addressed table of 2 * MAX_PREPARED slots */
    int n_prepared;
    void *scratch;
    size_t scratch_bytes;
    void *plain; /* a weight on its way into its layout */
    size_t plain_bytes;
};

/* oneDNN statuses as ours; `what` is the call. */
static cf_status check(dnnl_status_t s, const char *what, cf_error *err)
{
    if (s == dnnl_success)
        return CF_OK;
    if (s == dnnl_out_of_memory)
        return cf_fail(err, CF_NOMEM, "no memory for a matrix product (%s)", what);
    return cf_fail(err, CF_DEVICE, "oneDNN: %s failed with status %d", what, (int)s);
}

#define TRY_DNNL(call) CF_TRY(check(call, #call, err))

cf_isa cf_products_isa(void)
{
    const unsigned isa = (unsigned)dnnl_get_effective_cpu_isa(); /* each value holds the bits of those below it */
    const unsigned bf16 = dnnl_cpu_isa_avx512_core_bf16, avx512 = dnnl_cpu_isa_avx512_core, avx2 = dnnl_cpu_isa_avx2;
    if ((isa & bf16) == bf16)
        return CF_ISA_AVX512_BF16;
    if ((isa & avx512) == avx512)
        return CF_ISA_AVX512;
    return (isa & avx2) == avx2 ? CF_ISA_AVX2 : CF_ISA_BASE;
}

static dnnl_data_type_t type_of(cf_dtype t)
{
    return t == CF_BF16 ? dnnl_bf16 : dnnl_f32;
}

cf_status cf_products_open(cf_products **out, cf_error *err)
{
    cf_status st = CF_OK;
    void *slots = NULL;
    cf_products *p = calloc(1, sizeof *p);
    if (!p)
        return cf_fail(err, CF_NOMEM, "no memory for matrix products");
    CF_TRY(cf_alloc(&slots, 2 * MAX_PREPARED, sizeof(product), "prepared products", err));
    p->slots = slots;
    TRY_DNNL(dnnl_engine_create(&p->engine, dnnl_cpu, 0));
    TRY_DNNL(dnnl_stream_create(&p->stream, p->engine, dnnl_stream_default_flags));
    *out = p;
    p = NULL;
done:
    cf_products_close(p);
    return st;
}

static void product_deinit(product *s)
{
    if (s->primitive)
        dnnl_primitive_destroy(s->primitive);
    if (s->src)
        dnnl_memory_destroy(s->src);
    if (s->dst)
        dnnl_memory_destroy(s->dst);
    if (s->bias)
        dnnl_memory_destroy(s->bias);
    if (s->scratch)
        dnnl_memory_destroy(s->scratch);
    *s = (product){0};
}

static void drop_prepared(cf_products *p)
{
    for (int i = 0; i < 2 * MAX_PREPARED; i++)
        product_deinit(&p->slots[i]);
    p->n_prepared = 0;
}

void cf_products_close(cf_products *p)
{
    if (!p)
        return;
    if (p->slots)
        drop_prepared(p);
    if (p->stream)
        dnnl_stream_destroy(p->stream);
    if (p->engine)
        dnnl_engine_destroy(p->engine);
    free(p->slots);
    free(p->scratch);
    free(p->plain);
    free(p);
}

static void init_plain(dnnl_memory_desc_t *md, dnnl_data_type_t type, int64_t rows, int64_t cols, dnnl_format_tag_t tag)
{
    const dnnl_dims_t dims = {rows, cols};
    (void)dnnl_memory_desc_init_by_tag(md, 2, dims, type, tag); /* cannot fail for positive extents */
}

/* The primitive descriptor of y = x W^T (+ bias) (+ y) for a weight layout, which may be "any". */
static cf_status describe(dnnl_primitive_desc_t *out, const cf_products *p, dnnl_data_type_t type,
                          const product_key *key, const dnnl_memory_desc_t *weight, cf_error *err)
{
    cf_status st = CF_OK;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t post = NULL;
    dnnl_memory_desc_t src, dst, bias;
    dnnl_matmul_desc_t desc;
    init_plain(&src, type, key->m, key->k, dnnl_ab);
    init_plain(&dst, dnnl_f32, key->m, key->n, dnnl_ab);
    init_plain(&bias, dnnl_f32, 1, key->n, dnnl_ab);
    TRY_DNNL(dnnl_matmul_desc_init(&desc, &src, weight, key->bias ? &bias : NULL, &dst));
    TRY_DNNL(dnnl_primitive_attr_create(&attr));
    TRY_DNNL(dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user));
    if (key->accumulate) {
        TRY_DNNL(dnnl_post_ops_create(&post));
        TRY_DNNL(dnnl_post_ops_append_sum(post, 1.0f));
        TRY_DNNL(dnnl_primitive_attr_set_post_ops(attr, post));
    }
    TRY_DNNL(dnnl_primitive_desc_create(out, &desc, attr, p->engine, NULL));
done:
    if (post)
        dnnl_post_ops_destroy(post);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    return st;
}

/* Trap (4). Once here is once enough: primitives are made by one thread at a time. */
static cf_status check_room(cf_error *err)
{
    void *room = mmap(NULL, CODE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        return cf_fail(err, CF_NOMEM, "no memory for the code of a matrix product (%d bytes)", CODE_BYTES);
    munmap(room, CODE_BYTES);
    return CF_OK;
}

static cf_status prepare(product *out, const cf_products *p, dnnl_data_type_t type, const product_key *key,
                         const dnnl_memory_desc_t *weight, cf_error *err)
{
    cf_status st = CF_OK;
    dnnl_primitive_desc_t pd = NULL;
    product s = {.key = *key};
    CF_TRY(check_room(err));
    CF_TRY(describe(&pd, p, type, key, weight, err));
    TRY_DNNL(dnnl_primitive_create(&s.primitive, pd));
    dnnl_memory_desc_t src, dst, bias;
    init_plain(&src, type, key->m, key->k, dnnl_ab);
    init_plain(&dst, dnnl_f32, key->m, key->n, dnnl_ab);
    init_plain(&bias, dnnl_f32, 1, key->n, dnnl_ab);
    const dnnl_memory_desc_t *scratch = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    s.scratch_bytes = dnnl_memory_desc_get_size(scratch);
    TRY_DNNL(dnnl_memory_create(&s.src, &src, p->engine, DNNL_MEMORY_NONE));
    TRY_DNNL(dnnl_memory_create(&s.dst, &dst, p->engine, DNNL_MEMORY_NONE));
    if (key->bias)
        TRY_DNNL(dnnl_memory_create(&s.bias, &bias, p->engine, DNNL_MEMORY_NONE));
    TRY_DNNL(dnnl_memory_create(&s.scratch, scratch, p->engine, DNNL_MEMORY_NONE));
    *out = s;
    s = (product){0};
done:
    product_deinit(&s);
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    return st;
}

static size_t slot_of(const product_key *key)
{
    uint64_t h = (uint64_t)key->m * 0x9e3779b97f4a7c15u;
    h = (h ^ (uint64_t)key->n) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (uint64_t)key->k) * 0x94d049bb133111ebu;
    h = (h ^ (uint64_t)(key->bias * 2 + key->accumulate)) * 0x9e3779b97f4a7c15u;
    return (size_t)(h >> 40) % (2 * MAX_PREPARED);
}

static bool same_key(const product_key *a, const product_key *b)
{
    return a->m == b->m && a->n == b->n && a->k == b->k && a->bias == b->bias && a->accumulate == b->accumulate;
}

static cf_status find_or_prepare(product **out, cf_products *p, dnnl_data_type_t type, const product_key *key,
                                 const dnnl_memory_desc_t *weight, cf_error *err)
{
    if (p->n_prepared == MAX_PREPARED)
        drop_prepared(p);
    size_t i = slot_of(key);
    while (p->slots[i].primitive) {
        if (same_key(&p->slots[i].key, key)) {
            *out = &p->slots[i];
            return CF_OK;
        }
        i = (i + 1) % (2 * MAX_PREPARED);
    }
    const cf_status st = prepare(&p->slots[i], p, type, key, weight, err);
    if (st != CF_OK)
        return st;
    p->n_prepared++;
    *out = &p->slots[i];
    return CF_OK;
}

/* Room for `bytes`; what was in it is lost when it grows. */
static cf_status reserve(void **buffer, size_t *has, size_t bytes, const char *what, cf_error *err)
{
    if (bytes <= *has)
        return CF_OK;
    void *memory = NULL;
    const cf_status st = cf_alloc(&memory, bytes, 1, what, err);
    if (st != CF_OK)
        return st;
    free(*buffer);
    *buffer = memory;
    *has = bytes;
    return CF_OK;
}

/* A row of a host matrix in the compute dtype. f16 becomes bf16 by way of f32, which holds it exactly: one rounding. */
static void convert_row(void *out, const cf_cpu *cpu, const void *row, cf_dtype from, float *wide, int64_t k)
{
    const cf_dtype to = cpu->base.compute;
    if (from == to) {
        memcpy(out, row, (size_t)k * cf_dtype_bytes(to));
        return;
    }
    float *const f32 = to == CF_F32 ? (float *)out : wide;
    if (from == CF_F16)
        cpu->kernels->from_f16(f32, row, k);
    else
        cf_to_f32(f32, row, from, (size_t)k);
    if (to == CF_BF16)
        cpu->kernels->to_bf16(out, f32, k);
}

/* *out = the host matrix, row-major, in the compute dtype: itself where it is so already, else in p->plain. */
static cf_status to_plain(const void **out, cf_products *p, const cf_cpu *cpu, const cf_tensor *host, cf_error *err)
{
    const int64_t n = host->shape[0], k = host->shape[1];
    const size_t from = cf_dtype_bytes(host->dtype), to = cf_dtype_bytes(cpu->base.compute);
    const size_t wide = (size_t)cpu->base.n_threads * (size_t)k * sizeof(float), matrix = (size_t)(n * k) * to;
    if (host->dtype == cpu->base.compute && (uintptr_t)host->data % from == 0) {
        *out = host->data;
        return CF_OK;
    }
    const cf_status st = reserve(&p->plain, &p->plain_bytes, wide + matrix, "a weight", err);
    if (st != CF_OK)
        return st;
    float *const wides = p->plain;
    char *const plain = (char *)p->plain + wide;
#pragma omp parallel for num_threads(cpu->base.n_threads) if (n * k > 65536)
    for (int64_t i = 0; i < n; i++)
        convert_row(plain + (size_t)(i * k) * to, cpu, (const char *)host->data + (size_t)(i * k) * from, host->dtype,
                    wides + omp_get_thread_num() * k, k);
    *out = plain;
    return CF_OK;
}

/* Copies plain [n, k] into the weight's layout. */
static cf_status lay_out(cf_weight *w, const cf_products *p, dnnl_data_type_t type, const void *plain, cf_error *err)
{
    cf_status st = CF_OK;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_primitive_t reorder = NULL;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_memory_t src = NULL, scratch = NULL;
    void *pad = NULL;
    dnnl_memory_desc_t md;
    CF_TRY(check_room(err));
    init_plain(&md, type, w->k, w->n, dnnl_ba); /* W is [n, k] row-major: as [k, n] its columns are contiguous */
    TRY_DNNL(dnnl_primitive_attr_create(&attr));
    TRY_DNNL(dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user));
    TRY_DNNL(dnnl_reorder_primitive_desc_create(&pd, &md, p->engine, &w->layout, p->engine, attr));
    TRY_DNNL(dnnl_primitive_create(&reorder, pd));
    const dnnl_memory_desc_t *need = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    CF_TRY(cf_alloc(&pad, dnnl_memory_desc_get_size(need), 1, "reorder scratch", err));
    TRY_DNNL(dnnl_memory_create(&src, &md, p->engine, (void *)(uintptr_t)plain)); /* only read */
    TRY_DNNL(dnnl_memory_create(&scratch, need, p->engine, pad));
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, src}, {DNNL_ARG_TO, w->memory}, {DNNL_ARG_SCRATCHPAD, scratch}};
    TRY_DNNL(dnnl_primitive_execute(reorder, p->stream, 3, args));
    TRY_DNNL(dnnl_stream_wait(p->stream));
done:
    if (src)
        dnnl_memory_destroy(src);
    if (scratch)
        dnnl_memory_destroy(scratch);
    if (reorder)
        dnnl_primitive_destroy(reorder);
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    free(pad);
    return st;
}

cf_status cf_cpu_weight_fill(cf_backend *be, cf_weight *w, const cf_tensor *host, cf_error *err)
{
    const cf_cpu *cpu = (const cf_cpu *)be;
    const void *plain = NULL;
    omp_set_num_threads(be->n_threads);
    const cf_status st = to_plain(&plain, cpu->products, cpu, host, err);
    return st == CF_OK ? lay_out(w, cpu->products, type_of(be->compute), plain, err) : st;
}

cf_status cf_cpu_weight_create(cf_backend *be, cf_weight **out, const cf_tensor *host, cf_error *err)
{
    const cf_cpu *cpu = (const cf_cpu *)be;
    cf_status st = CF_OK;
    dnnl_primitive_desc_t pd = NULL;
    cf_weight *w = calloc(1, sizeof *w);
    if (!w)
        return cf_fail(err, CF_NOMEM, "no memory for a weight");
    w->n = host->shape[0];
    w->k = host->shape[1];
    omp_set_num_threads(be->n_threads);
    const dnnl_data_type_t type = type_of(be->compute);
    const product_key key = {LAYOUT_ROWS, w->n, w->k, 0, 0};
    dnnl_memory_desc_t any;
    init_plain(&any, type, w->k, w->n, dnnl_format_tag_any);
    CF_TRY(describe(&pd, cpu->products, type, &key, &any, err));
    w->layout = *dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    CF_TRY(cf_alloc(&w->data, dnnl_memory_desc_get_size(&w->layout), 1, "a weight", err));
    TRY_DNNL(dnnl_memory_create(&w->memory, &w->layout, cpu->products->engine, w->data));
    CF_TRY(cf_cpu_weight_fill(be, w, host, err));
    *out = w;
    w = NULL;
done:
    if (w)
        cf_cpu_weight_free(be, w);
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    return st;
}

void cf_cpu_weight_free(cf_backend *be, cf_weight *w)
{
    (void)be;
    if (w->memory)
        dnnl_memory_destroy(w->memory);
    free(w->data);
    free(w);
}

void cf_cpu_weight_shape(const cf_weight *w, int64_t *n, int64_t *k)
{
    *n = w->n;
    *k = w->k;
}

cf_status cf_cpu_linear(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_weight *w, const cf_tensor *bias,
                        bool accumulate, cf_error *err)
{
    cf_products *p = ((cf_cpu *)be)->products;
    cf_status st = CF_OK;
    product *s = NULL;
    const product_key key = {x->shape[0], w->n, w->k, bias != NULL, accumulate};
    omp_set_num_threads(be->n_threads);
    CF_TRY(find_or_prepare(&s, p, type_of(be->compute), &key, &w->layout, err));
    CF_TRY(reserve(&p->scratch, &p->scratch_bytes, s->scratch_bytes, "matrix product scratch",
                   err)); /* for a known product, too: its first call may have failed here */
    TRY_DNNL(dnnl_memory_set_data_handle(s->src, x->data));
    TRY_DNNL(dnnl_memory_set_data_handle(s->dst, y->data));
    TRY_DNNL(dnnl_memory_set_data_handle(s->scratch, p->scratch));
    dnnl_exec_arg_t args[5] = {{DNNL_ARG_SRC, s->src},
                               {DNNL_ARG_WEIGHTS, w->memory},
                               {DNNL_ARG_DST, s->dst},
                               {DNNL_ARG_SCRATCHPAD, s->scratch}};
    if (bias) {
        TRY_DNNL(dnnl_memory_set_data_handle(s->bias, bias->data));
        args[4] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, s->bias};
    }
    TRY_DNNL(dnnl_primitive_execute(s->primitive, p->stream, bias ? 5 : 4, args));
    TRY_DNNL(dnnl_stream_wait(p->stream));
done:
    return st;
}
