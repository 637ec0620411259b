/* deep_model.h - a model of full depth from a checkpoint of a few layers: they take turns. A layer's matrices are many times
 * the last cache, so that a layer costs what it would cost in a model of its own; and a model of 13 GB fits on any disk.
 *
 * Its prompt is LLaVA-1.5's: 5 tokens, the picture, 40 tokens, of which the first 22 are the question. */
#ifndef CF_BENCH_DEEP_MODEL_H
#define CF_BENCH_DEEP_MODEL_H

#include "base/span.h"
#include "engine/session.h"
#include "model/model.h"

typedef struct deep_model {
    const char *device; /* of the backend */
    cf_backend *be;
    cf_checkpoint *checkpoint;
    cf_model *model;
    int64_t own_layers; /* of the checkpoint */

    int32_t *ids;
    float *pixels;
    cf_input input; /* borrows from both */
    int32_t length;
    cf_span image, question;
} deep_model;

/* What the programs have in common on their command line: FOLDER [--layers N] [--device NAME] [--dtype bf16|f16|f32]
 * [--threads N] [--out FOLDER]. Layers: as many as the checkpoint has where it is not given. It never ends (no end token). */
deep_model deep_model_open(int argc, char **argv, int64_t otherwise_layers);
void deep_model_close(deep_model *m);

/* Writes values to folder/name, for another program to read; nothing where folder is NULL. */
void write_values(const char *folder, const char *name, const void *values, size_t bytes);
/* The prompt as ids.i32, one id per position of the picture, and pixels.f32. */
void write_prompt(const char *folder, const deep_model *m);

#endif
