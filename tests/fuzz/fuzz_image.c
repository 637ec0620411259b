/* fuzz_image.c - any bytes as a picture file: decoded and fitted, or refused with a message. Pictures over 4
 * megapixels are left alone, so that the time goes into the decoders.
 *
 * clang -std=gnu17 -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Isrc $(pkg-config --cflags libpng libcjson)
 *     tests/fuzz/fuzz_image.c src/image/{boxes,decode,jpeg,pad,png,preprocess,preprocess_config,resize}.c
 *     src/base/{error,file,json,memory,str}.c -lm -ljpeg -lpng16 -lcjson -o /tmp/fuzz_image
 * /tmp/fuzz_image -max_total_time=60 /tmp/corpus tests/fuzz/seeds/image tests/image/golden */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "image/image.h"
#include "image/preprocess.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Width and height as the header claims them; for PNG alone, whose header lies at a fixed place. */
static int claims_too_much(const uint8_t *data, size_t n)
{
    if (n < 24 || data[0] != 0x89)
        return 0;
    const uint64_t width = (uint64_t)data[16] << 24 | (uint64_t)data[17] << 16 | (uint64_t)data[18] << 8 | data[19];
    const uint64_t height = (uint64_t)data[20] << 24 | (uint64_t)data[21] << 16 | (uint64_t)data[22] << 8 | data[23];
    return width * height > 4000000 && width * height <= CF_IMAGE_MAX_PIXELS;
}

/* The same for JPEG: any frame header that claims too much. */
static int frame_claims_too_much(const uint8_t *data, size_t n)
{
    for (size_t i = 0; i + 9 < n; i++) {
        if (data[i] != 0xff || data[i + 1] < 0xc0 || data[i + 1] > 0xcf)
            continue;
        const uint64_t height = (uint64_t)data[i + 5] << 8 | data[i + 6];
        const uint64_t width = (uint64_t)data[i + 7] << 8 | data[i + 8];
        if (width * height > 4000000 && width * height <= CF_IMAGE_MAX_PIXELS)
            return 1;
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const cf_preprocess crop = {
        .fit = CF_FIT_CROP, .shortest_edge = 14, .crop_h = 14, .crop_w = 17, .do_resize = true, .do_center_crop = true};
    cf_image im = {0}, fitted = {0};
    cf_error err = {0};
    if (claims_too_much(data, n) || frame_claims_too_much(data, n))
        return 0;
    if (cf_image_decode(&im, data, n, "fuzz", &err) != CF_OK) {
        if (im.rgb || err.text[0] == '\0')
            abort();
        return 0;
    }
    if (cf_preprocess_fit(&fitted, &im, &crop, &err) != CF_OK)
        abort();
    cf_image_deinit(&fitted);
    cf_image_deinit(&im);
    return 0;
}
