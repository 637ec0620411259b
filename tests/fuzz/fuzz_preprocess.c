/* fuzz_preprocess.c - any bytes as preprocessor_config.json; what is accepted must fit a picture and draw a box without a fault.
 *
 * clang -std=gnu17 -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Isrc $(pkg-config --cflags libcjson)
 *     tests/fuzz/fuzz_preprocess.c src/image/{boxes,decode,jpeg,pad,png,preprocess,preprocess_config,resize}.c
 *     src/base/{error,file,json,memory,str}.c -lm -ljpeg -lpng16 -lcjson -o /tmp/fuzz_preprocess
 * /tmp/fuzz_preprocess -max_total_time=60 /tmp/corpus tests/fuzz/seeds/preprocess */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "image/preprocess.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void use(const cf_preprocess *p)
{
    cf_image im = {0}, fitted = {0};
    cf_error err = {0};
    const size_t n = (size_t)p->crop_h * (size_t)p->crop_w;
    float *pixels = malloc(n * 3 * sizeof *pixels);
    bool *hit = malloc(n);
    const cf_box box = {-1, 1, 4, 1};
    if (!pixels || !hit || cf_image_create(&im, 5, 3, &err) != CF_OK)
        abort();
    if (cf_preprocess_fit(&fitted, &im, p, &err) == CF_OK)
        cf_preprocess_values(pixels, &fitted, p);
    const cf_status st = cf_preprocess_boxes(hit, 5, 3, &box, 1, 14, p, &err);
    if ((st == CF_OK) != (fitted.rgb != NULL))
        abort();
    cf_image_deinit(&fitted);
    cf_image_deinit(&im);
    free(pixels);
    free(hit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    cf_json *json = NULL;
    cf_preprocess p = {0};
    cf_error err = {0};
    if (cf_json_parse(&json, (cf_slice){(const char *)data, n}, "fuzz", &err) != CF_OK)
        return 0;
    if (cf_preprocess_parse(&p, json, "fuzz", &err) != CF_OK) {
        if (err.text[0] == '\0')
            abort();
    } else if (p.crop_h <= 512 && p.crop_w <= 512) {
        use(&p);
    }
    cf_json_free(json);
    return 0;
}
