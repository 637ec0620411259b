/* test_mistakes.c - a mistake in the prompt, the tiles, their packing, the vision tower or the rotary table is seen by
 * the check that test_checkpoints.c passes, and in the stage where it is made. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "family_check.h"

#include "support/temp_dir.h"

/* The first stage that must differ; those before it hold. */
typedef enum stage { IDS, PIXELS, LAYOUT, FEATURES, HIDDEN } stage;

static stage first_wrong(const family_found *f)
{
    if (f->ids)
        return IDS;
    if (f->pixels)
        return PIXELS;
    if (f->layout)
        return LAYOUT;
    return f->features > LOGIT_BOUND ? FEATURES : HIDDEN;
}

static void the_other_vicuna(cf_runtime *r)
{
    free(r->prompt);
    r->prompt = strdup(cf_prompt_preset_text("vicuna_v1"));
    assert_non_null(r->prompt);
}

static void vicunas_prompt(cf_runtime *r)
{
    free(r->prompt);
    r->prompt = strdup(cf_prompt_preset_text("llava_hf_vicuna_next"));
    assert_non_null(r->prompt);
}

static void no_newline(cf_runtime *r)
{
    r->packing.newline = false;
}

static void tile_after_tile(cf_runtime *r)
{
    r->packing.order = CF_HD_FLAT;
    r->packing.newline = false;
}

static void not_unpadded(cf_runtime *r)
{
    r->packing.order = CF_HD_SPATIAL;
}

static void turned_pinpoint(cf_runtime *r)
{
    cf_pinpoint *p = &r->preprocess.pinpoints[0];
    *p = (cf_pinpoint){p->width, p->height};
}

static void base_tile_alone(cf_runtime *r)
{
    r->preprocess.fit = CF_FIT_CROP;
}

static void padded(cf_runtime *r)
{
    r->preprocess.fit = CF_FIT_PAD;
}

/* The form: Hugging Face's, or LLaVA's own with its tower. */
#define HF(name) name, NULL
#define LLAVA "llava-llama2-2", FAMILY "/original/clip-30"
#define NEXT "next-llama3-1", FAMILY "/original/clip-20"
#define LLAVA_1 "pytorch_model-00001-of-00002.bin"
#define LLAVA_2 "pytorch_model-00002-of-00002.bin"

/* A mistake in the files. */
#define IN_CONFIG(from, to)                                                                                            \
    NULL,                                                                                                              \
    {                                                                                                                  \
        "config.json", from, to, false                                                                                 \
    }
#define SWAPPED(file, one, other)                                                                                      \
    NULL,                                                                                                              \
    {                                                                                                                  \
        file, one, other, true                                                                                         \
    }

static const struct {
    const char *what, *golden, *vision_tower;
    void (*make)(cf_runtime *);
    family_change change;
    stage seen;
} mistakes[] = {
    {"LLaVA's own prompt", HF("next-llama2-1"), the_other_vicuna, {0}, IDS},
    {"the picture padded, not cropped", HF("llava-llama2-1"), padded, {0}, PIXELS},
    {"the picture cropped, not padded", HF("llava-llama2-2"), base_tile_alone, {0}, PIXELS},
    {"linear scaling ignored", HF("llava-llama2-3"),
     IN_CONFIG("\"rope_type\": \"linear\"", "\"rope_type\": \"default\""), HIDDEN},
    {"another vision layer", HF("llava-llama2-3"),
     IN_CONFIG("\"vision_feature_layer\": -3", "\"vision_feature_layer\": -2"), FEATURES},
    {"llama3 scaling ignored", HF("llava-llama3-1"),
     IN_CONFIG("\"rope_type\": \"llama3\"", "\"rope_type\": \"default\""), HIDDEN},
    {"another scaling factor", HF("llava-llama3-2"), IN_CONFIG("\"factor\": 4.0", "\"factor\": 8.0"), HIDDEN},
    {"another original length", HF("llava-llama3-2"),
     IN_CONFIG("\"original_max_position_embeddings\": 48", "\"original_max_position_embeddings\": 96"), HIDDEN},
    {"another rotary base", HF("llava-llama3-3"), IN_CONFIG("\"rope_theta\": 500000.0", "\"rope_theta\": 10000.0"),
     HIDDEN},
    {"the newlines left out", HF("next-llama2-1"), no_newline, {0}, LAYOUT},
    {"tile after tile", HF("next-llama2-1"), tile_after_tile, {0}, LAYOUT},
    {"the padding kept", HF("next-llama2-2"), not_unpadded, {0}, LAYOUT},
    {"the base tile alone", HF("next-llama2-3"), base_tile_alone, {0}, PIXELS},
    {"a pinpoint turned", HF("next-llama3-2"), turned_pinpoint, {0}, PIXELS},
    {"the newlines left out", HF("next-llama3-3"), no_newline, {0}, LAYOUT},
    {"llama3 scaling ignored", HF("next-llama3-1"),
     IN_CONFIG("\"rope_type\": \"llama3\"", "\"rope_type\": \"default\""), HIDDEN},
    /* a Mistral decoder */
    {"Vicuna's prompt", HF("next-mistral-1"), vicunas_prompt, {0}, IDS},
    {"a window that is one position wider", HF("next-mistral-1"),
     IN_CONFIG("\"sliding_window\": 45", "\"sliding_window\": 46"), HIDDEN},
    {"no window", HF("next-mistral-1"), IN_CONFIG("\"sliding_window\": 45", "\"sliding_window\": null"), HIDDEN},
    {"a window in every layer", HF("next-mistral-2"),
     IN_CONFIG("\"model_type\": \"ministral\"", "\"model_type\": \"mistral\""), HIDDEN},
    {"a window where null is none", HF("next-mistral-3"),
     IN_CONFIG("\"sliding_window\": null", "\"sliding_window\": 40"), HIDDEN},
    /* in LLaVA's own form */
    {"the prompt of its project", LLAVA, the_other_vicuna, {0}, IDS},
    {"the picture not padded", LLAVA, IN_CONFIG("\"pad\"", "\"square\""), PIXELS},
    {"another vision layer", LLAVA, IN_CONFIG("_layer\": -1", "_layer\": -2"), FEATURES},
    {"the projector's biases swapped", LLAVA, SWAPPED(LLAVA_2, "mm_projector.0.bias", "mm_projector.2.bias"), FEATURES},
    {"keys and values swapped", LLAVA,
     SWAPPED(LLAVA_1, "model.layers.1.self_attn.k_proj", "model.layers.1.self_attn.v_proj"), HIDDEN},
    {"two pieces of the tokenizer swapped", LLAVA, SWAPPED("tokenizer.model", "ord", "ase"), IDS},
    {"the newlines left out", NEXT, no_newline, {0}, LAYOUT},
    {"the padding kept", NEXT, IN_CONFIG("spatial_unpad", "spatial"), LAYOUT},
    {"one tile, padded", NEXT, IN_CONFIG("anyres", "pad"), PIXELS},
    {"a pinpoint turned", NEXT, turned_pinpoint, {0}, PIXELS},
    {"the tower it was tuned from",
     NEXT,
     NULL,
     {"model.safetensors", "model.vision_tower.", "model.vision_towel.", false},
     FEATURES},
    {"queries and outputs swapped", NEXT,
     SWAPPED("model.safetensors", "model.layers.1.self_attn.q_proj", "model.layers.1.self_attn.o_proj"), HIDDEN},
    {"llama3 scaling ignored", NEXT, IN_CONFIG("\"rope_type\": \"llama3\"", "\"rope_type\": \"default\""), HIDDEN},
};

static family_found with_mistake(size_t i)
{
    const char *tower = mistakes[i].vision_tower;
    char name[64], folder[128], *changed = NULL;
    family_found f;
    (void)snprintf(name, sizeof name, "%s%s", tower ? "original/" : "", mistakes[i].golden);
    (void)snprintf(folder, sizeof folder, FAMILY "/%s", name);
    if (mistakes[i].change.file)
        changed = changed_checkpoint(name, &mistakes[i].change);
    family_check(&f, &(family_case){.golden = mistakes[i].golden,
                                    .folder = changed ? changed : folder,
                                    .vision_tower = tower,
                                    .golden_prompt = tower,
                                    .mistake = mistakes[i].make});
    if (changed)
        temp_dir_remove(changed);
    return f;
}

static void a_mistake_is_seen_in_the_stage_where_it_is_made(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        const family_found f = with_mistake(i);
        if (family_holds(&f) || first_wrong(&f) != mistakes[i].seen)
            fail_msg("%s, %s: ids %d, pixels %d, layout %d, groups %d, picture %.1e, hidden states %.1e, probability "
                     "%.1e",
                     mistakes[i].golden, mistakes[i].what, (int)f.ids, (int)f.pixels, (int)f.layout, (int)f.groups,
                     f.features, f.hidden, f.probability);
        if (mistakes[i].seen == HIDDEN) /* far beyond what rounding does */
            assert_true(f.hidden > 100 * LOGIT_BOUND && f.probability > 100 * PROBABILITY_BOUND);
    }
}

int test_mistakes(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_mistake_is_seen_in_the_stage_where_it_is_made)};
    return cmocka_run_group_tests_name("mistakes", tests, NULL, NULL);
}
