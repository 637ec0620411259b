/* rope.c - the rotary table: cosines and sines per position, built on the host.
 *
 * Every factor is rounded to f32 where transformers rounds: LlamaRotaryEmbedding, and for scaled tables
 * modeling_rope_utils.py, _compute_linear_scaling_rope_parameters and _compute_llama3_parameters. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "model/model_internal.h"

/* Llama 3: long waves are stretched, short ones kept, those between blended. */
static float llama3_frequency(float frequency, const cf_text_config *t)
{
    const float positions = (float)t->rope_original_positions, factor = (float)t->rope_factor;
    const float low = (float)t->rope_low_freq_factor, high = (float)t->rope_high_freq_factor;
    const float wave = (float)(2.0 * M_PI) / frequency;
    if (wave > positions / low)
        return frequency / factor;
    if (wave < positions / high)
        return frequency;
    const float smooth = (positions / wave - low) / (high - low);
    return (1.0f - smooth) * frequency / factor + smooth * frequency;
}

static float frequency_of(int64_t i, const cf_text_config *t)
{
    const float frequency = 1.0f / powf((float)t->rope_theta, (float)(2 * i) / (float)t->head_dim);
    switch (t->rope_type) {
    case CF_ROPE_LINEAR:
        return frequency / (float)t->rope_factor;
    case CF_ROPE_LLAMA3:
        return llama3_frequency(frequency, t);
    case CF_ROPE_DEFAULT:
        break;
    }
    return frequency;
}

cf_status cf_rope_build(cf_tensor *table, cf_backend *be, const cf_text_config *t, cf_error *err)
{
    const int64_t half = t->head_dim / 2, n = t->max_position_embeddings;
    cf_status st = CF_OK;
    void *memory = NULL;
    CF_TRY(cf_alloc(&memory, (size_t)n * (size_t)t->head_dim, sizeof(float), "rotary angles", err));
    float *angles = memory;
    for (int64_t i = 0; i < half; i++) {
        const float frequency = frequency_of(i, t);
        for (int64_t p = 0; p < n; p++) {
            const float angle = (float)p * frequency;
            angles[p * t->head_dim + i] = (float)cos((double)angle);
            angles[p * t->head_dim + half + i] = (float)sin((double)angle);
        }
    }
    CF_TRY(cf_backend_alloc(be, table, CF_F32, n, t->head_dim, err));
    CF_TRY(cf_backend_upload(be, table, angles, err));
done:
    free(memory);
    return st;
}
