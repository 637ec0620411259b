/* question_asserts.c - see question_asserts.h. */
#include "question_asserts.h"

void assert_slice(cf_slice s, const char *expected)
{
    if (!cf_slice_is(s, expected))
        fail_msg("expected \"%s\", found \"%.*s\"", expected, (int)s.n, s.n ? s.data : "");
}

void assert_box(const cf_object *o, int64_t x, int64_t y, int64_t w, int64_t h)
{
    assert_true(o->has_box);
    assert_int_equal(o->x, x);
    assert_int_equal(o->y, y);
    assert_int_equal(o->w, w);
    assert_int_equal(o->h, h);
}

cf_question_set *parse_as(const char *path, const char *text)
{
    cf_question_set *s = NULL;
    cf_error err = {0};
    if (cf_question_set_parse(&s, cf_slice_of(text), path, &err) != CF_OK)
        fail_msg("%s", err.text);
    return s;
}

void assert_refused(const char *path, const char *text, const char *message)
{
    cf_question_set *s = NULL;
    cf_error err = {0};
    assert_int_equal(cf_question_set_parse(&s, cf_slice_of(text), path, &err), CF_FORMAT);
    assert_string_equal(err.text, message);
    assert_null(s);
}
