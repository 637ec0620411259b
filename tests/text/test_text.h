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
int test_prompt(void);
int test_tokenizer(void);
int test_utf8(void);

/* Group set-up and tear-down: *state is the demo tokenizer. */
int demo_open(void **state);
int demo_close(void **state);

cf_json *golden_open(const char *name); /* of tests/text/golden; ends the test where it cannot be read */
cf_str golden_base64(const cf_json *node);
/* Hashes as in the goldens, 16 hexadecimal digits. */
void ids_hash(char out[17], const cf_ids *ids);
void text_hash(char out[17], cf_slice text);
/* True where ids are the numbers of the list. */
bool ids_are(const cf_ids *ids, const cf_json *list);

#endif
