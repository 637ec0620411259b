/* jsonl_rows.c - question sets as JSON Lines: one object a line, its fields as docs/questions.md lists them. */
#include "question/question_internal.h"

#include <inttypes.h>
#include <strings.h>

#include "question/json_fields.h"

/* One box: [x, y, w, h], or an object with x, y, w, h and perhaps a name; a name alone is an object that has no box. */
static cf_status read_object(cf_object *o, cf_question_set *s, cf_draft *d, const cf_json *node, const char *field,
                             const char *where, cf_error *err)
{
    static const char *const names[] = {"x", "y", "w", "h"};
    const cf_json *xywh[4] = {0};
    const bool is_list = cf_json_kind_of(node) == CF_JSON_ARRAY && cf_json_count(node) == 4;
    int n = 0;
    *o = (cf_object){0};
    if (!is_list && cf_json_kind_of(node) != CF_JSON_OBJECT) {
        cf_str found = {0};
        cf_status st = cf_json_describe(&found, node, err);
        if (st == CF_OK)
            st = cf_fault(&d->fault, field, "[x, y, w, h] or an object", cf_str_slice(&found), err);
        cf_str_deinit(&found);
        return st;
    }
    const cf_json *item = cf_json_first(node);
    for (int i = 0; i < 4; i++) {
        xywh[i] = is_list ? item : cf_json_get(node, names[i]);
        item = cf_json_next(item);
        n += xywh[i] != NULL;
    }
    cf_status st = is_list ? CF_OK : cf_field_text(&o->name, &s->arena, node, "name", false, where, err);
    if (st != CF_OK || (n == 0 && o->name.n))
        return st;
    return cf_field_box(o, &d->fault, xywh, field, err);
}

static cf_status read_boxes(cf_question_set *s, cf_draft *d, const cf_json *line, const char *where, cf_error *err)
{
    const cf_json *boxes = cf_json_get(line, "boxes");
    const cf_json_kind kind = cf_json_kind_of(boxes);
    cf_status st = CF_OK;
    cf_str field = {0};
    int i = 0;
    if (kind == CF_JSON_ABSENT || kind == CF_JSON_NULL)
        return CF_OK;
    if (kind != CF_JSON_ARRAY)
        return cf_fault(&d->fault, "boxes", "a list", cf_slice_of(cf_json_kind_name(boxes)), err);
    for (const cf_json *b = cf_json_first(boxes); b; b = cf_json_next(b)) {
        cf_object o;
        cf_str_clear(&field);
        CF_TRY(cf_str_addf(&field, err, "boxes[%d]", i++));
        CF_TRY(read_object(&o, s, d, b, field.data, where, err));
        CF_TRY(cf_draft_add_object(d, &o, "boxes", err));
    }
done:
    cf_str_deinit(&field);
    return st;
}

static bool same_answer(const char *option, cf_slice answer)
{
    const cf_slice a = cf_slice_trim(cf_slice_of(option)), b = cf_slice_trim(answer);
    return a.n == b.n && (a.n == 0 || strncasecmp(a.data, b.data, a.n) == 0);
}

/* "options": two texts, of which the one that is the answer is the true one. */
static cf_status read_options(cf_question_set *s, cf_draft *d, const cf_json *line, const char *where, cf_error *err)
{
    cf_question *q = &d->question;
    cf_status st = CF_OK;
    CF_TRY(cf_field_text(&q->true_option, &s->arena, line, "true_option", false, where, err));
    CF_TRY(cf_field_text(&q->false_option, &s->arena, line, "false_option", false, where, err));
    const cf_json *options = cf_json_get(line, "options");
    if (cf_json_kind_of(options) == CF_JSON_ABSENT || cf_json_kind_of(options) == CF_JSON_NULL)
        return CF_OK;
    const char *first = cf_json_string(cf_json_first(options));
    const char *second = cf_json_string(cf_json_next(cf_json_first(options)));
    if (cf_json_kind_of(options) != CF_JSON_ARRAY || cf_json_count(options) != 2 || !first || !second)
        return cf_fault(&d->fault, "options", "a list of two strings", cf_slice_of(cf_json_kind_name(options)), err);
    if (q->true_option.n || q->false_option.n)
        return cf_fault(&d->fault, "options", "no true_option or false_option beside it", cf_slice_of("both"), err);
    const bool first_is_true = same_answer(first, q->answer);
    if (first_is_true == same_answer(second, q->answer))
        return cf_fault(&d->fault, "options", "the answer as one of the two", q->answer, err);
    CF_TRY(cf_arena_text(&q->true_option, &s->arena, cf_slice_of(first_is_true ? first : second), err));
    CF_TRY(cf_arena_text(&q->false_option, &s->arena, cf_slice_of(first_is_true ? second : first), err));
done:
    return st;
}

static cf_status read_size(int64_t *out, cf_draft *d, const cf_json *line, const char *name, cf_error *err)
{
    const cf_json *node = cf_json_get(line, name);
    if (!node || cf_json_kind_of(node) == CF_JSON_NULL)
        return CF_OK;
    return cf_field_pixels(out, &d->fault, node, name, 1, err);
}

/* The line's number, where it has no id of its own. */
static cf_status read_id(cf_question_set *s, cf_draft *d, const cf_json *line, int64_t number, const char *where,
                         cf_error *err)
{
    cf_status st = CF_OK;
    cf_str digits = {0};
    CF_TRY(cf_field_text(&d->question.id, &s->arena, line, "id", false, where, err));
    if (d->question.id.n == 0) {
        CF_TRY(cf_str_addf(&digits, err, "%" PRId64, number));
        CF_TRY(cf_arena_text(&d->question.id, &s->arena, cf_str_slice(&digits), err));
    }
done:
    cf_str_deinit(&digits);
    return st;
}

static cf_status read_line(cf_question_set *s, cf_draft *d, const cf_json *line, int64_t number, const char *where,
                           cf_error *err)
{
    cf_question *q = &d->question;
    cf_status st = CF_OK;
    if (cf_json_kind_of(line) != CF_JSON_OBJECT)
        return cf_fail(err, CF_FORMAT, "%s: expected an object, found %s", where, cf_json_kind_name(line));
    cf_draft_begin(d);
    CF_TRY(read_id(s, d, line, number, where, err));
    CF_TRY(cf_field_value(&q->image, s, d, line, "image", where, err));
    CF_TRY(cf_field_value(&q->text, s, d, line, "question", where, err));
    CF_TRY(cf_field_value(&q->answer, s, d, line, "answer", where, err));
    CF_TRY(read_options(s, d, line, where, err));
    CF_TRY(read_boxes(s, d, line, where, err));
    CF_TRY(read_size(&q->image_w, d, line, "image_w", err));
    CF_TRY(read_size(&q->image_h, d, line, "image_h", err));
    CF_TRY(cf_draft_end(s, d, err));
done:
    return st;
}

/* The bytes up to the next line feed, which is passed. */
static cf_slice take_line(cf_slice *rest)
{
    const int64_t end = cf_slice_find(*rest, cf_slice_of("\n"), 0);
    const cf_slice line = {rest->data, end < 0 ? rest->n : (size_t)end};
    const size_t passed = end < 0 ? rest->n : (size_t)end + 1;
    *rest = (cf_slice){rest->data + passed, rest->n - passed};
    return cf_slice_trim(line);
}

cf_status cf_read_jsonl(cf_question_set *s, cf_slice text, cf_error *err)
{
    cf_status st = CF_OK;
    cf_draft d = {0};
    cf_str where = {0};
    cf_json *json = NULL;
    int64_t number = 0;
    while (text.n) {
        const cf_slice line = take_line(&text);
        number++;
        if (line.n == 0)
            continue;
        cf_str_clear(&where);
        CF_TRY(cf_str_addf(&where, err, "%s, line %" PRId64, s->path, number));
        CF_TRY(cf_json_parse(&json, line, where.data, err));
        CF_TRY(read_line(s, &d, json, number, where.data, err));
        cf_json_free(json);
        json = NULL;
    }
    if (s->n == 0)
        st = cf_fail(err, CF_FORMAT, "%s: expected a question set, found an empty file", s->path);
done:
    cf_json_free(json);
    cf_str_deinit(&where);
    cf_draft_deinit(&d);
    return st;
}
