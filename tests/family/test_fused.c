/* test_fused.c - a checkpoint rewritten with fused matrices, as Phi-3 stores them, is the same model to the bit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "family_check.h"

#include "base/file.h"
#include "engine/session.h"
#include "support/safetensors_writer.h"
#include "support/temp_dir.h"

enum { MAX_ITEMS = 256, N_IDS = 12, IMAGE_AT = 3 };

/* A list of tensors on its way to another file. */
typedef struct rewritten {
    safetensors_item items[MAX_ITEMS];
    size_t n;
} rewritten;

/* Appends the rows of the n tensors, one after the other, as one. */
static void add_joined(rewritten *r, const char *name, const cf_stored_tensor *const *parts, size_t n)
{
    safetensors_item item = {.name = strdup(name), .rank = parts[0]->rank};
    int64_t count = 0, at = 0;
    memcpy(item.shape, parts[0]->shape, sizeof item.shape);
    item.shape[0] = 0;
    for (size_t i = 0; i < n; i++) {
        count += parts[i]->count;
        item.shape[0] += parts[i]->shape[0];
    }
    float *data = calloc((size_t)count, sizeof *data);
    assert_true(data && item.name && r->n < MAX_ITEMS);
    for (size_t i = 0; i < n; at += parts[i++]->count)
        cf_to_f32(data + at, parts[i]->data, parts[i]->dtype, (size_t)parts[i]->count);
    item.data = data;
    r->items[r->n++] = item;
}

static const struct {
    const char *fused, *parts[3];
} joins[] = {
    {"self_attn.qkv_proj.weight", {"self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight"}},
    {"mlp.gate_up_proj.weight", {"mlp.gate_proj.weight", "mlp.up_proj.weight", NULL}},
};

/* Whether the tensor is part of a join; the first part brings the others along. */
static bool join(rewritten *r, const cf_safetensors *file, const char *name)
{
    for (size_t j = 0; j < COUNT(joins); j++)
        for (size_t i = 0; i < COUNT(joins[j].parts) && joins[j].parts[i]; i++) {
            const char *at = strstr(name, joins[j].parts[i]);
            if (!at || !strstr(name, "language_model."))
                continue;
            const cf_stored_tensor *parts[3] = {NULL};
            size_t n = 0;
            char other[256];
            for (; i == 0 && n < COUNT(parts) && joins[j].parts[n]; n++) {
                (void)snprintf(other, sizeof other, "%.*s%s", (int)(at - name), name, joins[j].parts[n]);
                parts[n] = cf_safetensors_find(file, other);
                assert_non_null(parts[n]);
            }
            (void)snprintf(other, sizeof other, "%.*s%s", (int)(at - name), name, joins[j].fused);
            if (i == 0)
                add_joined(r, other, parts, n);
            return true;
        }
    return false;
}

/* The golden checkpoint with q, k and v, and gate and up, as one matrix each. Heap string, given to temp_dir_remove. */
static char *fused_checkpoint(const char *name)
{
    char path[128], *dir = temp_dir_make(), *out = temp_dir_path(dir, "model.safetensors");
    rewritten r = {.n = 0};
    cf_safetensors file = {0};
    cf_str config = {0};
    (void)snprintf(path, sizeof path, FAMILY "/%s/model.safetensors", name);
    OK(cf_safetensors_open(&file, path, &err));
    for (size_t i = 0; i < file.n; i++) {
        const cf_stored_tensor *one = &file.tensors[i];
        if (!join(&r, &file, one->name))
            add_joined(&r, one->name, &one, 1);
    }
    assert_true(r.n < file.n);
    OK(safetensors_write(out, r.items, r.n, file.tensors[0].dtype, &err));
    (void)snprintf(path, sizeof path, FAMILY "/%s/config.json", name);
    OK(cf_file_read(&config, path, 1 << 16, &err));
    temp_dir_write_text(dir, "config.json", config.data);
    for (size_t i = 0; i < r.n; i++) {
        free((void *)(uintptr_t)r.items[i].name);
        free((void *)(uintptr_t)r.items[i].data);
    }
    cf_str_deinit(&config);
    cf_safetensors_deinit(&file);
    free(out);
    return dir;
}

/* Logits of a prompt with a picture, heap memory. max_weight_bytes: 0, or 1 for streamed layers. */
static float *logits_of(const char *folder, int64_t max_weight_bytes, int64_t *n)
{
    cf_backend *be = NULL;
    cf_checkpoint *c = NULL;
    cf_model *m = NULL;
    cf_session *s = NULL;
    OK(cf_backend_open(&be, "cpu", &(cf_backend_options){.n_threads = 2, .compute = CF_F32}, &err));
    OK(cf_checkpoint_open(&c, folder, &err));
    OK(cf_model_load(&m, be, c, max_weight_bytes, &err));
    OK(cf_session_create(&s, m, false, &err));
    const cf_config *config = cf_model_config(m);
    const int64_t n_pixels = 3 * config->vision.image_size * config->vision.image_size;
    float *pixels = calloc((size_t)n_pixels, sizeof *pixels), *logits = NULL;
    int32_t ids[N_IDS];
    assert_non_null(pixels);
    for (int64_t i = 0; i < n_pixels; i++)
        pixels[i] = (float)(i % 17) / 8 - 1;
    for (int32_t i = 0; i < N_IDS; i++)
        ids[i] = i == IMAGE_AT ? config->image_token_id : 5 + 7 * i;
    const cf_input in = {.ids = ids, .n_ids = N_IDS, .image_index = IMAGE_AT, .pixels = pixels};
    OK(cf_session_begin(s, &in, 0, &err));
    OK(cf_session_baseline(s, 0, &err));
    *n = config->text.vocab_size;
    logits = calloc((size_t)*n, sizeof *logits);
    assert_non_null(logits);
    memcpy(logits, cf_session_logits(s), (size_t)*n * sizeof *logits);
    free(pixels);
    cf_session_free(s);
    cf_model_free(m);
    cf_checkpoint_close(c);
    cf_backend_close(be);
    return logits;
}

static void fused_matrices_give_the_same_bits_in_memory_and_streamed(void **state)
{
    (void)state;
    /* Several heads a key-value head and one; F16 and BF16; tied embeddings and not. */
    static const char *const names[] = {"llava-llama2-2", "llava-llama3-1", "next-mistral-2", "next-mistral-3"};
    for (size_t i = 0; i < COUNT(names); i++)
        for (int64_t limit = 0; limit <= 1; limit++) {
            char folder[128], *dir = fused_checkpoint(names[i]);
            int64_t n = 0, n_fused = 0;
            (void)snprintf(folder, sizeof folder, FAMILY "/%s", names[i]);
            float *expected = logits_of(folder, limit, &n), *found = logits_of(dir, limit, &n_fused);
            assert_int_equal(n, n_fused);
            if (memcmp(expected, found, (size_t)n * sizeof *found) != 0)
                fail_msg("%s, at most %lld bytes: other logits", names[i], (long long)limit);
            free(expected);
            free(found);
            temp_dir_remove(dir);
        }
}

int test_fused(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fused_matrices_give_the_same_bits_in_memory_and_streamed)};
    return cmocka_run_group_tests_name("fused matrices", tests, NULL, NULL);
}
