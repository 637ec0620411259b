/* cublaslt_load.c - see cublaslt_load.h. */
#include "backend/cuda/cublaslt_load.h"

#include <dlfcn.h>
#include <string.h>

static const struct {
    const char *name;
    size_t at; /* in cf_lt_api */
} functions[] = {
#define FUNCTION(name)                                                                                                 \
    {                                                                                                                  \
        "cublasLt" #name, offsetof(cf_lt_api, name)                                                                    \
    }
    FUNCTION(GetVersion),
    FUNCTION(GetStatusString),
    FUNCTION(Create),
    FUNCTION(Destroy),
    FUNCTION(MatmulDescCreate),
    FUNCTION(MatmulDescDestroy),
    FUNCTION(MatmulDescSetAttribute),
    FUNCTION(MatrixLayoutCreate),
    FUNCTION(MatrixLayoutDestroy),
    FUNCTION(MatrixLayoutSetAttribute),
    FUNCTION(MatmulPreferenceCreate),
    FUNCTION(MatmulPreferenceDestroy),
    FUNCTION(MatmulPreferenceSetAttribute),
    FUNCTION(MatmulAlgoGetHeuristic),
    FUNCTION(MatmulAlgoCheck),
    FUNCTION(MatmulAlgoConfigGetAttribute),
    FUNCTION(Matmul),
#undef FUNCTION
};

cf_status cf_lt_load(cf_lt_api *out, cf_error *err)
{
    static const char *const names[] = {"libcublasLt.so.13", "libcublasLt.so.12"};
    const size_t n = sizeof names / sizeof names[0];
    void *library = NULL;
    cf_lt_api api;
    size_t i = 0;
    for (; !library && i < n; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library)
        return cf_fail(err, CF_UNSUPPORTED,
                       "cuda: cuBLASLt is not there: neither libcublasLt.so.13 nor .12 can be loaded (%s); "
                       "LD_LIBRARY_PATH names further folders",
                       dlerror());
    cf_status st = CF_OK;
    for (size_t f = 0; st == CF_OK && f < sizeof functions / sizeof functions[0]; f++) {
        void *address = dlsym(library, functions[f].name);
        if (!address)
            st = cf_fail(err, CF_MISMATCH, "cuda: %s has no %s", names[i - 1], functions[f].name);
        memcpy((char *)&api + functions[f].at, &address, sizeof address); /* ISO C has no cast for this */
    }
    if (st == CF_OK)
        *out = api;
    (void)dlclose(library); /* one count less; it is never unloaded */
    return st;
}
