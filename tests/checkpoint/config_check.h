/* config_check.h - configurations given as texts, and compared member by member. */
#ifndef CF_TESTS_CONFIG_CHECK_H
#define CF_TESTS_CONFIG_CHECK_H

#include "checkpoint/config.h"
#include "test_checkpoint.h"

/* LLaVA-1.5-7b, which each of its published forms must come to. */
extern const cf_config llava_7b_config;

/* Parses config.json and, where not NULL, generation_config.json and tower/config.json. */
CF_MUST_USE cf_status config_parse_texts(cf_config *out, const char *config, const char *generation, const char *tower,
                                         cf_error *err);
/* Fails the test where a member of a is not that of b. */
void assert_same_config(const char *name, const cf_config *a, const cf_config *b);

#endif
