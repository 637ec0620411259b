/* main.c - runs the tests of src/base, a group a file. */
#include "test_base.h"

int main(void)
{
    return test_error() + test_memory() + test_str() + test_span() + test_file() + test_json() + test_hash();
}
