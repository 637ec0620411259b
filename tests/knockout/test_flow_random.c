/* test_flow_random.c - the grammar of flows against a generator: flows written at random, once as a user may write them
 * and once in the canonical form, and the same texts with a character changed. */
#include <stdlib.h>
#include <string.h>

#include "test_knockout.h"

#include "knockout/flow.h"

typedef struct writer {
    uint64_t random;
    cf_str loose;     /* letter case and blanks at random, ranges out of order */
    cf_str canonical; /* what is printed */
} writer;

static uint32_t below(writer *w, uint32_t n)
{
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(w->random >> 33) % n;
}

static void both(writer *w, const char *text)
{
    OK(cf_str_add_text(&w->loose, text, &err));
    OK(cf_str_add_text(&w->canonical, text, &err));
}

static void blanks(writer *w)
{
    static const char *const some[] = {"", "", "", " ", "  ", "\t", " \n "};
    OK(cf_str_add_text(&w->loose, some[below(w, COUNT(some))], &err));
}

/* A sign: blanks around it where the user likes, and as printed. */
static void sign(writer *w, const char *loose, const char *canonical)
{
    blanks(w);
    OK(cf_str_add_text(&w->loose, loose, &err));
    blanks(w);
    OK(cf_str_add_text(&w->canonical, canonical, &err));
}

static void words(writer *w, const char *name)
{
    OK(cf_str_add_text(&w->canonical, name, &err));
    for (const char *c = name; *c; c++) {
        const bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
        const char changed = letter && below(w, 4) == 0 ? (char)(*c ^ 0x20) : *c;
        OK(cf_str_add(&w->loose, (cf_slice){&changed, 1}, &err));
        if (*c == ' ')
            blanks(w);
    }
}

static void number(writer *w, uint32_t n)
{
    OK(cf_str_addf(&w->loose, &err, "%s%u", below(w, 5) ? "" : "00", n));
    OK(cf_str_addf(&w->canonical, &err, "%u", n));
}

static void range_term(writer *w)
{
    const uint32_t begin = below(w, 40), end = begin + 2 + below(w, 9);
    switch (below(w, 6)) {
    case 0:
        sign(w, "[", "[");
        number(w, begin);
        break;
    case 1:
        sign(w, "[:", "[0:");
        number(w, end);
        break;
    case 2:
        sign(w, "[", "[");
        number(w, begin);
        sign(w, ":", ":");
        break;
    case 3:
        sign(w, "[-", "[-");
        number(w, begin + 1);
        break;
    case 4:
        sign(w, "[-", "[-");
        number(w, end + 1);
        sign(w, ":-", ":-");
        number(w, begin + 1);
        break;
    default:
        sign(w, "[", "[");
        number(w, begin);
        sign(w, ":", ":");
        number(w, end);
    }
    sign(w, "]", "]");
}

static void text_term(writer *w)
{
    static const char *const pieces[] = {"a", " ", "\\\"", "\\\\", "->", "&", "#",     ",",           "(",
                                         ")", "[", "@",    ":",    "-",  "+", "paper", "\xE2\x82\xAC"};
    blanks(w);
    both(w, "\"");
    for (uint32_t n = 1 + below(w, 6); n > 0; n--)
        both(w, pieces[below(w, COUNT(pieces))]);
    both(w, "\"");
    blanks(w);
}

static void box_term(writer *w)
{
    words(w, "box");
    sign(w, "(", "(");
    for (int i = 0; i < 4; i++) {
        if (i)
            sign(w, ",", ",");
        if (i < 2 && below(w, 3) == 0) {
            both(w, "-");
            number(w, 1 + below(w, 99));
        } else {
            number(w, below(w, 999999));
        }
    }
    sign(w, ")", ")");
}

static void group(writer *w)
{
    for (uint32_t n = 1 + below(w, 3), i = 0; i < n; i++) {
        if (i && below(w, 2))
            sign(w, "+", " + ");
        else if (i)
            sign(w, "-", " - ");
        switch (below(w, 6)) {
        case 0:
            range_term(w);
            break;
        case 1:
            text_term(w);
            break;
        case 2:
            box_term(w);
            break;
        default:
            words(w, cf_group_name((cf_group)below(w, CF_N_GROUPS)));
        }
    }
}

/* One to three ranges with gaps between them: in order as printed, backwards where the user likes. */
static void ranges(writer *w, const char *mark)
{
    cf_str parts[3] = {{0}, {0}, {0}};
    const uint32_t n = 1 + below(w, 3), backwards = below(w, 2);
    sign(w, mark, mark);
    for (uint32_t i = 0, at = below(w, 5); i < n; i++) {
        const uint32_t extent = 1 + below(w, 3);
        OK(extent == 1 ? cf_str_addf(&parts[i], &err, "%u", at)
                       : cf_str_addf(&parts[i], &err, "%u:%u", at, at + extent));
        at += extent + 1 + below(w, 4);
    }
    for (uint32_t i = 0; i < n; i++) {
        OK(cf_str_addf(&w->canonical, &err, "%s%s", i ? "+" : "", parts[i].data));
        OK(cf_str_addf(&w->loose, &err, "%s%s", i ? " + " : "", parts[backwards ? n - 1 - i : i].data));
    }
    for (uint32_t i = 0; i < n; i++)
        cf_str_deinit(&parts[i]);
}

static void edge(writer *w)
{
    group(w);
    sign(w, "->", "->");
    group(w);
    if (below(w, 3) == 0)
        ranges(w, "@");
    if (below(w, 4) == 0)
        ranges(w, "#");
    else if (below(w, 6) == 0) {
        sign(w, "#", "#");
        words(w, "each");
    }
}

static void keep(writer *w)
{
    static const char *const named[] = {"Image", "Question", "Last"};
    static const char *const own[] = {"All - Last", "\"a, (b\"", "box(1,2,3,4)", "[3:7] + \"x\"", "Role Words"};
    const bool written = below(w, 2);
    const char *const *of = written ? own : named;
    const uint32_t n = written ? (uint32_t)COUNT(own) : (uint32_t)COUNT(named);
    words(w, "keep");
    for (uint32_t i = 0; written && i < n; i++) {
        sign(w, i ? "," : "(", i ? ", " : "(");
        both(w, own[i]);
    }
    sign(w, written ? "):" : ":", written ? "): " : ": ");
    for (uint32_t edges = 1 + below(w, 3), i = 0; i < edges; i++) {
        const uint32_t source = below(w, n);
        if (i)
            sign(w, "&", " & ");
        both(w, of[source]);
        sign(w, "->", "->");
        both(w, of[(source + 1 + below(w, n - 1)) % n]);
    }
}

static void flow(writer *w)
{
    const uint32_t mode = below(w, 8);
    blanks(w);
    if (mode == 0) {
        keep(w);
    } else if (mode < 3) {
        words(w, mode == 1 ? "zero attention" : "zero mlp");
        sign(w, ":", ": ");
        group(w);
        if (below(w, 2))
            ranges(w, "@");
    } else {
        if (mode == 3) {
            words(w, "random");
            sign(w, ":", ": ");
        } else if (mode == 4) {
            sign(w, "cut:", "");
        }
        edge(w);
        for (uint32_t n = below(w, 3); n > 0; n--) {
            sign(w, "&", " & ");
            edge(w);
        }
    }
    blanks(w);
}

static void writer_clear(writer *w)
{
    cf_str_clear(&w->loose);
    cf_str_clear(&w->canonical);
}

static void flows_written_at_random_are_printed_in_canonical_form(void **state)
{
    (void)state;
    writer w = {.random = 1};
    for (int i = 0; i < 20000; i++) {
        cf_flow f = {0}, back = {0};
        cf_str text = {0};
        writer_clear(&w);
        flow(&w);
        OK(cf_flow_parse(&f, cf_str_slice(&w.loose), &err));
        OK(cf_flow_print(&text, &f, &err));
        if (strcmp(text.data, w.canonical.data) != 0)
            fail_msg("%s:\nexpected %s\nfound    %s", w.loose.data, w.canonical.data, text.data);
        OK(cf_flow_parse(&back, cf_str_slice(&text), &err));
        assert_true(cf_flow_equal(&f, &back));
        cf_flow_deinit(&f);
        cf_flow_deinit(&back);
        cf_str_deinit(&text);
    }
    cf_str_deinit(&w.loose);
    cf_str_deinit(&w.canonical);
}

static void lists_written_at_random_keep_their_flows_apart(void **state)
{
    (void)state;
    writer w = {.random = 2};
    for (int i = 0; i < 4000; i++) {
        const uint32_t n = 1 + below(&w, 4);
        cf_flows one_by_one = {0}, list = {0};
        cf_str text = {0};
        writer_clear(&w);
        for (uint32_t at = 0; at < n; at++) {
            const size_t begin = w.loose.n;
            flow(&w);
            cf_flow f = {0};
            OK(cf_flow_parse(&f, (cf_slice){w.loose.data + begin, w.loose.n - begin}, &err));
            OK(cf_flows_add(&one_by_one, &f, &err));
            cf_flow_deinit(&f);
            if (at + 1 < n)
                both(&w, ",");
        }
        OK(cf_flows_parse(&list, cf_str_slice(&w.loose), &err));
        assert_int_equal(list.n, one_by_one.n);
        for (size_t k = 0; k < list.n; k++)
            assert_true(cf_flow_equal(&list.items[k], &one_by_one.items[k]));
        OK(cf_flows_print(&text, &list, &err));
        if (list.n == n)
            assert_string_equal(text.data, w.canonical.data);
        cf_str_deinit(&text);
        cf_flows_deinit(&list);
        cf_flows_deinit(&one_by_one);
    }
    cf_str_deinit(&w.loose);
    cf_str_deinit(&w.canonical);
}

static void a_changed_character_is_refused_or_read_as_another_flow(void **state)
{
    (void)state;
    static const char other[] = "+-&@#,:()[]\"\\> aA0\x80";
    writer w = {.random = 3};
    int n_read = 0, n_refused = 0;
    for (int i = 0; i < 20000; i++) {
        cf_flow f = {0}, back = {0};
        cf_str text = {0};
        cf_error why = {0};
        writer_clear(&w);
        flow(&w);
        w.canonical.data[below(&w, (uint32_t)w.canonical.n)] = other[below(&w, (uint32_t)sizeof other)]; /* or NUL */
        const cf_status st = cf_flow_parse(&f, cf_str_slice(&w.canonical), &why);
        if (st == CF_OK) {
            n_read++;
            OK(cf_flow_print(&text, &f, &err));
            OK(cf_flow_parse(&back, cf_str_slice(&text), &err));
            assert_true(cf_flow_equal(&f, &back));
        } else {
            n_refused++;
            assert_int_equal(st, CF_USAGE);
            assert_true(strncmp(why.text, "flow \"", 6) == 0 && f.edges == NULL);
        }
        cf_flow_deinit(&f);
        cf_flow_deinit(&back);
        cf_str_deinit(&text);
    }
    assert_true(n_read > 1000 && n_refused > 1000);
    cf_str_deinit(&w.loose);
    cf_str_deinit(&w.canonical);
}

int test_flow_random(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flows_written_at_random_are_printed_in_canonical_form),
        cmocka_unit_test(lists_written_at_random_keep_their_flows_apart),
        cmocka_unit_test(a_changed_character_is_refused_or_read_as_another_flow),
    };
    return cmocka_run_group_tests_name("flow_random", tests, NULL, NULL);
}
