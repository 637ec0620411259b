/* test_cuda.h - the groups of test_cuda_attention; each returns its number of failed tests. */
#ifndef CF_TESTS_CUDA_TEST_CUDA_H
#define CF_TESTS_CUDA_TEST_CUDA_H

#include "backend/fixture.h"

int test_attention_plan(void);
int test_emulated_attention(void);
int test_emulated_attention_exact(void);

#endif
