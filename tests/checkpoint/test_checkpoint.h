/* test_checkpoint.h - the groups of test_checkpoint; each returns its number of failed tests. */
#ifndef CF_TESTS_TEST_CHECKPOINT_H
#define CF_TESTS_TEST_CHECKPOINT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

int test_bad_folder(void);
int test_config(void);
int test_config_original(void);
int test_folder(void);
int test_golden(void);
int test_hash(void);
int test_hub(void);
int test_pickle(void);
int test_safetensors(void);
int test_torch_zip(void);
int test_vision_tower(void);
int test_zip(void);

#endif
