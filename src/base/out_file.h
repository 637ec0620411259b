/* out_file.h - a file that appears whole or not at all: written under a temporary name beside it, then renamed. */
#ifndef CF_BASE_OUT_FILE_H
#define CF_BASE_OUT_FILE_H

#include <stdio.h>

#include "base/error.h"
#include "base/str.h"

typedef struct cf_out_file { /* zero-initialise */
    char *path, *temporary;
    FILE *stream;
} cf_out_file;

CF_MUST_USE cf_status cf_out_file_open(cf_out_file *f, const char *path, cf_error *err);
CF_MUST_USE cf_status cf_out_file_add(cf_out_file *f, cf_slice text, cf_error *err);
CF_MUST_USE cf_status cf_out_file_close(cf_out_file *f, cf_error *err);
void cf_out_file_deinit(cf_out_file *f); /* removes what was not closed */

#endif
