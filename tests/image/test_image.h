/* test_image.h - the groups of test_image; each returns its number of failed tests. */
#ifndef CF_TESTS_TEST_IMAGE_H
#define CF_TESTS_TEST_IMAGE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

int test_boxes(void);
int test_config(void);
int test_decode(void);
int test_fit(void);
int test_patch_area(void);
int test_resize(void);
int test_tiling(void);

#endif
