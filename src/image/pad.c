/* pad.c - LLaVA's expand2square (HF: LlavaImageProcessorPil.pad_to_square). */
#include <string.h>

#include "image/image_internal.h"

cf_status cf_image_pad_square(cf_image *out, const cf_image *in, const uint8_t rgb[3], cf_error *err)
{
    const int32_t side = in->width > in->height ? in->width : in->height;
    cf_image square = {0};
    const cf_status st = cf_image_create_named(&square, side, side, "image padded to a square", err);
    if (st != CF_OK)
        return st;
    for (size_t i = 0; i < (size_t)side * (size_t)side; i++)
        memcpy(square.rgb + 3 * i, rgb, 3);
    const size_t left = (size_t)(side - in->width) / 2, top = (size_t)(side - in->height) / 2;
    const size_t row_bytes = (size_t)in->width * 3;
    for (size_t y = 0; y < (size_t)in->height; y++)
        memcpy(square.rgb + ((top + y) * (size_t)side + left) * 3, in->rgb + y * row_bytes, row_bytes);
    *out = square;
    return CF_OK;
}
