/* config.h - what config.json says about a LLaVA-family model, in one struct per part.
 *
 * Understands the files of transformers 4 and 5 (design: docs/checkpoints.md). Absent keys take the default of the
 * Hugging Face configuration class of that model_type, never a guess of ours. */
#ifndef CF_CHECKPOINT_CONFIG_H
#define CF_CHECKPOINT_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

typedef enum cf_activation { CF_ACT_GELU, CF_ACT_GELU_TANH, CF_ACT_QUICK_GELU, CF_ACT_SILU } cf_activation;

typedef struct cf_vision_config { /* CLIPVisionConfig */
    int64_t hidden_size, intermediate_size, n_layers, n_heads;
    int64_t image_size, patch_size, n_channels;
    cf_activation hidden_act;
    float layer_norm_eps;
} cf_vision_config;

typedef struct cf_text_config { /* LlamaConfig */
    int64_t hidden_size, intermediate_size, n_layers, n_heads, n_kv_heads, head_dim;
    int64_t vocab_size, max_position_embeddings;
    cf_activation hidden_act;
    float rms_norm_eps;
    double rope_theta;
    bool tie_word_embeddings, attention_bias, mlp_bias;
} cf_text_config;

enum { CF_MAX_EOS = 8 };

typedef struct cf_config {
    char model_type[64]; /* "llava" */
    cf_vision_config vision;
    cf_text_config text;
    cf_activation projector_hidden_act;
    bool projector_bias;
    int64_t feature_layer; /* vision_feature_layer as an index 0..n_layers of hidden states: -2 is n_layers - 1 */
    bool feature_drop_class_token; /* vision_feature_select_strategy: "default" true, "full" false */
    int32_t image_token_id;        /* image_token_index or image_token_id */
    int32_t bos_token_id;
    int32_t eos_token_ids[CF_MAX_EOS]; /* from generation_config.json where present, else config.json */
    int32_t n_eos;
} cf_config;

/* generation may be NULL. `where` names config.json in messages. CF_UNSUPPORTED for a model_type, activation, rope
 * type or sub-model type that crossflow does not run; CF_FORMAT for missing or nonsensical extents (not positive,
 * heads not dividing, ...). */
CF_MUST_USE cf_status cf_config_parse(cf_config *out, const cf_json *config, const cf_json *generation,
                                      const char *where, cf_error *err);

#endif
