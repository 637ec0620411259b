/* alias.c - see alias.h. One table of prefixes, stored -> canonical; the first row that fits is taken, so longer
 * prefixes stand before the shorter ones that they begin with. Sources: transformers 5.17 conversion_mapping.py
 * ("llava", "llava_next", "CLIPVisionModel"), names saved by transformers 4, and LLaVA's own llava/model (mm_projector,
 * vision_tower.vision_tower). */
#include "checkpoint/alias.h"

#include <string.h>

#include "base/str.h"

#define DECODER "model.language_model."
#define PROJECTOR "model.multi_modal_projector."
#define TOWER "model.vision_tower.vision_model."

static const struct {
    const char *stored, *canonical;
} prefixes[] = {
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

cf_status cf_alias_canonical(char **out, const char *stored, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str name = {0};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        const size_t n = strlen(prefixes[i].stored);
        if (strncmp(stored, prefixes[i].stored, n) == 0) {
            CF_TRY(cf_str_add_text(&name, prefixes[i].canonical, err));
            stored += n;
            break;
        }
    }
    CF_TRY(cf_str_add_text(&name, stored, err));
    *out = name.data;
    name.data = NULL;
done:
    cf_str_deinit(&name);
    return st;
}
