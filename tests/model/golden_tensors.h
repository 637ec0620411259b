/* golden_tensors.h - reads the tensors of a golden safetensors file (docs/goldens.md). Faults end the test. */
#ifndef CF_TESTS_GOLDEN_TENSORS_H
#define CF_TESTS_GOLDEN_TENSORS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "checkpoint/safetensors.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Fails the test with the message unless the call is CF_OK; the call names its error `&err`. */
#define OK(call)                                                                                                       \
    do {                                                                                                               \
        cf_error err = {0};                                                                                            \
        if ((call) != CF_OK)                                                                                           \
            fail_msg("%s: %s", #call, err.text);                                                                       \
    } while (0)

/* A heap copy of the f32 tensor `key`.`name`, which has exactly n elements. */
float *golden_floats(const cf_safetensors *file, const char *key, const char *name, int64_t n);
/* The largest difference relative to the largest expected value; fails the test where it is over `bound`. */
double check_relative(const char *what, const float *found, const float *expected, int64_t n, double bound);

#endif
