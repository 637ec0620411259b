/* map_open.c - see map_open.h. */
#include "study/map_open.h"

#include <stdlib.h>

static cf_status prepare_item(cf_prepared *p, cf_picture *picture, const cf_map_opened *m, const cf_list_item *item,
                              cf_error *err)
{
    char *path = NULL;
    cf_status st = cf_picture_path(&path, m->images, item->question->image, err);
    if (st == CF_OK)
        st = cf_prepare_question(p, picture, &m->runtime, item->question, path, err);
    free(path);
    return st;
}

/* The named group whose positions a tokens map takes one by one. */
static cf_status named_group(cf_group *out, const cf_map_options *map, cf_error *err)
{
    cf_group_expr e = {0};
    const cf_status st = cf_group_expr_parse(&e, cf_slice_of(map->to), err);
    if (st == CF_OK)
        *out = e.terms[0].named;
    cf_group_expr_deinit(&e);
    return st;
}

/* Widens the extent to one question. */
static cf_status take_question(cf_map_opened *m, const cf_picture *picture, const cf_prepared *p, cf_error *err)
{
    cf_group to = CF_GROUP_QUESTION;
    cf_map_extent_add(&m->extent, &picture->tiling.grid);
    if (m->map.kind != CF_MAP_TOKENS)
        return CF_OK;
    const cf_status st = named_group(&to, &m->map, err);
    if (st != CF_OK)
        return st;
    const int32_t n = (int32_t)cf_spans_count(&p->groups.of[to]);
    m->extent.n_tokens = n > m->extent.n_tokens ? n : m->extent.n_tokens;
    return CF_OK;
}

/* Whether one question says what all others need: then the rest is not looked at. */
static bool are_alike(const cf_map_opened *m)
{
    return m->map.kind != CF_MAP_TOKENS && m->runtime.preprocess.fit != CF_FIT_ANYRES;
}

/* Finds the extent over the questions that can be used; the first of them stays prepared. */
static cf_status look_at_questions(cf_map_opened *m, cf_error *err)
{
    cf_status st = CF_OK;
    cf_picture picture = {0};
    cf_prepared p = {0};
    bool any = false;
    cf_error fault = {0};
    for (size_t i = 0; i < m->list.n_items && !(any && are_alike(m)); i++) {
        cf_prepared_deinit(&p);
        st = prepare_item(any ? &p : &m->first, any ? &picture : &m->picture, m, &m->list.items[i], &fault);
        if (st == CF_NOMEM)
            break;
        if (st != CF_OK)
            continue;
        CF_TRY(take_question(m, any ? &picture : &m->picture, any ? &p : &m->first, err));
        if (!any)
            m->first_row = m->list.items[i].row;
        any = true;
    }
    if (!any && (st == CF_NOMEM || m->list.n_items == 1)) {
        *err = fault;
        goto done;
    }
    st = any ? CF_OK : cf_fail(err, CF_MISMATCH, "%s: no question has a picture that can be used", m->images);
done:
    cf_prepared_deinit(&p);
    cf_picture_deinit(&picture);
    return st;
}

/* The layers of a tokens map. */
static cf_status check_layers(cf_span *out, const cf_study_options *o, int32_t n_layers, cf_error *err)
{
    *out = (cf_span){o->layer_begin, o->layer_end ? o->layer_end : n_layers};
    if (out->begin < out->end && out->end <= n_layers)
        return CF_OK;
    return cf_fail(err, CF_USAGE, "layers %d:%d: expected a range inside 0:%d", out->begin, out->end, n_layers);
}

static cf_status make_flows(cf_map_opened *m, cf_error *err)
{
    const int32_t n_layers = (int32_t)cf_checkpoint_config(m->runtime.checkpoint)->text.n_layers;
    cf_status st = CF_OK;
    cf_span layers = {0};
    if (m->map.kind != CF_MAP_HEADS) {
        CF_TRY(cf_map_extent_print(&m->grids, &m->extent, err));
        m->map.grids = m->grids.data;
    }
    if (m->map.kind == CF_MAP_TOKENS) {
        CF_TRY(check_layers(&layers, &m->options, n_layers, err));
        if (m->extent.n_tokens == 0)
            return cf_fail(err, CF_MISMATCH, "--to %s: the group has no position in any question", m->map.to);
    }
    CF_TRY(cf_map_flows(&m->flows, &m->map, &m->extent, layers, err));
    m->options.flows = m->flows.data;
done:
    return st;
}

cf_status cf_map_open(cf_map_opened *m, const cf_study_options *o, cf_error *err)
{
    cf_status st = CF_OK;
    m->options = *o;
    m->options.runtime.in_flight = 1; /* a sample has thousands of runs: a walk has enough to do with its own */
    m->map = *o->map;
    CF_TRY(cf_map_canonical(&m->canonical, &m->map, err));
    *(m->map.kind == CF_MAP_HEADS ? &m->map.flow : &m->map.to) = m->canonical.data;
    CF_TRY(o->question_text ? cf_question_list_parse(&m->list, o->question_text, o->questions, o->limit, err)
                            : cf_question_list_open(&m->list, o->questions, o->scene_graphs, o->limit, err));
    CF_TRY(cf_picture_dir(&m->images, o->images, o->questions, err));
    CF_TRY(cf_runtime_open_files(&m->runtime, &o->runtime, err));
    CF_TRY(look_at_questions(m, err));
    CF_TRY(make_flows(m, err));
    m->options.map = &m->map;
done:
    return st;
}

void cf_map_close(cf_map_opened *m)
{
    cf_prepared_deinit(&m->first);
    cf_picture_deinit(&m->picture);
    cf_question_list_close(&m->list);
    cf_runtime_close(&m->runtime);
    free(m->images);
    cf_str_deinit(&m->canonical);
    cf_str_deinit(&m->grids);
    cf_str_deinit(&m->flows);
    *m = (cf_map_opened){0};
}
