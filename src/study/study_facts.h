/* study_facts.h - what a study writes about itself: the identity that decides its numbers, and its provenance. */
#ifndef CF_STUDY_STUDY_FACTS_H
#define CF_STUDY_STUDY_FACTS_H

#include "study/study.h"

typedef struct cf_facts { /* zero-initialise; owns keys and values */
    cf_fact *items;
    size_t n, cap;
} cf_facts;

void cf_facts_deinit(cf_facts *f);
/* identity: the value decides numbers, and a study is continued only where it is the same. */
CF_MUST_USE cf_status cf_facts_add_text(cf_facts *f, bool identity, const char *key, const char *value, cf_error *err);
CF_MUST_USE cf_status cf_facts_add_number(cf_facts *f, bool identity, const char *key, int64_t value, cf_error *err);
/* Of a study, its job's own included, whose runtime is loaded, with its questions and runs. --limit is no part of the identity: a longer run
 * continues a shorter one. */
CF_MUST_USE cf_status cf_facts_of_study(cf_facts *out, const cf_study *s, cf_error *err);

#endif
