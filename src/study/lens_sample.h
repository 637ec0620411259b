/* lens_sample.h - the lens on one sample: what is read of its baseline and its runs, and the entries that come of it.
 *
 * The lens of a run rides on the sweep: a node of the plan is read once and serves every run below it; entries before a
 * run's first node are the baseline's. */
#ifndef CF_STUDY_LENS_SAMPLE_H
#define CF_STUDY_LENS_SAMPLE_H

#include "engine/sweep.h"
#include "study/study.h"

typedef struct cf_lens_top { /* a list of top tokens: where it begins in the texts */
    size_t words, scores;
} cf_lens_top;

/* One hidden state's reading. A run takes the few, also where its state is the baseline's. */
typedef struct cf_lens_reading {
    double p[CF_N_LENS_LINES];
    cf_lens_top top, few;
} cf_lens_reading;

/* Positions of the baseline that are read, and the first of their readings. */
typedef struct cf_lens_range {
    int32_t begin, end;
    size_t first;
} cf_lens_range;

/* Keeps its memory from sample to sample. */
typedef struct cf_lens_sample {
    const cf_study *study;
    cf_sample_plan planned;
    cf_lens_range ranges[2]; /* the image, where asked for; then the last position */
    size_t n_ranges;
    int32_t tokens[CF_N_LENS_LINES]; /* -1 where there is none */
    int64_t vocab;
    int32_t *top_ids;
    double *top_scores;
    cf_str texts; /* JSON lists, each closed by a NUL */
    cf_lens_reading
        *baseline; /* [n_entries, positions] range by range, entry by entry, as cf_session_lens visits them */
    size_t n_baseline, cap_baseline;
    cf_lens_reading *nodes; /* [plan nodes] */
    bool *has_node;         /* the node changes the last position */
    cf_lens_entry *entries;
    size_t n_entries, cap_entries;
    cf_status status; /* of the visitors, which cannot fail */
    cf_error error;
} cf_lens_sample;

/* l is zeroed. To be closed in every case. */
CF_MUST_USE cf_status cf_lens_sample_open(cf_lens_sample *l, const cf_study *s, cf_error *err);
void cf_lens_sample_close(cf_lens_sample *l);

/* Takes a sample and plans its runs; *keep_from: the lowest position that the baseline must keep. */
CF_MUST_USE cf_status cf_lens_sample_plan(cf_lens_sample *l, const cf_study_sample *x, int32_t *keep_from,
                                          cf_error *err);
/* Chooses the tokens and makes room for the readings. */
CF_MUST_USE cf_status cf_lens_sample_ready(cf_lens_sample *l, const cf_study_sample *x, cf_error *err);
/* Reads the baseline, after its pass. */
CF_MUST_USE cf_status cf_lens_sample_read(cf_lens_sample *l, const cf_study_sample *x, cf_error *err);
/* Who reads the runs, in the sweep of l->planned. */
cf_sweep_reader cf_lens_sample_reader(cf_lens_sample *l);
/* All entries, in the sample's results; they are l's. */
CF_MUST_USE cf_status cf_lens_sample_finish(cf_lens_sample *l, cf_study_sample *x, cf_error *err);

#endif
