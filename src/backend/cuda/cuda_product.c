/* cuda_product.c - y = x W^T by cuBLASLt, with one algorithm for every row count.
 *
 * The library reads matrices by columns: a row-major [R, C] is its C x R. So with D = y^T [N, M] = A^T B, A = W as K x N,
 * B = x^T as K x M: rows of x are columns of B and D. A column of D is a sum over K of which the number of columns is no
 * part, as long as the same kernel computes it, and alone: hence
 * - one algorithm per (N, K, with bias or without, dtype of y): the first that the heuristics give for TYPICAL_ROWS rows
 *   with split-K 1, no reduction scheme, and which is accepted for every row count of `accepted`;
 * - among those one that needs no workspace, where there is one: without a place for partial sums no scheduling can share
 *   a sum between blocks (stream-K);
 * - an algorithm that is refused for some M later is an error, never silently another one.
 * That rows then have the same bits whatever M is, the study measures (cf_backend_probe).
 *
 * Alignment: the heuristics are told what holds for every view of whole rows: the power of two that a row's bytes
 * divide by, 16 at most. K and N may be odd; such shapes get the kernels that are made for them. */
#include "backend/cuda/cublaslt_load.h"
#include "backend/cuda/cuda_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { TYPICAL_ROWS = 4096, CANDIDATES = 32, WORKSPACE_BYTES = 32 << 20, ALIGNED = 16 };

static const uint64_t accepted[] = {1, 2, 3, 17, 40, 64, 129, 640, 1024, 4001, 16384, 32768};

typedef struct algorithm {
    int64_t n, k;
    bool bias;
    cf_dtype y;
    void *desc, *a, *b, *d; /* operation and layouts; b's and d's columns are set for each product */
    cf_lt_algo algo;
    int id; /* the library's, for messages */
} algorithm;

struct cf_cuda_products {
    cf_lt_api lt;
    void *handle, *workspace;
    cf_cuda *cuda;
    algorithm *items;
    size_t n_items, cap;
};

static cf_status check(const cf_cuda_products *p, int status, const char *what, cf_error *err)
{
    if (status == CF_LT_SUCCESS)
        return CF_OK;
    return cf_fail(err, CF_DEVICE, "cuda:%d: cuBLASLt: %s: %s", p->cuda->ordinal, what, p->lt.GetStatusString(status));
}

cf_status cf_cuda_products_open(cf_cuda_products **out, cf_cuda *cuda, cf_error *err)
{
    cf_status st = CF_OK;
    cf_cuda_products *p = calloc(1, sizeof *p);
    if (!p)
        return cf_fail(err, CF_NOMEM, "no memory for products");
    p->cuda = cuda;
    CF_TRY(cf_lt_load(&p->lt, err));
    CF_TRY(check(p, p->lt.Create(&p->handle), "opening the library", err));
    CF_TRY(cf_cuda_malloc(cuda, &p->workspace, WORKSPACE_BYTES, "the workspace of products", err));
    *out = p;
    p = NULL;
done:
    cf_cuda_products_close(p);
    return st;
}

static void algorithm_deinit(const cf_cuda_products *p, algorithm *x)
{
    if (x->desc)
        (void)p->lt.MatmulDescDestroy(x->desc);
    void *const layouts[] = {x->a, x->b, x->d};
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++)
        if (layouts[i])
            (void)p->lt.MatrixLayoutDestroy(layouts[i]);
}

void cf_cuda_products_close(cf_cuda_products *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n_items; i++)
        algorithm_deinit(p, &p->items[i]);
    free(p->items);
    cf_cuda_free(p->cuda, p->workspace);
    if (p->handle)
        (void)p->lt.Destroy(p->handle);
    free(p);
}

size_t cf_cuda_products_version(const cf_cuda_products *p)
{
    return p->lt.GetVersion();
}

static int type_of(cf_dtype t)
{
    switch (t) {
    case CF_F16:
        return CF_LT_R_16F;
    case CF_BF16:
        return CF_LT_R_16BF;
    case CF_F32:
        break;
    }
    return CF_LT_R_32F;
}

static cf_status describe(algorithm *x, const cf_cuda_products *p, cf_error *err)
{
    const cf_dtype compute = p->cuda->base.compute;
    const int type = type_of(compute);
    const int32_t transposed = CF_LT_OP_T, plain = CF_LT_OP_N;
    const uint32_t epilogue = x->bias ? CF_LT_EPILOGUE_BIAS : CF_LT_EPILOGUE_DEFAULT;
    const uint64_t n = (uint64_t)x->n, k = (uint64_t)x->k;
    cf_status st = CF_OK;
    CF_TRY(check(p,
                 p->lt.MatmulDescCreate(&x->desc, compute == CF_F32 ? CF_LT_COMPUTE_32F_PEDANTIC : CF_LT_COMPUTE_32F,
                                        CF_LT_R_32F),
                 "a product", err));
    CF_TRY(check(p, p->lt.MatmulDescSetAttribute(x->desc, CF_LT_DESC_TRANSA, &transposed, sizeof transposed),
                 "the weight's order", err));
    CF_TRY(check(p, p->lt.MatmulDescSetAttribute(x->desc, CF_LT_DESC_TRANSB, &plain, sizeof plain), "the input's order",
                 err));
    CF_TRY(check(p, p->lt.MatmulDescSetAttribute(x->desc, CF_LT_DESC_EPILOGUE, &epilogue, sizeof epilogue),
                 "the epilogue", err));
    if (x->bias) /* a stand-in of a bias's alignment, for the heuristics */
        CF_TRY(check(p,
                     p->lt.MatmulDescSetAttribute(x->desc, CF_LT_DESC_BIAS_POINTER, &p->workspace, sizeof p->workspace),
                     "the bias", err));
    CF_TRY(check(p, p->lt.MatrixLayoutCreate(&x->a, type, k, n, x->k), "the weight's layout", err));
    CF_TRY(check(p, p->lt.MatrixLayoutCreate(&x->b, type, k, TYPICAL_ROWS, x->k), "the input's layout", err));
    CF_TRY(check(p, p->lt.MatrixLayoutCreate(&x->d, type_of(x->y), n, TYPICAL_ROWS, x->n), "the output's layout", err));
done:
    return st;
}

static cf_status set_rows(const algorithm *x, const cf_cuda_products *p, uint64_t m, cf_error *err)
{
    cf_status st = check(p, p->lt.MatrixLayoutSetAttribute(x->b, CF_LT_LAYOUT_COLS, &m, sizeof m), "rows of x", err);
    if (st == CF_OK)
        st = check(p, p->lt.MatrixLayoutSetAttribute(x->d, CF_LT_LAYOUT_COLS, &m, sizeof m), "rows of y", err);
    return st;
}

static uint32_t alignment(int64_t elements, size_t bytes)
{
    const uint64_t row = (uint64_t)elements * bytes, power = row & (~row + 1);
    return power < ALIGNED ? (uint32_t)power : ALIGNED;
}

static cf_status make_preference(void **out, const algorithm *x, const cf_cuda_products *p, cf_error *err)
{
    const size_t x_bytes = cf_dtype_bytes(p->cuda->base.compute), y_bytes = cf_dtype_bytes(x->y);
    const uint64_t workspace = WORKSPACE_BYTES;
    const struct {
        int attribute;
        uint32_t value;
    } rows[] = {{CF_LT_PREF_REDUCTION_SCHEME_MASK, CF_LT_REDUCTION_NONE},
                {CF_LT_PREF_MIN_ALIGNMENT_A_BYTES, alignment(x->k, x_bytes)},
                {CF_LT_PREF_MIN_ALIGNMENT_B_BYTES, alignment(x->k, x_bytes)},
                {CF_LT_PREF_MIN_ALIGNMENT_C_BYTES, alignment(x->n, y_bytes)},
                {CF_LT_PREF_MIN_ALIGNMENT_D_BYTES, alignment(x->n, y_bytes)}};
    cf_status st = CF_OK;
    CF_TRY(check(p, p->lt.MatmulPreferenceCreate(out), "a preference", err));
    CF_TRY(check(p,
                 p->lt.MatmulPreferenceSetAttribute(*out, CF_LT_PREF_MAX_WORKSPACE_BYTES, &workspace, sizeof workspace),
                 "the workspace", err));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CF_TRY(check(p,
                     p->lt.MatmulPreferenceSetAttribute(*out, rows[i].attribute, &rows[i].value, sizeof rows[i].value),
                     "a preference", err));
done:
    return st;
}

static int32_t config(const cf_cuda_products *p, const cf_lt_algo *algo, int attribute)
{
    int32_t value = -1; /* int32_t and uint32_t alike */
    size_t written = 0;
    return p->lt.MatmulAlgoConfigGetAttribute(algo, attribute, &value, sizeof value, &written) == CF_LT_SUCCESS ? value
                                                                                                                : -1;
}

/* Whether each sum is made by one block in one go, and the algorithm can be had for every row count; its largest need of
 * workspace among them. */
static bool suits(const algorithm *x, const cf_cuda_products *p, const cf_lt_algo *algo, size_t *workspace)
{
    *workspace = 0;
    if (config(p, algo, CF_LT_CONFIG_SPLITK_NUM) > 1 ||
        config(p, algo, CF_LT_CONFIG_REDUCTION_SCHEME) > CF_LT_REDUCTION_NONE)
        return false;
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        cf_lt_heuristic result;
        memset(&result, 0, sizeof result);
        if (set_rows(x, p, accepted[i], NULL) != CF_OK ||
            p->lt.MatmulAlgoCheck(p->handle, x->desc, x->a, x->b, x->d, x->d, algo, &result) != CF_LT_SUCCESS ||
            result.workspace_bytes > WORKSPACE_BYTES)
            return false;
        *workspace = result.workspace_bytes > *workspace ? result.workspace_bytes : *workspace;
    }
    return true;
}

static cf_status choose(algorithm *x, const cf_cuda_products *p, cf_error *err)
{
    void *preference = NULL;
    cf_lt_heuristic results[CANDIDATES];
    int n = 0, chosen = -1;
    cf_status st = CF_OK;
    memset(results, 0, sizeof results);
    CF_TRY(make_preference(&preference, x, p, err));
    const int status =
        p->lt.MatmulAlgoGetHeuristic(p->handle, x->desc, x->a, x->b, x->d, x->d, preference, CANDIDATES, results, &n);
    if (status != CF_LT_SUCCESS)
        n = 0;
    for (int i = 0; i < n; i++) {
        size_t workspace = 0;
        if (results[i].state != CF_LT_SUCCESS || !suits(x, p, &results[i].algo, &workspace))
            continue;
        if (chosen < 0 || workspace == 0)
            chosen = i;
        if (workspace == 0)
            break;
    }
    if (chosen < 0) {
        st = cf_fail(err, CF_DEVICE,
                     "cuda:%d: cuBLASLt has no algorithm for %s products of %lld by %lld%s into %s that is one for all "
                     "row counts (%d offered: %s)",
                     p->cuda->ordinal, cf_dtype_name(p->cuda->base.compute), (long long)x->n, (long long)x->k,
                     x->bias ? " with bias" : "", cf_dtype_name(x->y), n, p->lt.GetStatusString(status));
        goto done;
    }
    x->algo = results[chosen].algo;
    x->id = config(p, &x->algo, CF_LT_CONFIG_ID);
done:
    if (preference)
        (void)p->lt.MatmulPreferenceDestroy(preference);
    return st;
}

/* The algorithm of a product's kind; chosen when the kind is met first. */
static cf_status find(algorithm **out, cf_cuda_products *p, int64_t n, int64_t k, bool bias, cf_dtype y, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = 0; i < p->n_items; i++) {
        algorithm *const known = &p->items[i];
        if (known->n == n && known->k == k && known->bias == bias && known->y == y) {
            *out = known;
            return CF_OK;
        }
    }
    algorithm x = {.n = n, .k = k, .bias = bias, .y = y};
    void *items = p->items;
    CF_TRY(cf_grow(&items, &p->cap, p->n_items + 1, sizeof *p->items, "algorithms", err));
    p->items = items;
    CF_TRY(describe(&x, p, err));
    CF_TRY(choose(&x, p, err));
    p->items[p->n_items] = x;
    *out = &p->items[p->n_items++];
    x = (algorithm){0};
done:
    algorithm_deinit(p, &x);
    return st;
}

cf_status cf_cuda_linear(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_weight *w, const cf_tensor *bias,
                         bool accumulate, cf_error *err)
{
    cf_cuda *cuda = NULL;
    algorithm *found = NULL;
    const void *matrix = NULL;
    const float one = 1, beta = accumulate ? 1 : 0;
    int64_t n = 0, k = 0;
    cf_status st = CF_OK;
    CF_TRY(cf_cuda_enter(&cuda, be, "a product", err));
    cf_cuda_products *p = cuda->products;
    cf_cuda_weight_shape(w, &n, &k);
    CF_TRY(find(&found, p, n, k, bias != NULL, y->dtype, err));
    CF_TRY(set_rows(found, p, (uint64_t)x->shape[0], err));
    if (bias)
        CF_TRY(check(p,
                     p->lt.MatmulDescSetAttribute(found->desc, CF_LT_DESC_BIAS_POINTER, &bias->data, sizeof bias->data),
                     "the bias", err));
    CF_TRY(cf_cuda_weight_data(cuda, &matrix, w, err));
    const int status =
        p->lt.Matmul(p->handle, found->desc, &one, matrix, found->a, x->data, found->b, &beta, y->data, found->d,
                     y->data, found->d, &found->algo, p->workspace, WORKSPACE_BYTES, cuda->work);
    if (status != CF_LT_SUCCESS)
        st = cf_fail(err, CF_DEVICE,
                     "cuda:%d: cuBLASLt refuses a %s product of %lld rows by %lld by %lld with its algorithm %d: %s",
                     cuda->ordinal, cf_dtype_name(be->compute), (long long)x->shape[0], (long long)n, (long long)k,
                     found->id, p->lt.GetStatusString(status));
done:
    return st;
}
