/* test_torch_zip.c - whole torch archives by hand: how the zip archive and the pickle inside must fit together. */
#include "test_checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "checkpoint/torch_zip.h"
#include "pickles.h"
#include "support/fail_alloc.h"
#include "zip_writer.h"

#define PICKLE(bytes) .data = bytes, .n = sizeof(bytes) - 1
static const char two_vectors[] = PROTO "}(" TEXT1("b") VECTOR("1", "\3") TEXT1("a")
    TENSOR_OF(FLOATS("1", "\3"), INT1("\1"), LIST1("\2"), LIST1("\1")) "u.";
static const float three[] = {1, 2, 3};

/* items, ended by one without a name */
static cf_status parse(cf_weight_file *out, unsigned char **bytes, const zip_item *items, cf_error *err)
{
    size_t n = 0, n_items = 0;
    while (items[n_items].name)
        n_items++;
    *bytes = zip_write(&n, items, n_items, (zip_end){.zip64 = true});
    return cf_torch_zip_parse(out, *bytes, n, "x.bin", err);
}

static void tensors_are_views_of_their_storages_member(void **state)
{
    (void)state;
    const zip_item items[] = {
        {.name = "archive/data.pkl", .data = two_vectors, .n = sizeof two_vectors - 1, .descriptor = true},
        {.name = "archive/byteorder", .data = "little", .n = 6},
        {.name = "archive/data/1", .data = three, .n = sizeof three, .n_extra = 33},
        {.name = "archive/version", .data = "3\n", .n = 2},
        {.name = NULL}};
    cf_weight_file f = {0};
    unsigned char *bytes = NULL;
    cf_error err = {0};
    if (parse(&f, &bytes, items, &err) != CF_OK)
        fail_msg("%s", err.text);
    assert_int_equal(f.n, 2);
    const cf_stored_tensor *a = cf_weight_file_find(&f, "a"), *b = cf_weight_file_find(&f, "b");
    assert_ptr_equal(a, &f.tensors[0]);
    assert_ptr_equal(b, &f.tensors[1]);
    assert_memory_equal(b->data, three, 12);
    assert_ptr_equal(a->data, b->data + 4);
    assert_int_equal(a->n_bytes, 8);
    assert_int_equal(b->n_bytes, 12);
    assert_memory_equal(f.header.data, two_vectors, sizeof two_vectors - 1);
    assert_ptr_equal(f.data.data, bytes);
    cf_weight_file_deinit(&f);
    free(bytes);
}

#define DATA(member)                                                                                                   \
    {                                                                                                                  \
        .name = member, .data = three, .n = sizeof three                                                               \
    }
#define GOOD_PICKLE                                                                                                    \
    {                                                                                                                  \
        .name = "x/data.pkl", .data = two_vectors, .n = sizeof two_vectors - 1                                         \
    }
static const struct {
    const char *name;
    zip_item items[4];
    cf_status status;
    const char *say;
} bad[] = {
    {"no pickle",
     {DATA("x/data/1")},
     CF_FORMAT,
     "expected one member NAME/data.pkl, found 0: not an archive of torch.save"},
    {"a pickle without a name before it",
     {{.name = "data.pkl", .data = "", .n = 0}, DATA("data/1")},
     CF_FORMAT,
     "found 0"},
    {"a pickle deeper down", {{.name = "x/y/data.pkl", .data = "", .n = 0}}, CF_FORMAT, "found 0"},
    {"two pickles", {GOOD_PICKLE, {.name = "y/data.pkl", .data = "", .n = 0}}, CF_FORMAT, "found 2"},
    {"no storage", {GOOD_PICKLE}, CF_FORMAT, "x.bin: tensor 'b': no member data/1"},
    {"a storage of another archive", {GOOD_PICKLE, DATA("y/data/1")}, CF_FORMAT, "tensor 'b': no member data/1"},
    {"a storage too short",
     {GOOD_PICKLE, {.name = "x/data/1", .data = three, .n = 11}},
     CF_FORMAT,
     "tensor 'b': expected 3 elements of F32 in member data/1, found 11 bytes"},
    {"a storage too long",
     {GOOD_PICKLE, {.name = "x/data/1", .data = two_vectors, .n = 16}},
     CF_FORMAT,
     "found 16 bytes"},
    {"a storage that overflows",
     {{.name = "x/data.pkl",
       PICKLE(ONE(TENSOR_OF(STORAGE_OF(GLOBAL("torch", "FloatStorage"), "1", "\x8a\x8\3\0\0\0\0\0\0\x40"), INT1("\0"),
                            LIST1("\3"), LIST1("\1"))))},
      DATA("x/data/1")},
     CF_FORMAT,
     "tensor 'a': expected 4611686018427387907 elements of F32"},
    {"a storage key that leads elsewhere",
     {{.name = "x/data.pkl",
       PICKLE(ONE(TENSOR_OF("(X\7\0\0\0storage" GLOBAL("torch", "FloatStorage") "X\x8\0\0\0../../xx" TEXT1("c")
                                INT1("\3") "tQ",
                            INT1("\0"), LIST1("\3"), LIST1("\1"))))},
      DATA("x/data/1")},
     CF_FORMAT,
     "tensor 'a': no member data/../../xx"},
    {"the same name twice",
     {{.name = "x/data.pkl", PICKLE(PROTO "}(" TEXT1("a") VECTOR("1", "\3") TEXT1("a") VECTOR("1", "\3") "u.")},
      DATA("x/data/1")},
     CF_FORMAT,
     "x.bin: two tensors are named 'a'"},
    {"big-endian",
     {GOOD_PICKLE, DATA("x/data/1"), {.name = "x/byteorder", .data = "big", .n = 3}},
     CF_UNSUPPORTED,
     "byteorder 'big' is not supported, only 'little'"},
    {"a call to the shell",
     {{.name = "x/data.pkl", PICKLE(PROTO GLOBAL("posix", "system") "X\4\0\0\0true\x85R.")}},
     CF_UNSUPPORTED,
     "x.bin: data.pkl, byte 2: global 'posix system' is not one of a state dictionary: refused, nothing was executed"},
    {"a compressed storage",
     {GOOD_PICKLE, {.name = "x/data/1", .data = three, .n = 12, .method = 8}},
     CF_UNSUPPORTED,
     "member 'x/data/1' is compressed (method 8)"},
};

static void archive_and_pickle_must_fit_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cf_weight_file f = {0};
        unsigned char *bytes = NULL;
        cf_error err = {0};
        const cf_status st = parse(&f, &bytes, bad[i].items, &err);
        if (st != bad[i].status || !strstr(err.text, bad[i].say))
            fail_msg("%s: status %d: %s", bad[i].name, st, err.text);
        assert_null(f.tensors);
        free(bytes);
    }
}

static void what_is_no_archive_is_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *say;
    } cases[] = {
        {"", 0, "expected a zip archive as torch.save writes it, found something else"},
        {"PK\3", 3, "found something else"},
        {"version https://git-lfs", 23, "found something else"},
        {"PK\3\4PK\3\4", 8, "no end record (truncated, or not a zip archive)"},
        {"\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15, "the torch format of before version 1.6"},
        {"\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50", 13, "found something else"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_weight_file f = {0};
        cf_error err = {0};
        assert_int_not_equal(cf_torch_zip_parse(&f, (const unsigned char *)cases[i].bytes, cases[i].n, "x", &err),
                             CF_OK);
        if (!strstr(err.text, cases[i].say))
            fail_msg("%zu: %s", i, err.text);
    }
}

static void parsing_survives_every_failing_allocation(void **state)
{
    (void)state;
    const zip_item items[] = {GOOD_PICKLE, DATA("x/data/1")};
    size_t n_bytes = 0;
    unsigned char *bytes = zip_write(&n_bytes, items, 2, (zip_end){.zip64 = true});
    for (int64_t n = 1;; n++) {
        cf_weight_file f = {0};
        cf_error err = {0};
        fail_alloc_at(n);
        const cf_status st = cf_torch_zip_parse(&f, bytes, n_bytes, "x", &err);
        if (!fail_alloc_off()) {
            assert_int_equal(st, CF_OK);
            assert_true(n > 12);
            cf_weight_file_deinit(&f);
            break;
        }
        assert_int_equal(st, CF_NOMEM);
        assert_null(f.tensors);
    }
    free(bytes);
}

int test_torch_zip(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_are_views_of_their_storages_member),
        cmocka_unit_test(archive_and_pickle_must_fit_together),
        cmocka_unit_test(what_is_no_archive_is_told_apart),
        cmocka_unit_test(parsing_survives_every_failing_allocation),
    };
    return cmocka_run_group_tests_name("torch archive", tests, NULL, NULL);
}
