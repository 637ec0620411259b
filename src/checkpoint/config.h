/* config.h - what config.json says about a LLaVA-family model, in one struct per part.
 *
 * Understands the files of transformers 4 and 5, and LLaVA's own (docs/checkpoints.md). Absent keys take the default of
 * the configuration class of that model_type, never a guess of ours. */
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

/* How the inverse frequencies of the default rotary table are changed: transformers modeling_rope_utils, ROPE_INIT_FUNCTIONS. */
typedef enum cf_rope_type { CF_ROPE_DEFAULT, CF_ROPE_LINEAR, CF_ROPE_LLAMA3 } cf_rope_type;

/* The decoders that are known, by text_config's model_type. One layer's work is the same in all of them; what differs is
 * in the descriptions of the layers. */
typedef enum cf_text_type { CF_TEXT_LLAMA, CF_TEXT_MISTRAL, CF_TEXT_MINISTRAL } cf_text_type;

typedef struct cf_layer_desc { /* what a decoder layer is; zero: a Llama layer */
    int64_t window;            /* sliding attention: a query at p sees keys above p - window; 0: full attention */
} cf_layer_desc;

enum { CF_MAX_LAYERS = 256 };

typedef struct cf_text_config { /* LlamaConfig, MistralConfig, MinistralConfig */
    int64_t hidden_size, intermediate_size, n_layers, n_heads, n_kv_heads, head_dim;
    int64_t vocab_size, max_position_embeddings;
    cf_activation hidden_act;
    float rms_norm_eps;
    double rope_theta;
    bool tie_word_embeddings, attention_bias, mlp_bias;
    cf_rope_type rope_type;
    double rope_factor;                                 /* linear and llama3; 1 otherwise */
    double rope_low_freq_factor, rope_high_freq_factor; /* llama3; low < high */
    int64_t rope_original_positions;                    /* llama3: original_max_position_embeddings */
    cf_text_type type;
    cf_layer_desc layers[CF_MAX_LAYERS]; /* [n_layers] */
} cf_text_config;

/* How a picture becomes the vision tower's inputs. */
typedef enum cf_image_aspect {
    CF_ASPECT_SQUARE, /* one square, by the rules of the folder's image processor */
    CF_ASPECT_PAD,    /* one square, padded with the mean colour first (LLaVA's expand2square) */
    CF_ASPECT_ANYRES  /* a base tile, and tiles of the best of grid[] */
} cf_image_aspect;

/* How the tiles' features become image positions. */
typedef enum cf_patch_merge {
    CF_MERGE_FLAT,         /* tile after tile */
    CF_MERGE_SPATIAL,      /* rows over the whole picture */
    CF_MERGE_SPATIAL_UNPAD /* and without what padding covers, model.image_newline after each row */
} cf_patch_merge;

typedef struct cf_resolution {
    int32_t height, width; /* pixels, multiples of the vision tower's image_size */
} cf_resolution;

enum { CF_MAX_EOS = 8, CF_MAX_GRID = 64 };

typedef struct cf_config {
    char model_type[64]; /* "llava", "llava_next" or "llava_llama" */
    cf_vision_config vision;
    cf_text_config text;
    cf_activation projector_hidden_act;
    bool projector_bias;
    int64_t feature_layer; /* vision_feature_layer as an index 0..n_layers of hidden states: -2 is n_layers - 1 */
    bool feature_drop_class_token; /* vision_feature_select_strategy: "default" true, "full" false */
    int32_t image_token_id; /* image_token_index or image_token_id; CF_NO_IMAGE_TOKEN where the vocabulary has none */
    int32_t bos_token_id;
    int32_t eos_token_ids[CF_MAX_EOS]; /* from generation_config.json where present, else config.json */
    int32_t n_eos;
    bool original; /* LLaVA's own form of configuration, not a Hugging Face conversion */
    cf_image_aspect image_aspect;
    cf_patch_merge patch_merge;
    cf_resolution
        grid[CF_MAX_GRID]; /* image_grid_pinpoints in their order, which decides ties; CF_ASPECT_ANYRES only */
    int32_t n_grid;
} cf_config;

/* LLaVA's IMAGE_TOKEN_INDEX: original checkpoints mark the picture's place outside the vocabulary. */
enum { CF_NO_IMAGE_TOKEN = -200 };

typedef struct cf_config_source {
    const cf_json *config, *generation; /* generation may be NULL */
    const char *where;                  /* names config.json in messages */
    /* Of an original checkpoint's vision tower: its config.json, or NULL where the tower's folder is not at hand, which
     * will do for the one tower that the published models use. */
    const cf_json *tower;
    const char *tower_where;
} cf_config_source;

/* CF_UNSUPPORTED for a model_type, activation, rope type, projector or sub-model type that crossflow does not run;
 * CF_FORMAT for missing or nonsensical extents (not positive, heads not dividing, ...). */
CF_MUST_USE cf_status cf_config_parse(cf_config *out, const cf_config_source *from, cf_error *err);

/* The vision tower that an original configuration names (mm_vision_tower: a repository or a path), borrowed from
 * config; NULL for a Hugging Face configuration, whose checkpoint always holds its tower. */
const char *cf_config_vision_tower(const cf_json *config);

#endif
