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

int test_config(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configurations_of_published_folders_are_understood),
        cmocka_unit_test(what_would_change_pixels_silently_is_refused),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
