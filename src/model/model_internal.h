/* model_internal.h - the parts of a model, shared by the files of model/. */
#ifndef CF_MODEL_MODEL_INTERNAL_H
#define CF_MODEL_MODEL_INTERNAL_H

#include <assert.h>

#include "model/layer_stream.h"
#include "model/model.h"

typedef struct cf_linear_part { /* y = x W^T + b */
    cf_weight *w;
    cf_tensor bias; /* data NULL: none */
} cf_linear_part;

typedef struct cf_norm_part {
    cf_tensor gamma, beta; /* beta.data NULL for an RMS norm */
} cf_norm_part;

typedef struct cf_vision_layer { /* CLIPEncoderLayer */
    cf_norm_part norm1, norm2;
    cf_linear_part q, k, v, out, fc1, fc2;
} cf_vision_layer;

typedef struct cf_text_layer { /* LlamaDecoderLayer */
    int64_t window;            /* of attention: a query sees so many keys, itself the last; 0: all up to itself */
    const cf_tensor *rotary;   /* the table that turns queries and keys; the model's */
    cf_norm_part attn_norm, mlp_norm;
    cf_linear_part q, k, v, o, gate, up, down;
} cf_text_layer;

struct cf_model {
    cf_backend *be;
    cf_config config;

    cf_weight *patch;        /* the patch convolution as a product over packed patches */
    cf_tensor class_and_pos; /* [1 + patches, D_v]: position embeddings, the class embedding added to row 0 */
    cf_norm_part pre_norm;
    cf_vision_layer *vision; /* the layers that run: config.feature_layer of them */
    cf_linear_part projector1, projector2;
    cf_tensor newline; /* [1, D] the embedding of a newline position; data NULL where the model has none */

    cf_tensor embedding;     /* [vocab, D], in the checkpoint's dtype */
    cf_text_layer *layers;   /* norms and biases of all; matrices NULL where the layer is streamed */
    cf_layer_stream *stream; /* NULL: every layer stays in memory */
    int64_t n_resident;
    cf_norm_part final_norm;
    cf_weight *head;
    cf_tensor rope; /* [max_position_embeddings, head_dim] */
};

struct cf_scratch {
    const cf_model *model;
    int64_t n_rows;               /* reserved */
    cf_tensor normed, gathered;   /* [n_rows, D] compute dtype */
    cf_tensor q, k, v;            /* room for f32; taken in the dtype that cf_value_dtype says */
    cf_tensor attended;           /* [n_rows, H*E] compute dtype */
    cf_tensor gate, up;           /* [chunk, F] likewise */
    cf_tensor act;                /* [chunk, F] compute dtype */
    cf_tensor saved;              /* [>= rows that a sublayer adds nothing to, D] f32, as they were before it */
    cf_tensor tower;              /* [>= rows of the tower, D_v] f32 */
    cf_tensor patches32, patches; /* [the same, values of a patch] f32, and in the compute dtype */
    float *patches_host;
    int64_t chunk; /* rows of the MLP done at once: bounds its memory, not its result */
};

/* table[max_position_embeddings, head_dim]: cosines, then sines, of every position (rope.c). */
cf_status cf_rope_build(cf_tensor *table, cf_backend *be, const cf_text_config *t, cf_error *err);
/* A decoder layer's weights; those of a streamed one are valid until another layer is asked for. */
cf_status cf_model_layer(cf_text_layer *out, const cf_model *m, int64_t layer, cf_error *err);

static inline int64_t cf_vision_n_rows(const cf_model *m) /* patches and the class token */
{
    const int64_t side = m->config.vision.image_size / m->config.vision.patch_size;
    return side * side + 1;
}

/* The first n rows of a scratch buffer as [n, cols]. */
static inline cf_tensor cf_take(const cf_tensor *buffer, int64_t n, int64_t cols)
{
    assert(n <= buffer->shape[0] && cols <= buffer->shape[1]);
    return cf_tensor_2d(buffer->data, buffer->dtype, n, cols);
}

/* The same of a buffer of f32, in a dtype that needs no more room. */
static inline cf_tensor cf_take_as(const cf_tensor *buffer, cf_dtype dtype, int64_t n, int64_t cols)
{
    cf_tensor t = cf_take(buffer, n, cols);
    assert(cf_dtype_bytes(dtype) <= cf_dtype_bytes(t.dtype));
    t.dtype = dtype;
    return t;
}

static inline const cf_tensor *cf_bias(const cf_linear_part *p)
{
    return p->bias.data ? &p->bias : NULL;
}

/* The dtype in which products with these parts leave what one operation takes together: f32 where one has a bias. */
static inline cf_dtype cf_value_dtype(const cf_model *m, const cf_linear_part *const *parts, int n)
{
    for (int i = 0; i < n; i++)
        if (cf_bias(parts[i]))
            return CF_F32;
    return cf_backend_value_dtype(m->be);
}

static inline cf_unary cf_unary_of(cf_activation a)
{
    switch (a) {
    case CF_ACT_GELU:
        return CF_UNARY_GELU;
    case CF_ACT_GELU_TANH:
        return CF_UNARY_GELU_TANH;
    case CF_ACT_QUICK_GELU:
        return CF_UNARY_QUICK_GELU;
    case CF_ACT_SILU:
        break;
    }
    return CF_UNARY_SILU;
}

#endif
