/* test_tokenizer.c - encoding and decoding, against the Hugging Face tokenizers library. */
#include "test_text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "support/fail_alloc.h"

static void check_tricky(const cf_tokenizer *t, const char *name)
{
    cf_json *golden = golden_open(name);
    assert_int_equal(golden_check_strings(name, t, cf_json_get(golden, "strings")), 2000);
    cf_json_free(golden);
}

static void tricky_strings_encode_and_decode_as_in_the_library(void **state)
{
    check_tricky(*state, "strings");
}

static void tricky_strings_of_a_byte_level_tokenizer_encode_and_decode_as_in_the_library(void **state)
{
    (void)state;
    cf_tokenizer *t = golden_tokenizer("byte_level");
    check_tricky(t, "byte_strings");
    cf_tokenizer_close(t);
}

static void check_repeated(const cf_tokenizer *t, const char *name)
{
    cf_json *golden = golden_open(name);
    cf_error err = {0};
    int64_t n = 0;
    for (const cf_json *row = cf_json_first(cf_json_get(golden, "repeated")); row; row = cf_json_next(row), n++) {
        const cf_json *unit = cf_json_first(row);
        cf_str once = golden_base64(unit), text = {0};
        for (double i = 0; i < cf_json_number(cf_json_next(unit), 0); i++)
            assert_int_equal(cf_str_add(&text, cf_str_slice(&once), &err), CF_OK);
        golden_check_row(name, t, cf_str_slice(&text), cf_json_next(cf_json_next(unit)), cf_json_string(unit));
        cf_str_deinit(&once);
        cf_str_deinit(&text);
    }
    assert_int_equal(n, 8);
    cf_json_free(golden);
}

static void very_long_words_encode_and_decode_as_in_the_library(void **state)
{
    check_repeated(*state, "strings");
    cf_tokenizer *t = golden_tokenizer("byte_level");
    check_repeated(t, "byte_strings");
    cf_tokenizer_close(t);
}

static void check_decoded(const char *name, const cf_tokenizer *t, const cf_ids *ids, const cf_json *kept)
{
    const cf_json *skipped = cf_json_next(kept) ? cf_json_next(kept) : kept;
    for (int skip = 0; skip < 2; skip++) {
        cf_str text = {0};
        cf_error err = {0};
        const char *expected = cf_json_string(skip ? skipped : kept);
        assert_int_equal(cf_tokenizer_decode(&text, t, ids->items, ids->n, skip, &err), CF_OK);
        if (!cf_slice_is(cf_str_slice(&text), expected))
            fail_msg("%s: skip %d: expected \"%s\", found \"%s\"", name, skip, expected, text.data ? text.data : "");
        cf_str_deinit(&text);
    }
}

static void check_encode(const char *name, const cf_tokenizer *t, const cf_json *row)
{
    cf_ids ids = {0};
    cf_error err = {0};
    const cf_json *text = cf_json_first(row);
    const cf_json *expected = cf_json_next(text);
    assert_int_equal(cf_tokenizer_encode(&ids, t, cf_slice_of(cf_json_string(text)), true, &err), CF_OK);
    if (!ids_are(&ids, expected))
        fail_msg("%s: other ids for \"%s\" (%zu, the first %d)", name, cf_json_string(text), ids.n,
                 ids.n ? ids.items[0] : -1);
    check_decoded(name, t, &ids, cf_json_next(expected));
    cf_ids_deinit(&ids);
}

static void check_decode(const char *name, const cf_tokenizer *t, const cf_json *row)
{
    cf_ids ids = {0};
    cf_error err = {0};
    for (const cf_json *id = cf_json_first(cf_json_first(row)); id; id = cf_json_next(id))
        assert_int_equal(cf_ids_add(&ids, (int32_t)cf_json_number(id, 0), &err), CF_OK);
    check_decoded(name, t, &ids, cf_json_next(cf_json_first(row)));
    cf_ids_deinit(&ids);
}

static void small_tokenizers_behave_as_in_the_library(void **state)
{
    (void)state;
    cf_json *golden = golden_open("synthetic");
    int64_t n = 0, n_rows = 0;
    for (const cf_json *c = cf_json_first(cf_json_get(golden, "tokenizers")); c; c = cf_json_next(c), n++) {
        const char *name = cf_json_string(cf_json_get(c, "name"));
        cf_tokenizer *t = NULL;
        cf_error err = {0};
        if (cf_tokenizer_parse(&t, cf_slice_of(cf_json_string(cf_json_get(c, "document"))), name, &err) != CF_OK)
            fail_msg("%s", err.text);
        for (const cf_json *row = cf_json_first(cf_json_get(c, "encode")); row; row = cf_json_next(row), n_rows++)
            check_encode(name, t, row);
        for (const cf_json *row = cf_json_first(cf_json_get(c, "decode")); row; row = cf_json_next(row), n_rows++)
            check_decode(name, t, row);
        cf_tokenizer_close(t);
    }
    assert_true(n >= 60 && n_rows >= 1000);
    cf_json_free(golden);
}

static void tokens_are_found_by_id_and_by_name(void **state)
{
    const cf_tokenizer *t = *state;
    assert_int_equal(cf_tokenizer_size(t), 646);
    assert_true(cf_slice_is(cf_tokenizer_token(t, 644), "<image>"));
    assert_int_equal(cf_tokenizer_id(t, cf_slice_of("<image>")), 644);
    assert_int_equal(cf_tokenizer_id(t, cf_slice_of("\xE2\x96\x81the")), 308);
    assert_int_equal(cf_tokenizer_id(t, cf_slice_of("no such token")), -1);
    assert_int_equal(cf_tokenizer_id(t, (cf_slice){0}), -1);
    assert_int_equal(cf_tokenizer_token(t, 646).n, 0);
    assert_int_equal(cf_tokenizer_token(t, -1).n, 0);
    assert_true(cf_tokenizer_is_special(t, 1));
    assert_true(cf_tokenizer_is_special(t, 645));
    assert_false(cf_tokenizer_is_special(t, 308));
    assert_false(cf_tokenizer_is_special(t, -1));
    assert_false(cf_tokenizer_is_special(t, 646));
    for (int32_t id = 0; id < 646; id++)
        assert_int_equal(cf_tokenizer_id(t, cf_tokenizer_token(t, id)), id);
}

static void begin_of_text_is_what_the_post_processor_puts_first(void **state)
{
    cf_tokenizer *level = golden_tokenizer("byte_level"), *bare = golden_tokenizer("byte_level_bare");
    assert_int_equal(cf_tokenizer_bos(*state), 1);
    assert_int_equal(cf_tokenizer_bos(level), cf_tokenizer_id(level, cf_slice_of("<|begin_of_text|>")));
    assert_true(cf_tokenizer_bos(level) >= 0);
    assert_int_equal(cf_tokenizer_bos(bare), -1);
    assert_true(cf_tokenizer_is_byte_level(bare));
    assert_false(cf_tokenizer_is_byte_level(*state));
    cf_tokenizer_close(level);
    cf_tokenizer_close(bare);
}

static void without_specials_the_template_adds_nothing(void **state)
{
    cf_ids with = {0}, without = {0};
    cf_error err = {0};
    assert_int_equal(cf_tokenizer_encode(&with, *state, cf_slice_of("the moon"), true, &err), CF_OK);
    assert_int_equal(cf_tokenizer_encode(&without, *state, cf_slice_of("the moon"), false, &err), CF_OK);
    assert_int_equal(with.n, without.n + 1);
    assert_int_equal(with.items[0], 1);
    assert_memory_equal(with.items + 1, without.items, without.n * sizeof(int32_t));
    cf_ids_deinit(&with);
    cf_ids_deinit(&without);
}

static void encoding_and_decoding_append(void **state)
{
    cf_ids ids = {0};
    cf_str text = {0};
    cf_error err = {0};
    assert_int_equal(cf_ids_add(&ids, 644, &err), CF_OK);
    assert_int_equal(cf_tokenizer_encode(&ids, *state, cf_slice_of("the"), false, &err), CF_OK);
    assert_int_equal(ids.n, 2);
    assert_int_equal(ids.items[0], 644);
    assert_int_equal(cf_str_add_text(&text, "so: ", &err), CF_OK);
    assert_int_equal(cf_tokenizer_decode(&text, *state, ids.items, ids.n, true, &err), CF_OK);
    assert_string_equal(text.data, "so: the");
    cf_ids_deinit(&ids);
    cf_str_deinit(&text);
}

static void the_hash_is_of_the_files_bytes(void **state)
{
    char hash[CF_HASH_HEX_BYTES], expected[CF_HASH_HEX_BYTES];
    cf_str json = {0};
    cf_hash *h = NULL;
    cf_error err = {0};
    cf_tokenizer_hash(hash, *state);
    assert_int_equal(cf_file_read(&json, "demo/model/tokenizer.json", 1 << 20, &err), CF_OK);
    assert_int_equal(cf_hash_create(&h, &err), CF_OK);
    cf_hash_add(h, json.data, json.n);
    cf_hash_hex(h, expected);
    cf_hash_free(h);
    cf_str_deinit(&json);
    assert_string_equal(hash, expected);
}

/* Sixteen times the text may take little more than sixteen times as long; a quadratic merge would take 256 times. Processor
 * time, so that a busy machine does not count. */
static void a_long_word_is_not_quadratic(void **state)
{
    clock_t best[2] = {0, 0};
    const size_t n[2] = {15000, 240000};
    for (int round = 0; round < 5; round++)
        for (int i = 0; i < 2; i++) {
            cf_ids ids = {0};
            cf_error err = {0};
            char *text = malloc(n[i]);
            assert_non_null(text);
            for (size_t k = 0; k < n[i]; k++)
                text[k] = "theanswerisred"[k % 14];
            const clock_t start = clock();
            assert_int_equal(cf_tokenizer_encode(&ids, *state, (cf_slice){text, n[i]}, false, &err), CF_OK);
            const clock_t took = clock() - start;
            best[i] = round == 0 || took < best[i] ? took : best[i];
            free(text);
            cf_ids_deinit(&ids);
        }
    if (best[1] > 80 * best[0])
        fail_msg("%zu bytes: %lld ticks, %zu bytes: %lld ticks", n[0], (long long)best[0], n[1], (long long)best[1]);
}

static void check_failing_load(cf_slice document)
{
    for (int64_t n = 1;; n++) {
        cf_tokenizer *t = NULL;
        cf_error err = {0};
        fail_alloc_at(n);
        const cf_status st = cf_tokenizer_parse(&t, document, "x.json", &err);
        if (!fail_alloc_off()) {
            assert_int_equal(st, CF_OK);
            cf_tokenizer_close(t);
            break;
        }
        assert_int_equal(st, CF_NOMEM);
        assert_null(t);
    }
}

static void every_failing_allocation_of_a_load_is_reported(void **state)
{
    (void)state;
    cf_json *golden = golden_open("synthetic");
    cf_str text = {0};
    cf_error err = {0};
    const char *document = cf_json_string(cf_json_get(cf_json_first(cf_json_get(golden, "tokenizers")), "document"));
    check_failing_load(cf_slice_of(document));
    cf_json_free(golden);
    assert_int_equal(cf_file_read(&text, "tests/text/golden/byte_level.json", 1 << 20, &err), CF_OK);
    check_failing_load(cf_str_slice(&text));
    cf_str_deinit(&text);
}

static void check_failing_encoding(const cf_tokenizer *t)
{
    for (int64_t n = 1;; n++) {
        cf_ids ids = {0};
        cf_str text = {0};
        cf_error err = {0};
        assert_int_equal(cf_ids_add(&ids, 7, &err), CF_OK);
        fail_alloc_at(n);
        cf_status st = cf_tokenizer_encode(&ids, t, cf_slice_of("<s>Is the moon</s>blue or orange? \xff"), true, &err);
        if (st != CF_OK)
            assert_int_equal(ids.n, 1);
        if (st == CF_OK)
            st = cf_tokenizer_decode(&text, t, ids.items, ids.n, false, &err);
        const bool failed = fail_alloc_off();
        if (failed) {
            assert_int_equal(st, CF_NOMEM);
            assert_int_equal(text.n, 0);
            assert_int_equal(ids.items[0], 7);
        }
        cf_ids_deinit(&ids);
        cf_str_deinit(&text);
        if (!failed) {
            assert_int_equal(st, CF_OK);
            break;
        }
    }
}

static void every_failing_allocation_of_an_encoding_leaves_the_ids_as_they_were(void **state)
{
    check_failing_encoding(*state);
    cf_tokenizer *t = golden_tokenizer("byte_level");
    check_failing_encoding(t);
    cf_tokenizer_close(t);
}

int test_tokenizer(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tricky_strings_encode_and_decode_as_in_the_library),
        cmocka_unit_test(tricky_strings_of_a_byte_level_tokenizer_encode_and_decode_as_in_the_library),
        cmocka_unit_test(very_long_words_encode_and_decode_as_in_the_library),
        cmocka_unit_test(small_tokenizers_behave_as_in_the_library),
        cmocka_unit_test(tokens_are_found_by_id_and_by_name),
        cmocka_unit_test(begin_of_text_is_what_the_post_processor_puts_first),
        cmocka_unit_test(without_specials_the_template_adds_nothing),
        cmocka_unit_test(encoding_and_decoding_append),
        cmocka_unit_test(the_hash_is_of_the_files_bytes),
        cmocka_unit_test(a_long_word_is_not_quadratic),
        cmocka_unit_test(every_failing_allocation_of_a_load_is_reported),
        cmocka_unit_test(every_failing_allocation_of_an_encoding_leaves_the_ids_as_they_were),
    };
    return cmocka_run_group_tests_name("tokenizer", tests, demo_open, demo_close);
}
