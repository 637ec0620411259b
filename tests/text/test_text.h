/* test_text.h - what the tests of src/text share: cmocka, the demo tokenizer, and the goldens of tools/make_text_golden.py. */
#ifndef CF_TESTS_TEXT_H
#define CF_TESTS_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "text/tokenizer.h"

int test_bad_files(void);
int test_find(void);
int test_pattern(void);
int test_prompt(void);
int test_sentencepiece(void);
int test_tokenizer(void);
int test_utf8(void);

/* Group set-up and tear-down: *state is the demo tokenizer. */
int demo_open(void **state);
int demo_close(void **state);

cf_json *golden_open(const char *name);           /* of tests/text/golden; ends the test where it cannot be read */
cf_tokenizer *golden_tokenizer(const char *name); /* a tokenizer.json of the same folder */
cf_str golden_base64(const cf_json *node);
/* Hashes as in the goldens, 16 hexadecimal digits. */
void ids_hash(char out[17], const cf_ids *ids);
void text_hash(char out[17], cf_slice text);
/* True where ids are the numbers of the list. */
bool ids_are(const cf_ids *ids, const cf_json *list);

/* Ends the test unless text gives what the row says behind its string: number of ids, their hash, the texts' hash, and
 * perhaps the ids. */
void golden_check_row(const char *name, const cf_tokenizer *t, cf_slice text, const cf_json *row, const char *shown);
int64_t golden_check_strings(const char *name, const cf_tokenizer *t,
                             const cf_json *rows); /* all of them; how many there are */

#endif
