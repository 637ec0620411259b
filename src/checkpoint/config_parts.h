/* config_parts.h - the sections of config.json that several forms of checkpoint share, each read into its struct.
 * Folder-private. */
#ifndef CF_CHECKPOINT_CONFIG_PARTS_H
#define CF_CHECKPOINT_CONFIG_PARTS_H

#include "checkpoint/config.h"
#include "checkpoint/config_fields.h"

/* What stands for a vision section that is absent as a whole. */
typedef enum cf_absent_vision {
    CF_VISION_OF_CLIP, /* CLIPVisionConfig(): the ViT-B/32 */
    CF_VISION_OF_LLAVA /* LlavaConfig(): the ViT-L/14 at 336 pixels */
} cf_absent_vision;

CF_MUST_USE cf_status cf_config_read_activation(cf_activation *out, const cf_section *s, const char *key,
                                                const char *fallback, cf_error *err);
CF_MUST_USE cf_status cf_config_read_vision(cf_vision_config *v, const cf_section *s, cf_absent_vision absent,
                                            cf_error *err);
/* s is text_config, or the root where the decoder's keys stand there. */
CF_MUST_USE cf_status cf_config_read_text(cf_text_config *t, const cf_section *s, cf_text_type type, cf_error *err);
/* t->layers; t->n_layers is filled in. */
CF_MUST_USE cf_status cf_config_read_layers(cf_text_config *t, const cf_section *s, cf_text_type type, cf_error *err);
/* The layer under key, counted from either end, as an index of hidden states. c->vision is filled in. */
CF_MUST_USE cf_status cf_config_read_feature_layer(cf_config *c, const cf_section *root, const char *key,
                                                   cf_error *err);

/* image_grid_pinpoints into c->grid. Hugging Face lists (height, width), LLaVA (width, height), or the same as a string
 * of Python. c->vision is filled in. */
typedef enum cf_grid_order { CF_GRID_HEIGHT_WIDTH, CF_GRID_WIDTH_HEIGHT } cf_grid_order;
CF_MUST_USE cf_status cf_config_read_grid(cf_config *c, const cf_section *root, cf_grid_order order, cf_error *err);

/* LLaVA's own configuration: everything but the special tokens. c->model_type is filled in. */
CF_MUST_USE cf_status cf_config_read_original(cf_config *c, const cf_section *root, const cf_section *tower,
                                              cf_error *err);

#endif
