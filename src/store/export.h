/* export.h - the study as the CSV files of the published scripts, and its statistics as one CSV file. */
#ifndef CF_STORE_EXPORT_H
#define CF_STORE_EXPORT_H

#include "store/store.h"

/* Writes one CSV per task, flow and window into dir (made if missing), named TASK_FLOW_kK.csv with the flow's "->" as
 * "-to-" and blanks as "_". Columns, exactly: question_id, image, goden answer (sic), predicted answer, question,
 * block_desc, layer, base_score_first, new_score_first, relative diff first. Rows by question row, then layer.
 * block_desc is the flow's canonical text. Scores are printed with %.9g, so that a float reads back exactly. fully_cut
 * values are empty cells. Files are written whole to a temporary name and renamed. *n_files counts them. */
CF_MUST_USE cf_status cf_export_csv(cf_store *s, const char *dir, int64_t *n_files, cf_error *err);

/* Writes the statistics to path: a row a task, flow, window and layer, "all tasks" last where there are several.
 * Columns: task, flow, window, layer, n, n_empty, n_fully_cut, mean, low, high, median, wilcoxon_p, rank_biserial_r;
 * see cf_statistic_point. Numbers are printed with %.17g; a cell is empty where there is none. The file is put in
 * place whole. */
CF_MUST_USE cf_status cf_export_statistics(cf_store *s, const char *path, const cf_statistics_options *o,
                                           cf_error *err);

#endif
