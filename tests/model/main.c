/* main.c - runs the tests of src/model, a group a file. */
#include "test_model.h"

int main(void)
{
    return test_load() + test_vision() + test_decoder() + test_stream();
}
