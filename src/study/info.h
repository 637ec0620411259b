/* info.h - what a checkpoint is, and what a study of it will take, before anything is run. */
#ifndef CF_STUDY_INFO_H
#define CF_STUDY_INFO_H

#include "base/str.h"
#include "study/settings.h"

/* Appends a readable description of the model; with o->questions also the forecast of a study: runs, rows, memory,
 * time. Loads one weight, to time a product. */
CF_MUST_USE cf_status cf_info_text(cf_str *out, const cf_study_options *o, cf_error *err);

#endif
