/* prepare.c - see prepare.h. */
#include "study/prepare.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

cf_status cf_picture_load(cf_picture *p, const cf_runtime *r, const char *path, cf_error *err)
{
    if (p->path && strcmp(p->path, path) == 0)
        return CF_OK;
    const uint64_t name = p->name + 1;
    cf_status st = CF_OK;
    cf_image whole = {0};
    void *pixels = NULL;
    cf_picture_deinit(p);
    p->name = name; /* a name is used once, so that a failed picture cannot be taken for the one before */
    CF_TRY(cf_image_open(&whole, path, err));
    CF_TRY(cf_preprocess_fit(&p->fitted, &whole, &r->preprocess, err));
    CF_TRY(cf_alloc(&pixels, (size_t)3 * (size_t)p->fitted.width * (size_t)p->fitted.height, sizeof(float), "pixels",
                    err));
    cf_preprocess_values(pixels, &p->fitted, &r->preprocess);
    CF_TRY(cf_strdup(&p->path, cf_slice_of(path), err));
    p->pixels = pixels;
    p->width = whole.width;
    p->height = whole.height;
    pixels = NULL;
done:
    free(pixels);
    cf_image_deinit(&whole);
    return st;
}

void cf_picture_deinit(cf_picture *p)
{
    const uint64_t name = p->name;
    free(p->path);
    free(p->pixels);
    cf_image_deinit(&p->fitted);
    *p = (cf_picture){.name = name};
}

/* Where the question's own characters lie: searched in the tokens after the picture, by the published rule. */
static cf_status find_question(cf_span *out, const cf_runtime *r, const cf_prepared *p, cf_slice question,
                               cf_error *err)
{
    const int32_t after = p->prompt.image_index + 1;
    cf_span found = {0};
    const cf_status st = cf_text_find(&found, NULL, r->tokenizer, p->prompt.ids.items + after,
                                      p->prompt.ids.n - (size_t)after, question, err);
    if (st != CF_OK)
        return st;
    const int32_t shift = p->prompt.image_index + p->grid_h * p->grid_w;
    *out = (cf_span){found.begin + shift, found.end + shift};
    return CF_OK;
}

cf_status cf_prepare(cf_prepared *out, const cf_runtime *r, const cf_picture *picture, cf_slice question,
                     const cf_box *boxes, int64_t n_boxes, cf_error *err)
{
    const cf_config *c = cf_checkpoint_config(r->checkpoint);
    const int32_t patch = (int32_t)c->vision.patch_size;
    cf_status st = CF_OK;
    void *hit = NULL;
    cf_span words = {0};
    cf_prepared p = {.grid_h = r->preprocess.crop_h / patch, .grid_w = r->preprocess.crop_w / patch};
    const int32_t n_patches = p.grid_h * p.grid_w;
    CF_TRY(cf_prompt_create(&p.prompt, r->tokenizer, c->image_token_id, r->prompt, question, r->prompt_whole, err));
    CF_TRY(find_question(&words, r, &p, question, err));
    if (n_boxes) {
        CF_TRY(cf_alloc(&hit, (size_t)n_patches, sizeof *p.hit, "patches of the object", err));
        p.hit = hit;
        CF_TRY(cf_preprocess_boxes(p.hit, picture->width, picture->height, boxes, n_boxes, patch, &r->preprocess, err));
    }
    const cf_span image = {p.prompt.image_index, p.prompt.image_index + n_patches};
    CF_TRY(cf_groups_build(&p.groups, (int32_t)p.prompt.ids.n - 1 + n_patches, image, p.hit, words, err));
    p.input = (cf_input){.ids = p.prompt.ids.items,
                         .n_ids = (int32_t)p.prompt.ids.n,
                         .image_index = p.prompt.image_index,
                         .pixels = picture->pixels,
                         .picture = picture->name};
    *out = p;
    p = (cf_prepared){0};
done:
    cf_prepared_deinit(&p);
    return st;
}

void cf_prepared_deinit(cf_prepared *p)
{
    cf_prompt_deinit(&p->prompt);
    cf_groups_deinit(&p->groups);
    free(p->hit);
    *p = (cf_prepared){0};
}

cf_status cf_answer_text(cf_str *out, const cf_runtime *r, const int32_t *ids, int32_t n, cf_error *err)
{
    cf_str text = {0};
    cf_status st = cf_tokenizer_decode(&text, r->tokenizer, ids, (size_t)n, true, err);
    if (st == CF_OK)
        st = cf_str_add(out, cf_slice_trim(cf_str_slice(&text)), err);
    cf_str_deinit(&text);
    return st;
}
