/* main.c - runs the tests of src/store, a group a file. */
#include "store_fixture.h"

int main(void)
{
    return test_create() + test_write() + test_kill() + test_curves() + test_export() + test_faults() +
           test_statistics() + test_measures() + test_results() + test_lens() + test_export_long() + test_map_cells() +
           test_unfinished() + test_read();
}
