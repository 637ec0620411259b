/* fixture.h - what the tests of src/engine share: two models in several backends, and their golden samples. */
#ifndef CF_TESTS_ENGINE_FIXTURE_H
#define CF_TESTS_ENGINE_FIXTURE_H

#include "flow_golden.h"
#include "model/loaded_model.h"
#include "sample_set.h"
#include "support/thin.h"

typedef struct fixture {
    loaded_model demo_f32, bites_f32, bites_one_thread, bites_ref;
    loaded_model demo_bf16, bites_bf16; /* model NULL where this processor does not multiply bf16 */
    sample_set demo, bites;
    flow_golden flows_bites, flows_demo;
} fixture;

void fixture_open(fixture *f);
void fixture_close(fixture *f);

/* True, with a message, where a test of equal bits has nothing to test: no such model, or products that are not
 * row-invariant. */
bool not_exact_here(const loaded_model *m, const char *what);

/* The groups; each returns its number of failed tests. */
int test_logit_kernels(void);
int test_score(void);
int test_mask(void);
int test_baseline(fixture *f);
int test_parity(fixture *f);
int test_mutations(fixture *f);
int test_flows(fixture *f);
int test_flow_mutations(fixture *f);
int test_lens(fixture *f);
int test_generation(fixture *f);
int test_exact(fixture *f);
int test_exact_parts(fixture *f);
int test_sessions(fixture *f);
int test_together(fixture *f);
int test_runs_at_once(fixture *f);
int test_shared_picture(fixture *f);
int test_session_memory(fixture *f);

#endif
