/* preprocess_config.c - preprocessor_config.json to cf_preprocess.
 *
 * Keys and defaults are those of CLIPImageProcessor and LlavaImageProcessor (transformers 4 and 5): an absent key and
 * null mean the default; `size` as a number is the shortest edge, `crop_size` as a number is a square. Whatever would
 * change pixels in a way that is not implemented is refused by name rather than passed over. */
#include "image/preprocess.h"

#include <math.h>
#include <string.h>

enum { MAX_EDGE = 16384, DEFAULT_EDGE = 224, BICUBIC = 3 };

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

/* The processors whose steps these are. A class name may carry the suffix of its implementation. */
static cf_status read_type(bool *is_llava, const cf_json *json, const char *where, cf_error *err)
{
    static const char *const clip[] = {"CLIPImageProcessor", "CLIPImageProcessorFast", "CLIPImageProcessorPil",
                                       "CLIPFeatureExtractor"};
    static const char *const llava[] = {"LlavaImageProcessor", "LlavaImageProcessorFast", "LlavaImageProcessorPil"};
    const cf_json *node = cf_json_get(json, "image_processor_type");
    if (!is_given(node))
        node = cf_json_get(json, "feature_extractor_type"); /* before transformers 4.26 */
    *is_llava = false;
    if (!is_given(node))
        return CF_OK;
    const char *type = cf_json_string(node);
    for (size_t i = 0; type && i < sizeof clip / sizeof clip[0]; i++)
        if (strcmp(type, clip[i]) == 0)
            return CF_OK;
    for (size_t i = 0; type && i < sizeof llava / sizeof llava[0]; i++)
        if (strcmp(type, llava[i]) == 0) {
            *is_llava = true;
            return CF_OK;
        }
    return cf_fail(err, CF_UNSUPPORTED,
                   "%s: image_processor_type: expected CLIPImageProcessor or LlavaImageProcessor, found %s", where,
                   type ? type : "no string");
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
    if (!p->do_resize || (p->shortest_edge && p->fit != CF_FIT_PAD))
        return cf_fail(err, CF_UNSUPPORTED, "%s: without do_center_crop, expected a resize to one height and width",
                       where);
    p->crop_h = p->shortest_edge ? p->shortest_edge : p->size_h;
    p->crop_w = p->shortest_edge ? p->shortest_edge : p->size_w;
    return CF_OK;
}

static cf_status check_values(const cf_preprocess *p, const char *where, cf_error *err)
{
    if (p->do_resize && p->resample != BICUBIC)
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
    bool is_llava = false, do_pad = false;
    const cf_json *node = cf_json_get(json, "image_processor");
    if (cf_json_kind_of(node) == CF_JSON_OBJECT)
        json = node; /* a whole processor_config.json */
    if (cf_json_kind_of(json) != CF_JSON_OBJECT)
        return cf_fail(err, CF_FORMAT, "%s: expected a JSON object", where);
    CF_TRY(read_type(&is_llava, json, where, err));
    CF_TRY(read_flag(&p.do_resize, json, "do_resize", where, err));
    CF_TRY(read_flag(&p.do_center_crop, json, "do_center_crop", where, err));
    CF_TRY(read_flag(&p.do_rescale, json, "do_rescale", where, err));
    CF_TRY(read_flag(&p.do_normalize, json, "do_normalize", where, err));
    CF_TRY(read_flag(&do_pad, json, "do_pad", where, err));
    p.fit = is_llava && do_pad ? CF_FIT_PAD : CF_FIT_CROP; /* CLIP's do_pad only evens out a batch */
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
    CF_TRY(check_values(&p, where, err));
    *out = p;
done:
    return st;
}
