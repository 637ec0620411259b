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

static const struct {
    const char *what, *name;
    void (*make)(cf_runtime *);
    const char *from, *to; /* in config.json */
    stage seen;
} mistakes[] = {
    {"LLaVA's own prompt", "next-llama2-1", the_other_vicuna, NULL, NULL, IDS},
    {"the picture padded, not cropped", "llava-llama2-1", padded, NULL, NULL, PIXELS},
    {"the picture cropped, not padded", "llava-llama2-2", base_tile_alone, NULL, NULL, PIXELS},
    {"linear scaling ignored", "llava-llama2-3", NULL, "\"rope_type\": \"linear\"", "\"rope_type\": \"default\"",
     HIDDEN},
    {"another vision layer", "llava-llama2-3", NULL, "\"vision_feature_layer\": -3", "\"vision_feature_layer\": -2",
     FEATURES},
    {"llama3 scaling ignored", "llava-llama3-1", NULL, "\"rope_type\": \"llama3\"", "\"rope_type\": \"default\"",
     HIDDEN},
    {"another scaling factor", "llava-llama3-2", NULL, "\"factor\": 4.0", "\"factor\": 8.0", HIDDEN},
    {"another original length", "llava-llama3-2", NULL, "\"original_max_position_embeddings\": 48",
     "\"original_max_position_embeddings\": 96", HIDDEN},
    {"another rotary base", "llava-llama3-3", NULL, "\"rope_theta\": 500000.0", "\"rope_theta\": 10000.0", HIDDEN},
    {"the newlines left out", "next-llama2-1", no_newline, NULL, NULL, LAYOUT},
    {"tile after tile", "next-llama2-1", tile_after_tile, NULL, NULL, LAYOUT},
    {"the padding kept", "next-llama2-2", not_unpadded, NULL, NULL, LAYOUT},
    {"the base tile alone", "next-llama2-3", base_tile_alone, NULL, NULL, PIXELS},
    {"a pinpoint turned", "next-llama3-2", turned_pinpoint, NULL, NULL, PIXELS},
    {"the newlines left out", "next-llama3-3", no_newline, NULL, NULL, LAYOUT},
    {"llama3 scaling ignored", "next-llama3-1", NULL, "\"rope_type\": \"llama3\"", "\"rope_type\": \"default\"",
     HIDDEN},
};

static void a_mistake_is_seen_in_the_stage_where_it_is_made(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        char folder[128], *changed = NULL;
        family_found f;
        (void)snprintf(folder, sizeof folder, FAMILY "/%s", mistakes[i].name);
        if (mistakes[i].from)
            changed = changed_checkpoint(mistakes[i].name, mistakes[i].from, mistakes[i].to);
        family_check(&f, mistakes[i].name, changed ? changed : folder, "cpu", mistakes[i].make);
        if (family_holds(&f) || first_wrong(&f) != mistakes[i].seen)
            fail_msg("%s, %s: ids %d, pixels %d, layout %d, groups %d, picture %.1e, hidden states %.1e, probability "
                     "%.1e",
                     mistakes[i].name, mistakes[i].what, (int)f.ids, (int)f.pixels, (int)f.layout, (int)f.groups,
                     f.features, f.hidden, f.probability);
        if (mistakes[i].seen == HIDDEN) /* far beyond what rounding does */
            assert_true(f.hidden > 100 * LOGIT_BOUND && f.probability > 100 * PROBABILITY_BOUND);
        if (changed)
            temp_dir_remove(changed);
    }
}

int test_mistakes(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_mistake_is_seen_in_the_stage_where_it_is_made)};
    return cmocka_run_group_tests_name("mistakes", tests, NULL, NULL);
}
