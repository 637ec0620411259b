/* test_flow_help.c - the grammar of flows as users read it says what the parser takes. */
#include "study_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "knockout/flow.h"
#include "study/flow_help.h"

static cf_str help_of(const char *flows)
{
    cf_str text = {0};
    assert_ok(cf_flow_help(&text, cf_slice_of(flows), report));
    return text;
}

static void assert_line(const char *text, const char *line, size_t n)
{
    for (const char *at = strstr(text, "\n  "); at; at = strstr(at + 1, "\n  "))
        if (strncmp(at + 3, line, n) == 0 && at[3 + n] == '\n')
            return;
    fail_msg("no line \"  %.*s\" in: %s", (int)n, line, text);
}

static void help_names_every_group_and_every_mode(void **state)
{
    (void)state;
    cf_str text = help_of("");
    for (int g = 0; g < CF_N_GROUPS; g++)
        assert_line(text.data, cf_group_name((cf_group)g), strlen(cf_group_name((cf_group)g)));
    for (int m = CF_MODE_KEEP; m < CF_N_MODES; m++) {
        cf_str prefix = {0};
        assert_ok(cf_str_addf(&prefix, report, "\n  %s: ", cf_mode_name((cf_mode)m)));
        const char *const said = strstr(text.data, prefix.data);
        if (!said || said > strstr(text.data, "\nNames:")) /* among the productions, not only in an example */
            fail_msg("help does not say %s", prefix.data);
        cf_str_deinit(&prefix);
    }
    cf_str_deinit(&text);
}

/* An example is read and printed again by the same grammar: each line is canonical and parses by itself. */
static void every_example_parses_as_it_is_printed(void **state)
{
    (void)state;
    cf_str text = help_of("");
    const char *line = strstr(text.data, "\nExamples:\n\n");
    unsigned modes = 0;
    int n = 0;
    assert_non_null(line);
    for (line += strlen("\nExamples:\n\n"); *line; line = strchr(line, '\n') + 1, n++) {
        cf_flow flow = {0};
        cf_str printed = {0};
        const cf_slice example = {line + 2, (size_t)(strchr(line, '\n') - line - 2)};
        assert_memory_equal(line, "  ", 2);
        assert_ok(cf_flow_parse(&flow, example, report));
        assert_ok(cf_flow_print(&printed, &flow, report));
        assert_int_equal(printed.n, example.n);
        assert_memory_equal(printed.data, example.data, example.n);
        modes |= 1u << flow.mode;
        cf_str_deinit(&printed);
        cf_flow_deinit(&flow);
    }
    assert_true(n >= 6);
    assert_true(modes & 1u << CF_MODE_CUT && modes & 1u << CF_MODE_KEEP && modes & 1u << CF_MODE_RANDOM);
    assert_true(modes & (1u << CF_MODE_ZERO_MLP | 1u << CF_MODE_ZERO_ATTENTION));
    cf_str_deinit(&text);
}

static void flows_are_printed_as_they_are_read(void **state)
{
    (void)state;
    cf_str text = help_of(" image->LAST , cut:Image -> Last,zero MLP:[-3:]+\"the\"@0:2");
    assert_string_equal(text.data, "Image->Last\nzero mlp: [-3:] + \"the\"@0:2\n");
    cf_str_deinit(&text);
    text = help_of("paper");
    assert_string_equal(text.data, "Question->Last\nImage->Last\nLast->Last\nImage->Question\n"
                                   "Image Central Object->Question\nImage Without Central Object->Question\n");
    cf_str before = {0};
    assert_ok(cf_str_add_text(&before, "as it was", report));
    assert_fails(CF_USAGE, "flow \"Image->Nowhere\", character 8: expected a group",
                 cf_flow_help(&before, cf_slice_of("Image->Last,Image->Nowhere"), report));
    assert_string_equal(before.data, "as it was");
    cf_str_deinit(&before);
    cf_str_deinit(&text);
}

int test_flow_help(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_names_every_group_and_every_mode),
        cmocka_unit_test(every_example_parses_as_it_is_printed),
        cmocka_unit_test(flows_are_printed_as_they_are_read),
    };
    return cmocka_run_group_tests_name("the grammar of flows", tests, NULL, NULL);
}
