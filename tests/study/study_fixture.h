/* study_fixture.h - what the tests of src/study share. */
#ifndef CF_TESTS_STUDY_FIXTURE_H
#define CF_TESTS_STUDY_FIXTURE_H

/* cmocka wants these before its own header */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"

#define BITES "tests/engine/golden/bites"
#define PICTURES "demo/questions/images"
#define QUESTION_HEADER                                                                                                \
    "question_id,img_id,question,answer,central object x,central object y,central object w,central object h\n"

/* A call that must succeed; its last argument is `report`: assert_ok(cf_thing_open(&thing, report)). */
#define assert_ok(call)                                                                                                \
    do {                                                                                                               \
        cf_error report_ = {0}, *const report = &report_;                                                              \
        const cf_status st_ = (call);                                                                                  \
        if (st_ != CF_OK)                                                                                              \
            fail_msg("%s: status %d: %s", #call, (int)st_, report_.text);                                              \
    } while (0)

/* A call that must fail with `status`, its one line holding `say`. */
#define assert_fails(status, say, call)                                                                                \
    do {                                                                                                               \
        cf_error report_ = {0}, *const report = &report_;                                                              \
        const cf_status st_ = (call);                                                                                  \
        if (st_ != (status) || !strstr(report_.text, (say)))                                                           \
            fail_msg("%s: status %d: %s", #call, (int)st_, report_.text);                                              \
    } while (0)

int test_map_flows(void);
int test_map_study(void);

int folder_setup(void **state); /* *state: an empty folder's name */
int folder_teardown(void **state);

int test_question_list(void);
int test_question_queue(void);
int test_pictures(void);
int test_prepare(void);
int test_prompt_layout(void);
int test_answer_tokens(void);
int test_flow_help(void);
int test_run_set(void);
int test_gqa_rows(void);
int test_facts(void);
int test_runtime(void);
int test_trace(void);

#endif
