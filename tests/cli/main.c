/* main.c - the program end to end. */
#include "cli_fixture.h"

int main(void)
{
    return test_usage() + test_output() + test_bad_model() + test_bad_questions() + test_bad_options() +
           test_identity() + test_in_flight() + test_original() + test_row_faults() + test_memory() +
           test_flow_values() + test_lens() + test_map() + test_bad_map() + test_report() + test_reuse() +
           test_resume();
}
