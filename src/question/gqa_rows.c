/* gqa_rows.c - question sets in GQA's own format (Hudson and Manning, CVPR 2019): a questions file, an object of
 * questions by id, and a scene graphs file, an object of images by id, whose objects have the boxes.
 *
 * Both files are read member by member, so that their size is no cost in memory beside the rows. */
#include "question/question_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "question/json_fields.h"
#include "question/scene_graph.h"

/* The ids of the objects a question is about, in order, each once. The ids belong to the question's JSON. */
typedef struct named {
    cf_slice ids[CF_MAX_OBJECTS + 1]; /* one more than a question may have, so that too many are seen */
    size_t n;
} named;

static void name_one(named *to, cf_slice id)
{
    for (size_t i = 0; i < to->n; i++)
        if (cf_slice_equal(to->ids[i], id))
            return;
    if (to->n < sizeof to->ids / sizeof to->ids[0])
        to->ids[to->n++] = id;
}

/* ---- annotations: {"4": "1234", "7:9": "1240"}, object ids by the words that name them ---- */

typedef struct word {
    int64_t index; /* of its first word */
    int64_t place; /* in the file */
    const char *id;
} word;

static int by_index(const void *a, const void *b)
{
    const word *x = a, *y = b;
    if (x->index != y->index)
        return x->index < y->index ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

/* The number before the colon of a word index; past all others where it is none. */
static int64_t first_word(const char *index)
{
    const cf_slice s = cf_slice_of(index);
    const int64_t colon = cf_slice_find(s, cf_slice_of(":"), 0);
    int64_t v = 0;
    return cf_parse_i64(&v, (cf_slice){s.data, colon < 0 ? s.n : (size_t)colon}) ? v : INT64_MAX;
}

static cf_status name_by_words(named *to, const cf_json *words, cf_error *err)
{
    void *m = NULL;
    const size_t n = (size_t)cf_json_count(words);
    if (cf_json_kind_of(words) != CF_JSON_OBJECT || n == 0)
        return CF_OK;
    const cf_status st = cf_alloc(&m, n, sizeof(word), "the words of a question", err);
    if (st != CF_OK)
        return st;
    word *const list = m;
    size_t used = 0;
    int64_t place = 0;
    for (const cf_json *w = cf_json_first(words); w; w = cf_json_next(w), place++)
        if (cf_json_string(w))
            list[used++] = (word){first_word(cf_json_name(w)), place, cf_json_string(w)};
    qsort(list, used, sizeof *list, by_index);
    for (size_t i = 0; i < used; i++)
        if (list[i].id[0] && strcmp(list[i].id, "-") != 0)
            name_one(to, cf_slice_of(list[i].id));
    free(m);
    return CF_OK;
}

/* ---- semantic operations: "argument": "apple (1234)" ---- */

/* The digits in the parentheses that end an argument; empty where it ends otherwise: "(-)" is an object that is not in
 * the picture. */
static cf_slice id_of_argument(const char *argument)
{
    const cf_slice none = {NULL, 0};
    const cf_slice s = cf_slice_trim(cf_slice_of(argument));
    if (s.n == 0 || s.data[s.n - 1] != ')')
        return none;
    size_t begin = s.n - 1;
    while (begin > 0 && isdigit((unsigned char)s.data[begin - 1]))
        begin--;
    if (begin == 0 || s.data[begin - 1] != '(')
        return none;
    return (cf_slice){s.data + begin, s.n - 1 - begin};
}

static void name_by_operations(named *to, const cf_json *operations)
{
    if (cf_json_kind_of(operations) != CF_JSON_ARRAY)
        return;
    for (const cf_json *o = cf_json_first(operations); o; o = cf_json_next(o)) {
        const cf_slice id = id_of_argument(cf_json_string(cf_json_get(o, "argument")));
        if (id.n)
            name_one(to, id);
    }
}

/* ---- one question ---- */

static cf_status add_object(cf_question_set *s, cf_draft *d, const cf_scene_image *image, cf_slice id, cf_error *err)
{
    const cf_scene_object *found = cf_scene_object_find(image, id);
    cf_status st = CF_OK;
    if (!found)
        return cf_fault(&d->fault, "annotations", "an object of the picture's scene graph", id, err);
    if (found->fault.n)
        return d->fault.n ? CF_OK : cf_str_add(&d->fault, found->fault, err);
    cf_object o = found->object;
    CF_TRY(cf_arena_text(&o.name, &s->arena, found->object.name, err));
    CF_TRY(cf_draft_add_object(d, &o, "annotations", err));
done:
    return st;
}

static cf_status add_objects(cf_question_set *s, cf_draft *d, const cf_scene_graphs *g, const cf_json *question,
                             cf_error *err)
{
    cf_status st = CF_OK;
    named objects = {.n = 0};
    const cf_scene_image *image = cf_scene_image_find(g, d->question.image);
    CF_TRY(name_by_words(&objects, cf_json_get(cf_json_get(question, "annotations"), "question"), err));
    if (objects.n == 0)
        name_by_operations(&objects, cf_json_get(question, "semantic"));
    if (image) {
        d->question.image_w = image->width;
        d->question.image_h = image->height;
    } else if (objects.n)
        return cf_fault(&d->fault, "imageId", "an image of the scene graphs", d->question.image, err);
    for (size_t i = 0; i < objects.n; i++)
        CF_TRY(add_object(s, d, image, objects.ids[i], err));
done:
    return st;
}

static cf_status read_question(cf_question_set *s, cf_draft *d, const cf_scene_graphs *g, const cf_members *m,
                               cf_error *err)
{
    cf_question *q = &d->question;
    cf_status st = CF_OK;
    cf_str where = {0};
    CF_TRY(cf_str_addf(&where, err, "%s, question %s", s->path, m->name));
    if (cf_json_kind_of(m->value) != CF_JSON_OBJECT) {
        st = cf_fail(err, CF_FORMAT, "%s: expected an object, found %s", where.data, cf_json_kind_name(m->value));
        goto done;
    }
    cf_draft_begin(d);
    CF_TRY(cf_arena_text(&q->id, &s->arena, cf_slice_of(m->name), err));
    CF_TRY(cf_field_value(&q->image, s, d, m->value, "imageId", where.data, err));
    CF_TRY(cf_field_value(&q->text, s, d, m->value, "question", where.data, err));
    CF_TRY(cf_field_value(&q->answer, s, d, m->value, "answer", where.data, err));
    if (q->id.n == 0)
        CF_TRY(cf_fault(&d->fault, "question id", "a value", q->id, err));
    if (g)
        CF_TRY(add_objects(s, d, g, m->value, err));
    CF_TRY(cf_draft_end(s, d, err));
done:
    cf_str_deinit(&where);
    return st;
}

static cf_status read_questions(cf_question_set *s, cf_slice text, const cf_scene_graphs *g, cf_error *err)
{
    cf_status st = CF_OK;
    cf_members m;
    cf_draft d = {0};
    bool more = false;
    cf_members_init(&m, text, s->path);
    for (;;) {
        CF_TRY(cf_members_next(&more, &m, err));
        if (!more)
            break;
        CF_TRY(read_question(s, &d, g, &m, err));
    }
    if (s->n == 0)
        st = cf_fail(err, CF_FORMAT, "%s: expected a question set, found no question", s->path);
done:
    cf_draft_deinit(&d);
    cf_members_deinit(&m);
    return st;
}

cf_status cf_read_gqa(cf_question_set *s, cf_slice text, cf_slice scene_text, const char *scene_path, cf_error *err)
{
    cf_status st = CF_OK;
    cf_scene_graphs g = {0};
    if (scene_path)
        CF_TRY(cf_scene_graphs_parse(&g, scene_text, scene_path, err));
    else
        CF_TRY(cf_str_addf(&s->note, err,
                           "%s: no scene graphs, so its questions have no boxes and the object groups are empty",
                           s->path));
    CF_TRY(read_questions(s, text, scene_path ? &g : NULL, err));
done:
    cf_scene_graphs_deinit(&g);
    return st;
}
