/* json_members.c - the members of a large JSON object, one after another: see json_fields.h.
 *
 * Finds where a value ends by its brackets and quotes alone; whether it is JSON is for the parser that gets it. */
#include "question/json_fields.h"

#include <stdlib.h>
#include <string.h>

void cf_members_init(cf_members *m, cf_slice text, const char *where)
{
    static const char bom[] = "\xEF\xBB\xBF";
    const size_t skip = text.n >= 3 && memcmp(text.data, bom, 3) == 0 ? 3 : 0;
    *m = (cf_members){.text = text, .at = skip, .where = where};
}

static void drop_member(cf_members *m)
{
    free(m->name);
    cf_json_free(m->value);
    m->name = NULL;
    m->value = NULL;
}

void cf_members_deinit(cf_members *m)
{
    drop_member(m);
}

/* The next byte that is no white space; '\0', which no JSON has there, at the end of the text. */
static char peek(cf_members *m)
{
    const cf_slice t = m->text;
    while (m->at < t.n && memchr(" \t\r\n", t.data[m->at], 4))
        m->at++;
    return m->at < t.n ? t.data[m->at] : '\0';
}

static cf_status expect(cf_members *m, const char *one_of, const char *what, cf_error *err)
{
    const char c = peek(m);
    if (c == '\0' || !strchr(one_of, c))
        return cf_fail(err, CF_FORMAT, "%s: expected %s at byte %zu, found %s", m->where, what, m->at,
                       m->at < m->text.n ? "something else" : "the end of the file");
    return CF_OK;
}

/* Past the string that begins at `at`; to the end of the text where it never closes. */
static size_t skip_string(cf_slice t, size_t at)
{
    for (at++; at < t.n && t.data[at] != '"'; at++)
        if (t.data[at] == '\\')
            at++;
    return at < t.n ? at + 1 : t.n;
}

/* The value that begins here: to the comma or bracket that ends it. */
static cf_slice take_value(cf_members *m)
{
    const cf_slice t = m->text;
    const size_t begin = m->at;
    size_t depth = 0;
    while (m->at < t.n) {
        const char c = t.data[m->at];
        if (c == '"') {
            m->at = skip_string(t, m->at);
            continue;
        }
        if (depth == 0 && (c == ',' || c == '}' || c == ']'))
            break;
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        m->at++;
    }
    return cf_slice_trim((cf_slice){t.data + begin, m->at - begin});
}

static cf_status read_name(cf_members *m, cf_error *err)
{
    cf_status st = CF_OK;
    cf_json *name = NULL;
    CF_TRY(expect(m, "\"", "a name in quotes", err));
    const size_t begin = m->at;
    m->at = skip_string(m->text, begin);
    if (cf_json_parse(&name, (cf_slice){m->text.data + begin, m->at - begin}, m->where, NULL) != CF_OK)
        return cf_fail(err, CF_FORMAT, "%s: the name at byte %zu is not valid JSON", m->where, begin);
    CF_TRY(cf_strdup(&m->name, cf_slice_of(cf_json_string(name)), err));
done:
    cf_json_free(name);
    return st;
}

static cf_status read_value(cf_members *m, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str where = {0};
    CF_TRY(expect(m, ":", "a colon", err));
    m->at++;
    (void)peek(m);
    CF_TRY(cf_str_addf(&where, err, "%s, member \"%s\"", m->where, m->name));
    CF_TRY(cf_json_parse(&m->value, take_value(m), where.data, err));
done:
    cf_str_deinit(&where);
    return st;
}

/* Nothing but white space follows the object. */
static cf_status expect_end(cf_members *m, cf_error *err)
{
    m->at++;
    (void)peek(m);
    if (m->at < m->text.n)
        return cf_fail(err, CF_FORMAT, "%s: unexpected text after the JSON value at byte %zu", m->where, m->at);
    return CF_OK;
}

cf_status cf_members_next(bool *more, cf_members *m, cf_error *err)
{
    cf_status st = CF_OK;
    drop_member(m);
    *more = false;
    if (!m->begun) {
        CF_TRY(expect(m, "{", "an object ({)", err));
        m->at++;
        m->begun = true;
        if (peek(m) == '}')
            return expect_end(m, err);
    } else {
        CF_TRY(expect(m, ",}", "a comma or the object's end", err));
        if (peek(m) == '}')
            return expect_end(m, err);
        m->at++;
    }
    CF_TRY(read_name(m, err));
    CF_TRY(read_value(m, err));
    *more = true;
done:
    return st;
}
