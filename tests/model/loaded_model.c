/* loaded_model.c - see loaded_model.h. */
#include "loaded_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(cf_status st, const cf_error *err)
{
    if (st == CF_OK)
        return;
    (void)fprintf(stderr, "%s\n", err->text);
    exit(EXIT_FAILURE);
}

loaded_model model_open(const char *dir, const char *backend, cf_dtype compute, int n_threads)
{
    loaded_model m = {0};
    cf_error err = {0};
    must(cf_backend_open(&m.be, backend, &(cf_backend_options){.n_threads = n_threads, .compute = compute}, &err),
         &err);
    must(cf_checkpoint_open(&m.checkpoint, dir, &err), &err);
    must(cf_model_load(&m.model, m.be, m.checkpoint, 0, &err), &err);
    return m;
}

void model_close(loaded_model *m)
{
    cf_model_free(m->model);
    cf_checkpoint_close(m->checkpoint);
    cf_backend_close(m->be);
    *m = (loaded_model){0};
}

bool model_is_row_invariant(const loaded_model *m)
{
    if (strcmp(cf_backend_name(m->be), "ref") == 0)
        return true; /* by construction: one row at a time, and too slow to ask */
    enum { MAX = 16, ROWS = 640 };
    const cf_weight *weights[MAX];
    int64_t n = 0;
    cf_error err = {0};
    must(cf_model_weights(m->model, weights, MAX, &n, &err), &err);
    bool all = true;
    for (int64_t i = 0; all && i < n; i++)
        must(cf_backend_probe(m->be, &all, weights[i], ROWS, &err), &err);
    return all;
}

const char *model_backend_name(const loaded_model *m)
{
    if (strcmp(cf_backend_name(m->be), "ref") == 0)
        return "ref";
    return cf_backend_compute(m->be) == CF_BF16 ? "cpu bf16" : "cpu f32";
}
