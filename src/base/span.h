/* span.h - half-open spans of sequence positions, and sorted lists of disjoint spans. */
#ifndef CF_BASE_SPAN_H
#define CF_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cf_span {
    int32_t begin, end; /* [begin, end) */
} cf_span;

/* Sorted, disjoint, non-empty spans that do not touch one another: one list per set of positions. Zero-initialise. */
typedef struct cf_spans {
    cf_span *items;
    size_t n, cap;
} cf_spans;

void cf_spans_deinit(cf_spans *s);
/* Adds [begin, end), which must begin at or after the last span's end; joins it to that span where they touch. Empty
 * is a no-op. */
CF_MUST_USE cf_status cf_spans_add(cf_spans *s, int32_t begin, int32_t end, cf_error *err);
CF_MUST_USE cf_status cf_spans_copy(cf_spans *out, const cf_spans *s, cf_error *err);
bool cf_spans_equal(const cf_spans *a, const cf_spans *b);
bool cf_spans_contain(const cf_spans *s, int32_t position);
int64_t cf_spans_count(const cf_spans *s); /* positions in all */
/* Appends the positions of a or b, of a but not b, of both, to *out, which is empty before and neither of them. */
CF_MUST_USE cf_status cf_spans_union(cf_spans *out, const cf_spans *a, const cf_spans *b, cf_error *err);
CF_MUST_USE cf_status cf_spans_minus(cf_spans *out, const cf_spans *a, const cf_spans *b, cf_error *err);
CF_MUST_USE cf_status cf_spans_both(cf_spans *out, const cf_spans *a, const cf_spans *b, cf_error *err);

#ifdef __cplusplus
}
#endif
#endif
