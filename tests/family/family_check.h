/* family_check.h - the check that a checkpoint folder gives what transformers makes of it (tools/make_family_golden.py),
 * stage by stage and on the path that a study takes: one function serves the test that it passes (test_checkpoints.c)
 * and the test that it can fail (test_mistakes.c). */
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
    double probability; /* knocked out, absolute */
} family_found;

bool family_holds(const family_found *f); /* within the bounds, and all that is no number the same */

/* Opens `folder` as the checkpoint `name` of FAMILY and holds every sample of its golden against it; a sample whose
 * positions are others has no hidden states to compare. mistake, unless NULL, makes one in the open runtime. */
void family_check(family_found *found, const char *name, const char *folder, const char *device,
                  void (*mistake)(cf_runtime *));

/* A folder that refers to the checkpoint `name`, the first `from` in its config.json replaced by `to`. Heap string,
 * given to temp_dir_remove. */
char *changed_checkpoint(const char *name, const char *from, const char *to);

int test_checkpoints(void);
int test_mistakes(void);

#endif
