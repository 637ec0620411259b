/* scene_graph.h - the objects of GQA's scene graphs: for each image its size, and each object's name and box.
 * Attributes and relations are not kept. Memory: about 100 bytes an object and 50 an image, and the texts of their ids
 * and names. */
#ifndef CF_QUESTION_SCENE_GRAPH_H
#define CF_QUESTION_SCENE_GRAPH_H

#include "question/arena.h"
#include "question/question.h"

typedef struct cf_scene_object {
    cf_slice id;
    cf_object object;
    cf_slice fault; /* why its box cannot be used; empty for a good one */
} cf_scene_object;

typedef struct cf_scene_image {
    cf_slice id;
    int64_t width, height;    /* 0 where the file does not say */
    cf_scene_object *objects; /* by id */
    size_t n_objects;
} cf_scene_image;

typedef struct cf_scene_graphs { /* zero-initialise */
    cf_scene_image *images;      /* by id */
    size_t n_images;
    cf_arena arena;
} cf_scene_graphs;

CF_MUST_USE cf_status cf_scene_graphs_parse(cf_scene_graphs *out, cf_slice text, const char *path, cf_error *err);
void cf_scene_graphs_deinit(cf_scene_graphs *g);
/* NULL where there is none. */
const cf_scene_image *cf_scene_image_find(const cf_scene_graphs *g, cf_slice id);
const cf_scene_object *cf_scene_object_find(const cf_scene_image *image, cf_slice id);

#endif
