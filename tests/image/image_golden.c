/* image_golden.c - see image_golden.h. */
#include "image_golden.h"
#include "test_image.h"

#include <string.h>

#include "base/hash.h"

static int open_file(void **state, const char *path)
{
    cf_json *root = NULL;
    cf_error err = {0};
    if (cf_json_open(&root, path, 1 << 20, &err) != CF_OK) {
        print_error("%s\n", err.text);
        return -1;
    }
    *state = root;
    return 0;
}

int golden_open(void **state)
{
    return open_file(state, "tests/image/golden/image.json");
}

int golden_open_tiling(void **state)
{
    return open_file(state, "tests/image/golden/tiling.json");
}

int golden_close(void **state)
{
    cf_json_free(*state);
    return 0;
}

int64_t golden_i64(const cf_json *object, const char *name)
{
    int64_t v = 0;
    assert_true(cf_json_i64(&v, cf_json_get(object, name)));
    return v;
}

int64_t golden_item(const cf_json *list, int64_t at)
{
    const cf_json *item = cf_json_first(list);
    while (at-- > 0)
        item = cf_json_next(item);
    int64_t v = 0;
    assert_true(cf_json_i64(&v, item));
    return v;
}

void golden_noise(cf_image *out, const cf_json *item)
{
    const cf_json *size = cf_json_get(item, "size");
    cf_error err = {0};
    assert_int_equal(cf_image_create(out, golden_item(size, 0), golden_item(size, 1), &err), CF_OK);
    const uint32_t seed = (uint32_t)golden_i64(item, "seed");
    uint32_t s = seed;
    for (size_t i = 0; i < (size_t)out->width * (size_t)out->height * 3; i++) {
        s = s * 1664525U + 1013904223U;
        out->rgb[i] = (uint8_t)((seed & 1U) ? (s >> 31) * 255U : s >> 24);
    }
}

void golden_config(cf_preprocess *out, const cf_json *item)
{
    cf_error err = {0};
    const cf_status st = cf_preprocess_parse(out, cf_json_get(item, "config"), "golden", &err);
    if (st != CF_OK)
        print_error("%s\n", err.text);
    assert_int_equal(st, CF_OK);
}

bool golden_matches(const void *data, size_t n, const cf_json *item, const char *key, const char *name)
{
    const char *expected = cf_json_string(cf_json_get(item, key));
    assert_non_null(expected);
    cf_hash *h = NULL;
    cf_error err = {0};
    char found[CF_HASH_HEX_BYTES];
    assert_int_equal(cf_hash_create(&h, &err), CF_OK);
    cf_hash_add(h, data, n);
    cf_hash_hex(h, found);
    cf_hash_free(h);
    if (strcmp(found, expected) == 0)
        return true;
    print_error("%s: %s: expected %s, found %s\n", name, key, expected, found);
    return false;
}

bool golden_matches_image(const cf_image *im, const cf_json *item, const char *key, const char *name)
{
    return golden_matches(im->rgb, (size_t)im->width * (size_t)im->height * 3, item, key, name);
}
