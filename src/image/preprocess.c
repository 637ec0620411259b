/* preprocess.c - fit (resize, crop, pad) and the arithmetic of pixel_values.
 *
 * Source: transformers 5.17.0, CLIPImageProcessorPil and LlavaImageProcessorPil (PilBackend._preprocess) with
 * image_transforms.get_resize_output_image_size, center_crop, rescale and normalize. Only the crop is ever resized: a
 * picture of 1 x 2000 pixels would otherwise become 336 x 672,000 on the way. */
#include "image/preprocess.h"

#include <assert.h>

#include "image/image_internal.h"

/* tuple(int(x * 255) for x in image_mean), clipped as Pillow clips a colour. */
static uint8_t background(double mean)
{
    const double v = mean * 255;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* The size of the whole picture after resizing. */
static void resized_size(int64_t *width, int64_t *height, int32_t in_w, int32_t in_h, const cf_preprocess *p)
{
    *width = in_w;
    *height = in_h;
    if (p->fit == CF_FIT_ANYRES && p->shortest_edge) { /* LlavaNextImageProcessorPil.get_image_patches: squeezed */
        *width = *height = p->shortest_edge;
        return;
    }
    if (p->fit != CF_FIT_ANYRES && !p->do_resize)
        return;
    if (p->shortest_edge == 0) {
        *width = p->size_w;
        *height = p->size_h;
        return;
    }
    const bool upright = in_w <= in_h;
    const int64_t shorter = upright ? in_w : in_h, longer = upright ? in_h : in_w;
    /* Python: int(size * long / short), a true division of integers, then truncation. */
    const int64_t edge = p->shortest_edge, other = (int64_t)((double)(edge * longer) / (double)shorter);
    *width = upright ? edge : other;
    *height = upright ? other : edge;
}

/* One axis of the centre crop: [*from, *from + *n) of the resized picture lands at *at of the crop; the rest of the
 * crop is zero. */
static void centre(int64_t *from, int32_t *n, int32_t *at, int64_t size, int32_t crop)
{
    const bool covers = size >= crop;
    *from = covers ? (size - crop) / 2 : 0;
    *n = covers ? crop : (int32_t)size;
    *at = covers ? 0 : (int32_t)((crop - size + 1) / 2);
}

cf_status cf_preprocess_fit(cf_image *out, const cf_image *in, const cf_preprocess *p, cf_error *err)
{
    cf_status st = CF_OK;
    cf_image square = {0}, crop = {0};
    const cf_image *from = in;
    if (p->fit == CF_FIT_PAD && in->width != in->height) {
        const uint8_t rgb[3] = {background(p->mean[0]), background(p->mean[1]), background(p->mean[2])};
        CF_TRY(cf_image_pad_square(&square, in, rgb, err));
        from = &square;
    }
    int64_t width = 0, height = 0;
    resized_size(&width, &height, from->width, from->height, p);
    if (!p->do_center_crop && (width != p->crop_w || height != p->crop_h)) {
        st = cf_fail(err, CF_MISMATCH,
                     "a picture of %d x %d pixels becomes %lld x %lld without a crop, the model takes %d x %d",
                     in->width, in->height, (long long)width, (long long)height, p->crop_w, p->crop_h);
        goto done;
    }
    cf_window window = {0};
    int32_t at_x = 0, at_y = 0;
    centre(&window.x, &window.width, &at_x, width, p->crop_w);
    centre(&window.y, &window.height, &at_y, height, p->crop_h);
    CF_TRY(cf_image_create(&crop, p->crop_w, p->crop_h, err));
    CF_TRY(cf_image_resize_window(&crop, at_x, at_y, from, width, height, window, err));
    *out = crop;
    crop = (cf_image){0};
done:
    cf_image_deinit(&square);
    cf_image_deinit(&crop);
    return st;
}

cf_placement cf_preprocess_placement(int32_t picture_w, int32_t picture_h, const cf_preprocess *p)
{
    const bool pads = p->fit == CF_FIT_PAD;
    const int32_t side = picture_w > picture_h ? picture_w : picture_h;
    const int32_t in_w = pads ? side : picture_w, in_h = pads ? side : picture_h;
    int64_t width = 0, height = 0, from_x = 0, from_y = 0;
    int32_t n = 0, at_x = 0, at_y = 0;
    resized_size(&width, &height, in_w, in_h, p);
    centre(&from_x, &n, &at_x, width, p->crop_w);
    centre(&from_y, &n, &at_y, height, p->crop_h);
    const double dx = (double)in_w / (double)width, dy = (double)in_h / (double)height;
    return (cf_placement){.x = (double)(from_x - at_x) * dx - (in_w - picture_w) / 2,
                          .y = (double)(from_y - at_y) * dy - (in_h - picture_h) / 2,
                          .dx = dx,
                          .dy = dy};
}

/* The value of each of the 256 bytes. HF rescale multiplies in double and rounds to float; normalize works in float,
 * with mean and std rounded to float first. */
static void value_table(float table[256], const cf_preprocess *p, int channel)
{
    const float mean = (float)p->mean[channel], std = (float)p->std[channel];
    for (int byte = 0; byte < 256; byte++) {
        float v = p->do_rescale ? (float)((double)byte * p->rescale_factor) : (float)byte;
        if (p->do_normalize)
            v = (v - mean) / std;
        table[byte] = v;
    }
}

void cf_preprocess_values(float *pixels, const cf_image *fitted, const cf_preprocess *p)
{
    assert(fitted->width == p->crop_w && fitted->height == p->crop_h);
    const size_t n = (size_t)fitted->width * (size_t)fitted->height;
    for (int c = 0; c < 3; c++) {
        float table[256];
        value_table(table, p, c);
        for (size_t i = 0; i < n; i++)
            pixels[(size_t)c * n + i] = table[fitted->rgb[3 * i + (size_t)c]];
    }
}
