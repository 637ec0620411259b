/* test_model.h - the groups of test_model; each returns its number of failed tests. */
#ifndef CF_TESTS_TEST_MODEL_H
#define CF_TESTS_TEST_MODEL_H

int test_load(void);
int test_vision(void);
int test_decoder(void);
int test_stream(void);

#endif
