/* fuzz_sentencepiece.c - any bytes as a tokenizer.model: refused, or its own bytes are encoded and decoded with it. The first byte is the
 * settings of tokenizer_config.json, a bit each.
 *
 * clang -std=gnu17 -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Isrc tests/fuzz/fuzz_sentencepiece.c src/text/[a-z]*.c
 *     src/base/{error,file,hash,json,memory,str}.c -lcjson -lxxhash -lutf8proc -lpcre2-8 -lm -o /tmp/fuzz_sentencepiece
 * /tmp/fuzz_sentencepiece -max_len=16384 -max_total_time=60 /tmp/corpus tests/fuzz/seeds/sentencepiece */
#include <stdlib.h>

#include "text/text_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void use(const cf_tokenizer *t, cf_slice text)
{
    cf_ids ids = {0};
    cf_str out = {0};
    cf_error err;
    if (cf_tokenizer_encode(&ids, t, text, true, &err) != CF_OK)
        abort(); /* no text is an error */
    for (size_t i = 0; i < ids.n; i++)
        if (ids.items[i] < 0 || ids.items[i] >= cf_tokenizer_size(t) || !cf_tokenizer_token(t, ids.items[i]).data)
            abort();
    if (cf_tokenizer_decode(&out, t, ids.items, ids.n, true, &err) != CF_OK)
        abort();
    cf_ids_deinit(&ids);
    cf_str_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (!n)
        return 0;
    const cf_tokenizer_settings s = {
        .legacy = data[0] & 1, .add_bos = data[0] & 2, .add_eos = data[0] & 4, .add_prefix_space = data[0] & 8};
    const cf_slice model = {(const char *)data + 1, n - 1};
    cf_tokenizer *t = calloc(1, sizeof *t);
    cf_error err = {0};
    if (!t)
        return 0;
    if (cf_sentencepiece_load(t, model, &s, "fuzz.model", &err) == CF_OK)
        use(t, model);
    else if (err.status == CF_OK)
        abort();
    cf_tokenizer_close(t);
    return 0;
}
