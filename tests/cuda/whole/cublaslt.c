/* cublaslt.c - a cuBLASLt for the whole plug-in over the emulated device: products as chains of f32 additions in the order of K, and the manners that matter here.
 *
 * The heuristics offer, best first: an algorithm that splits K, one that needs a workspace, one that refuses some row counts, and the one to be taken. Calls hold the plug-in to
 * what it says: sizes of attributes, extents that fit, pointers aligned as was announced, and no algorithm but the last. */
#include "backend/cuda/cublaslt_load.h"
#include "backend/cuda/rows.h"

#include <stdlib.h>
#include <string.h>

#include "cuda/whole/cuda_runtime_api.h"
#include "tensor/tensor.h"

enum { INVALID_VALUE = 7, NOT_SUPPORTED = 15 };
enum { SPLITS_K, NEEDS_WORKSPACE, REFUSES_SOME, RIGHT, N_ALGORITHMS };

typedef struct desc {
    int compute;
    int32_t transa, transb;
    uint32_t epilogue;
    const float *bias;
} desc;

typedef struct layout {
    int type;
    uint64_t rows, cols;
    int64_t ld;
} layout;

typedef struct preference {
    uint64_t workspace;
    uint32_t reduction, alignment[4]; /* of A, B, C, D */
} preference;

static size_t get_version(void)
{
    return 0;
}

static const char *get_status_string(int status)
{
    return status == 0 ? "success" : status == NOT_SUPPORTED ? "not supported" : "invalid value";
}

static int create(void **out, size_t bytes)
{
    *out = calloc(1, bytes);
    return *out ? 0 : INVALID_VALUE;
}

static int lt_create(void **handle)
{
    return create(handle, 1);
}

static int destroy(void *p)
{
    free(p);
    return 0;
}

static int desc_create(void **out, int compute, int scale_type)
{
    if (scale_type != CF_LT_R_32F || (compute != CF_LT_COMPUTE_32F && compute != CF_LT_COMPUTE_32F_PEDANTIC))
        return INVALID_VALUE;
    const int status = create(out, sizeof(desc));
    if (status == 0)
        *(desc *)*out = (desc){.compute = compute, .epilogue = CF_LT_EPILOGUE_DEFAULT};
    return status;
}

static int set(void *to, size_t expected, const void *value, size_t bytes)
{
    if (bytes != expected)
        return INVALID_VALUE;
    memcpy(to, value, bytes);
    return 0;
}

static int desc_set(void *p, int attribute, const void *value, size_t bytes)
{
    desc *d = p;
    switch (attribute) {
    case CF_LT_DESC_TRANSA:
        return set(&d->transa, sizeof d->transa, value, bytes);
    case CF_LT_DESC_TRANSB:
        return set(&d->transb, sizeof d->transb, value, bytes);
    case CF_LT_DESC_EPILOGUE:
        return set(&d->epilogue, sizeof d->epilogue, value, bytes);
    case CF_LT_DESC_BIAS_POINTER:
        return set(&d->bias, sizeof d->bias, value, bytes);
    default:
        return INVALID_VALUE;
    }
}

static int layout_create(void **out, int type, uint64_t rows, uint64_t cols, int64_t ld)
{
    const int status = create(out, sizeof(layout));
    if (status == 0)
        *(layout *)*out = (layout){type, rows, cols, ld};
    return status;
}

static int layout_set(void *p, int attribute, const void *value, size_t bytes)
{
    layout *l = p;
    return attribute == CF_LT_LAYOUT_COLS ? set(&l->cols, sizeof l->cols, value, bytes) : INVALID_VALUE;
}

static int preference_create(void **out)
{
    return create(out, sizeof(preference));
}

static int preference_set(void *p, int attribute, const void *value, size_t bytes)
{
    preference *r = p;
    if (attribute == CF_LT_PREF_MAX_WORKSPACE_BYTES)
        return set(&r->workspace, sizeof r->workspace, value, bytes);
    if (attribute == CF_LT_PREF_REDUCTION_SCHEME_MASK)
        return set(&r->reduction, sizeof r->reduction, value, bytes);
    if (attribute >= CF_LT_PREF_MIN_ALIGNMENT_A_BYTES && attribute <= CF_LT_PREF_MIN_ALIGNMENT_D_BYTES)
        return set(&r->alignment[attribute - CF_LT_PREF_MIN_ALIGNMENT_A_BYTES], sizeof *r->alignment, value, bytes);
    return INVALID_VALUE;
}

/* The product is y^T = W x^T in columns, and nothing else: W of K x N, x^T of K x M, y^T of N x M, in f32 or, without a
 * bias (which is f32 and would have to be of y's type), in the type of W and x. */
static int fits(const desc *p, const layout *a, const layout *b, const layout *c, const layout *d)
{
    return p->transa == CF_LT_OP_T && p->transb == CF_LT_OP_N && a->type == b->type && c->type == d->type &&
           (d->type == CF_LT_R_32F || (d->type == a->type && p->epilogue == CF_LT_EPILOGUE_DEFAULT)) &&
           a->rows == b->rows && a->cols == d->rows && b->cols == d->cols && c->rows == d->rows && c->cols == d->cols &&
           a->ld == (int64_t)a->rows && b->ld == (int64_t)b->rows && d->ld == (int64_t)d->rows &&
           (a->type != CF_LT_R_32F || p->compute == CF_LT_COMPUTE_32F_PEDANTIC);
}

/* data[0]: which; data[1..4]: the alignments that were announced; data[5]: the type of y that it was offered for. */
static int get_heuristic(void *handle, void *op, void *a, void *b, void *c, void *d, void *pref, int requested,
                         cf_lt_heuristic *results, int *returned)
{
    (void)handle;
    const preference *p = pref;
    *returned = 0;
    if (!fits(op, a, b, c, d) || p->reduction != CF_LT_REDUCTION_NONE || requested < N_ALGORITHMS)
        return INVALID_VALUE;
    for (int i = 0; i < N_ALGORITHMS; i++) {
        results[i] = (cf_lt_heuristic){.algo.data = {(uint64_t)i}};
        for (int j = 0; j < 4; j++)
            results[i].algo.data[1 + j] = p->alignment[j];
        results[i].algo.data[5] = (uint64_t)((const layout *)d)->type;
    }
    *returned = N_ALGORITHMS;
    return 0;
}

static int algo_check(void *handle, void *op, void *a, void *b, void *c, void *d, const cf_lt_algo *algo,
                      cf_lt_heuristic *result)
{
    (void)handle;
    if (!fits(op, a, b, c, d))
        return INVALID_VALUE;
    if (algo->data[0] == REFUSES_SOME && ((layout *)d)->cols == 1)
        return NOT_SUPPORTED;
    *result = (cf_lt_heuristic){.algo = *algo, .workspace_bytes = algo->data[0] == NEEDS_WORKSPACE ? 1024 : 0};
    return 0;
}

static int config_get(const cf_lt_algo *algo, int attribute, void *value, size_t bytes, size_t *written)
{
    const int32_t answer = attribute == CF_LT_CONFIG_ID           ? (int32_t)algo->data[0]
                           : attribute == CF_LT_CONFIG_SPLITK_NUM ? (algo->data[0] == SPLITS_K ? 4 : 1)
                                                                  : CF_LT_REDUCTION_NONE;
    if (bytes != sizeof answer)
        return INVALID_VALUE;
    memcpy(value, &answer, sizeof answer);
    *written = sizeof answer;
    return 0;
}

static cf_dtype dtype_of(int type)
{
    return type == CF_LT_R_32F ? CF_F32 : type == CF_LT_R_16F ? CF_F16 : CF_BF16;
}

static float element(const void *matrix, int type, uint64_t at)
{
    float value = 0;
    if (type == CF_LT_R_32F)
        return ((const float *)matrix)[at];
    cf_to_f32(&value, (const uint16_t *)matrix + at, dtype_of(type), 1);
    return value;
}

static int is_aligned(const void *p, const layout *l, uint64_t to)
{
    return (uintptr_t)p % to == 0 && (uint64_t)l->ld * cf_dtype_bytes(dtype_of(l->type)) % to == 0;
}

static int matmul(void *handle, void *op, const void *alpha, const void *a, void *a_layout, const void *b,
                  void *b_layout, const void *beta, const void *c, void *c_layout, void *d, void *d_layout,
                  const cf_lt_algo *algo, void *workspace, size_t workspace_bytes, cudaStream_t stream)
{
    (void)handle;
    (void)workspace;
    (void)workspace_bytes;
    const desc *p = op;
    const layout *la = a_layout, *lb = b_layout, *ld = d_layout;
    const uint64_t n = ld->rows, m = ld->cols, k = la->rows;
    const float scale = *(const float *)beta;
    const int is_wide = ld->type == CF_LT_R_32F;
    if (!fits(p, la, lb, c_layout, ld) || (scale != 0 && !is_wide) || *(const float *)alpha != 1 || c != d ||
        algo->data[0] != RIGHT || !is_aligned(a, la, algo->data[1]) || !is_aligned(b, lb, algo->data[2]) ||
        !is_aligned(d, ld, algo->data[4]) || algo->data[5] != (uint64_t)ld->type)
        return NOT_SUPPORTED;
    cf_whole_run(stream);
    float *const sums = is_wide ? d : malloc(m * n * sizeof *sums); /* each is rounded once, when it is whole */
    if (!sums)
        return NOT_SUPPORTED;
    for (uint64_t i = 0; i < m; i++)
        for (uint64_t j = 0; j < n; j++) {
            float sum = 0;
            for (uint64_t x = 0; x < k; x++)
                sum += element(b, lb->type, i * k + x) * element(a, la->type, j * k + x);
            float *y = sums + i * n + j;
            if (scale != 0) /* beta 0: what y holds is not read */
                sum += scale * *y;
            *y = p->epilogue == CF_LT_EPILOGUE_BIAS ? sum + p->bias[j] : sum;
        }
    if (is_wide)
        return 0;
    const cudaError_t e = cf_cuda_convert(stream, d, dtype_of(ld->type), sums, CF_F32, (int64_t)(m * n));
    free(sums);
    return e == cudaSuccess ? 0 : NOT_SUPPORTED;
}

cf_status cf_lt_load(cf_lt_api *out, cf_error *err)
{
    (void)err;
    *out = (cf_lt_api){
        get_version,   get_status_string, lt_create,  destroy,           desc_create, destroy,        desc_set,
        layout_create, destroy,           layout_set, preference_create, destroy,     preference_set, get_heuristic,
        algo_check,    config_get,        matmul};
    return CF_OK;
}
