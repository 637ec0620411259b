/* info.h - what a checkpoint is, and what a study of it will take, before anything is run. */
#ifndef CF_STUDY_INFO_H
#define CF_STUDY_INFO_H

#include "base/str.h"
#include "checkpoint/config.h"
#include "study/settings.h"

/* Appends a readable description of the model; with o->questions also the forecast of a study: runs, rows, memory,
 * time. Loads one weight, to time a product. */
CF_MUST_USE cf_status cf_info_text(cf_str *out, const cf_study_options *o, cf_error *err);

/* Appends a line for each device that --device can name, or why there is no cuda device. */
CF_MUST_USE cf_status cf_info_devices(cf_str *out, cf_error *err);

/* Parts of a forecast. Multiply-adds per second of one decoder product at a middling row count, measured on a weight that
 * is loaded for it; the runtime needs only its files. */
CF_MUST_USE cf_status cf_info_speed(double *macs_per_second, const cf_runtime *r, const cf_study_options *o,
                                    cf_dtype dtype, cf_error *err);
/* Multiply-adds of one row through the products of one decoder layer. */
double cf_info_row_macs(const cf_text_config *t);

#endif
