/* main.c - runs the tests of src/knockout, a group a file. */
#include "test_knockout.h"

int main(void)
{
    return test_window() + test_group() + test_group_expr() + test_flow() + test_flow_random() + test_flow_memory() +
           test_run_spec() + test_parts() + test_parts_random() + test_plan() + test_plan_actions() +
           test_plan_random() + test_plan_memory() + test_sight();
}
