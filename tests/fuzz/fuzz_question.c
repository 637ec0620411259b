/* fuzz_question.c - any bytes as a question set, in the format that the first byte picks: 'c' CSV, 'j' JSON Lines, 'g' GQA's questions,
 * and 's' GQA's scene graphs under questions that name their objects. Parsed or refused, and every slice of a parsed set readable.
 *
 * clang -std=gnu17 -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Isrc tests/fuzz/fuzz_question.c src/question/[a-z]*.c
 *     src/base/{error,file,hash,json,memory,str}.c -lxxhash -lcjson -lm -o /tmp/fuzz_question
 * /tmp/fuzz_question -max_total_time=60 /tmp/corpus tests/fuzz/seeds/question */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "question/question.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char scenes[] =
    "{\"7\":{\"width\":64,\"height\":48,\"objects\":{\"1\":{\"name\":\"a\",\"x\":1,\"y\":2,\"w\":3,"
    "\"h\":4},\"2\":{\"x\":1,\"y\":2,\"w\":-3,\"h\":4}}}}";
static const char questions[] =
    "{\"5\":{\"imageId\":\"7\",\"question\":\"Q?\",\"answer\":\"a\",\"annotations\":{\"question\":{\"3\":\"1\",\"1:2\":"
    "\"2\"}}},\"6\":{\"imageId\":\"8\",\"question\":\"Q?\",\"answer\":\"a\",\"semantic\":[{\"argument\":\"a (1)\"}]}}";

static size_t touch(cf_slice s)
{
    size_t sum = 0;
    for (size_t i = 0; i < s.n; i++)
        sum += (unsigned char)s.data[i];
    return sum;
}

static cf_status parse(cf_question_set **out, char format, cf_slice text, cf_error *err)
{
    switch (format) {
    case 'j':
        return cf_question_set_parse(out, text, "fuzz_Input.jsonl", err);
    case 'g':
        return cf_question_set_parse_gqa(out, text, "fuzz_Input.json", cf_slice_of(scenes), "scenes", err);
    case 's':
        return cf_question_set_parse_gqa(out, cf_slice_of(questions), "fuzz_Input.json", text, "scenes", err);
    default:
        return cf_question_set_parse(out, text, "fuzz_Input.csv", err);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    cf_question_set *s = NULL;
    cf_error err;
    if (n == 0)
        return 0;
    if (parse(&s, (char)data[0], (cf_slice){(const char *)data + 1, n - 1}, &err) != CF_OK) {
        if (s || err.status == CF_OK)
            abort();
        return 0;
    }
    size_t sum = 0;
    for (size_t i = 0; i < cf_question_set_size(s); i++) {
        const cf_question *q = cf_question_set_row(s, i);
        sum += touch(q->id) + touch(q->image) + touch(q->text) + touch(q->answer) + touch(q->true_option) +
               touch(q->false_option) + touch(q->fault);
        for (int32_t k = 0; k < q->n_objects; k++)
            sum += touch(q->objects[k].name) + q->objects[k].has_box;
    }
    cf_question_set_free(s);
    if (sum == SIZE_MAX) /* never: keeps the reads alive */
        abort();
    return 0;
}
