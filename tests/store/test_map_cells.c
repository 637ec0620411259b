/* test_map_cells.c - which cell of a map a run is, and what a study says of being one. */
#include "store_fixture.h"

#include <string.h>

#include "store/map.h"

static void a_flow_of_a_map_is_its_cell(void **state)
{
    (void)state;
    static const struct {
        cf_map_kind kind;
        const char *spec;
        cf_map_cell cell; /* hd, row, column, rows, columns, head, token */
    } cases[] = {
        {CF_MAP_PATCHES, "patch(3,7)->Question", {false, 3, 7, 1, 1, -1, -1}},
        {CF_MAP_PATCHES, "hd(0,71)->Question - True Option", {true, 0, 71, 1, 1, -1, -1}},
        {CF_MAP_PATCHES, "patch(4:8,8:11)->Last", {false, 4, 8, 4, 3, -1, -1}},
        {CF_MAP_PATCHES, "hd(2,0:4)->box(1,2,3,4)", {true, 2, 0, 1, 4, -1, -1}},
        {CF_MAP_HEADS, "Image->Question#5", {false, -1, -1, 0, 0, 5, -1}},
        {CF_MAP_HEADS, "Image->Question#0 & Image->Last#0", {false, -1, -1, 0, 0, 0, -1}},
        {CF_MAP_TOKENS, "patch(1,2)->Question[9]@3:7", {false, 1, 2, 1, 1, -1, 9}},
        {CF_MAP_TOKENS, "hd(1:3,2:4)->True Option[0]@3", {true, 1, 2, 2, 2, -1, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const cf_map_cell *e = &cases[i].cell;
        cf_map_cell c = {0};
        assert_ok(cf_map_cell_of(&c, &(cf_map){.kind = cases[i].kind}, cases[i].spec, report));
        if (c.hd != e->hd || c.row != e->row || c.column != e->column || c.n_rows != e->n_rows ||
            c.n_columns != e->n_columns || c.head != e->head || c.token != e->token)
            fail_msg("%s: found hd %d, %d,%d, %d x %d, head %d, token %d", cases[i].spec, c.hd, c.row, c.column,
                     c.n_rows, c.n_columns, c.head, c.token);
    }
}

static void what_is_no_flow_of_the_map_is_refused(void **state)
{
    (void)state;
    static const struct {
        cf_map_kind kind;
        const char *spec;
    } cases[] = {
        {CF_MAP_PATCHES, ""},
        {CF_MAP_PATCHES, "Image->Question"},
        {CF_MAP_PATCHES, "patch(1,2) + patch(1,3)->Question"},
        {CF_MAP_PATCHES, "random: patch(1,2)->Question"},
        {CF_MAP_PATCHES, "zero mlp: patch(1,2)"},
        {CF_MAP_PATCHES, "patch(1,2)->Nowhere"},
        {CF_MAP_HEADS, "Image->Question"},
        {CF_MAP_HEADS, "Image->Question#1:3"},
        {CF_MAP_HEADS, "Image->Question#1+3"},
        {CF_MAP_TOKENS, "patch(1,2)->Question@3"},
        {CF_MAP_TOKENS, "patch(1,2)->Question[-1]@3"},
        {CF_MAP_TOKENS, "patch(1,2)->Question[1] + Last@3"},
        {CF_MAP_TOKENS, "Image->Question[1]@3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_map_cell c = {.row = 77};
        cf_error err = {0};
        if (cf_map_cell_of(&c, &(cf_map){.kind = cases[i].kind}, cases[i].spec, &err) != CF_FORMAT)
            fail_msg("%s is taken", cases[i].spec);
        assert_non_null(strstr(err.text, "is no flow of a map of "));
        assert_int_equal(c.row, 77);
    }
}

static void a_study_says_what_map_it_is(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    const cf_fact patches[] = {{"map", "patches", false}, {"map to", "Question", false}, {"map tile", "4", false}};
    const cf_fact heads[] = {{"map", "heads", false}, {"map flow", "Image->Question", false}};
    cf_map m = {0};
    bool found = true;
    assert_ok(cf_store_map(s, &m, &found, report));
    assert_false(found);
    assert_ok(cf_store_renew_facts(s, patches, 3, report));
    assert_ok(cf_store_map(s, &m, &found, report));
    assert_true(found && m.kind == CF_MAP_PATCHES && m.tile == 4 && !m.flow);
    assert_string_equal(m.to, "Question");
    cf_map_deinit(&m);
    assert_ok(cf_store_renew_facts(s, heads, 2, report));
    assert_ok(cf_store_map(s, &m, &found, report));
    assert_true(found && m.kind == CF_MAP_HEADS && !m.to);
    assert_string_equal(m.flow, "Image->Question");
    cf_map_deinit(&m);
    cf_store_close(s);
}

/* A file may come from elsewhere. */
static void a_map_that_is_described_wrongly_is_refused(void **state)
{
    static const struct {
        cf_fact facts[3];
        const char *say;
    } cases[] = {
        {{{"map", "holes", false}}, "expected a map of patches, heads or tokens, found \"holes\""},
        {{{"map", "", false}}, "expected a map of patches, heads or tokens, found \"\""},
        {{{"map", "heads", false}}, "expected the fact \"map flow\" of a map"},
        {{{"map", "tokens", false}}, "expected the fact \"map to\" of a map"},
        {{{"map", "tokens", false}, {"map to", "Last", false}}, "expected the fact \"map tile\" of a map"},
        {{{"map", "tokens", false}, {"map to", "Last", false}, {"map tile", "0", false}},
         "expected a map tile of 1 or more patches, found \"0\""},
        {{{"map", "tokens", false}, {"map to", "Last", false}, {"map tile", "9999999999", false}},
         "found \"9999999999\""},
    };
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_map m = {.tile = 77};
        cf_error err = {0};
        bool found = false;
        size_t n = 0;
        while (n < 3 && cases[i].facts[n].key)
            n++;
        assert_ok(cf_store_renew_facts(s, cases[i].facts, n, report));
        assert_int_equal(cf_store_map(s, &m, &found, &err), CF_FORMAT);
        if (!strstr(err.text, cases[i].say))
            fail_msg("expected %s, found %s", cases[i].say, err.text);
        assert_int_equal(m.tile, 77);
    }
    cf_store_close(s);
}

int test_map_cells(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_of_a_map_is_its_cell),
        cmocka_unit_test(what_is_no_flow_of_the_map_is_refused),
        cmocka_unit_test_setup_teardown(a_study_says_what_map_it_is, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_map_that_is_described_wrongly_is_refused, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("maps in a study", tests, NULL, NULL);
}
