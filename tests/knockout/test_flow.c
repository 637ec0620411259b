/* test_flow.c - the grammar of flows: what is read, what is refused, and how it is written. */
#include <stdio.h>
#include <string.h>

#include "test_knockout.h"

#include "knockout/flow.h"

static cf_flow parse(const char *text)
{
    cf_flow f = {0};
    OK(cf_flow_parse(&f, cf_slice_of(text), &err));
    return f;
}

static void flows_are_written_in_their_canonical_form(void **state)
{
    (void)state;
    static const struct {
        const char *text, *canonical;
    } cases[] = {
        {"Image->Last", "Image->Last"},
        {"  question \t->  LAST\n", "Question->Last"},
        {"cut:Image->Last", "Image->Last"},
        {"CUT : Image->Last", "Image->Last"},
        {"Question-True Option->Last+[3:7]", "Question - True Option->Last + [3:7]"},
        {"\"a->b\"->box(1,2,3,4)", "\"a->b\"->box(1,2,3,4)"},
        {"[-3:-1]->[-1]", "[-3:-1]->[-1]"},
        {"Image->Question&Question->Last", "Image->Question & Question->Last"},
        {"Question->Last & Image->Question", "Question->Last & Image->Question"},
        {"Image->Last@3", "Image->Last@3"},
        {"Image->Last @ 3:4", "Image->Last@3"},
        {"Image->Last@0:4", "Image->Last@0:4"},
        {"Image->Last@7+0:2+4", "Image->Last@0:2+4+7"},
        {"Image->Last@2:5+0:2+4:8", "Image->Last@0:8"},
        {"Image->Last@3+3+3:4", "Image->Last@3"},
        {"Image->Last#0", "Image->Last#0"},
        {"Image->Last # 2+0", "Image->Last#0+2"},
        {"Image->Last@1:3+9#0:4", "Image->Last@1:3+9#0:4"},
        {"Image->Last#each", "Image->Last#each"},
        {"Image->Last@5# EACH &Last->Last", "Image->Last@5#each & Last->Last"},
        {"Image->Last@0:4 & Question->Last#0+2", "Image->Last@0:4 & Question->Last#0+2"},
        {"random:Image->Last", "random: Image->Last"},
        {"Random: Image->Last@3#1&Question->Last@3#1", "random: Image->Last@3#1 & Question->Last@3#1"},
        {"keep:Image->Question", "keep: Image->Question"},
        {"Keep : image->question&question->last", "keep: Image->Question & Question->Last"},
        {"keep:Last->Image", "keep: Last->Image"},
        {"keep(Image,Question,Last,All-Image-Question-Last):Image->Last",
         "keep(Image, Question, Last, All - Image - Question - Last): Image->Last"},
        {"keep ( [0:1] , \"a,b)\" , box(1,2,3,4) ) : \"a,b)\" -> box(1,2,3,4)",
         "keep([0], \"a,b)\", box(1,2,3,4)): \"a,b)\"->box(1,2,3,4)"},
        {"keep(Image + Question, Last): Image+Question->Last", "keep(Image + Question, Last): Image + Question->Last"},
        {"zero attention:Question", "zero attention: Question"},
        {"ZERO \t MLP : Last + \"x\"@3+0", "zero mlp: Last + \"x\"@0+3"},
        {"zero mlp: Image - [4]@2:9", "zero mlp: Image - [4]@2:9"},
        {"zero mlp: \"keep: a & b, c\"", "zero mlp: \"keep: a & b, c\""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_flow f = parse(cases[i].text), copy = {0};
        cf_str text = {0};
        OK(cf_flow_print(&text, &f, &err));
        if (strcmp(text.data, cases[i].canonical) != 0)
            fail_msg("%s: expected %s, found %s", cases[i].text, cases[i].canonical, text.data);
        cf_flow back = parse(text.data);
        assert_true(cf_flow_equal(&f, &back));
        OK(cf_flow_copy(&copy, &f, &err));
        cf_flow_deinit(&f);
        assert_true(cf_flow_equal(&copy, &back));
        cf_flow_deinit(&copy);
        cf_flow_deinit(&back);
        cf_str_deinit(&text);
    }
}

static void the_parts_of_a_flow_are_where_its_fields_say(void **state)
{
    (void)state;
    cf_flow f = parse("random: Image->Last@0:4+9#1 & Question - Last->\"x\"#each");
    assert_int_equal(f.mode, CF_MODE_RANDOM);
    assert_int_equal(f.n_edges, 2);
    assert_int_equal(f.n_partition, 0);
    assert_int_equal(f.edges[0].source.terms[0].named, CF_GROUP_IMAGE);
    assert_int_equal(f.edges[0].target.terms[0].named, CF_GROUP_LAST);
    assert_int_equal(f.edges[0].layers.n, 2);
    assert_int_equal(cf_spans_count(&f.edges[0].layers), 5);
    assert_true(cf_spans_contain(&f.edges[0].heads, 1));
    assert_false(f.edges[0].each_head);
    assert_int_equal(f.edges[1].source.n, 2);
    assert_true(f.edges[1].source.terms[1].minus);
    assert_string_equal(f.edges[1].target.terms[0].text, "x");
    assert_int_equal(f.edges[1].layers.n + f.edges[1].heads.n, 0);
    assert_true(f.edges[1].each_head);
    cf_flow_deinit(&f);
    f = parse("zero attention: Question@3");
    assert_int_equal(f.mode, CF_MODE_ZERO_ATTENTION);
    assert_int_equal(f.edges[0].source.n, 0);
    assert_int_equal(f.edges[0].target.terms[0].named, CF_GROUP_QUESTION);
    cf_flow_deinit(&f);
    f = parse("keep(Image, Last): Image->Last");
    assert_int_equal(f.mode, CF_MODE_KEEP);
    assert_int_equal(f.n_partition, 2);
    assert_int_equal(f.partition[1].terms[0].named, CF_GROUP_LAST);
    cf_flow_deinit(&f);
    static const char *const names[CF_N_MODES] = {"cut", "keep", "random", "zero attention", "zero mlp"};
    for (int m = 0; m < CF_N_MODES; m++)
        assert_string_equal(cf_mode_name((cf_mode)m), names[m]);
}

static void flows_that_differ_anywhere_are_not_equal(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "Image->Last",
        "Question->Last",
        "Image->Question",
        "Image->Last@3",
        "Image->Last@4",
        "Image->Last@3+5",
        "Image->Last#3",
        "Image->Last#each",
        "Image->Last & Question->Last",
        "Image->Last & Image->Last",
        "Question->Last & Image->Last",
        "random: Image->Last",
        "keep: Image->Last",
        "keep(Image, Question, Last): Image->Last",
        "keep(Image, Last): Image->Last",
        "keep(Last, Image): Image->Last",
        "zero mlp: Last",
        "zero attention: Last",
    };
    for (size_t i = 0; i < COUNT(texts); i++)
        for (size_t j = 0; j < COUNT(texts); j++) {
            cf_flow a = parse(texts[i]), b = parse(texts[j]);
            if (cf_flow_equal(&a, &b) != (i == j))
                fail_msg("%s and %s", texts[i], texts[j]);
            cf_flow_deinit(&a);
            cf_flow_deinit(&b);
        }
}

#define AFTER_EDGE "\"+\", \"-\", \"@\", \"#\", \"&\" or the end"

static void what_is_no_flow_is_refused_with_its_place(void **state)
{
    (void)state;
    static const char kept[] = "an edge from one group of the partition to another";
    static const struct {
        const char *text;
        int place;
        const char *expected, *found;
    } cases[] = {
        {"", 1, "a group", "the end"},
        {"->", 1, "a group", "\"->\""},
        {"Image", 6, "\"+\", \"-\" or \"->\"", "the end"},
        {"Image->", 8, "a group", "the end"},
        {"->Last", 1, "a group", "\"->\""},
        {"Image-Last", 11, "\"+\", \"-\" or \"->\"", "the end"},
        {"Image>Last", 1, "a group", "\"Image>Last\""},
        {"All-->Last", 5, "a group", "\"->\""},
        {"Image- >Last", 8, "a group", "\">Last\""},
        {"Last<-Image", 1, "a group", "\"Last<\""},
        {"Image->Last->Last", 12, AFTER_EDGE, "\"->\""},
        {"Imag->Last", 1, "a group",
         "\"Imag\" (groups: [begin:end], \"text\", box(x,y,w,h), patch(row,column), hd(row,column), Image, "},
        {"Image->Lost", 8, "a group", "\"Lost\""},
        {"Image->Last;", 8, "a group", "\"Last;\""},
        {"Image->Last,Image->Last", 12, AFTER_EDGE, "\",\""},
        {"paper", 1, "a group", "\"paper\""},
        {"Image->Last &", 14, "a group", "the end"},
        {"& Image->Last", 1, "a group", "\"&\""},
        {"Image->Last & Image", 20, "\"+\", \"-\" or \"->\"", "the end"},
        {"Image & Question->Last", 7, "\"+\", \"-\" or \"->\"", "\"&\""},
        {"Image->Last + Last@", 20, "a whole number", "the end"},
        {"Image->Last@3:", 15, "a whole number", "the end"},
        {"Image->Last@:3", 13, "a whole number", "\":\""},
        {"Image->Last@-1", 13, "a whole number", "\"-\""},
        {"Image->Last@3:3", 13, "a range that is not empty", "\"3:3\""},
        {"Image->Last@1+5:4+2", 15, "a range that is not empty", "\"5:4\""},
        {"Image->Last@3+", 15, "a whole number", "the end"},
        {"Image->Last@3,4", 14, "\"+\", \"#\", \"&\" or the end", "\",\""},
        {"Image->Last@3-4", 14, "\"+\", \"#\", \"&\" or the end", "\"-\""},
        {"Image->Last@3@4", 14, "\"+\", \"#\", \"&\" or the end", "\"@\""},
        {"Image->Last@each", 13, "a whole number", "\"each\""},
        {"Image@3->Last", 6, "\"+\", \"-\" or \"->\"", "\"@\""},
        {"Image->Last#", 13, "a whole number", "the end"},
        {"Image->Last#all", 13, "a whole number", "\"all\""},
        {"Image->Last#1@3", 14, "\"+\", \"&\" or the end", "\"@\""},
        {"Image->Last#each+1", 17, "\"&\" or the end", "\"+\""},
        {"Image->Last#1+each", 15, "a whole number", "\"each\""},
        {"cut", 4, "\":\" after the mode", "the end"},
        {"cut Image->Last", 1, "a group", "\"cut Image\""},
        {"cut: ", 5, "a group", "the end"},
        {"cut: keep: Image->Last", 6, "a group", "\"keep\""},
        {"cut(Image): Image->Last", 4, "\":\" after the mode", "\"(\""},
        {"cutt: Image->Last", 1, "a mode", "\"cutt\" (cut, keep, random, zero attention, zero mlp)"},
        {"zero: Image", 1, "a mode", "\"zero\" (cut, keep, random, zero attention, zero mlp)"},
        {"random Image->Last", 1, "a group", "\"random Image\""},
        {"zero mlp: Image->Last", 16, "\"+\", \"-\", \"@\" or the end", "\"->\""},
        {"zero mlp: Image & Last", 17, "\"+\", \"-\", \"@\" or the end", "\"&\""},
        {"zero mlp: Image#3", 16, "\"+\", \"-\", \"@\" or the end", "\"#\""},
        {"zero attention: Image@3#3", 24, "\"+\" or the end", "\"#\""},
        {"zero attention: Image@3&Last", 24, "\"+\" or the end", "\"&\""},
        {"zero attention:", 16, "a group", "the end"},
        {"keep:", 6, "a group", "the end"},
        {"keep Image->Last", 1, "a group", "\"keep Image\""},
        {"keep->Last", 5, "\"(\" or \":\"", "\"->\""},
        {"keep(): Image->Last", 6, "a group", "\")\""},
        {"keep(Image, Last: Image->Last", 17, "\"+\", \"-\", \",\" or \")\"", "\":\""},
        {"keep(Image, Last) Image->Last", 19, "\":\" after the mode", "\"Image\""},
        {"keep: Image[0]->Question", 7, "an edge from one group of the partition to another", "\"Image[0]->Question\""},
        {"keep(Image, Last, image): Image->Last", 19, "each group of a partition once", "\"image\""},
        {"keep(Image, Last): Image->Last@3", 31, "\"+\", \"-\", \"&\" or the end", "\"@\""},
        {"keep: Image->Last#3", 18, "\"+\", \"-\", \"&\" or the end", "\"#\""},
        {"keep: Image->Last#each", 18, "\"+\", \"-\", \"&\" or the end", "\"#\""},
        {"keep: Image->Image", 7, kept, "\"Image->Image\""},
        {"keep: All->Last", 7, kept, "\"All->Last\""},
        {"keep: Image->Last & Last -> [3] & Last->Image", 21, kept, "\"Last -> [3]\""},
        {"keep: Image + Last->Question", 7, kept, "\"Image + Last->Question\""},
        {"keep(Image, Last): Image->Question", 20, kept, "\"Image->Question\""},
        {"keep(Image, Last): Question->Last", 20, kept, "\"Question->Last\""},
        {"keep(Image - Last, Last): Image->Last", 27, kept, "\"Image->Last\""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char says[400];
        cf_error err = {0};
        cf_flow f = {.cap_edges = 77};
        const cf_slice shown = cf_slice_trim(cf_slice_of(cases[i].text));
        (void)snprintf(says, sizeof says, "flow \"%.*s\", character %d: expected %s, found %s", (int)shown.n,
                       shown.data, cases[i].place, cases[i].expected, cases[i].found);
        const cf_status st = cf_flow_parse(&f, cf_slice_of(cases[i].text), &err);
        if (st != CF_USAGE || strncmp(err.text, says, strlen(says)) != 0)
            fail_msg("status %d\nexpected %s\nfound    %s", (int)st, says, err.text);
        assert_true(f.cap_edges == 77 && !f.edges && !f.partition);
    }
}

static void a_flow_ends_with_its_slice(void **state)
{
    (void)state;
    const char text[] = "Image->LastX";
    cf_flow f = {0};
    OK(cf_flow_parse(&f, (cf_slice){text, 11}, &err));
    cf_flow_deinit(&f);
    assert_int_equal(cf_flow_parse(&f, (cf_slice){text, 12}, NULL), CF_USAGE);
    assert_int_equal(cf_flow_parse(&f, (cf_slice){text, 6}, NULL), CF_USAGE);
    assert_int_equal(cf_flow_parse(&f, (cf_slice){"Image\0->Last", 12}, NULL), CF_USAGE);
    assert_int_equal(cf_flow_parse(&f, (cf_slice){NULL, 0}, NULL), CF_USAGE);
}

#define PAPER                                                                                                          \
    "Question->Last,Image->Last,Last->Last,Image->Question,Image Central Object->Question,"                            \
    "Image Without Central Object->Question"

static void lists_are_read_in_order_without_repeats(void **state)
{
    (void)state;
    static const struct {
        const char *text, *canonical;
    } cases[] = {
        {"Image->Last", "Image->Last"},
        {" image->last , question->last ", "Image->Last,Question->Last"},
        {"Image->Last,image->last, cut: Image->Last", "Image->Last"},
        {"paper", PAPER},
        {" Paper ", PAPER},
        {"Last->Last,paper", "Last->Last,Question->Last,Image->Last,Image->Question,Image Central Object->Question,"
                             "Image Without Central Object->Question"},
        {"paper,Question->Image", PAPER ",Question->Image"},
        {"box(1,2,3,4)->Last,\"a, b\"->Last", "box(1,2,3,4)->Last,\"a, b\"->Last"},
        {"\"(\"->Last,\")\"->Last", "\"(\"->Last,\")\"->Last"},
        {"\"\\\",\"->Last,\"\\\\\"->Last", "\"\\\",\"->Last,\"\\\\\"->Last"},
        {"keep(Image,Last):Image->Last,zero mlp: Last@3+5", "keep(Image, Last): Image->Last,zero mlp: Last@3+5"},
        {"keep(box(1,2,3,4),Last):Last->box(1,2,3,4),paper", "keep(box(1,2,3,4), Last): Last->box(1,2,3,4)," PAPER},
        {"\"paper\"->Last", "\"paper\"->Last"},
        {"Image->Last@3,Image->Last#3", "Image->Last@3,Image->Last#3"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_flows flows = {0}, back = {0};
        cf_str text = {0}, again = {0};
        OK(cf_flows_parse(&flows, cf_slice_of(cases[i].text), &err));
        OK(cf_flows_print(&text, &flows, &err));
        assert_string_equal(text.data, cases[i].canonical);
        OK(cf_flows_parse(&back, cf_str_slice(&text), &err));
        OK(cf_flows_print(&again, &back, &err));
        assert_string_equal(again.data, text.data);
        cf_str_deinit(&text);
        cf_str_deinit(&again);
        cf_flows_deinit(&flows);
        cf_flows_deinit(&back);
    }
}

static void a_list_with_a_fault_adds_nothing_and_names_the_flow(void **state)
{
    (void)state;
    static const struct {
        const char *text, *named;
    } bad[] = {
        {"", "\"\""},
        {",", "\"\""},
        {"Last->Last,", "\"\""},
        {",Last->Last", "\"\""},
        {"Last->Last,,Image->Question", "\"\""},
        {"papers", "\"papers\""},
        {"paper,Q->L", "\"Q->L\", character 1"},
        {"Last->Last, Last->L", "\"Last->L\", character 7"},
        {"Last->Last,\"a,b", "\"\"a,b\""},
        {"Last->Last,keep(Image,Last", "\"keep(Image,Last\""},
        {"Last->Last),Image->Last", "\"Last->Last)\""},
        {"Last->Last,[1,2]->Last", "\"[1\""},
    };
    cf_flows flows = {0};
    OK(cf_flows_parse(&flows, cf_slice_of("Image->Last"), &err));
    for (size_t i = 0; i < COUNT(bad); i++) {
        cf_error err = {0};
        char says[100];
        (void)snprintf(says, sizeof says, "flow %s", bad[i].named);
        if (cf_flows_parse(&flows, cf_slice_of(bad[i].text), &err) != CF_USAGE ||
            strncmp(err.text, says, strlen(says)) != 0)
            fail_msg("\"%s\": %s", bad[i].text, err.text);
        if (flows.n != 1)
            fail_msg("\"%s\" left %zu flows", bad[i].text, flows.n);
    }
    cf_flows_deinit(&flows);
}

static void a_flow_is_added_once_and_as_a_copy(void **state)
{
    (void)state;
    cf_flows flows = {0};
    cf_str text = {0};
    cf_flow f = parse("keep(\"x\", Last): \"x\"->Last");
    OK(cf_flows_add(&flows, &f, &err));
    OK(cf_flows_add(&flows, &f, &err));
    cf_flow_deinit(&f);
    f = parse("Image->Last");
    OK(cf_flows_add(&flows, &f, &err));
    cf_flow_deinit(&f);
    OK(cf_flows_print(&text, &flows, &err));
    assert_string_equal(text.data, "keep(\"x\", Last): \"x\"->Last,Image->Last");
    cf_str_deinit(&text);
    cf_flows_deinit(&flows);
}

static void each_head_becomes_a_flow_a_head(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expanded; /* in a model of four layers with three heads */
    } cases[] = {
        {"Image->Last", "Image->Last"},
        {"Image->Last#each", "Image->Last#0,Image->Last#1,Image->Last#2"},
        {"Image->Last@0:4#each", "Image->Last@0:4#0,Image->Last@0:4#1,Image->Last@0:4#2"},
        {"Image->Last#each & Last->Last#each & Last->Image#0+2",
         "Image->Last#0 & Last->Last#0 & Last->Image#0+2,Image->Last#1 & Last->Last#1 & Last->Image#0+2,"
         "Image->Last#2 & Last->Last#2 & Last->Image#0+2"},
        {"Image->Last#1,Image->Last#each", "Image->Last#1,Image->Last#0,Image->Last#2"},
        {"Image->Last#0:3,random: Image->Last@3#2", "Image->Last#0:3,random: Image->Last@3#2"},
        {"zero mlp: Last@0:4,keep: Image->Last", "zero mlp: Last@0:4,keep: Image->Last"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_flows flows = {0};
        cf_str text = {0};
        OK(cf_flows_parse(&flows, cf_slice_of(cases[i].text), &err));
        OK(cf_flows_expand(&flows, 4, 3, &err));
        OK(cf_flows_print(&text, &flows, &err));
        assert_string_equal(text.data, cases[i].expanded);
        for (size_t j = 0; j < flows.n; j++)
            for (size_t e = 0; e < flows.items[j].n_edges; e++)
                assert_false(flows.items[j].edges[e].each_head);
        cf_str_deinit(&text);
        cf_flows_deinit(&flows);
    }
}

static void layers_and_heads_that_the_model_lacks_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"Image->Last@4", "flow \"Image->Last@4\": expected layers from 0 to 3, as the model has them, found 4"},
        {"Image->Last@0:2+3:6", "expected layers from 0 to 3, as the model has them, found 5"},
        {"zero mlp: Last@999999999", "found 999999999"},
        {"Image->Last & Image->Last@4", "flow \"Image->Last & Image->Last@4\""},
        {"Image->Last#3", "flow \"Image->Last#3\": expected heads from 0 to 2, as the model has them, found 3"},
        {"Image->Last#each & Last->Last#0:4", "expected heads from 0 to 2"},
        {"Image->Last#each, Last->Last#7", "found 7"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_flows flows = {0};
        OK(cf_flows_parse(&flows, cf_slice_of(cases[i].text), &err));
        cf_error err = {0};
        const size_t before = flows.n;
        if (cf_flows_expand(&flows, 4, 3, &err) != CF_USAGE || !strstr(err.text, cases[i].says))
            fail_msg("%s: %s", cases[i].text, err.text);
        assert_int_equal(flows.n, before);
        cf_flows_deinit(&flows);
    }
}

static void heads_are_all_or_one_set_or_mixed_and_layers_are_fixed_or_not(void **state)
{
    (void)state;
    static const struct {
        const char *text, *heads;
        bool fixed;
    } cases[] = {
        {"Image->Last", "all", false},
        {"Image->Last#2+0", "0+2", false},
        {"Image->Last@3#0:3", "0:3", true},
        {"Image->Last@3#1 & Last->Last#1", "1", false},
        {"Image->Last@3#1 & Last->Last@4#1", "1", true},
        {"Image->Last@3#1 & Last->Last", "mixed", false},
        {"Image->Last#1 & Last->Last#2", "mixed", false},
        {"Image->Last & Last->Last@3", "all", false},
        {"Image->Last#each", "each", false},
        {"Image->Last#each & Last->Last", "mixed", false},
        {"zero mlp: Last", "all", false},
        {"zero mlp: Last@0:4", "all", true},
        {"keep: Image->Last", "all", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_flow f = parse(cases[i].text);
        cf_str text = {0};
        OK(cf_flow_heads(&text, &f, &err));
        if (strcmp(text.data, cases[i].heads) != 0 || cf_flow_is_fixed(&f) != cases[i].fixed)
            fail_msg("%s: heads %s, %s", cases[i].text, text.data, cf_flow_is_fixed(&f) ? "fixed" : "not fixed");
        cf_str_deinit(&text);
        cf_flow_deinit(&f);
    }
}

int test_flow(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flows_are_written_in_their_canonical_form),
        cmocka_unit_test(the_parts_of_a_flow_are_where_its_fields_say),
        cmocka_unit_test(flows_that_differ_anywhere_are_not_equal),
        cmocka_unit_test(what_is_no_flow_is_refused_with_its_place),
        cmocka_unit_test(a_flow_ends_with_its_slice),
        cmocka_unit_test(lists_are_read_in_order_without_repeats),
        cmocka_unit_test(a_list_with_a_fault_adds_nothing_and_names_the_flow),
        cmocka_unit_test(a_flow_is_added_once_and_as_a_copy),
        cmocka_unit_test(each_head_becomes_a_flow_a_head),
        cmocka_unit_test(layers_and_heads_that_the_model_lacks_are_refused),
        cmocka_unit_test(heads_are_all_or_one_set_or_mixed_and_layers_are_fixed_or_not),
    };
    return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
