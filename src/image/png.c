/* png.c - PNG to RGB8 through libpng, with Pillow's meaning (PngImagePlugin.py, then convert("RGB")):
 *   - grey of 1, 2 and 4 bits is spread over 0..255; grey of 16 bits keeps its value and is clipped at 255
 *     (Pillow's "I;16");
 *   - every other 16-bit sample keeps its high byte; alpha and tRNS are dropped, never blended;
 *   - a palette index past the palette is black;
 *   - gamma, colour profiles and text are not read at all.
 * A damaged stream is an error wherever libpng says so; libpng checks more than Pillow does (checksums of the image
 * data).
 *
 * libpng leaves through on_error, which jumps to `escape`; what must survive the jump lives in png_session. */
#include "image/image_internal.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

/* libpng's own default, stated: a longer side is no picture, and it bounds the filter tables of a resize. */
enum { MAX_SIDE = 1000000 };

typedef struct png_session {
    png_structp codec;
    png_infop info;
    jmp_buf escape;
    const unsigned char *data; /* what is left to read */
    size_t n;
    cf_image image;
    const char *name;
    cf_error *err;
    cf_status st;
} png_session;

static _Noreturn void leave(png_session *s, cf_status st)
{
    s->st = st;
    longjmp(s->escape, 1);
}

static void on_error(png_structp codec, png_const_charp text)
{
    png_session *s = png_get_error_ptr(codec);
    leave(s, cf_fail(s->err, CF_FORMAT, "%s: damaged PNG: %s", s->name, text));
}

static void on_warning(png_structp codec, png_const_charp text)
{
    (void)codec;
    (void)text;
}

static void on_read(png_structp codec, png_bytep to, size_t n)
{
    png_session *s = png_get_io_ptr(codec);
    if (n > s->n)
        leave(s, cf_fail(s->err, CF_FORMAT, "%s: the PNG data ends early", s->name));
    memcpy(to, s->data, n);
    s->data += n;
    s->n -= n;
}

/* Sets the conversions so that a row is 3 bytes a pixel, or 2 (big-endian) for grey of 16 bits; true in that case. */
static bool set_conversions(png_session *s)
{
    const int depth = png_get_bit_depth(s->codec, s->info);
    const int colour = png_get_color_type(s->codec, s->info);
    if (depth == 16 && colour == PNG_COLOR_TYPE_GRAY)
        return true;
    if (colour == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(s->codec);
    if (depth == 16)
        png_set_strip_16(s->codec);
    if (!(colour & PNG_COLOR_MASK_COLOR))
        png_set_gray_to_rgb(s->codec); /* spreads 1, 2 and 4 bits over 0..255 as well */
    png_set_strip_alpha(s->codec);     /* tRNS of a palette too, which palette_to_rgb turns into alpha */
    return false;
}

/* In place, from the last pixel backwards: the three bytes of a pixel lie at or after its two. */
static void rgb_of_grey_16(uint8_t *row, int32_t width)
{
    for (size_t x = (size_t)width; x-- > 0;) {
        const uint8_t grey = row[2 * x] ? 255 : row[2 * x + 1];
        memset(row + 3 * x, grey, 3);
    }
}

static void read_picture(png_session *s)
{
    /* Skips every ancillary chunk that libpng knows, tRNS excepted: none of them changes what Pillow gives. */
    png_set_keep_unknown_chunks(s->codec, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_user_limits(s->codec, MAX_SIDE, MAX_SIDE);
    png_set_read_fn(s->codec, s, on_read);
    png_read_info(s->codec, s->info);
    const cf_status st = cf_image_create_named(&s->image, png_get_image_width(s->codec, s->info),
                                               png_get_image_height(s->codec, s->info), s->name, s->err);
    if (st != CF_OK)
        leave(s, st);
    const bool grey_16 = set_conversions(s);
    const int n_passes = png_set_interlace_handling(s->codec);
    png_read_update_info(s->codec, s->info);
    const size_t row_bytes = (size_t)s->image.width * 3;
    if (png_get_rowbytes(s->codec, s->info) != (grey_16 ? (size_t)s->image.width * 2 : row_bytes))
        leave(s, cf_fail(s->err, CF_UNSUPPORTED, "%s: a PNG that does not convert to RGB", s->name));
    for (int pass = 0; pass < n_passes; pass++)
        for (int32_t y = 0; y < s->image.height; y++)
            png_read_row(s->codec, s->image.rgb + (size_t)y * row_bytes, NULL);
    for (int32_t y = 0; grey_16 && y < s->image.height; y++)
        rgb_of_grey_16(s->image.rgb + (size_t)y * row_bytes, s->image.width);
}

cf_status cf_png_decode(cf_image *out, const unsigned char *data, size_t n, const char *name, cf_error *err)
{
    png_session *s = calloc(1, sizeof *s);
    if (!s)
        return cf_fail(err, CF_NOMEM, "%s: PNG decoder", name);
    s->data = data;
    s->n = n;
    s->name = name;
    s->err = err;
    if (setjmp(s->escape) == 0) {
        s->codec = png_create_read_struct(PNG_LIBPNG_VER_STRING, s, on_error, on_warning);
        s->info = s->codec ? png_create_info_struct(s->codec) : NULL;
        if (!s->info)
            leave(s, cf_fail(err, CF_NOMEM, "%s: PNG decoder", name));
        read_picture(s);
        *out = s->image;
        s->image = (cf_image){0};
    }
    const cf_status st = s->st;
    png_destroy_read_struct(&s->codec, &s->info, NULL);
    cf_image_deinit(&s->image);
    free(s);
    return st;
}

const char *cf_png_library(void)
{
    return "libpng " PNG_LIBPNG_VER_STRING;
}
