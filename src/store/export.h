/* export.h - the study as the CSV files of the published scripts, as one long table, and its statistics. */
#ifndef CF_STORE_EXPORT_H
#define CF_STORE_EXPORT_H

#include "store/store.h"

/* Writes the published tables into dir (made if missing).
 *
 * Knockout: one CSV per task, spec, style and window (and repeat), named TASK_FLOW_kK.csv, or TASK_FLOW_STYLE.csv,
 * TASK_FLOW_outside_kK.csv, with _rN for each repeat of a random flow; the flow's "->" as "-to-", blanks as "_", other
 * signs that shells or file systems mind as "_"; a name over 200 bytes is cut and ends in a hash of the whole. CF_MISMATCH
 * where two files would have one name. Columns, exactly: question_id, image, goden answer (sic), predicted answer,
 * question, block_desc, layer, base_score_first, new_score_first, relative diff first. Rows by question row, then layer.
 * block_desc is the flow's canonical text, with the seed where it is random. Scores are printed as cf_str_add_float does: a
 * float reads back exactly. A value that is none is two empty cells.
 *
 * Lens: one CSV per task, TASK_lens.csv (of a run: TASK_lens_FLOW_kK_lCENTRE.csv), of the last position. Columns,
 * exactly: question_id, image, goden answer, question, layer, top_k_word, top_k_score, Noncapitalized Answer,
 * Noncapitalized False Option, Capitalized Answer, Capitalized False Option; the two False columns only where the task
 * has options. The four are in %, empty where there is none; top_k_word and top_k_score are JSON lists of words and of
 * probabilities, as stored. Other positions: TASK_lens_image.csv (TASK_lens_image_FLOW_kK_lCENTRE.csv), with a column
 * position after question.
 *
 * A map (docs/maps.md) is one file in place of these, map.csv: a row for every measure of every cell of every kept sample.
 * Columns: task, row, question_id, image, question, predicted, map, to, grid, patch_row, patch_column, patch_rows,
 * patch_columns, head, token, window, layer, flow, measure, baseline, value, difference (of value and baseline), change,
 * flag; a cell is empty where the map has no such thing.
 *
 * Files are written whole to a temporary name and renamed. *n_files counts them. */
CF_MUST_USE cf_status cf_export_csv(cf_store *s, const char *dir, int64_t *n_files, cf_error *err);

/* Writes every value of every measure to path as one long table. Columns: task, row, question_id, image, question,
 * answer, predicted, flow, mode, heads, seed, repeat, style, window, layer, layers, measure, baseline, value, change,
 * flag. Rows by task and row, then by run and the measure's name; window and layer are empty where the style has none,
 * numbers are printed with %.17g and empty where there is none. */
CF_MUST_USE cf_status cf_export_values(cf_store *s, const char *path, cf_error *err);

/* Writes the study to path as JSON Lines: one line a sample, all samples, with its columns, notes (a list) and groups;
 * "baselines": an object of measures; "values": a list of {flow, mode, heads, seed, repeat, style, window, layer, layers,
 * measure, value, flag}; "answers": the same with text in place of the last three; "lens": a list of {run: null or {flow,
 * ..., layers}, position, layer, answer, option, answer_upper, option_upper, words, scores}. What is none is null. */
CF_MUST_USE cf_status cf_export_jsonl(cf_store *s, const char *path, cf_error *err);

/* Writes the statistics to path: a row a task, flow, window and layer, measure by measure, "all tasks" last where there
 * are several. Columns: task, flow, style, window, layer, measure, n, n_empty, n_without, mean, low, high, median,
 * wilcoxon_p, rank_biserial_r; see cf_statistic_point. All measures that have a curve, o->measure aside. Numbers are
 * printed with %.17g; a cell is empty where there is none. The file is put in place whole. */
CF_MUST_USE cf_status cf_export_statistics(cf_store *s, const char *path, const cf_statistics_options *o,
                                           cf_error *err);

#endif
