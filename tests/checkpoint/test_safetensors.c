/* test_safetensors.c - one file: what the format allows and what it forbids. */
#include "test_checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/safetensors.h"

/* A file of this header and n data bytes, in a heap block of exactly its size, so that the sanitizer sees a
 * read outside. */
static unsigned char *file_of(size_t *n_file, const char *header, size_t n_data)
{
    const size_t n = strlen(header);
    unsigned char *file = calloc(1, 8 + n + n_data);
    assert_non_null(file);
    for (int i = 0; i < 8; i++)
        file[i] = (unsigned char)((uint64_t)n >> 8 * i);
    memcpy(file + 8, header, n);
    *n_file = 8 + n + n_data;
    return file;
}

#define T(dtype, shape, offsets) "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void a_good_file_gives_its_tensors_by_name(void **state)
{
    (void)state;
    /* Out of order, an empty tensor between, a scalar, rank 5, metadata, padding, and dtypes that cannot be used. */
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"pt\"},"
        "\"c\":" T("I64", "[2]",
                   "[12,28]") ","
                              "\"a\":" T("F16", "[2,3]",
                                         "[0,12]") ","
                                                   "\"empty\":" T(
                                                       "F32", "[0,4]",
                                                       "[12,12]") ","
                                                                  "\"scalar\":" T(
                                                                      "BF16", "[]",
                                                                      "[28,30]") ","
                                                                                 "\"five\":" T(
                                                                                     "F32", "[1,1,2,1,1]",
                                                                                     "[30,38]") ","
                                                                                                "\"f4\":" T(
                                                                                                    "F4", "[3,2]",
                                                                                                    "[38,41]") "}   ";
    size_t n = 0;
    unsigned char *file = file_of(&n, header, 41);
    cf_safetensors s = {0};
    cf_error err = {0};
    if (cf_safetensors_parse(&s, file, n, "good", &err) != CF_OK)
        fail_msg("%s", err.text);
    assert_int_equal(s.n, 6);
    for (size_t i = 1; i < s.n; i++)
        assert_true(strcmp(s.tensors[i - 1].name, s.tensors[i].name) < 0);
    const cf_stored_tensor *a = cf_safetensors_find(&s, "a"), *c = cf_safetensors_find(&s, "c");
    assert_ptr_equal(a->data, file + 8 + strlen(header));
    assert_true(a->readable);
    assert_int_equal(a->dtype, CF_F16);
    assert_int_equal(a->n_bytes, 12);
    assert_int_equal(a->count, 6);
    assert_memory_equal(a->shape, ((int64_t[]){2, 3, 1, 1}), sizeof a->shape);
    assert_false(c->readable);
    assert_string_equal(c->dtype_name, "I64");
    assert_ptr_equal(c->data, a->data + 12);
    assert_int_equal(cf_safetensors_find(&s, "empty")->count, 0);
    assert_int_equal(cf_safetensors_find(&s, "scalar")->rank, 0);
    assert_int_equal(cf_safetensors_find(&s, "scalar")->count, 1);
    assert_int_equal(cf_safetensors_find(&s, "five")->rank, 5);
    assert_int_equal(cf_safetensors_find(&s, "five")->count, 2);
    assert_null(cf_safetensors_find(&s, "__metadata__"));
    assert_null(cf_safetensors_find(&s, "b"));
    cf_safetensors_deinit(&s);
    free(file);
}

static void a_file_may_hold_no_tensor(void **state)
{
    (void)state;
    size_t n = 0;
    unsigned char *file = file_of(&n, "{}", 0);
    cf_safetensors s = {0};
    cf_error err = {0};
    assert_int_equal(cf_safetensors_parse(&s, file, n, "empty", &err), CF_OK);
    assert_int_equal(s.n, 0);
    assert_null(cf_safetensors_find(&s, "a"));
    cf_safetensors_deinit(&s);
    free(file);
}

static const struct {
    const char *name, *header;
    size_t n_data;
    const char *say;
} bad_headers[] = {
    {"not JSON", "{\"a\":", 0, "not valid JSON"},
    {"text after", "{} {}", 0, "after the JSON value"},
    {"a list", "[]", 0, "expected a JSON object as its header"},
    {"empty header", "", 0, "not valid JSON"},
    {"tensor is no object", "{\"a\":5}", 0, "tensor 'a': expected an object"},
    {"no dtype", "{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "expected a dtype"},
    {"dtype is a number", "{\"a\":{\"dtype\":4,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "expected a dtype"},
    {"unknown dtype", "{\"a\":" T("F99", "[1]", "[0,4]") "}", 4, "unknown dtype 'F99'"},
    {"dtype in lower case", "{\"a\":" T("f32", "[1]", "[0,4]") "}", 4, "unknown dtype 'f32'"},
    {"no shape", "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "expected a list as its shape"},
    {"shape is a number", "{\"a\":" T("F32", "1", "[0,4]") "}", 4, "expected a list as its shape"},
    {"shape is an object", "{\"a\":" T("F32", "{\"x\":1}", "[0,4]") "}", 4, "expected a list as its shape"},
    {"negative extent", "{\"a\":" T("F32", "[2,-1]", "[0,4]") "}", 4, "extent 1 of its shape is not a count"},
    {"two negative extents", "{\"a\":" T("F32", "[-1,-1]", "[0,4]") "}", 4, "extent 0 of its shape is not a count"},
    {"extent with a fraction", "{\"a\":" T("F32", "[1.5]", "[0,6]") "}", 6, "is not a count"},
    {"extent as text", "{\"a\":" T("F32", "[\"1\"]", "[0,4]") "}", 4, "is not a count"},
    {"extent beyond 2^53", "{\"a\":" T("U8", "[18446744073709551617]", "[0,1]") "}", 1, "is not a count"},
    {"shape overflows", "{\"a\":" T("F32", "[4503599627370496,4503599627370496]", "[0,0]") "}", 0, "shape overflows"},
    {"shape times dtype overflows", "{\"a\":" T("F64", "[4503599627370496,256]", "[0,0]") "}", 0, "shape overflows"},
    {"overflow hidden by a zero", "{\"a\":" T("U8", "[4503599627370496,4503599627370496,0]", "[0,0]") "}", 0,
     "shape overflows"},
    {"half a byte", "{\"a\":" T("F4", "[3]", "[0,1]") "}", 1, "bytes for 3 elements of F4"},
    {"no offsets", "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "expected two integers as its data_offsets"},
    {"one offset", "{\"a\":" T("F32", "[1]", "[4]") "}", 4, "expected two integers as its data_offsets"},
    {"three offsets", "{\"a\":" T("F32", "[1]", "[0,4,8]") "}", 4, "expected two integers as its data_offsets"},
    {"offsets as an object", "{\"a\":" T("F32", "[1]", "{\"a\":0,\"b\":4}") "}", 4, "expected two integers"},
    {"negative offset", "{\"a\":" T("F32", "[1]", "[-4,0]") "}", 4, "expected two integers as its data_offsets"},
    {"offset with a fraction", "{\"a\":" T("F32", "[1]", "[0,4.5]") "}", 5, "expected two integers"},
    {"begin after end", "{\"a\":" T("F32", "[1]", "[4,0]") "}", 4, "begin at 4, after their end 0"},
    {"past the end", "{\"a\":" T("F32", "[2]", "[0,8]") "}", 7, "end at 8, past the file's 7 data bytes"},
    {"far past the end", "{\"a\":" T("U8", "[9007199254740991]", "[0,9007199254740991]") "}", 1,
     "past the file's 1 data"},
    {"too few bytes", "{\"a\":" T("F32", "[2]", "[0,4]") "}", 4, "expected 8 bytes for 2 elements of F32, found 4"},
    {"too many bytes", "{\"a\":" T("F16", "[1]", "[0,4]") "}", 4, "expected 2 bytes for 1 elements of F16, found 4"},
    {"overlap", "{\"a\":" T("F32", "[2]", "[0,8]") ",\"b\":" T("F32", "[2]", "[4,12]") "}", 12,
     "tensors 'a' and 'b' overlap at data byte 4"},
    {"same place", "{\"a\":" T("F32", "[1]", "[0,4]") ",\"b\":" T("F32", "[1]", "[0,4]") "}", 4, "overlap"},
    {"hole", "{\"a\":" T("F32", "[1]", "[0,4]") ",\"b\":" T("F32", "[1]", "[6,10]") "}", 10,
     "tensor 'b' begins at data byte 6, expected 4: a hole"},
    {"hole at the start", "{\"a\":" T("F32", "[1]", "[4,8]") "}", 8, "a hole"},
    {"bytes left over", "{\"a\":" T("F32", "[1]", "[0,4]") "}", 6, "expected 4 data bytes for its tensors, found 6"},
    {"same name", "{\"a\":" T("F32", "[1]", "[0,4]") ",\"a\":" T("F32", "[1]", "[4,8]") "}", 8,
     "two tensors are named 'a'"},
};

static void what_the_format_forbids_is_refused_in_one_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_headers / sizeof *bad_headers; i++) {
        size_t n = 0;
        unsigned char *file = file_of(&n, bad_headers[i].header, bad_headers[i].n_data);
        cf_safetensors s = {0};
        cf_error err = {0};
        if (cf_safetensors_parse(&s, file, n, "bad.safetensors", &err) != CF_FORMAT)
            fail_msg("%s was accepted, or refused as something else: %s", bad_headers[i].name, err.text);
        if (!strstr(err.text, bad_headers[i].say) || strncmp(err.text, "bad.safetensors: ", 17) != 0)
            fail_msg("%s: %s", bad_headers[i].name, err.text);
        assert_null(strchr(err.text, '\n'));
        assert_null(s.tensors);
        free(file);
    }
}

static void a_header_length_is_held_against_the_file(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t length;
        size_t n_file;
        const char *say;
    } cases[] = {
        {"no file", 0, 0, "found only 0 bytes"},
        {"seven bytes", 0, 7, "found only 7 bytes"},
        {"length alone", 2, 8, "should have 2 bytes, but only 0 follow"},
        {"one byte short", 3, 10, "should have 3 bytes, but only 2 follow"},
        {"largest length", UINT64_MAX, 10, "should have 18446744073709551615 bytes, but only 2 follow"},
        {"wraps to the file's size", UINT64_MAX - 5, 10, "but only 2 follow"},
        {"sign bit", (uint64_t)1 << 63, 10, "but only 2 follow"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned char *file = calloc(1, cases[i].n_file ? cases[i].n_file : 1);
        assert_non_null(file);
        for (size_t b = 0; b < 8 && b < cases[i].n_file; b++)
            file[b] = (unsigned char)(cases[i].length >> 8 * b);
        for (size_t b = 8; b < cases[i].n_file; b++)
            file[b] = b % 2 ? '}' : '{';
        cf_safetensors s = {0};
        cf_error err = {0};
        assert_int_equal(cf_safetensors_parse(&s, file, cases[i].n_file, "x", &err), CF_FORMAT);
        if (!strstr(err.text, cases[i].say))
            fail_msg("%s: %s", cases[i].name, err.text);
        free(file);
    }
}

static void a_header_over_100_million_bytes_is_refused_unread(void **state)
{
    (void)state;
    const size_t length = 100000001;
    unsigned char *file = calloc(1, 8 + length); /* zero pages: no memory is touched unless the header is read */
    assert_non_null(file);
    for (int i = 0; i < 8; i++)
        file[i] = (unsigned char)((uint64_t)length >> 8 * i);
    cf_safetensors s = {0};
    cf_error err = {0};
    assert_int_equal(cf_safetensors_parse(&s, file, 8 + length, "big", &err), CF_FORMAT);
    assert_non_null(strstr(err.text, "expected a header of at most 100000000 bytes, found 100000001"));
    free(file);
}

int test_safetensors(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_file_gives_its_tensors_by_name),
        cmocka_unit_test(a_file_may_hold_no_tensor),
        cmocka_unit_test(what_the_format_forbids_is_refused_in_one_line),
        cmocka_unit_test(a_header_length_is_held_against_the_file),
        cmocka_unit_test(a_header_over_100_million_bytes_is_refused_unread),
    };
    return cmocka_run_group_tests_name("safetensors", tests, NULL, NULL);
}
