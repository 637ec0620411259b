/* page_blob.h - the big things of a page, each an element of its own: base64 of a zlib stream (RFC 1950, RFC 4648).
 * Doubles are stored in planes, the lowest byte of all of them first: neighbours are alike in their high bytes, and a
 * stream of those packs better. */
#ifndef CF_REPORT_PAGE_BLOB_H
#define CF_REPORT_PAGE_BLOB_H

#include "base/error.h"
#include "base/str.h"

typedef struct cf_page_blobs { /* zero-initialise */
    cf_str elements;           /* HTML: <script> elements "blob-0", "blob-1", ... */
    size_t n;
} cf_page_blobs;

void cf_page_blobs_deinit(cf_page_blobs *b);
/* Each adds an element, and to the JSON of the page a member that refers to it. */
CF_MUST_USE cf_status cf_page_blob_numbers(cf_page_blobs *b, cf_str *json, const char *name, const double *values,
                                           size_t n, cf_error *err);
CF_MUST_USE cf_status cf_page_blob_bytes(cf_page_blobs *b, cf_str *json, const char *name, const unsigned char *bytes,
                                         size_t n, cf_error *err);
CF_MUST_USE cf_status cf_page_blob_json(cf_page_blobs *b, cf_str *json, const char *name, cf_slice text, cf_error *err);

/* Appends base64 with padding. */
CF_MUST_USE cf_status cf_base64_add(cf_str *out, const unsigned char *bytes, size_t n, cf_error *err);

#endif
