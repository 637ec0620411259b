/* fuzz_preprocess.c - any bytes as preprocessor_config.json; what is accepted must tile a picture and place a box without a
 * fault, and plan what it then does.
 *
 * clang -std=gnu17 -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Isrc $(pkg-config --cflags libcjson)
 *     tests/fuzz/fuzz_preprocess.c
 *     src/image/{boxes,decode,jpeg,pad,png,preprocess,preprocess_config,resize,tile_grid,tiling}.c
 *     src/base/{error,file,json,memory,str}.c -lm -ljpeg -lpng16 -lcjson -o /tmp/fuzz_preprocess
 * /tmp/fuzz_preprocess -max_total_time=60 /tmp/corpus tests/fuzz/seeds/preprocess */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "image/tiling.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void use(const cf_preprocess *p, int32_t width, int32_t height)
{
    static const cf_packing k = {.patch_size = 14, .order = CF_HD_UNPAD, .newline = true};
    const cf_box box = {-1, 1, 4, 1};
    cf_image im = {0};
    cf_tiling plan = {0}, t = {0};
    cf_error err = {0};
    if (cf_image_create(&im, width, height, &err) != CF_OK ||
        cf_tiling_plan(&plan, width, height, p, &k, &err) != CF_OK)
        abort();
    const size_t n = (size_t)plan.grid.tile_h * (size_t)plan.grid.tile_w * (size_t)plan.grid.n_tiles;
    float *pixels = malloc(n * 3 * sizeof *pixels);
    bool *hit = malloc((size_t)plan.grid.n_positions + 1);
    if (!pixels || !hit)
        abort();
    const cf_status tiled = cf_tiling_create(&t, &im, p, &k, &err);
    if (tiled == CF_OK)
        cf_tiling_values(pixels, &t, p);
    if (cf_tiling_boxes(hit, &plan, &box, 1, p, &err) != tiled)
        abort();
    cf_tiling_deinit(&t);
    cf_tiling_deinit(&plan);
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
    } else if (p.crop_h <= 128 && p.crop_w <= 128) {
        use(&p, 5, 3);
        use(&p, 2, 70);
    }
    cf_json_free(json);
    return 0;
}
