/* preprocess_config.c - preprocessor_config.json to cf_preprocess.
 *
 * Keys and defaults are those of CLIPImageProcessor, LlavaImageProcessor and LlavaNextImageProcessor (transformers 4
 * and 5): an absent key and null mean the default; `size` as a number is the shortest edge, `crop_size` as a number is
 * a square. Whatever would change pixels in a way that is not implemented is refused by name, not passed over. */
#include "image/preprocess.h"

#include <math.h>
#include <string.h>

enum { MAX_EDGE = 16384, MAX_TILES_PER_SIDE = 64, DEFAULT_EDGE = 224, BICUBIC = 3 };

typedef enum processor { CLIP, LLAVA, LLAVA_NEXT } processor;

static bool is_given(const cf_json *node)
{
    return cf_json_kind_of(node) != CF_JSON_ABSENT && cf_json_kind_of(node) != CF_JSON_NULL;
}

static cf_status read_flag(bool *out, const cf_json *json, const char *key, const char *where, cf_error *err)
{
    const cf_json *node = cf_json_get(json, key);
    if (!is_given(node))
        return CF_OK;
    if (cf_json_kind_of(node) != CF_JSON_BOOL)
        return cf_fail(err, CF_FORMAT, "%s: %s: expected true or false", where, key);
    *out = cf_json_bool(node, false);
    return CF_OK;
}

static cf_status read_edge(int32_t *out, const cf_json *node, const char *key, const char *where, cf_error *err)
{
    int64_t v = 0;
    if (!cf_json_i64(&v, node) || v < 1 || v > MAX_EDGE)
        return cf_fail(err, CF_FORMAT, "%s: %s: expected a whole number of pixels from 1 to %d", where, key,
                       (int)MAX_EDGE);
    *out = (int32_t)v;
    return CF_OK;
}

static cf_status read_height_width(int32_t *h, int32_t *w, const cf_json *node, const char *key, const char *where,
                                   cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(read_edge(h, cf_json_get(node, "height"), key, where, err));
    CF_TRY(read_edge(w, cf_json_get(node, "width"), key, where, err));
done:
    return st;
}

static cf_status read_size(cf_preprocess *p, const cf_json *node, const char *where, cf_error *err)
{
    if (!is_given(node))
        return CF_OK;
    p->shortest_edge = p->size_h = p->size_w = 0;
    if (cf_json_kind_of(node) != CF_JSON_OBJECT)
        return read_edge(&p->shortest_edge, node, "size", where, err);
    if (cf_json_count(node) == 1 && is_given(cf_json_get(node, "shortest_edge")))
        return read_edge(&p->shortest_edge, cf_json_get(node, "shortest_edge"), "size.shortest_edge", where, err);
    if (cf_json_count(node) == 2 && is_given(cf_json_get(node, "height")) && is_given(cf_json_get(node, "width")))
        return read_height_width(&p->size_h, &p->size_w, node, "size", where, err);
    return cf_fail(err, CF_UNSUPPORTED, "%s: size: expected shortest_edge alone, or height and width", where);
}

static cf_status read_crop_size(cf_preprocess *p, const cf_json *node, const char *where, cf_error *err)
{
    if (!is_given(node))
        return CF_OK;
    if (cf_json_kind_of(node) == CF_JSON_OBJECT)
        return read_height_width(&p->crop_h, &p->crop_w, node, "crop_size", where, err);
    const cf_status st = read_edge(&p->crop_h, node, "crop_size", where, err);
    if (st == CF_OK)
        p->crop_w = p->crop_h;
    return st;
}

static cf_status read_number(double *out, const cf_json *node, const char *key, const char *where, cf_error *err)
{
    const double v = cf_json_number(node, NAN);
    if (!isfinite(v) || !isfinite((float)v))
        return cf_fail(err, CF_FORMAT, "%s: %s: expected a number", where, key);
    *out = v;
    return CF_OK;
}

static cf_status read_filter(int32_t *out, const cf_json *node, const char *where, cf_error *err)
{
    int64_t v = 0;
    if (!cf_json_i64(&v, node) || v < 0 || v > 5)
        return cf_fail(err, CF_FORMAT, "%s: resample: expected the number of a PIL filter, 0 to 5", where);
    *out = (int32_t)v;
    return CF_OK;
}

static cf_status read_channels(double out[3], const cf_json *json, const char *key, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    const cf_json *node = cf_json_get(json, key);
    if (!is_given(node))
        return CF_OK;
    if (cf_json_kind_of(node) != CF_JSON_ARRAY || cf_json_count(node) != 3)
        return cf_fail(err, CF_FORMAT, "%s: %s: expected three numbers, one for each of red, green and blue", where,
                       key);
    const cf_json *item = cf_json_first(node);
    for (int c = 0; c < 3; c++, item = cf_json_next(item))
        CF_TRY(read_number(&out[c], item, key, where, err));
done:
    return st;
}

/* A class name may carry the suffix of its implementation. */
static cf_status read_type(processor *out, const cf_json *json, const char *where, cf_error *err)
{
    static const struct {
        const char *name;
        processor is;
    } known[] = {
        {"CLIPImageProcessor", CLIP},
        {"CLIPImageProcessorFast", CLIP},
        {"CLIPImageProcessorPil", CLIP},
        {"CLIPFeatureExtractor", CLIP},
        {"LlavaImageProcessor", LLAVA},
        {"LlavaImageProcessorFast", LLAVA},
        {"LlavaImageProcessorPil", LLAVA},
        {"LlavaNextImageProcessor", LLAVA_NEXT},
        {"LlavaNextImageProcessorFast", LLAVA_NEXT},
        {"LlavaNextImageProcessorPil", LLAVA_NEXT},
    };
    const cf_json *node = cf_json_get(json, "image_processor_type");
    if (!is_given(node))
        node = cf_json_get(json, "feature_extractor_type"); /* before transformers 4.26 */
    *out = CLIP;
    if (!is_given(node))
        return CF_OK;
    const char *type = cf_json_string(node);
    for (size_t i = 0; type && i < sizeof known / sizeof known[0]; i++)
        if (strcmp(type, known[i].name) == 0) {
            *out = known[i].is;
            return CF_OK;
        }
    return cf_fail(err, CF_UNSUPPORTED,
                   "%s: image_processor_type: expected CLIPImageProcessor, LlavaImageProcessor or "
                   "LlavaNextImageProcessor, found %s",
                   where, type ? type : "no string");
}

static cf_preprocess defaults(void)
{
    return (cf_preprocess){
        .fit = CF_FIT_CROP,
        .shortest_edge = DEFAULT_EDGE,
        .crop_h = DEFAULT_EDGE,
        .crop_w = DEFAULT_EDGE,
        .do_resize = true,
        .do_center_crop = true,
        .do_rescale = true,
        .do_normalize = true,
        .resample = BICUBIC,
        .rescale_factor = 1.0 / 255,
        .mean = {0.48145466, 0.4578275, 0.40821073}, /* OPENAI_CLIP_MEAN and _STD */
        .std = {0.26862954, 0.26130258, 0.27577711},
    };
}

/* Without a crop, the resize itself must give every picture the same shape. */
static cf_status shape_without_crop(cf_preprocess *p, const char *where, cf_error *err)
{
    if (!p->do_resize || (p->shortest_edge && p->fit == CF_FIT_CROP))
        return cf_fail(err, CF_UNSUPPORTED, "%s: without do_center_crop, expected a resize to one height and width",
                       where);
    const int32_t h = p->shortest_edge ? p->shortest_edge : p->size_h;
    const int32_t w = p->shortest_edge ? p->shortest_edge : p->size_w;
    if (p->fit == CF_FIT_ANYRES && (p->crop_h != h || p->crop_w != w)) /* crop_size is still where tiles are cut */
        return cf_fail(err, CF_UNSUPPORTED,
                       "%s: without do_center_crop, expected tiles of %d x %d, found crop_size %d x %d", where, w, h,
                       p->crop_w, p->crop_h);
    p->crop_h = h;
    p->crop_w = w;
    return CF_OK;
}

static bool fills_tiles(int64_t extent, int32_t tile)
{
    return extent > 0 && extent % tile == 0 && extent / tile <= MAX_TILES_PER_SIDE && extent <= MAX_EDGE;
}

cf_status cf_preprocess_set_pinpoints(cf_preprocess *p, const cf_pinpoint *pinpoints, int64_t n, const char *where,
                                      cf_error *err)
{
    if (p->crop_h != p->crop_w)
        return cf_fail(err, CF_UNSUPPORTED, "%s: high-resolution tiles must be square, crop_size is %d x %d", where,
                       p->crop_w, p->crop_h);
    if (n < 1 || n > CF_MAX_PINPOINTS)
        return cf_fail(err, CF_UNSUPPORTED, "%s: image_grid_pinpoints: expected 1 to %d of them, found %lld", where,
                       (int)CF_MAX_PINPOINTS, (long long)n);
    for (int64_t i = 0; i < n; i++)
        if (!fills_tiles(pinpoints[i].height, p->crop_h) || !fills_tiles(pinpoints[i].width, p->crop_w))
            return cf_fail(
                err, CF_FORMAT,
                "%s: image_grid_pinpoints: expected height and width to be 1 to %d times the tile of %d pixels "
                "and at most %d, found %d x %d as number %lld",
                where, (int)MAX_TILES_PER_SIDE, p->crop_h, (int)MAX_EDGE, pinpoints[i].height, pinpoints[i].width,
                (long long)i);
    memcpy(p->pinpoints, pinpoints, (size_t)n * sizeof *pinpoints);
    p->n_pinpoints = (int32_t)n;
    return CF_OK;
}

/* [[height, width], ...]. */
static cf_status read_pinpoints(cf_preprocess *p, const cf_json *list, const char *where, cf_error *err)
{
    static const cf_pinpoint by_default[] = {{336, 672}, {672, 336}, {672, 672}, {1008, 336}, {336, 1008}};
    static const char key[] = "image_grid_pinpoints";
    if (!is_given(list))
        return cf_preprocess_set_pinpoints(p, by_default, sizeof by_default / sizeof *by_default, where, err);
    if (cf_json_kind_of(list) != CF_JSON_ARRAY)
        return cf_fail(err, CF_FORMAT, "%s: %s: expected a list of [height, width] pairs", where, key);
    cf_status st = CF_OK;
    cf_pinpoint read[CF_MAX_PINPOINTS] = {0};
    int64_t n = 0;
    for (const cf_json *pair = cf_json_first(list); pair && n < CF_MAX_PINPOINTS; pair = cf_json_next(pair), n++) {
        const cf_json *height = cf_json_first(pair);
        if (cf_json_kind_of(pair) != CF_JSON_ARRAY || cf_json_count(pair) != 2)
            return cf_fail(err, CF_FORMAT, "%s: %s: expected a [height, width] pair as number %lld", where, key,
                           (long long)n);
        CF_TRY(read_edge(&read[n].height, height, key, where, err));
        CF_TRY(read_edge(&read[n].width, cf_json_next(height), key, where, err));
    }
    CF_TRY(cf_preprocess_set_pinpoints(p, read, cf_json_count(list), where, err));
done:
    return st;
}

static cf_status check_values(const cf_preprocess *p, const char *where, cf_error *err)
{
    if ((p->do_resize || p->fit == CF_FIT_ANYRES) && p->resample != BICUBIC)
        return cf_fail(err, CF_UNSUPPORTED, "%s: resample: expected %d (bicubic), found %d", where, (int)BICUBIC,
                       p->resample);
    for (int c = 0; c < 3; c++)
        if (p->do_normalize && (float)p->std[c] == 0.0F)
            return cf_fail(err, CF_FORMAT, "%s: image_std: expected no zero", where);
    return CF_OK;
}

cf_status cf_preprocess_parse(cf_preprocess *out, const cf_json *json, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    cf_preprocess p = defaults();
    processor type = CLIP;
    bool do_pad = false;
    const cf_json *node = cf_json_get(json, "image_processor");
    if (cf_json_kind_of(node) == CF_JSON_OBJECT)
        json = node; /* a whole processor_config.json */
    if (cf_json_kind_of(json) != CF_JSON_OBJECT)
        return cf_fail(err, CF_FORMAT, "%s: expected a JSON object", where);
    CF_TRY(read_type(&type, json, where, err));
    CF_TRY(read_flag(&p.do_resize, json, "do_resize", where, err));
    CF_TRY(read_flag(&p.do_center_crop, json, "do_center_crop", where, err));
    CF_TRY(read_flag(&p.do_rescale, json, "do_rescale", where, err));
    CF_TRY(read_flag(&p.do_normalize, json, "do_normalize", where, err));
    CF_TRY(read_flag(&do_pad, json, "do_pad", where, err));
    if (type == LLAVA_NEXT)
        p.fit = CF_FIT_ANYRES;
    else if (type == LLAVA && do_pad) /* that of the others only evens out a batch */
        p.fit = CF_FIT_PAD;
    CF_TRY(read_size(&p, cf_json_get(json, "size"), where, err));
    CF_TRY(read_crop_size(&p, cf_json_get(json, "crop_size"), where, err));
    node = cf_json_get(json, "resample");
    if (is_given(node))
        CF_TRY(read_filter(&p.resample, node, where, err));
    node = cf_json_get(json, "rescale_factor");
    if (is_given(node))
        CF_TRY(read_number(&p.rescale_factor, node, "rescale_factor", where, err));
    CF_TRY(read_channels(p.mean, json, "image_mean", where, err));
    CF_TRY(read_channels(p.std, json, "image_std", where, err));
    if (!p.do_center_crop)
        CF_TRY(shape_without_crop(&p, where, err));
    if (type == LLAVA_NEXT)
        CF_TRY(read_pinpoints(&p, cf_json_get(json, "image_grid_pinpoints"), where, err));
    CF_TRY(check_values(&p, where, err));
    *out = p;
done:
    return st;
}

cf_preprocess cf_preprocess_clip(int32_t size)
{
    return (cf_preprocess){.fit = CF_FIT_CROP,
                           .shortest_edge = size,
                           .crop_h = size,
                           .crop_w = size,
                           .do_resize = true,
                           .do_center_crop = true,
                           .do_rescale = true,
                           .do_normalize = true,
                           .resample = 3,
                           .rescale_factor = 1.0 / 255.0,
                           .mean = {0.48145466, 0.4578275, 0.40821073},
                           .std = {0.26862954, 0.26130258, 0.27577711}};
}
