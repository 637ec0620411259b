/* main.c - runs the tests of src/study, a group a file. */
#include "study_fixture.h"

#include "support/temp_dir.h"

int folder_setup(void **state)
{
    *state = temp_dir_make();
    return 0;
}

int folder_teardown(void **state)
{
    temp_dir_remove(*state);
    return 0;
}

int main(void)
{
    return test_question_list() + test_question_queue() + test_pictures() + test_runtime() + test_prepare() +
           test_prompt_layout() + test_answer_tokens() + test_flow_help() + test_run_set() + test_gqa_rows() +
           test_facts() + test_trace() + test_map_flows() + test_map_study();
}
