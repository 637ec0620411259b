/* test_hash.c - content hashes. */
#include "test_base.h"

#include <string.h>

#include "base/hash.h"

static void hash_pieces(char out[CF_HASH_HEX_BYTES], const char *data, size_t n, size_t piece)
{
    cf_hash *h = NULL;
    cf_error err = {0};
    assert_int_equal(cf_hash_create(&h, &err), CF_OK);
    for (size_t i = 0; i < n; i += piece)
        cf_hash_add(h, data + i, n - i < piece ? n - i : piece);
    cf_hash_hex(h, out);
    cf_hash_free(h);
}

static void the_hash_of_nothing_is_the_published_one(void **state)
{
    (void)state;
    char hex[CF_HASH_HEX_BYTES];
    hash_pieces(hex, "", 0, 1);
    assert_string_equal(hex, "99aa06d3014798d86001c324468d497f"); /* XXH3-128 of "", seed 0: xxHash specification */
}

static void pieces_do_not_count_but_every_byte_does(void **state)
{
    (void)state;
    char data[1000], whole[CF_HASH_HEX_BYTES], other[CF_HASH_HEX_BYTES];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 7);
    hash_pieces(whole, data, sizeof data, sizeof data);
    assert_int_equal(strlen(whole), 32);
    hash_pieces(other, data, sizeof data, 13);
    assert_string_equal(whole, other);
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] ^= 1;
        hash_pieces(other, data, sizeof data, sizeof data);
        assert_string_not_equal(whole, other);
        data[i] ^= 1;
    }
    hash_pieces(other, data, sizeof data - 1, sizeof data);
    assert_string_not_equal(whole, other);
}

static void a_digest_may_be_read_on_the_way(void **state)
{
    (void)state;
    cf_hash *h = NULL;
    cf_error err = {0};
    char a[CF_HASH_HEX_BYTES], b[CF_HASH_HEX_BYTES], ab[CF_HASH_HEX_BYTES];
    assert_int_equal(cf_hash_create(&h, &err), CF_OK);
    cf_hash_add(h, NULL, 0);
    cf_hash_add(h, "a", 1);
    cf_hash_hex(h, a);
    cf_hash_add(h, "b", 1);
    cf_hash_hex(h, b);
    hash_pieces(ab, "ab", 2, 2);
    assert_string_not_equal(a, b);
    assert_string_equal(b, ab);
    cf_hash_free(h);
    cf_hash_free(NULL);
}

int test_hash(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_of_nothing_is_the_published_one),
        cmocka_unit_test(pieces_do_not_count_but_every_byte_does),
        cmocka_unit_test(a_digest_may_be_read_on_the_way),
    };
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
