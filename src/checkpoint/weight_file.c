/* weight_file.c - see weight_file.h. */
#include "checkpoint/weight_file.h"

#include <stdlib.h>
#include <string.h>

cf_status cf_weight_file_open(cf_weight_file *out, const char *path, cf_weight_parse *parse, cf_error *err)
{
    cf_mapping map = {0};
    cf_status st = CF_OK;
    CF_TRY(cf_file_map(&map, path, err));
    CF_TRY(parse(out, map.data, map.n, path, err));
    out->map = map;
    map = (cf_mapping){0};
done:
    cf_file_unmap(&map);
    return st;
}

void cf_weight_file_deinit(cf_weight_file *f)
{
    free(f->tensors);
    free(f->names);
    cf_file_unmap(&f->map);
    free(f->path);
    *f = (cf_weight_file){0};
}

static int by_name(const void *a, const void *b)
{
    const cf_stored_tensor *x = a, *y = b;
    return strcmp(x->name, y->name);
}

const cf_stored_tensor *cf_weight_file_find(const cf_weight_file *f, const char *name)
{
    const cf_stored_tensor key = {.name = name};
    return f->n ? bsearch(&key, f->tensors, f->n, sizeof key, by_name) : NULL;
}

cf_status cf_weight_file_sort(cf_weight_file *f, cf_error *err)
{
    if (f->n)
        qsort(f->tensors, f->n, sizeof *f->tensors, by_name);
    for (size_t i = 1; i < f->n; i++)
        if (strcmp(f->tensors[i - 1].name, f->tensors[i].name) == 0)
            return cf_fail(err, CF_FORMAT, "%s: two tensors are named '%s'", f->path, f->tensors[i].name);
    return CF_OK;
}
