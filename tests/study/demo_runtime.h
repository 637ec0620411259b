/* demo_runtime.h - the demo model's files, for a whole group of tests. */
#ifndef CF_TESTS_DEMO_RUNTIME_H
#define CF_TESTS_DEMO_RUNTIME_H

#include "study/runtime.h"

extern cf_runtime demo_runtime;
/* Setup and teardown of a group. */
int open_demo(void **state);
int close_demo(void **state);

#endif
