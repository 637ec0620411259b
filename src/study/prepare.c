/* prepare.c - see prepare.h. */
#include "study/prepare.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "study/prompt_layout.h"

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
    CF_TRY(cf_tiling_create(&p->tiling, &whole, &r->preprocess, &r->packing, err));
    const cf_tile_grid *g = &p->tiling.grid;
    CF_TRY(cf_alloc(&pixels, (size_t)g->n_tiles * 3 * (size_t)g->tile_w * (size_t)g->tile_h, sizeof(float), "pixels",
                    err));
    cf_tiling_values(pixels, &p->tiling, &r->preprocess);
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
    cf_tiling_deinit(&p->tiling);
    *p = (cf_picture){.name = name};
}

/* The boxes of a question's objects, those that have one; returns how many. */
static int64_t boxes_of(cf_box boxes[CF_MAX_OBJECTS], const cf_question *q)
{
    int64_t n = 0;
    for (int32_t i = 0; i < q->n_objects; i++)
        if (q->objects[i].has_box)
            boxes[n++] = (cf_box){q->objects[i].x, q->objects[i].y, q->objects[i].w, q->objects[i].h};
    return n;
}

static cf_status build_groups(cf_prepared *p, const cf_runtime *r, const cf_tiling *tiling, const cf_question *q,
                              cf_error *err)
{
    const int32_t n_positions = tiling->grid.n_positions;
    cf_prompt_parts parts = {0};
    cf_status st = cf_prompt_parts_find(&parts, &p->notes, r, &p->prompt, n_positions, q, err);
    if (st != CF_OK)
        return st;
    const cf_layout layout = {.length = (int32_t)p->prompt.ids.n - 1 + n_positions,
                              .image = parts.image,
                              .roles = tiling->merge.role,
                              .hit = p->hit,
                              .question = parts.question,
                              .true_option = parts.true_option,
                              .false_option = parts.false_option,
                              .noun = parts.noun,
                              .instruction = parts.instruction,
                              .role_words = &parts.role_words};
    p->image = parts.image;
    st = cf_groups_build(&p->groups, &layout, err);
    cf_prompt_parts_deinit(&parts);
    return st;
}

cf_status cf_prepare(cf_prepared *out, const cf_runtime *r, const cf_picture *picture, const cf_question *q,
                     cf_error *err)
{
    const cf_config *c = cf_checkpoint_config(r->checkpoint);
    const cf_tile_grid *g = &picture->tiling.grid;
    cf_status st = CF_OK;
    void *hit = NULL;
    cf_box boxes[CF_MAX_OBJECTS];
    const int64_t n_boxes = boxes_of(boxes, q);
    cf_prepared p = {.grid_h = g->patch_rows, .grid_w = g->patch_cols};
    CF_TRY(cf_prompt_create(&p.prompt, r->tokenizer, c->image_token_id, r->prompt, q->text, r->prompt_whole, err));
    if (n_boxes) {
        CF_TRY(cf_alloc(&hit, (size_t)g->n_positions, sizeof *p.hit, "patches of the object", err));
        p.hit = hit;
        CF_TRY(cf_tiling_boxes(p.hit, &picture->tiling, boxes, n_boxes, &r->preprocess, err));
    }
    CF_TRY(build_groups(&p, r, &picture->tiling, q, err));
    p.input = (cf_input){.ids = p.prompt.ids.items,
                         .n_ids = (int32_t)p.prompt.ids.n,
                         .image_index = p.prompt.image_index,
                         .pixels = picture->pixels,
                         .n_tiles = g->n_tiles,
                         .merge = picture->tiling.merge,
                         .picture = picture->name};
    *out = p;
    p = (cf_prepared){0};
done:
    cf_prepared_deinit(&p);
    return st;
}

cf_scene cf_prepared_scene(const cf_prepared *p, const cf_runtime *r, const cf_picture *picture)
{
    return (cf_scene){.groups = &p->groups,
                      .tokenizer = r->tokenizer,
                      .ids = p->prompt.ids.items,
                      .n_ids = p->prompt.ids.n,
                      .image = p->image,
                      .preprocess = &r->preprocess,
                      .tiling = &picture->tiling};
}

cf_status cf_prepare_question(cf_prepared *out, cf_picture *picture, const cf_runtime *r, const cf_question *q,
                              const char *path, cf_error *err)
{
    if (q->fault.n)
        return cf_fail(err, CF_FORMAT, "%.*s", (int)(q->fault.n < 400 ? q->fault.n : 400), q->fault.data);
    const cf_status st = cf_picture_load(picture, r, path, err);
    if (st != CF_OK)
        return st;
    if (q->image_w && q->image_h && (q->image_w != picture->width || q->image_h != picture->height))
        return cf_fail(err, CF_MISMATCH, "%s: expected %lldx%lld as the question file states, found %dx%d", path,
                       (long long)q->image_w, (long long)q->image_h, picture->width, picture->height);
    return cf_prepare(out, r, picture, q, err);
}

void cf_prepared_deinit(cf_prepared *p)
{
    cf_prompt_deinit(&p->prompt);
    cf_groups_deinit(&p->groups);
    cf_str_deinit(&p->notes);
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
