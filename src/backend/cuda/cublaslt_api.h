/* cublaslt_api.h - the part of cuBLASLt's C interface that products use, in declarations of our own: the plug-in builds
 * with nothing but nvcc and its runtime, and the library is loaded at run time.
 *
 * Source of every name, value and size: "cuBLAS Library", the chapter on the cuBLASLt API, of CUDA 12.0 to 13.0. They are
 * part of a binary interface that has kept them since CUDA 11. Where NVIDIA's header is found,
 * tests/cuda/cublaslt_values.c compares each of them with it while the tests are built. */
#ifndef CF_BACKEND_CUDA_CUBLASLT_API_H
#define CF_BACKEND_CUDA_CUBLASLT_API_H

#include <stddef.h>
#include <stdint.h>

#include <cuda_runtime_api.h>

enum {
    CF_LT_SUCCESS = 0, /* CUBLAS_STATUS_SUCCESS */

    CF_LT_COMPUTE_32F = 68,          /* CUBLAS_COMPUTE_32F */
    CF_LT_COMPUTE_32F_PEDANTIC = 69, /* CUBLAS_COMPUTE_32F_PEDANTIC: no TF32, no emulation */

    CF_LT_R_32F = 0,   /* CUDA_R_32F, cudaDataType_t */
    CF_LT_R_16F = 2,   /* CUDA_R_16F */
    CF_LT_R_16BF = 14, /* CUDA_R_16BF */

    CF_LT_OP_N = 0, /* CUBLAS_OP_N */
    CF_LT_OP_T = 1, /* CUBLAS_OP_T */

    CF_LT_EPILOGUE_DEFAULT = 1, /* CUBLASLT_EPILOGUE_DEFAULT */
    CF_LT_EPILOGUE_BIAS = 4,    /* CUBLASLT_EPILOGUE_BIAS: a vector as long as D has rows, added to each column */

    CF_LT_REDUCTION_NONE = 0, /* CUBLASLT_REDUCTION_SCHEME_NONE */

    /* cublasLtMatmulDescAttributes_t */
    CF_LT_DESC_TRANSA = 3,       /* CUBLASLT_MATMUL_DESC_TRANSA, int32_t */
    CF_LT_DESC_TRANSB = 4,       /* CUBLASLT_MATMUL_DESC_TRANSB, int32_t */
    CF_LT_DESC_EPILOGUE = 7,     /* CUBLASLT_MATMUL_DESC_EPILOGUE, uint32_t */
    CF_LT_DESC_BIAS_POINTER = 8, /* CUBLASLT_MATMUL_DESC_BIAS_POINTER, void * */

    /* cublasLtMatrixLayoutAttribute_t */
    CF_LT_LAYOUT_COLS = 3, /* CUBLASLT_MATRIX_LAYOUT_COLS, uint64_t */

    /* cublasLtMatmulPreferenceAttributes_t */
    CF_LT_PREF_MAX_WORKSPACE_BYTES = 1,   /* CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, uint64_t */
    CF_LT_PREF_REDUCTION_SCHEME_MASK = 3, /* CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, uint32_t */
    CF_LT_PREF_MIN_ALIGNMENT_A_BYTES = 5, /* CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, uint32_t; ..._D_BYTES is 8 */
    CF_LT_PREF_MIN_ALIGNMENT_B_BYTES = 6,
    CF_LT_PREF_MIN_ALIGNMENT_C_BYTES = 7,
    CF_LT_PREF_MIN_ALIGNMENT_D_BYTES = 8,

    /* cublasLtMatmulAlgoConfigAttributes_t */
    CF_LT_CONFIG_SPLITK_NUM = 2,       /* CUBLASLT_ALGO_CONFIG_SPLITK_NUM, int32_t */
    CF_LT_CONFIG_REDUCTION_SCHEME = 3, /* CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME, uint32_t */
    CF_LT_CONFIG_ID = 0                /* CUBLASLT_ALGO_CONFIG_ID, int32_t */
};

typedef struct cf_lt_algo { /* cublasLtMatmulAlgo_t */
    uint64_t data[8];
} cf_lt_algo;

typedef struct cf_lt_heuristic { /* cublasLtMatmulHeuristicResult_t */
    cf_lt_algo algo;
    size_t workspace_bytes;
    int state;
    float waves;
    int reserved[4];
} cf_lt_heuristic;

/* The functions, by the library's names less their prefix, in the types of its binary interface: handles are pointers,
 * enumerations are int. */
typedef struct cf_lt_api {
    size_t (*GetVersion)(void);
    const char *(*GetStatusString)(int status);
    int (*Create)(void **handle);
    int (*Destroy)(void *handle);
    int (*MatmulDescCreate)(void **desc, int compute, int scale_type);
    int (*MatmulDescDestroy)(void *desc);
    int (*MatmulDescSetAttribute)(void *desc, int attribute, const void *value, size_t bytes);
    int (*MatrixLayoutCreate)(void **layout, int type, uint64_t rows, uint64_t cols, int64_t ld);
    int (*MatrixLayoutDestroy)(void *layout);
    int (*MatrixLayoutSetAttribute)(void *layout, int attribute, const void *value, size_t bytes);
    int (*MatmulPreferenceCreate)(void **preference);
    int (*MatmulPreferenceDestroy)(void *preference);
    int (*MatmulPreferenceSetAttribute)(void *preference, int attribute, const void *value, size_t bytes);
    int (*MatmulAlgoGetHeuristic)(void *handle, void *desc, void *a, void *b, void *c, void *d, void *preference,
                                  int requested, cf_lt_heuristic *results, int *returned);
    int (*MatmulAlgoCheck)(void *handle, void *desc, void *a, void *b, void *c, void *d, const cf_lt_algo *algo,
                           cf_lt_heuristic *result);
    int (*MatmulAlgoConfigGetAttribute)(const cf_lt_algo *algo, int attribute, void *value, size_t bytes,
                                        size_t *written);
    int (*Matmul)(void *handle, void *desc, const void *alpha, const void *a, void *a_layout, const void *b,
                  void *b_layout, const void *beta, const void *c, void *c_layout, void *d, void *d_layout,
                  const cf_lt_algo *algo, void *workspace, size_t workspace_bytes, cudaStream_t stream);
} cf_lt_api;

#endif
