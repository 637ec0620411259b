#!/usr/bin/env python3
"""Small random checkpoints in every form that is published, and what transformers and torch load from them:
tests/checkpoint/golden/.

    python3 tools/make_checkpoint_golden.py      seconds; run from the source root

A folder a form. `references.json` says for each form the folder, the configuration values that transformers resolves, and the
safetensors file with every weight under its canonical name (src/checkpoint/checkpoint.h) as `from_pretrained` loads it. Hugging Face
forms are written by save_pretrained, torch archives by torch.save. LLaVA's own code is not used: its forms are the weights of a Hugging
Face model under LLaVA's names (llava/model), beside a vision tower that CLIPModel.save_pretrained wrote.

torch/*.bin are archives of odd tensors, torch/*.safetensors the same tensors."""
import glob
import json
import os
import re
import shutil

import safetensors.torch
import torch
import transformers
from transformers import (CLIPConfig, CLIPModel, CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration,
                          LlavaNextConfig, LlavaNextForConditionalGeneration)

OUT = "tests/checkpoint/golden"
SEED = 4
MADE = {"made": f"tools/make_checkpoint_golden.py, seed {SEED}, torch {torch.__version__}, transformers {transformers.__version__}"}
LLAMA3_ROPE = dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                   original_max_position_embeddings=64)
GRID = [[8, 16], [16, 8], [16, 16], [24, 8]]  # height, width


def vision(**over):
    return CLIPVisionConfig(**{**dict(hidden_size=8, intermediate_size=12, num_hidden_layers=2, num_attention_heads=2, image_size=8,
                                      patch_size=4, projection_dim=8), **over})


def text(**over):
    return LlamaConfig(**{**dict(vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
                                 num_key_value_heads=2, max_position_embeddings=256, rms_norm_eps=1e-5), **over})


def random_model(cls, config, dtype):
    torch.manual_seed(SEED)
    model = cls(config).to(dtype)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn_like(p.float()).to(dtype))
    return model.eval()


def canonical(state):
    """The names of transformers 5, with the level vision_model that it dropped."""
    return {re.sub(r"^model\.vision_tower\.(?!vision_model\.)", "model.vision_tower.vision_model.", k): v for k, v in state.items()}


def resolved(config, original=None):
    t, v, rope = config.text_config, config.vision_config, config.text_config.rope_parameters
    eos = t.eos_token_id
    grid = getattr(config, "image_grid_pinpoints", None) if config.model_type == "llava_next" else []
    return {"model_type": original or config.model_type, "original": original is not None,
            "hidden_size": t.hidden_size, "n_layers": t.num_hidden_layers, "n_heads": t.num_attention_heads,
            "n_kv_heads": t.num_key_value_heads, "head_dim": t.head_dim, "vocab_size": t.vocab_size,
            "intermediate_size": t.intermediate_size, "max_position_embeddings": t.max_position_embeddings,
            "rms_norm_eps": t.rms_norm_eps, "rope_type": rope["rope_type"], "rope_theta": rope["rope_theta"],
            "rope_factor": rope.get("factor", 1.0), "rope_low": rope.get("low_freq_factor", 0.0),
            "rope_high": rope.get("high_freq_factor", 0.0), "rope_original": rope.get("original_max_position_embeddings", 0),
            "vision_hidden_size": v.hidden_size, "vision_n_layers": v.num_hidden_layers, "vision_n_heads": v.num_attention_heads,
            "vision_intermediate_size": v.intermediate_size, "image_size": v.image_size, "patch_size": v.patch_size,
            "feature_layer": config.vision_feature_layer % (v.num_hidden_layers + 1),
            "drop_class_token": config.vision_feature_select_strategy == "default",
            "image_token_id": -200 if original else config.image_token_index,
            "eos": eos if isinstance(eos, list) else [eos], "grid": grid}


class Goldens:
    def __init__(self):
        self.forms = []

    def folder(self, name):
        path = f"{OUT}/{name}"
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        return path

    def add(self, name, config, weights, reference, original=None):
        """`reference` names the file of weights: forms of one model share it."""
        path = f"{OUT}/{reference}.safetensors"
        weights = {k: v.contiguous().clone() for k, v in canonical(weights).items()}
        safetensors.torch.save_file(weights, path, metadata=MADE)
        self.forms.append({"folder": name, "reference": f"{reference}.safetensors", "config": resolved(config, original)})


def read_config(path):
    with open(f"{path}/config.json", encoding="utf-8") as f:
        return json.load(f)


def write_config(path, config):
    with open(f"{path}/config.json", "w", encoding="utf-8") as f:
        json.dump(config, f, indent=1)
        f.write("\n")


def write_torch_shards(path, state, n):
    """pytorch_model-0000i-of-0000n.bin and their index, as save_pretrained of transformers 4 named them."""
    index = {"metadata": {"total_size": sum(v.numel() * v.element_size() for v in state.values())}, "weight_map": {}}
    shards = [{} for _ in range(n)]
    for i, (k, v) in enumerate(state.items()):
        at = i * n // len(state)
        shards[at][k] = v
        index["weight_map"][k] = f"pytorch_model-{at + 1:05d}-of-{n:05d}.bin"
    for i, shard in enumerate(shards):
        torch.save(shard, f"{path}/pytorch_model-{i + 1:05d}-of-{n:05d}.bin")
    with open(f"{path}/pytorch_model.bin.index.json", "w", encoding="utf-8") as f:
        json.dump(index, f, indent=1)
        f.write("\n")


def hugging_face(g):
    llama = text(rope_parameters=dict(LLAMA3_ROPE), bos_token_id=3, eos_token_id=[4, 5])
    config = LlavaNextConfig(vision_config=vision(), text_config=llama, image_token_index=39, image_grid_pinpoints=GRID)
    model = random_model(LlavaNextForConditionalGeneration, config, torch.bfloat16)

    # transformers 5 writes the names of transformers 4 back, here into shards
    path = g.folder("next_hf")
    model.save_pretrained(path, max_shard_size="4KB")
    loaded = LlavaNextForConditionalGeneration.from_pretrained(path, dtype="auto")
    g.add("next_hf", loaded.config, loaded.state_dict(), "next")
    # the spelling of rotary scaling in transformers 4
    config4 = read_config(path)
    inner = config4["text_config"]
    rope = inner.pop("rope_parameters")
    inner["rope_theta"] = rope.pop("rope_theta")
    inner["rope_scaling"] = rope
    path = g.folder("next_hf_5")
    model.save_pretrained(path, save_original_format=False)
    write_config(path, config4)
    loaded = LlavaNextForConditionalGeneration.from_pretrained(path, dtype="auto")
    g.add("next_hf_5", loaded.config, loaded.state_dict(), "next")

    # LLaVA-1.5 with tied embeddings, in one torch archive with the attributes that state_dict() has
    config = LlavaConfig(vision_config=vision(hidden_act="gelu"), text_config=text(tie_word_embeddings=True, rope_parameters=dict(
        rope_type="linear", rope_theta=10000.0, factor=2.0)), image_token_index=39, vision_feature_layer=1)
    model = random_model(LlavaForConditionalGeneration, config, torch.float16)
    path = g.folder("llava_torch")
    model.save_pretrained(path)
    state = safetensors.torch.load_file(f"{path}/model.safetensors")
    os.remove(f"{path}/model.safetensors")
    names = model.model.language_model.state_dict()  # an OrderedDict with _metadata
    assert names._metadata
    names.clear()
    names.update(state)
    torch.save(names, f"{path}/pytorch_model.bin")
    loaded = LlavaForConditionalGeneration.from_pretrained(path, dtype="auto", weights_only=True)
    weights = loaded.state_dict()
    assert torch.equal(weights["lm_head.weight"], weights["model.language_model.embed_tokens.weight"])
    g.add("llava_torch", loaded.config, weights, "llava")


def original_names(state):
    """As llava/model names them."""
    out = {}
    for k, v in state.items():
        k = k.replace("model.language_model.", "model.")
        k = k.replace("model.multi_modal_projector.linear_1.", "model.mm_projector.0.")
        k = k.replace("model.multi_modal_projector.linear_2.", "model.mm_projector.2.")
        k = k.replace("model.vision_tower.vision_model.", "model.vision_tower.vision_tower.vision_model.")
        out[k] = v
    return out


def original_config(config, **more):
    """config.json of LLaVA: a LlamaConfig of transformers 4 with mm_*."""
    t = config.text_config
    keys = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
            "max_position_embeddings", "rms_norm_eps", "hidden_act", "bos_token_id", "eos_token_id", "tie_word_embeddings")
    out = {k: getattr(t, k) for k in keys}
    out.update(rope_theta=t.rope_parameters["rope_theta"], rope_scaling=None, mm_hidden_size=config.vision_config.hidden_size,
               mm_projector_type="mlp2x_gelu", mm_vision_select_feature="patch", mm_vision_select_layer=-2,
               mm_use_im_start_end=False, mm_resampler_type=None, use_mm_proj=True, transformers_version="4.31.0")
    out.update(more)
    return out


def original(g):
    # the tower: a whole CLIP, its archive with the I64 position_ids of transformers before 4.31
    path = g.folder("tiny-clip")
    torch.manual_seed(SEED + 1)
    words = dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2, vocab_size=10, max_position_embeddings=6)
    clip = CLIPModel(CLIPConfig(vision_config=vision().to_dict(), text_config=words, projection_dim=4))
    clip.save_pretrained(path)
    state = safetensors.torch.load_file(f"{path}/model.safetensors")
    os.remove(f"{path}/model.safetensors")
    state["vision_model.embeddings.position_ids"] = torch.arange(5)[None]
    torch.save(state, f"{path}/pytorch_model.bin")
    tower = {f"model.vision_tower.vision_model.{k.removeprefix('vision_model.')}": v for k, v in state.items()
             if k.startswith("vision_model.")}

    # LLaVA-1.5: two torch archives without the tower
    config = LlavaConfig(vision_config=vision(), text_config=text(rope_parameters=dict(rope_type="default", rope_theta=10000.0)))
    weights = canonical(random_model(LlavaForConditionalGeneration, config, torch.float16).state_dict())
    weights = {k: v for k, v in weights.items() if "vision_tower" not in k}
    path = g.folder("llava_original")
    write_torch_shards(path, original_names(weights), 2)
    write_config(path, original_config(config, model_type="llava", mm_vision_tower="openai/tiny-clip", image_aspect_ratio="pad"))
    weights.update(tower)
    g.add("llava_original", config, weights, "llava_original", original="llava")

    # LLaVA-1.6: safetensors with the tower, tuned; grid as (width, height)
    llama = text(rope_parameters=dict(rope_type="default", rope_theta=500000.0), bos_token_id=3, eos_token_id=4)
    config = LlavaNextConfig(vision_config=vision(), text_config=llama, image_grid_pinpoints=GRID)
    weights = canonical(random_model(LlavaNextForConditionalGeneration, config, torch.bfloat16).state_dict())
    path = g.folder("next_original")
    safetensors.torch.save_file(original_names(weights), f"{path}/model.safetensors", metadata={"format": "pt"})
    write_config(path, original_config(config, model_type="llava_llama", mm_vision_tower="openai/tiny-clip",
                                       image_aspect_ratio="anyres", mm_patch_merge_type="spatial_unpad",
                                       image_grid_pinpoints=[[w, h] for h, w in GRID]))
    g.add("next_original", config, weights, "next_original", original="llava_llama")


def odd_archives():
    os.makedirs(f"{OUT}/torch", exist_ok=True)
    torch.manual_seed(SEED)
    base = torch.randn(24)
    variety = {"f32": torch.randn(3, 4), "f16": torch.randn(2, 3, 2).half(), "bf16": torch.randn(5).bfloat16(), "empty": torch.zeros(0, 3),
               "scalar": torch.tensor(1.5), "five": torch.randn(1, 2, 1, 2, 3), "view": base[3:9], "view of a view": base[6:18].view(3, 4),
               "one column": base.view(24, 1)[2:5], "parameter": torch.nn.Parameter(torch.randn(4)).data, "i64": torch.arange(5)[None],
               "i32": torch.arange(3, dtype=torch.int32), "i16": torch.arange(3, dtype=torch.int16),
               "i8": torch.arange(3, dtype=torch.int8),
               "u8": torch.arange(3, dtype=torch.uint8), "f64": torch.randn(2).double(), "bool": torch.tensor([True, False]),
               "Größe": torch.ones(2)}
    many = {f"w{i}": base[i % 8:i % 8 + 16] for i in range(1200)}  # past 255 memo entries and 1000 members at a time
    for name, state in ("variety", variety), ("many", many):
        torch.save(state, f"{OUT}/torch/{name}.bin")
        state = {k: v.contiguous().clone() for k, v in (state if name == "variety" else dict(list(state.items())[::150])).items()}
        safetensors.torch.save_file(state, f"{OUT}/torch/{name}.safetensors", metadata=MADE)
    torch.save({"a": torch.ones(2)}, f"{OUT}/torch/legacy.bin", _use_new_zipfile_serialization=False)
    torch.save({"a": torch.arange(6.).reshape(2, 3).t()}, f"{OUT}/torch/transposed.bin")
    torch.save({"a": torch.ones(2)}, f"{OUT}/torch/protocol_4.bin", pickle_protocol=4)
    torch.save(torch.nn.Linear(2, 2), f"{OUT}/torch/module.bin")
    torch.jit.script(torch.nn.Linear(2, 2)).save(f"{OUT}/torch/script.bin")
    torch.save({"model": {"a": torch.ones(2)}}, f"{OUT}/torch/nested.bin")


def main():
    g = Goldens()
    hugging_face(g)
    original(g)
    odd_archives()
    for path in glob.glob(f"{OUT}/*/generation_config.json"):
        os.remove(path)
    with open(f"{OUT}/references.json", "w", encoding="utf-8") as f:
        f.write(json.dumps({**MADE, "forms": g.forms}, indent=1) + "\n")


if __name__ == "__main__":
    main()
