/* image_golden.h - the golden files of tests/image, made by tools/make_image_golden.py and make_tiling_golden.py, and
 * what their cases need. Faults end the test. */
#ifndef CF_TESTS_IMAGE_GOLDEN_H
#define CF_TESTS_IMAGE_GOLDEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "image/image.h"
#include "image/preprocess.h"

/* setup and teardown of a group: *state is the root of image.json, or of tiling.json. */
int golden_open(void **state);
int golden_open_tiling(void **state);
int golden_close(void **state);

int64_t golden_i64(const cf_json *object, const char *name);
/* Element `at` of a list of whole numbers. */
int64_t golden_item(const cf_json *list, int64_t at);
/* The picture that the script's lcg() makes for the case's "size" and "seed". */
void golden_noise(cf_image *out, const cf_json *item);
void golden_config(cf_preprocess *out, const cf_json *item);

/* Whether the bytes hash to the string under `key`; prints `name` and both hashes where not. */
bool golden_matches(const void *data, size_t n, const cf_json *item, const char *key, const char *name);
bool golden_matches_image(const cf_image *im, const cf_json *item, const char *key, const char *name);

#endif
