/* test_decode.c - JPEG and PNG against Pillow's bytes, and files that are damaged, foreign or too large. */
#include "test_image.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "image_golden.h"
#include "support/fail_alloc.h"
#include "support/temp_dir.h"

static const char one_jpeg[] = "tests/image/golden/420.jpg";
static const char one_png[] = "tests/image/golden/rgb_8_filtered.png";

static void decoded_bytes_are_those_of_pillow(void **state)
{
    const cf_preprocess small = {
        .fit = CF_FIT_CROP, .shortest_edge = 14, .crop_h = 14, .crop_w = 14, .do_resize = true, .do_center_crop = true};
    int n = 0, n_wrong = 0;
    for (const cf_json *c = cf_json_first(cf_json_get(*state, "decode")); c; c = cf_json_next(c), n++) {
        const char *file = cf_json_string(cf_json_get(c, "file"));
        cf_image im = {0}, fitted = {0};
        cf_error err = {0};
        if (cf_image_open(&im, file, &err) != CF_OK) {
            print_error("%s\n", err.text);
            n_wrong++;
            continue;
        }
        assert_int_equal(im.width, golden_i64(c, "width"));
        assert_int_equal(im.height, golden_i64(c, "height"));
        n_wrong += !golden_matches_image(&im, c, "hash", file);
        assert_int_equal(cf_preprocess_fit(&fitted, &im, &small, &err), CF_OK);
        n_wrong += !golden_matches_image(&fitted, c, "fitted", file);
        cf_image_deinit(&im);
        cf_image_deinit(&fitted);
    }
    assert_true(n > 50);
    assert_int_equal(n_wrong, 0);
}

static void demo_pictures_decode_to_pillows_bytes(void **state)
{
    const cf_json *demo = cf_json_get(*state, "demo");
    cf_hash *h = NULL;
    cf_error err = {0};
    char found[CF_HASH_HEX_BYTES];
    assert_int_equal(cf_hash_create(&h, &err), CF_OK);
    for (const cf_json *f = cf_json_first(cf_json_get(demo, "files")); f; f = cf_json_next(f)) {
        cf_image im = {0};
        assert_int_equal(cf_image_open(&im, cf_json_string(f), &err), CF_OK);
        cf_hash_add(h, im.rgb, (size_t)im.width * (size_t)im.height * 3);
        cf_image_deinit(&im);
    }
    cf_hash_hex(h, found);
    cf_hash_free(h);
    assert_string_equal(found, cf_json_string(cf_json_get(demo, "hash")));
}

/* The whole file as heap bytes of exactly its length, so that a read past the end is seen by the sanitizer. */
static unsigned char *file_bytes(size_t *n, const char *path)
{
    cf_mapping m = {0};
    cf_error err = {0};
    assert_int_equal(cf_file_map(&m, path, &err), CF_OK);
    unsigned char *bytes = malloc(m.n);
    assert_non_null(bytes);
    memcpy(bytes, m.data, m.n);
    *n = m.n;
    cf_file_unmap(&m);
    return bytes;
}

static cf_status decode_prefix(const unsigned char *bytes, size_t n, cf_error *err)
{
    unsigned char *exact = malloc(n + (n == 0));
    assert_non_null(exact);
    memcpy(exact, bytes, n);
    cf_image im = {0};
    const cf_status st = cf_image_decode(&im, exact, n, "cut.jpg", err);
    assert_true((st == CF_OK) == (im.rgb != NULL));
    cf_image_deinit(&im);
    free(exact);
    return st;
}

static void every_truncation_is_an_error_that_names_the_file(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        size_t spare; /* bytes at the end that no pixel needs: the checksum of the data and the end chunk of a PNG */
    } cases[] = {{one_jpeg, 0},
                 {"tests/image/golden/progressive_ycck.jpg", 0},
                 {"tests/image/golden/restart.jpg", 0},
                 {one_png, 16},
                 {"tests/image/golden/rgba_16_interlaced.png", 16}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = 0;
        unsigned char *bytes = file_bytes(&n, cases[i].path);
        for (size_t cut = 0; cut < n - cases[i].spare; cut++) {
            cf_error err = {0};
            const cf_status st = decode_prefix(bytes, cut, &err);
            if ((st != CF_FORMAT && st != CF_UNSUPPORTED) || !strstr(err.text, "cut.jpg")) {
                print_error("%s cut at %zu of %zu: status %d, %s\n", cases[i].path, cut, n, (int)st, err.text);
                fail();
            }
        }
        cf_error err = {0};
        assert_int_equal(decode_prefix(bytes, n, &err), CF_OK);
        free(bytes);
    }
}

/* Whatever the damage, the answer is a picture or an error; the sanitizers watch the rest. */
static void damaged_bytes_never_do_more_than_fail(void **state)
{
    (void)state;
    static const char *const paths[] = {one_jpeg, "tests/image/golden/progressive_cmyk.jpg", one_png,
                                        "tests/image/golden/palette_4_interlaced.png"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        size_t n = 0;
        unsigned char *bytes = file_bytes(&n, paths[i]);
        for (size_t at = 0; at < n; at++) {
            const unsigned char kept = bytes[at];
            bytes[at] = (unsigned char)(kept ^ (1U << at % 8));
            cf_error err = {0};
            const cf_status st = decode_prefix(bytes, n, &err);
            assert_true(st == CF_OK || err.text[0] != '\0');
            bytes[at] = kept;
        }
        free(bytes);
    }
}

static size_t find(const unsigned char *bytes, size_t n, unsigned char marker)
{
    for (size_t i = 0; i + 1 < n; i++)
        if (bytes[i] == 0xff && bytes[i + 1] == marker)
            return i;
    fail();
    return 0;
}

static void headers_that_cannot_be_served_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t at; /* from the frame header's marker: +4 precision, +5 height, +7 width, +9 components */
        unsigned char bytes[4];
        size_t n;
        const char *says;
    } cases[] = {
        {"too many pixels", 5, {0xff, 0xdc, 0xff, 0xdc}, 4, "65500 x 65500 pixels"},
        {"side over the format's limit", 5, {0xff, 0xff}, 2, "damaged JPEG"},
        {"no rows", 5, {0, 0}, 2, "damaged JPEG"},
        {"no columns", 7, {0, 0}, 2, "damaged JPEG"},
        {"12 bits", 4, {12}, 1, "damaged JPEG"},
        {"2 components", 9, {2}, 1, "damaged JPEG"}, /* the header's length no longer fits */
    };
    size_t n = 0;
    unsigned char *bytes = file_bytes(&n, one_jpeg);
    const size_t frame = find(bytes, n, 0xc0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned char kept[4];
        unsigned char *field = bytes + frame + cases[i].at;
        memcpy(kept, field, cases[i].n);
        memcpy(field, cases[i].bytes, cases[i].n);
        cf_error err = {0};
        if (decode_prefix(bytes, n, &err) != CF_FORMAT || !strstr(err.text, cases[i].says)) {
            print_error("%s: %s\n", cases[i].name, err.text);
            fail();
        }
        memcpy(field, kept, cases[i].n);
    }
    free(bytes);
}

static void a_jpeg_of_two_components_is_unsupported(void **state)
{
    (void)state;
    static const unsigned char two[] = {0xff, 0xd8, 0xff, 0xc0, 0, 14, 8, 0, 8,    0, 8, 2, 1,  0x11, 0,    2,
                                        0x11, 0,    0xff, 0xda, 0, 10, 2, 1, 0x00, 2, 0, 0, 63, 0,    0xff, 0xd9};
    cf_error err = {0};
    assert_int_equal(decode_prefix(two, sizeof two, &err), CF_UNSUPPORTED);
    assert_non_null(strstr(err.text, "2 components"));
}

static void png_headers_that_cannot_be_served_are_refused(void **state)
{
    (void)state;
    /* IHDR with its checksum, and a data chunk so that the header is complete. */
    static const unsigned char too_many[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x4e\x20\0\0\x4e\x20\x08\2\0\0\0"
                                            "\x6c\x12\xd1\x6e\0\0\0\0IDAT\x35\xaf\x06\x1e";
    static const unsigned char too_long[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x0f\x42\x41\0\0\0\1\x08\2\0\0\0"
                                            "\xf2\x7d\x6b\x21\0\0\0\0IDAT\x35\xaf\x06\x1e";
    cf_error err = {0};
    assert_int_equal(decode_prefix(too_many, sizeof too_many - 1, &err), CF_FORMAT);
    assert_non_null(strstr(err.text, "20000 x 20000 pixels"));
    assert_int_equal(decode_prefix(too_long, sizeof too_long - 1, &err), CF_FORMAT);
    assert_non_null(strstr(err.text, "IHDR"));
}

static void a_jpeg_of_endless_scans_is_refused(void **state)
{
    (void)state;
    enum { COPIES = 600 };
    size_t n = 0, last = 0;
    unsigned char *bytes = file_bytes(&n, "tests/image/golden/progressive_grey.jpg");
    for (size_t i = 0; i + 1 < n; i++)
        if (bytes[i] == 0xff && bytes[i + 1] == 0xda)
            last = i;
    const size_t scan = n - 2 - last;
    unsigned char *many = malloc(last + COPIES * scan + 2);
    assert_non_null(many);
    memcpy(many, bytes, last);
    for (size_t i = 0; i < COPIES; i++)
        memcpy(many + last + i * scan, bytes + last, scan);
    memcpy(many + last + COPIES * scan, "\xff\xd9", 2);
    cf_error err = {0};
    assert_int_equal(decode_prefix(many, last + COPIES * scan + 2, &err), CF_FORMAT);
    assert_non_null(strstr(err.text, "scans"));
    free(many);
    free(bytes);
}

static void files_of_another_kind_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        cf_status status;
        const char *says;
    } cases[] = {
        {"", 0, CF_FORMAT, "empty file"},
        {"GIF89a....", 10, CF_UNSUPPORTED, "a GIF picture"},
        {"RIFF\0\0\0\0WEBPVP8 ", 16, CF_UNSUPPORTED, "a WebP picture"},
        {"<html>not found</html>", 22, CF_UNSUPPORTED, "markup text"},
        {"\xff\xd8", 2, CF_UNSUPPORTED, "something else"},
        {"\x89PNG\r\n\x1a", 7, CF_UNSUPPORTED, "something else"},
        {"\xff\xd8\xff", 3, CF_FORMAT, "ends early"},
        {"\x89PNG\r\n\x1a\n", 8, CF_FORMAT, "ends early"},
        {"hello", 5, CF_UNSUPPORTED, "0x68"},
    };
    char *dir = temp_dir_make();
    char *path = temp_dir_path(dir, "picture.jpg");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        temp_dir_write(dir, "picture.jpg", cases[i].bytes, cases[i].n);
        cf_image im = {0};
        cf_error err = {0};
        if (cf_image_open(&im, path, &err) != cases[i].status || !strstr(err.text, cases[i].says) ||
            !strstr(err.text, path) || im.rgb) {
            print_error("case %zu: %s\n", i, err.text);
            fail();
        }
    }
    free(path);
    path = temp_dir_path(dir, "absent.jpg");
    cf_image im = {0};
    cf_error err = {0};
    assert_int_equal(cf_image_open(&im, path, &err), CF_IO);
    free(path);
    temp_dir_remove(dir);
}

static void memory_that_runs_out_while_decoding_is_reported(void **state)
{
    (void)state;
    static const char *const paths[] = {one_jpeg, one_png};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        size_t n = 0;
        unsigned char *bytes = file_bytes(&n, paths[i]);
        int64_t at = 1;
        for (;; at++) {
            cf_image im = {0};
            cf_error err = {0};
            fail_alloc_at(at);
            const cf_status st = cf_image_decode(&im, bytes, n, paths[i], &err);
            const bool failed = fail_alloc_off();
            assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
            cf_image_deinit(&im);
            if (!failed)
                break;
        }
        assert_true(at > 2);
        free(bytes);
    }
}

int test_decode(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoded_bytes_are_those_of_pillow),
        cmocka_unit_test(demo_pictures_decode_to_pillows_bytes),
        cmocka_unit_test(every_truncation_is_an_error_that_names_the_file),
        cmocka_unit_test(damaged_bytes_never_do_more_than_fail),
        cmocka_unit_test(headers_that_cannot_be_served_are_refused),
        cmocka_unit_test(a_jpeg_of_two_components_is_unsupported),
        cmocka_unit_test(png_headers_that_cannot_be_served_are_refused),
        cmocka_unit_test(a_jpeg_of_endless_scans_is_refused),
        cmocka_unit_test(files_of_another_kind_are_named),
        cmocka_unit_test(memory_that_runs_out_while_decoding_is_reported),
    };
    return cmocka_run_group_tests_name("decode", tests, golden_open, golden_close);
}
