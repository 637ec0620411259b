#!/usr/bin/env python3
"""Reference values of the forward pass and of attention knockout: tests/model/golden/ and tests/engine/golden/.

    python3 tools/make_model_golden.py demo    the demo model on its questions          (about five minutes)
    python3 tools/make_model_golden.py bites   a random model in which every cut bites  (seconds)
    python3 tools/make_model_golden.py demo --compare samples.json.gz    against values made elsewhere, writes nothing

Run from the source root. transformers, eager attention, float32, CPU; pictures through the Pillow image processor. What each file
holds is in docs/goldens.md. Knocked-out runs replace the attention mask that transformers would use, layer by layer; every run starts
from layer 0, so nothing of the engine's reuse is assumed here."""
import argparse
import gzip
import json
import os
import shutil

import torch
from safetensors.torch import save_file
from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

import golden_reference
from golden_reference import BITES, CUT, ENGINE_GOLDEN, Reference, nine_digits, read_rows, spread, window, write_json

MODEL_GOLDEN = "tests/model/golden"

FLOWS = ["Image->Question", "Image->Last", "Question->Last", "Last->Last", "Image Central Object->Question",
         "Image Without Central Object->Question"]
HEAD_SET = dict(flow="Image->Question", heads=[0, 2], window=3)


class Sample(golden_reference.Sample):
    """One question's inputs, its baseline and its knocked-out runs."""

    def positions(self, flow):
        """Key positions and query positions of a flow."""
        image = [self.image_at + i for i in range(self.ref.n_patches)]
        central = [self.image_at + i for i in self.object]
        groups = {"Image": image, "Question": list(range(*self.question)), "Last": [self.length - 1],
                  "Image Central Object": central, "Image Without Central Object": sorted(set(image) - set(central))}
        keys, queries = flow.split("->")
        return groups[keys], groups[queries]

    def cut_mask(self, flow, heads=None):
        """[1, T, T], or [H, T, T] where only some heads are cut. A query left without any key would attend evenly under
        transformers' additive mask: refused."""
        keys, queries = self.positions(flow)
        causal = torch.full((self.length, self.length), CUT).triu(1)
        cut = causal.clone()
        cut[torch.tensor(queries)[:, None], torch.tensor(keys, dtype=torch.long)[None]] = CUT
        assert (cut == 0).any(1).all()
        if heads is None:
            return cut[None]
        return torch.stack([cut if h in heads else causal for h in range(self.ref.n_heads)])

    def set_masks(self, cut, k, centres):
        causal = torch.full((self.length, self.length), CUT).triu(1).expand_as(cut)
        for layer in range(self.ref.n_layers):
            self.ref.masks[layer] = torch.stack([cut if layer in window(c, k, self.ref.n_layers) else causal for c in centres])

    def knock_out(self, flow, k, heads=None):
        """Last-position logits [L, V] of the runs centred at each layer, as one batch."""
        self.set_masks(self.cut_mask(flow, heads), k, range(self.ref.n_layers))
        out = self.ref.decoder(inputs_embeds=self.embeds.expand(self.ref.n_layers, -1, -1), use_cache=False)
        self.ref.masks.clear()
        return self.ref.head(out.last_hidden_state[:, -1])

    def knocked_out_hidden(self, flow, centre, k):
        """Hidden states [L+1, T, D] of one run."""
        self.set_masks(self.cut_mask(flow), k, [centre])
        out = self.ref.decoder(inputs_embeds=self.embeds, use_cache=False, output_hidden_states=True)
        self.ref.masks.clear()
        return torch.stack([h[0] for h in out.hidden_states])

    def first_probability(self, logits):
        return nine_digits(logits.softmax(-1)[:, self.first])

    def record(self):
        generated, lead = self.generate()
        assert lead > 1e-2, f"{self.key}: two tokens are within {lead} of each other: not a test of greedy decoding"
        top = self.probabilities.topk(5)
        return dict(
            key=self.key, task=self.key.split(".")[0], question_id=self.row["question_id"], image=self.row["img_id"],
            question=self.row["question"], answer=self.row["answer"], prompt=self.prompt, text_ids=self.text_ids,
            image_at=self.image_at, length=self.length, question_span=self.question, object_patches=self.object,
            boxes=self.boxes, first_token=self.first, probability=nine_digits(self.probabilities[self.first]),
            top5_ids=top.indices.tolist(), top5=nine_digits(top.values), generated_ids=generated,
            generated=self.ref.tokenizer.decode(generated, skip_special_tokens=True),
            lens=self.first_probability(self.hidden[:, -1] @ self.ref.head.weight.T))


def read_samples(ref, per_task, tasks=None, pixels=Reference.pixels):
    for task, rows in read_rows():
        if not tasks or task in tasks:
            for n, row in enumerate(rows[:per_task]):
                yield Sample(ref, f"{task}.{n}", row, pixels)


def provenance(**more):
    return golden_reference.provenance("tools/make_model_golden.py", **more)


def write_tensors(path, tensors, **more):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    save_file({k: v.detach().contiguous().clone() for k, v in tensors.items()}, path,
              metadata={"made": json.dumps(provenance(**more))})  # one entry: the writer keeps no order among several
    os.chmod(path, 0o644)
    print(f"{path}: {os.path.getsize(path)} bytes")


# ---- the demo model ----

DEMO_WINDOWS = [1, 3, 9]
DEMO_WHOLE = ["ChooseAttr.0", "LogicalObj.3"]
ROW_STEP = 4  # of the hidden states stored whole: keeps a sample near one megabyte


def demo_samples(pixels=Reference.pixels):
    ref = Reference("demo/model")
    for s in read_samples(ref, per_task=6, pixels=pixels):
        record = s.record()
        record["knockout"] = {f"{flow}@{k}": s.first_probability(s.knock_out(flow, k)) for k in DEMO_WINDOWS for flow in FLOWS}
        print(s.key, record["generated"], record["probability"], flush=True)
        yield s, record


def demo():
    records, tensors = [], {}
    for s, record in demo_samples():
        records.append(record)
        tensors[s.key + ".logits"] = s.logits
        tensors[s.key + ".last_hidden"] = s.hidden[:, -1]
        if s.key in DEMO_WHOLE:
            tensors[s.key + ".pixel_values"] = s.pixel_values[0]
            tensors[s.key + ".vision_hidden"] = s.vision_hidden[:, ::ROW_STEP]
            tensors[s.key + ".image_features"] = s.image_features
            tensors[s.key + ".hidden"] = s.hidden[:, ::ROW_STEP]
    write_tensors(f"{MODEL_GOLDEN}/demo.safetensors", tensors, hidden_row_step=ROW_STEP, vision_hidden_row_step=ROW_STEP)
    write_json(f"{ENGINE_GOLDEN}/demo.json", records, made=provenance(), flows=FLOWS, windows=DEMO_WINDOWS)


def torchvision_pixels(ref, picture):
    """What transformers' default image processor makes of a picture that needs no crop: torchvision resizes bytes with this same
    function. Against Pillow, a few of the values of a picture differ by one grey level."""
    p = ref.pictures
    side = p.crop_size["height"]
    assert picture.width == picture.height
    pixels = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).reshape(picture.height, picture.width, 3)
    resized = torch.nn.functional.interpolate(pixels.permute(2, 0, 1)[None], size=(side, side), mode="bicubic", antialias=True)
    mean, std = torch.tensor(p.image_mean).view(3, 1, 1), torch.tensor(p.image_std).view(3, 1, 1)
    return (resized.float() * p.rescale_factor - mean) / std


def compare(path):
    """Largest difference to earlier values, made with the torchvision image processor; everything discrete must be the same."""
    with gzip.open(path) as f:
        theirs = {s["key"]: s for s in json.load(f)["samples"]}
    worst = {}
    for s, ours in demo_samples(torchvision_pixels):
        other = theirs[s.key]
        for name in ("prompt", "text_ids", "image_at", "length", "boxes", "first_token", "generated_ids"):
            assert ours[name] == other[name], (s.key, name)
        assert other["question_positions"] == list(range(*s.question)), s.key
        assert other["object_positions"] == [s.image_at + i for i in s.object], s.key
        pairs = {"probability": ([ours["probability"]], [other["probability"]]), "lens": (ours["lens"], other["lens_first"])}
        pairs |= {name: (values, other["knockout"][name]) for name, values in ours["knockout"].items()}
        for name, (a, b) in pairs.items():
            worst[name] = max(worst.get(name, 0), max(abs(x - y) for x, y in zip(a, b, strict=True)))
    for name, difference in worst.items():
        print(f"{name:44s} {difference:.2e}")
    print("largest", max(worst.values()))
    assert max(worst.values()) < 1e-4


# ---- a random model in which every cut bites ----

BITES_SEED = 61  # the cut of one layer that moves the logits least moves them by 33 bounds
BITES_WINDOWS = [1, 2, 3, 9]
BITES_TASKS = ["ChooseAttr", "ChooseRel", "LogicalObj", "QueryAttr"]
BITES_HIDDEN = dict(flow="Image->Question", centre=2, window=3)
BOUND = 1e-4  # of the largest logit: what a correct float32 engine stays within


def bites_config():
    return LlavaConfig(
        text_config=LlamaConfig(vocab_size=656, hidden_size=64, intermediate_size=96, num_hidden_layers=5,
                                num_attention_heads=4, num_key_value_heads=2, head_dim=24, max_position_embeddings=256,
                                rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2, pad_token_id=645, tie_word_embeddings=False),
        vision_config=CLIPVisionConfig(hidden_size=48, intermediate_size=64, num_hidden_layers=3, num_attention_heads=3,
                                       image_size=56, patch_size=14, projection_dim=48),
        image_token_index=644, image_seq_length=16, vision_feature_layer=-2, vision_feature_select_strategy="default",
        projector_hidden_act="gelu", multimodal_projector_bias=True, tie_word_embeddings=False)


def make_bites():
    model = LlavaForConditionalGeneration(bites_config()).float()
    generator = torch.Generator().manual_seed(BITES_SEED)
    for name, p in sorted(model.named_parameters()):
        centre, deviation = spread(name)
        p.data = centre + deviation * torch.randn(p.shape, generator=generator)
    shutil.rmtree(BITES, ignore_errors=True)
    model.save_pretrained(BITES)
    for f in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(os.path.join("demo/model", f), os.path.join(BITES, f))
    CLIPImageProcessorPil(size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56}).save_pretrained(BITES)
    for f in os.listdir(BITES):
        os.chmod(os.path.join(BITES, f), 0o644)


def effect(s, logits):
    """How far each run's logits are from the baseline's, relative to the largest logit: [L]."""
    return (logits - s.logits).abs().amax(-1) / s.logits.abs().max()


def bites():
    make_bites()
    ref = Reference(BITES)
    records, tensors, effects = [], {}, {}
    for s in read_samples(ref, 1, BITES_TASKS):
        record = s.record() | {"knockout": {}}
        for k in BITES_WINDOWS:
            for flow in FLOWS:
                logits = s.knock_out(flow, k)
                record["knockout"][f"{flow}@{k}"] = s.first_probability(logits)
                effects.setdefault((k, flow), []).append(effect(s, logits))
                if k == 3:
                    tensors[f"{s.key}.knockout.{flow}"] = logits
        logits = s.knock_out(HEAD_SET["flow"], HEAD_SET["window"], HEAD_SET["heads"])
        record["head_set"] = s.first_probability(logits)
        effects.setdefault((3, "heads 0 and 2 of Image->Question"), []).append(effect(s, logits))
        whole = tensors[f"{s.key}.knockout.{HEAD_SET['flow']}"]
        effects.setdefault((3, "those heads against all heads"), []).append((logits - whole).abs().amax(-1) / s.logits.abs().max())
        tensors[s.key + ".head_set"] = logits
        tensors[s.key + ".logits"] = s.logits
        records.append(record)
        if len(records) == 1:
            tensors[s.key + ".pixel_values"] = s.pixel_values[0]
            tensors[s.key + ".vision_hidden"] = s.vision_hidden
            tensors[s.key + ".image_features"] = s.image_features
            tensors[s.key + ".hidden"] = s.hidden
            tensors[s.key + ".knockout.hidden"] = s.knocked_out_hidden(**{
                "flow": BITES_HIDDEN["flow"], "centre": BITES_HIDDEN["centre"], "k": BITES_HIDDEN["window"]})
    check_effects(effects)
    write_tensors(f"{ENGINE_GOLDEN}/bites.safetensors", tensors, seed=BITES_SEED)
    write_json(f"{ENGINE_GOLDEN}/bites.json", records, made=provenance(seed=BITES_SEED), flows=FLOWS, windows=BITES_WINDOWS,
               head_set=HEAD_SET, hidden_run=BITES_HIDDEN | {"key": records[0]["key"]})


def check_effects(effects):
    """In every sample, each flow's cut must move the logits by 100 bounds at a majority of the centre layers, and by 10 wherever a
    single layer is cut: an engine that loses one layer of a window is seen. Cutting the question's view in the last layer
    changes nothing that is read."""
    print("smallest change of the logits over the samples, in % of the largest logit, by centre layer")
    for (k, what), by_sample in effects.items():
        least = torch.stack(by_sample).amin(0)
        print(f"k={k} {what:40s}", " ".join(f"{100 * x:6.2f}" for x in least.tolist()))
        if k == 1:
            acting = least[:-1] if what.endswith("->Question") else least
            assert (acting > 10 * BOUND).all(), (k, what)
        else:
            assert (least > 100 * BOUND).sum() * 2 > len(least), (k, what)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("what", choices=["demo", "bites"])
    arguments.add_argument("--compare", metavar="FILE", help="earlier values of the demo model; writes nothing")
    a = arguments.parse_args()
    torch.set_num_threads(2)
    torch.use_deterministic_algorithms(True)
    with torch.no_grad():
        if a.compare:
            compare(a.compare)
        elif a.what == "demo":
            demo()
        else:
            bites()


main()
