/* decode.c - owns the life of a cf_image and the choice of decoder; the formats themselves are jpeg.c and png.c.
 *
 * The reference is Pillow 13.0.0, Image.open(path).convert("RGB"). The format is told by the first bytes, as Pillow
 * does; other formats are named in the message where their first bytes are well known. */
#include "image/image.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "image/image_internal.h"

cf_status cf_image_create_named(cf_image *out, int64_t width, int64_t height, const char *name, cf_error *err)
{
    if (width < 1 || height < 1)
        return cf_fail(err, CF_FORMAT, "%s: a picture of %lld x %lld pixels has no pixel", name, (long long)width,
                       (long long)height);
    if (width > CF_IMAGE_MAX_PIXELS / height)
        return cf_fail(err, CF_FORMAT, "%s: a picture of %lld x %lld pixels, expected at most %d pixels", name,
                       (long long)width, (long long)height, (int)CF_IMAGE_MAX_PIXELS);
    void *rgb = NULL;
    const cf_status st = cf_alloc(&rgb, (size_t)width * (size_t)height, 3, name, err);
    if (st == CF_OK)
        *out = (cf_image){.width = (int32_t)width, .height = (int32_t)height, .rgb = rgb};
    return st;
}

cf_status cf_image_create(cf_image *out, int64_t width, int64_t height, cf_error *err)
{
    return cf_image_create_named(out, width, height, "image", err);
}

void cf_image_deinit(cf_image *im)
{
    free(im->rgb);
    *im = (cf_image){0};
}

static bool starts_with(const unsigned char *data, size_t n, const char *magic, size_t magic_bytes)
{
    return n >= magic_bytes && memcmp(data, magic, magic_bytes) == 0;
}

/* What a file that is neither JPEG nor PNG seems to be, for its message. */
static const char *other_kind(const unsigned char *data, size_t n)
{
    static const struct {
        const char *magic;
        size_t bytes;
        const char *kind;
    } kinds[] = {
        {"GIF8", 4, "a GIF picture"},      {"BM", 2, "a BMP picture"},    {"II*\0", 4, "a TIFF picture"},
        {"MM\0*", 4, "a TIFF picture"},    {"%PDF", 4, "a PDF document"}, {"PK\3\4", 4, "a zip archive"},
        {"\x1f\x8b", 2, "a gzip archive"}, {"<", 1, "markup text"},
    };
    if (n >= 12 && memcmp(data, "RIFF", 4) == 0 && memcmp(data + 8, "WEBP", 4) == 0)
        return "a WebP picture";
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (starts_with(data, n, kinds[i].magic, kinds[i].bytes))
            return kinds[i].kind;
    return "something else";
}

cf_status cf_image_decode(cf_image *out, const unsigned char *data, size_t n, const char *name, cf_error *err)
{
    if (n == 0)
        return cf_fail(err, CF_FORMAT, "%s: expected a JPEG or PNG picture, found an empty file", name);
    if (starts_with(data, n, "\xff\xd8\xff", 3))
        return cf_jpeg_decode(out, data, n, name, err);
    if (starts_with(data, n, "\x89PNG\r\n\x1a\n", 8))
        return cf_png_decode(out, data, n, name, err);
    return cf_fail(err, CF_UNSUPPORTED, "%s: expected a JPEG or PNG picture, found %s (first byte 0x%02x)", name,
                   other_kind(data, n), data[0]);
}

cf_status cf_image_open(cf_image *out, const char *path, cf_error *err)
{
    cf_mapping file = {0};
    cf_status st = CF_OK;
    CF_TRY(cf_file_map(&file, path, err));
    CF_TRY(cf_image_decode(out, file.data, file.n, path, err));
done:
    cf_file_unmap(&file);
    return st;
}
