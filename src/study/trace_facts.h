/* trace_facts.h - what a study writes about itself: the identity that decides its numbers, and its provenance. */
#ifndef CF_STUDY_TRACE_FACTS_H
#define CF_STUDY_TRACE_FACTS_H

#include "knockout/flow.h"
#include "store/store.h"
#include "study/question_list.h"
#include "study/trace.h"

typedef struct cf_facts { /* zero-initialise; owns keys and values */
    cf_fact *items;
    size_t n, cap;
} cf_facts;

void cf_facts_deinit(cf_facts *f);
/* --limit is no part of the identity: a longer run continues a shorter one. */
CF_MUST_USE cf_status cf_facts_of_trace(cf_facts *out, const cf_trace_options *o, const cf_runtime *r,
                                        const cf_question_list *list, const cf_flows *flows, const char *images,
                                        cf_error *err);

#endif
