/* trace.h - the knockout study: every question of some sets, every flow, every layer, into a study file. */
#ifndef CF_STUDY_TRACE_H
#define CF_STUDY_TRACE_H

#include "study/settings.h"

/* See cf_study_run. */
CF_MUST_USE cf_status cf_trace(cf_study_result *out, const cf_study_options *o, cf_study_listener listen, void *user,
                               cf_error *err);

struct cf_facts;
/* Adds which scores are taken, for studies that take them as trace does. */
CF_MUST_USE cf_status cf_trace_add_facts(struct cf_facts *f, const cf_study_options *o, cf_error *err);

#endif
