/* make_checkpoint.c - a checkpoint of a published model's true size, with random weights: for memory and speed, never for
 * answers.
 *
 *     bench_make_checkpoint 7b|13b|next-7b|next-llama3-8b FOLDER [--layers N] [--dtype F16|BF16]
 *
 * Shards of safetensors, names and shapes as transformers 5 saves them. All weights are cut, one after the other, out of one
 * block of random numbers, which is as good as fresh ones for timing; its length is no multiple of any row, so that no two
 * matrices are equal. The tokenizer is the demo model's, its ids inside the larger vocabulary. Run from the source root. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "measure.h"
#include "random_values.h"

enum { MAX_TENSORS = 1024, BLOCK = (1 << 24) - 3 };
static const int64_t shard_bytes = (int64_t)5 << 30;

typedef struct model {
    const char *name;
    bool tiles; /* LLaVA-NeXT */
    int64_t d, f, layers, heads, kv_heads, vocab, positions;
    double rope_theta;
} model;

static const model models[] = {{"7b", false, 4096, 11008, 32, 32, 32, 32064, 4096, 1e4},
                               {"13b", false, 5120, 13824, 40, 40, 40, 32064, 4096, 1e4},
                               {"next-7b", true, 4096, 11008, 32, 32, 32, 32064, 4096, 1e4},
                               {"next-llama3-8b", true, 4096, 14336, 32, 32, 8, 128320, 8192, 5e5}};

/* CLIP ViT-L/14 at 336 pixels. */
enum { V_D = 1024, V_F = 4096, V_LAYERS = 24, V_HEADS = 16, V_SIZE = 336, V_PATCH = 14, V_PATCHES = 576 };

typedef struct tensor {
    char name[160];
    int64_t shape[4];
    int rank;
    bool around_one; /* as the weights of norms do */
} tensor;

typedef struct tensors {
    tensor *items;
    int n;
} tensors;

static int64_t count_of(const tensor *t)
{
    int64_t n = 1;
    for (int i = 0; i < t->rank; i++)
        n *= t->shape[i];
    return n;
}

static void add(tensors *all, const char *prefix, const char *name, int rank, const int64_t *shape, bool around_one)
{
    if (all->n == MAX_TENSORS)
        wrong("more than %d tensors", MAX_TENSORS);
    tensor *t = &all->items[all->n++];
    *t = (tensor){.rank = rank, .around_one = around_one};
    (void)snprintf(t->name, sizeof t->name, "%s%s", prefix, name);
    memcpy(t->shape, shape, (size_t)rank * sizeof *shape);
}

static void add_matrix(tensors *all, const char *prefix, const char *name, int64_t n, int64_t k)
{
    add(all, prefix, name, 2, (const int64_t[]){n, k}, false);
}

static void add_vector(tensors *all, const char *prefix, const char *name, int64_t n, bool around_one)
{
    add(all, prefix, name, 1, &n, around_one);
}

/* NAME.weight [n, k] and NAME.bias [n]; k 0: a layer norm. */
static void add_pair(tensors *all, const char *prefix, const char *name, int64_t n, int64_t k)
{
    char full[64];
    (void)snprintf(full, sizeof full, "%s.weight", name);
    if (k)
        add_matrix(all, prefix, full, n, k);
    else
        add_vector(all, prefix, full, n, true);
    (void)snprintf(full, sizeof full, "%s.bias", name);
    add_vector(all, prefix, full, n, false);
}

static void list_vision(tensors *all, const model *m)
{
    static const char tower[] = "model.vision_tower.vision_model.";
    char layer[96];
    add_vector(all, tower, "embeddings.class_embedding", V_D, false);
    add(all, tower, "embeddings.patch_embedding.weight", 4, (const int64_t[]){V_D, 3, V_PATCH, V_PATCH}, false);
    add_matrix(all, tower, "embeddings.position_embedding.weight", V_PATCHES + 1, V_D);
    add_pair(all, tower, "pre_layrnorm", V_D, 0);
    add_pair(all, tower, "post_layernorm", V_D, 0);
    for (int i = 0; i < V_LAYERS; i++) {
        (void)snprintf(layer, sizeof layer, "%sencoder.layers.%d.", tower, i);
        static const char *const square[] = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                                             "self_attn.out_proj"};
        for (size_t j = 0; j < sizeof square / sizeof square[0]; j++)
            add_pair(all, layer, square[j], V_D, V_D);
        add_pair(all, layer, "mlp.fc1", V_F, V_D);
        add_pair(all, layer, "mlp.fc2", V_D, V_F);
        add_pair(all, layer, "layer_norm1", V_D, 0);
        add_pair(all, layer, "layer_norm2", V_D, 0);
    }
    add_pair(all, "model.multi_modal_projector.", "linear_1", m->d, V_D);
    add_pair(all, "model.multi_modal_projector.", "linear_2", m->d, m->d);
    if (m->tiles)
        add_vector(all, "model.", "image_newline", m->d, false);
}

static void list_text(tensors *all, const model *m, int64_t n_layers)
{
    const int64_t kv = m->d / m->heads * m->kv_heads;
    char layer[96];
    add_matrix(all, "model.language_model.", "embed_tokens.weight", m->vocab, m->d);
    for (int64_t i = 0; i < n_layers; i++) {
        (void)snprintf(layer, sizeof layer, "model.language_model.layers.%" PRId64 ".", i);
        add_matrix(all, layer, "self_attn.q_proj.weight", m->d, m->d);
        add_matrix(all, layer, "self_attn.k_proj.weight", kv, m->d);
        add_matrix(all, layer, "self_attn.v_proj.weight", kv, m->d);
        add_matrix(all, layer, "self_attn.o_proj.weight", m->d, m->d);
        add_matrix(all, layer, "mlp.gate_proj.weight", m->f, m->d);
        add_matrix(all, layer, "mlp.up_proj.weight", m->f, m->d);
        add_matrix(all, layer, "mlp.down_proj.weight", m->d, m->f);
        add_vector(all, layer, "input_layernorm.weight", m->d, true);
        add_vector(all, layer, "post_attention_layernorm.weight", m->d, true);
    }
    add_vector(all, "model.language_model.", "norm.weight", m->d, true);
    add_matrix(all, "", "lm_head.weight", m->vocab, m->d);
}

/* ---- values ---- */

/* Truncated; below f16's normal numbers, zero. */
static uint16_t f16_of(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    const uint16_t sign = (uint16_t)(u >> 16 & 0x8000u);
    u &= 0x7fffffffu;
    return u < 0x38800000u ? sign : (uint16_t)(sign | (u - 0x38000000u) >> 13);
}

typedef struct source { /* an endless stream of weights, of two kinds */
    uint16_t *of[2];    /* [BLOCK] around 0, around 1 */
    size_t at;
} source;

static source source_open(bool bf16)
{
    source s = {{room(BLOCK, sizeof(uint16_t)), room(BLOCK, sizeof(uint16_t))}, 0};
    float *values = room(BLOCK, sizeof *values);
    fill_random(values, BLOCK, 0.0346f, 1); /* a standard deviation of 0.02 */
    for (size_t i = 0; i < BLOCK; i++)
        for (int one = 0; one < 2; one++)
            s.of[one][i] = bf16 ? cf_f32_to_bf16(values[i] + (float)one) : f16_of(values[i] + (float)one);
    free(values);
    return s;
}

static void write_all(FILE *out, const void *bytes, size_t n, const char *path)
{
    if (fwrite(bytes, 1, n, out) != n)
        wrong("%s: could not be written (is the disk full?)", path);
}

static void write_values_of(FILE *out, source *s, const tensor *t, const char *path)
{
    for (size_t left = (size_t)count_of(t); left;) {
        const size_t n = left < BLOCK - s->at ? left : BLOCK - s->at;
        write_all(out, s->of[t->around_one] + s->at, n * sizeof(uint16_t), path);
        s->at = (s->at + n) % BLOCK;
        left -= n;
    }
}

/* ---- files ---- */

static void add_shape(cf_str *s, const tensor *t)
{
    cf_error err = {0};
    for (int i = 0; i < t->rank; i++)
        must(cf_str_addf(s, &err, "%s%" PRId64, i ? "," : "", t->shape[i]), &err);
}

static void write_shard(const char *path, const tensor *items, int n, bool bf16, source *s)
{
    cf_error err = {0};
    cf_str header = {0};
    int64_t at = 0;
    must(cf_str_add_text(&header, "{", &err), &err);
    for (int i = 0; i < n; i++) {
        must(cf_str_addf(&header, &err, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", i ? "," : "", items[i].name,
                         bf16 ? "BF16" : "F16"),
             &err);
        add_shape(&header, &items[i]);
        must(cf_str_addf(&header, &err, "],\"data_offsets\":[%" PRId64 ",%" PRId64 "]}", at,
                         at + 2 * count_of(&items[i])),
             &err);
        at += 2 * count_of(&items[i]);
    }
    must(cf_str_add_text(&header, "}", &err), &err);
    while (header.n % 8)
        must(cf_str_add_text(&header, " ", &err), &err);
    unsigned char size[8];
    for (int i = 0; i < 8; i++)
        size[i] = (unsigned char)((uint64_t)header.n >> 8 * i);
    FILE *out = fopen(path, "wb");
    if (!out)
        wrong("%s: could not be opened for writing", path);
    write_all(out, size, sizeof size, path);
    write_all(out, header.data, header.n, path);
    for (int i = 0; i < n; i++)
        write_values_of(out, s, &items[i], path);
    if (fclose(out) != 0)
        wrong("%s: could not be written (is the disk full?)", path);
    cf_str_deinit(&header);
}

static void write_text(const char *folder, const char *name, const cf_str *text)
{
    cf_error err = {0};
    char *path = NULL;
    must(cf_path_join(&path, folder, name, &err), &err);
    must(cf_file_write(path, cf_str_slice(text), &err), &err);
    free(path);
}

/* How many of the tensors go into the next shard. */
static int shard_length(const tensor *items, int n)
{
    int64_t bytes = 0;
    int i = 0;
    for (; i < n && (i == 0 || bytes + 2 * count_of(&items[i]) <= shard_bytes); i++)
        bytes += 2 * count_of(&items[i]);
    return i;
}

static void write_weights(const char *folder, const tensors *all, bool bf16)
{
    cf_error err = {0};
    source s = source_open(bf16);
    cf_str index = {0};
    int n_shards = 0, shard = 1;
    for (int i = 0; i < all->n; i += shard_length(all->items + i, all->n - i))
        n_shards++;
    must(cf_str_add_text(&index, "{\"metadata\":{},\"weight_map\":{", &err), &err);
    for (int i = 0; i < all->n; shard++) {
        const int n = shard_length(all->items + i, all->n - i);
        char name[64], *path = NULL;
        (void)snprintf(name, sizeof name, "model-%05d-of-%05d.safetensors", shard, n_shards);
        must(cf_path_join(&path, folder, name, &err), &err);
        write_shard(path, all->items + i, n, bf16, &s);
        free(path);
        for (const int end = i + n; i < end; i++)
            must(cf_str_addf(&index, &err, "%s\"%s\":\"%s\"", i ? "," : "", all->items[i].name, name), &err);
    }
    must(cf_str_add_text(&index, "}}", &err), &err);
    write_text(folder, "model.safetensors.index.json", &index);
    cf_str_deinit(&index);
    free(s.of[0]);
    free(s.of[1]);
}

#define PINPOINTS "[[336,672],[672,336],[672,672],[1008,336],[336,1008]]"

static void write_config(const char *folder, const model *m, int64_t n_layers, bool bf16)
{
    cf_error err = {0};
    cf_str s = {0};
    must(cf_str_addf(&s, &err,
                     "{\"model_type\":\"%s\",\"architectures\":[\"%sForConditionalGeneration\"],\"dtype\":\"%s\","
                     "\"image_token_index\":644,\"bos_token_id\":1,\"eos_token_id\":2,\"tie_word_embeddings\":false,"
                     "\"projector_hidden_act\":\"gelu\",\"multimodal_projector_bias\":true,\"vision_feature_layer\":-2,"
                     "\"vision_feature_select_strategy\":\"default\",%s",
                     m->tiles ? "llava_next" : "llava", m->tiles ? "LlavaNext" : "Llava", bf16 ? "bfloat16" : "float16",
                     m->tiles ? "\"image_grid_pinpoints\":" PINPOINTS "," : ""),
         &err);
    must(cf_str_addf(
             &s, &err,
             "\"vision_config\":{\"model_type\":\"clip_vision_model\",\"hidden_size\":%d,\"intermediate_size\":%d,"
             "\"num_hidden_layers\":%d,\"num_attention_heads\":%d,\"image_size\":%d,\"patch_size\":%d,"
             "\"projection_dim\":768,\"hidden_act\":\"quick_gelu\"},",
             V_D, V_F, V_LAYERS, V_HEADS, V_SIZE, V_PATCH),
         &err);
    must(cf_str_addf(&s, &err,
                     "\"text_config\":{\"model_type\":\"llama\",\"hidden_size\":%" PRId64
                     ",\"intermediate_size\":%" PRId64 ",\"num_hidden_layers\":%" PRId64
                     ",\"num_attention_heads\":%" PRId64 ",\"num_key_value_heads\":%" PRId64 ",\"vocab_size\":%" PRId64
                     ",\"max_position_embeddings\":%" PRId64 ",\"rope_theta\":%.1f,"
                     "\"rms_norm_eps\":1e-05,\"hidden_act\":\"silu\",\"tie_word_embeddings\":false,\"bos_token_id\":1,"
                     "\"eos_token_id\":2}}\n",
                     m->d, m->f, n_layers, m->heads, m->kv_heads, m->vocab, m->positions, m->rope_theta),
         &err);
    write_text(folder, "config.json", &s);
    cf_str_deinit(&s);
}

static void write_picture_rules(const char *folder, const model *m)
{
    cf_error err = {0};
    cf_str s = {0};
    must(cf_str_addf(
             &s, &err,
             "{\"image_processor_type\":\"%s\",\"do_convert_rgb\":true,\"do_resize\":true,"
             "\"size\":{\"shortest_edge\":336},\"resample\":3,\"do_center_crop\":true,"
             "\"crop_size\":{\"height\":336,\"width\":336},\"do_rescale\":true,"
             "\"rescale_factor\":0.00392156862745098,\"do_normalize\":true,"
             "\"image_mean\":[0.48145466,0.4578275,0.40821073],\"image_std\":[0.26862954,0.26130258,0.27577711]%s}\n",
             m->tiles ? "LlavaNextImageProcessor" : "CLIPImageProcessor",
             m->tiles ? ",\"do_pad\":true,\"image_grid_pinpoints\":" PINPOINTS : ""),
         &err);
    write_text(folder, "preprocessor_config.json", &s);
    cf_str_deinit(&s);
}

static void copy_tokenizer(const char *folder)
{
    static const char *const names[] = {"tokenizer.json", "tokenizer_config.json"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cf_error err = {0};
        cf_str text = {0};
        char *path = NULL;
        must(cf_path_join(&path, "demo/model", names[i], &err), &err);
        must(cf_file_read(&text, path, (size_t)64 << 20, &err), &err);
        write_text(folder, names[i], &text);
        cf_str_deinit(&text);
        free(path);
    }
}

static const model *find(const char *name)
{
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++)
        if (strcmp(models[i].name, name) == 0)
            return &models[i];
    return NULL;
}

int main(int argc, char **argv)
{
    cf_error err = {0};
    const model *m = argc >= 3 ? find(argv[1]) : NULL;
    const char *dtype = option_text(argc, argv, "--dtype");
    if (!m || (dtype && strcmp(dtype, "F16") != 0 && strcmp(dtype, "BF16") != 0)) {
        (void)fprintf(stderr, "usage: bench_make_checkpoint 7b|13b|next-7b|next-llama3-8b FOLDER [--layers N] "
                              "[--dtype F16|BF16]\n");
        return EXIT_FAILURE;
    }
    const bool bf16 = dtype && strcmp(dtype, "BF16") == 0;
    const int64_t n_layers = option(argc, argv, "--layers", m->layers);
    tensors all = {.items = room(MAX_TENSORS, sizeof *all.items)};
    list_vision(&all, m);
    list_text(&all, m, n_layers);
    must(cf_dir_make(argv[2], &err), &err);
    write_config(argv[2], m, n_layers, bf16);
    write_picture_rules(argv[2], m);
    copy_tokenizer(argv[2]);
    write_weights(argv[2], &all, bf16);
    free(all.items);
    return EXIT_SUCCESS;
}
