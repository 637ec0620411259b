#!/usr/bin/env python3
"""A checkpoint of bench_make_checkpoint as llama.cpp reads it: decoder and vision tower as GGUF, the same weights bit for bit in
bf16, converted in f16 and q8_0.

    python3 bench/peers/llama_gguf.py CHECKPOINT OUT [--layers N] [--dtype bf16|f16|q8_0]

Leaves OUT/text-DTYPE-N.gguf and OUT/vision-DTYPE.gguf; what is there already stays. Layers beyond the checkpoint's own are its
layers in turn, as in bench/deep_model.h. There is no vocabulary: prompts are rows and ids. Needs numpy and gguf.

Names and the order of a rotation's halves are those of llama.cpp's convert_hf_to_gguf.py (gguf 0.19)."""
import argparse
import json
import os

import gguf
import numpy as np

TYPES = {"bf16": gguf.GGMLQuantizationType.BF16, "f16": gguf.GGMLQuantizationType.F16, "q8_0": gguf.GGMLQuantizationType.Q8_0}
# The picture reaches llama.cpp in 8 bits (llama_cpp.py), which stand for -LARGEST_PIXEL .. LARGEST_PIXEL.
LARGEST_PIXEL = 1.7

TEXT_NAMES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
              "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
              "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}
VISION_NAMES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
                "self_attn.out_proj": "attn_out", "mlp.fc1": "ffn_up", "mlp.fc2": "ffn_down", "layer_norm1": "ln1",
                "layer_norm2": "ln2"}


class Checkpoint:
    """The tensors of a folder of bf16 safetensors by name, mapped, as bits."""

    def __init__(self, folder):
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as f:
            self.config = json.load(f)
        self.tensors = {}
        for name in sorted(n for n in os.listdir(folder) if n.endswith(".safetensors")):
            path = os.path.join(folder, name)
            with open(path, "rb") as f:
                size = int.from_bytes(f.read(8), "little")
                header = json.loads(f.read(size))
            header.pop("__metadata__", None)
            for tensor, about in header.items():
                if about["dtype"] != "BF16":
                    raise SystemExit(f"{path}: {tensor} is {about['dtype']}, expected BF16")
                self.tensors[tensor] = np.memmap(path, np.uint16, "r", 8 + size + about["data_offsets"][0], tuple(about["shape"]))

    def __getitem__(self, name):
        return self.tensors[name]


def wide(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)


class Writer:
    def __init__(self, path, architecture, dtype):
        self.to = gguf.GGUFWriter(path, architecture)
        self.type = TYPES[dtype]

    def matrix(self, name, bits):
        if self.type == gguf.GGMLQuantizationType.BF16:
            self.to.add_tensor(name, np.ascontiguousarray(bits).view(np.uint8), raw_dtype=self.type)
        else:
            self.to.add_tensor(name, gguf.quantize(wide(bits), self.type), raw_dtype=self.type)

    def vector(self, name, bits):
        self.to.add_tensor(name, wide(bits))

    def any(self, name, bits):
        (self.matrix if bits.ndim == 2 else self.vector)(name, bits)

    def close(self):
        self.to.write_header_to_file()
        self.to.write_kv_data_to_file()
        self.to.write_tensors_to_file()
        self.to.close()


def pairs_together(bits, n_heads):
    """Rows of q and k: Hugging Face rotates row i of a head with row i + E/2, llama.cpp row 2i with row 2i + 1."""
    return bits.reshape(n_heads, 2, -1, bits.shape[1]).swapaxes(1, 2).reshape(bits.shape)


def write_text(path, c, n_layers, dtype):
    t = c.config["text_config"]
    w = Writer(path, "llama", dtype)
    w.to.add_tokenizer_model("none")
    w.to.add_vocab_size(t["vocab_size"])
    w.to.add_context_length(t["max_position_embeddings"])
    w.to.add_embedding_length(t["hidden_size"])
    w.to.add_feed_forward_length(t["intermediate_size"])
    w.to.add_block_count(n_layers)
    w.to.add_head_count(t["num_attention_heads"])
    w.to.add_head_count_kv(t["num_key_value_heads"])
    w.to.add_rope_dimension_count(t["hidden_size"] // t["num_attention_heads"])
    w.to.add_rope_freq_base(t["rope_theta"])
    w.to.add_layer_norm_rms_eps(t["rms_norm_eps"])
    w.matrix("token_embd.weight", c["model.language_model.embed_tokens.weight"])
    w.vector("output_norm.weight", c["model.language_model.norm.weight"])
    w.matrix("output.weight", c["lm_head.weight"])
    heads = {"attn_q": t["num_attention_heads"], "attn_k": t["num_key_value_heads"]}
    for layer in range(n_layers):
        for theirs, name in TEXT_NAMES.items():
            bits = c[f"model.language_model.layers.{layer % t['num_hidden_layers']}.{theirs}.weight"]
            w.any(f"blk.{layer}.{name}.weight", pairs_together(bits, heads[name]) if name in heads else bits)
    w.close()


def write_vision(path, c, dtype):
    v = c.config["vision_config"]
    tower = "model.vision_tower.vision_model."
    w = Writer(path, "clip", dtype)
    w.to.add_type(gguf.GGUFType.MMPROJ)
    w.to.add_clip_has_vision_encoder(True)
    w.to.add_clip_projector_type("mlp")
    w.to.add_vision_image_size(v["image_size"])
    w.to.add_vision_patch_size(v["patch_size"])
    w.to.add_vision_embedding_length(v["hidden_size"])
    w.to.add_vision_feed_forward_length(v["intermediate_size"])
    w.to.add_vision_projection_dim(c.config["text_config"]["hidden_size"])
    w.to.add_vision_block_count(v["num_hidden_layers"])  # of an "mlp" the last is not computed
    w.to.add_vision_head_count(v["num_attention_heads"])
    w.to.add_vision_attention_layernorm_eps(v.get("layer_norm_eps", 1e-5))
    w.to.add_vision_image_mean([0.5] * 3)
    w.to.add_vision_image_std([0.5 / LARGEST_PIXEL] * 3)
    w.vector("v.class_embd", c[tower + "embeddings.class_embedding"])
    w.vector("v.patch_embd.weight", c[tower + "embeddings.patch_embedding.weight"])
    # This llama.cpp puts the class token after the patches, so its position goes last, too.
    w.vector("v.position_embd.weight", np.roll(c[tower + "embeddings.position_embedding.weight"], -1, axis=0))
    for kind in "weight", "bias":
        w.vector(f"v.pre_ln.{kind}", c[f"{tower}pre_layrnorm.{kind}"])
        w.any(f"mm.0.{kind}", c[f"model.multi_modal_projector.linear_1.{kind}"])
        w.any(f"mm.2.{kind}", c[f"model.multi_modal_projector.linear_2.{kind}"])
        for layer in range(v["num_hidden_layers"]):
            for theirs, name in VISION_NAMES.items():
                w.any(f"v.blk.{layer}.{name}.{kind}", c[f"{tower}encoder.layers.{layer}.{theirs}.{kind}"])
    w.close()


def make(checkpoint, out, n_layers, dtype):
    """Paths of both files, written where they are missing."""
    os.makedirs(out, exist_ok=True)
    text, vision = os.path.join(out, f"text-{dtype}-{n_layers}.gguf"), os.path.join(out, f"vision-{dtype}.gguf")
    c = Checkpoint(checkpoint)
    for path, write in [(text, lambda p: write_text(p, c, n_layers, dtype)), (vision, lambda p: write_vision(p, c, dtype))]:
        if not os.path.exists(path):
            write(path + ".new")
            os.replace(path + ".new", path)
    return text, vision


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("checkpoint")
    arguments.add_argument("out")
    arguments.add_argument("--layers", type=int, default=2)
    arguments.add_argument("--dtype", choices=TYPES, default="bf16")
    a = arguments.parse_args()
    print(*make(a.checkpoint, a.out, a.layers, a.dtype))


if __name__ == "__main__":
    main()
