/* runtime.c - see runtime.h. */
#include "study/runtime.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"

enum { CONFIG_BYTES = 16 << 20, PROBE_ROWS = 160 };

cf_runtime_options cf_runtime_options_default(void)
{
    return (cf_runtime_options){.device = "cpu", .dtype = "auto", .image_fit = "auto"};
}

/* preprocessor_config.json, or else processor_config.json; *out NULL where neither is in dir. The caller frees. */
static cf_status find_preprocess(char **out, const char *dir, cf_error *err)
{
    static const char *const names[] = {"preprocessor_config.json", "processor_config.json"};
    for (size_t i = 0; dir && !*out && i < sizeof names / sizeof names[0]; i++) {
        char *path = NULL;
        const cf_status st = cf_path_join(&path, dir, names[i], err);
        if (st != CF_OK)
            return st;
        if (cf_file_exists(path))
            *out = path;
        else
            free(path);
    }
    return CF_OK;
}

/* The rules for pictures lie in the checkpoint's folder, or in that of its vision tower; without either, an original
 * checkpoint's are CLIP's. */
static cf_status open_preprocess(cf_preprocess *out, const cf_checkpoint *c, cf_error *err)
{
    cf_status st = CF_OK;
    char *path = NULL;
    cf_json *json = NULL;
    CF_TRY(find_preprocess(&path, cf_checkpoint_dir(c), err));
    if (!path)
        CF_TRY(find_preprocess(&path, cf_checkpoint_vision_tower(c), err));
    if (!path && cf_checkpoint_config(c)->original) {
        *out = cf_preprocess_clip((int32_t)cf_checkpoint_config(c)->vision.image_size);
        goto done;
    }
    if (!path) {
        st = cf_fail(err, CF_IO, "%s: neither preprocessor_config.json nor processor_config.json is there",
                     cf_checkpoint_dir(c));
        goto done;
    }
    CF_TRY(cf_json_open(&json, path, CONFIG_BYTES, err));
    const cf_json *inner = cf_json_get(json, "image_processor");
    CF_TRY(cf_preprocess_parse(out, inner ? inner : json, path, err));
done:
    cf_json_free(json);
    free(path);
    return st;
}

/* The fit that a name stands for. paper: what the published scripts do with this model. */
static cf_status named_fit(cf_image_fit *out, const char *name, const cf_config *c, cf_error *err)
{
    const bool paper = strcmp(name, "paper") == 0;
    if (strcmp(name, "crop") == 0)
        *out = CF_FIT_CROP;
    else if (strcmp(name, "anyres") == 0 ||
             ((paper || strcmp(name, "auto") == 0) && c->image_aspect == CF_ASPECT_ANYRES))
        *out = CF_FIT_ANYRES;
    else if (strcmp(name, "pad") == 0 || paper || (strcmp(name, "auto") == 0 && c->image_aspect == CF_ASPECT_PAD))
        *out = CF_FIT_PAD;
    else if (strcmp(name, "auto") != 0) /* auto otherwise: as the folder's image processor does */
        return cf_fail(err, CF_USAGE, "--image-fit %s: expected auto, crop, pad or anyres", name);
    return CF_OK;
}

static cf_hd_order order_of(const cf_config *c)
{
    if (c->patch_merge == CF_MERGE_FLAT)
        return CF_HD_FLAT;
    if (c->patch_merge == CF_MERGE_SPATIAL)
        return CF_HD_SPATIAL;
    return c->original ? CF_HD_UNPAD_ORIGINAL : CF_HD_UNPAD;
}

/* The picture must come out in the size the vision tower reads. */
static cf_status choose_fit(cf_runtime *r, const char *name, const char *dir, cf_error *err)
{
    const cf_config *c = cf_checkpoint_config(r->checkpoint);
    cf_preprocess *p = &r->preprocess;
    cf_pinpoint pinpoints[CF_MAX_GRID];
    cf_status st = CF_OK;
    CF_TRY(named_fit(&p->fit, name, c, err));
    r->packing = (cf_packing){.patch_size = (int32_t)c->vision.patch_size,
                              .order = order_of(c),
                              .newline = c->patch_merge == CF_MERGE_SPATIAL_UNPAD};
    if (p->crop_h != c->vision.image_size || p->crop_w != c->vision.image_size)
        return cf_fail(err, CF_MISMATCH, "%s: pictures are prepared as %dx%d, the vision tower reads %lldx%lld", dir,
                       p->crop_w, p->crop_h, (long long)c->vision.image_size, (long long)c->vision.image_size);
    if (p->fit != CF_FIT_ANYRES)
        return CF_OK;
    if (c->n_grid == 0)
        return cf_fail(err, CF_USAGE, "--image-fit %s: %s has no image_grid_pinpoints", name, dir);
    for (int32_t i = 0; i < c->n_grid; i++)
        pinpoints[i] = (cf_pinpoint){c->grid[i].height, c->grid[i].width};
    CF_TRY(cf_preprocess_set_pinpoints(p, pinpoints, c->n_grid, dir, err));
done:
    return st;
}

static cf_status choose_prompt(cf_runtime *r, const char *prompt, cf_error *err)
{
    const cf_config *c = cf_checkpoint_config(r->checkpoint);
    const bool paper = prompt && strcmp(prompt, "paper") == 0;
    const cf_prompt_preset *preset =
        prompt && !paper
            ? cf_prompt_preset_named(prompt)
            : cf_prompt_preset_for(c->model_type, paper || c->original, c->text.type != CF_TEXT_LLAMA, r->tokenizer);
    const char *text = preset ? preset->text : prompt;
    r->prompt_whole = !c->original && (!preset || preset->whole); /* LLaVA's own form has no token for the picture */
    const char *image = strstr(text, "<image>");
    if (!image || !strstr(image, "{question}")) /* a question is looked for after the picture */
        return cf_fail(
            err, CF_USAGE,
            "--prompt %s: expected a preset (crossflow ask --help names them) or a text with <image> and, after "
            "it, {question}",
            prompt);
    return cf_strdup(&r->prompt, cf_slice_of(text), err);
}

/* A prompt that cannot be laid out would be a fault of every question: tried once, before any. */
static cf_status try_prompt(const cf_runtime *r, cf_error *err)
{
    cf_prompt p = {0};
    const cf_status st = cf_prompt_create(&p, r->tokenizer, cf_checkpoint_config(r->checkpoint)->image_token_id,
                                          r->prompt, cf_slice_of("?"), r->prompt_whole, err);
    cf_prompt_deinit(&p);
    return st;
}

cf_status cf_runtime_open_files(cf_runtime *r, const cf_runtime_options *o, cf_error *err)
{
    cf_status st = CF_OK;
    *r = (cf_runtime){0};
    if (o->threads < 0)
        return cf_fail(err, CF_USAGE, "--threads %d: expected 1 or more", o->threads);
    if (o->in_flight < 0)
        return cf_fail(err, CF_USAGE, "--in-flight %d: expected 1 or more", o->in_flight);
    if (o->weights_mib > INT32_MAX)
        return cf_fail(err, CF_USAGE, "--weights-memory %lld: expected a number of MiB", (long long)o->weights_mib);
    const cf_checkpoint_options where = {.vision_tower = o->vision_tower};
    CF_TRY(cf_checkpoint_open_with(&r->checkpoint, o->model, &where, err));
    CF_TRY(cf_tokenizer_open(&r->tokenizer, cf_checkpoint_dir(r->checkpoint), err));
    const cf_config *c = cf_checkpoint_config(r->checkpoint);
    if (cf_tokenizer_size(r->tokenizer) > c->text.vocab_size) {
        st = cf_fail(err, CF_MISMATCH, "%s: the tokenizer has ids up to %d, the model %lld embeddings", o->model,
                     cf_tokenizer_size(r->tokenizer) - 1, (long long)c->text.vocab_size);
        goto done;
    }
    CF_TRY(open_preprocess(&r->preprocess, r->checkpoint, err));
    CF_TRY(choose_fit(r, o->image_fit, o->model, err));
    CF_TRY(choose_prompt(r, o->prompt, err));
    CF_TRY(try_prompt(r, err));
done:
    return st;
}

/* The dtype of the decoder's matrices in the files. */
static cf_status own_dtype(cf_dtype *out, const cf_runtime *r, cf_error *err)
{
    const cf_text_config *t = &cf_checkpoint_config(r->checkpoint)->text;
    const int64_t shape[] = {t->intermediate_size, t->hidden_size};
    cf_tensor matrix;
    const cf_status st = cf_checkpoint_weight(&matrix, r->checkpoint,
                                              "model.language_model.layers.0.mlp.gate_proj.weight", 2, shape, err);
    if (st == CF_OK)
        *out = matrix.dtype;
    return st;
}

cf_status cf_runtime_dtype(cf_dtype *out, const cf_runtime *r, const cf_runtime_options *o, cf_error *err)
{
    if (strcmp(o->dtype, "f32") == 0)
        *out = CF_F32;
    else if (strcmp(o->dtype, "bf16") == 0)
        *out = CF_BF16;
    else if (strcmp(o->dtype, "f16") == 0 && cf_backend_is_accelerator(o->device))
        *out = CF_F16;
    else if (strcmp(o->dtype, "auto") == 0 && cf_backend_is_accelerator(o->device))
        return own_dtype(out, r, err);
    else if (strcmp(o->dtype, "auto") == 0) {
        const double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
        const bool fits = 4.0 * (double)cf_checkpoint_n_parameters(r->checkpoint) <= memory / 2;
        *out = fits || !cf_backend_has_bf16(o->device) ? CF_F32 : CF_BF16;
    } else
        return cf_fail(err, CF_USAGE, "--dtype %s: expected auto, f32%s or bf16", o->dtype,
                       cf_backend_is_accelerator(o->device) ? ", f16" : "");
    return CF_OK;
}

cf_status cf_runtime_probe(cf_runtime *r, cf_error *err)
{
    const cf_weight *weights[16];
    int64_t n = 0;
    cf_status st = cf_model_weights(r->model, weights, 16, &n, err);
    if (st != CF_OK)
        return st;
    r->row_invariant = true;
    for (int64_t i = 0; i < n && r->row_invariant; i++) {
        st = cf_backend_probe(r->backend, &r->row_invariant, weights[i], PROBE_ROWS, err);
        if (st != CF_OK)
            return st;
    }
    return CF_OK;
}

enum { STREAMED_IN_FLIGHT = 4, MOST_IN_FLIGHT = 8, MAX_TEXT = 128, STACKED = 4 };

/* Multiply-adds of a row through a layer from which on one sample gives a processor enough to do: hundreds of rows then
 * take every parallel region to milliseconds. */
static const int64_t large_layer_macs = 16000000;

/* What a sample more takes, at most: keys and values of a picture in the most tiles and a prompt of MAX_TEXT tokens, and
 * STACKED times as many rows on their way through a layer, each some 16 values of its width. */
static int64_t sample_bytes(const cf_config *c)
{
    const cf_text_config *t = &c->text;
    const int64_t side = c->vision.image_size / c->vision.patch_size;
    int64_t tiles = 1;
    for (int32_t i = 0; i < c->n_grid; i++) {
        const int64_t n =
            1 + (c->grid[i].height / c->vision.image_size) * (int64_t)(c->grid[i].width / c->vision.image_size);
        tiles = n > tiles ? n : tiles;
    }
    return (int64_t)sizeof(float) * (tiles * side * side + MAX_TEXT) *
           (2 * t->n_layers * t->n_kv_heads * t->head_dim + STACKED * 16 * t->hidden_size);
}

/* How many samples to measure together, unless it is said. Where layers are streamed, each is read once for all of them.
 * An accelerator wants many rows at a time, and so does a processor where a model is small; but no layer gives way to
 * them. With large models a processor has nothing to gain: its results come sample by sample. */
static int32_t choose_in_flight(const cf_config *c, const char *device, cf_dtype dtype, int64_t bytes)
{
    const int64_t layers = c->text.n_layers;
    if (cf_model_plan_weights(c, dtype, bytes).n_resident < layers)
        return STREAMED_IN_FLIGHT;
    int32_t n =
        cf_backend_is_accelerator(device) || cf_text_layer_macs(&c->text) < large_layer_macs ? MOST_IN_FLIGHT : 1;
    while (n > 1 && (bytes <= (n - 1) * sample_bytes(c) ||
                     cf_model_plan_weights(c, dtype, bytes - (n - 1) * sample_bytes(c)).n_resident < layers))
        n--;
    return n;
}

cf_status cf_runtime_plan_memory(cf_memory_plan *out, const cf_runtime *r, const cf_runtime_options *o, cf_dtype dtype,
                                 cf_error *err)
{
    const cf_config *c = cf_checkpoint_config(r->checkpoint);
    int64_t memory = 0;
    const cf_status st = cf_backend_memory(&memory, o->device, err);
    if (st != CF_OK)
        return st;
    cf_memory_plan p = {o->weights_mib ? o->weights_mib << 20 : memory / 4 * 3, o->in_flight};
    if (p.in_flight == 0)
        p.in_flight = choose_in_flight(c, o->device, dtype, p.weight_bytes);
    if (!o->weights_mib) {
        const int64_t left = p.weight_bytes - (p.in_flight - 1) * sample_bytes(c);
        p.weight_bytes = left > 1 ? left : 1; /* 0 is no limit */
    }
    *out = p;
    return CF_OK;
}

cf_status cf_runtime_load(cf_runtime *r, const cf_runtime_options *o, cf_error *err)
{
    cf_status st = CF_OK;
    cf_backend_options options = {.n_threads = o->threads};
    cf_memory_plan plan;
    CF_TRY(cf_runtime_dtype(&options.compute, r, o, err));
    CF_TRY(cf_backend_open(&r->backend, o->device, &options, err));
    CF_TRY(cf_runtime_plan_memory(&plan, r, o, options.compute, err));
    CF_TRY(cf_model_load(&r->model, r->backend, r->checkpoint, plan.weight_bytes, err));
    r->in_flight = plan.in_flight;
done:
    return st;
}

cf_status cf_runtime_open(cf_runtime *r, const cf_runtime_options *o, cf_error *err)
{
    const cf_status st = cf_runtime_open_files(r, o, err);
    return st == CF_OK ? cf_runtime_load(r, o, err) : st;
}

const char *cf_runtime_fit(const cf_runtime *r)
{
    switch (r->preprocess.fit) {
    case CF_FIT_PAD:
        return "pad";
    case CF_FIT_ANYRES:
        return "anyres";
    case CF_FIT_CROP:
        break;
    }
    return "crop";
}

void cf_runtime_close(cf_runtime *r)
{
    cf_model_free(r->model);
    cf_backend_close(r->backend);
    free(r->prompt);
    cf_tokenizer_close(r->tokenizer);
    cf_checkpoint_close(r->checkpoint);
    *r = (cf_runtime){0};
}
