/* test_base.h - the groups of test_base; each returns its number of failed tests. */
#ifndef CF_TESTS_TEST_BASE_H
#define CF_TESTS_TEST_BASE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

int test_error(void);
int test_file(void);
int test_hash(void);
int test_json(void);
int test_memory(void);
int test_span(void);
int test_str(void);

#endif
