/* alias.c - see alias.h. Tables of prefixes, stored -> canonical; the first row that fits is taken, so longer prefixes
 * stand before the shorter ones that they begin with. Sources: transformers 5.17 conversion_mapping.py ("llava",
 * "llava_next", "CLIPVisionModel"), names saved by transformers 4, and LLaVA's own llava/model (mm_projector,
 * vision_tower.vision_tower). */
#include "checkpoint/alias.h"

#include <stddef.h>
#include <string.h>

#include "base/str.h"

#define DECODER "model.language_model."
#define PROJECTOR "model.multi_modal_projector."
#define TOWER CF_TOWER

typedef struct alias {
    const char *stored, *canonical;
} alias;

static const alias of_llava[] = {
    /* transformers 4, and what transformers 5 writes back */
    {"language_model.model.", DECODER},
    {"language_model.lm_head.", "lm_head."},
    {"multi_modal_projector.", PROJECTOR},
    {"vision_tower.vision_model.", TOWER},
    {"vision_tower.", TOWER},
    {"image_newline", "model.image_newline"},
    /* original LLaVA */
    {"model.layers.", DECODER "layers."},
    {"model.embed_tokens.", DECODER "embed_tokens."},
    {"model.norm.", DECODER "norm."},
    {"model.mm_projector.0.", PROJECTOR "linear_1."},
    {"model.mm_projector.2.", PROJECTOR "linear_2."},
    {"model.vision_tower.vision_tower.vision_model.", TOWER},
    {"model.vision_tower.vision_tower.", TOWER},
    /* transformers 5: canonical but for the tower, whose vision_model level comes and goes with the version */
    {"model.vision_tower.vision_model.", TOWER},
    {"model.vision_tower.", TOWER},
};

static const alias of_clip[] = {
    {"vision_model.", TOWER},
    {"embeddings.", TOWER "embeddings."},
    {"pre_layrnorm.", TOWER "pre_layrnorm."},
    {"encoder.", TOWER "encoder."},
    {"post_layernorm.", TOWER "post_layernorm."},
};

/* The row whose prefix the name has; NULL where none fits. */
static const alias *row_of(const alias *rows, size_t n, const char *stored)
{
    for (size_t i = 0; i < n; i++)
        if (strncmp(stored, rows[i].stored, strlen(rows[i].stored)) == 0)
            return &rows[i];
    return NULL;
}

static cf_status rename_by(char **out, const alias *row, const char *stored, cf_error *err)
{
    cf_str name = {0};
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(&name, row->canonical, err));
    CF_TRY(cf_str_add_text(&name, stored + strlen(row->stored), err));
    *out = name.data;
    name.data = NULL;
done:
    cf_str_deinit(&name);
    return st;
}

cf_status cf_alias_canonical(char **out, const char *stored, cf_error *err)
{
    const alias *row = row_of(of_llava, sizeof of_llava / sizeof *of_llava, stored);
    return row ? rename_by(out, row, stored, err) : cf_strdup(out, cf_slice_of(stored), err);
}

cf_status cf_alias_tower(char **out, const char *stored, cf_error *err)
{
    const alias *row = row_of(of_clip, sizeof of_clip / sizeof *of_clip, stored);
    if (row)
        return rename_by(out, row, stored, err);
    *out = NULL;
    return CF_OK;
}
