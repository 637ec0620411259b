/* lens_study.h - the lens study: what each layer would answer, at the last position, with nothing cut and in runs. */
#ifndef CF_STUDY_LENS_STUDY_H
#define CF_STUDY_LENS_STUDY_H

#include "study/settings.h"

/* See cf_study_run. With flows, the lens of every run too; with lens_image, that of the image positions in the baseline.
 */
CF_MUST_USE cf_status cf_lens(cf_study_result *out, const cf_study_options *o, cf_study_listener listen, void *user,
                              cf_error *err);

#endif
