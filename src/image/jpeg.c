/* jpeg.c - JPEG to RGB8 through libjpeg-turbo, with the settings Pillow uses (src/libImaging/JpegDecode.c): the
 * library's defaults (JDCT_ISLOW, fancy upsampling), output by the number of components, four components taken as
 * Adobe's inverted CMYK.
 *
 * Faults of the stream that libjpeg only warns about are passed over, as Pillow passes over them. Data that ends
 * before the last row is an error: the source never invents an end marker, it suspends, and a suspension means
 * truncation.
 *
 * libjpeg leaves through error_exit, which jumps to `escape`. Everything that must survive the jump lives in
 * jpeg_session, which the jump does not touch; no local of the function that calls setjmp is changed after it. */
#include "image/image_internal.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>
#include <jerror.h>

/* A progressive file may hold any number of scans, each a walk over the whole picture: a small file could keep a
 * program busy for hours. Real files have about ten; libjpeg-turbo's own fuzzers stop at this number. */
enum { MAX_SCANS = 500 };

typedef struct jpeg_session {
    struct jpeg_decompress_struct codec;
    struct jpeg_error_mgr faults;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    cf_image image;
    const char *name;
    cf_error *err;
    cf_status st;
} jpeg_session;

static _Noreturn void leave(jpeg_session *s, cf_status st)
{
    s->st = st;
    longjmp(s->escape, 1);
}

static void on_error(j_common_ptr codec)
{
    jpeg_session *s = codec->client_data;
    char text[JMSG_LENGTH_MAX];
    codec->err->format_message(codec, text);
    const cf_status st = codec->err->msg_code == JERR_OUT_OF_MEMORY ? CF_NOMEM : CF_FORMAT;
    leave(s, cf_fail(s->err, st, "%s: damaged JPEG: %s", s->name, text));
}

static void on_message(j_common_ptr codec, int level)
{
    (void)codec;
    (void)level;
}

static void on_progress(j_common_ptr codec)
{
    jpeg_session *s = codec->client_data;
    if (s->codec.input_scan_number > MAX_SCANS)
        leave(s, cf_fail(s->err, CF_FORMAT, "%s: a JPEG of more than %d scans", s->name, (int)MAX_SCANS));
}

static void source_begin_or_end(j_decompress_ptr codec)
{
    (void)codec;
}

static boolean source_is_dry(j_decompress_ptr codec)
{
    (void)codec;
    return FALSE;
}

static void source_skip(j_decompress_ptr codec, long n)
{
    struct jpeg_source_mgr *src = codec->src;
    const size_t step = n <= 0 ? 0 : (size_t)n < src->bytes_in_buffer ? (size_t)n : src->bytes_in_buffer;
    src->next_input_byte += step;
    src->bytes_in_buffer -= step;
}

static _Noreturn void truncated(jpeg_session *s)
{
    leave(s, cf_fail(s->err, CF_FORMAT, "%s: the JPEG data ends early, at row %u of %u", s->name,
                     s->codec.output_scanline, s->codec.image_height));
}

/* a * b / 255, rounded; Pillow's MULDIV255. */
static unsigned scaled(unsigned a, unsigned b)
{
    const unsigned product = a * b + 128;
    return ((product >> 8) + product) >> 8;
}

/* Adobe stores CMYK inverted, so a stored byte is 255 minus the ink; out = (255 - K) - ink * (255 - K) / 255, as
 * Pillow's cmyk2rgb. */
static void rgb_of_inverted_cmyk(uint8_t *rgb, const JSAMPLE *cmyk, int32_t width)
{
    for (int32_t x = 0; x < width; x++, rgb += 3, cmyk += 4) {
        const unsigned light = cmyk[3];
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)(light - scaled(255U - cmyk[c], light));
    }
}

static void begin(jpeg_session *s)
{
    jpeg_create_decompress(&s->codec);
    s->codec.src = &s->source;
    s->codec.progress = &s->progress;
    if (jpeg_read_header(&s->codec, TRUE) != JPEG_HEADER_OK)
        truncated(s);
    const int n = s->codec.num_components;
    if (n != 1 && n != 3 && n != 4)
        leave(s, cf_fail(s->err, CF_UNSUPPORTED, "%s: a JPEG of %d components, expected 1, 3 or 4", s->name, n));
    s->codec.out_color_space = n == 4 ? JCS_CMYK : JCS_RGB;
    const cf_status st = cf_image_create_named(&s->image, s->codec.image_width, s->codec.image_height, s->name, s->err);
    if (st != CF_OK)
        leave(s, st);
    if (!jpeg_start_decompress(&s->codec))
        truncated(s);
}

static void read_rows(jpeg_session *s)
{
    const bool cmyk = s->codec.out_color_space == JCS_CMYK;
    const JDIMENSION width = s->codec.output_width;
    JSAMPARRAY four = NULL;
    if (cmyk)
        four = s->codec.mem->alloc_sarray((j_common_ptr)&s->codec, JPOOL_IMAGE, width * 4, 1);
    while (s->codec.output_scanline < s->codec.output_height) {
        JSAMPROW row = s->image.rgb + (size_t)s->codec.output_scanline * width * 3;
        if (jpeg_read_scanlines(&s->codec, cmyk ? four : &row, 1) != 1)
            truncated(s);
        if (cmyk)
            rgb_of_inverted_cmyk(row, four[0], s->image.width);
    }
}

cf_status cf_jpeg_decode(cf_image *out, const unsigned char *data, size_t n, const char *name, cf_error *err)
{
    jpeg_session *s = calloc(1, sizeof *s);
    if (!s)
        return cf_fail(err, CF_NOMEM, "%s: JPEG decoder", name);
    s->name = name;
    s->err = err;
    s->codec.err = jpeg_std_error(&s->faults);
    s->codec.client_data = s; /* jpeg_create_decompress keeps these two */
    s->faults.error_exit = on_error;
    s->faults.emit_message = on_message;
    s->progress.progress_monitor = on_progress;
    s->source = (struct jpeg_source_mgr){.next_input_byte = data,
                                         .bytes_in_buffer = n,
                                         .init_source = source_begin_or_end,
                                         .fill_input_buffer = source_is_dry,
                                         .skip_input_data = source_skip,
                                         .resync_to_restart = jpeg_resync_to_restart,
                                         .term_source = source_begin_or_end};
    if (setjmp(s->escape) == 0) {
        begin(s);
        read_rows(s);
        *out = s->image;
        s->image = (cf_image){0};
    }
    const cf_status st = s->st;
    jpeg_destroy_decompress(&s->codec);
    cf_image_deinit(&s->image);
    free(s);
    return st;
}

#define TEXT(x) #x
#define TEXT_OF(x) TEXT(x)

const char *cf_jpeg_library(void)
{
#if defined(LIBJPEG_TURBO_VERSION)
    return "libjpeg-turbo " TEXT_OF(LIBJPEG_TURBO_VERSION);
#else
    return "libjpeg " TEXT_OF(JPEG_LIB_VERSION);
#endif
}
