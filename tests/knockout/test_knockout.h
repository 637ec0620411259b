/* test_knockout.h - the groups of test_knockout; each returns its number of failed tests. And what they share. */
#ifndef CF_TESTS_TEST_KNOCKOUT_H
#define CF_TESTS_TEST_KNOCKOUT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/span.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Fails the test with the message unless the call is CF_OK. Any number of the call's arguments may use `err`. */
#define OK(call)                                                                                                       \
    do {                                                                                                               \
        cf_error err = {0};                                                                                            \
        if ((call) != CF_OK)                                                                                           \
            fail_msg("%s: %s", #call, err.text);                                                                       \
    } while (0)

int test_window(void);
int test_group(void);
int test_group_expr(void);
int test_flow(void);
int test_flow_random(void);
int test_flow_memory(void);
int test_run_spec(void);
int test_parts(void);
int test_parts_random(void);
int test_plan(void);
int test_plan_actions(void);
int test_plan_random(void);
int test_plan_memory(void);
int test_sight(void);

/* The positions written in a word, one character each: "..xx.x" is {2, 3, 5}. The caller deinits. */
cf_spans spans_of(const char *word);
/* The same word, of a list of spans; n characters and NUL. */
void word_of(char *word, const cf_spans *s, int32_t n);

#endif
