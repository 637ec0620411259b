/* zip_writer.c - see zip_writer.h. */
#include "zip_writer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void put(cf_str *out, uint64_t v, int n)
{
    char bytes[8];
    for (int i = 0; i < n; i++)
        bytes[i] = (char)(unsigned char)(v >> 8 * i);
    const cf_status st = cf_str_add(out, (cf_slice){bytes, (size_t)n}, NULL);
    assert(st == CF_OK);
    (void)st;
}

static void put_bytes(cf_str *out, const void *data, size_t n)
{
    const cf_status st = cf_str_add(out, (cf_slice){data, n}, NULL);
    assert(st == CF_OK);
    (void)st;
}

static void put_zeros(cf_str *out, size_t n)
{
    while (n-- > 0)
        put(out, 0, 1);
}

/* Wraps around, as a falsified number may. */
static uint64_t moved(size_t value, int64_t by)
{
    return (uint64_t)value + (uint64_t)by;
}

static uint16_t flags_of(const zip_item *m)
{
    return (uint16_t)(m->flags | (m->descriptor ? 1 << 3 : 0));
}

static void put_local(cf_str *out, const zip_item *m)
{
    const char *name = m->local_name ? m->local_name : m->name;
    const size_t size = m->descriptor ? 0 : m->n;
    put(out, 0x04034b50, 4);
    put(out, 20, 2);
    put(out, flags_of(m) ^ m->other_local_flags, 2);
    put(out, m->method ^ m->other_local_method, 2);
    put(out, 0, 8); /* time, date, checksum */
    put(out, moved(size, m->add_local_stored), 4);
    put(out, moved(size, m->add_local_plain), 4);
    put(out, strlen(name), 2);
    put(out, moved(m->n_extra, m->add_local_extra), 2);
    put_bytes(out, name, strlen(name));
    put_zeros(out, m->n_extra);
    put_bytes(out, m->data, m->n);
    if (m->descriptor) {
        put(out, 0x08074b50, 4);
        put(out, 0, 4);
        put(out, m->n, 4);
        put(out, m->n, 4);
    }
}

static void put_central(cf_str *out, const zip_item *m, size_t begin)
{
    const uint64_t stored = moved(m->n, m->add_stored), plain = moved(m->n, m->add_plain),
                   at = moved(begin, m->add_begin);
    const bool wide_sizes = m->wide == ZIP_WIDE || m->wide == ZIP_WIDE_SHORT;
    const size_t n_values = m->wide == ZIP_NARROW ? 0 : m->wide == ZIP_WIDE ? 3 : m->wide == ZIP_WIDE_PLACE ? 1 : 2;
    const uint64_t values[] = {plain, stored, at};
    const char *comment = m->comment ? m->comment : "";
    put(out, 0x02014b50, 4);
    put(out, 20, 2);
    put(out, 20, 2);
    put(out, flags_of(m), 2);
    put(out, m->method, 2);
    put(out, 0, 8);
    put(out, wide_sizes ? 0xffffffff : stored, 4);
    put(out, wide_sizes ? 0xffffffff : plain, 4);
    put(out, moved(strlen(m->name), m->add_name), 2);
    put(out, n_values ? 6 + 4 + 8 * n_values : 0, 2);
    put(out, moved(strlen(comment), m->add_comment), 2);
    put_zeros(out, 2 + 2 + 4); /* disk, attributes */
    put(out, n_values ? 0xffffffff : at, 4);
    put_bytes(out, m->name, strlen(m->name));
    if (n_values) {
        put(out, 0x5455, 2); /* a field to be passed over */
        put(out, 2, 2);
        put(out, 0xffff, 2);
        put(out, 1, 2);
        put(out, 8 * n_values, 2);
        for (size_t i = 0; i < n_values; i++)
            put(out, values[m->wide == ZIP_WIDE_PLACE ? 2 : i], 8);
    }
    put_bytes(out, comment, strlen(comment));
}

static void put_end(cf_str *out, size_t begin, size_t n, const zip_end *e)
{
    const size_t end = out->n;
    if (e->zip64) {
        put(out, 0x06064b50, 4);
        put(out, 44, 8);
        put(out, 45, 2);
        put(out, 45, 2);
        put(out, 0, 8);
        put(out, n, 8);
        put(out, moved(n, e->add_members64), 8);
        put(out, end - begin, 8);
        put(out, moved(begin, e->add_begin64), 8);
        put_zeros(out, e->n_gap);
        put(out, 0x07064b50, 4);
        put(out, 0, 4);
        put(out, moved(end, e->add_locator), 8);
        put(out, 1, 4);
    }
    const char *comment = e->comment ? e->comment : "";
    put(out, 0x06054b50, 4);
    put(out, e->disk, 2);
    put(out, e->disk, 2);
    put(out, n, 2);
    put(out, moved(n, e->add_members), 2);
    put(out, moved((end - begin), e->add_size), 4);
    put(out, moved(begin, e->add_begin), 4);
    put(out, strlen(comment), 2);
    put_bytes(out, comment, strlen(comment));
}

unsigned char *zip_write(size_t *n_out, const zip_item *items, size_t n, zip_end end)
{
    cf_str out = {0};
    size_t begins[64];
    assert(n <= 64);
    for (size_t i = 0; i < n; i++) {
        begins[i] = out.n;
        put_local(&out, &items[i]);
    }
    const size_t directory = out.n;
    for (size_t i = 0; i < n; i++)
        put_central(&out, &items[i], begins[i]);
    put_end(&out, directory, n, &end);
    unsigned char *exact = malloc(out.n);
    assert(exact);
    memcpy(exact, out.data, out.n);
    *n_out = out.n;
    cf_str_deinit(&out);
    return exact;
}
