#!/usr/bin/env python3
"""A checkpoint of a published model's true size, with random weights: for memory and speed, never for answers.

    python3 bench/make_checkpoint.py 7b|13b|next-7b|next-llama3-8b OUT [--layers N] [--dtype F16|BF16]

Written shard by shard with numpy alone; the weights of a matrix are cut out of one block of random numbers, which is as good as
fresh ones for timing. The tokenizer is the demo model's, its ids inside the larger vocabulary. Run from the source root."""
import argparse
import functools
import json
import os
import shutil
import struct

import numpy as np

VISION = dict(model_type="clip_vision_model", hidden_size=1024, intermediate_size=4096, num_hidden_layers=24,
              num_attention_heads=16, image_size=336, patch_size=14, projection_dim=768, hidden_act="quick_gelu")
TEXT = dict(model_type="llama", rms_norm_eps=1e-5, hidden_act="silu", tie_word_embeddings=False, bos_token_id=1, eos_token_id=2,
            max_position_embeddings=4096, rope_theta=10000.0, vocab_size=32064)
MODELS = {
    "7b": ("llava", dict(hidden_size=4096, intermediate_size=11008, num_hidden_layers=32, num_attention_heads=32,
                         num_key_value_heads=32)),
    "13b": ("llava", dict(hidden_size=5120, intermediate_size=13824, num_hidden_layers=40, num_attention_heads=40,
                          num_key_value_heads=40)),
    "next-7b": ("llava_next", dict(hidden_size=4096, intermediate_size=11008, num_hidden_layers=32, num_attention_heads=32,
                                   num_key_value_heads=32)),
    "next-llama3-8b": ("llava_next", dict(hidden_size=4096, intermediate_size=14336, num_hidden_layers=32,
                                          num_attention_heads=32, num_key_value_heads=8, vocab_size=128320,
                                          rope_theta=500000.0, max_position_embeddings=8192)),
}
SHARD_BYTES = 5 << 30
BLOCK = np.random.default_rng(1).standard_normal(1 << 24, dtype=np.float32)


def names_and_shapes(kind, text):
    """Every tensor as transformers 5 saves it, and whether it stands around 1, as the weights of norms do."""
    v, t = VISION, text
    d, f, dv, fv = t["hidden_size"], t["intermediate_size"], v["hidden_size"], v["intermediate_size"]
    kv = d // t["num_attention_heads"] * t["num_key_value_heads"]
    patches = (v["image_size"] // v["patch_size"]) ** 2
    tower = "model.vision_tower.vision_model."
    yield tower + "embeddings.class_embedding", [dv], False
    yield tower + "embeddings.patch_embedding.weight", [dv, 3, v["patch_size"], v["patch_size"]], False
    yield tower + "embeddings.position_embedding.weight", [patches + 1, dv], False
    for norm in ("pre_layrnorm", "post_layernorm"):
        yield tower + norm + ".weight", [dv], True
        yield tower + norm + ".bias", [dv], False
    for i in range(v["num_hidden_layers"]):
        layer = f"{tower}encoder.layers.{i}."
        for name, n, k in [("self_attn.q_proj", dv, dv), ("self_attn.k_proj", dv, dv), ("self_attn.v_proj", dv, dv),
                           ("self_attn.out_proj", dv, dv), ("mlp.fc1", fv, dv), ("mlp.fc2", dv, fv)]:
            yield f"{layer}{name}.weight", [n, k], False
            yield f"{layer}{name}.bias", [n], False
        for name in ("layer_norm1", "layer_norm2"):
            yield f"{layer}{name}.weight", [dv], True
            yield f"{layer}{name}.bias", [dv], False
    for name, n, k in [("linear_1", d, dv), ("linear_2", d, d)]:
        yield f"model.multi_modal_projector.{name}.weight", [n, k], False
        yield f"model.multi_modal_projector.{name}.bias", [n], False
    if kind == "llava_next":
        yield "model.image_newline", [d], False
    yield "model.language_model.embed_tokens.weight", [t["vocab_size"], d], False
    for i in range(t["num_hidden_layers"]):
        layer = f"model.language_model.layers.{i}."
        for name, n, k in [("self_attn.q_proj", d, d), ("self_attn.k_proj", kv, d), ("self_attn.v_proj", kv, d),
                           ("self_attn.o_proj", d, d), ("mlp.gate_proj", f, d), ("mlp.up_proj", f, d), ("mlp.down_proj", d, f)]:
            yield f"{layer}{name}.weight", [n, k], False
        for name in ("input_layernorm", "post_attention_layernorm"):
            yield f"{layer}{name}.weight", [d], True
    yield "model.language_model.norm.weight", [d], True
    yield "lm_head.weight", [t["vocab_size"], d], False


@functools.cache
def block_of(around_one, dtype):
    """The block as weights, or as the weights of norms."""
    block = 1 + BLOCK * .02 if around_one else BLOCK * .02
    if dtype == "F16":
        return block.astype(np.float16).tobytes()
    return (block.astype(np.float32).view(np.uint32) + 0x8000 >> 16).astype(np.uint16).tobytes()


def values(n, around_one, dtype):
    """n numbers of the block, again and again, in pieces."""
    block = memoryview(block_of(around_one, dtype))
    for begin in range(0, 2 * n, len(block)):
        yield block[:min(len(block), 2 * n - begin)]


def write_shard(path, tensors, dtype):
    header, at = {}, 0
    for name, shape, _ in tensors:
        size = 2 * int(np.prod(shape))
        header[name] = dict(dtype=dtype, shape=shape, data_offsets=[at, at + size])
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for _, shape, around_one in tensors:
            for part in values(int(np.prod(shape)), around_one, dtype):
                out.write(part)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("model", choices=MODELS)
    arguments.add_argument("out")
    arguments.add_argument("--layers", type=int)
    arguments.add_argument("--dtype", choices=["F16", "BF16"], default="F16")
    a = arguments.parse_args()
    kind, extents = MODELS[a.model]
    text = TEXT | extents | ({"num_hidden_layers": a.layers} if a.layers else {})
    os.makedirs(a.out, exist_ok=True)
    config = dict(model_type=kind, text_config=text, vision_config=VISION, image_token_index=644, projector_hidden_act="gelu",
                  vision_feature_layer=-2, vision_feature_select_strategy="default", tie_word_embeddings=False,
                  multimodal_projector_bias=True, eos_token_id=2, bos_token_id=1)
    picture = json.load(open("demo/model/preprocessor_config.json", encoding="utf-8"))
    picture |= dict(size=dict(shortest_edge=336), crop_size=dict(height=336, width=336))
    if kind == "llava_next":
        pinpoints = [[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]]
        config["image_grid_pinpoints"] = pinpoints
        picture |= dict(image_processor_type="LlavaNextImageProcessor", image_grid_pinpoints=pinpoints, do_pad=True)
    for name, content in [("config.json", config), ("preprocessor_config.json", picture)]:
        with open(os.path.join(a.out, name), "w", encoding="utf-8") as f:
            json.dump(content, f, indent=2)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(os.path.join("demo/model", name), a.out)
    shards, size = [[]], 0
    for tensor in names_and_shapes(kind, text):
        n = 2 * int(np.prod(tensor[1]))
        if size + n > SHARD_BYTES:
            shards.append([])
            size = 0
        shards[-1].append(tensor)
        size += n
    places = {}
    for i, tensors in enumerate(shards):
        name = f"model-{i + 1:05d}-of-{len(shards):05d}.safetensors"
        write_shard(os.path.join(a.out, name), tensors, a.dtype)
        places |= {t[0]: name for t in tensors}
    with open(os.path.join(a.out, "model.safetensors.index.json"), "w", encoding="utf-8") as f:
        json.dump(dict(metadata={}, weight_map=places), f)
    total = sum(2 * int(np.prod(t[1])) for s in shards for t in s)
    print(f"{a.out}: {total / 2e9:.2f} G parameters, {total / 1e9:.1f} GB in {len(shards)} files")


if __name__ == "__main__":
    main()
