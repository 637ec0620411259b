/* jpeg_write.c - RGB8 to a JPEG in memory, through libjpeg-turbo: small pictures to be looked at, never measured.
 *
 * As in jpeg.c, libjpeg leaves through error_exit, and everything that must survive the jump lives in the session. */
#include "image/image.h"
#include "image/image_internal.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>
#include <jerror.h>

enum { CHUNK_BYTES = 4096 };

typedef struct write_session {
    struct jpeg_compress_struct codec;
    struct jpeg_error_mgr faults;
    struct jpeg_destination_mgr target;
    jmp_buf escape;
    cf_str bytes;
    JOCTET chunk[CHUNK_BYTES];
    cf_error *err;
    cf_status st;
} write_session;

static _Noreturn void leave(write_session *s, cf_status st)
{
    s->st = st;
    longjmp(s->escape, 1);
}

static void on_error(j_common_ptr codec)
{
    write_session *s = codec->client_data;
    char text[JMSG_LENGTH_MAX];
    codec->err->format_message(codec, text);
    const cf_status st = codec->err->msg_code == JERR_OUT_OF_MEMORY ? CF_NOMEM : CF_UNSUPPORTED;
    leave(s, cf_fail(s->err, st, "a picture cannot be made a JPEG: %s", text));
}

static void on_message(j_common_ptr codec, int level)
{
    (void)codec;
    (void)level;
}

static void begin_chunk(j_compress_ptr codec)
{
    write_session *s = codec->client_data;
    s->target.next_output_byte = s->chunk;
    s->target.free_in_buffer = CHUNK_BYTES;
}

static void keep(write_session *s, size_t n)
{
    const cf_status st = cf_str_add(&s->bytes, (cf_slice){(const char *)s->chunk, n}, s->err);
    if (st != CF_OK)
        leave(s, st);
}

static boolean chunk_is_full(j_compress_ptr codec)
{
    keep(codec->client_data, CHUNK_BYTES);
    begin_chunk(codec);
    return TRUE;
}

static void end_chunk(j_compress_ptr codec)
{
    write_session *s = codec->client_data;
    keep(s, CHUNK_BYTES - s->target.free_in_buffer);
}

static void write_rows(write_session *s, const cf_image *im, int quality)
{
    jpeg_create_compress(&s->codec);
    s->codec.dest = &s->target;
    s->codec.image_width = (JDIMENSION)im->width;
    s->codec.image_height = (JDIMENSION)im->height;
    s->codec.input_components = 3;
    s->codec.in_color_space = JCS_RGB;
    jpeg_set_defaults(&s->codec);
    jpeg_set_quality(&s->codec, quality, TRUE);
    jpeg_start_compress(&s->codec, TRUE);
    while (s->codec.next_scanline < s->codec.image_height) {
        JSAMPROW row = im->rgb + (size_t)s->codec.next_scanline * (size_t)im->width * 3;
        (void)jpeg_write_scanlines(&s->codec, &row, 1);
    }
    jpeg_finish_compress(&s->codec);
}

cf_status cf_image_write_jpeg(cf_str *out, const cf_image *im, int quality, cf_error *err)
{
    write_session *s = calloc(1, sizeof *s);
    if (!s)
        return cf_fail(err, CF_NOMEM, "JPEG encoder");
    s->err = err;
    s->codec.err = jpeg_std_error(&s->faults);
    s->codec.client_data = s; /* jpeg_create_compress keeps these two */
    s->faults.error_exit = on_error;
    s->faults.emit_message = on_message;
    s->target = (struct jpeg_destination_mgr){
        .init_destination = begin_chunk, .empty_output_buffer = chunk_is_full, .term_destination = end_chunk};
    if (setjmp(s->escape) == 0)
        write_rows(s, im, quality);
    cf_status st = s->st;
    if (st == CF_OK)
        st = cf_str_add(out, cf_str_slice(&s->bytes), err);
    jpeg_destroy_compress(&s->codec);
    cf_str_deinit(&s->bytes);
    free(s);
    return st;
}
