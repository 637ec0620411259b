/* page_pictures.c - see page_pictures.h. */
#include "report/page_pictures.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "image/image.h"
#include "image/preprocess.h"
#include "report/page_blob.h"
#include "report/page_json.h"

enum { QUALITY = 85 };

void cf_page_pictures_deinit(cf_page_pictures *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->items[i].path);
    free(p->items);
    cf_str_deinit(&p->json);
    cf_str_deinit(&p->problem);
    *p = (cf_page_pictures){0};
}

/* Never larger than it is, never without a pixel. */
static int32_t scaled(int32_t side, int32_t longer)
{
    const int64_t length = longer <= CF_PAGE_PICTURE_SIDE ? side : (int64_t)side * CF_PAGE_PICTURE_SIDE / longer;
    return length ? (int32_t)length : 1;
}

static cf_status add_picture(cf_page_pictures *p, const char *path, const char *name, cf_error *err)
{
    cf_status st = CF_OK;
    cf_image whole = {0}, small = {0};
    cf_str jpeg = {0}, uri = {0};
    CF_TRY(cf_image_open(&whole, path, err));
    const int32_t longer = whole.width > whole.height ? whole.width : whole.height;
    CF_TRY(cf_image_resize(&small, &whole, scaled(whole.width, longer), scaled(whole.height, longer), err));
    CF_TRY(cf_image_write_jpeg(&jpeg, &small, QUALITY, err));
    CF_TRY(cf_str_add_text(&uri, "data:image/jpeg;base64,", err));
    CF_TRY(cf_base64_add(&uri, (const unsigned char *)jpeg.data, jpeg.n, err));
    CF_TRY(cf_str_add_text(&p->json, p->json.n ? ",{" : "{", err));
    CF_TRY(cf_page_text(&p->json, "name", name, err));
    CF_TRY(cf_page_integer(&p->json, "width", whole.width, err));
    CF_TRY(cf_page_integer(&p->json, "height", whole.height, err));
    CF_TRY(cf_page_text(&p->json, "uri", uri.data, err));
    CF_TRY(cf_str_add_text(&p->json, "}", err));
done:
    cf_str_deinit(&uri);
    cf_str_deinit(&jpeg);
    cf_image_deinit(&small);
    cf_image_deinit(&whole);
    return st;
}

/* *index of a new picture; -1 where it cannot be read. */
static cf_status read_picture(cf_page_pictures *p, int64_t *index, const char *path, const char *name, cf_error *err)
{
    cf_error fault = {0};
    cf_status st = add_picture(p, path, name, &fault);
    *index = -1;
    if (st == CF_NOMEM)
        return cf_fail(err, CF_NOMEM, "%s", fault.text);
    if (st == CF_OK) {
        *index = p->n_read++;
        return CF_OK;
    }
    return p->n_missing++ == 0 ? cf_str_add_text(&p->problem, fault.text, err) : CF_OK;
}

/* Where it is, or belongs. */
static size_t place_of(const cf_page_pictures *p, const char *path)
{
    size_t low = 0, high = p->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(p->items[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

cf_status cf_page_pictures_find(cf_page_pictures *p, int64_t *index, const char *dir, const char *name, cf_error *err)
{
    const char *slash = strrchr(name, '/'), *last = slash ? slash + 1 : name;
    cf_status st = CF_OK;
    char *path = NULL;
    void *items = p->items;
    CF_TRY(cf_path_join(&path, dir, last, err));
    const size_t at = place_of(p, path);
    if (at < p->n && strcmp(p->items[at].path, path) == 0) {
        *index = p->items[at].index;
        goto done;
    }
    CF_TRY(cf_grow(&items, &p->cap, p->n + 1, sizeof *p->items, "pictures of the page", err));
    p->items = items;
    CF_TRY(read_picture(p, index, path, last, err));
    memmove(&p->items[at + 1], &p->items[at], (p->n - at) * sizeof *p->items);
    p->items[at] = (cf_page_picture){path, *index};
    p->n++;
    path = NULL;
done:
    free(path);
    return st;
}
