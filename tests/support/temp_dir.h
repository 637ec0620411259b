/* temp_dir.h - a folder for one test, and files in it. Faults end the test program: there is nothing to test without it. */
#ifndef CF_TESTS_TEMP_DIR_H
#define CF_TESTS_TEMP_DIR_H

#include <stddef.h>

/* A new empty folder; heap string, given to temp_dir_remove. */
char *temp_dir_make(void);
/* Removes the folder with everything in it, and frees its name. */
void temp_dir_remove(char *dir);
/* dir/name as a heap string. */
char *temp_dir_path(const char *dir, const char *name);
/* Writes dir/name. */
void temp_dir_write(const char *dir, const char *name, const void *bytes, size_t n);
void temp_dir_write_text(const char *dir, const char *name, const char *text);

#endif
