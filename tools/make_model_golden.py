#!/usr/bin/env python3
"""Reference values of the forward pass and of attention knockout: tests/model/golden/ and tests/engine/golden/.

    python3 tools/make_model_golden.py demo    the demo model on its questions          (about five minutes)
    python3 tools/make_model_golden.py bites   a random model in which every cut bites  (seconds)
    python3 tools/make_model_golden.py demo --compare samples.json.gz    against values made elsewhere, writes nothing

Run from the source root. transformers, eager attention, float32, CPU; pictures through the Pillow image processor. What each file
holds is in docs/goldens.md. Knocked-out runs replace the attention mask that transformers would use, layer by layer; every run starts
from layer 0, so nothing of the engine's reuse is assumed here."""
import argparse
import csv
import gzip
import json
import os
import platform
import shutil
import sys

import PIL
import torch
import transformers
from PIL import Image, ImageDraw
from safetensors.torch import save_file
from transformers import AutoTokenizer, CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

QUESTIONS = "demo/questions"
MODEL_GOLDEN = "tests/model/golden"
ENGINE_GOLDEN = "tests/engine/golden"
BITES = os.path.join(ENGINE_GOLDEN, "bites")

PROMPT = "USER: <image>\n{} \nAnswer the question using a single word or phrase. ASSISTANT:"
FLOWS = ["Image->Question", "Image->Last", "Question->Last", "Last->Last", "Image Central Object->Question",
         "Image Without Central Object->Question"]
CUT = torch.finfo(torch.float32).min
NEW_TOKENS = 8
HEAD_SET = dict(flow="Image->Question", heads=[0, 2], window=3)


class Reference:
    """A checkpoint in transformers, with the attention mask of every decoder layer under our control."""

    def __init__(self, folder):
        self.model = LlavaForConditionalGeneration.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager").eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.pictures = CLIPImageProcessorPil.from_pretrained(folder)
        self.decoder, self.head = self.model.model.language_model, self.model.lm_head
        self.n_layers = self.model.config.text_config.num_hidden_layers
        self.n_heads = self.model.config.text_config.num_attention_heads
        self.n_patches = self.model.config.image_seq_length
        self.image_id = self.model.config.image_token_index
        self.masks = {}  # layer -> additive mask [B, 1 or H, T, T]
        for i, layer in enumerate(self.decoder.layers):
            layer.self_attn.register_forward_pre_hook(self.replace_mask(i), with_kwargs=True)

    def replace_mask(self, layer):
        def hook(_module, args, kwargs):
            return args, kwargs | {"attention_mask": self.masks[layer]} if layer in self.masks else kwargs
        return hook

    def pixels(self, picture, **options):
        return self.pictures(images=picture, return_tensors="pt", **options)["pixel_values"]


def window(centre, k, n_layers):
    return range(max(0, centre - k // 2), min(n_layers, centre + (k + 1) // 2))


def span(tokenizer, ids, text):
    """Begin and end of the tokens that overlap the first occurrence of text: tokens joined, the word mark read as a blank."""
    tokens = [t.replace("\u2581", " ") for t in tokenizer.convert_ids_to_tokens(ids)]
    at = "".join(tokens).index(text)
    ends = [sum(map(len, tokens[:i + 1])) for i in range(len(tokens))]
    return next(i for i, e in enumerate(ends) if e > at), next(i for i, e in enumerate(ends) if e >= at + len(text)) + 1


def boxes_of(row):
    names = ["central object"] if "central object x" in row else ["object1", "object2"]
    return [[int(row[f"{o} {c}"]) for c in "xywh"] for o in names if row[o + " x"] != "-"]


def object_patches(ref, picture, boxes):
    """A patch is the object's if any of its pixels keeps the pure box colour through the picture's own resize and crop."""
    mask = Image.new("RGB", picture.size, (0, 255, 0))
    draw = ImageDraw.Draw(mask)
    for x, y, w, h in boxes:
        draw.rectangle((x, y, x + w, y + h), fill=(255, 0, 0))
    r, g, b = ref.pixels(mask, do_rescale=False, do_normalize=False)[0]
    pure = (r == 255) & (g == 0) & (b == 0)
    side = int(round(ref.n_patches ** .5))
    tiles = pure.unfold(0, pure.shape[0] // side, pure.shape[0] // side).unfold(1, pure.shape[1] // side, pure.shape[1] // side)
    return tiles.reshape(ref.n_patches, -1).any(1).nonzero().flatten().tolist()


class Sample:
    """One question's inputs and its baseline."""

    def __init__(self, ref, key, row, pixels):
        self.ref, self.key, self.row = ref, key, row
        self.picture = Image.open(os.path.join(QUESTIONS, "images", row["img_id"] + ".jpg")).convert("RGB")
        self.pixel_values = pixels(ref, self.picture)
        self.prompt = PROMPT.format(row["question"])
        self.text_ids = ref.tokenizer(self.prompt)["input_ids"]
        self.image_at = at = self.text_ids.index(ref.image_id)
        self.ids = torch.tensor([self.text_ids[:at] + [ref.image_id] * ref.n_patches + self.text_ids[at + 1:]])
        self.length = self.ids.shape[1]
        begin, end = span(ref.tokenizer, self.text_ids[at + 1:], row["question"])
        self.question = [begin + at + ref.n_patches, end + at + ref.n_patches]
        self.boxes = boxes_of(row)
        self.object = object_patches(ref, self.picture, self.boxes)
        self.run_baseline()

    def run_baseline(self):
        ref, at = self.ref, self.image_at
        ref.masks.clear()
        out = ref.model(input_ids=self.ids, pixel_values=self.pixel_values, output_hidden_states=True, use_cache=False)
        self.logits = out.logits[0, -1]
        self.hidden = torch.stack([h[0] for h in out.hidden_states])
        self.probabilities = self.logits.softmax(-1)
        self.first = self.logits.argmax().item()
        vision = ref.model.model.get_image_features(pixel_values=self.pixel_values, output_hidden_states=True)
        self.image_features = vision.pooler_output[0]
        self.vision_hidden = torch.stack([h[0] for h in vision.hidden_states])
        self.embeds = ref.decoder.get_input_embeddings()(self.ids)
        self.embeds[:, at:at + ref.n_patches] = self.image_features
        assert torch.equal(self.embeds[0], self.hidden[0])

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

    def generate(self):
        """Greedy ids and the smallest lead of a chosen token's logit over the second."""
        out = self.ref.model.generate(input_ids=self.ids, pixel_values=self.pixel_values,
                                      attention_mask=torch.ones_like(self.ids), max_new_tokens=NEW_TOKENS, do_sample=False,
                                      output_logits=True, return_dict_in_generate=True)
        top = torch.stack(out.logits)[:, 0].topk(2).values
        return out.sequences[0, self.length:].tolist(), (top[:, 0] - top[:, 1]).min().item()

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


def nine_digits(values):
    """float32 values as the shortest decimals that give them back."""
    values = values.tolist()
    return [float(f"{v:.9g}") for v in values] if isinstance(values, list) else float(f"{values:.9g}")


def read_samples(ref, per_task, tasks=None, pixels=Reference.pixels):
    for f in sorted(os.listdir(QUESTIONS)):
        task = f[:-4].split("_")[-1]
        if not f.endswith(".csv") or tasks and task not in tasks:
            continue
        with open(os.path.join(QUESTIONS, f), newline="") as lines:
            for n, row in zip(range(per_task), csv.DictReader(lines)):
                yield Sample(ref, f"{task}.{n}", row, pixels)


def provenance(**more):
    return dict(made_by=" ".join(["tools/make_model_golden.py", *sys.argv[1:]]), python=platform.python_version(),
                torch=torch.__version__, transformers=transformers.__version__, pillow=PIL.__version__, dtype="float32",
                attention="eager", image_processor="CLIPImageProcessorPil", device="cpu", **more)


def write_json(path, samples, **head):
    """One line a sample, so that a change shows as the samples it touches."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write("{\n" + "".join(f'"{k}": {json.dumps(v)},\n' for k, v in head.items()) + '"samples": [\n')
        f.write(",\n".join(json.dumps(s, separators=(",", ":"), ensure_ascii=False) for s in samples) + "\n]}\n")
    print(f"{path}: {os.path.getsize(path)} bytes")


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


def spread(name):
    """Centre and standard deviation of a parameter. Query and key weights are wide enough that attention is peaked: an average over
    many keys would hide a cut. Norm weights and biases are off their neutral values, so that leaving one out shows."""
    if "norm" in name or "layrnorm" in name:
        return (0, .1) if name.endswith("bias") else (1, .25)
    if name.endswith("bias"):
        return 0, .1
    if "embed_tokens" in name:
        return 0, 1
    if "q_proj" in name or "k_proj" in name:
        return 0, .14
    if "v_proj" in name or "o_proj" in name:
        return 0, .25
    if "patch_embedding" in name:
        return 0, .05
    return 0, .2


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
