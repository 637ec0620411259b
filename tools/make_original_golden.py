#!/usr/bin/env python3
"""Checkpoints of tests/family/golden in the layout that LLaVA's own code saves: tests/family/golden/original.

    python3 tools/make_original_golden.py     seconds; run from the source root, after make_family_golden.py

The weights are those of the Hugging Face form, byte for byte, so its goldens are the goldens here; docs/goldens.md says what is written
another way. Needs sentencepiece beside transformers: the tokenizer.model is written here, piece by piece, and must give the ids of the
tokenizer.json it stands for. LLaVA's own code is not used."""
import csv
import glob
import json
import os
import shutil
import struct

import sentencepiece
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from make_checkpoint_golden import write_config, write_torch_shards
from make_family_golden import HUMAN, PROMPTS

GOLDEN = "tests/family/golden"
OUT = f"{GOLDEN}/original"
LLAVA, NEXT = "llava-llama2-2", "next-llama3-1"
MADE = f"tools/make_original_golden.py, no random draw, torch {torch.__version__}, sentencepiece {sentencepiece.__version__}"
MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]


# ---- weights ----

def llava_name(name):
    """llava/model's name for what transformers 4 calls `name`."""
    for old, new in (("language_model.model.", "model."), ("language_model.lm_head.", "lm_head."), ("image_newline", "model.image_newline"),
                     ("multi_modal_projector.linear_1.", "model.mm_projector.0."), ("multi_modal_projector.linear_2.", "model.mm_projector.2."),
                     ("vision_tower.", "model.vision_tower.vision_tower.vision_model.")):
        if name.startswith(old):
            return new + name[len(old):]
    raise ValueError(name)


def weights_of(name):
    """Of a Hugging Face folder: LLaVA's weights without the tower, and the tower's under CLIP's names. LLaVA ties no embeddings."""
    state = load_file(f"{GOLDEN}/{name}/model.safetensors")
    state.setdefault("language_model.lm_head.weight", state["language_model.model.embed_tokens.weight"].clone())
    tower = {"vision_model." + k.removeprefix("vision_tower."): v for k, v in state.items() if k.startswith("vision_tower.")}
    return {llava_name(k): v for k, v in state.items() if not k.startswith("vision_tower.")}, tower


# ---- configurations ----

def read_json(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def config_of(name, tower, **more):
    """A LlamaConfig of transformers 4 with mm_*."""
    given = read_json(f"{GOLDEN}/{name}/config.json")
    text, vision, rope = given["text_config"], given["vision_config"], dict(given["text_config"]["rope_parameters"])
    keys = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim",
            "max_position_embeddings", "rms_norm_eps", "hidden_act", "attention_bias", "bos_token_id")
    eos = text["eos_token_id"]
    out = {"architectures": ["LlavaLlamaForCausalLM"], **{k: text[k] for k in keys}, "eos_token_id": eos[0] if isinstance(eos, list) else eos,
           "rope_theta": rope.pop("rope_theta"), "rope_scaling": None if rope["rope_type"] == "default" else rope, "tie_word_embeddings": False,
           "mm_hidden_size": vision["hidden_size"], "mm_projector_type": "mlp2x_gelu", "mm_vision_select_feature": "patch",
           "mm_vision_select_layer": given["vision_feature_layer"], "mm_vision_tower": f"openai/{tower}", "mm_use_im_patch_token": False,
           "mm_use_im_start_end": False, "use_mm_proj": True, "freeze_mm_mlp_adapter": False, "tune_mm_mlp_adapter": False, "use_cache": True}
    return out | more


def folder_of(name):
    path = f"{OUT}/{name}"
    os.makedirs(path)
    return path


def write_generation(path, name):
    given = read_json(f"{GOLDEN}/{name}/generation_config.json")
    write_json(f"{path}/generation_config.json", {k: given[k] for k in ("bos_token_id", "eos_token_id")})


def write_json(path, value):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(value, f, indent=1)
        f.write("\n")


# ---- tokenizer.model ----

def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def field(number, value):
    """Of a protobuf message: bytes, a float, or a whole number."""
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    return varint(number << 3) + varint(value)


def sentencepiece_model(vocab):
    """A ModelProto (sentencepiece_model.proto) of BPE with these pieces, in the order of their ids: the three controls, the bytes, and pieces
    whose scores fall. The settings are those of Llama 2's file."""
    unknown, control, byte = 2, 3, 6
    pieces = b""
    for i, text in enumerate(sorted(vocab, key=vocab.get)):
        kind = unknown if i == 0 else control if i < 3 else byte if i < 259 else None
        score = 0. if kind else float(259 - i)
        pieces += field(1, field(1, text.encode()) + field(2, score) + (field(3, kind) if kind else b""))
    trainer = field(3, 2) + field(4, len(vocab)) + field(35, 1)  # BPE, vocab_size, byte_fallback
    normalizer = field(1, b"identity") + field(3, 1) + field(4, 0) + field(5, 1)  # add_dummy_prefix, no remove_extra_whitespaces, escape_whitespaces
    return pieces + field(2, trainer) + field(3, normalizer)


def texts():
    """All that the tests ask, as LLaVA cuts it at the picture."""
    prompts = [PROMPTS["llava-llama2"], PROMPTS["next-llama2"], PROMPTS["next-llama2"].replace("human", "user")]
    assert HUMAN in PROMPTS["next-llama2"]
    for path in sorted(glob.glob("demo/questions/*.csv")):
        with open(path, encoding="utf-8") as f:
            for row in csv.DictReader(f):
                for prompt in prompts:
                    yield from prompt.format(row["question"]).split("<image>")
    yield from ("What is the pattern of the moon?", "Unseen w\u00f6rds \u2603, 12345; A\tB")


def write_tokenizer_model(path, name):
    vocab = read_json(f"{GOLDEN}/{name}/tokenizer.json")["model"]["vocab"]
    model = sentencepiece_model(vocab)
    pieces, whole = sentencepiece.SentencePieceProcessor(model_proto=model), Tokenizer.from_file(f"{GOLDEN}/{name}/tokenizer.json")
    for text in set(texts()):
        assert [1, *pieces.encode(text)] == whole.encode(text).ids, text
    with open(f"{path}/tokenizer.model", "wb") as f:
        f.write(model)
    write_json(f"{path}/tokenizer_config.json", {"add_bos_token": True, "add_eos_token": False, "bos_token": "<s>", "eos_token": "</s>",
                                                 "unk_token": "<unk>", "legacy": False, "tokenizer_class": "LlamaTokenizer"})


# ---- the two checkpoints ----

def llava():
    """LLaVA-1.5: torch archives without a tower, tokenizer.model, pictures padded. The tower is a whole CLIP in a torch archive, its
    preprocessor_config.json in the spelling of before transformers 4.26."""
    weights, tower = weights_of(LLAVA)
    path = folder_of(LLAVA)
    write_torch_shards(path, weights, 2)
    index = read_json(f"{path}/pytorch_model.bin.index.json")
    index["metadata"]["made"] = MADE
    write_json(f"{path}/pytorch_model.bin.index.json", index)
    write_config(path, config_of(LLAVA, "clip-30", model_type="llava", image_aspect_ratio="pad"))
    write_generation(path, LLAVA)
    write_tokenizer_model(path, LLAVA)

    path, vision = folder_of("clip-30"), read_json(f"{GOLDEN}/{LLAVA}/config.json")["vision_config"]
    more = {"logit_scale": torch.tensor(4.6), "visual_projection.weight": torch.ones(2, vision["hidden_size"]),
            "text_projection.weight": torch.ones(2, 2), "text_model.final_layer_norm.weight": torch.ones(2),
            "vision_model.embeddings.position_ids": torch.arange(len(tower["vision_model.embeddings.position_embedding.weight"]))[None]}
    torch.save(tower | more, f"{path}/pytorch_model.bin")
    write_config(path, {"model_type": "clip", "projection_dim": 2, "text_config": {"hidden_size": 2}, "vision_config": vision})
    size = vision["image_size"]
    write_json(f"{path}/preprocessor_config.json", {"crop_size": size, "do_center_crop": True, "do_normalize": True, "do_resize": True,
                                                    "feature_extractor_type": "CLIPFeatureExtractor", "image_mean": MEAN, "image_std": STD,
                                                    "resample": 3, "size": size})


def llava_next():
    """LLaVA-NeXT with Llama 3: safetensors with the tuned tower, tokenizer.json, tiles. The tower's folder holds the weights it was tuned
    from, here others, which must not be used."""
    weights, tower = weights_of(NEXT)
    path = folder_of(NEXT)
    weights |= {f"model.vision_tower.vision_tower.{k}": v for k, v in tower.items()}
    save_file(weights, f"{path}/model.safetensors", metadata={"format": "pt", "made": MADE})
    grid = read_json(f"{GOLDEN}/{NEXT}/config.json")["image_grid_pinpoints"]
    write_config(path, config_of(NEXT, "clip-20", model_type="llava_llama", image_aspect_ratio="anyres", mm_patch_merge_type="spatial_unpad",
                                 image_grid_pinpoints=[[width, height] for height, width in grid], unfreeze_mm_vision_tower=True))
    write_generation(path, NEXT)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(f"{GOLDEN}/{NEXT}/{name}", f"{path}/{name}")

    path, vision = folder_of("clip-20"), read_json(f"{GOLDEN}/{NEXT}/config.json")["vision_config"]
    save_file({k: 1.5 * v for k, v in tower.items()}, f"{path}/model.safetensors", metadata={"format": "pt", "made": MADE})
    write_config(path, vision)
    size = vision["image_size"]
    write_json(f"{path}/preprocessor_config.json", {"crop_size": {"height": size, "width": size}, "do_center_crop": True, "do_convert_rgb": True,
                                                    "do_normalize": True, "do_rescale": True, "do_resize": True,
                                                    "image_processor_type": "CLIPImageProcessor", "image_mean": MEAN, "image_std": STD,
                                                    "resample": 3, "rescale_factor": 1 / 255, "size": {"shortest_edge": size}})


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    llava()
    llava_next()
    for path in glob.glob(f"{OUT}/*/*"):
        os.chmod(path, 0o644)


if __name__ == "__main__":
    main()
