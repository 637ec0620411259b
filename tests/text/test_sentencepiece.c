/* test_sentencepiece.c - tokenizer.model files: against LlamaTokenizer of transformers, and what must be refused. */
#include "test_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "support/fail_alloc.h"
#include "support/temp_dir.h"
#include "text/text_internal.h"

static cf_str read_model(const char *name)
{
    char path[128];
    cf_str bytes = {0};
    cf_error err = {0};
    (void)snprintf(path, sizeof path, "tests/text/golden/%s.model", name);
    if (cf_file_read(&bytes, path, 1 << 20, &err) != CF_OK)
        fail_msg("%s", err.text);
    return bytes;
}

/* A folder with the model and, unless NULL, a tokenizer_config.json; given to temp_dir_remove. */
static char *make_folder(cf_slice model, const char *config)
{
    char *dir = temp_dir_make();
    temp_dir_write(dir, "tokenizer.model", model.data, model.n);
    if (config)
        temp_dir_write_text(dir, "tokenizer_config.json", config);
    return dir;
}

static cf_status open_folder(cf_tokenizer **out, cf_slice model, const char *config, cf_error *err)
{
    char *dir = make_folder(model, config);
    const cf_status st = cf_tokenizer_open(out, dir, err);
    temp_dir_remove(dir);
    return st;
}

static void models_encode_and_decode_as_in_transformers(void **state)
{
    (void)state;
    cf_json *golden = golden_open("sentencepiece");
    int64_t n = 0;
    for (const cf_json *c = cf_json_first(cf_json_get(golden, "cases")); c; c = cf_json_next(c), n++) {
        cf_tokenizer *t = NULL;
        cf_error err = {0};
        cf_str model = read_model(cf_json_string(cf_json_get(c, "model")));
        if (open_folder(&t, cf_str_slice(&model), cf_json_string(cf_json_get(c, "config")), &err) != CF_OK)
            fail_msg("%s", err.text);
        assert_int_equal(golden_check_strings(cf_json_string(cf_json_get(c, "name")), t, cf_json_get(c, "strings")),
                         200);
        assert_int_equal(cf_tokenizer_bos(t), cf_json_number(cf_json_get(c, "bos"), -1));
        assert_false(cf_tokenizer_is_byte_level(t));
        cf_tokenizer_close(t);
        cf_str_deinit(&model);
    }
    assert_int_equal(n, 11);
    cf_json_free(golden);
}

static void a_tokenizer_json_goes_before_a_tokenizer_model(void **state)
{
    (void)state;
    cf_tokenizer *t = NULL;
    cf_error err = {0};
    char *dir = make_folder(cf_slice_of("no model"), NULL);
    temp_dir_write_text(dir, "tokenizer.json", "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]}}");
    if (cf_tokenizer_open(&t, dir, &err) != CF_OK)
        fail_msg("%s", err.text);
    assert_int_equal(cf_tokenizer_size(t), 1);
    assert_int_equal(cf_tokenizer_bos(t), -1);
    cf_tokenizer_close(t);
    temp_dir_remove(dir);
}

static void without_a_tokenizer_config_the_models_own_begin_of_text_is_put_in_front(void **state)
{
    (void)state;
    cf_tokenizer *t = NULL;
    cf_ids ids = {0};
    cf_error err = {0};
    cf_str model = read_model("ends");
    if (open_folder(&t, cf_str_slice(&model), NULL, &err) != CF_OK)
        fail_msg("%s", err.text);
    assert_int_equal(cf_tokenizer_encode(&ids, t, cf_slice_of(""), true, &err), CF_OK);
    assert_int_equal(ids.n, 1);
    assert_int_equal(ids.items[0], 0);
    assert_int_equal(cf_tokenizer_bos(t), 0);
    assert_true(cf_slice_is(cf_tokenizer_token(t, 0), "<begin>"));
    cf_ids_deinit(&ids);
    cf_tokenizer_close(t);
    cf_str_deinit(&model);
}

static void the_hash_is_of_the_model_and_of_the_settings_that_change_ids(void **state)
{
    (void)state;
    static const char *const configs[] = {
        "{}",
        "{\"legacy\":true}",
        "{\"add_bos_token\":false}",
        "{\"add_eos_token\":true}",
        "{\"add_prefix_space\":false}",
        "{\"bos_token\":\"</s>\"}",
        "{\"added_tokens_decoder\":{\"600\":{\"content\":\"<a>\"}}}",
        "{\"added_tokens_decoder\":{\"600\":{\"content\":\"<b>\"}}}",
        "{\"added_tokens_decoder\":{\"600\":{\"content\":\"<b>\",\"special\":true}}}",
        "{\"chat_template\":\"x\",\"bos_token\":\"<s>\"}", /* as the first */
    };
    enum { N = sizeof configs / sizeof configs[0] };
    char hash[N][CF_HASH_HEX_BYTES];
    cf_str model = read_model("plain");
    for (size_t i = 0; i < N; i++) {
        cf_tokenizer *t = NULL;
        cf_error err = {0};
        assert_int_equal(open_folder(&t, cf_str_slice(&model), configs[i], &err), CF_OK);
        cf_tokenizer_hash(hash[i], t);
        cf_tokenizer_close(t);
    }
    for (size_t i = 0; i < N - 1; i++)
        for (size_t k = i + 1; k < N - 1; k++)
            assert_string_not_equal(hash[i], hash[k]);
    assert_string_equal(hash[0], hash[N - 1]);
    cf_str_deinit(&model);
}

/* ---- models written by hand ---- */

static void put(cf_str *out, const void *bytes, size_t n)
{
    cf_error err = {0};
    assert_int_equal(cf_str_add(out, (cf_slice){bytes, n}, &err), CF_OK);
}

static void put_bytes(cf_str *out, unsigned field, cf_slice bytes)
{
    assert_true(field < 16 && bytes.n < 1 << 14);
    const unsigned char head[] = {(unsigned char)(field << 3 | 2), (unsigned char)(0x80 | (bytes.n & 0x7F)),
                                  (unsigned char)(bytes.n >> 7)};
    put(out, head, sizeof head);
    put(out, bytes.data, bytes.n);
}

static void put_piece(cf_str *model, cf_slice text, unsigned char type)
{
    cf_str p = {0};
    const unsigned char score[] = {2 << 3 | 5, 0, 0, 0x80, 0xBF}, kind[] = {3 << 3, type};
    put_bytes(&p, 1, text);
    put(&p, score, sizeof score);
    put(&p, kind, sizeof kind);
    put_bytes(model, 1, cf_str_slice(&p));
    cf_str_deinit(&p);
}

/* BPE with byte fallback, and an identity normalizer that joins no blanks. */
#define TRAINER "\x18\x02\x98\x02\x01"
#define NORMALIZER "\x0A\x08identity\x20\x00"

/* Three special pieces, all bytes but `missing`, then a piece of this type. */
static cf_str make_model(int missing, cf_slice last, unsigned char type, cf_slice trainer, cf_slice normalizer)
{
    cf_str m = {0};
    put_piece(&m, cf_slice_of("<unk>"), 2);
    put_piece(&m, cf_slice_of("<s>"), 3);
    put_piece(&m, cf_slice_of("</s>"), 3);
    for (int i = 0; i < 256; i++) {
        char text[8];
        (void)snprintf(text, sizeof text, "<0x%02X>", (unsigned)i);
        if (i != missing)
            put_piece(&m, cf_slice_of(text), 6);
    }
    put_piece(&m, last, type);
    put_bytes(&m, 2, trainer);
    put_bytes(&m, 3, normalizer);
    return m;
}

#define BYTES(text)                                                                                                    \
    {                                                                                                                  \
        text, sizeof text - 1                                                                                          \
    }

static void a_model_that_is_not_understood_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int missing;
        cf_slice last;
        unsigned char type;
        cf_slice trainer, normalizer;
        cf_status status;
        const char *says; /* NULL: accepted */
    } cases[] = {
        {"a good one", -1, BYTES("a"), 1, BYTES(TRAINER), BYTES(NORMALIZER), CF_OK, NULL},
        {"settings of the trainer alone", -1, BYTES("a"), 1,
         BYTES(TRAINER "\x20\x80\x04\x2A\x01x\xA5\x06\x00\x00\x00\x00"), BYTES(NORMALIZER), CF_OK, NULL},
        {"blanks said to be put in front", -1, BYTES("a"), 1, BYTES(TRAINER),
         BYTES(NORMALIZER "\x18\x01\x28\x01\x12\x00"), CF_OK, NULL},
        {"Unigram", -1, BYTES("a"), 1, BYTES("\x18\x01\x98\x02\x01"), BYTES(NORMALIZER), CF_UNSUPPORTED,
         "that is not BPE"},
        {"no type of model", -1, BYTES("a"), 1, BYTES("\x98\x02\x01"), BYTES(NORMALIZER), CF_UNSUPPORTED,
         "that is not BPE"},
        {"no byte fallback", -1, BYTES("a"), 1, BYTES("\x18\x02"), BYTES(NORMALIZER), CF_UNSUPPORTED,
         "without byte_fallback"},
        {"blanks behind words", -1, BYTES("a"), 1, BYTES(TRAINER "\xC0\x01\x01"), BYTES(NORMALIZER), CF_UNSUPPORTED,
         "treat_whitespace_as_suffix"},
        {"blanks joined", -1, BYTES("a"), 1, BYTES(TRAINER), BYTES("\x20\x01"), CF_UNSUPPORTED,
         "remove_extra_whitespaces"},
        {"blanks joined by default", -1, BYTES("a"), 1, BYTES(TRAINER), BYTES(""), CF_UNSUPPORTED,
         "remove_extra_whitespaces"},
        {"no blank in front", -1, BYTES("a"), 1, BYTES(TRAINER), BYTES(NORMALIZER "\x18\x00"), CF_UNSUPPORTED,
         "without add_dummy_prefix"},
        {"blanks kept", -1, BYTES("a"), 1, BYTES(TRAINER), BYTES(NORMALIZER "\x28\x00"), CF_UNSUPPORTED,
         "without escape_whitespaces"},
        {"a normalisation table", -1, BYTES("a"), 1, BYTES(TRAINER), BYTES(NORMALIZER "\x12\x01x"), CF_UNSUPPORTED,
         "normalisation table"},
        {"normalisation rules", -1, BYTES("a"), 1, BYTES(TRAINER), BYTES(NORMALIZER "\x32\x01x"), CF_UNSUPPORTED,
         "normalisation table"},
        {"another setting of the normalizer", -1, BYTES("a"), 1, BYTES(TRAINER), BYTES(NORMALIZER "\x38\x01"),
         CF_UNSUPPORTED, "field 7 of the normalizer's settings"},
        {"an unused piece", -1, BYTES("a"), 5, BYTES(TRAINER), BYTES(NORMALIZER), CF_UNSUPPORTED,
         "piece \"a\" has type 5"},
        {"a piece of no type", -1, BYTES("a"), 0, BYTES(TRAINER), BYTES(NORMALIZER), CF_UNSUPPORTED,
         "piece \"a\" has type 0"},
        {"a piece of another type", -1, BYTES("a"), 7, BYTES(TRAINER), BYTES(NORMALIZER), CF_UNSUPPORTED,
         "piece \"a\" has type 7"},
        {"a piece twice", -1, BYTES("<s>"), 1, BYTES(TRAINER), BYTES(NORMALIZER), CF_FORMAT,
         "\"<s>\" stands in the vocabulary twice"},
        {"an empty piece", -1, BYTES(""), 1, BYTES(TRAINER), BYTES(NORMALIZER), CF_FORMAT, "a piece of 0 bytes"},
        {"a piece that is not UTF-8", -1, BYTES("\xFF"), 1, BYTES(TRAINER), BYTES(NORMALIZER), CF_FORMAT,
         "a piece of 1 bytes: expected UTF-8"},
        {"a byte without piece", 65, BYTES("a"), 1, BYTES(TRAINER), BYTES(NORMALIZER), CF_MISMATCH,
         "byte 65 has no piece"},
        {"a begin that is no piece", -1, BYTES("a"), 1, BYTES(TRAINER "\xC8\x02\xE7\x07"), BYTES(NORMALIZER),
         CF_MISMATCH, "bos_id is 999"},
        {"no begin", -1, BYTES("a"), 1, BYTES(TRAINER "\xC8\x02\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"),
         BYTES(NORMALIZER), CF_MISMATCH, "bos_id is -1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cf_str model =
            make_model(cases[i].missing, cases[i].last, cases[i].type, cases[i].trainer, cases[i].normalizer);
        cf_tokenizer *t = NULL;
        cf_error err = {0};
        const cf_status st = open_folder(&t, cf_str_slice(&model), NULL, &err);
        if (st != cases[i].status || (cases[i].says && !strstr(err.text, cases[i].says)))
            fail_msg("%s: status %d, \"%s\"", cases[i].name, (int)st, err.text);
        if (cases[i].says && !strstr(err.text, "tokenizer.model: "))
            fail_msg("%s: the file is not named in \"%s\"", cases[i].name, err.text);
        cf_tokenizer_close(t);
        cf_str_deinit(&model);
    }
}

static void fields_that_are_not_known_are_refused(void **state)
{
    (void)state;
    char long_piece[513];
    memset(long_piece, 'x', sizeof long_piece);
    static const struct {
        const char *name;
        cf_slice model;   /* behind a good one */
        const char *says; /* NULL: accepted */
    } cases[] = {
        {"nothing", BYTES(""), NULL},
        {"self-test data and a denormalizer", BYTES("\x22\x00\x2A\x00"), NULL},
        {"another field of the model", BYTES("\x32\x00"), "field 6 of the model"},
        {"a number in place of pieces", BYTES("\x08\x00"), "field 1 of the model"},
        {"another field of a piece", BYTES("\x0A\x05\x0A\x01z\x20\x00"), "field 4 of a piece"},
        {"a score that does not fall", BYTES("\x0A\x08\x0A\x01z\x15\x00\x00\x80\xBF"), "whose scores do not fall"},
        {"a score that is no number", BYTES("\x0A\x08\x0A\x01z\x15\x00\x00\xC0\x7F"), "whose scores do not fall"},
        {"a score that falls", BYTES("\x0A\x08\x0A\x01z\x15\x00\x00\x00\xC0"), NULL},
        {"a score that is no float", BYTES("\x0A\x05\x0A\x01z\x10\x00"), "field 2 of a piece"},
        {"a type that is no number", BYTES("\x0A\x05\x0A\x01z\x1A\x00"), "field 3 of a piece"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cf_str model = make_model(-1, cf_slice_of("a"), 1, cf_slice_of(TRAINER), (cf_slice)BYTES(NORMALIZER));
        put(&model, cases[i].model.data, cases[i].model.n);
        cf_tokenizer *t = NULL;
        cf_error err = {0};
        const cf_status st = open_folder(&t, cf_str_slice(&model), NULL, &err);
        if (st != (cases[i].says ? CF_UNSUPPORTED : CF_OK) || (cases[i].says && !strstr(err.text, cases[i].says)))
            fail_msg("%s: status %d, \"%s\"", cases[i].name, (int)st, err.text);
        cf_tokenizer_close(t);
        cf_str_deinit(&model);
    }
    for (size_t n = 512; n <= 513; n++) {
        cf_str model = make_model(-1, (cf_slice){long_piece, n}, 1, cf_slice_of(TRAINER), (cf_slice)BYTES(NORMALIZER));
        cf_tokenizer *t = NULL;
        cf_error err = {0};
        assert_int_equal(open_folder(&t, cf_str_slice(&model), NULL, &err), n == 512 ? CF_OK : CF_FORMAT);
        cf_tokenizer_close(t);
        cf_str_deinit(&model);
    }
}

static void settings_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *config;
        cf_status status;
        const char *says; /* NULL: accepted */
    } cases[] = {
        {"{}", CF_OK, NULL},
        {"{\"bos_token\":null,\"legacy\":null}", CF_OK, NULL},
        {"{\"bos_token\":{\"content\":\"</s>\"}}", CF_OK, NULL},
        {"{", CF_FORMAT, "JSON"},
        {"{\"legacy\":\"yes\"}", CF_FORMAT, "\"legacy\" must be true or false"},
        {"{\"bos_token\":7}", CF_FORMAT, "bos_token is neither"},
        {"{\"bos_token\":\"<begin>\"}", CF_MISMATCH, "bos_token \"<begin>\" is no token"},
        {"{\"added_tokens_decoder\":{\"600\":{\"content\":\"<image>\"}}}", CF_OK, NULL},
        {"{\"added_tokens_decoder\":{\"601\":{\"content\":\"<image>\"}}}", CF_MISMATCH,
         "\"<image>\": expected id 600, found 601"},
        {"{\"added_tokens_decoder\":{\"0\":{\"content\":\"<s>\"}}}", CF_MISMATCH, "\"<s>\": expected id 1, found 0"},
        {"{\"added_tokens_decoder\":{\"-1\":{\"content\":\"<x>\"}}}", CF_MISMATCH, "expected id 600, found -1"},
        {"{\"added_tokens_decoder\":{\"4294967296\":{\"content\":\"<unk>\"}}}", CF_MISMATCH, "expected id 0"},
        {"{\"added_tokens_decoder\":{\"x\":{\"content\":\"<x>\"}}}", CF_FORMAT, "without id or content"},
        {"{\"added_tokens_decoder\":{\"600\":{\"content\":\"\"}}}", CF_FORMAT, "without id or content"},
        {"{\"added_tokens_decoder\":{\"600\":{}}}", CF_FORMAT, "\"content\""},
    };
    cf_str model = read_model("plain");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cf_tokenizer *t = NULL;
        cf_error err = {0};
        const cf_status st = open_folder(&t, cf_str_slice(&model), cases[i].config, &err);
        if (st != cases[i].status || (cases[i].says && !strstr(err.text, cases[i].says)))
            fail_msg("%s: status %d, \"%s\"", cases[i].config, (int)st, err.text);
        cf_tokenizer_close(t);
    }
    cf_str_deinit(&model);
}

static void a_model_cut_anywhere_is_refused_or_lacks_what_was_cut(void **state)
{
    (void)state;
    cf_str model = read_model("plain");
    const cf_tokenizer_settings s = {.add_prefix_space = true};
    for (size_t n = 0; n < model.n; n++) {
        char *part = malloc(n + 1); /* a copy of its own, so that a sanitizer sees a read past the end */
        cf_tokenizer *t = calloc(1, sizeof *t);
        cf_error err = {0};
        assert_true(part && t);
        memcpy(part, model.data, n);
        const cf_status st = cf_sentencepiece_load(t, (cf_slice){part, n}, &s, "cut.model", &err);
        assert_true(st == CF_FORMAT || st == CF_UNSUPPORTED); /* the settings stand behind the pieces */
        cf_tokenizer_close(t);
        free(part);
    }
    cf_str_deinit(&model);
}

static void damaged_fields_are_refused(void **state)
{
    (void)state;
    static const cf_slice bad[] = {
        BYTES("\x0B"),     /* a group */
        BYTES("\x0E"),     /* a wire type that there is not */
        BYTES("\x02\x00"), /* field 0 */
        BYTES("\x0A\x05"
              "abcd"),                                             /* longer than what is left */
        BYTES("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"),     /* a length of 64 bits */
        BYTES("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"),     /* over 64 bits */
        BYTES("\x0A\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), /* without end */
        BYTES("\x0D\x00\x00\x00"),                                 /* 3 of 4 bytes */
        BYTES("\x09\x00\x00\x00\x00\x00\x00\x00"),                 /* 7 of 8 bytes */
        BYTES("\x08"),                                             /* no value */
        BYTES("\x80"),                                             /* half a key */
        BYTES("\xF8\xFF\xFF\xFF\xFF\x7F\x00"),                     /* a field number of more than 29 bits */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const unsigned char *at = (const unsigned char *)bad[i].data;
        cf_wire w = {at, at + bad[i].n};
        cf_wire_field f = {0};
        cf_error err = {0};
        bool more = false;
        if (cf_wire_next(&more, &f, &w, "some.model", &err) != CF_FORMAT)
            fail_msg("case %zu is accepted", i);
        assert_non_null(strstr(err.text, "some.model: "));
    }
}

static void every_failing_allocation_of_a_model_is_reported(void **state)
{
    (void)state;
    cf_str model = make_model(-1, cf_slice_of("<0"), 1, cf_slice_of(TRAINER), (cf_slice)BYTES(NORMALIZER));
    char *dir = make_folder(cf_str_slice(&model), "{\"bos_token\":\"<s>\",\"add_eos_token\":true}");
    for (int64_t n = 1;; n++) {
        cf_tokenizer *t = NULL;
        cf_error err = {0};
        fail_alloc_at(n);
        const cf_status st = cf_tokenizer_open(&t, dir, &err);
        if (!fail_alloc_off()) {
            assert_int_equal(st, CF_OK);
            cf_tokenizer_close(t);
            break;
        }
        assert_int_equal(st, CF_NOMEM);
        assert_null(t);
    }
    temp_dir_remove(dir);
    cf_str_deinit(&model);
}

int test_sentencepiece(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_encode_and_decode_as_in_transformers),
        cmocka_unit_test(a_tokenizer_json_goes_before_a_tokenizer_model),
        cmocka_unit_test(without_a_tokenizer_config_the_models_own_begin_of_text_is_put_in_front),
        cmocka_unit_test(the_hash_is_of_the_model_and_of_the_settings_that_change_ids),
        cmocka_unit_test(a_model_that_is_not_understood_is_refused_by_name),
        cmocka_unit_test(fields_that_are_not_known_are_refused),
        cmocka_unit_test(settings_that_do_not_fit_are_refused),
        cmocka_unit_test(a_model_cut_anywhere_is_refused_or_lacks_what_was_cut),
        cmocka_unit_test(damaged_fields_are_refused),
        cmocka_unit_test(every_failing_allocation_of_a_model_is_reported),
    };
    return cmocka_run_group_tests_name("sentencepiece", tests, NULL, NULL);
}
