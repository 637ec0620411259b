/* product.c - matrix products by oneDNN, one prepared primitive per shape. The library's traps stand in
 * product_internal.h. */
#include "backend/cpu/product_internal.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "backend/cpu/few_rows.h"
#include "base/memory.h"

enum {
    CODE_BYTES =
        8 << 20, /* of addresses, free before a primitive is made; 2 MiB is the most that one was seen to take */
    MAX_PREPARED =
        4096 /* prepared products kept; all are dropped when the table is full (each takes 0.3 ms to remake) */
};

typedef struct cf_product {
    cf_product_key key;
    dnnl_primitive_t primitive; /* NULL: a free slot */
    dnnl_memory_t src, dst, bias, scratch;
    size_t scratch_bytes;
    int64_t few_chunk; /* chunk with which cf_few_rows gives this product's bits; 0: none does */
} product;

cf_status cf_dnnl_check(dnnl_status_t s, const char *what, cf_error *err)
{
    if (s == dnnl_success)
        return CF_OK;
    if (s == dnnl_out_of_memory)
        return cf_fail(err, CF_NOMEM, "no memory for a matrix product (%s)", what);
    return cf_fail(err, CF_DEVICE, "oneDNN: %s failed with status %d", what, (int)s);
}

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

void cf_dnnl_plain(dnnl_memory_desc_t *md, dnnl_data_type_t type, int64_t rows, int64_t cols, dnnl_format_tag_t tag)
{
    const dnnl_dims_t dims = {rows, cols};
    (void)dnnl_memory_desc_init_by_tag(md, 2, dims, type, tag); /* cannot fail for positive extents */
}

cf_status cf_product_describe(dnnl_primitive_desc_t *out, const cf_products *p, dnnl_data_type_t type,
                              const cf_product_key *key, const dnnl_memory_desc_t *weight, cf_error *err)
{
    cf_status st = CF_OK;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t post = NULL;
    dnnl_memory_desc_t src, dst, bias;
    dnnl_matmul_desc_t desc;
    cf_dnnl_plain(&src, type, key->m, key->k, dnnl_ab);
    cf_dnnl_plain(&dst, dnnl_f32, key->m, key->n, dnnl_ab);
    cf_dnnl_plain(&bias, dnnl_f32, 1, key->n, dnnl_ab);
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

cf_status cf_products_check_room(cf_error *err)
{
    void *room = mmap(NULL, CODE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        return cf_fail(err, CF_NOMEM, "no memory for the code of a matrix product (%d bytes)", CODE_BYTES);
    munmap(room, CODE_BYTES);
    return CF_OK;
}

static cf_status prepare(product *out, const cf_products *p, dnnl_data_type_t type, const cf_product_key *key,
                         const dnnl_memory_desc_t *weight, cf_error *err)
{
    cf_status st = CF_OK;
    dnnl_primitive_desc_t pd = NULL;
    product s = {.key = *key};
    CF_TRY(cf_products_check_room(err));
    CF_TRY(cf_product_describe(&pd, p, type, key, weight, err));
    TRY_DNNL(dnnl_primitive_create(&s.primitive, pd));
    dnnl_memory_desc_t src, dst, bias;
    cf_dnnl_plain(&src, type, key->m, key->k, dnnl_ab);
    cf_dnnl_plain(&dst, dnnl_f32, key->m, key->n, dnnl_ab);
    cf_dnnl_plain(&bias, dnnl_f32, 1, key->n, dnnl_ab);
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

static size_t slot_of(const cf_product_key *key)
{
    uint64_t h = (uint64_t)key->m * 0x9e3779b97f4a7c15u;
    h = (h ^ (uint64_t)key->n) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (uint64_t)key->k) * 0x94d049bb133111ebu;
    h = (h ^ (uint64_t)(key->bias * 2 + key->accumulate)) * 0x9e3779b97f4a7c15u;
    return (size_t)(h >> 40) % (2 * MAX_PREPARED);
}

static bool same_key(const cf_product_key *a, const cf_product_key *b)
{
    return a->m == b->m && a->n == b->n && a->k == b->k && a->bias == b->bias && a->accumulate == b->accumulate;
}

cf_status cf_products_reserve(void **buffer, size_t *has, size_t bytes, const char *what, cf_error *err)
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

/* y = x W^T as the library computes it. */
static cf_status multiply(cf_products *p, const product *s, float *y, const void *x, const cf_weight *w,
                          const float *bias, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_products_reserve(&p->scratch, &p->scratch_bytes, s->scratch_bytes, "matrix product scratch",
                               err)); /* for a known product, too: its first call may have failed here */
    TRY_DNNL(dnnl_memory_set_data_handle(s->src, (void *)(uintptr_t)x)); /* only read */
    TRY_DNNL(dnnl_memory_set_data_handle(s->dst, y));
    TRY_DNNL(dnnl_memory_set_data_handle(s->scratch, p->scratch));
    dnnl_exec_arg_t args[5] = {{DNNL_ARG_SRC, s->src},
                               {DNNL_ARG_WEIGHTS, w->memory},
                               {DNNL_ARG_DST, s->dst},
                               {DNNL_ARG_SCRATCHPAD, s->scratch}};
    if (bias) {
        TRY_DNNL(dnnl_memory_set_data_handle(s->bias, (void *)(uintptr_t)bias));
        args[4] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, s->bias};
    }
    TRY_DNNL(dnnl_primitive_execute(s->primitive, p->stream, bias ? 5 : 4, args));
    TRY_DNNL(dnnl_stream_wait(p->stream));
done:
    return st;
}

/* ---- few rows ---- */

/* Whether few_rows.h reads this weight: its rows are few, and its layout is the one named there. */
static bool suits_few_rows(const cf_cpu *cpu, int64_t m, const cf_weight *w)
{
    const dnnl_blocking_desc_t *b = &w->layout.format_desc.blocking;
    const bool bf16 = cpu->base.compute == CF_BF16;
    if (m > CF_FEW_ROWS || cpu->kernels != &cf_kernels_avx512 || (bf16 && w->k % 2))
        return false;
    return w->layout.format_kind == dnnl_blocked && b->inner_nblks == 2 + bf16 && b->inner_idxs[0] == 0 &&
           b->inner_idxs[1] == 1 && b->inner_blks[1] == CF_FEW_COLUMNS &&
           b->strides[0] == b->inner_blks[0] * CF_FEW_COLUMNS * (1 + bf16) &&
           (!bf16 || (b->inner_idxs[2] == 0 && b->inner_blks[2] == 2));
}

static cf_few_rows_product few_rows_of(const product *s, const cf_cpu *cpu, const void *x, const cf_weight *w,
                                       const float *bias, int64_t chunk)
{
    const cf_dtype type = cpu->base.compute;
    return (cf_few_rows_product){.bf16 = type == CF_BF16,
                                 .x = x,
                                 .w = w->data,
                                 .block_stride =
                                     w->layout.format_desc.blocking.strides[1] * (int64_t)cf_dtype_bytes(type),
                                 .m = s->key.m,
                                 .n = w->n,
                                 .k = w->k,
                                 .chunk = chunk,
                                 .bias = bias,
                                 .accumulate = s->key.accumulate};
}

/* Notes the chunk with which cf_few_rows gives the bits of the library on trial rows and this weight; none where two do, as
 * for a weight of zeros, which shows nothing. */
static cf_status find_few_chunk(product *s, cf_cpu *cpu, const cf_weight *w, cf_error *err)
{
    const int64_t chunks[] = {1024, 512, w->k}, m = s->key.m, n = m * w->n;
    cf_status st = CF_OK;
    void *memory = NULL;
    int n_equal = 0;
    int64_t found = 0;
    CF_TRY(cf_alloc(&memory, (size_t)(2 * m * w->k + w->n + 3 * n), sizeof(float), "a product's trial", err));
    float *const wide = memory, *const y0 = wide + m * w->k, *const bias = y0 + n, *const x = bias + w->n;
    float *const library = x + m * w->k, *const y = library + n;
    cf_fill_trial(wide, (size_t)(m * w->k + n + w->n)); /* and y0 and bias behind it */
    if (cpu->base.compute == CF_BF16)
        cpu->kernels->to_bf16((uint16_t *)(void *)x, wide, m * w->k);
    else
        memcpy(x, wide, (size_t)(m * w->k) * sizeof *x);
    memcpy(library, y0, (size_t)n * sizeof *y);
    CF_TRY(multiply(cpu->products, s, library, x, w, s->key.bias ? bias : NULL, err));
    for (int i = 0; i < 3; i++) {
        if (i < 2 && chunks[i] >= w->k)
            continue; /* one chunk: the last of the list */
        const cf_few_rows_product p = few_rows_of(s, cpu, x, w, s->key.bias ? bias : NULL, chunks[i]);
        memcpy(y, y0, (size_t)n * sizeof *y);
        cf_few_rows(y, &p, cpu->base.n_threads);
        if (memcmp(y, library, (size_t)n * sizeof *y) == 0) {
            found = chunks[i];
            n_equal++;
        }
    }
    s->few_chunk = n_equal == 1 ? found : 0;
done:
    free(memory);
    return st;
}

static cf_status find_or_prepare(product **out, cf_cpu *cpu, const cf_product_key *key, const cf_weight *w,
                                 cf_error *err)
{
    cf_products *p = cpu->products;
    cf_status st = CF_OK;
    if (p->n_prepared == MAX_PREPARED)
        drop_prepared(p);
    size_t i = slot_of(key);
    for (; p->slots[i].primitive; i = (i + 1) % (2 * MAX_PREPARED))
        if (same_key(&p->slots[i].key, key)) {
            *out = &p->slots[i];
            return CF_OK;
        }
    product s = {0};
    CF_TRY(prepare(&s, p, cf_dnnl_type(cpu->base.compute), key, &w->layout, err));
    if (suits_few_rows(cpu, key->m, w))
        CF_TRY(find_few_chunk(&s, cpu, w, err));
    p->slots[i] = s;
    s = (product){0};
    p->n_prepared++;
    *out = &p->slots[i];
done:
    product_deinit(&s);
    return st;
}

cf_status cf_cpu_linear(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_weight *w, const cf_tensor *bias,
                        bool accumulate, cf_error *err)
{
    cf_cpu *cpu = (cf_cpu *)be;
    cf_status st = CF_OK;
    product *s = NULL;
    const cf_product_key key = {x->shape[0], w->n, w->k, bias != NULL, accumulate};
    const float *const b = bias ? bias->data : NULL;
    omp_set_num_threads(be->n_threads);
    CF_TRY(find_or_prepare(&s, cpu, &key, w, err));
    if (s->few_chunk) {
        const cf_few_rows_product p = few_rows_of(s, cpu, x->data, w, b, s->few_chunk);
        cf_few_rows(y->data, &p, be->n_threads);
    } else {
        CF_TRY(multiply(cpu->products, s, y->data, x->data, w, b, err));
    }
done:
    return st;
}
