/* file.h - whole files in memory (mapped or read), and path helpers. */
#ifndef CF_BASE_FILE_H
#define CF_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

/* A file mapped read-only. data is NULL for an empty file. */
typedef struct cf_mapping {
    const unsigned char *data;
    size_t n;
} cf_mapping;

CF_MUST_USE cf_status cf_file_map(cf_mapping *out, const char *path, cf_error *err);
void cf_file_unmap(cf_mapping *m); /* leaves an empty mapping */

/* The whole file appended to *out. Refuses files over max_bytes (CF_FORMAT): a text file that large is something else.
 */
CF_MUST_USE cf_status cf_file_read(cf_str *out, const char *path, size_t max_bytes, cf_error *err);
CF_MUST_USE cf_status cf_file_write(const char *path, cf_slice content, cf_error *err);
bool cf_file_exists(const char *path);
bool cf_file_is_dir(const char *path);
/* mkdir -p. */
CF_MUST_USE cf_status cf_dir_make(const char *path, cf_error *err);

/* *out = dir/name as a heap string that the caller frees; name alone where it is absolute or dir is empty. */
CF_MUST_USE cf_status cf_path_join(char **out, const char *dir, const char *name, cf_error *err);
/* The last component of path, without its ending ("a/b_C.csv" -> "b_C"); borrowed from path. */
cf_slice cf_path_stem(const char *path);
/* Everything before the last component, "." where there is none; a heap string that the caller frees. */
CF_MUST_USE cf_status cf_path_dir(char **out, const char *path, cf_error *err);

#endif
