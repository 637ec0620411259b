/* page_fixture.c - see page_fixture.h. */
#include "page_fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/file.h"
#include "support/temp_dir.h"

cf_page_options page_options(void)
{
    cf_page_options o = cf_page_options_default();
    o.resamples = 20;
    o.n_samples = 0;
    return o;
}

static cf_json *parse(const char *text, size_t n)
{
    cf_json *json = NULL;
    assert_ok(cf_json_parse(&json, (cf_slice){text, n}, "the page", report));
    return json;
}

/* The text of the element that begins so. */
static cf_slice element(const page *p, const char *begin)
{
    const char *at = strstr(p->html, begin);
    if (!at)
        fail_msg("no element %s", begin);
    at += strlen(begin);
    const char *end = strstr(at, "</script>");
    assert_non_null(end);
    return (cf_slice){at, (size_t)(end - at)};
}

void page_write(page *p, const fixture *f, cf_store *const *stores, size_t n, const cf_page_options *o)
{
    char *path = temp_dir_path(f->dir, "page.html");
    cf_str text = {0};
    *p = (page){0};
    assert_ok(cf_page_write(stores, n, path, o, &p->notes, report));
    assert_ok(cf_file_read(&text, path, 1 << 26, report));
    p->html = text.data;
    p->n = text.n;
    assert_int_equal(strlen(p->html), p->n);
    const cf_slice json = element(p, "<script type=\"application/json\" id=\"page-data\">");
    p->json = parse(json.data, json.n);
    free(path);
}

void page_free(page *p)
{
    free(p->html);
    cf_json_free(p->json);
    cf_str_deinit(&p->notes);
}

const cf_json *page_get(const cf_json *node, const char *name)
{
    const cf_json *found = cf_json_get(node, name);
    if (!found)
        fail_msg("no member %s", name);
    return found;
}

const cf_json *page_nth(const cf_json *list, int64_t nth)
{
    const cf_json *item = cf_json_first(list);
    while (item && nth-- > 0)
        item = cf_json_next(item);
    assert_non_null(item);
    return item;
}

double page_number(const cf_json *node, const char *name)
{
    return cf_json_number(page_get(node, name), (double)NAN);
}

const char *page_text(const cf_json *node, const char *name)
{
    const char *text = cf_json_string(page_get(node, name));
    if (!text)
        fail_msg("%s is no text", name);
    return text;
}

const cf_json *page_study(const page *p, int nth)
{
    return page_nth(page_get(p->json, "studies"), nth);
}

/* ---- blobs ---- */

static int digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = memchr(digits, c, 64);
    return at ? (int)(at - digits) : -1;
}

unsigned char *page_unbase64(cf_slice text, size_t *n)
{
    unsigned char *out = malloc(text.n + 1);
    unsigned bits = 0, n_bits = 0;
    assert_non_null(out);
    *n = 0;
    assert_int_equal(text.n % 4, 0);
    for (size_t i = 0; i < text.n && text.data[i] != '='; i++) {
        const int d = digit(text.data[i]);
        if (d < 0)
            fail_msg("'%c' is no digit of base64", text.data[i]);
        bits = (bits << 6 | (unsigned)d) & 0xffff;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            out[(*n)++] = (unsigned char)(bits >> n_bits);
        }
    }
    return out;
}

/* size: bytes of one item. */
static unsigned char *unpack(const page *p, const cf_json *blob, const char *kind, size_t n, size_t size)
{
    cf_str begin = {0};
    size_t n_packed = 0;
    assert_string_equal(page_text(blob, "kind"), kind);
    assert_int_equal(page_number(blob, "n"), n);
    assert_ok(cf_str_addf(&begin, report, "<script type=\"application/octet-stream;base64\" id=\"%s\">",
                          page_text(blob, "id")));
    unsigned char *packed = page_unbase64(element(p, begin.data), &n_packed), *out = malloc(n * size + 1);
    uLongf n_out = n * size + 1;
    assert_non_null(out);
    assert_int_equal(uncompress(out, &n_out, packed, n_packed), Z_OK);
    assert_int_equal(n_out, n * size);
    free(packed);
    cf_str_deinit(&begin);
    return out;
}

double *page_numbers(const page *p, const cf_json *blob, size_t n)
{
    unsigned char *planes = unpack(p, blob, "f64", n, 8);
    double *out = calloc(n + 1, sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = 0;
        for (size_t k = 0; k < 8; k++)
            bits |= (uint64_t)planes[k * n + i] << 8 * k;
        memcpy(&out[i], &bits, sizeof bits);
    }
    free(planes);
    return out;
}

unsigned char *page_bytes(const page *p, const cf_json *blob, size_t n)
{
    return unpack(p, blob, "u8", n, 1);
}

cf_json *page_list(const page *p, const cf_json *blob)
{
    const size_t n = (size_t)page_number(blob, "n");
    unsigned char *text = unpack(p, blob, "json", n, 1);
    cf_json *json = parse((const char *)text, n);
    free(text);
    return json;
}

void page_assert_number(double found, double expected, const char *what, const char *file, int line)
{
    const bool same = (isnan(found) && isnan(expected)) || memcmp(&found, &expected, sizeof found) == 0;
    if (!same) {
        print_error("%s: expected %.17g, found %.17g\n", what, expected, found);
        _fail(file, line);
    }
}
