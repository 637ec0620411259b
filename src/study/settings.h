/* settings.h - what a study is asked to do, what it tells while it runs, and what it ends with; shared by trace and lens.
 */
#ifndef CF_STUDY_SETTINGS_H
#define CF_STUDY_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "knockout/window.h"
#include "store/map.h"
#include "study/runtime.h"

typedef enum cf_keep { CF_KEEP_CORRECT, CF_KEEP_WRONG, CF_KEEP_ALL } cf_keep;

/* What is scored in every run, as bits. "first" (the probability of the baseline's first token) always is. */
enum {
    CF_SCORE_TRUE = 1,       /* "true": the first token of the data set's answer */
    CF_SCORE_WHOLE = 2,      /* "whole": the joint probability of all tokens of the answer, teacher-forced */
    CF_SCORE_DIFFERENCE = 4, /* "difference": logit of the true option less that of the false one */
    CF_SCORE_RANK = 8,       /* "rank": of the first token */
    CF_SCORE_GREEDY = 16,    /* "greedy": the most probable token, and whether the answer flips */
    CF_SCORE_ALL = 31
};

enum { CF_LENS_FEW = 5 };

/* What the flows of a map are made from (docs/maps.md). */
typedef struct cf_map_options {
    cf_map_kind kind;
    const char *to;    /* patches, tokens: the group of the queries */
    const char *flow;  /* heads: cut in each head by itself */
    int32_t tile;      /* patches, tokens: side of a square, in patches */
    const char *grids; /* patches, tokens: "base 24x24, hd 48x72", once the pictures are known; else NULL */
} cf_map_options;

typedef struct cf_study_options {
    cf_runtime_options runtime;
    const char *questions;     /* a question set, or a folder of them */
    const char *question_text; /* the set's own text, which is then not read from `questions`; NULL: it is */
    const char *scene_graphs;  /* of GQA's own questions; NULL: those beside them */
    const char *images;        /* folder of pictures; NULL: images/ beside the questions */
    const char *out;           /* study file */

    /* the runs */
    const char *flows;             /* comma-separated; NULL: the paper's six for trace, none for lens */
    const cf_window_style *styles; /* of the windows */
    size_t n_styles;
    const int32_t *windows; /* window sizes */
    size_t n_windows;
    int32_t layer_begin, layer_end; /* centres [begin, end); end 0: all */
    int32_t repeats;                /* of random controls */
    int64_t seed;                   /* of random controls; 0 or more */

    const cf_map_options *map; /* of a map, whose flows follow from it; NULL: no map */
    int64_t keep_every_ns;     /* map: of measuring, until what is known of an unfinished sample is kept: as much may be
                                  lost */

    /* the samples */
    cf_keep keep;
    int32_t max_new_tokens;
    int64_t limit; /* questions of each set; 0: all */

    /* the measures */
    unsigned scores; /* trace: CF_SCORE_... */
    bool generate;   /* trace: the answer freely generated in every run */
    int32_t top;    /* lens: tokens kept of each entry of the baseline's last position, at most CF_LENS_FEW of others */
    bool lens_norm; /* lens: the final norm before every entry */
    bool lens_image; /* lens: image positions too, in the baseline */

    bool reuse;          /* false: every run from scratch */
    bool strict;         /* a fault of one question is an error at the end */
    const char *command; /* stored as provenance; may be NULL */
} cf_study_options;
cf_study_options cf_study_options_default(void);

typedef struct cf_study_progress {
    int64_t done, total; /* questions (or another unit), the ones found in the study included */
    int64_t resumed;     /* of them found in the study */
    const char *unit;    /* what is counted; NULL: questions */
    const char *task;    /* of the question just finished */
} cf_study_progress;

/* Called once before the first question (done = 0) and after each. May be NULL. */
typedef void (*cf_study_listener)(void *user, const cf_study_progress *p);

typedef struct cf_study_result {
    int64_t total, resumed, traced, wrong, faults;
    int64_t noted;           /* samples with notes (cf_sample) */
    int64_t runs;            /* knocked-out runs measured now */
    double row_layers;       /* decoder rows through layers that were computed now, from the counters of the products */
    double row_layers_plain; /* what one whole forward pass per run would have computed */
    double seconds;          /* of tracing, without loading */
    bool row_invariant;
    double reuse_error; /* largest |probability difference| to recomputation on the sample checked, where products are
                           not row-invariant; else 0 */
    int64_t reuse_checked; /* runs in that check */
    char notes[1024];      /* the choices made: dtype, backend; then a line for each question set with a note */
} cf_study_result;

#endif
