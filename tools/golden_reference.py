"""Checkpoints in transformers as the reference of the golden scripts: eager attention, float32, CPU, pictures through the Pillow image
processor; the attention mask of every decoder layer is ours to replace, the output of its sublayers ours to zero. Also what these scripts
write in common. Nothing of the engine's reuse is assumed here: whoever cuts an edge runs the whole decoder from layer 0."""
import csv
import json
import os
import platform
import sys

import PIL
import torch
import transformers
from PIL import Image, ImageDraw
from transformers import AutoTokenizer, LlavaForConditionalGeneration
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

QUESTIONS = "demo/questions"
ENGINE_GOLDEN = "tests/engine/golden"
BITES = os.path.join(ENGINE_GOLDEN, "bites")

PROMPT = "USER: <image>\n{} \nAnswer the question using a single word or phrase. ASSISTANT:"
CUT = torch.finfo(torch.float32).min
NEW_TOKENS = 8


class Reference:
    """A checkpoint in transformers, with the attention mask of every decoder layer, and what its sublayers add, under our control."""

    def __init__(self, folder, model=LlavaForConditionalGeneration, pictures=CLIPImageProcessorPil):
        self.model = model.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.pictures = pictures.from_pretrained(folder)
        self.decoder, self.head = self.model.model.language_model, self.model.lm_head
        self.n_layers = self.model.config.text_config.num_hidden_layers
        self.n_heads = self.model.config.text_config.num_attention_heads
        self.n_patches = self.model.config.image_seq_length
        self.image_id = self.model.config.image_token_index
        self.masks = {}  # layer -> additive mask [B, 1 or H, T, T]
        self.zero_attention, self.zero_mlp = {}, {}  # layer -> where the sublayer adds nothing, bool [B, T]
        for i, layer in enumerate(self.decoder.layers):
            layer.self_attn.register_forward_pre_hook(self.replace_mask(i), with_kwargs=True)
            layer.self_attn.register_forward_hook(self.zero(self.zero_attention, i))
            layer.mlp.register_forward_hook(self.zero(self.zero_mlp, i))

    def replace_mask(self, layer):
        def hook(_module, args, kwargs):
            return args, kwargs | {"attention_mask": self.masks[layer]} if layer in self.masks else kwargs
        return hook

    @staticmethod
    def zero(places, layer):
        def hook(_module, _args, output):
            if layer not in places:
                return output
            here = places[layer][..., None]
            return (output[0].masked_fill(here, 0), *output[1:]) if isinstance(output, tuple) else output.masked_fill(here, 0)
        return hook

    def pixels(self, picture, **options):
        return self.pictures(images=picture, return_tensors="pt", **options)["pixel_values"]


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

    def __init__(self, ref, key, row, pixels=Reference.pixels):
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

    def generate(self):
        """Greedy ids and the smallest lead of a chosen token's logit over the second."""
        out = self.ref.model.generate(input_ids=self.ids, pixel_values=self.pixel_values,
                                      attention_mask=torch.ones_like(self.ids), max_new_tokens=NEW_TOKENS, do_sample=False,
                                      output_logits=True, return_dict_in_generate=True)
        top = torch.stack(out.logits)[:, 0].topk(2).values
        return out.sequences[0, self.length:].tolist(), (top[:, 0] - top[:, 1]).min().item()


def nine_digits(values):
    """float32 values as the shortest decimals that give them back."""
    values = values.tolist()
    return [float(f"{v:.9g}") for v in values] if isinstance(values, list) else float(f"{values:.9g}")


def read_rows():
    """Every task with the rows of its question set."""
    for f in sorted(os.listdir(QUESTIONS)):
        if f.endswith(".csv"):
            with open(os.path.join(QUESTIONS, f), newline="") as lines:
                yield f[:-4].split("_")[-1], list(csv.DictReader(lines))


def provenance(script, **more):
    return dict(made_by=" ".join([script, *sys.argv[1:]]), python=platform.python_version(),
                torch=torch.__version__, transformers=transformers.__version__, pillow=PIL.__version__, dtype="float32",
                attention="eager", image_processor="CLIPImageProcessorPil", device="cpu", **more)


def write_json(path, samples, **head):
    """One line a sample, so that a change shows as the samples it touches."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write("{\n" + "".join(f'"{k}": {json.dumps(v)},\n' for k, v in head.items()) + '"samples": [\n')
        f.write(",\n".join(json.dumps(s, separators=(",", ":"), ensure_ascii=False) for s in samples) + "\n]}\n")
    print(f"{path}: {os.path.getsize(path)} bytes")
