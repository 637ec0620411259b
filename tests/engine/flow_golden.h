/* flow_golden.h - the samples of a golden of flows (docs/goldens.md), ready for the engine: positions as the golden
 * has them, so that the engine is tested and not the search in prompts; texts and boxes in groups through the
 * model's own tokenizer and preprocessor. Faults end the test program. */
#ifndef CF_TESTS_FLOW_GOLDEN_H
#define CF_TESTS_FLOW_GOLDEN_H

#include "engine/score.h"
#include "knockout/run_spec.h"
#include "sample_set.h"

enum { MAX_ANSWER = 4 };

typedef struct flow_sample {
    sample base;
    cf_scene scene;             /* refers to base and to the golden */
    int32_t row;                /* in its question set: where random controls draw from */
    int32_t answer[MAX_ANSWER]; /* what is scored; all but the last are forced */
    cf_asked asked;
} flow_sample;

typedef struct flow_golden {
    const char *name;
    cf_json *json;
    cf_tokenizer *tokenizer;
    cf_preprocess preprocess;
    int32_t n_layers, n_heads, vocab_size;
    cf_flow *flows; /* [n_flows] */
    const char **texts;
    size_t n_flows;
    flow_sample *samples;
    size_t n, n_all; /* of n_all in the file, every n_all / n'th */
} flow_golden;

/* model_dir: the folder of m. At most max_samples of them, spread evenly over the file. */
void flow_golden_open(flow_golden *g, const char *name, const char *path, const char *model_dir, const cf_model *m,
                      size_t max_samples);
void flow_golden_close(flow_golden *g);

/* One line of a sample's table of runs: a flow in a kind of window, at some centres. */
typedef struct flow_line {
    const cf_json *record;
    size_t flow;
    cf_window_style style;
    int32_t k, repeat;
    uint64_t seed;
    const cf_json *centres;
    bool empty_group, fully_cut, too_few_keys;
} flow_line;
flow_line flow_line_read(const flow_golden *g, const cf_json *record);
size_t flow_find(const flow_golden *g, const char *text);

#endif
