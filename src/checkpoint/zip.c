/* zip.c - see zip.h. An archive is read from its end: the end record says where the central directory is, whose records
 * say where the members are, each of which begins with a local header that must say the same. */
#include "checkpoint/zip.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Signatures and sizes of the fixed parts; APPNOTE 4.3.7 to 4.3.16. */
enum {
    LOCAL_BYTES = 30,
    CENTRAL_BYTES = 46,
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR_BYTES = 20,
    MAX_COMMENT = 65535,
    FLAG_DESCRIPTOR = 1 << 3,
    FLAG_UTF8 = 1 << 11,
    FLAGS_OF_COMPRESSION = 3 << 1, /* no meaning for stored members */
    EXTRA_ZIP64 = 1
};
static const uint32_t local_mark = 0x04034b50, central_mark = 0x02014b50, end_mark = 0x06054b50,
                      end64_mark = 0x06064b50, locator_mark = 0x07064b50;
static const uint32_t in_zip64 = 0xffffffff; /* a 32-bit field whose value stands in the zip64 part */

typedef struct archive {
    const unsigned char *bytes;
    size_t n;
    const char *path;
    cf_error *err;
} archive;

static uint64_t number(const unsigned char *at, int n)
{
    uint64_t v = 0;
    while (n-- > 0)
        v = v << 8 | at[n];
    return v;
}

/* The fixed part of a record at offset `at`; NULL where the archive ends before it or another mark stands there. */
static const unsigned char *record(const archive *a, uint64_t at, size_t n, uint32_t mark)
{
    if (at > a->n || a->n - at < n || number(a->bytes + at, 4) != mark)
        return NULL;
    return a->bytes + at;
}

static cf_status damaged(const archive *a, const char *what)
{
    return cf_fail(a->err, CF_FORMAT, "%s: %s (truncated, or not a zip archive)", a->path, what);
}

typedef struct directory {
    uint64_t begin, end, n_members;
} directory;

/* The directory by the zip64 end record that ends where the locator begins. */
static cf_status find_directory64(directory *d, uint64_t *begin, const archive *a, const unsigned char *locator)
{
    const uint64_t at = number(locator + 8, 8);
    const unsigned char *end64 = record(a, at, END64_BYTES, end64_mark);
    if (!end64 || number(locator + 4, 4) != 0 || number(locator + 16, 4) > 1 || number(end64 + 16, 4) != 0 ||
        number(end64 + 20, 4) != 0 || end64 + END64_BYTES != locator)
        return damaged(a, "its zip64 end record is damaged");
    *begin = at;
    d->n_members = number(end64 + 32, 8);
    d->begin = number(end64 + 48, 8);
    if (__builtin_add_overflow(d->begin, number(end64 + 40, 8), &d->end))
        return damaged(a, "its zip64 end record is damaged");
    return CF_OK;
}

static cf_status find_directory(directory *d, const archive *a)
{
    const unsigned char *end = NULL;
    for (size_t back = END_BYTES; !end && back <= a->n && back <= END_BYTES + MAX_COMMENT; back++) {
        end = record(a, a->n - back, END_BYTES, end_mark);
        if (end && number(end + 20, 2) != back - END_BYTES)
            end = NULL; /* a signature inside the comment */
    }
    if (!end)
        return damaged(a, "no end record");
    uint64_t begin = (uint64_t)(end - a->bytes);
    if (number(end + 4, 2) != 0 || number(end + 6, 2) != 0)
        return cf_fail(a->err, CF_UNSUPPORTED, "%s: a zip archive in several parts is not supported", a->path);
    const uint64_t n_members = number(end + 10, 2), size = number(end + 12, 4), at = number(end + 16, 4);
    *d = (directory){at, at + size, n_members};
    const unsigned char *locator =
        begin < LOCATOR_BYTES ? NULL : record(a, begin - LOCATOR_BYTES, LOCATOR_BYTES, locator_mark);
    if (locator) {
        const cf_status st = find_directory64(d, &begin, a, locator);
        if (st != CF_OK)
            return st;
    }
    if ((n_members != d->n_members && n_members != 0xffff) || (at != d->begin && at != in_zip64) ||
        (size != d->end - d->begin && size != in_zip64))
        return damaged(a, "its two end records differ");
    if (d->begin > d->end || d->end != begin || d->n_members > (d->end - d->begin) / CENTRAL_BYTES)
        return damaged(a, "its end record does not fit its directory");
    return CF_OK;
}

typedef struct sizes {
    uint64_t stored, plain, begin;
} sizes;

/* Fields of all ones are given in the zip64 extra field, in this order, and only they. */
static bool read_zip64(sizes *s, const unsigned char *extra, size_t n)
{
    uint64_t *const fields[] = {&s->plain, &s->stored, &s->begin};
    while (n >= 4) {
        const uint64_t id = number(extra, 2), length = number(extra + 2, 2);
        extra += 4;
        n -= 4;
        if (length > n)
            return false;
        size_t used = 0;
        for (size_t i = 0; i < 3 && id == EXTRA_ZIP64; i++)
            if (*fields[i] == in_zip64 && used + 8 <= length) {
                *fields[i] = number(extra + used, 8);
                used += 8;
            }
        extra += length;
        n -= (size_t)length;
    }
    return true;
}

/* NOTE: a size is 0 where a descriptor follows the data, all ones where it is in the local zip64 field; neither is
 * needed. */
static bool same_size(uint64_t local, uint64_t size, uint64_t flags)
{
    return local == size || local == in_zip64 || (local == 0 && flags & FLAG_DESCRIPTOR);
}

/* What the local header says must be what the central record said: a reader that trusts the one must not see another
 * archive than a reader that trusts the other. */
static cf_status find_data(cf_zip_member *m, const archive *a, const sizes *s, const unsigned char *central,
                           uint64_t limit)
{
    const unsigned char *local = record(a, s->begin, LOCAL_BYTES, local_mark);
    const uint64_t name_bytes = local ? number(local + 26, 2) : 0, extra_bytes = local ? number(local + 28, 2) : 0;
    const uint64_t before = LOCAL_BYTES + name_bytes + extra_bytes;
    const uint64_t flags = number(central + 8, 2);
    if (!local || before > a->n - s->begin || name_bytes != m->name.n ||
        memcmp(local + LOCAL_BYTES, m->name.data, m->name.n) != 0 || number(local + 6, 2) != flags ||
        number(local + 8, 2) != number(central + 10, 2) || !same_size(number(local + 18, 4), s->stored, flags) ||
        !same_size(number(local + 22, 4), s->plain, flags))
        return cf_fail(a->err, CF_FORMAT, "%s: member '%.*s': its local header is damaged", a->path, (int)m->name.n,
                       m->name.data);
    const uint64_t data = s->begin + before;
    if (data > limit || s->plain > limit - data)
        return cf_fail(a->err, CF_FORMAT, "%s: member '%.*s': its %llu bytes reach past the directory", a->path,
                       (int)m->name.n, m->name.data, (unsigned long long)s->plain);
    m->data = (cf_slice){(const char *)a->bytes + data, (size_t)s->plain};
    m->begin = (size_t)s->begin;
    return CF_OK;
}

static cf_status check_storage(const cf_zip_member *m, const archive *a, const unsigned char *central, const sizes *s)
{
    const uint64_t flags = number(central + 8, 2), method = number(central + 10, 2);
    if (flags & ~(uint64_t)(FLAG_DESCRIPTOR | FLAG_UTF8 | FLAGS_OF_COMPRESSION))
        return cf_fail(a->err, CF_UNSUPPORTED, "%s: member '%.*s' is encrypted or patched (flags 0x%04x)", a->path,
                       (int)m->name.n, m->name.data, (unsigned)flags);
    if (method != 0)
        return cf_fail(a->err, CF_UNSUPPORTED,
                       "%s: member '%.*s' is compressed (method %u): expected an archive as torch.save writes it",
                       a->path, (int)m->name.n, m->name.data, (unsigned)method);
    if (s->stored != s->plain || number(central + 34, 2) != 0)
        return cf_fail(a->err, CF_FORMAT, "%s: member '%.*s': its sizes do not fit together", a->path, (int)m->name.n,
                       m->name.data);
    return CF_OK;
}

/* The member at *at, which moves on to the next record. */
static cf_status read_member(cf_zip_member *m, uint64_t *at, const archive *a, const directory *d)
{
    const unsigned char *c = record(a, *at, CENTRAL_BYTES, central_mark);
    if (!c || *at + CENTRAL_BYTES > d->end)
        return damaged(a, "its directory is damaged");
    const size_t name = (size_t)number(c + 28, 2), extra = (size_t)number(c + 30, 2),
                 comment = (size_t)number(c + 32, 2);
    if (name + extra + comment > d->end - *at - CENTRAL_BYTES)
        return damaged(a, "its directory is damaged");
    m->name = (cf_slice){(const char *)c + CENTRAL_BYTES, name};
    *at += CENTRAL_BYTES + name + extra + comment;
    if (name == 0 || memchr(m->name.data, '\0', name))
        return damaged(a, "a member without a proper name");
    sizes s = {number(c + 20, 4), number(c + 24, 4), number(c + 42, 4)};
    if (!read_zip64(&s, c + CENTRAL_BYTES + name, extra))
        return damaged(a, "its directory is damaged");
    const cf_status st = check_storage(m, a, c, &s);
    return st == CF_OK ? find_data(m, a, &s, c, d->begin) : st;
}

static int by_place(const void *a, const void *b)
{
    const cf_zip_member *x = a, *y = b;
    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

static int by_name(const void *a, const void *b)
{
    const cf_zip_member *x = a, *y = b;
    const size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
    const int order = memcmp(x->name.data, y->name.data, n);
    return order ? order : x->name.n < y->name.n ? -1 : x->name.n > y->name.n;
}

static cf_status check_members(cf_zip *z, const archive *a)
{
    if (z->n)
        qsort(z->members, z->n, sizeof *z->members, by_place);
    for (size_t i = 1; i < z->n; i++) {
        const cf_zip_member *x = &z->members[i - 1], *y = &z->members[i];
        if (x->data.data + x->data.n > (const char *)a->bytes + y->begin)
            return cf_fail(a->err, CF_FORMAT, "%s: members '%.*s' and '%.*s' overlap", a->path, (int)x->name.n,
                           x->name.data, (int)y->name.n, y->name.data);
    }
    if (z->n)
        qsort(z->members, z->n, sizeof *z->members, by_name);
    for (size_t i = 1; i < z->n; i++)
        if (cf_slice_equal(z->members[i - 1].name, z->members[i].name))
            return cf_fail(a->err, CF_FORMAT, "%s: two members are named '%.*s'", a->path, (int)z->members[i].name.n,
                           z->members[i].name.data);
    return CF_OK;
}

cf_status cf_zip_parse(cf_zip *out, const unsigned char *bytes, size_t n, const char *path, cf_error *err)
{
    const archive a = {bytes, n, path, err};
    cf_status st = CF_OK;
    cf_zip z = {0};
    directory d = {0};
    void *members = NULL;
    CF_TRY(find_directory(&d, &a));
    CF_TRY(cf_alloc(&members, (size_t)d.n_members, sizeof *z.members, "a zip directory", err));
    z.members = members;
    uint64_t at = d.begin;
    for (; z.n < d.n_members; z.n++)
        CF_TRY(read_member(&z.members[z.n], &at, &a, &d));
    if (at != d.end) {
        st = damaged(&a, "its directory has more bytes than members");
        goto done;
    }
    CF_TRY(check_members(&z, &a));
    *out = z;
    z = (cf_zip){0};
done:
    cf_zip_deinit(&z);
    return st;
}

void cf_zip_deinit(cf_zip *z)
{
    free(z->members);
    *z = (cf_zip){0};
}

const cf_zip_member *cf_zip_find(const cf_zip *z, cf_slice name)
{
    const cf_zip_member key = {.name = name};
    return z->n ? bsearch(&key, z->members, z->n, sizeof key, by_name) : NULL;
}
