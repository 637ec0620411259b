/* page_study.h - one study as a page has it: web/src/data.ts, Study. */
#ifndef CF_REPORT_PAGE_STUDY_H
#define CF_REPORT_PAGE_STUDY_H

#include "base/error.h"
#include "base/str.h"
#include "report/page.h"
#include "report/page_blob.h"
#include "report/page_choice.h"
#include "report/page_pictures.h"
#include "store/store.h"

/* What the studies of a page share. */
typedef struct cf_page_parts {
    const cf_page_options *o;
    cf_page_choice choice;
    cf_page_blobs blobs;
    cf_page_pictures pictures;
    int64_t room;  /* numbers that the page may still hold */
    bool left_out; /* values of samples that are not chosen */
} cf_page_parts;

/* Appends the study as an object. name: as the page calls it; model: its place among Page.models. */
CF_MUST_USE cf_status cf_page_study_add(cf_str *json, cf_page_parts *page, cf_store *s, const char *name, size_t model,
                                        cf_error *err);

#endif
