/* fuzz_config.c - any JSON as config.json and generation_config.json: refused, or extents that a model can be built from.
 *
 * Input: config.json, then a NUL, then generation_config.json (absent where there is no NUL). From the source root:
 *
 *   clang -std=c17 -g -D_GNU_SOURCE -Isrc -I/usr/include/cjson -fsanitize=fuzzer,address,undefined \
 *       tests/fuzz/fuzz_config.c src/checkpoint/{config,config_fields}.c src/base/{error,file,json,memory,str}.c \
 *       -lcjson -lm -o /tmp/fuzz_config
 *   /tmp/fuzz_config -max_total_time=60 /tmp/corpus tests/fuzz/seeds/config */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(const cf_config *c)
{
    const cf_text_config *t = &c->text;
    const cf_vision_config *v = &c->vision;
    if (t->n_heads < 1 || t->n_kv_heads < 1 || t->n_heads % t->n_kv_heads || t->head_dim < 2 || t->head_dim % 2 ||
        t->vocab_size < 1 || v->n_heads < 1 || v->hidden_size % v->n_heads || v->patch_size > v->image_size ||
        c->feature_layer < 0 || c->feature_layer > v->n_layers || c->n_eos < 1 || c->n_eos > CF_MAX_EOS ||
        !(t->rope_theta > 0) || strcmp(c->model_type, "llava") != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *text = (const char *)data;
    const char *end = n ? memchr(text, '\0', n) : NULL;
    const cf_slice first = {text, end ? (size_t)(end - text) : n};
    cf_json *config = NULL, *generation = NULL;
    cf_config c = {0};
    cf_error err = {0};
    if (end && cf_json_parse(&generation, (cf_slice){end + 1, n - first.n - 1}, "generation", &err) != CF_OK)
        generation = NULL;
    if (cf_json_parse(&config, first, "config", &err) == CF_OK &&
        cf_config_parse(&c, config, generation, "config", &err) == CF_OK)
        check(&c);
    cf_json_free(generation);
    cf_json_free(config);
    return 0;
}
