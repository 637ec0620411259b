/* sample_set.h - the questions of a golden file, ready for the engine: ids and groups as the golden has them, pixels
 * computed by src/image from the pictures themselves. Faults end the test program. */
#ifndef CF_TESTS_SAMPLE_SET_H
#define CF_TESTS_SAMPLE_SET_H

#include "base/json.h"
#include "engine/session.h"
#include "image/tiling.h"
#include "knockout/plan.h"
#include "model/golden_tensors.h"

enum { N_FLOWS = 6, MAX_WINDOWS = 4, MAX_LENGTH = 256 };

typedef struct sample {
    const char *key; /* "ChooseAttr.0" */
    const cf_json *record;
    int32_t *ids;
    cf_tiling tiling; /* of the picture */
    float *pixels;
    cf_input input;
    cf_groups groups;
    int32_t first_token; /* of the answer */
} sample;

typedef struct group_pair { /* a flow of one edge between named groups */
    cf_group source, target;
} group_pair;

typedef struct sample_set {
    const char *name;
    cf_json *json;
    cf_safetensors tensors;
    sample *samples;
    size_t n, step; /* a reader that needs only some takes every step'th */
    group_pair flows[N_FLOWS];
    const char *flow_names[N_FLOWS];
    int32_t windows[MAX_WINDOWS];
    size_t n_windows;
    int32_t n_layers, n_heads, hidden_size, vocab_size;
} sample_set;

/* At most max_samples of them, spread evenly over the file. The model gives the extents; model_dir holds its
 * preprocessor_config.json. */
void samples_open(sample_set *s, const char *name, const char *json, const char *tensors, const char *model_dir,
                  const cf_model *m, size_t max_samples);
void samples_close(sample_set *s);
/* All of a sample but its groups, from the record of a golden file. */
void sample_read(sample *out, const cf_json *record, const cf_preprocess *p, const cf_model *m);
void sample_deinit(sample *s);
/* The preprocessor_config.json of a model's folder. */
void preprocess_read(cf_preprocess *out, const char *model_dir);

const sample *sample_find(const sample_set *s, const char *key);

double json_double(const cf_json *object, const char *name);
int32_t json_whole(const cf_json *node);
int32_t json_int(const cf_json *object, const char *name);
/* Element `at` of a list. */
const cf_json *json_at(const cf_json *list, int64_t at);
/* The golden's list of probabilities of a flow and window, by centre. */
const cf_json *knocked_out(const sample *s, const char *flow_name, int32_t k);

#endif
