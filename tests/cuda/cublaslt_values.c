/* cublaslt_values.c - cublaslt_api.h against NVIDIA's own header, by the compiler: values, sizes, and the parameters of each function as far as they must be the same for a call.
 * Nothing here runs. */
#include <stddef.h>

#include <cublasLt.h>

#include "backend/cuda/cublaslt_api.h"

#define SAME(ours, theirs) _Static_assert((int)(ours) == (int)(theirs), #theirs)
SAME(CF_LT_SUCCESS, CUBLAS_STATUS_SUCCESS);
SAME(CF_LT_COMPUTE_32F, CUBLAS_COMPUTE_32F);
SAME(CF_LT_COMPUTE_32F_PEDANTIC, CUBLAS_COMPUTE_32F_PEDANTIC);
SAME(CF_LT_R_32F, CUDA_R_32F);
SAME(CF_LT_R_16F, CUDA_R_16F);
SAME(CF_LT_R_16BF, CUDA_R_16BF);
SAME(CF_LT_OP_N, CUBLAS_OP_N);
SAME(CF_LT_OP_T, CUBLAS_OP_T);
SAME(CF_LT_EPILOGUE_DEFAULT, CUBLASLT_EPILOGUE_DEFAULT);
SAME(CF_LT_EPILOGUE_BIAS, CUBLASLT_EPILOGUE_BIAS);
SAME(CF_LT_REDUCTION_NONE, CUBLASLT_REDUCTION_SCHEME_NONE);
SAME(CF_LT_DESC_TRANSA, CUBLASLT_MATMUL_DESC_TRANSA);
SAME(CF_LT_DESC_TRANSB, CUBLASLT_MATMUL_DESC_TRANSB);
SAME(CF_LT_DESC_EPILOGUE, CUBLASLT_MATMUL_DESC_EPILOGUE);
SAME(CF_LT_DESC_BIAS_POINTER, CUBLASLT_MATMUL_DESC_BIAS_POINTER);
SAME(CF_LT_LAYOUT_COLS, CUBLASLT_MATRIX_LAYOUT_COLS);
SAME(CF_LT_PREF_MAX_WORKSPACE_BYTES, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);
SAME(CF_LT_PREF_REDUCTION_SCHEME_MASK, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK);
SAME(CF_LT_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES);
SAME(CF_LT_PREF_MIN_ALIGNMENT_B_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES);
SAME(CF_LT_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES);
SAME(CF_LT_PREF_MIN_ALIGNMENT_D_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES);
SAME(CF_LT_CONFIG_SPLITK_NUM, CUBLASLT_ALGO_CONFIG_SPLITK_NUM);
SAME(CF_LT_CONFIG_REDUCTION_SCHEME, CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME);
SAME(CF_LT_CONFIG_ID, CUBLASLT_ALGO_CONFIG_ID);

SAME(sizeof(cf_lt_algo), sizeof(cublasLtMatmulAlgo_t));
SAME(sizeof(cf_lt_heuristic), sizeof(cublasLtMatmulHeuristicResult_t));
SAME(offsetof(cf_lt_heuristic, workspace_bytes), offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize));
SAME(offsetof(cf_lt_heuristic, state), offsetof(cublasLtMatmulHeuristicResult_t, state));
SAME(offsetof(cf_lt_heuristic, waves), offsetof(cublasLtMatmulHeuristicResult_t, wavesCount));
SAME(sizeof(int), sizeof(cublasStatus_t));
SAME(sizeof(int), sizeof(cublasComputeType_t));
SAME(sizeof(int), sizeof(cudaDataType_t));
SAME(sizeof(int), sizeof(cublasLtMatmulDescAttributes_t));
SAME(sizeof(void *), sizeof(cublasLtHandle_t));

/* Each function through the header's types, with arguments of ours: the compiler says where a parameter is another. */
typedef struct arguments {
    cublasLtHandle_t handle;
    cublasLtMatmulDesc_t desc;
    cublasLtMatrixLayout_t layout;
    cublasLtMatmulPreference_t preference;
    const void *in;
    void *out;
    size_t bytes;
    uint64_t extent;
    int64_t ld;
    int n;
    cudaStream_t stream;
    cublasLtMatmulAlgo_t algo;
    cublasLtMatmulHeuristicResult_t results[2];
} arguments;

size_t cf_lt_each_function(arguments *x);
size_t cf_lt_each_function(arguments *x)
{
    (void)cublasLtGetStatusString(CUBLAS_STATUS_SUCCESS);
    (void)cublasLtCreate(&x->handle);
    (void)cublasLtMatmulDescCreate(&x->desc, CUBLAS_COMPUTE_32F, CUDA_R_32F);
    (void)cublasLtMatmulDescSetAttribute(x->desc, CUBLASLT_MATMUL_DESC_TRANSA, x->in, x->bytes);
    (void)cublasLtMatrixLayoutCreate(&x->layout, CUDA_R_32F, x->extent, x->extent, x->ld);
    (void)cublasLtMatrixLayoutSetAttribute(x->layout, CUBLASLT_MATRIX_LAYOUT_COLS, x->in, x->bytes);
    (void)cublasLtMatmulPreferenceCreate(&x->preference);
    (void)cublasLtMatmulPreferenceSetAttribute(x->preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, x->in,
                                               x->bytes);
    (void)cublasLtMatmulAlgoGetHeuristic(x->handle, x->desc, x->layout, x->layout, x->layout, x->layout, x->preference,
                                         x->n, x->results, &x->n);
    (void)cublasLtMatmulAlgoCheck(x->handle, x->desc, x->layout, x->layout, x->layout, x->layout, &x->algo, x->results);
    (void)cublasLtMatmulAlgoConfigGetAttribute(&x->algo, CUBLASLT_ALGO_CONFIG_ID, x->out, x->bytes, &x->bytes);
    (void)cublasLtMatmul(x->handle, x->desc, x->in, x->in, x->layout, x->in, x->layout, x->in, x->in, x->layout, x->out,
                         x->layout, &x->algo, x->out, x->bytes, x->stream);
    (void)cublasLtMatmulPreferenceDestroy(x->preference);
    (void)cublasLtMatrixLayoutDestroy(x->layout);
    (void)cublasLtMatmulDescDestroy(x->desc);
    (void)cublasLtDestroy(x->handle);
    return cublasLtGetVersion();
}
