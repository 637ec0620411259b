/* deep_model.c - see deep_model.h. */
#include "deep_model.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "matrices.h"
#include "measure.h"
#include "model/model_internal.h"
#include "random_values.h"

enum { BEFORE = 5, QUESTION = 22, AFTER = 40 };

/* Layers 0, 1, ... of the model become its own ones in turn. The copies own nothing: deep_model_close takes them back. */
static void deepen(deep_model *m, int64_t n_layers)
{
    m->own_layers = m->model->config.text.n_layers;
    if (n_layers <= m->own_layers)
        return;
    cf_text_layer *layers = room((size_t)n_layers, sizeof *layers);
    for (int64_t i = 0; i < n_layers; i++)
        layers[i] = m->model->layers[i % m->own_layers];
    free(m->model->layers);
    m->model->layers = layers;
    m->model->n_resident = m->model->config.text.n_layers = n_layers;
}

static void make_prompt(deep_model *m)
{
    const cf_vision_config *v = &cf_model_config(m->model)->vision;
    const int64_t n_pixels = v->n_channels * v->image_size * v->image_size;
    m->ids = room(BEFORE + 1 + AFTER, sizeof *m->ids);
    for (int32_t i = 0; i < BEFORE + 1 + AFTER; i++)
        m->ids[i] = i == BEFORE ? cf_model_config(m->model)->image_token_id : 3 + i * 37 % 500;
    m->pixels = room((size_t)n_pixels, sizeof *m->pixels);
    fill_random(m->pixels, (size_t)n_pixels, 1.7f, 11);
    m->input = (cf_input){.ids = m->ids, .n_ids = BEFORE + 1 + AFTER, .image_index = BEFORE, .pixels = m->pixels};
    m->length = cf_input_length(m->model, &m->input);
    m->image = cf_input_image(m->model, &m->input);
    m->question = (cf_span){m->image.end, m->image.end + QUESTION};
}

static cf_dtype dtype_of(int argc, char **argv, const char *device)
{
    const char *name = option_text(argc, argv, "--dtype");
    const bool has_bf16 = cf_backend_has_bf16(device);
    if (!name)
        return has_bf16 ? CF_BF16 : CF_F32;
    if (strcmp(name, "f32") == 0)
        return CF_F32;
    if (strcmp(name, "bf16") == 0 && has_bf16)
        return CF_BF16;
    if (strcmp(name, "f16") == 0 && cf_backend_is_accelerator(device))
        return CF_F16;
    (void)fprintf(stderr, "--dtype %s: expected f32, or what the device multiplies: bf16, f16\n", name);
    exit(EXIT_FAILURE);
}

deep_model deep_model_open(int argc, char **argv, int64_t otherwise_layers)
{
    cf_error err = {0};
    deep_model m = {0};
    if (argc < 2 || argv[1][0] == '-') {
        (void)fprintf(stderr, "expected the folder of a checkpoint first (bench_make_checkpoint)\n");
        exit(EXIT_FAILURE);
    }
    m.device = option_text(argc, argv, "--device");
    if (!m.device)
        m.device = "cpu";
    m.be = backend_open(m.device, dtype_of(argc, argv, m.device),
                        (int)option(argc, argv, "--threads", omp_get_num_procs()));
    must(cf_checkpoint_open(&m.checkpoint, argv[1], &err), &err);
    must(cf_model_load(&m.model, m.be, m.checkpoint, 0, &err), &err);
    m.model->config.n_eos = 0;
    deepen(&m, option(argc, argv, "--layers", otherwise_layers));
    make_prompt(&m);
    return m;
}

void deep_model_close(deep_model *m)
{
    m->model->n_resident = m->model->config.text.n_layers = m->own_layers;
    cf_model_free(m->model);
    cf_checkpoint_close(m->checkpoint);
    cf_backend_close(m->be);
    free(m->ids);
    free(m->pixels);
    *m = (deep_model){0};
}

void write_values(const char *folder, const char *name, const void *values, size_t bytes)
{
    cf_error err = {0};
    char *path = NULL;
    if (!folder)
        return;
    must(cf_dir_make(folder, &err), &err);
    must(cf_path_join(&path, folder, name, &err), &err);
    must(cf_file_write(path, (cf_slice){values, bytes}, &err), &err);
    free(path);
}

void write_prompt(const char *folder, const deep_model *m)
{
    const cf_vision_config *v = &cf_model_config(m->model)->vision;
    int32_t *ids = room((size_t)m->length, sizeof *ids);
    for (int32_t i = 0; i < m->length; i++)
        ids[i] = m->ids[i < m->image.begin ? i
                        : i < m->image.end ? m->image.begin
                                           : i - (m->image.end - m->image.begin) + 1];
    write_values(folder, "ids.i32", ids, (size_t)m->length * sizeof *ids);
    write_values(folder, "pixels.f32", m->pixels,
                 (size_t)(v->n_channels * v->image_size * v->image_size) * sizeof *m->pixels);
    free(ids);
}
