/* test_device.c - devices by name: what there is, and that a device that is not there is one line and exit status 1. No GPU is needed, and none disturbs. */
#include "cli_fixture.h"

#include <stdio.h>
#include <string.h>

static const program_setting no_plugin = {.name = "CF_CUDA_PLUGIN", .value = "/no/such/libcrossflow_cuda.so"};

static void info_lists_devices_without_a_model(void **state)
{
    fixture *f = *state;
    program_run(&f->r, (const char *const[]){"info", "--devices", NULL}, &no_plugin);
    assert_done(&f->r, "devices");
    assert_int_equal(strncmp(f->r.out.data, "cpu        products in f32", 26), 0);
    assert_non_null(
        strstr(f->r.out.data, "\ncuda       none: device cuda: CF_CUDA_PLUGIN names /no/such/libcrossflow_cuda.so, "));
    RUN(&f->r, "info", "--devices"); /* whatever this machine has */
    assert_done(&f->r, "devices here");
    assert_non_null(strstr(f->r.out.data, "\ncuda"));
    RUN(&f->r, "info");
    assert_refused(&f->r, "no model", 2, "usage: crossflow info MODEL");
}

static void a_device_that_is_not_there_is_one_line_and_writes_nothing(void **state)
{
    static const struct {
        const char *device, *dtype, *say;
    } cases[] = {{"cuda", "auto", "device cuda: CF_CUDA_PLUGIN names"},
                 {"cuda:0", "f32", "device cuda:0: CF_CUDA_PLUGIN names"},
                 {"cuda:1", "f16", "device cuda:1: CF_CUDA_PLUGIN names"},
                 {"cuda:0", "f64", "--dtype f64: expected auto, f32, f16 or bf16"},
                 {"cuda:", "auto", "device cuda:: expected cpu, ref, cuda or cuda:N"}};
    fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture_trace(
            f, &(trace_call){.extra = {"--device", cases[i].device, "--dtype", cases[i].dtype}, .setting = no_plugin});
        assert_refused(&f->r, cases[i].device, 1, cases[i].say);
        assert_no_study(f->study, cases[i].device);
        program_run(&f->r,
                    (const char *const[]){"ask", BITES, "--image", PICTURES "/000024.jpg", "--question", "Is it?",
                                          "--device", cases[i].device, "--dtype", cases[i].dtype, NULL},
                    &no_plugin);
        assert_refused(&f->r, cases[i].device, 1, cases[i].say);
    }
}

/* The program's own plug-in, where it was built with one: no driver, or no such device. */
static void the_real_plug_in_refuses_in_one_line(void **state)
{
    fixture *f = *state;
    RUN(&f->r, "ask", BITES, "--image", PICTURES "/000024.jpg", "--question", "Is it?", "--device", "cuda:99");
    assert_refused(&f->r, "cuda:99", 1, "cuda");
}

int test_device(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(info_lists_devices_without_a_model, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_device_that_is_not_there_is_one_line_and_writes_nothing, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(the_real_plug_in_refuses_in_one_line, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
