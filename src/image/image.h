/* image.h - picture files to RGB8, as Pillow's Image.open(path).convert("RGB") gives them, and RGB8 to a JPEG. */
#ifndef CF_IMAGE_IMAGE_H
#define CF_IMAGE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

typedef struct cf_image { /* zero-initialise; owns rgb */
    int32_t width, height;
    uint8_t *rgb; /* [height, width, 3], row-major */
} cf_image;

enum { CF_IMAGE_MAX_PIXELS = 178956970 }; /* Pillow's decompression bomb error: twice MAX_IMAGE_PIXELS */

CF_MUST_USE cf_status cf_image_create(cf_image *out, int64_t width, int64_t height, cf_error *err); /* zeroed */
void cf_image_deinit(cf_image *im);

/* Decodes a JPEG or PNG by its first bytes, whatever the file's name says: grey, palette, RGB, with or without alpha
 * (dropped, never blended, as Pillow does), 16 bits (high byte; grey is clipped at 255 instead), interlaced,
 * progressive, CMYK and YCCK JPEG (Adobe inversion). EXIF orientation is ignored, as convert() ignores it. `name` is
 * for messages. CF_FORMAT: damaged, cut short, empty, or over CF_IMAGE_MAX_PIXELS, which is refused before its memory
 * is asked for. CF_UNSUPPORTED: another kind of file. *out is overwritten on success only. */
CF_MUST_USE cf_status cf_image_decode(cf_image *out, const unsigned char *data, size_t n, const char *name,
                                      cf_error *err);
CF_MUST_USE cf_status cf_image_open(cf_image *out, const char *path, cf_error *err);

/* Appends the picture as a JPEG; quality 1 to 100. Equal pictures give equal bytes. */
CF_MUST_USE cf_status cf_image_write_jpeg(cf_str *out, const cf_image *im, int quality, cf_error *err);

/* The decoders built with, for provenance: "libjpeg-turbo 2.1.5", "libpng 1.6.39". */
const char *cf_jpeg_library(void);
const char *cf_png_library(void);

#endif
