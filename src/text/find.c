/* find.c - where a string lies among tokens, by the rule of the published knockout scripts (InformationFlow.py,
 * find_token_range): tokens joined in their stored form, the word mark read as a blank; of a byte-level tokenizer, the
 * characters that stand for a blank and a newline read as these. A character that is stored as byte tokens ("<0xE2>"),
 * or as several characters of the alphabet of bytes, is therefore not found, there as here. */
#include <stdlib.h>

#include "base/memory.h"
#include "text/prompt.h"
#include "text/text_internal.h"

static int64_t count(cf_slice hay, cf_slice needle)
{
    int64_t n = 0;
    for (int64_t at = cf_slice_find(hay, needle, 0); at >= 0; at = cf_slice_find(hay, needle, (size_t)at + 1))
        n++;
    return n;
}

/* Appends a token as the scripts read it. */
static cf_status add_token(cf_str *out, cf_slice token, bool byte_level, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str line = {0};
    if (!byte_level)
        return cf_text_replace(out, token, cf_slice_of("\xE2\x96\x81"), cf_slice_of(" "), err);
    CF_TRY(cf_text_replace(&line, token, cf_slice_of("\xC4\x8A"), cf_slice_of("\n"), err));            /* U+010A */
    CF_TRY(cf_text_replace(out, cf_str_slice(&line), cf_slice_of("\xC4\xA0"), cf_slice_of(" "), err)); /* U+0120 */
done:
    cf_str_deinit(&line);
    return st;
}

cf_status cf_text_find(cf_span *out, int64_t *n_found, const cf_tokenizer *t, const int32_t *ids, size_t n,
                       cf_slice text, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str whole = {0};
    void *ends = NULL; /* size_t: where each token ends in whole */
    if (!text.n)
        return cf_fail(err, CF_USAGE, "expected a text to find among the tokens, found an empty one");
    CF_TRY(cf_alloc(&ends, n, sizeof(size_t), "token ends", err));
    size_t *end = ends;
    for (size_t i = 0; i < n; i++) {
        CF_TRY(add_token(&whole, cf_tokenizer_token(t, ids[i]), cf_tokenizer_is_byte_level(t), err));
        end[i] = whole.n;
    }
    const int64_t at = cf_slice_find(cf_str_slice(&whole), text, 0);
    if (at < 0) {
        st = cf_fail(err, CF_MISMATCH, "\"%.*s\" does not occur among the %zu tokens of \"%s\"", (int)text.n, text.data,
                     n, whole.data ? whole.data : "");
        goto done;
    }
    size_t first = 0, last = 0;
    while (end[first] <= (size_t)at)
        first++;
    for (last = first; end[last] < (size_t)at + text.n; last++)
        ;
    *out = (cf_span){(int32_t)first, (int32_t)last + 1};
    if (n_found)
        *n_found = count(cf_str_slice(&whole), text);
done:
    free(ends);
    cf_str_deinit(&whole);
    return st;
}
