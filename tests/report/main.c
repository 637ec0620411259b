/* main.c - runs the tests of src/report, a group a file. */
#include "report_fixture.h"

int main(void)
{
    return test_table() + test_table_choice() + test_table_counts() + test_table_lens() + test_table_map() +
           test_statistics_table() + test_figure() + test_paper_figures() + test_page() + test_page_samples();
}
