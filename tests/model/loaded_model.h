/* loaded_model.h - a checkpoint folder in a backend, for tests. Faults end the test program. */
#ifndef CF_TESTS_LOADED_MODEL_H
#define CF_TESTS_LOADED_MODEL_H

#include "model/model.h"

#define DEMO_MODEL "demo/model"
#define BITES_MODEL "tests/engine/golden/bites" /* a random model in which every cut bites */

typedef struct loaded_model {
    cf_backend *be;
    cf_checkpoint *checkpoint;
    cf_model *model;
} loaded_model;

loaded_model model_open(const char *dir, const char *backend, cf_dtype compute, int n_threads);
void model_close(loaded_model *m);

/* Whether every product weight of the model gives a row the same bits in any company (cf_backend_probe). */
bool model_is_row_invariant(const loaded_model *m);

/* "ref", or "cpu f32", "cpu bf16": for messages. */
const char *model_backend_name(const loaded_model *m);

#endif
