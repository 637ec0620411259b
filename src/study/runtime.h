/* runtime.h - a model ready to be asked: checkpoint, tokenizer, picture rules, prompt, backend and weights, opened
 * together and consistent with one another. */
#ifndef CF_STUDY_RUNTIME_H
#define CF_STUDY_RUNTIME_H

#include <stdbool.h>

#include "backend/backend.h"
#include "base/error.h"
#include "base/hash.h"
#include "checkpoint/checkpoint.h"
#include "image/tiling.h"
#include "model/model.h"
#include "text/prompt.h"
#include "text/tokenizer.h"

typedef struct cf_runtime_options {
    const char *model;        /* checkpoint folder, or org/name[@revision] in the local hub cache */
    const char *vision_tower; /* of an original LLaVA checkpoint that carries none: likewise; NULL: looked for */
    const char *device;       /* "cpu", "ref", "cuda" or "cuda:N" */
    const char *dtype;        /* "auto", "f32", "bf16", and on cuda "f16" */
    const char *prompt;       /* a preset's name, a template with <image> and {question}, or NULL: the checkpoint's
                              own; "paper": the published scripts' for this model */
    const char *image_fit;    /* "auto", "crop", "pad", "anyres", or "paper": what the published scripts do */
    int threads;              /* 0: every core */
    int64_t weights_mib;      /* what matrices may take in memory; 0: cf_runtime_plan_memory */
    int32_t in_flight;        /* samples of a study that are measured together; 0: cf_runtime_plan_memory */
} cf_runtime_options;
cf_runtime_options cf_runtime_options_default(void);

typedef struct cf_runtime {
    cf_checkpoint *checkpoint;
    cf_tokenizer *tokenizer;
    cf_preprocess preprocess;
    cf_packing packing;
    char *prompt;      /* the template in use */
    bool prompt_whole; /* tokenised at once, as Hugging Face does; else in two parts, as LLaVA does */
    cf_backend *backend;
    cf_model *model;
    int32_t in_flight;  /* set by cf_runtime_load: samples to measure together */
    bool row_invariant; /* set by cf_runtime_probe */
} cf_runtime;

/* Everything but backend and weights: enough to lay out tokens and forecast work. The caller closes in every case. */
CF_MUST_USE cf_status cf_runtime_open_files(cf_runtime *r, const cf_runtime_options *o, cf_error *err);
/* The backend and the weights, after the files. */
CF_MUST_USE cf_status cf_runtime_load(cf_runtime *r, const cf_runtime_options *o, cf_error *err);
/* Both. */
CF_MUST_USE cf_status cf_runtime_open(cf_runtime *r, const cf_runtime_options *o, cf_error *err);
/* Finds row_invariant, by every product a decoder row meets; a second or so for a large model. */
CF_MUST_USE cf_status cf_runtime_probe(cf_runtime *r, cf_error *err);
void cf_runtime_close(cf_runtime *r);
/* How pictures are fitted: "crop", "pad" or "anyres". */
const char *cf_runtime_fit(const cf_runtime *r);

/* How memory is divided between weights and samples. */
typedef struct cf_memory_plan {
    int64_t weight_bytes; /* that matrices may take; models with more are streamed (cf_model_load) */
    int32_t in_flight;    /* samples measured together: each takes keys and values of its own */
} cf_memory_plan;
/* What the options leave open: matrices may take three quarters of the device's memory (cf_backend_memory), less what all
 * samples in flight but one take; the rest is for the first one, kept inputs, and the files' pages. In flight are four
 * where layers are streamed, so that one that is read serves all of them; else up to eight on an accelerator and with a
 * small model, as many as displace no layer; else one. A study takes one where rows depend on how many there are. */
CF_MUST_USE cf_status cf_runtime_plan_memory(cf_memory_plan *out, const cf_runtime *r, const cf_runtime_options *o,
                                             cf_dtype dtype, cf_error *err);
/* The dtype that products will have: "auto" is f32 where the f32 weights fit in half of the machine's memory, else
 * bf16 where the processor multiplies it, else f32; on cuda it is the checkpoint's own. */
CF_MUST_USE cf_status cf_runtime_dtype(cf_dtype *out, const cf_runtime *r, const cf_runtime_options *o, cf_error *err);

#endif
