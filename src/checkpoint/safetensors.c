/* safetensors.c - see safetensors.h. Owns the format's rules; knows nothing of models or of what the names mean. */
#include "checkpoint/safetensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

enum {
    LENGTH_BYTES = 8,
    MAX_HEADER_BYTES = 100000000 /* safetensors 0.8, MAX_HEADER_SIZE */
};

/* safetensors 0.8, enum Dtype. Sizes of the unreadable ones are needed to check the file as a whole. */
static const struct stored_dtype {
    const char *name;
    uint64_t bits;
    bool readable;
    cf_dtype dtype;
} dtypes[] = {
    {"F32", 32, true, CF_F32},         {"F16", 16, true, CF_F16},     {"BF16", 16, true, CF_BF16},
    {"BOOL", 8, false, CF_F32},        {"F4", 4, false, CF_F32},      {"F6_E2M3", 6, false, CF_F32},
    {"F6_E3M2", 6, false, CF_F32},     {"U8", 8, false, CF_F32},      {"I8", 8, false, CF_F32},
    {"F8_E5M2", 8, false, CF_F32},     {"F8_E4M3", 8, false, CF_F32}, {"F8_E5M2FNUZ", 8, false, CF_F32},
    {"F8_E4M3FNUZ", 8, false, CF_F32}, {"F8_E8M0", 8, false, CF_F32}, {"I16", 16, false, CF_F32},
    {"U16", 16, false, CF_F32},        {"I32", 32, false, CF_F32},    {"U32", 32, false, CF_F32},
    {"F64", 64, false, CF_F32},        {"I64", 64, false, CF_F32},    {"U64", 64, false, CF_F32},
    {"C64", 64, false, CF_F32},
};

static const struct stored_dtype *dtype_by_name(const char *name)
{
    for (size_t i = 0; name && i < sizeof dtypes / sizeof *dtypes; i++)
        if (strcmp(dtypes[i].name, name) == 0)
            return &dtypes[i];
    return NULL;
}

static cf_status read_dtype(cf_stored_tensor *t, uint64_t *bits, const cf_json *info, const char *path, cf_error *err)
{
    const char *name = cf_json_string(cf_json_get(info, "dtype"));
    if (!name)
        return cf_fail(err, CF_FORMAT, "%s: tensor '%s': expected a dtype, found none", path, t->name);
    const struct stored_dtype *d = dtype_by_name(name);
    if (!d)
        return cf_fail(err, CF_FORMAT, "%s: tensor '%s': unknown dtype '%s'", path, t->name, name);
    t->dtype_name = d->name;
    t->readable = d->readable;
    t->dtype = d->dtype;
    *bits = d->bits;
    return CF_OK;
}

static cf_status read_shape(cf_stored_tensor *t, const cf_json *info, const char *path, cf_error *err)
{
    const cf_json *shape = cf_json_get(info, "shape");
    if (cf_json_kind_of(shape) != CF_JSON_ARRAY)
        return cf_fail(err, CF_FORMAT, "%s: tensor '%s': expected a list as its shape", path, t->name);
    for (int32_t i = 0; i < CF_MAX_RANK; i++)
        t->shape[i] = 1;
    t->count = 1;
    for (const cf_json *e = cf_json_first(shape); e; e = cf_json_next(e)) {
        int64_t extent = 0;
        if (!cf_json_i64(&extent, e) || extent < 0)
            return cf_fail(err, CF_FORMAT, "%s: tensor '%s': extent %d of its shape is not a count", path, t->name,
                           t->rank);
        if (__builtin_mul_overflow(t->count, extent, &t->count))
            return cf_fail(err, CF_FORMAT, "%s: tensor '%s': its shape overflows", path, t->name);
        if (t->rank < CF_MAX_RANK)
            t->shape[t->rank] = extent;
        t->rank++;
    }
    return CF_OK;
}

static cf_status read_range(cf_stored_tensor *t, const cf_json *info, cf_slice data, const char *path, cf_error *err)
{
    const cf_json *offsets = cf_json_get(info, "data_offsets");
    const cf_json *first = cf_json_first(offsets);
    int64_t begin = 0, end = 0;
    if (cf_json_kind_of(offsets) != CF_JSON_ARRAY || cf_json_count(offsets) != 2 || !cf_json_i64(&begin, first) ||
        !cf_json_i64(&end, cf_json_next(first)) || begin < 0 || end < 0)
        return cf_fail(err, CF_FORMAT, "%s: tensor '%s': expected two integers as its data_offsets", path, t->name);
    if (begin > end)
        return cf_fail(err, CF_FORMAT, "%s: tensor '%s': data_offsets begin at %" PRId64 ", after their end %" PRId64,
                       path, t->name, begin, end);
    if ((uint64_t)end > data.n)
        return cf_fail(err, CF_FORMAT,
                       "%s: tensor '%s': data_offsets end at %" PRId64 ", past the file's %zu data bytes (truncated?)",
                       path, t->name, end, data.n);
    t->data = (const unsigned char *)data.data + begin;
    t->n_bytes = (size_t)(end - begin);
    return CF_OK;
}

static cf_status read_tensor(cf_stored_tensor *t, const cf_json *info, cf_slice data, const char *path, cf_error *err)
{
    cf_status st = CF_OK;
    uint64_t bits = 0;
    if (cf_json_kind_of(info) != CF_JSON_OBJECT)
        return cf_fail(err, CF_FORMAT, "%s: tensor '%s': expected an object", path, t->name);
    CF_TRY(read_dtype(t, &bits, info, path, err));
    CF_TRY(read_shape(t, info, path, err));
    CF_TRY(read_range(t, info, data, path, err));
    uint64_t need = 0;
    if (__builtin_mul_overflow((uint64_t)t->count, bits, &need))
        return cf_fail(err, CF_FORMAT, "%s: tensor '%s': its shape overflows", path, t->name);
    if (need % 8 != 0 || need / 8 != t->n_bytes)
        return cf_fail(err, CF_FORMAT,
                       "%s: tensor '%s': expected %" PRIu64 " bytes for %" PRId64 " elements of %s, found %zu", path,
                       t->name, need / 8, t->count, t->dtype_name, t->n_bytes);
done:
    return st;
}

static int by_place(const void *a, const void *b)
{
    const cf_stored_tensor *x = a, *y = b;
    if (x->data != y->data)
        return x->data < y->data ? -1 : 1;
    return x->n_bytes < y->n_bytes ? -1 : x->n_bytes > y->n_bytes; /* empty tensors first: they end where they begin */
}

/* The tensors must fill the buffer from its first byte to its last, each beginning where the one before ends. */
static cf_status check_layout(const cf_safetensors *s, cf_error *err)
{
    if (s->n)
        qsort(s->tensors, s->n, sizeof *s->tensors, by_place);
    const unsigned char *base = (const unsigned char *)s->data.data;
    size_t end = 0;
    for (size_t i = 0; i < s->n; i++) {
        const cf_stored_tensor *t = &s->tensors[i];
        const size_t begin = (size_t)(t->data - base);
        if (begin < end)
            return cf_fail(err, CF_FORMAT, "%s: tensors '%s' and '%s' overlap at data byte %zu", s->path,
                           s->tensors[i - 1].name, t->name, begin);
        if (begin > end)
            return cf_fail(err, CF_FORMAT, "%s: tensor '%s' begins at data byte %zu, expected %zu: a hole", s->path,
                           t->name, begin, end);
        end = begin + t->n_bytes;
    }
    if (end != s->data.n)
        return cf_fail(err, CF_FORMAT, "%s: expected %zu data bytes for its tensors, found %zu", s->path, end,
                       s->data.n);
    return CF_OK;
}

static cf_status split_header(cf_slice *json, cf_slice *data, const unsigned char *bytes, size_t n, const char *path,
                              cf_error *err)
{
    if (n < LENGTH_BYTES)
        return cf_fail(err, CF_FORMAT, "%s: expected a safetensors file, found only %zu bytes", path, n);
    uint64_t length = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--)
        length = length << 8 | bytes[i];
    if (length > n - LENGTH_BYTES)
        return cf_fail(err, CF_FORMAT,
                       "%s: its header should have %" PRIu64
                       " bytes, but only %zu follow (truncated, or not safetensors)",
                       path, length, n - LENGTH_BYTES);
    if (length > MAX_HEADER_BYTES)
        return cf_fail(err, CF_FORMAT, "%s: expected a header of at most %d bytes, found %" PRIu64, path,
                       MAX_HEADER_BYTES, length);
    *json = (cf_slice){(const char *)bytes + LENGTH_BYTES, (size_t)length};
    *data = (cf_slice){json->data + length, n - LENGTH_BYTES - (size_t)length};
    return CF_OK;
}

static bool is_metadata(const cf_json *member)
{
    return strcmp(cf_json_name(member), "__metadata__") == 0;
}

/* The tensors' names, one after the other, so that the header need not be kept. */
static cf_status copy_names(cf_weight_file *f, const cf_json *header, cf_error *err)
{
    size_t n = 0;
    void *names = NULL;
    for (const cf_json *m = cf_json_first(header); m; m = cf_json_next(m))
        n += strlen(cf_json_name(m)) + 1;
    const cf_status st = cf_alloc(&names, n, 1, "a safetensors header", err);
    if (st != CF_OK)
        return st;
    f->names = names;
    char *at = names;
    size_t i = 0;
    for (const cf_json *m = cf_json_first(header); m; m = cf_json_next(m))
        if (!is_metadata(m)) {
            const size_t length = strlen(cf_json_name(m)) + 1;
            memcpy(at, cf_json_name(m), length);
            f->tensors[i++].name = at;
            at += length;
        }
    return CF_OK;
}

cf_status cf_safetensors_parse(cf_safetensors *out, const unsigned char *bytes, size_t n, const char *path,
                               cf_error *err)
{
    cf_status st = CF_OK;
    cf_safetensors s = {0};
    cf_slice text = {0};
    cf_json *header = NULL;
    void *tensors = NULL;
    CF_TRY(split_header(&text, &s.data, bytes, n, path, err));
    s.header = (cf_slice){(const char *)bytes, LENGTH_BYTES + text.n};
    CF_TRY(cf_strdup(&s.path, cf_slice_of(path), err));
    CF_TRY(cf_json_parse(&header, text, path, err));
    if (cf_json_kind_of(header) != CF_JSON_OBJECT) {
        st = cf_fail(err, CF_FORMAT, "%s: expected a JSON object as its header", path);
        goto done;
    }
    CF_TRY(cf_alloc(&tensors, (size_t)cf_json_count(header), sizeof *s.tensors, "a safetensors header", err));
    s.tensors = tensors;
    CF_TRY(copy_names(&s, header, err));
    for (const cf_json *m = cf_json_first(header); m; m = cf_json_next(m))
        if (!is_metadata(m))
            CF_TRY(read_tensor(&s.tensors[s.n++], m, s.data, path, err));
    CF_TRY(check_layout(&s, err));
    CF_TRY(cf_weight_file_sort(&s, err));
    *out = s;
    s = (cf_safetensors){0};
done:
    cf_json_free(header);
    cf_safetensors_deinit(&s);
    return st;
}
