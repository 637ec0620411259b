/* demo_runtime.c - see demo_runtime.h. */
#include "demo_runtime.h"

cf_runtime demo_runtime;

int open_demo(void **state)
{
    (void)state;
    cf_runtime_options o = cf_runtime_options_default();
    o.model = "demo/model";
    return cf_runtime_open_files(&demo_runtime, &o, NULL) != CF_OK;
}

int close_demo(void **state)
{
    (void)state;
    cf_runtime_close(&demo_runtime);
    return 0;
}
