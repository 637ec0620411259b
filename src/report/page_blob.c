/* page_blob.c - see page_blob.h. */
#include "report/page_blob.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/memory.h"
#include "report/page_json.h"

void cf_page_blobs_deinit(cf_page_blobs *b)
{
    cf_str_deinit(&b->elements);
    *b = (cf_page_blobs){0};
}

cf_status cf_base64_add(cf_str *out, const unsigned char *bytes, size_t n, cf_error *err)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    enum { GROUPS = 1024 };
    char text[4 * GROUPS];
    cf_status st = CF_OK;
    size_t used = 0;
    for (size_t i = 0; i < n; i += 3) {
        const size_t left = n - i;
        const uint32_t three = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                               (left > 2 ? (uint32_t)bytes[i + 2] : 0);
        text[used] = digits[three >> 18];
        text[used + 1] = digits[three >> 12 & 63];
        text[used + 2] = left > 1 ? digits[three >> 6 & 63] : '=';
        text[used + 3] = left > 2 ? digits[three & 63] : '=';
        used += 4;
        if (used == sizeof text) {
            CF_TRY(cf_str_add(out, (cf_slice){text, used}, err));
            used = 0;
        }
    }
    CF_TRY(cf_str_add(out, (cf_slice){text, used}, err));
done:
    return st;
}

static cf_status pack(cf_str *out, const unsigned char *bytes, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    void *packed = NULL;
    uLongf n_packed = compressBound((uLong)n);
    CF_TRY(cf_alloc(&packed, n_packed, 1, "packed data of the page", err));
    static const unsigned char none[1] = {0};
    const int rc = compress2(packed, &n_packed, n ? bytes : none, (uLong)n, Z_DEFAULT_COMPRESSION);
    if (rc == Z_OK)
        st = cf_base64_add(out, packed, n_packed, err);
    else
        st = cf_fail(err, CF_NOMEM, "packed data of the page");
done:
    free(packed);
    return st;
}

static cf_status add_blob(cf_page_blobs *b, cf_str *json, const char *name, const char *kind, size_t n,
                          const unsigned char *bytes, size_t n_bytes, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_page_name(json, name, err));
    CF_TRY(cf_str_addf(json, err, "{\"id\":\"blob-%zu\",\"kind\":\"%s\",\"n\":%zu}", b->n, kind, n));
    CF_TRY(cf_str_addf(&b->elements, err, "<script type=\"application/octet-stream;base64\" id=\"blob-%zu\">", b->n));
    CF_TRY(pack(&b->elements, bytes, n_bytes, err));
    CF_TRY(cf_str_add_text(&b->elements, "</script>\n", err));
    b->n++;
done:
    return st;
}

cf_status cf_page_blob_numbers(cf_page_blobs *b, cf_str *json, const char *name, const double *values, size_t n,
                               cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL;
    CF_TRY(cf_alloc(&memory, n, sizeof *values, "numbers of the page", err));
    unsigned char *planes = memory;
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = 0;
        memcpy(&bits, &values[i], sizeof bits);
        for (size_t k = 0; k < sizeof bits; k++)
            planes[k * n + i] = (unsigned char)(bits >> 8 * k);
    }
    CF_TRY(add_blob(b, json, name, "f64", n, planes, n * sizeof *values, err));
done:
    free(memory);
    return st;
}

cf_status cf_page_blob_bytes(cf_page_blobs *b, cf_str *json, const char *name, const unsigned char *bytes, size_t n,
                             cf_error *err)
{
    return add_blob(b, json, name, "u8", n, bytes, n, err);
}

cf_status cf_page_blob_json(cf_page_blobs *b, cf_str *json, const char *name, cf_slice text, cf_error *err)
{
    return add_blob(b, json, name, "json", text.n, (const unsigned char *)text.data, text.n, err);
}
