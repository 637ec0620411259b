/* main.c - the program end to end: what it says, takes and refuses. */
#include "cli_fixture.h"

int main(void)
{
    return test_usage() + test_output() + test_bad_model() + test_bad_questions() + test_bad_options() +
           test_bad_map() + test_identity() + test_in_flight() + test_original() + test_row_faults() + test_memory() +
           test_report() + test_device();
}
