/* test_plugin.c - the plug-in is found, or its absence is told in one line; an object of another build is never called. No GPU is needed. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/plugin.h"

/* What CF_CUDA_PLUGIN is while one test runs. */
static char *before;

static void set_plugin(const char *path)
{
    assert_int_equal(setenv("CF_CUDA_PLUGIN", path, 1), 0);
}

static int remember(void **state)
{
    (void)state;
    const char *path = getenv("CF_CUDA_PLUGIN");
    before = path ? strdup(path) : NULL;
    return 0;
}

static int restore(void **state)
{
    (void)state;
    const int failed = before ? setenv("CF_CUDA_PLUGIN", before, 1) : unsetenv("CF_CUDA_PLUGIN");
    free(before);
    before = NULL;
    return failed;
}

static void check_refused(cf_status expected, const char *device, const char *text)
{
    cf_backend *be = NULL;
    cf_error err = {0};
    const cf_status st = cf_backend_open(&be, device, &(cf_backend_options){.compute = CF_F16}, &err);
    if (st != expected || !strstr(err.text, text))
        fail_msg("%s: status %d, \"%s\"; expected %d and \"%s\"", device, (int)st, err.text, (int)expected, text);
    assert_null(be);
}

static void without_a_plug_in_a_line_says_so(void **state)
{
    (void)state;
    assert_int_equal(unsetenv("CF_CUDA_PLUGIN"), 0);
    check_refused(CF_UNSUPPORTED, "cuda", "device cuda: this crossflow is built without CUDA");
    check_refused(CF_UNSUPPORTED, "cuda:3", "device cuda:3: this crossflow is built without CUDA");
    set_plugin("/no/such/libcrossflow_cuda.so");
    check_refused(CF_UNSUPPORTED, "cuda:0", "CF_CUDA_PLUGIN names /no/such/libcrossflow_cuda.so, which is not there");
}

static void what_is_no_plug_in_is_refused(void **state)
{
    (void)state;
    set_plugin("README.md");
    check_refused(CF_DEVICE, "cuda:0", "device cuda:0: cannot be loaded: README.md");
    set_plugin(CF_TEST_PLUGINS "/libplugin_without_a_symbol.so");
    check_refused(CF_MISMATCH, "cuda:0", "is no plug-in of crossflow: no cf_plugin_cuda in it");
}

static void a_plug_in_of_another_build_is_refused_and_never_called(void **state)
{
    (void)state;
    set_plugin(CF_TEST_PLUGINS "/libplugin_of_another_size.so");
    check_refused(CF_MISMATCH, "cuda:0", "belongs to another build of crossflow: expected tables of");
    set_plugin(CF_TEST_PLUGINS "/libplugin_of_another_version.so");
    check_refused(CF_MISMATCH, "cuda:0",
                  "belongs to another version of crossflow: expected " CF_PLUGIN_VERSION ", found 0.0/0");
}

static void a_plug_in_of_this_build_is_called_with_the_device_of_the_name(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
    } cases[] = {{"cuda", "opened 0 for f16"}, {"cuda:0", "opened 0 for f16"}, {"cuda:12", "opened 12 for f16"}};
    int64_t bytes = 0;
    cf_str list = {0};
    set_plugin(CF_TEST_PLUGINS "/libplugin_of_this_build.so");
    for (int64_t i = 0; i < COUNT(cases); i++)
        check_refused(CF_DEVICE, cases[i].name, cases[i].text);
    OK(cf_backend_memory(&bytes, "cuda:5", &err));
    assert_int_equal(bytes, 5);
    OK(cf_backend_list(&list, &err));
    assert_non_null(strstr(list.data, "cpu "));
    assert_non_null(strstr(list.data, "\ncuda:0 a line of the plug-in's\n"));
    cf_str_deinit(&list);
}

static void a_list_of_devices_says_why_there_is_no_gpu(void **state)
{
    (void)state;
    cf_str list = {0};
    set_plugin("/no/such/libcrossflow_cuda.so");
    OK(cf_backend_list(&list, &err));
    assert_int_equal(strncmp(list.data, "cpu ", 4), 0);
    assert_non_null(strstr(list.data, "\ncuda       none: device cuda: CF_CUDA_PLUGIN names "));
    cf_str_deinit(&list);
}

static void the_memory_of_the_cpu_is_the_machines(void **state)
{
    (void)state;
    int64_t cpu = 0, ref = 0;
    OK(cf_backend_memory(&cpu, "cpu", &err));
    OK(cf_backend_memory(&ref, "ref", &err));
    assert_true(cpu > 1 << 20 && cpu == ref);
    cf_error err = {0};
    assert_int_equal(cf_backend_memory(&cpu, "gpu", &err), CF_USAGE);
}

/* The real one, where this build has it: on a machine without a driver it must be one line, not a crash; with one, no such device is. */
static void the_real_plug_in_says_what_is_missing(void **state)
{
    (void)state;
    cf_backend *be = NULL;
    cf_error err = {0};
    if (!CF_TEST_REAL_PLUGIN[0]) {
        (void)printf("skipped: this build has no CUDA plug-in\n");
        skip();
    }
    set_plugin(CF_TEST_REAL_PLUGIN);
    const cf_status st = cf_backend_open(&be, "cuda:99", &(cf_backend_options){.compute = CF_F16}, &err);
    assert_int_equal(st, CF_DEVICE);
    assert_null(be);
    if (!strstr(err.text, "there is no NVIDIA driver on this machine") &&
        !strstr(err.text, "the driver sees no device") && !strstr(err.text, "the NVIDIA driver is too old") &&
        !strstr(err.text, "cuda:99: no such device: there "))
        fail_msg("%s", err.text);
}

int test_plugin(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_plug_in_a_line_says_so, remember, restore),
        cmocka_unit_test_setup_teardown(what_is_no_plug_in_is_refused, remember, restore),
        cmocka_unit_test_setup_teardown(a_plug_in_of_another_build_is_refused_and_never_called, remember, restore),
        cmocka_unit_test_setup_teardown(a_plug_in_of_this_build_is_called_with_the_device_of_the_name, remember,
                                        restore),
        cmocka_unit_test_setup_teardown(a_list_of_devices_says_why_there_is_no_gpu, remember, restore),
        cmocka_unit_test(the_memory_of_the_cpu_is_the_machines),
        cmocka_unit_test_setup_teardown(the_real_plug_in_says_what_is_missing, remember, restore),
    };
    return cmocka_run_group_tests_name("plug-in", tests, NULL, NULL);
}
