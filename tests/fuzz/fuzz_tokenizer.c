/* fuzz_tokenizer.c - any bytes as a tokenizer.json, then as a text for the tokenizer that was read: refused, or encoded and decoded.
 * The input is a document, a NUL, and a text; without a NUL the document is the text too.
 *
 * clang -std=gnu17 -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Isrc tests/fuzz/fuzz_tokenizer.c src/text/[a-z]*.c
 *     src/base/{error,file,hash,json,memory,str}.c -lcjson -lxxhash -lutf8proc -lpcre2-8 -lm -o /tmp/fuzz_tokenizer
 * /tmp/fuzz_tokenizer -max_total_time=60 /tmp/corpus tests/fuzz/seeds/tokenizer */
#include <stdlib.h>
#include <string.h>

#include "text/prompt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void use(const cf_tokenizer *t, cf_slice text)
{
    cf_ids ids = {0};
    cf_str out = {0};
    cf_span span = {0};
    cf_error err;
    const cf_status st = cf_tokenizer_encode(&ids, t, text, true, &err);
    if (st == CF_UNSUPPORTED && !ids.n) /* a pattern that cannot be decided */
        return;
    if (st != CF_OK)
        abort(); /* no text is an error */
    for (size_t i = 0; i < ids.n; i++)
        if (ids.items[i] < 0 || ids.items[i] >= cf_tokenizer_size(t) || !cf_tokenizer_token(t, ids.items[i]).data)
            abort();
    for (int skip = 0; skip < 2; skip++)
        if (cf_tokenizer_decode(&out, t, ids.items, ids.n, skip, &err) != CF_OK)
            abort();
    if (cf_text_find(&span, NULL, t, ids.items, ids.n, text, &err) == CF_OK &&
        (span.begin < 0 || span.end <= span.begin || (size_t)span.end > ids.n))
        abort();
    cf_ids_deinit(&ids);
    cf_str_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *bytes = (const char *)data;
    const char *nul = n ? memchr(bytes, 0, n) : NULL;
    const cf_slice document = {bytes, nul ? (size_t)(nul - bytes) : n};
    const cf_slice text = nul ? (cf_slice){nul + 1, n - document.n - 1} : document;
    cf_tokenizer *t = NULL;
    cf_error err;
    if (cf_tokenizer_parse(&t, document, "fuzz.json", &err) != CF_OK) {
        if (t || err.status == CF_OK)
            abort();
        return 0;
    }
    use(t, text);
    cf_tokenizer_close(t);
    return 0;
}
