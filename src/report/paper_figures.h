/* paper_figures.h - the figures of "Cross-modal Information Flow in Multimodal Large Language Models" (arXiv 2411.18620)
 * by name: what reaches the answer, what reaches the question, what of the objects does, and the lens. */
#ifndef CF_REPORT_PAPER_FIGURES_H
#define CF_REPORT_PAPER_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "report/plot_script.h"
#include "store/store.h"

typedef struct cf_paper_options {
    cf_figure_format format;
    int32_t window;     /* of style "centre"; 0: 9 where the study has it, else its smallest */
    cf_measure measure; /* one that has a curve */
    bool drop_empty;    /* samples with an empty group are left out of that curve's means */
} cf_paper_options;

/* Writes into dir (made if missing) to_last_TASK, to_question_TASK, object_to_question_TASK and lens_TASK for each task,
 * and to_last, to_question, object_to_question and lens with all tasks as panels, with the format's ending and each
 * with its script beside it. All figures of one analysis have the same axes. Appends to *written a line per figure, and to
 * *missing one for each analysis, or flow of it, that the study has no curve of. CF_USAGE where it has none at all;
 * CF_MISMATCH for two tasks whose files would have one name; CF_IO as cf_figure_write. */
CF_MUST_USE cf_status cf_paper_figures_write(cf_store *s, const char *dir, const cf_paper_options *o, cf_str *written,
                                             cf_str *missing, cf_error *err);

#endif
