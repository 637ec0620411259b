/* page_fixture.h - a page that was written, read again: its JSON, and its blobs as numbers, bytes and JSON. */
#ifndef CF_TESTS_PAGE_FIXTURE_H
#define CF_TESTS_PAGE_FIXTURE_H

#include "base/json.h"
#include "report/page.h"
#include "report_fixture.h"

typedef struct page {
    char *html;
    size_t n;
    cf_json *json;
    cf_str notes;
} page;

/* Few resamples, no picture. */
cf_page_options page_options(void);
/* Writes the stores' page into the fixture's folder and reads it. */
void page_write(page *p, const fixture *f, cf_store *const *stores, size_t n, const cf_page_options *o);
void page_free(page *p);
const cf_json *page_study(const page *p, int nth);
/* What a reference to a blob stands for; its length must be the one stated. The caller frees. */
double *page_numbers(const page *p, const cf_json *blob, size_t n);
unsigned char *page_bytes(const page *p, const cf_json *blob, size_t n);
cf_json *page_list(const page *p, const cf_json *blob);
unsigned char *page_unbase64(cf_slice text, size_t *n);
/* The member of a node, which must be there. */
const cf_json *page_get(const cf_json *node, const char *name);
const cf_json *page_nth(const cf_json *list, int64_t nth);
double page_number(const cf_json *node, const char *name); /* NaN for null */
const char *page_text(const cf_json *node, const char *name);

/* Equal to the bit, or both none. */
#define assert_number(found, expected) page_assert_number((found), (expected), #found, __FILE__, __LINE__)
void page_assert_number(double found, double expected, const char *what, const char *file, int line);

#endif
