/* main_values.c - the program end to end: that its numbers are right, however it is asked for them and wherever it is
 * stopped. */
#include "cli_fixture.h"

int main(void)
{
    return test_flow_values() + test_lens() + test_map() + test_reuse() + test_resume();
}
