/* map_values.c - see map_values.h. */
#include "map_values.h"

#include <stdlib.h>
#include <string.h>

static char *copy_of(const char *text)
{
    char *copy = strdup(text);
    assert_non_null(copy);
    return copy;
}

static cf_status add_value(void *user, const cf_sample *sample, const cf_store_run *run, const cf_value *value,
                           cf_error *err)
{
    map_values *v = user;
    (void)err;
    if (v->n == v->cap) {
        v->cap = v->cap ? 2 * v->cap : 256;
        v->items = realloc(v->items, v->cap * sizeof *v->items);
        assert_non_null(v->items);
    }
    v->items[v->n++] = (map_value){copy_of(sample->task), copy_of(run->spec), sample->row, run->centre,
                                   value->measure,        value->value,       value->flag};
    return CF_OK;
}

map_values map_values_of(const char *study)
{
    cf_store *s = NULL;
    map_values v = {0};
    assert_ok(cf_store_open(&s, study, report));
    assert_ok(cf_store_each_value(s, add_value, &v, report));
    cf_store_close(s);
    return v;
}

void map_values_drop(map_values *v)
{
    for (size_t i = 0; i < v->n; i++) {
        free(v->items[i].task);
        free(v->items[i].flow);
    }
    free(v->items);
    *v = (map_values){0};
}

const map_value *map_values_find(const map_values *v, const char *task, int64_t row, const char *flow, int32_t layer,
                                 cf_measure measure)
{
    for (size_t i = 0; i < v->n; i++) {
        const map_value *x = &v->items[i];
        if (x->row == row && x->layer == layer && x->measure == measure && strcmp(x->flow, flow) == 0 &&
            strcmp(x->task, task) == 0)
            return x;
    }
    return NULL;
}
