/* fuzz_question.c - any bytes as a question set: parsed or refused, and every slice of a parsed set readable.
 *
 * clang -std=gnu17 -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Isrc tests/fuzz/fuzz_question.c src/question/csv.c
 *     src/question/question_set.c src/base/{error,file,hash,memory,str}.c -lxxhash -o /tmp/fuzz_question
 * /tmp/fuzz_question -max_total_time=60 /tmp/corpus tests/fuzz/seeds/question */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "question/question.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t touch(cf_slice s)
{
    size_t sum = 0;
    for (size_t i = 0; i < s.n; i++)
        sum += (unsigned char)s.data[i];
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    cf_question_set *s = NULL;
    cf_error err;
    if (cf_question_set_parse(&s, (cf_slice){(const char *)data, n}, "fuzz_Input.csv", &err) != CF_OK) {
        if (s || err.status == CF_OK)
            abort();
        return 0;
    }
    size_t sum = 0;
    for (size_t i = 0; i < cf_question_set_size(s); i++) {
        const cf_question *q = cf_question_set_row(s, i);
        sum += touch(q->id) + touch(q->image) + touch(q->text) + touch(q->answer) + touch(q->true_option) +
               touch(q->false_option) + touch(q->fault);
        for (int k = 0; k < q->n_objects; k++)
            sum += touch(q->objects[k].name);
    }
    cf_question_set_free(s);
    if (sum == SIZE_MAX) /* never: keeps the reads alive */
        abort();
    return 0;
}
