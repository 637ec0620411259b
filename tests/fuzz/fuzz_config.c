/* fuzz_config.c - any JSON as config.json, generation_config.json and the vision tower's config.json: refused, or extents
 * that a model can be built from.
 *
 * Input: the three texts with a NUL between them; an empty or missing one is absent. From the source root:
 *
 *   clang -std=c17 -g -D_GNU_SOURCE -Isrc -I/usr/include/cjson -fsanitize=fuzzer,address,undefined \
 *       tests/fuzz/fuzz_config.c src/checkpoint/config*.c src/base/{error,file,json,memory,str}.c \
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
        !(t->rope_theta > 0) || !(t->rope_factor > 0) ||
        (t->rope_type == CF_ROPE_LLAMA3 &&
         (!(t->rope_low_freq_factor < t->rope_high_freq_factor) || t->rope_original_positions < 1)))
        abort();
    if ((c->image_aspect == CF_ASPECT_ANYRES) != (c->n_grid > 0) || c->n_grid > CF_MAX_GRID ||
        (c->image_token_id < 0) != c->original)
        abort();
    if (t->n_layers > CF_MAX_LAYERS)
        abort();
    for (int64_t l = 0; l < t->n_layers; l++)
        if (t->layers[l].window < 0 || (t->type == CF_TEXT_LLAMA && t->layers[l].window))
            abort();
    for (int32_t i = 0; i < c->n_grid; i++)
        if (c->grid[i].height < v->image_size || c->grid[i].width % v->image_size != 0)
            abort();
}

/* The text up to the next NUL, parsed; NULL where there is none that is JSON. */
static cf_json *next_text(cf_slice *rest)
{
    const char *end = rest->n ? memchr(rest->data, '\0', rest->n) : NULL;
    const size_t n = end ? (size_t)(end - rest->data) : rest->n;
    cf_json *json = NULL;
    cf_error err = {0};
    if (n && cf_json_parse(&json, (cf_slice){rest->data, n}, "fuzz", &err) != CF_OK)
        json = NULL;
    const size_t used = end ? n + 1 : n;
    rest->data += used;
    rest->n -= used;
    return json;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    cf_slice rest = {(const char *)data, n};
    cf_json *config = next_text(&rest), *generation = next_text(&rest), *tower = next_text(&rest);
    const cf_config_source from = {config, generation, "config", tower, "tower"};
    cf_config c = {0};
    cf_error err = {0};
    (void)cf_config_vision_tower(config);
    if (config && cf_config_parse(&c, &from, &err) == CF_OK)
        check(&c);
    cf_json_free(tower);
    cf_json_free(generation);
    cf_json_free(config);
    return 0;
}
