/* family_check.h - the check that a checkpoint folder gives what transformers makes of it (tools/make_family_golden.py),
 * stage by stage and on the path that a study takes: one function serves the tests that it passes (test_checkpoints.c,
 * test_original.c) and the test that it can fail (test_mistakes.c). */
#ifndef CF_TESTS_FAMILY_CHECK_H
#define CF_TESTS_FAMILY_CHECK_H

#include "engine/parity.h" /* the bounds of f32 */
#include "study/runtime.h"

#define FAMILY "tests/family/golden"

/* What was found over the samples of a checkpoint. */
typedef struct family_found {
    int64_t n_samples, n_probabilities;
    /* samples in which something is another: ids of the prompt; a pixel value's bits; tiles, or what the positions of
     * the picture are; a named group; the greedy answer */
    int64_t ids, pixels, layout, groups, answers;
    /* largest differences, of the largest value: rows of the picture as the decoder takes them, hidden states, logits */
    double features, hidden, logits;
    double probability;            /* knocked out, absolute */
    int64_t n_recomputed, inexact; /* on ref: runs recomputed from scratch, and those in which a bit differs */
} family_found;

bool family_holds(const family_found *f); /* within the bounds, and all that is no number the same */

typedef struct family_case {
    const char *golden;            /* a checkpoint of FAMILY, whose values are to be found */
    const char *folder;            /* what is opened: the same checkpoint, or another form of it */
    const char *device;            /* NULL: cpu */
    const char *vision_tower;      /* NULL: looked for */
    bool golden_prompt;            /* asked with the golden's prompt; else the checkpoint's own must be that */
    void (*mistake)(cf_runtime *); /* makes one in the open runtime; NULL: none */
} family_case;

/* Opens the folder and holds every sample of the golden against it; a sample whose positions are others has no hidden
 * states to compare. */
void family_check(family_found *found, const family_case *c);

/* One file of a checkpoint, each `from` in it replaced by `to`; with swap, each `to` by `from` as well. */
typedef struct family_change {
    const char *file, *from, *to;
    bool swap;
} family_change;

/* A folder that refers to the checkpoint `name` of FAMILY, one file of it changed. Heap string, given to
 * temp_dir_remove. */
char *changed_checkpoint(const char *name, const family_change *of);

int test_checkpoints(void);
int test_original(void);
int test_mistakes(void);
int test_fused(void);

#endif
