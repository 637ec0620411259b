/* sample_set.c - see sample_set.h. */
#include "sample_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUESTIONS_DIR "demo/questions"

double json_double(const cf_json *object, const char *name)
{
    const cf_json *v = cf_json_get(object, name);
    assert_int_equal(cf_json_kind_of(v), CF_JSON_NUMBER);
    return cf_json_number(v, 0);
}

int32_t json_whole(const cf_json *node)
{
    int64_t v = 0;
    assert_true(cf_json_i64(&v, node));
    assert_in_range(v, 0, INT32_MAX);
    return (int32_t)v;
}

int32_t json_int(const cf_json *object, const char *name)
{
    return json_whole(cf_json_get(object, name));
}

const cf_json *json_at(const cf_json *list, int64_t at)
{
    const cf_json *item = cf_json_first(list);
    while (at-- > 0)
        item = cf_json_next(item);
    assert_non_null(item);
    return item;
}

const cf_json *knocked_out(const sample *s, const char *flow_name, int32_t k)
{
    char name[96];
    (void)snprintf(name, sizeof name, "%s@%d", flow_name, k);
    const cf_json *list = cf_json_get(cf_json_get(s->record, "knockout"), name);
    assert_int_equal(cf_json_kind_of(list), CF_JSON_ARRAY);
    return list;
}

static void read_pixels(sample *out, const cf_preprocess *p, const cf_model *m)
{
    char path[128];
    cf_image picture = {0};
    const cf_packing packing = {.patch_size = (int32_t)cf_model_config(m)->vision.patch_size};
    (void)snprintf(path, sizeof path, QUESTIONS_DIR "/images/%s.jpg",
                   cf_json_string(cf_json_get(out->record, "image")));
    OK(cf_image_open(&picture, path, &err));
    OK(cf_tiling_create(&out->tiling, &picture, p, &packing, &err));
    out->pixels = malloc(3 * (size_t)p->crop_h * (size_t)p->crop_w * sizeof *out->pixels);
    assert_non_null(out->pixels);
    cf_tiling_values(out->pixels, &out->tiling, p);
    cf_image_deinit(&picture);
}

static void read_groups(sample *out, const cf_model *m)
{
    bool hit[MAX_LENGTH] = {false};
    const cf_json *patches = cf_json_get(out->record, "object_patches");
    const cf_json *question = cf_json_get(out->record, "question_span");
    for (const cf_json *p = cf_json_first(patches); p; p = cf_json_next(p)) {
        assert_in_range(json_whole(p), 0, cf_model_n_patches(m) - 1);
        hit[json_whole(p)] = true;
    }
    const cf_layout layout = {.length = cf_input_length(m, &out->input),
                              .image = cf_input_image(m, &out->input),
                              .hit = hit,
                              .question = {json_whole(json_at(question, 0)), json_whole(json_at(question, 1))}};
    OK(cf_groups_build(&out->groups, &layout, &err));
}

void sample_read(sample *out, const cf_json *record, const cf_preprocess *p, const cf_model *m)
{
    const cf_json *ids = cf_json_get(record, "text_ids");
    const int32_t n = (int32_t)cf_json_count(ids);
    out->record = record;
    out->key = cf_json_string(cf_json_get(record, "key"));
    out->ids = malloc((size_t)n * sizeof *out->ids);
    assert_non_null(out->ids);
    int32_t at = 0;
    for (const cf_json *id = cf_json_first(ids); id; id = cf_json_next(id))
        out->ids[at++] = json_whole(id);
    read_pixels(out, p, m);
    out->input =
        (cf_input){.ids = out->ids, .n_ids = n, .image_index = json_int(record, "image_at"), .pixels = out->pixels};
    assert_int_equal(cf_input_length(m, &out->input), json_int(record, "length"));
    out->first_token = json_int(record, "first_token");
}

static cf_group one_group(const cf_group_expr *e)
{
    assert_true(e->n == 1 && e->terms[0].kind == CF_TERM_NAMED);
    return e->terms[0].named;
}

static void read_head(sample_set *s, const cf_model *m)
{
    const cf_text_config *t = &cf_model_config(m)->text;
    s->n_layers = (int32_t)t->n_layers;
    s->n_heads = (int32_t)t->n_heads;
    s->hidden_size = (int32_t)t->hidden_size;
    s->vocab_size = (int32_t)t->vocab_size;
    const cf_json *flows = cf_json_get(s->json, "flows"), *windows = cf_json_get(s->json, "windows");
    assert_int_equal(cf_json_count(flows), N_FLOWS);
    for (int64_t f = 0; f < N_FLOWS; f++) {
        s->flow_names[f] = cf_json_string(json_at(flows, f));
        cf_flow flow = {0};
        OK(cf_flow_parse(&flow, cf_slice_of(s->flow_names[f]), &err));
        assert_true(flow.mode == CF_MODE_CUT && flow.n_edges == 1);
        s->flows[f] = (group_pair){one_group(&flow.edges[0].source), one_group(&flow.edges[0].target)};
        cf_flow_deinit(&flow);
    }
    s->n_windows = (size_t)cf_json_count(windows);
    assert_in_range(s->n_windows, 1, MAX_WINDOWS);
    for (size_t w = 0; w < s->n_windows; w++)
        s->windows[w] = json_whole(json_at(windows, (int64_t)w));
}

void preprocess_read(cf_preprocess *out, const char *model_dir)
{
    char path[128];
    cf_json *config = NULL;
    (void)snprintf(path, sizeof path, "%s/preprocessor_config.json", model_dir);
    OK(cf_json_open(&config, path, 1 << 16, &err));
    OK(cf_preprocess_parse(out, config, path, &err));
    cf_json_free(config);
}

void samples_open(sample_set *s, const char *name, const char *json, const char *tensors, const char *model_dir,
                  const cf_model *m, size_t max_samples)
{
    cf_preprocess p;
    *s = (sample_set){.name = name, .step = 1};
    OK(cf_json_open(&s->json, json, 1 << 22, &err));
    OK(cf_safetensors_open(&s->tensors, tensors, &err));
    preprocess_read(&p, model_dir);
    read_head(s, m);
    const cf_json *records = cf_json_get(s->json, "samples");
    const size_t all = (size_t)cf_json_count(records);
    s->n = all < max_samples ? all : max_samples;
    s->samples = calloc(s->n, sizeof *s->samples);
    assert_non_null(s->samples);
    for (size_t i = 0; i < s->n; i++) {
        sample_read(&s->samples[i], json_at(records, (int64_t)(i * all / s->n)), &p, m);
        read_groups(&s->samples[i], m);
    }
}

void sample_deinit(sample *s)
{
    free(s->ids);
    free(s->pixels);
    cf_tiling_deinit(&s->tiling);
    cf_groups_deinit(&s->groups);
}

void samples_close(sample_set *s)
{
    for (size_t i = 0; i < s->n; i++) {
        sample_deinit(&s->samples[i]);
    }
    free(s->samples);
    cf_safetensors_deinit(&s->tensors);
    cf_json_free(s->json);
}

const sample *sample_find(const sample_set *s, const char *key)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->samples[i].key, key) == 0)
            return &s->samples[i];
    return NULL;
}
