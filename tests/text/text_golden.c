/* text_golden.c - see test_text.h. */
#include "test_text.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"

int demo_open(void **state)
{
    cf_error err = {0};
    cf_tokenizer *t = NULL;
    if (cf_tokenizer_open(&t, "demo/model", &err) != CF_OK) {
        print_error("%s\n", err.text);
        return -1;
    }
    *state = t;
    return 0;
}

int demo_close(void **state)
{
    cf_tokenizer_close(*state);
    return 0;
}

cf_json *golden_open(const char *name)
{
    char path[128];
    cf_error err = {0};
    cf_json *root = NULL;
    (void)snprintf(path, sizeof path, "tests/text/golden/%s.json", name);
    if (cf_json_open(&root, path, 1 << 20, &err) != CF_OK)
        fail_msg("%s", err.text);
    return root;
}

static unsigned sextet(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(digits, c);
    assert_true(at && c);
    return (unsigned)(at - digits);
}

cf_str golden_base64(const cf_json *node)
{
    cf_str out = {0};
    cf_error err = {0};
    const char *text = cf_json_string(node);
    assert_non_null(text);
    assert_int_equal(cf_str_add_text(&out, "", &err), CF_OK);
    unsigned bits = 0, n_bits = 0;
    for (; *text && *text != '='; text++) {
        bits = bits << 6 | sextet(*text);
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            const char byte = (char)(bits >> n_bits & 0xFF);
            assert_int_equal(cf_str_add(&out, (cf_slice){&byte, 1}, &err), CF_OK);
        }
    }
    return out;
}

static uint64_t fnv(uint64_t h, unsigned char byte)
{
    return (h ^ byte) * 0x100000001B3u;
}

void ids_hash(char out[17], const cf_ids *ids)
{
    uint64_t h = 0xCBF29CE484222325u;
    for (size_t i = 0; i < ids->n; i++)
        for (unsigned shift = 0; shift < 32; shift += 8)
            h = fnv(h, (unsigned char)((uint32_t)ids->items[i] >> shift));
    (void)snprintf(out, 17, "%016llx", (unsigned long long)h);
}

void text_hash(char out[17], cf_slice text)
{
    uint64_t h = 0xCBF29CE484222325u;
    for (size_t i = 0; i < text.n; i++)
        h = fnv(h, (unsigned char)text.data[i]);
    (void)snprintf(out, 17, "%016llx", (unsigned long long)h);
}

bool ids_are(const cf_ids *ids, const cf_json *list)
{
    if (cf_json_kind_of(list) != CF_JSON_ARRAY || cf_json_count(list) != (int64_t)ids->n)
        return false;
    size_t i = 0;
    for (const cf_json *e = cf_json_first(list); e; e = cf_json_next(e), i++)
        if (cf_json_number(e, -1) != ids->items[i])
            return false;
    return true;
}

/* "decoded text, newline, decoded text without special tokens", as the goldens hash it. */
static cf_str both_texts(const cf_tokenizer *t, const cf_ids *ids)
{
    cf_str out = {0};
    cf_error err = {0};
    assert_int_equal(cf_tokenizer_decode(&out, t, ids->items, ids->n, false, &err), CF_OK);
    assert_int_equal(cf_str_add_text(&out, "\n", &err), CF_OK);
    assert_int_equal(cf_tokenizer_decode(&out, t, ids->items, ids->n, true, &err), CF_OK);
    return out;
}

/* row, behind the string: number of ids, their hash, the texts' hash, and perhaps the ids. */
void golden_check_row(const char *name, const cf_tokenizer *t, cf_slice text, const cf_json *row, const char *shown)
{
    cf_ids ids = {0};
    cf_error err = {0};
    char hash[17];
    assert_int_equal(cf_tokenizer_encode(&ids, t, text, true, &err), CF_OK);
    const cf_json *ids_expected = cf_json_next(row);
    const cf_json *texts_expected = cf_json_next(ids_expected);
    const cf_json *whole = cf_json_next(texts_expected);
    ids_hash(hash, &ids);
    if ((double)ids.n != cf_json_number(row, -1) || strcmp(hash, cf_json_string(ids_expected)) != 0 ||
        (whole && !ids_are(&ids, whole)))
        fail_msg("%s: string %s (base64): expected %.0f ids, hash %s; found %zu, hash %s", name, shown,
                 cf_json_number(row, -1), cf_json_string(ids_expected), ids.n, hash);
    cf_str texts = both_texts(t, &ids);
    text_hash(hash, cf_str_slice(&texts));
    if (strcmp(hash, cf_json_string(texts_expected)) != 0)
        fail_msg("%s: string %s (base64): decoded to \"%s\"", name, shown, texts.data);
    cf_str_deinit(&texts);
    cf_ids_deinit(&ids);
}

int64_t golden_check_strings(const char *name, const cf_tokenizer *t, const cf_json *rows)
{
    int64_t n = 0;
    for (const cf_json *row = cf_json_first(rows); row; row = cf_json_next(row), n++) {
        cf_str text = golden_base64(cf_json_first(row));
        golden_check_row(name, t, cf_str_slice(&text), cf_json_next(cf_json_first(row)),
                         cf_json_string(cf_json_first(row)));
        cf_str_deinit(&text);
    }
    return n;
}

cf_tokenizer *golden_tokenizer(const char *name)
{
    char path[128];
    cf_error err = {0};
    cf_str json = {0};
    cf_tokenizer *t = NULL;
    (void)snprintf(path, sizeof path, "tests/text/golden/%s.json", name);
    if (cf_file_read(&json, path, 1 << 20, &err) != CF_OK ||
        cf_tokenizer_parse(&t, cf_str_slice(&json), path, &err) != CF_OK)
        fail_msg("%s", err.text);
    cf_str_deinit(&json);
    return t;
}
