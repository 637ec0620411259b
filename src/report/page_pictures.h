/* page_pictures.h - the pictures of a page: found, made small, and put into it, each once. */
#ifndef CF_REPORT_PAGE_PICTURES_H
#define CF_REPORT_PAGE_PICTURES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

enum { CF_PAGE_PICTURE_SIDE = 336 }; /* the longer side, in pixels: what most vision towers read */

typedef struct cf_page_picture {
    char *path;
    int64_t index; /* among the page's; -1: cannot be read */
} cf_page_picture;

typedef struct cf_page_pictures { /* zero-initialise */
    cf_page_picture *items;       /* by path */
    size_t n, cap;
    int64_t n_read, n_missing;
    cf_str json;    /* elements of Page.pictures */
    cf_str problem; /* what was wrong with the first one that cannot be read */
} cf_page_pictures;

void cf_page_pictures_deinit(cf_page_pictures *p);
/* The picture of that name in the folder; of a name with folders only the last part is looked at. *index = -1 where it
 * cannot be read, which is counted, and no failure. */
CF_MUST_USE cf_status cf_page_pictures_find(cf_page_pictures *p, int64_t *index, const char *dir, const char *name,
                                            cf_error *err);

#endif
