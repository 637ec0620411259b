/* test_zip.c - zip archives by hand: what torch.save writes, and what a reader must not be led astray by. */
#include "test_checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "checkpoint/zip.h"
#include "zip_writer.h"

static const zip_item two[] = {{.name = "b/second", .data = "12345", .n = 5, .n_extra = 7},
                               {.name = "a", .data = "xy", .n = 2}};

static void assert_two(const unsigned char *bytes, size_t n, const char *what)
{
    cf_zip z = {0};
    cf_error err = {0};
    if (cf_zip_parse(&z, bytes, n, "x.zip", &err) != CF_OK)
        fail_msg("%s: %s", what, err.text);
    assert_int_equal(z.n, 2);
    const cf_zip_member *a = cf_zip_find(&z, cf_slice_of("a")), *b = cf_zip_find(&z, cf_slice_of("b/second"));
    assert_non_null(a);
    assert_non_null(b);
    assert_true(cf_slice_is(a->data, "xy"));
    assert_true(cf_slice_is(b->data, "12345"));
    assert_null(cf_zip_find(&z, cf_slice_of("b")));
    assert_null(cf_zip_find(&z, cf_slice_of("b/second2")));
    cf_zip_deinit(&z);
}

/* *item with everything of `by` but its name and data. */
static void falsify(zip_item *item, const zip_item *by)
{
    const zip_item was = *item;
    *item = *by;
    item->name = was.name;
    item->data = was.data;
    item->n = was.n;
    item->n_extra = was.n_extra;
}

static void every_form_that_writers_use_gives_the_members(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        zip_item item; /* added to both members */
        zip_end end;
    } cases[] = {
        {"plain", {0}, {0}},
        {"as torch writes it", {.descriptor = true, .flags = 1 << 11}, {.zip64 = true}},
        {"zip64 sizes and place", {.wide = ZIP_WIDE}, {.zip64 = true}},
        {"zip64 place", {.wide = ZIP_WIDE_PLACE}, {.zip64 = true}},
        {"zip64 sizes behind a descriptor", {.wide = ZIP_WIDE, .descriptor = true}, {0}},
        {"zip64 sizes in the local header",
         {.add_local_stored = 0xffffffff - 5, .add_local_plain = 0xffffffff - 5},
         {0}},
        {"comments", {.comment = "of a member"}, {.comment = "made by hand"}},
        {"an end record inside the comment", {0}, {.comment = "PK\5\6 0123456789 0123456789 0123456789"}},
        {"a count of all ones in the end record", {0}, {.zip64 = true, .add_members = 0xffff - 2}},
        {"compression flags of a stored member", {.flags = 6}, {0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        zip_item items[2] = {two[0], two[1]};
        for (size_t k = 0; k < 2; k++)
            falsify(&items[k], &cases[i].item);
        items[1].add_local_stored = items[1].add_local_plain = 0;
        size_t n = 0;
        unsigned char *bytes = zip_write(&n, items, 2, cases[i].end);
        assert_two(bytes, n, cases[i].name);
        free(bytes);
    }
}

static void an_archive_may_be_empty(void **state)
{
    (void)state;
    size_t n = 0;
    unsigned char *bytes = zip_write(&n, NULL, 0, (zip_end){0});
    cf_zip z = {0};
    assert_int_equal(cf_zip_parse(&z, bytes, n, "x", NULL), CF_OK);
    assert_int_equal(z.n, 0);
    assert_null(cf_zip_find(&z, cf_slice_of("a")));
    cf_zip_deinit(&z);
    free(bytes);
}

/* The first member is b/second: 30 bytes of header, 8 of name, 7 of padding, 5 of data; a begins at 50. */
static const struct {
    const char *name;
    zip_item first; /* added to two[0] */
    zip_end end;
    cf_status status;
    const char *say;
} bad[] = {
    {"deflated",
     {.method = 8},
     {0},
     CF_UNSUPPORTED,
     "member 'b/second' is compressed (method 8): expected an archive as torch.save writes it"},
    {"encrypted", {.flags = 1}, {0}, CF_UNSUPPORTED, "member 'b/second' is encrypted or patched (flags 0x0001)"},
    {"masked header", {.flags = 1 << 13}, {0}, CF_UNSUPPORTED, "encrypted or patched"},
    {"stored size differs", {.add_stored = -1}, {0}, CF_FORMAT, "member 'b/second': its sizes do not fit together"},
    {"both sizes too large",
     {.add_stored = 1000, .add_plain = 1000, .add_local_stored = 1000, .add_local_plain = 1000},
     {0},
     CF_FORMAT,
     "its 1005 bytes reach past the directory"},
    {"both sizes larger than the archive",
     {.wide = ZIP_WIDE, .add_stored = INT64_MAX - 5, .add_plain = INT64_MAX - 5, .descriptor = true},
     {0},
     CF_FORMAT,
     "reach past the directory"},
    {"sizes into the next member",
     {.add_stored = 3, .add_plain = 3, .add_local_stored = 3, .add_local_plain = 3},
     {0},
     CF_FORMAT,
     "members 'b/second' and 'a' overlap"},
    {"local stored size differs",
     {.add_local_stored = 1},
     {0},
     CF_FORMAT,
     "member 'b/second': its local header is damaged"},
    {"local size differs", {.add_local_plain = 1}, {0}, CF_FORMAT, "its local header is damaged"},
    {"local sizes left out without a descriptor",
     {.add_local_stored = -5, .add_local_plain = -5},
     {0},
     CF_FORMAT,
     "its local header is damaged"},
    {"local flags differ", {.other_local_flags = 1 << 11}, {0}, CF_FORMAT, "its local header is damaged"},
    {"local method differs", {.other_local_method = 8}, {0}, CF_FORMAT, "its local header is damaged"},
    {"local extra field longer than it is", {.add_local_extra = 300}, {0}, CF_FORMAT, "its local header is damaged"},
    {"local extra field into the directory",
     {.add_local_extra = 100},
     {0},
     CF_FORMAT,
     "its 5 bytes reach past the directory"},
    {"zip64 field without the place", {.wide = ZIP_WIDE_SHORT}, {0}, CF_FORMAT, "its local header is damaged"},
    {"a name longer than the directory", {.add_name = 200}, {0}, CF_FORMAT, "x.zip: its directory is damaged"},
    {"a comment longer than the directory", {.add_comment = 200}, {0}, CF_FORMAT, "x.zip: its directory is damaged"},
    {"local name differs", {.local_name = "b/sacond"}, {0}, CF_FORMAT, "its local header is damaged"},
    {"local name is longer", {.local_name = "b/second2"}, {0}, CF_FORMAT, "its local header is damaged"},
    {"begins elsewhere", {.add_begin = 1}, {0}, CF_FORMAT, "its local header is damaged"},
    {"begins past the end", {.add_begin = 100000}, {0}, CF_FORMAT, "its local header is damaged"},
    {"begins far past the end",
     {.wide = ZIP_WIDE, .add_begin = INT64_MAX},
     {0},
     CF_FORMAT,
     "its local header is damaged"},
    {"begins where the other does", {.add_begin = 50}, {0}, CF_FORMAT, "its local header is damaged"},
    {"more members than records", {0}, {.add_members = 1}, CF_FORMAT, "its end record does not fit its directory"},
    {"fewer members than records", {0}, {.add_members = -1}, CF_FORMAT, "its directory has more bytes than members"},
    {"many members", {0}, {.add_members = 60000}, CF_FORMAT, "its end record does not fit its directory"},
    {"directory too small", {0}, {.add_size = -1}, CF_FORMAT, "its end record does not fit its directory"},
    {"directory elsewhere", {0}, {.add_begin = 1}, CF_FORMAT, "its end record does not fit its directory"},
    {"directory elsewhere, size to match",
     {0},
     {.add_begin = 1, .add_size = -1},
     CF_FORMAT,
     "its directory is damaged"},
    {"several parts", {0}, {.disk = 1}, CF_UNSUPPORTED, "a zip archive in several parts is not supported"},
    {"zip64 counts others", {0}, {.zip64 = true, .add_members64 = 1}, CF_FORMAT, "its two end records differ"},
    {"zip64 begins elsewhere", {0}, {.zip64 = true, .add_begin64 = 1}, CF_FORMAT, "its two end records differ"},
    {"zip64 begins far away", {0}, {.zip64 = true, .add_begin64 = -1000}, CF_FORMAT, "its two end records differ"},
    {"a gap before the zip64 locator", {0}, {.zip64 = true, .n_gap = 1}, CF_FORMAT, "its zip64 end record is damaged"},
    {"no zip64 record where the locator says",
     {0},
     {.zip64 = true, .add_locator = -1},
     CF_FORMAT,
     "its zip64 end record is damaged"},
    {"zip64 record past the end",
     {0},
     {.zip64 = true, .add_locator = INT64_MAX},
     CF_FORMAT,
     "its zip64 end record is damaged"},
};

static void a_reader_is_not_led_astray(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        zip_item items[2] = {two[0], two[1]};
        falsify(&items[0], &bad[i].first);
        size_t n = 0;
        unsigned char *bytes = zip_write(&n, items, 2, bad[i].end);
        cf_zip z = {0};
        cf_error err = {0};
        const cf_status st = cf_zip_parse(&z, bytes, n, "x.zip", &err);
        if (st != bad[i].status || !strstr(err.text, bad[i].say))
            fail_msg("%s: status %d: %s", bad[i].name, st, err.text);
        assert_int_equal(strncmp(err.text, "x.zip: ", 7), 0);
        assert_null(z.members);
        free(bytes);
    }
}

static void no_two_records_share_a_name_or_bytes_and_none_is_cut(void **state)
{
    (void)state;
    const zip_item same[] = {
        {.name = "a", .data = "1", .n = 1}, {.name = "b", .data = "1", .n = 1}, {.name = "a", .data = "2", .n = 1}};
    /* The second's record points at the first's local header, which has its name, too. */
    const zip_item shared[] = {{.name = "a", .data = "1", .n = 1},
                               {.name = "a", .data = "1", .n = 1, .add_begin = -32}};
    cf_zip z = {0};
    cf_error err = {0};
    size_t n = 0;
    unsigned char *bytes = zip_write(&n, same, 3, (zip_end){0});
    assert_int_equal(cf_zip_parse(&z, bytes, n, "x", &err), CF_FORMAT);
    assert_string_equal(err.text, "x: two members are named 'a'");
    free(bytes);
    bytes = zip_write(&n, shared, 2, (zip_end){0});
    assert_int_equal(cf_zip_parse(&z, bytes, n, "x", &err), CF_FORMAT);
    assert_string_equal(err.text, "x: members 'a' and 'a' overlap");
    free(bytes);
    const zip_item longer[] = {{.name = "a name that takes as many bytes as a record does", .data = "1", .n = 1}};
    bytes = zip_write(&n, longer, 1, (zip_end){.add_members = 1}); /* room for two records, but there is one */
    assert_int_equal(cf_zip_parse(&z, bytes, n, "x", &err), CF_FORMAT);
    assert_non_null(strstr(err.text, "x: its directory is damaged"));
    free(bytes);
    /* A record's comment, disowned, looks like another record, of which the directory has only the beginning. */
    const zip_item begun[] = {{.name = "a name that takes as many bytes as a record does",
                               .data = "1",
                               .n = 1,
                               .comment = "PK\1\2 and no more",
                               .add_comment = -16}};
    bytes = zip_write(&n, begun, 1, (zip_end){.zip64 = true, .add_members = 1, .add_members64 = 1});
    assert_int_equal(cf_zip_parse(&z, bytes, n, "x", &err), CF_FORMAT);
    assert_non_null(strstr(err.text, "x: its directory is damaged"));
    free(bytes);
    /* An empty member whose data would begin behind the directory's first byte. */
    const zip_item behind[] = {{.name = "a", .data = "", .n = 0, .add_local_extra = 9}};
    bytes = zip_write(&n, behind, 1, (zip_end){0});
    assert_int_equal(cf_zip_parse(&z, bytes, n, "x", &err), CF_FORMAT);
    assert_string_equal(err.text, "x: member 'a': its 0 bytes reach past the directory");
    free(bytes);
    const zip_item with_nul[] = {{.name = "a?b", .data = "1", .n = 1}};
    bytes = zip_write(&n, with_nul, 1, (zip_end){0});
    for (size_t i = 0; i < n; i++)
        bytes[i] = bytes[i] == '?' ? 0 : bytes[i];
    assert_int_equal(cf_zip_parse(&z, bytes, n, "x", &err), CF_FORMAT);
    assert_non_null(strstr(err.text, "a member without a proper name"));
    free(bytes);
    const zip_item nameless[] = {{.name = "", .data = "1", .n = 1}};
    bytes = zip_write(&n, nameless, 1, (zip_end){0});
    assert_int_equal(cf_zip_parse(&z, bytes, n, "x", &err), CF_FORMAT);
    assert_non_null(strstr(err.text, "a member without a proper name"));
    free(bytes);
}

/* Every beginning of an archive, and every archive with one bit changed: refused, or still inside its bytes. */
static void no_cut_and_no_flipped_bit_is_read_past(void **state)
{
    (void)state;
    zip_item items[2] = {two[0], two[1]};
    items[0].wide = ZIP_WIDE;
    items[1].descriptor = true;
    size_t n = 0;
    unsigned char *bytes = zip_write(&n, items, 2, (zip_end){.zip64 = true});
    for (size_t k = 0; k < n; k++) {
        unsigned char *cut = malloc(k ? k : 1);
        assert_non_null(cut);
        memcpy(cut, bytes, k);
        cf_zip z = {0};
        cf_error err = {0};
        assert_int_equal(cf_zip_parse(&z, cut, k, "x", &err), CF_FORMAT);
        free(cut);
    }
    for (size_t bit = 0; bit < 8 * n; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        cf_zip z = {0};
        cf_error err = {0};
        if (cf_zip_parse(&z, bytes, n, "x", &err) == CF_OK) {
            for (size_t i = 0; i < z.n; i++)
                assert_true(z.members[i].data.data >= (char *)bytes &&
                            z.members[i].data.data + z.members[i].data.n <= (char *)bytes + n);
            cf_zip_deinit(&z);
        }
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    assert_two(bytes, n, "unchanged");
    free(bytes);
}

int test_zip(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_that_writers_use_gives_the_members),
        cmocka_unit_test(an_archive_may_be_empty),
        cmocka_unit_test(a_reader_is_not_led_astray),
        cmocka_unit_test(no_two_records_share_a_name_or_bytes_and_none_is_cut),
        cmocka_unit_test(no_cut_and_no_flipped_bit_is_read_past),
    };
    return cmocka_run_group_tests_name("zip", tests, NULL, NULL);
}
