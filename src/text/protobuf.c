/* protobuf.c - fields of a message in the protocol buffers' wire format (protobuf.dev, "Encoding"): a key, which is a
 * field number and a wire type, then the value. Groups, which the format has given up, are refused. */
#include "text/text_internal.h"

enum { MAX_VARINT_BYTES = 10 };

static bool varint(uint64_t *out, cf_wire *w)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < MAX_VARINT_BYTES && w->at < w->end; i++) {
        const unsigned char byte = *w->at++;
        if (i == MAX_VARINT_BYTES - 1 && byte > 1) /* over 64 bits */
            return false;
        value |= (uint64_t)(byte & 0x7F) << 7 * i;
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return false;
}

static bool fixed(uint64_t *out, cf_wire *w, unsigned n)
{
    uint64_t value = 0;
    if ((size_t)(w->end - w->at) < n)
        return false;
    for (unsigned i = 0; i < n; i++)
        value |= (uint64_t)*w->at++ << 8 * i;
    *out = value;
    return true;
}

static bool bytes(cf_slice *out, cf_wire *w)
{
    uint64_t n = 0;
    if (!varint(&n, w) || n > (uint64_t)(w->end - w->at))
        return false;
    *out = (cf_slice){(const char *)w->at, (size_t)n};
    w->at += n;
    return true;
}

cf_status cf_wire_next(bool *more, cf_wire_field *f, cf_wire *w, const char *where, cf_error *err)
{
    uint64_t key = 0;
    bool good = false;
    *more = w->at < w->end;
    if (!*more)
        return CF_OK;
    *f = (cf_wire_field){0};
    if (varint(&key, w) && key >> 3 && key >> 3 <= UINT32_MAX >> 3) {
        f->number = (uint32_t)(key >> 3);
        switch (key & 7) {
        case CF_WIRE_VARINT:
            f->type = CF_WIRE_VARINT;
            good = varint(&f->value, w);
            break;
        case CF_WIRE_FIXED64:
            f->type = CF_WIRE_FIXED64;
            good = fixed(&f->value, w, 8);
            break;
        case CF_WIRE_BYTES:
            f->type = CF_WIRE_BYTES;
            good = bytes(&f->bytes, w);
            break;
        case CF_WIRE_FIXED32:
            f->type = CF_WIRE_FIXED32;
            good = fixed(&f->value, w, 4);
            break;
        default:
            break;
        }
    }
    if (!good)
        return cf_fail(err, CF_FORMAT, "%s: not a SentencePiece model (a protocol buffers field is damaged)", where);
    return CF_OK;
}
