/* test_config.c - preprocessor_config.json of both transformers generations, and what is refused. */
#include "test_image.h"

#include <stdio.h>
#include <string.h>

#include "image_golden.h"

static cf_status parse(cf_preprocess *p, const char *text, cf_error *err)
{
    cf_json *json = NULL;
    assert_int_equal(cf_json_parse(&json, cf_slice_of(text), "test", err), CF_OK);
    const cf_status st = cf_preprocess_parse(p, json, "model/preprocessor_config.json", err);
    cf_json_free(json);
    return st;
}

static void configurations_of_published_folders_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        cf_image_fit fit;
        int32_t shortest_edge, size_h, size_w, crop_h, crop_w;
        bool do_resize, do_center_crop, do_rescale, do_normalize;
    } cases[] = {
        {"nothing said", "{}", CF_FIT_CROP, 224, 0, 0, 224, 224, true, true, true, true},
        {"null is nothing said", "{\"size\":null,\"crop_size\":null,\"do_resize\":null,\"image_mean\":null}",
         CF_FIT_CROP, 224, 0, 0, 224, 224, true, true, true, true},
        {"transformers 4, LLaVA-1.5",
         "{\"crop_size\":{\"height\":336,\"width\":336},\"image_processor_type\":\"CLIPImageProcessor\",\"resample\":3,"
         "\"size\":{\"shortest_edge\":336},\"rescale_factor\":0.00392156862745098}",
         CF_FIT_CROP, 336, 0, 0, 336, 336, true, true, true, true},
        {"numbers, the original CLIP",
         "{\"crop_size\":336,\"size\":336,\"feature_extractor_type\":\"CLIPFeatureExtractor\"}", CF_FIT_CROP, 336, 0, 0,
         336, 336, true, true, true, true},
        {"inside processor_config.json",
         "{\"processor_class\":\"LlavaProcessor\",\"image_processor\":{\"image_processor_type\":"
         "\"LlavaImageProcessorFast\","
         "\"do_pad\":true,\"size\":{\"shortest_edge\":30},\"crop_size\":{\"height\":28,\"width\":29}}}",
         CF_FIT_PAD, 30, 0, 0, 28, 29, true, true, true, true},
        {"CLIP's do_pad does not pad to a square",
         "{\"image_processor_type\":\"CLIPImageProcessorFast\",\"do_pad\":true}", CF_FIT_CROP, 224, 0, 0, 224, 224,
         true, true, true, true},
        {"no crop, height and width",
         "{\"do_center_crop\":false,\"size\":{\"height\":10,\"width\":20},\"crop_size\":9}", CF_FIT_CROP, 0, 10, 20, 10,
         20, true, false, true, true},
        {"no crop, padded",
         "{\"do_center_crop\":false,\"size\":24,\"do_pad\":true,\"image_processor_type\":\"LlavaImageProcessor\"}",
         CF_FIT_PAD, 24, 0, 0, 24, 24, true, false, true, true},
        {"LLaVA-NeXT",
         "{\"image_processor_type\":\"LlavaNextImageProcessor\",\"do_pad\":true,\"crop_size\":{\"height\":336,"
         "\"width\":"
         "336},\"size\":{\"shortest_edge\":336}}",
         CF_FIT_ANYRES, 336, 0, 0, 336, 336, true, true, true, true},
        {"LLaVA-NeXT, no crop",
         "{\"image_processor_type\":\"LlavaNextImageProcessorFast\",\"do_center_crop\":false,\"crop_size\":24,\"size\":"
         "24}",
         CF_FIT_ANYRES, 24, 0, 0, 24, 24, true, false, true, true},
        {"LLaVA-NeXT, no resize",
         "{\"image_processor_type\":\"LlavaNextImageProcessorPil\",\"do_resize\":false,\"crop_size\":24,\"size\":24}",
         CF_FIT_ANYRES, 24, 0, 0, 24, 24, false, true, true, true},
        {"steps off", "{\"do_resize\":false,\"do_rescale\":false,\"do_normalize\":false,\"resample\":2}", CF_FIT_CROP,
         224, 0, 0, 224, 224, false, true, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_preprocess p = {0};
        cf_error err = {0};
        const cf_status st = parse(&p, cases[i].text, &err);
        if (st != CF_OK || p.fit != cases[i].fit || p.shortest_edge != cases[i].shortest_edge ||
            p.size_h != cases[i].size_h || p.size_w != cases[i].size_w || p.crop_h != cases[i].crop_h ||
            p.crop_w != cases[i].crop_w || p.do_resize != cases[i].do_resize ||
            p.do_center_crop != cases[i].do_center_crop || p.do_rescale != cases[i].do_rescale ||
            p.do_normalize != cases[i].do_normalize) {
            print_error("%s: %s\n", cases[i].name, err.text);
            fail();
        }
        assert_true(p.mean[0] == 0.48145466 && p.mean[2] == 0.40821073 && p.std[1] == 0.26130258);
        assert_true(p.rescale_factor == 1.0 / 255);
    }
}

#define NEXT "{\"image_processor_type\":\"LlavaNextImageProcessor\",\"crop_size\":24,\"size\":24,"

static void what_would_change_pixels_silently_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        cf_status status;
        const char *says;
    } cases[] = {
        {"another processor", "{\"image_processor_type\":\"SiglipImageProcessor\"}", CF_UNSUPPORTED,
         "SiglipImageProcessor"},
        {"a processor that is no name", "{\"image_processor_type\":7}", CF_UNSUPPORTED, "image_processor_type"},
        {"another filter", "{\"resample\":2}", CF_UNSUPPORTED, "resample"},
        {"no filter", "{\"resample\":1e300}", CF_FORMAT, "resample"},
        {"a filter by name", "{\"resample\":\"bicubic\"}", CF_FORMAT, "resample"},
        {"two edges", "{\"size\":{\"shortest_edge\":3,\"longest_edge\":9}}", CF_UNSUPPORTED, "size"},
        {"longest edge", "{\"size\":{\"longest_edge\":9}}", CF_UNSUPPORTED, "size"},
        {"empty size", "{\"size\":{}}", CF_UNSUPPORTED, "size"},
        {"size zero", "{\"size\":0}", CF_FORMAT, "size"},
        {"size too large", "{\"size\":16385}", CF_FORMAT, "16384"},
        {"size not whole", "{\"size\":1.5}", CF_FORMAT, "size"},
        {"size as a list", "{\"size\":[3,4]}", CF_FORMAT, "size"},
        {"negative height", "{\"size\":{\"height\":-4,\"width\":4}}", CF_FORMAT, "size"},
        {"crop without width", "{\"crop_size\":{\"height\":4}}", CF_FORMAT, "crop_size"},
        {"crop as text", "{\"crop_size\":\"336\"}", CF_FORMAT, "crop_size"},
        {"no crop, shape open", "{\"do_center_crop\":false}", CF_UNSUPPORTED, "do_center_crop"},
        {"no crop, no resize", "{\"do_center_crop\":false,\"do_resize\":false}", CF_UNSUPPORTED, "do_center_crop"},
        {"flag as a number", "{\"do_resize\":1}", CF_FORMAT, "do_resize"},
        {"two means", "{\"image_mean\":[0.5,0.5]}", CF_FORMAT, "image_mean"},
        {"mean as text", "{\"image_mean\":[0.5,0.5,\"x\"]}", CF_FORMAT, "image_mean"},
        {"mean beyond float", "{\"image_mean\":[0.5,0.5,1e39]}", CF_FORMAT, "image_mean"},
        {"std zero", "{\"image_std\":[0.5,0,0.5]}", CF_FORMAT, "image_std"},
        {"std zero as a float", "{\"image_std\":[0.5,1e-60,0.5]}", CF_FORMAT, "image_std"},
        {"rescale as text", "{\"rescale_factor\":\"1/255\"}", CF_FORMAT, "rescale_factor"},
        {"another filter, tiles without resize", NEXT "\"do_resize\":false,\"resample\":2}", CF_UNSUPPORTED,
         "resample"},
        {"default pinpoints that the tile does not divide", "{\"image_processor_type\":\"LlavaNextImageProcessor\"}",
         CF_FORMAT, "found 336 x 672 as number 0"},
        {"a tile that is not square",
         "{\"image_processor_type\":\"LlavaNextImageProcessor\",\"crop_size\":{\"height\":336,\"width\":168}}",
         CF_UNSUPPORTED, "square"},
        {"tiles cut at another size than they keep",
         "{\"image_processor_type\":\"LlavaNextImageProcessor\",\"do_center_crop\":false,\"size\":336,\"crop_size\":"
         "168}",
         CF_UNSUPPORTED, "found crop_size 168 x 168"},
        {"ranges of pinpoints", NEXT "\"image_grid_pinpoints\":\"(1x1),...,(6x6)\"}", CF_FORMAT, "pairs"},
        {"no pinpoints", NEXT "\"image_grid_pinpoints\":[]}", CF_UNSUPPORTED, "found 0"},
        {"a pinpoint that is no pair", NEXT "\"image_grid_pinpoints\":[[24,24],[24]]}", CF_FORMAT, "number 1"},
        {"a pinpoint of three", NEXT "\"image_grid_pinpoints\":[[24,24,24]]}", CF_FORMAT, "number 0"},
        {"a pinpoint by name", NEXT "\"image_grid_pinpoints\":[{\"height\":24,\"width\":24}]}", CF_FORMAT, "number 0"},
        {"a pinpoint of text", NEXT "\"image_grid_pinpoints\":[[24,\"24\"]]}", CF_FORMAT, "image_grid_pinpoints"},
        {"a pinpoint of nothing", NEXT "\"image_grid_pinpoints\":[[24,0]]}", CF_FORMAT, "image_grid_pinpoints"},
        {"half a tile more", NEXT "\"image_grid_pinpoints\":[[24,48],[36,24]]}", CF_FORMAT,
         "found 36 x 24 as number 1"},
        {"too many tiles", NEXT "\"image_grid_pinpoints\":[[24,1560]]}", CF_FORMAT, "1 to 64 times the tile of 24"},
        {"no object", "[1]", CF_FORMAT, "JSON object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_preprocess p = {.crop_h = 77};
        cf_error err = {0};
        const cf_status st = parse(&p, cases[i].text, &err);
        if (st != cases[i].status || p.crop_h != 77 || !strstr(err.text, cases[i].says) ||
            !strstr(err.text, "model/preprocessor_config.json")) {
            print_error("%s: status %d, %s\n", cases[i].name, (int)st, err.text);
            fail();
        }
    }
}

static void pinpoints_keep_their_order_and_may_come_from_elsewhere(void **state)
{
    (void)state;
    cf_preprocess p = {0};
    cf_error err = {0};
    assert_int_equal(parse(&p, "{\"image_processor_type\":\"LlavaNextImageProcessor\",\"crop_size\":336}", &err),
                     CF_OK);
    assert_int_equal(p.n_pinpoints, 5); /* LlavaNextImageProcessor's default */
    assert_true(p.pinpoints[0].height == 336 && p.pinpoints[0].width == 672 && p.pinpoints[4].width == 1008);
    assert_int_equal(parse(&p, NEXT "\"image_grid_pinpoints\":[[48,24],[24,1536]]}", &err), CF_OK);
    assert_int_equal(p.n_pinpoints, 2);
    assert_true(p.pinpoints[0].height == 48 && p.pinpoints[0].width == 24 && p.pinpoints[1].width == 1536);

    const cf_pinpoint one = {.height = 24, .width = 72}, odd = {.height = 25, .width = 24};
    cf_pinpoint many[CF_MAX_PINPOINTS + 1];
    for (int i = 0; i <= CF_MAX_PINPOINTS; i++)
        many[i] = one;
    assert_int_equal(cf_preprocess_set_pinpoints(&p, many, CF_MAX_PINPOINTS + 1, "config.json", &err), CF_UNSUPPORTED);
    assert_int_equal(cf_preprocess_set_pinpoints(&p, &odd, 1, "config.json", &err), CF_FORMAT);
    assert_non_null(strstr(err.text, "config.json"));
    const cf_pinpoint negative = {.height = 24, .width = -24}, huge = {.height = 16464, .width = 336};
    assert_int_equal(cf_preprocess_set_pinpoints(&p, &negative, 1, "config.json", &err), CF_FORMAT);
    cf_preprocess large = {.crop_h = 336, .crop_w = 336};
    assert_int_equal(cf_preprocess_set_pinpoints(&large, &huge, 1, "config.json", &err), CF_FORMAT);
    assert_int_equal(large.n_pinpoints, 0);
    assert_true(p.n_pinpoints == 2 && p.pinpoints[0].height == 48);
    assert_int_equal(cf_preprocess_set_pinpoints(&p, many, CF_MAX_PINPOINTS, "config.json", &err), CF_OK);
    assert_true(p.n_pinpoints == CF_MAX_PINPOINTS && p.pinpoints[CF_MAX_PINPOINTS - 1].width == 72);

    char text[1024] = NEXT "\"image_grid_pinpoints\":[[48,24]";
    for (int i = 0; i < CF_MAX_PINPOINTS - 2; i++)
        memcpy(text + strlen(text), ",[24,24]", sizeof ",[24,24]");
    char *end = text + strlen(text);
    memcpy(end, ",[24,48]]}", sizeof ",[24,48]]}");
    assert_int_equal(parse(&p, text, &err), CF_OK);
    assert_true(p.n_pinpoints == CF_MAX_PINPOINTS && p.pinpoints[CF_MAX_PINPOINTS - 1].width == 48);
    memcpy(end, ",[24,48],[24,24]]}", sizeof ",[24,48],[24,24]]}");
    assert_int_equal(parse(&p, text, &err), CF_UNSUPPORTED);
    assert_non_null(strstr(err.text, "found 65"));
}

int test_config(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configurations_of_published_folders_are_understood),
        cmocka_unit_test(what_would_change_pixels_silently_is_refused),
        cmocka_unit_test(pinpoints_keep_their_order_and_may_come_from_elsewhere),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
