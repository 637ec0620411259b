/* tokens.c - see tokens.h. */
#include "study/tokens.h"

#include <stdlib.h>

#include "study/prepare.h"

/* The stored form with control characters and quotes spelled out, so that a newline token stays on its line. */
static cf_status add_token(cf_str *out, cf_slice token, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = 0; i < token.n; i++) {
        const unsigned char c = (unsigned char)token.data[i];
        if (c < 0x20 || c == 0x7f)
            CF_TRY(cf_str_addf(out, err, "\\x%02x", c));
        else
            CF_TRY(cf_str_add(out, (cf_slice){token.data + i, 1}, err));
    }
done:
    return st;
}

static cf_status add_groups(cf_str *out, const cf_groups *g, int32_t position, cf_error *err)
{
    cf_status st = CF_OK;
    bool first = true;
    for (int i = 0; i < CF_N_GROUPS; i++)
        if (i != CF_GROUP_ALL && i != CF_GROUP_TEMPLATE && cf_spans_contain(&g->of[i], position)) {
            CF_TRY(cf_str_addf(out, err, "%s%s", first ? "  " : ", ", cf_group_name((cf_group)i)));
            first = false;
        }
done:
    return st;
}

static cf_status add_text_positions(cf_str *out, const cf_runtime *r, const cf_prepared *p, size_t begin, size_t end,
                                    int32_t shift, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = begin; i < end; i++) {
        const int32_t position = (int32_t)i + shift, id = p->prompt.ids.items[i];
        CF_TRY(cf_str_addf(out, err, "%8d %7d  ", position, id));
        CF_TRY(add_token(out, cf_tokenizer_token(r->tokenizer, id), err));
        CF_TRY(add_groups(out, &p->groups, position, err));
        CF_TRY(cf_str_add_text(out, "\n", err));
    }
done:
    return st;
}

/* One row of patches; *at counts the picture's positions. */
static cf_status add_row(cf_str *out, const cf_prepared *p, int32_t *at, int32_t n, bool newline, const char *what,
                         cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_addf(out, err, "%8d          ", p->image.begin + *at));
    for (int32_t x = 0; x < n; x++)
        CF_TRY(cf_str_add_text(out, p->hit && p->hit[*at + x] ? " #" : " .", err));
    CF_TRY(cf_str_addf(out, err, "%s%s\n", newline ? " |" : "", what));
    *at += n + newline;
done:
    return st;
}

static cf_status add_grid(cf_str *out, const cf_prepared *p, const cf_tile_grid *g, cf_hd_order order, cf_error *err)
{
    cf_status st = CF_OK;
    int32_t at = 0;
    for (int32_t y = 0; y < g->patch_rows; y++)
        CF_TRY(add_row(out, p, &at, g->patch_cols, false,
                       y ? "" : "  Image: a row of patches a line, # touched by a box", err));
    for (int32_t y = 0; order != CF_HD_FLAT && y < g->n_rows; y++)
        CF_TRY(add_row(out, p, &at, g->n_cols, g->newline, y ? "" : "  Image: high resolution, | a newline", err));
    for (int32_t n = g->patch_cols; at < g->n_positions;) /* tile after tile */
        CF_TRY(add_row(out, p, &at, n, false, "", err));
done:
    return st;
}

static cf_status add_spans(cf_str *out, const char *name, const cf_spans *spans, cf_error *err)
{
    cf_status st = cf_str_addf(out, err, "%-42s %9lld ", name, (long long)cf_spans_count(spans));
    for (size_t i = 0; st == CF_OK && i < spans->n; i++)
        st = cf_str_addf(out, err, " [%d,%d)", spans->items[i].begin, spans->items[i].end);
    return st == CF_OK ? cf_str_add_text(out, "\n", err) : st;
}

/* A group as the user wrote it, by its canonical form. */
static cf_status add_expr(cf_str *out, const cf_group_expr *e, const cf_scene *scene, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str name = {0};
    cf_spans spans = {0};
    CF_TRY(cf_group_expr_print(&name, e, err));
    CF_TRY(cf_group_positions(&spans, e, scene, CF_SIDE_KEY, 0, err));
    CF_TRY(add_spans(out, name.data, &spans, err));
done:
    cf_spans_deinit(&spans);
    cf_str_deinit(&name);
    return st;
}

static cf_status add_summary(cf_str *out, const cf_scene *scene, cf_slice list, cf_error *err)
{
    cf_group_expr *groups = NULL;
    size_t n_groups = 0;
    cf_status st = CF_OK;
    if (list.n)
        CF_TRY(cf_group_list_parse(&groups, &n_groups, list, err));
    CF_TRY(cf_str_add_text(out, "\ngroup                                      positions\n", err));
    for (int i = 0; i < CF_N_GROUPS; i++)
        CF_TRY(add_spans(out, cf_group_name((cf_group)i), &scene->groups->of[i], err));
    for (size_t i = 0; i < n_groups; i++)
        CF_TRY(add_expr(out, &groups[i], scene, err));
done:
    cf_group_list_free(groups, n_groups);
    return st;
}

cf_status cf_tokens_text(cf_str *out, const cf_runtime *r, const char *image, const cf_question *question,
                         cf_slice groups, cf_error *err)
{
    cf_status st = CF_OK;
    cf_picture picture = {0};
    cf_prepared p = {0};
    CF_TRY(cf_picture_load(&picture, r, image, err));
    CF_TRY(cf_prepare(&p, r, &picture, question, err));
    CF_TRY(cf_str_add_text(out, "position      id  token  groups\n", err));
    const size_t at = (size_t)p.prompt.image_index;
    const cf_scene scene = cf_prepared_scene(&p, r, &picture);
    CF_TRY(add_text_positions(out, r, &p, 0, at, 0, err));
    CF_TRY(add_grid(out, &p, &picture.tiling.grid, r->packing.order, err));
    CF_TRY(add_text_positions(out, r, &p, at + 1, p.prompt.ids.n, p.image.end - p.image.begin - 1, err));
    CF_TRY(add_summary(out, &scene, groups, err));
    if (p.notes.n)
        CF_TRY(cf_str_addf(out, err, "\n%s", p.notes.data));
done:
    cf_prepared_deinit(&p);
    cf_picture_deinit(&picture);
    return st;
}
