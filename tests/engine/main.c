/* main.c - runs the tests of src/engine, a group a file. */
#include "fixture.h"

int main(void)
{
    fixture f;
    fixture_open(&f);
    const int failed = test_logit_kernels() + test_score() + test_mask() + test_baseline(&f) + test_parity(&f) +
                       test_mutations(&f) + test_flows(&f) + test_flow_mutations(&f) + test_lens(&f) +
                       test_generation(&f) + test_exact(&f) + test_exact_parts(&f) + test_sessions(&f) +
                       test_together(&f) + test_runs_at_once(&f) + test_shared_picture(&f) + test_session_memory(&f);
    fixture_close(&f);
    return failed;
}
