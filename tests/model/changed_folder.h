/* changed_folder.h - the weights of bites under another config.json. */
#ifndef CF_TESTS_CHANGED_FOLDER_H
#define CF_TESTS_CHANGED_FOLDER_H

/* A folder with a link to the weights of BITES_MODEL and its config.json, the first `from` in it replaced by `to`. Heap string, given to
 * temp_dir_remove. */
char *changed_folder(const char *from, const char *to);

#endif
