/* torch_zip.c - see torch_zip.h. Joins zip.c and pickle.c: NAME/data.pkl has the tensors, NAME/data/KEY the storages,
 * NAME/byteorder (since torch 2.1) the order of their bytes. torch 2.13, caffe2/serialize and torch/serialization.py. */
#include "checkpoint/torch_zip.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "checkpoint/pickle.h"
#include "checkpoint/zip.h"

#define TENSORS "/data.pkl"

/* What torch.save wrote before: a pickle of the number 0x1950a86a20f9469cfc6c, then more pickles. */
static const unsigned char legacy_magic[] = {0x80, 2,    0x8a, 10,   0x6c, 0xfc, 0x9c,
                                             0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};

static cf_status check_form(const unsigned char *bytes, size_t n, const char *path, cf_error *err)
{
    if (n >= sizeof legacy_magic && memcmp(bytes, legacy_magic, sizeof legacy_magic) == 0)
        return cf_fail(err, CF_UNSUPPORTED,
                       "%s: the torch format of before version 1.6 is not read; convert it with "
                       "torch.save(torch.load(path, weights_only=True), path)",
                       path);
    if (n < 4 || memcmp(bytes, "PK\3\4", 4) != 0)
        return cf_fail(err, CF_FORMAT, "%s: expected a zip archive as torch.save writes it, found something else",
                       path);
    return CF_OK;
}

/* *name = the archive's own name, which begins each member's. */
static cf_status find_name(cf_slice *name, const cf_zip *z, const char *path, cf_error *err)
{
    const cf_slice end = cf_slice_of(TENSORS);
    size_t n_found = 0;
    for (size_t i = 0; i < z->n; i++) {
        const cf_slice m = z->members[i].name;
        if (cf_slice_find(m, cf_slice_of("/"), 0) == (int64_t)m.n - (int64_t)end.n && cf_slice_find(m, end, 0) >= 0) {
            *name = (cf_slice){m.data, m.n - end.n};
            n_found++;
        }
    }
    if (n_found != 1)
        return cf_fail(err, CF_FORMAT,
                       "%s: expected one member NAME" TENSORS ", found %zu: not an archive of torch.save", path,
                       n_found);
    return CF_OK;
}

typedef struct torch_archive {
    cf_zip zip;
    cf_slice name;
    const char *path;
} torch_archive;

/* *out = the member NAME<below>, NULL where absent. */
static cf_status find_member(const cf_zip_member **out, const torch_archive *a, const char *below, cf_slice key,
                             cf_error *err)
{
    cf_str full = {0};
    cf_status st = CF_OK;
    CF_TRY(cf_str_add(&full, a->name, err));
    CF_TRY(cf_str_add_text(&full, below, err));
    CF_TRY(cf_str_add(&full, key, err));
    *out = cf_zip_find(&a->zip, cf_str_slice(&full));
done:
    cf_str_deinit(&full);
    return st;
}

static cf_status check_archive(cf_slice *pickle, const torch_archive *a, cf_error *err)
{
    const cf_zip_member *tensors = NULL, *order = NULL;
    cf_status st = CF_OK;
    CF_TRY(find_member(&tensors, a, TENSORS, (cf_slice){0}, err));
    CF_TRY(find_member(&order, a, "/byteorder", (cf_slice){0}, err));
    if (order && !cf_slice_is(order->data, "little"))
        return cf_fail(err, CF_UNSUPPORTED, "%s: byteorder '%.*s' is not supported, only 'little'", a->path,
                       order->data.n < 20 ? (int)order->data.n : 20, order->data.data);
    *pickle = tensors->data;
done:
    return st;
}

static cf_status place(cf_stored_tensor *t, const cf_pickled_tensor *p, const torch_archive *a, cf_error *err)
{
    const cf_zip_member *member = NULL;
    const cf_status st = find_member(&member, a, "/data/", p->storage, err);
    if (st != CF_OK)
        return st;
    if (!member)
        return cf_fail(err, CF_FORMAT, "%s: tensor '%s': no member data/%.*s", a->path, t->name,
                       p->storage.n < 20 ? (int)p->storage.n : 20, p->storage.data);
    int64_t bytes = 0;
    if (__builtin_mul_overflow(p->n_storage, p->dtype->bytes, &bytes) || (uint64_t)bytes != member->data.n)
        return cf_fail(err, CF_FORMAT,
                       "%s: tensor '%s': expected %" PRId64 " elements of %s in member data/%.*s, found %zu bytes",
                       a->path, t->name, p->n_storage, p->dtype->dtype_name, p->storage.n < 20 ? (int)p->storage.n : 20,
                       p->storage.data, member->data.n);
    t->dtype_name = p->dtype->dtype_name;
    t->readable = p->dtype->readable;
    t->dtype = p->dtype->dtype;
    t->rank = p->rank;
    memcpy(t->shape, p->shape, sizeof t->shape);
    t->count = p->count;
    t->data = (const unsigned char *)member->data.data + p->offset * p->dtype->bytes;
    t->n_bytes = (size_t)(p->count * p->dtype->bytes);
    return CF_OK;
}

static cf_status place_all(cf_weight_file *f, const cf_pickled_tensor *pickled, size_t n, const torch_archive *a,
                           cf_error *err)
{
    cf_status st = CF_OK;
    size_t n_names = 0;
    void *names = NULL, *tensors = NULL;
    for (size_t i = 0; i < n; i++)
        n_names += pickled[i].name.n + 1;
    CF_TRY(cf_alloc(&names, n_names, 1, "a torch archive", err));
    f->names = names;
    CF_TRY(cf_alloc(&tensors, n, sizeof *f->tensors, "a torch archive", err));
    f->tensors = tensors;
    char *at = names;
    for (size_t i = 0; i < n; i++) {
        memcpy(at, pickled[i].name.data, pickled[i].name.n); /* cf_alloc has written the NUL behind */
        f->tensors[f->n].name = at;
        at += pickled[i].name.n + 1;
        CF_TRY(place(&f->tensors[f->n++], &pickled[i], a, err));
    }
done:
    return st;
}

cf_status cf_torch_zip_parse(cf_weight_file *out, const unsigned char *bytes, size_t n, const char *path, cf_error *err)
{
    cf_status st = CF_OK;
    cf_weight_file f = {0};
    torch_archive a = {.path = path};
    cf_pickled_tensor *pickled = NULL;
    size_t n_pickled = 0;
    CF_TRY(check_form(bytes, n, path, err));
    CF_TRY(cf_zip_parse(&a.zip, bytes, n, path, err));
    CF_TRY(find_name(&a.name, &a.zip, path, err));
    CF_TRY(check_archive(&f.header, &a, err));
    CF_TRY(cf_strdup(&f.path, cf_slice_of(path), err));
    CF_TRY(cf_pickle_read(&pickled, &n_pickled, f.header, path, err));
    CF_TRY(place_all(&f, pickled, n_pickled, &a, err));
    CF_TRY(cf_weight_file_sort(&f, err));
    f.data = (cf_slice){(const char *)bytes, n};
    *out = f;
    f = (cf_weight_file){0};
done:
    free(pickled);
    cf_zip_deinit(&a.zip);
    cf_weight_file_deinit(&f);
    return st;
}
