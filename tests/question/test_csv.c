/* test_csv.c - the CSV reader against RFC 4180 and the behaviour of Python's csv module where the two agree. */
#include "test_csv.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "question/csv.h"

/* All records as one text: cells in brackets, a bar after each record. A heap copy of exactly n bytes goes in, so that
 * AddressSanitizer sees a read past the end. */
static cf_status split(cf_str *out, const char *text, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    char *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    memcpy(copy, text, n);
    cf_csv r;
    cf_csv_row row = {0};
    cf_csv_init(&r, copy, n, "some.csv");
    for (;;) {
        bool more = false;
        CF_TRY(cf_csv_next(&more, &row, &r, err));
        if (!more)
            break;
        for (size_t i = 0; i < row.n; i++) {
            CF_TRY(cf_str_add_text(out, "[", err));
            CF_TRY(cf_str_add(out, row.cells[i], err));
            CF_TRY(cf_str_add_text(out, "]", err));
        }
        CF_TRY(cf_str_add_text(out, "|", err));
    }
done:
    cf_csv_row_deinit(&row);
    free(copy);
    return st;
}

void each_text_splits_into_its_cells(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *expected;
    } cases[] = {
        {"plain", "a,b\n1,2\n", "[a][b]|[1][2]|"},
        {"no final line end", "a,b\n1,2", "[a][b]|[1][2]|"},
        {"CRLF", "a,b\r\n1,2\r\n", "[a][b]|[1][2]|"},
        {"mixed line ends", "a\r\nb\nc", "[a]|[b]|[c]|"},
        {"empty text", "", ""},
        {"byte-order mark",
         "\xEF\xBB\xBF"
         "a,b\n",
         "[a][b]|"},
        {"byte-order mark alone", "\xEF\xBB\xBF", ""},
        {"byte-order mark then a quote", "\xEF\xBB\xBF\"a\"\n", "[a]|"},
        {"part of a byte-order mark", "\xEF\xBB", "[\xEF\xBB]|"},
        {"empty cells", ",,\n", "[][][]|"},
        {"empty last cell at the end", "a,", "[a][]|"},
        {"quoted", "\"a\",\"b\"\n", "[a][b]|"},
        {"quoted and empty", "\"\"\n\"\",\"\"", "[]|[][]|"},
        {"comma inside", "\"a,b\",c\n", "[a,b][c]|"},
        {"line feed inside", "\"a\nb\",c\n", "[a\nb][c]|"},
        {"CRLF inside is kept", "\"a\r\nb\"\r\nc\r\n", "[a\r\nb]|[c]|"},
        {"carriage return inside quotes", "\"a\rb\"\n", "[a\rb]|"},
        {"doubled quotes", "\"a \"\"b\"\" c\"\n", "[a \"b\" c]|"},
        {"only doubled quotes", "\"\"\"\"\n", "[\"]|"},
        {"two doubled quotes", "\"\"\"\"\"\"\n", "[\"\"]|"},
        {"quoted last cell at the end", "a,\"b\"", "[a][b]|"},
        {"a quote inside a plain cell is text", "a\"b,c\"\n", "[a\"b][c\"]|"},
        {"blanks are kept", " a , b \n", "[ a ][ b ]|"},
        {"a blank before a quote makes a plain cell", " \"a\"\n", "[ \"a\"]|"},
        {"blank lines are skipped", "\n\r\na\n\n\nb\n\n", "[a]|[b]|"},
        {"UTF-8", "caf\xC3\xA9,\"\xE2\x96\x81\"\n", "[caf\xC3\xA9][\xE2\x96\x81]|"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("  %s\n", cases[i].name);
        cf_str got = {0};
        cf_error err = {0};
        assert_int_equal(split(&got, cases[i].text, strlen(cases[i].text), &err), CF_OK);
        assert_string_equal(got.data ? got.data : "", cases[i].expected);
        cf_str_deinit(&got);
    }
}

void each_damaged_text_names_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *expected;
    } cases[] = {
        {"a quote that never closes", "a\nb,\"c\nd\ne", "some.csv, line 2: a quoted cell is opened and never closed"},
        {"a quote at the very end", "a\n\"", "some.csv, line 2: a quoted cell is opened and never closed"},
        {"an odd number of quotes", "\"a\"\"", "some.csv, line 1: a quoted cell is opened and never closed"},
        {"text after a closing quote", "a\n\"b\nb\"c\n", "some.csv, line 3: expected a comma or the end of the line"},
        {"a carriage return after a closing quote", "\"a\"\rb", "some.csv, line 1: expected a comma or the end"},
        {"a carriage return alone", "a\nb\rc\n", "some.csv, line 2: a carriage return without a line feed"},
        {"a carriage return at the end", "a\nb\r", "some.csv, line 2: a carriage return without a line feed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("  %s\n", cases[i].name);
        cf_str got = {0};
        cf_error err = {0};
        assert_int_equal(split(&got, cases[i].text, strlen(cases[i].text), &err), CF_FORMAT);
        if (!strstr(err.text, cases[i].expected))
            fail_msg("found: %s", err.text);
        cf_str_deinit(&got);
    }
}

void a_row_knows_the_line_it_begins_on(void **state)
{
    (void)state;
    char text[] = "a\r\n\"b\n\nb\",c\n\n\nd";
    static const int64_t lines[] = {1, 2, 7};
    cf_csv r;
    cf_csv_row row = {0};
    cf_error err = {0};
    cf_csv_init(&r, text, sizeof text - 1, "some.csv");
    bool more = false;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(cf_csv_next(&more, &row, &r, &err), CF_OK);
        assert_true(more);
        assert_int_equal(row.line, lines[i]);
    }
    assert_int_equal(cf_csv_next(&more, &row, &r, &err), CF_OK);
    assert_false(more);
    assert_int_equal(row.n, 0);
    cf_csv_row_deinit(&row);
}
