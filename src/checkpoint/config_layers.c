/* config_layers.c - what each decoder layer is, from the keys that its class has (config_parts.h).
 *
 * Rules: transformers 5.17. LlamaModel: full attention everywhere. MistralModel: one sliding_window for all layers, or
 * none. MinistralModel: layer_types says which of them have it. */
#include "checkpoint/config_parts.h"

#include <inttypes.h>
#include <string.h>

enum { MAX_WINDOW = 1 << 30, MISTRAL_WINDOW = 4096 };

/* NOTE: sliding_window null is "no window" here, unlike the other keys, where null is "not set". */
static cf_status read_window(int64_t *out, const cf_section *s, cf_error *err)
{
    *out = 0;
    if (cf_json_kind_of(cf_json_get(s->object, "sliding_window")) == CF_JSON_NULL)
        return CF_OK;
    return cf_field_i64(out, s, "sliding_window", MISTRAL_WINDOW, 1, MAX_WINDOW, err);
}

/* Takes the window away from the layers that are not sliding; *n_sliding of them keep it. */
static cf_status read_types(cf_text_config *t, int64_t *n_sliding, const cf_section *s, cf_error *err)
{
    static const char *const key = "layer_types";
    const cf_json *types = cf_json_get(s->object, key);
    int64_t layer = 0;
    *n_sliding = 0;
    if (cf_json_kind_of(types) != CF_JSON_ARRAY || cf_json_count(types) != t->n_layers)
        return cf_field_fail(err, s, key, "a list of num_hidden_layers names");
    for (const cf_json *e = cf_json_first(types); e; e = cf_json_next(e), layer++) {
        const char *name = cf_json_string(e);
        const bool sliding = name && strcmp(name, "sliding_attention") == 0;
        if (!sliding && !(name && strcmp(name, "full_attention") == 0))
            return cf_fail(err, CF_UNSUPPORTED,
                           "%s: %s%s: layer %" PRId64 ": expected sliding_attention or full_attention, found %s",
                           s->where, s->name, key, layer, name ? name : "no name");
        *n_sliding += sliding;
        if (!sliding)
            t->layers[layer].window = 0;
    }
    return CF_OK;
}

cf_status cf_config_read_layers(cf_text_config *t, const cf_section *s, cf_text_type type, cf_error *err)
{
    int64_t window = 0, n_sliding = 0;
    cf_status st = CF_OK;
    if (t->n_layers > CF_MAX_LAYERS)
        return cf_fail(err, CF_UNSUPPORTED, "%s: %snum_hidden_layers %" PRId64 ": more than %d are not supported",
                       s->where, s->name, t->n_layers, CF_MAX_LAYERS);
    if (type == CF_TEXT_LLAMA)
        return CF_OK;
    CF_TRY(read_window(&window, s, err));
    for (int64_t l = 0; l < t->n_layers; l++)
        t->layers[l].window = window;
    if (type == CF_TEXT_MINISTRAL && cf_field_present(s, "layer_types"))
        CF_TRY(read_types(t, &n_sliding, s, err));
    if (n_sliding && !window)
        st = cf_field_fail(err, s, "sliding_window", "a number, where layer_types has sliding_attention");
done:
    return st;
}
