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

/* preprocessor_config.json, or the image processor inside processor_config.json. */
static cf_status open_preprocess(cf_preprocess *out, const char *dir, cf_error *err)
{
    cf_status st = CF_OK;
    char *path = NULL;
    cf_json *json = NULL;
    CF_TRY(cf_path_join(&path, dir, "preprocessor_config.json", err));
    if (!cf_file_exists(path)) {
        free(path);
        path = NULL;
        CF_TRY(cf_path_join(&path, dir, "processor_config.json", err));
        if (!cf_file_exists(path)) {
            st = cf_fail(err, CF_IO, "%s: neither preprocessor_config.json nor processor_config.json is there", dir);
            goto done;
        }
    }
    CF_TRY(cf_json_open(&json, path, CONFIG_BYTES, err));
    const cf_json *inner = cf_json_get(json, "image_processor");
    CF_TRY(cf_preprocess_parse(out, inner ? inner : json, path, err));
done:
    cf_json_free(json);
    free(path);
    return st;
}

/* The picture must come out in the size the vision tower reads. */
static cf_status choose_fit(cf_preprocess *p, const char *fit, const cf_config *c, const char *dir, cf_error *err)
{
    if (strcmp(fit, "crop") == 0)
        p->fit = CF_FIT_CROP;
    else if (strcmp(fit, "pad") == 0)
        p->fit = CF_FIT_PAD;
    else if (strcmp(fit, "auto") != 0)
        return cf_fail(err, CF_USAGE, "--image-fit %s: expected auto, crop or pad", fit);
    if (p->crop_h != c->vision.image_size || p->crop_w != c->vision.image_size)
        return cf_fail(err, CF_MISMATCH, "%s: pictures are prepared as %dx%d, the vision tower reads %lldx%lld", dir,
                       p->crop_w, p->crop_h, (long long)c->vision.image_size, (long long)c->vision.image_size);
    return CF_OK;
}

static cf_status choose_prompt(cf_runtime *r, const char *prompt, cf_error *err)
{
    static const char *const own = "llava_hf_1.5"; /* what the Hugging Face conversions of LLaVA-1.5 document */
    const char *text = cf_prompt_preset_text(prompt ? prompt : own);
    /* The published scripts tokenise the two sides of the picture apart. */
    r->prompt_whole = !(prompt && strcmp(prompt, "vicuna_v1") == 0);
    if (!text)
        text = prompt;
    const char *image = strstr(text, "<image>");
    if (!image || !strstr(image, "{question}")) /* a question is looked for after the picture */
        return cf_fail(err, CF_USAGE,
                       "--prompt %s: expected a preset (llava_hf_1.5, vicuna_v1) or a text with <image> and, after it, "
                       "{question}",
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
    CF_TRY(cf_checkpoint_open(&r->checkpoint, o->model, err));
    CF_TRY(cf_tokenizer_open(&r->tokenizer, o->model, err));
    const cf_config *c = cf_checkpoint_config(r->checkpoint);
    if (cf_tokenizer_size(r->tokenizer) > c->text.vocab_size) {
        st = cf_fail(err, CF_MISMATCH, "%s: the tokenizer has ids up to %d, the model %lld embeddings", o->model,
                     cf_tokenizer_size(r->tokenizer) - 1, (long long)c->text.vocab_size);
        goto done;
    }
    CF_TRY(open_preprocess(&r->preprocess, o->model, err));
    CF_TRY(choose_fit(&r->preprocess, o->image_fit, c, o->model, err));
    CF_TRY(choose_prompt(r, o->prompt, err));
    CF_TRY(try_prompt(r, err));
done:
    return st;
}

cf_status cf_runtime_dtype(cf_dtype *out, const cf_runtime *r, const cf_runtime_options *o, cf_error *err)
{
    if (strcmp(o->dtype, "f32") == 0)
        *out = CF_F32;
    else if (strcmp(o->dtype, "bf16") == 0)
        *out = CF_BF16;
    else if (strcmp(o->dtype, "auto") == 0) {
        const double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
        const bool fits = 4.0 * (double)cf_checkpoint_n_parameters(r->checkpoint) <= memory / 2;
        *out = fits || !cf_backend_has_bf16(o->device) ? CF_F32 : CF_BF16;
    } else
        return cf_fail(err, CF_USAGE, "--dtype %s: expected auto, f32 or bf16", o->dtype);
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

/* What matrices may take: three quarters of the machine's memory; the rest is for keys and values, kept inputs, the rows in
 * flight, and the files' pages. */
static int64_t weight_budget(void)
{
    return (int64_t)sysconf(_SC_PHYS_PAGES) * (int64_t)sysconf(_SC_PAGESIZE) / 4 * 3;
}

cf_status cf_runtime_load(cf_runtime *r, const cf_runtime_options *o, cf_error *err)
{
    cf_status st = CF_OK;
    cf_backend_options options = {.n_threads = o->threads};
    CF_TRY(cf_runtime_dtype(&options.compute, r, o, err));
    CF_TRY(cf_backend_open(&r->backend, o->device, &options, err));
    CF_TRY(cf_model_load(&r->model, r->backend, r->checkpoint, weight_budget(), err));
done:
    return st;
}

cf_status cf_runtime_open(cf_runtime *r, const cf_runtime_options *o, cf_error *err)
{
    const cf_status st = cf_runtime_open_files(r, o, err);
    return st == CF_OK ? cf_runtime_load(r, o, err) : st;
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
