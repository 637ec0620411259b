/* test_bad_files.c - documents that must be refused, each in one line that names the fault. */
#include "test_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "support/temp_dir.h"

#define MODEL(inner) "{\"model\":{\"type\":\"BPE\"," inner "}}"
#define VOCAB "\"vocab\":{\"a\":0,\"b\":1,\"ab\":2}"
#define GOOD "\"model\":{\"type\":\"BPE\"," VOCAB ",\"merges\":[]}"
#define ADDED(id, content, rest) "{" GOOD ",\"added_tokens\":[{\"id\":" id ",\"content\":" content rest "}]}"
#define FLAGS ",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":true"
#define TOKEN(id, content) "{\"id\":" id ",\"content\":\"" content "\"" FLAGS "}"
#define NORMALIZED(id, content)                                                                                        \
    "{\"id\":" id ",\"content\":\"" content                                                                            \
    "\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":true,\"special\":false}"
#define SINGLE(pieces)                                                                                                 \
    "{" GOOD ",\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[" pieces                                \
    "],\"special_tokens\":{\"s\":{\"ids\":[9]},\"t\":{\"ids\":[0]}}}}"
#define SEQUENCE_A "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}"

#define SEQUENCE(steps) "{" GOOD ",\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[" steps "]}}"
#define SPLIT(pattern, behavior, rest)                                                                                 \
    "{\"type\":\"Split\",\"pattern\":{" pattern "},\"behavior\":\"" behavior "\"" rest "}"
#define BYTES_STEP "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"
#define TWO SPLIT("\"String\":\"a\"", "Isolated", "") "," SPLIT("\"Regex\":\"a\"", "Isolated", "")
#define FOUR TWO "," TWO
#define PROCESSORS(steps) "{" GOOD ",\"post_processor\":{\"type\":\"Sequence\",\"processors\":[" steps "]}}"
#define TEMPLATE_T                                                                                                     \
    "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"t\",\"type_id\":0}}," SEQUENCE_A         \
    "],\"special_tokens\":{\"t\":{\"ids\":[0]}}}"

static const struct {
    const char *name, *json;
    cf_status status;
    const char *says; /* part of the message */
} cases[] = {
    {"nothing", "", CF_FORMAT, "JSON"},
    {"cut short", "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0", CF_FORMAT, "JSON"},
    {"a list", "[1,2]", CF_FORMAT, "no model"},
    {"not UTF-8", "{\"model\":\"\xff\"}", CF_FORMAT, "UTF-8"},
    {"a NUL in a string", MODEL("\"vocab\":{\"a\\u0000b\":0},\"merges\":[]"), CF_UNSUPPORTED, "NUL"},
    {"another version", "{\"version\":\"2.0\"," GOOD "}", CF_UNSUPPORTED, "version"},
    {"no model", "{}", CF_FORMAT, "no model"},
    {"a model without type", "{\"model\":{}}", CF_FORMAT, "a model has no type"},
    {"WordPiece", "{\"model\":{\"type\":\"WordPiece\",\"vocab\":{}}}", CF_UNSUPPORTED, "model of type \"WordPiece\""},
    {"Unigram", "{\"model\":{\"type\":\"Unigram\",\"vocab\":[]}}", CF_UNSUPPORTED, "model of type \"Unigram\""},
    {"no vocab", MODEL("\"merges\":[]"), CF_FORMAT, "no vocab"},
    {"a vocab that is a list", MODEL("\"vocab\":[],\"merges\":[]"), CF_FORMAT, "no vocab"},
    {"two equal ids", MODEL("\"vocab\":{\"a\":0,\"b\":0},\"merges\":[]"), CF_FORMAT,
     "\"a\" and \"b\" have the same id 0"},
    {"a negative id", MODEL("\"vocab\":{\"a\":-1},\"merges\":[]"), CF_FORMAT, "found -1"},
    {"a huge id", MODEL("\"vocab\":{\"a\":2000000000},\"merges\":[]"), CF_FORMAT, "found 2000000000"},
    {"a broken id", MODEL("\"vocab\":{\"a\":1.5},\"merges\":[]"), CF_FORMAT, "no whole number"},
    {"an id that is text", MODEL("\"vocab\":{\"a\":\"1\"},\"merges\":[]"), CF_FORMAT, "no whole number"},
    {"a token twice", MODEL("\"vocab\":{\"a\":0,\"a\":1},\"merges\":[]"), CF_FORMAT, "twice"},
    {"no merges", MODEL(VOCAB), CF_FORMAT, "no merges"},
    {"a merge of an unknown token", MODEL(VOCAB ",\"merges\":[[\"a\",\"x\"]]"), CF_MISMATCH,
     "\"x\", which is not in the vocab"},
    {"a merge into an unknown token", MODEL(VOCAB ",\"merges\":[\"b a\"]"), CF_MISMATCH,
     "\"ba\", which is not in the vocab"},
    {"a merge of one", MODEL(VOCAB ",\"merges\":[\"ab\"]"), CF_FORMAT, "two tokens"},
    {"a merge of three", MODEL(VOCAB ",\"merges\":[\"a b a\"]"), CF_FORMAT, "two tokens"},
    {"a merge list of three", MODEL(VOCAB ",\"merges\":[[\"a\",\"b\",\"a\"]]"), CF_FORMAT, "two tokens"},
    {"a merge that is a number", MODEL(VOCAB ",\"merges\":[7]"), CF_FORMAT, "two tokens"},
    {"an empty merge", MODEL(VOCAB ",\"merges\":[[]]"), CF_FORMAT, "two tokens"},
    {"an unknown unk_token", MODEL(VOCAB ",\"merges\":[],\"unk_token\":\"<unk>\""), CF_MISMATCH, "unk_token \"<unk>\""},
    {"dropout", MODEL(VOCAB ",\"merges\":[],\"dropout\":0.1"), CF_UNSUPPORTED, "dropout"},
    {"a subword prefix", MODEL(VOCAB ",\"merges\":[],\"continuing_subword_prefix\":\"##\""), CF_UNSUPPORTED,
     "continuing_subword_prefix"},
    {"a word suffix", MODEL(VOCAB ",\"merges\":[],\"end_of_word_suffix\":\"</w>\""), CF_UNSUPPORTED,
     "end_of_word_suffix"},
    {"a flag that is text", MODEL(VOCAB ",\"merges\":[],\"byte_fallback\":\"yes\""), CF_FORMAT, "byte_fallback"},
    {"another normalizer", "{" GOOD ",\"normalizer\":{\"type\":\"NFKC\"}}", CF_UNSUPPORTED,
     "normalizer of type \"NFKC\""},
    {"another normalizer inside",
     "{" GOOD ",\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Lowercase\"}]}}", CF_UNSUPPORTED,
     "\"Lowercase\""},
    {"a Sequence of nothing", "{" GOOD ",\"normalizer\":{\"type\":\"Sequence\"}}", CF_FORMAT, "no list of normalizers"},
    {"Replace by pattern",
     "{" GOOD ",\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"a+\"},\"content\":\"b\"}}",
     CF_UNSUPPORTED, "regular expression"},
    {"Replace of nothing",
     "{" GOOD ",\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\"\"},\"content\":\"b\"}}", CF_UNSUPPORTED,
     "empty string"},
    {"Replace by no text", "{" GOOD ",\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"}}}", CF_FORMAT,
     "\"content\""},
    {"another pre-tokenizer", "{" GOOD ",\"pre_tokenizer\":{\"type\":\"Digits\"}}", CF_UNSUPPORTED,
     "pre-tokenizer of type \"Digits\""},
    {"another pre-tokenizer inside", SEQUENCE("{\"type\":\"Whitespace\"}"), CF_UNSUPPORTED, "\"Whitespace\""},
    {"a pre-tokenizer Sequence of nothing", "{" GOOD ",\"pre_tokenizer\":{\"type\":\"Sequence\"}}", CF_FORMAT,
     "no list of pretokenizers"},
    {"seventeen pre-tokenizers",
     SEQUENCE(FOUR "," FOUR "," FOUR "," FOUR "," SPLIT("\"String\":\"a\"", "Isolated", "")), CF_UNSUPPORTED,
     "more than 16"},
    {"ByteLevel without add_prefix_space", SEQUENCE("{\"type\":\"ByteLevel\"}"), CF_FORMAT, "add_prefix_space"},
    {"ByteLevel twice", SEQUENCE(BYTES_STEP "," BYTES_STEP), CF_UNSUPPORTED, "two ByteLevel"},
    {"ByteLevel with a flag that is text",
     SEQUENCE("{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"use_regex\":\"no\"}"), CF_FORMAT, "use_regex"},
    {"Split without a pattern", SEQUENCE(SPLIT("", "Isolated", "")), CF_FORMAT, "Split has no pattern"},
    {"Split by nothing", SEQUENCE(SPLIT("\"Regex\":\"\"", "Isolated", "")), CF_FORMAT, "Split has no pattern"},
    {"Split with another behavior", SEQUENCE(SPLIT("\"String\":\"a\"", "Removed", "")), CF_UNSUPPORTED,
     "behavior \"Removed\""},
    {"Split without a behavior", SEQUENCE("{\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},\"invert\":false}"),
     CF_UNSUPPORTED, "behavior \"?\""},
    {"Split inverted", SEQUENCE(SPLIT("\"String\":\"a\"", "Isolated", ",\"invert\":true")), CF_UNSUPPORTED, "inverted"},
    {"Split with a broken pattern", SEQUENCE(SPLIT("\"Regex\":\"a(\"", "Isolated", "")), CF_UNSUPPORTED,
     "pattern \"a(\": missing closing parenthesis at byte 2"},
    {"Metaspace with two marks", "{" GOOD ",\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"__\"}}",
     CF_FORMAT, "one character"},
    {"Metaspace with another scheme",
     "{" GOOD ",\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"last\"}}",
     CF_UNSUPPORTED, "\"last\""},
    {"Metaspace against itself",
     "{" GOOD ",\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"_\",\"add_prefix_space\":false}}",
     CF_FORMAT, "contradicts"},
    {"Metaspace first after a normalizer",
     "{" GOOD ",\"normalizer\":{\"type\":\"Prepend\",\"prepend\":\"a\"},\"pre_tokenizer\":{\"type\":\"Metaspace\","
     "\"replacement\":\"_\",\"prepend_scheme\":\"first\"}}",
     CF_UNSUPPORTED, "\"first\" after a normalizer"},
    {"added tokens that are no list", "{" GOOD ",\"added_tokens\":{}}", CF_FORMAT, "added_tokens"},
    {"an added token without text", ADDED("3", "null", FLAGS), CF_FORMAT, "\"content\""},
    {"an empty added token", ADDED("3", "\"\"", FLAGS), CF_FORMAT, "empty"},
    {"an added token without flags", ADDED("3", "\"<x>\"", ""), CF_FORMAT, "single_word"},
    {"an added token without id", ADDED("null", "\"<x>\"", FLAGS), CF_MISMATCH, "expected id 3"},
    {"an added token with a gap before it", ADDED("9", "\"<x>\"", FLAGS), CF_MISMATCH,
     "\"<x>\": expected id 3, found 9"},
    {"an added token with another token's id", ADDED("0", "\"<x>\"", FLAGS), CF_MISMATCH, "expected id 3, found 0"},
    {"an added token that the vocab numbers otherwise", ADDED("3", "\"b\"", FLAGS), CF_MISMATCH,
     "expected id 1, found 3"},
    {"an added token twice", "{" GOOD ",\"added_tokens\":[" TOKEN("3", "<x>") "," TOKEN("3", "<x>") "]}", CF_FORMAT,
     "listed twice"},
    {"an added token whose id lies in the vocab",
     "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":2},\"merges\":[]},\"added_tokens\":[" TOKEN("2",
                                                                                                        "<x>") "]}",
     CF_FORMAT, "\"b\" and \"<x>\" have the same id 2"},
    {"an added token that normalisation removes",
     "{" GOOD ",\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\"x\"},\"content\":\"\"},\"added_tokens\":"
     "[" NORMALIZED("3", "xx") "]}",
     CF_UNSUPPORTED, "nothing is left of added token \"xx\""},
    {"two added tokens that normalisation makes equal",
     "{" GOOD ",\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\"x\"},\"content\":\"y\"},\"added_"
     "tokens\":[" NORMALIZED("3", "ax") "," NORMALIZED("4", "ay") "]}",
     CF_UNSUPPORTED, "added tokens 3 and 4 are the same, \"ay\""},
    {"another post-processor", "{" GOOD ",\"post_processor\":{\"type\":\"BertProcessing\"}}", CF_UNSUPPORTED,
     "post-processor of type \"BertProcessing\""},
    {"a template without a text", SINGLE(""), CF_UNSUPPORTED, "found it 0 times"},
    {"a template with two texts", SINGLE(SEQUENCE_A "," SEQUENCE_A), CF_UNSUPPORTED, "found it 2 times"},
    {"a template for pairs", SINGLE("{\"Sequence\":{\"id\":\"B\",\"type_id\":0}}"), CF_UNSUPPORTED, "piece other than"},
    {"a template with an unknown name", SINGLE("{\"SpecialToken\":{\"id\":\"z\",\"type_id\":0}}," SEQUENCE_A),
     CF_FORMAT, "no ids for \"z\""},
    {"a template with an unknown id", SINGLE("{\"SpecialToken\":{\"id\":\"s\",\"type_id\":0}}," SEQUENCE_A),
     CF_MISMATCH, "has id 9, which is no token"},
    {"another post-processor inside", PROCESSORS("{\"type\":\"RobertaProcessing\"}"), CF_UNSUPPORTED,
     "\"RobertaProcessing\""},
    {"a post-processor Sequence of nothing", "{" GOOD ",\"post_processor\":{\"type\":\"Sequence\"}}", CF_FORMAT,
     "no list of processors"},
    {"two templates", PROCESSORS(TEMPLATE_T "," TEMPLATE_T), CF_UNSUPPORTED, "two TemplateProcessing"},
    {"another decoder", "{" GOOD ",\"decoder\":{\"type\":\"WordPiece\"}}", CF_UNSUPPORTED,
     "decoder of type \"WordPiece\""},
    {"another decoder inside", "{" GOOD ",\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"CTC\"}]}}",
     CF_UNSUPPORTED, "\"CTC\""},
    {"a decoder that is text", "{" GOOD ",\"decoder\":\"Fuse\"}", CF_FORMAT, "a decoder has no type"},
    {"Strip of two characters", "{" GOOD ",\"decoder\":{\"type\":\"Strip\",\"content\":\"ab\",\"start\":1,\"stop\":0}}",
     CF_FORMAT, "one character"},
    {"Strip without counts", "{" GOOD ",\"decoder\":{\"type\":\"Strip\",\"content\":\"a\",\"start\":-1,\"stop\":0}}",
     CF_FORMAT, "counts"},
};

static void a_document_that_is_not_understood_is_refused_in_one_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cf_tokenizer *t = NULL;
        cf_error err = {0};
        const cf_status st = cf_tokenizer_parse(&t, cf_slice_of(cases[i].json), "some.json", &err);
        if (st != cases[i].status || err.status != st || !strstr(err.text, cases[i].says) ||
            strncmp(err.text, "some.json: ", 11) != 0)
            fail_msg("%s: status %d, \"%s\"", cases[i].name, (int)st, err.text);
        assert_null(t);
        assert_null(strchr(err.text, '\n'));
    }
}

static void the_documents_these_are_variants_of_are_accepted(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{" GOOD "}",
        MODEL(VOCAB ",\"merges\":[\"a b\"],\"dropout\":0,\"continuing_subword_prefix\":\"\",\"unk_token\":\"a\""),
        MODEL("\"vocab\":{\"a\\\\u0000b\":0},\"merges\":[]"), /* a backslash and "u0000", no NUL */
        ADDED("3", "\"<x>\"", FLAGS),
        SINGLE("{\"SpecialToken\":{\"id\":\"t\",\"type_id\":0}}," SEQUENCE_A),
        SEQUENCE(FOUR "," FOUR "," FOUR "," TWO "," SPLIT(
            "\"Regex\":\"a\"", "Isolated",
            ",\"invert\":false") ",{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}"),
        PROCESSORS("{\"type\":\"ByteLevel\"}," TEMPLATE_T),
        PROCESSORS(""),
        "{" GOOD ",\"decoder\":{\"type\":\"Strip\",\"content\":\"a\",\"start\":1,\"stop\":0}}",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cf_tokenizer *t = NULL;
        cf_error err = {0};
        if (cf_tokenizer_parse(&t, cf_slice_of(good[i]), "some.json", &err) != CF_OK)
            fail_msg("document %zu: %s", i, err.text);
        cf_tokenizer_close(t);
    }
}

/* Whatever the place, half a document is no document. */
static void a_real_document_cut_anywhere_is_refused(void **state)
{
    (void)state;
    cf_str json = {0};
    cf_error err = {0};
    assert_int_equal(cf_file_read(&json, "demo/model/tokenizer.json", 1 << 20, &err), CF_OK);
    const cf_slice whole = cf_slice_trim(cf_str_slice(&json));
    for (size_t n = 0; n < whole.n; n += whole.n / 97) {
        char *part = malloc(n + 1); /* a copy of its own, so that a sanitizer sees a read past the end */
        cf_tokenizer *t = NULL;
        assert_non_null(part);
        memcpy(part, whole.data, n);
        assert_int_equal(cf_tokenizer_parse(&t, (cf_slice){part, n}, "cut.json", &err), CF_FORMAT);
        assert_null(t);
        free(part);
    }
    cf_str_deinit(&json);
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    char *dir = temp_dir_make();
    cf_tokenizer *t = NULL;
    cf_error err = {0};
    assert_int_equal(cf_tokenizer_open(&t, dir, &err), CF_IO);
    assert_non_null(strstr(err.text, "tokenizer.json"));
    assert_null(t);
    temp_dir_write_text(dir, "tokenizer.json", "{" GOOD "}");
    assert_int_equal(cf_tokenizer_open(&t, dir, &err), CF_OK);
    assert_int_equal(cf_tokenizer_size(t), 3);
    cf_tokenizer_close(t);
    temp_dir_remove(dir);
}

int test_bad_files(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_that_is_not_understood_is_refused_in_one_line),
        cmocka_unit_test(the_documents_these_are_variants_of_are_accepted),
        cmocka_unit_test(a_real_document_cut_anywhere_is_refused),
        cmocka_unit_test(a_missing_file_is_named),
    };
    return cmocka_run_group_tests_name("bad files", tests, NULL, NULL);
}
