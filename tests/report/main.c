/* main.c - runs the tests of src/report, a group a file. */
#include "report_fixture.h"

int main(void)
{
    return test_table() + test_statistics_table() + test_figure();
}
