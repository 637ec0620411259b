/* scene_graph.c - see scene_graph.h. Images and the objects of each are sorted once and found by bisection. */
#include "question/scene_graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "question/json_fields.h"

/* Of two records that begin with their id. */
static int by_id(const void *a, const void *b)
{
    const cf_slice *x = a, *y = b;
    const size_t n = x->n < y->n ? x->n : y->n;
    const int order = n ? memcmp(x->data, y->data, n) : 0;
    return order ? order : (x->n > y->n) - (x->n < y->n);
}

const cf_scene_image *cf_scene_image_find(const cf_scene_graphs *g, cf_slice id)
{
    return g->n_images ? bsearch(&id, g->images, g->n_images, sizeof *g->images, by_id) : NULL;
}

const cf_scene_object *cf_scene_object_find(const cf_scene_image *image, cf_slice id)
{
    return image->n_objects ? bsearch(&id, image->objects, image->n_objects, sizeof *image->objects, by_id) : NULL;
}

static cf_status read_object(cf_scene_object *o, cf_arena *a, const cf_json *node, const char *where, cf_error *err)
{
    const cf_json *const xywh[4] = {cf_json_get(node, "x"), cf_json_get(node, "y"), cf_json_get(node, "w"),
                                    cf_json_get(node, "h")};
    cf_status st = CF_OK;
    cf_str field = {0}, fault = {0};
    *o = (cf_scene_object){0};
    CF_TRY(cf_arena_text(&o->id, a, cf_slice_of(cf_json_name(node)), err));
    CF_TRY(cf_field_text(&o->object.name, a, node, "name", false, where, err));
    CF_TRY(cf_str_addf(&field, err, "object %s", cf_json_name(node)));
    CF_TRY(cf_field_box(&o->object, &fault, xywh, field.data, err));
    CF_TRY(cf_arena_text(&o->fault, a, cf_str_slice(&fault), err));
done:
    cf_str_deinit(&fault);
    cf_str_deinit(&field);
    return st;
}

static cf_status read_objects(cf_scene_image *image, cf_arena *a, const cf_json *objects, const char *where,
                              cf_error *err)
{
    cf_status st = CF_OK;
    void *m = NULL;
    size_t bytes = 0;
    if (cf_json_kind_of(objects) != CF_JSON_OBJECT)
        return cf_fail(err, CF_FORMAT, "%s: the field \"objects\": expected an object, found %s", where,
                       cf_json_kind_name(objects));
    CF_TRY(cf_mul_size(&bytes, (size_t)cf_json_count(objects), sizeof *image->objects, err));
    CF_TRY(cf_arena_take(&m, a, bytes, err));
    image->objects = m;
    for (const cf_json *o = cf_json_first(objects); o; o = cf_json_next(o))
        CF_TRY(read_object(&image->objects[image->n_objects++], a, o, where, err));
    if (image->n_objects)
        qsort(image->objects, image->n_objects, sizeof *image->objects, by_id);
    for (size_t i = 1; i < image->n_objects; i++)
        if (cf_slice_equal(image->objects[i - 1].id, image->objects[i].id)) {
            st = cf_fail(err, CF_FORMAT, "%s: the object %.*s occurs twice", where, (int)image->objects[i].id.n,
                         image->objects[i].id.data);
            goto done;
        }
done:
    return st;
}

/* A size that is stated is right, or the file is not what it seems. */
static cf_status read_size(int64_t *out, const cf_json *graph, const char *name, const char *where, cf_error *err)
{
    const cf_json *node = cf_json_get(graph, name);
    cf_str fault = {0};
    if (!node || cf_json_kind_of(node) == CF_JSON_NULL)
        return CF_OK;
    cf_status st = cf_field_pixels(out, &fault, node, name, 1, err);
    if (st == CF_OK && fault.n)
        st = cf_fail(err, CF_FORMAT, "%s: %s", where, fault.data);
    cf_str_deinit(&fault);
    return st;
}

static cf_status read_image(cf_scene_image *image, cf_arena *a, const cf_members *m, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str where = {0};
    *image = (cf_scene_image){0};
    CF_TRY(cf_str_addf(&where, err, "%s, image %s", m->where, m->name));
    if (cf_json_kind_of(m->value) != CF_JSON_OBJECT) {
        st = cf_fail(err, CF_FORMAT, "%s: expected an object, found %s", where.data, cf_json_kind_name(m->value));
        goto done;
    }
    CF_TRY(cf_arena_text(&image->id, a, cf_slice_of(m->name), err));
    CF_TRY(read_size(&image->width, m->value, "width", where.data, err));
    CF_TRY(read_size(&image->height, m->value, "height", where.data, err));
    CF_TRY(read_objects(image, a, cf_json_get(m->value, "objects"), where.data, err));
done:
    cf_str_deinit(&where);
    return st;
}

cf_status cf_scene_graphs_parse(cf_scene_graphs *out, cf_slice text, const char *path, cf_error *err)
{
    cf_status st = CF_OK;
    cf_scene_graphs g = {0};
    cf_members m;
    size_t cap = 0;
    bool more = false;
    cf_members_init(&m, text, path);
    for (;;) {
        CF_TRY(cf_members_next(&more, &m, err));
        if (!more)
            break;
        void *images = g.images;
        CF_TRY(cf_grow(&images, &cap, g.n_images + 1, sizeof *g.images, "scene graphs", err));
        g.images = images;
        CF_TRY(read_image(&g.images[g.n_images], &g.arena, &m, err));
        g.n_images++;
    }
    if (g.n_images)
        qsort(g.images, g.n_images, sizeof *g.images, by_id);
    for (size_t i = 1; i < g.n_images; i++)
        if (cf_slice_equal(g.images[i - 1].id, g.images[i].id)) {
            st = cf_fail(err, CF_FORMAT, "%s: the image %.*s occurs twice", path, (int)g.images[i].id.n,
                         g.images[i].id.data);
            goto done;
        }
    *out = g;
    g = (cf_scene_graphs){0};
done:
    cf_members_deinit(&m);
    cf_scene_graphs_deinit(&g);
    return st;
}

void cf_scene_graphs_deinit(cf_scene_graphs *g)
{
    free(g->images);
    cf_arena_deinit(&g->arena);
    *g = (cf_scene_graphs){0};
}
