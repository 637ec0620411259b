/* test_export_long.c - the long table and JSON Lines, byte for byte. */
#include "store_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "store/export.h"
#include "support/temp_dir.h"

#define LOST "\xef\xbf\xbd" /* U+FFFD */

static void assert_text(const char *path, const char *text)
{
    cf_str found = {0};
    assert_ok(cf_file_read(&found, path, 1 << 20, report));
    assert_string_equal(found.data, text);
    cf_str_deinit(&found);
}

static void the_long_table_has_every_value_of_every_measure(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    fixture_rich_study(s);
    assert_ok(cf_export_values(s, f->values, report));
#define SAMPLE ",00000024,2390560.jpg,\"Is the circle blue, or orange?\",orange,Orange,"
#define CUT "Image->Last,cut,all,0,0,centre,1,0,0:1,"
#define RANDOM "random: Image->Last,random,all,7,"
    assert_text(f->values,
                "task,row,question_id,image,question,answer,predicted,flow,mode,"
                "heads,seed,repeat,style,window,layer,layers,measure,baseline,value,change,flag\n"
                "A,0" SAMPLE CUT "difference,2,-1.5,-3.5,\n"
                "A,0" SAMPLE CUT "flip,0,1,100,\n"
                "A,0" SAMPLE CUT "probability,0.5,0.25,-50,\n"
                "A,0" SAMPLE CUT "top,537,12,,\n"
                "A,0" SAMPLE RANDOM "0,centre,3,1,0:2,probability,0.5,0.375,-25,\n"
                "A,0" SAMPLE RANDOM "1,centre,3,1,0:2,probability,0.5,,,too_few_keys\n"
                "A,0" SAMPLE "Image->Last@0:2 & Last->Last@3,cut,mixed,0,0,fixed,,,,probability,0.5,0.5,0,empty_group\n"
                "B,0" SAMPLE CUT "probability,0.5,0.125,-75,\n");
#undef RANDOM
#undef CUT
#undef SAMPLE
    cf_store_close(s);
}

static void a_line_of_json_has_all_that_is_known_of_a_sample(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    fixture_rich_study(s);
    assert_ok(cf_export_jsonl(s, f->jsonl, report));
#define ASKED                                                                                                          \
    "\"question_id\":\"00000024\",\"image\":\"2390560.jpg\",\"question\":\"Is the circle blue, or "                    \
    "orange?\",\"answer\":\"orange\","
#define FOUND                                                                                                          \
    "\"object\":\"circle\",\"status\":\"done\",\"reason\":\"\",\"predicted\":\"Orange\",\"first_token\":537,\"first_"  \
    "token_text\":\"Orange\",\"probability\":0.5,\"n_tokens\":172,\"answer_ids\":[537,2],\"true_token\":540,"          \
    "\"groups\":{\"Image\":[[4,148]]},\"notes\":[\"one\",\"two\"],\"grid_h\":12,\"grid_w\":13,\"picture_w\":640,"      \
    "\"picture_h\":480,\"fitted_w\":168,\"fitted_h\":169,\"tokens\":[\"<s>\",null,\"Is\"],"                            \
    "\"boxes\":[{\"name\":\"circle\",\"x\":247,\"y\":137,\"w\":82,\"h\":82}],"                                         \
    "\"patches\":[{\"kind\":\"base\",\"at\":4}],"
#define CUT                                                                                                            \
    "\"flow\":\"Image->Last\",\"mode\":\"cut\",\"heads\":\"all\",\"seed\":0,\"repeat\":0,\"style\":\"centre\","        \
    "\"window\":1,\"layer\":0,\"layers\":\"0:1\","
#define RANDOM "\"flow\":\"random: Image->Last\",\"mode\":\"random\",\"heads\":\"all\",\"seed\":7,"
#define DRAWN "\"style\":\"centre\",\"window\":3,\"layer\":1,\"layers\":\"0:2\""
#define FIXED                                                                                                          \
    "\"flow\":\"Image->Last@0:2 & "                                                                                    \
    "Last->Last@3\",\"mode\":\"cut\",\"heads\":\"mixed\",\"seed\":0,\"repeat\":0,\"style\":\"fixed\",\"window\":null," \
    "\"layer\":null,\"layers\":\"\","
#define TOP "\"words\":[\"a\",\"b\"],\"scores\":[0.5,0.25]}"
    static const char *const lines[] = {
        "{\"task\":\"A\",\"row\":0," ASKED "\"true_option\":\"orange\",\"false_option\":\"blue\"," FOUND
        "\"baselines\":{\"difference\":2,\"flip\":0,\"top\":537,\"true\":null},\"values\":[{" CUT
        "\"measure\":\"difference\",\"value\":-1.5,\"flag\":\"\"},"
        "{" CUT "\"measure\":\"flip\",\"value\":1,\"flag\":\"\"},"
        "{" CUT "\"measure\":\"probability\",\"value\":0.25,\"flag\":\"\"},"
        "{" CUT "\"measure\":\"top\",\"value\":12,\"flag\":\"\"},"
        "{" RANDOM "\"repeat\":0," DRAWN ",\"measure\":\"probability\",\"value\":0.375,\"flag\":\"\"},"
        "{" RANDOM "\"repeat\":1," DRAWN ",\"measure\":\"probability\",\"value\":null,\"flag\":\"too_few_keys\"},"
        "{" FIXED "\"measure\":\"probability\",\"value\":0.5,\"flag\":\"empty_group\"}]"
        ",\"answers\":[{" CUT "\"text\":\"Blue \\\"sky\\\"\\u000a\"},"
        "{" FIXED "\"text\":\"\"}]"
        ",\"lens\":[{\"run\":null,\"position\":5,\"layer\":1,\"answer\":0.125,\"option\":0.03125,"
        "\"answer_upper\":0.0625,\"option_upper\":0.015625,\"words\":[\"it's\", \"\\\"q,\\\"\"]"
        ",\"scores\":[0.5,0.25]},"
        "{\"run\":null,\"position\":171,\"layer\":0,\"answer\":0.25,\"option\":0.0625,"
        "\"answer_upper\":0.125,\"option_upper\":0.03125," TOP
        ",{\"run\":null,\"position\":171,\"layer\":1,\"answer\":0.5,\"option\":0.125,"
        "\"answer_upper\":0.25,\"option_upper\":0.0625," TOP ",{\"run\":{" RANDOM "\"repeat\":1," DRAWN
        "},\"position\":171,\"layer\":1,\"answer\":0.0625,\"option\":0.015625,"
        "\"answer_upper\":0.03125,\"option_upper\":0.0078125," TOP "]}"
        "\n",
        "{\"task\":\"A\",\"row\":1,\"question_id\":\"q\\\"1" LOST "\",\"image\":\"\",\"question\":\"\",\"answer\":\"\","
        "\"true_option\":\"\",\"false_option\":\"\",\"object\":\"\",\"status\":\"fault\","
        "\"reason\":\"picture: not found\",\"predicted\":\"\",\"first_token\":0,"
        "\"first_token_text\":\"\",\"probability\":null,\"n_tokens\":0,\"answer_ids\":[]"
        ",\"true_token\":-1,\"groups\":{},\"notes\":[]"
        ",\"grid_h\":0,\"grid_w\":0,\"picture_w\":0,\"picture_h\":0,\"fitted_w\":0,\"fitted_h\":0,"
        "\"tokens\":[],\"boxes\":[],\"patches\":[],"
        "\"baselines\":{},\"values\":[]"
        ",\"answers\":[]"
        ",\"lens\":[]}"
        "\n",
        "{\"task\":\"B\",\"row\":0," ASKED "\"true_option\":\"\",\"false_option\":\"\"," FOUND
        "\"baselines\":{},\"values\":[{" CUT "\"measure\":\"probability\",\"value\":0.125,\"flag\":\"\"}]"
        ",\"answers\":[]"
        ",\"lens\":[{\"run\":null,\"position\":171,\"layer\":0,\"answer\":0.75,\"option\":null,"
        "\"answer_upper\":0.375,\"option_upper\":null," TOP "]}"
        "\n"};
    cf_str all = {0};
    for (size_t k = 0; k < sizeof lines / sizeof *lines; k++)
        assert_ok(cf_str_add_text(&all, lines[k], report));
    assert_text(f->jsonl, all.data);
    cf_str_deinit(&all);
#undef ASKED
#undef FOUND
#undef CUT
#undef RANDOM
#undef DRAWN
#undef FIXED
#undef TOP
    cf_store_close(s);
}

/* Bytes from outside that are no UTF-8 would make a reader refuse the whole file. */
static void text_from_outside_is_a_string_of_json(void **state)
{
    const fixture *f = *state;
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"plain, and \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\"plain, and \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\""},
        {"a \"b\" \\ /", "\"a \\\"b\\\" \\\\ /\""},
        {"\t\n\r\x01\x1f\x7f", "\"\\u0009\\u000a\\u000d\\u0001\\u001f\x7f\""},
        {"\x80 \xff \xc3", "\"" LOST " " LOST " " LOST "\""},
        {"\xc0\xaf", "\"" LOST LOST "\""},                   /* overlong */
        {"\xe0\x80\x80", "\"" LOST LOST LOST "\""},          /* overlong */
        {"\xed\xa0\x80", "\"" LOST LOST LOST "\""},          /* a surrogate */
        {"\xf4\x90\x80\x80", "\"" LOST LOST LOST LOST "\""}, /* above U+10FFFF */
        {"\xf0\x8f\x80\x80", "\"" LOST LOST LOST LOST "\""}, /* overlong */
        {"\xe2\x82", "\"" LOST LOST "\""},                   /* cut short */
        {"\xed\x9f\xbf\xf4\x8f\xbf\xbf\xe0\xa0\x80", "\"\xed\x9f\xbf\xf4\x8f\xbf\xbf\xe0\xa0\x80\""},
    };
    cf_store *s = fixture_create(f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_sample x = fixture_sample("A", (int64_t)i, 0.5);
        x.question = cases[i].text;
        fixture_put(s, &x, NULL, 0);
    }
    assert_ok(cf_export_jsonl(s, f->jsonl, report));
    cf_str found = {0}, expected = {0};
    assert_ok(cf_file_read(&found, f->jsonl, 1 << 20, report));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_str_clear(&expected);
        assert_ok(cf_str_addf(&expected, report,
                              "\"row\":%zu,\"question_id\":\"00000024\",\"image\":\"2390560.jpg\","
                              "\"question\":%s,",
                              i, cases[i].json));
        if (!strstr(found.data, expected.data))
            fail_msg("case %zu: expected %s", i, expected.data);
    }
    cf_str_deinit(&expected);
    cf_str_deinit(&found);
    cf_store_close(s);
}

static void a_long_export_that_cannot_be_written_says_where_and_leaves_nothing(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    fixture_rich_study(s);
    cf_error err = {0};
    assert_int_equal(cf_export_values(s, "/dev/null/values.csv", &err), CF_IO);
    assert_non_null(strstr(err.text, "/dev/null/values.csv: cannot write: "));
    assert_int_equal(cf_export_jsonl(s, "/dev/null/study.jsonl", &err), CF_IO);
    cf_store_close(s);
    fixture_sql(f, "UPDATE sample SET groups = '{' WHERE row = 1");
    s = fixture_open(f);
    assert_int_equal(cf_export_jsonl(s, f->jsonl, &err), CF_FORMAT);
    assert_false(cf_file_exists(f->jsonl));
    char *temporary = temp_dir_path(f->dir, "study.jsonl.tmp");
    assert_false(cf_file_exists(temporary));
    free(temporary);
    cf_store_close(s);
}

int test_export_long(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_long_table_has_every_value_of_every_measure, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_line_of_json_has_all_that_is_known_of_a_sample, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(text_from_outside_is_a_string_of_json, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_long_export_that_cannot_be_written_says_where_and_leaves_nothing,
                                        fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("long exports", tests, NULL, NULL);
}
