/* study_facts.c - see study_facts.h. */
#include "study/study_facts.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/version.h"

void cf_facts_deinit(cf_facts *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free((char *)(uintptr_t)f->items[i].key);
        free((char *)(uintptr_t)f->items[i].value);
    }
    free(f->items);
    *f = (cf_facts){0};
}

static cf_status add(cf_facts *f, bool identity, const char *key, cf_slice value, cf_error *err)
{
    cf_status st = CF_OK;
    char *k = NULL, *v = NULL;
    void *items = f->items;
    CF_TRY(cf_strdup(&k, cf_slice_of(key), err));
    CF_TRY(cf_strdup(&v, value, err));
    CF_TRY(cf_grow(&items, &f->cap, f->n + 1, sizeof *f->items, "facts of the study", err));
    f->items = items;
    f->items[f->n++] = (cf_fact){k, v, identity};
    k = v = NULL;
done:
    free(k);
    free(v);
    return st;
}

cf_status cf_facts_add_text(cf_facts *f, bool identity, const char *key, const char *value, cf_error *err)
{
    return add(f, identity, key, cf_slice_of(value), err);
}

cf_status cf_facts_add_number(cf_facts *f, bool identity, const char *key, int64_t value, cf_error *err)
{
    cf_str text = {0};
    cf_status st = cf_str_addf(&text, err, "%lld", (long long)value);
    if (st == CF_OK)
        st = add(f, identity, key, cf_str_slice(&text), err);
    cf_str_deinit(&text);
    return st;
}

/* What the numbers come from: the model's files and the questions. */
static cf_status add_inputs(cf_facts *f, const cf_runtime *r, const cf_question_list *list, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str key = {0};
    char hex[CF_HASH_HEX_BYTES];
    CF_TRY(cf_checkpoint_hash(hex, r->checkpoint, err));
    CF_TRY(cf_facts_add_text(f, true, "checkpoint", hex, err));
    cf_tokenizer_hash(hex, r->tokenizer);
    CF_TRY(cf_facts_add_text(f, true, "tokenizer", hex, err));
    for (size_t i = 0; i < list->n_sets; i++) {
        cf_str_clear(&key);
        CF_TRY(cf_str_addf(&key, err, "questions %s", cf_question_set_task(list->sets[i])));
        cf_question_set_hash(hex, list->sets[i]);
        CF_TRY(cf_facts_add_text(f, true, key.data, hex, err));
    }
done:
    cf_str_deinit(&key);
    return st;
}

/* How a picture becomes pixels: the checkpoint's hash does not cover its preprocessor_config.json. */
static cf_status add_preprocess(cf_facts *f, const cf_runtime *r, cf_error *err)
{
    static const char *const orders[] = {[CF_HD_FLAT] = "flat",
                                         [CF_HD_SPATIAL] = "spatial",
                                         [CF_HD_UNPAD] = "spatial_unpad",
                                         [CF_HD_UNPAD_ORIGINAL] = "spatial_unpad as the original"};
    const cf_preprocess *p = &r->preprocess;
    cf_status st = CF_OK;
    cf_str text = {0};
    CF_TRY(cf_facts_add_text(f, true, "image fit", cf_runtime_fit(r), err));
    if (p->fit == CF_FIT_ANYRES) {
        CF_TRY(cf_str_addf(&text, err, "%s", orders[r->packing.order]));
        for (int32_t i = 0; i < p->n_pinpoints; i++)
            CF_TRY(cf_str_addf(&text, err, ", %dx%d", p->pinpoints[i].width, p->pinpoints[i].height));
        CF_TRY(add(f, true, "image tiles", cf_str_slice(&text), err));
        cf_str_clear(&text);
    }
    if (p->do_resize && p->shortest_edge)
        CF_TRY(cf_str_addf(&text, err, "resize %d, ", p->shortest_edge));
    else if (p->do_resize)
        CF_TRY(cf_str_addf(&text, err, "resize %dx%d, ", p->size_w, p->size_h));
    CF_TRY(cf_str_addf(&text, err, "%s %dx%d", p->do_center_crop ? "crop" : "size", p->crop_w, p->crop_h));
    if (p->do_rescale)
        CF_TRY(cf_str_addf(&text, err, ", times %.17g", p->rescale_factor));
    if (p->do_normalize || p->fit == CF_FIT_PAD) /* the mean is also the colour of the padding */
        CF_TRY(cf_str_addf(&text, err, ", mean %.17g %.17g %.17g", p->mean[0], p->mean[1], p->mean[2]));
    if (p->do_normalize)
        CF_TRY(cf_str_addf(&text, err, ", std %.17g %.17g %.17g", p->std[0], p->std[1], p->std[2]));
    CF_TRY(add(f, true, "image values", cf_str_slice(&text), err));
done:
    cf_str_deinit(&text);
    return st;
}

static bool draws(const cf_run_set *runs)
{
    for (size_t i = 0; i < runs->flows.n; i++)
        if (runs->flows.items[i].mode == CF_MODE_RANDOM)
            return true;
    return false;
}

/* Which runs there are. */
static cf_status add_runs(cf_facts *f, const cf_study *s, cf_error *err)
{
    const cf_study_options *o = s->o;
    cf_status st = CF_OK;
    cf_str text = {0};
    CF_TRY(cf_str_add_text(&text, "", err));
    if (!o->map) { /* a map's follow from what its job says of it */
        CF_TRY(cf_flows_print(&text, &s->runs.flows, err));
        CF_TRY(add(f, true, "flows", cf_str_slice(&text), err));
    }
    cf_str_clear(&text);
    for (size_t i = 0; i < o->n_styles; i++)
        CF_TRY(cf_str_addf(&text, err, "%s%s", i ? "," : "", cf_window_style_name(o->styles[i])));
    CF_TRY(add(f, true, "window styles", cf_str_slice(&text), err));
    cf_str_clear(&text);
    for (size_t i = 0; i < o->n_windows; i++)
        CF_TRY(cf_str_addf(&text, err, "%s%d", i ? "," : "", o->windows[i]));
    CF_TRY(add(f, true, "windows", cf_str_slice(&text), err));
    cf_str_clear(&text);
    CF_TRY(cf_str_addf(&text, err, "%d:%d", o->layer_begin, o->layer_end ? o->layer_end : s->runs.n_layers));
    CF_TRY(add(f, true, "layers", cf_str_slice(&text), err));
    if (draws(&s->runs)) {
        CF_TRY(cf_facts_add_number(f, true, "repeats", o->repeats, err));
        CF_TRY(cf_facts_add_number(f, true, "seed", o->seed, err));
    }
done:
    cf_str_deinit(&text);
    return st;
}

/* What was asked for. */
static cf_status add_settings(cf_facts *f, const cf_study *s, cf_error *err)
{
    static const char *const keeps[] = {
        [CF_KEEP_CORRECT] = "correct", [CF_KEEP_WRONG] = "wrong", [CF_KEEP_ALL] = "all"};
    const cf_runtime *r = &s->runtime;
    cf_status st = CF_OK;
    CF_TRY(cf_facts_add_text(f, true, "study", s->job->name, err));
    CF_TRY(cf_facts_add_text(f, true, "prompt", r->prompt, err));
    CF_TRY(cf_facts_add_text(f, true, "prompt tokens", r->prompt_whole ? "of the whole" : "of each side of the picture",
                             err));
    CF_TRY(add_preprocess(f, r, err));
    CF_TRY(add_runs(f, s, err));
    CF_TRY(s->job->add_facts(f, s->o, err));
    CF_TRY(cf_facts_add_text(f, true, "keep", keeps[s->o->keep], err));
    CF_TRY(cf_facts_add_number(f, true, "max new tokens", s->o->max_new_tokens, err));
    CF_TRY(cf_facts_add_text(f, true, "device", cf_backend_name(r->backend), err));
    CF_TRY(cf_facts_add_text(f, true, "dtype", cf_dtype_name(cf_backend_compute(r->backend)), err));
    CF_TRY(cf_facts_add_text(f, true, "reuse", s->o->reuse ? "on" : "off", err));
done:
    return st;
}

/* By whom and where: no number depends on it, the last writer's is kept. */
static cf_status add_provenance(cf_facts *f, const cf_study *s, cf_error *err)
{
    const cf_runtime *r = &s->runtime;
    cf_status st = CF_OK;
    cf_str libraries = {0};
    CF_TRY(cf_facts_add_text(f, false, "crossflow", cf_version(), err));
    CF_TRY(cf_str_addf(&libraries, err, "%s, %s, %s", cf_jpeg_library(), cf_png_library(), cf_store_library()));
    CF_TRY(cf_facts_add_text(f, false, "libraries", libraries.data, err));
    CF_TRY(cf_facts_add_text(f, false, "backend", cf_backend_describe(r->backend), err));
    CF_TRY(cf_facts_add_number(f, false, "threads", cf_backend_n_threads(r->backend), err));
    CF_TRY(cf_facts_add_text(f, false, "row invariant", r->row_invariant ? "yes" : "no", err));
    CF_TRY(cf_facts_add_text(f, false, "model", s->o->runtime.model, err));
    CF_TRY(cf_facts_add_text(f, false, "questions", s->o->questions, err));
    CF_TRY(cf_facts_add_text(f, false, "images", s->images, err));
    CF_TRY(cf_facts_add_text(f, false, "command", s->o->command ? s->o->command : "", err));
done:
    cf_str_deinit(&libraries);
    return st;
}

cf_status cf_facts_of_study(cf_facts *out, const cf_study *s, cf_error *err)
{
    cf_status st = CF_OK;
    cf_facts f = {0};
    CF_TRY(add_inputs(&f, &s->runtime, &s->list, err));
    CF_TRY(add_settings(&f, s, err));
    CF_TRY(add_provenance(&f, s, err));
    *out = f;
    f = (cf_facts){0};
done:
    cf_facts_deinit(&f);
    return st;
}
