#!/usr/bin/env python3
"""Small checkpoints of every architecture and what transformers makes of them: tests/family/golden.

    python3 tools/make_family_golden.py           all of them (two minutes)
    python3 tools/make_family_golden.py NAME ...  some

Run from the source root; docs/goldens.md says what the files hold. LLaVA-1.5 and LLaVA-NeXT, each with decoders and tokenizers as Llama 2's
and as Llama 3's, and LLaVA-NeXT with Mistral's sliding attention, random weights saved by save_pretrained. Ids, tiles and the number of image positions come from transformers' own
processor; the order of the positions from the model's own pack_image_features, fed with the numbers of the patches. A knocked-out run is one
forward pass from layer 0 with another attention mask in each layer."""
import argparse
import json
import os
import random
import shutil
from functools import partial

import numpy as np
import torch
import xxhash
from PIL import Image, ImageDraw
from safetensors.torch import save_file
from transformers import (CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration, LlavaNextConfig,
                          LlavaNextForConditionalGeneration, LlavaNextProcessor, LlavaProcessor, MinistralConfig, MistralConfig)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil
from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil

import golden_reference
from golden_reference import CUT, Reference, nine_digits, spread, window, write_json

OUT = "tests/family/golden"
PICTURES = f"{OUT}/pictures"
FLOWS = ["Image->Question", "Image->Last", "Question->Last", "Last->Last", "Image Central Object->Question",
         "Image Without Central Object->Question"]
K = 3
NEW_TOKENS = 6
ROW_STEP = 32  # of the hidden states at all positions
BOUND = 1e-5  # of a probability: what a correct float32 engine stays within

# ---- pictures and questions ----

DEMO = "demo/questions/images/000024.jpg"
QUESTIONS = [  # key, picture, question, true option, false option, object, boxes x y w h
    ("1x1", (1, 1), "Is the circle blue or orange?", "orange", "blue", "circle", [[0, 0, 0, 0]]),
    ("37x1000", (37, 1000), "What is the pattern of the moon?", None, None, "moon", [[5, 300, 20, 203]]),
    ("1000x37", (1000, 37), "Is the cross to the right or to the left of the ring?", "right", "left", "cross",
     [[400, 5, 140, 25], [530, -3, 150, 20]]),
    ("672x336", (672, 336), "Is the green object a star or a ring?", "star", "ring", "star", [[250, 60, 170, 190]]),
    ("demo", None, "Is the circle blue or orange?", "orange", "blue", "circle", [[137, 147, 82, 90]]),
]


def make_pictures():
    """Squares of random colours, upright."""
    os.makedirs(PICTURES, exist_ok=True)
    for key, size, *_ in QUESTIONS:
        if size:
            r = random.Random(key)
            cell = min(24, max(1, min(size) // 3))
            cells = [(s + cell - 1) // cell for s in size]
            small = Image.frombytes("RGB", cells, bytes(r.randrange(256) for _ in range(3 * cells[0] * cells[1])))
            small.resize([c * cell for c in cells], Image.NEAREST).crop((0, 0, *size)).save(f"{PICTURES}/{key}.png", optimize=True)


# ---- checkpoints ----

TASK = "<image>\n{} \nAnswer the question using a single word or phrase."
INSTRUCTION = "Answer the question using a single word or phrase."
HUMAN = ("A chat between a curious human and an artificial intelligence assistant. The assistant gives helpful, detailed, and polite answers to "
         "the human's questions. ")
USER3, ASSISTANT3 = (f"<|start_header_id|>{who}<|end_header_id|>" for who in ("user", "assistant"))
PROMPTS = {"llava-llama2": f"USER: {TASK} ASSISTANT:", "next-llama2": f"{HUMAN}USER: {TASK} ASSISTANT:",
           "next-mistral": f"[INST] {TASK} [/INST]", "llama3": f"{USER3}\n\n{TASK}<|eot_id|>{ASSISTANT3}\n\n"}
LLAMA2 = dict(tokenizer="demo/model/tokenizer.json", vocab=656, image=644, bos=1, eos=2, roles=["USER:", "ASSISTANT:"],
              config=dict(bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>"))
MISTRAL = LLAMA2 | dict(roles=["[INST]", "[/INST]"])
LLAMA3 = dict(tokenizer="tests/text/golden/byte_level.json", vocab=472, image=465, bos=460, eos=[461, 464], roles=[USER3, ASSISTANT3],
              config=dict(bos_token="<|begin_of_text|>", eos_token="<|eot_id|>"))
# No begin-of-text is added, as in Meta's first upload; two more end tokens, which some answers of these models meet.
BARE = LLAMA3 | dict(tokenizer="tests/text/golden/byte_level_bare.json", eos=[461, 464, 148, 140])


def llama3_rope(factor, original, theta=500000., low=1., high=4.):
    return dict(rope_type="llama3", rope_theta=theta, factor=factor, low_freq_factor=low, high_freq_factor=high,
                original_max_position_embeddings=original)


PLAIN = dict(rope_type="default", rope_theta=10000.)
LINEAR = dict(rope_type="linear", rope_theta=10000., factor=2.5)

# text: hidden, intermediate, layers, heads, key-value heads, head size. vision: hidden, intermediate, layers, heads, image, patch,
# feature layer. grid: rows and columns of tiles of each pinpoint. sliding: the window of attention, and which layers have it where not all do.
CHECKPOINTS = {
    "llava-llama2-1": dict(family=LLAMA2, text=(32, 48, 3, 4, 4, 8), rope=PLAIN, vision=(24, 32, 3, 3, 20, 10, -2), dtype="float16", seed=1, tied=True),
    "llava-llama2-2": dict(family=LLAMA2, text=(42, 40, 4, 6, 2, 10), rope=PLAIN, vision=(24, 40, 2, 2, 30, 10, -1), dtype="bfloat16", seed=2,
                           pad=True, tied=True),
    "llava-llama2-3": dict(family=LLAMA2, text=(40, 48, 3, 5, 1, 16), rope=LINEAR, vision=(24, 48, 3, 2, 32, 8, -3), dtype="float16", seed=1,
                           tied=True),
    "llava-llama3-1": dict(family=LLAMA3, text=(32, 64, 3, 4, 2, 8), rope=llama3_rope(8., 64), vision=(24, 32, 3, 3, 20, 10, -2), dtype="float16",
                           seed=3),
    "llava-llama3-2": dict(family=LLAMA3, text=(48, 40, 4, 8, 2, 10), rope=llama3_rope(4., 48, 10000., 1.5, 6.), vision=(32, 24, 2, 4, 24, 8, -2),
                           dtype="bfloat16", seed=1, tied=True),
    "llava-llama3-3": dict(family=BARE, text=(36, 48, 2, 3, 1, 20), rope=PLAIN | dict(rope_theta=500000.), vision=(24, 40, 4, 2, 28, 7, -2),
                           dtype="float16", seed=3, tied=True),
    "next-llama2-1": dict(family=LLAMA2, text=(32, 48, 3, 4, 4, 12), rope=PLAIN, vision=(24, 32, 3, 3, 20, 10, -2), dtype="float16", seed=1, tied=True,
                          grid=[(1, 2), (2, 1), (2, 2), (3, 1), (1, 3)]),
    "next-llama2-2": dict(family=LLAMA2, text=(42, 40, 4, 6, 2, 10), rope=PLAIN, vision=(32, 48, 2, 2, 24, 8, -1), dtype="bfloat16", seed=2,
                          grid=[(1, 2), (2, 1), (2, 2)], tied=True),
    "next-llama2-3": dict(family=LLAMA2, text=(40, 48, 3, 5, 1, 16), rope=LINEAR, vision=(24, 48, 3, 2, 28, 7, -3), dtype="float16", seed=1,
                          grid=[(1, 1), (1, 2), (2, 1), (1, 4)], tied=True),
    "next-llama3-1": dict(family=LLAMA3, text=(32, 64, 3, 4, 2, 8), rope=llama3_rope(8., 64), vision=(24, 32, 3, 3, 20, 10, -2), dtype="float16",
                          seed=2, grid=[(1, 2), (2, 1), (2, 2), (3, 1), (1, 3)]),
    "next-llama3-2": dict(family=LLAMA3, text=(48, 40, 4, 8, 2, 10), rope=llama3_rope(4., 48, 10000., 1.5, 6.), vision=(32, 24, 2, 4, 30, 10, -2),
                          dtype="bfloat16", seed=3, tied=True, grid=[(2, 3), (4, 1), (1, 4), (2, 2)]),
    "next-llama3-3": dict(family=BARE, text=(36, 48, 2, 3, 1, 20), rope=PLAIN | dict(rope_theta=500000.), vision=(24, 40, 4, 2, 28, 14, -2),
                          dtype="float16", seed=1, grid=[(3, 3)], tied=True),
    "next-mistral-1": dict(family=MISTRAL, text=(32, 48, 3, 4, 2, 12), rope=PLAIN | dict(rope_theta=1000000.), vision=(24, 32, 3, 3, 20, 10, -2),
                           dtype="float16", seed=1, grid=[(1, 2), (2, 1), (2, 2), (3, 1), (1, 3)], sliding=(45, None)),
    "next-mistral-2": dict(family=MISTRAL, text=(40, 48, 4, 4, 1, 10), rope=PLAIN, vision=(24, 40, 2, 2, 24, 8, -1), dtype="bfloat16", seed=5,
                           grid=[(1, 2), (2, 1), (2, 2)], sliding=(24, [0, 2])),
    "next-mistral-3": dict(family=MISTRAL, text=(36, 40, 3, 6, 3, 8), rope=PLAIN, vision=(24, 48, 3, 2, 28, 7, -3), dtype="float16", seed=1,
                           grid=[(1, 1), (1, 2), (2, 1), (1, 4)], sliding=(None, None)),
}


def is_next(name):
    return name.startswith("next")


def prompt_of(name):
    return PROMPTS["llama3" if "llama3" in name else name[:-2]]


def decoder_of(c):
    """The configuration class of the language model, its sliding attention filled in."""
    if "sliding" not in c:
        return LlamaConfig
    width, layers = c["sliding"]
    if layers is None:
        return partial(MistralConfig, sliding_window=width)
    types = ["sliding_attention" if i in layers else "full_attention" for i in range(c["text"][2])]
    return partial(MinistralConfig, sliding_window=width, layer_types=types)


def config_of(name, c):
    hidden, inner, layers, heads, kv_heads, head = c["text"]
    family, tied = c["family"], c.get("tied", False)
    v_hidden, v_inner, v_layers, v_heads, image, patch, feature_layer = c["vision"]
    text = decoder_of(c)(vocab_size=family["vocab"], hidden_size=hidden, intermediate_size=inner, num_hidden_layers=layers, num_attention_heads=heads,
                       num_key_value_heads=kv_heads, head_dim=head, max_position_embeddings=512, rms_norm_eps=1e-5, rope_parameters=c["rope"],
                       bos_token_id=family["bos"], eos_token_id=family["eos"], tie_word_embeddings=tied)
    vision = CLIPVisionConfig(hidden_size=v_hidden, intermediate_size=v_inner, num_hidden_layers=v_layers, num_attention_heads=v_heads,
                              image_size=image, patch_size=patch, projection_dim=v_hidden)
    common = dict(text_config=text, vision_config=vision, image_token_index=family["image"], image_seq_length=(image // patch) ** 2,
                  vision_feature_layer=feature_layer, vision_feature_select_strategy="default", tie_word_embeddings=tied)
    if is_next(name):
        return LlavaNextConfig(image_grid_pinpoints=[[image * rows, image * columns] for rows, columns in c["grid"]], **common)
    return LlavaConfig(**common)


def pictures_of(name, c):
    image = c["vision"][4]
    sizes = dict(size={"shortest_edge": image}, crop_size={"height": image, "width": image})
    if is_next(name):
        return LlavaNextImageProcessorPil(image_grid_pinpoints=[[image * rows, image * columns] for rows, columns in c["grid"]], **sizes)
    return LlavaImageProcessorPil(do_pad=True, **sizes) if c.get("pad") else CLIPImageProcessorPil(**sizes)


def make_checkpoint(name, c, folder):
    model = (LlavaNextForConditionalGeneration if is_next(name) else LlavaForConditionalGeneration)(config_of(name, c)).float()
    generator = torch.Generator().manual_seed(c["seed"])
    for parameter, p in sorted(model.named_parameters()):
        centre, deviation = spread(parameter)
        if p.dim() > 1 and "embed_tokens" not in parameter:
            deviation *= (64 / c["text"][0]) ** .5  # as wide as in bites, whose hidden size is 64
        p.data = centre + deviation * torch.randn(p.shape, generator=generator)
    shutil.rmtree(folder, ignore_errors=True)
    model.to(getattr(torch, c["dtype"])).save_pretrained(folder)
    pictures_of(name, c).save_pretrained(folder)
    shutil.copyfile(c["family"]["tokenizer"], f"{folder}/tokenizer.json")
    with open(f"{folder}/tokenizer_config.json", "w", encoding="utf-8") as f:
        json.dump(dict(tokenizer_class="TokenizersBackend", model_max_length=512, **c["family"]["config"]), f, indent=2)
    for f in os.listdir(folder):
        os.chmod(os.path.join(folder, f), 0o644)


class Family(Reference):
    """A checkpoint of this script's, with transformers' own processor."""

    def __init__(self, name, c, folder):
        following = is_next(name)
        super().__init__(folder, LlavaNextForConditionalGeneration if following else LlavaForConditionalGeneration, type(pictures_of(name, c)))
        self.name, self.roles, self.following = name, c["family"]["roles"], following
        self.image_size, self.patch = c["vision"][4:6]
        width, sliding = c.get("sliding", (None, None))
        self.windows = [width if sliding is None or i in sliding else None for i in range(self.n_layers)]
        self.processor = (LlavaNextProcessor if following else LlavaProcessor)(
            image_processor=self.pictures, tokenizer=self.tokenizer, patch_size=self.patch, vision_feature_select_strategy="default",
            num_additional_image_tokens=1)

    def pack(self, patches, image_sizes):
        """[n_tiles, P] numbers in the order of the positions, -1 for a newline."""
        if not self.following:
            return patches[0]
        packed, lengths = self.model.model.pack_image_features([patches.double()[..., None]], image_sizes, "default",
                                                               torch.tensor([-1.], dtype=torch.float64))
        assert lengths.tolist() == [len(packed[0])]
        return packed[0][:, 0].long()

    def hits(self, picture, boxes, image_sizes):
        """1 where a position's patch keeps a pixel of the pure box colour through tiles and packing, -1 for a newline."""
        mask = Image.new("RGB", picture.size, (0, 255, 0))
        draw = ImageDraw.Draw(mask)
        for x, y, w, h in boxes:
            draw.rectangle((x, y, x + w, y + h), fill=(255, 0, 0))
        tiles = self.pixels(mask, do_rescale=False, do_normalize=False).reshape(-1, 3, self.image_size, self.image_size)
        red = (tiles[:, 0] == 255) & (tiles[:, 1] == 0) & (tiles[:, 2] == 0)
        side = self.image_size // self.patch
        touched = red.reshape(-1, side, self.patch, side, self.patch).any(4).any(2).reshape(-1, side * side)
        return self.pack(touched.long(), image_sizes)


# ---- samples ----

class Sample:
    """A question about a picture: what goes in, its groups, its baseline and its knocked-out runs."""

    def __init__(self, ref, key, size, question, true_option, false_option, noun, boxes):
        self.ref, self.key, self.question, self.boxes = ref, key, question, boxes
        self.words = dict(true_option=true_option, false_option=false_option, noun=noun)
        self.path = f"{PICTURES}/{key}.png" if size else DEMO
        picture = Image.open(self.path).convert("RGB")
        self.size = picture.size
        self.inputs = dict(ref.processor(images=picture, text=prompt_of(ref.name).format(question), return_tensors="pt"))
        self.ids = self.inputs["input_ids"]
        ids = self.ids[0].tolist()
        self.at, self.n_image, self.length = ids.index(ref.image_id), ids.count(ref.image_id), len(ids)
        self.text_ids = ids[:self.at + 1] + ids[self.at + self.n_image:]
        assert self.text_ids.count(ref.image_id) == 1
        self.tiles = self.inputs["pixel_values"].reshape(-1, 3, ref.image_size, ref.image_size)
        self.image_sizes = self.inputs.get("image_sizes")
        n_patches = (ref.image_size // ref.patch) ** 2
        self.sources = ref.pack(torch.arange(len(self.tiles) * n_patches).reshape(-1, n_patches), self.image_sizes)
        assert len(self.sources) == self.n_image
        hits = ref.hits(picture, boxes, self.image_sizes).tolist()
        self.groups = {name: sorted(p) for name, p in self.named_groups(hits, n_patches).items()}
        self.run_baseline()

    # The rule of the published scripts: tokens joined, with the word marks read as blanks; every token that overlaps the text.
    def joined(self, ids):
        tokens = ["" if i == self.ref.image_id else t for i, t in zip(ids, self.ref.tokenizer.convert_ids_to_tokens(ids))]
        tokens = [t.replace("\u2581", " ").replace("\u0120", " ").replace("\u010a", "\n") for t in tokens]
        return "".join(tokens), [sum(map(len, tokens[:i + 1])) for i in range(len(tokens))], tokens

    def overlapping(self, ids, text, first, at=0):
        """Positions of the tokens that overlap text at its first occurrence from `at` on, ids beginning at position `first`; and where it was."""
        joined, ends, tokens = self.joined(ids)
        found = joined.find(text, at)
        if found < 0:
            return set(), -1
        return {first + i for i, e in enumerate(ends) if tokens[i] and e > found and e - len(tokens[i]) < found + len(text)}, found

    def after_picture(self, text):
        return self.overlapping(self.text_ids[self.at + 1:], text, self.at + self.n_image)[0] if text else set()

    def role_words(self, question):
        ids, found = self.ids[0].tolist(), set()
        for word in self.ref.roles:
            positions, at = self.overlapping(ids, word, 0)
            while at >= 0:
                found |= positions
                positions, at = self.overlapping(ids, word, 0, at + 1)
        return found - question

    def named_groups(self, hits, n_patches):
        at, everything = self.at, set(range(self.length))
        image, base = set(range(at, at + self.n_image)), set(range(at, at + n_patches))
        newlines = {at + i for i, s in enumerate(self.sources.tolist()) if s < 0}
        central = {at + i for i, h in enumerate(hits) if h == 1}
        question = self.after_picture(self.question)
        true, false, noun = (self.after_picture(w) for w in self.words.values())
        end = max(question) + 1
        instruction, _ = self.overlapping(self.ids[0, end:].tolist(), INSTRUCTION, end)
        return {"Image": image, "Question": question, "Last": {self.length - 1}, "Image Central Object": central,
                "Image Without Central Object": image - central - newlines, "True Option": true, "False Option": false, "Central Object": noun,
                "Question without Options": question - true - false, "Image Pad": newlines,
                "Image Without Central Object with pad": image - central, "Image Original Patch": base, "Image HD Patch Indice": image - base,
                "Image Central Object in HD Patch Indice": central - base, "Image HD Patch Without Central Object Indice": image - base - central,
                "Instruction": instruction, "Role Words": self.role_words(question), "Template": everything - image - question,
                "All": everything}

    def run_baseline(self):
        ref = self.ref
        ref.masks.clear()
        sizes = {} if self.image_sizes is None else dict(image_sizes=self.image_sizes)
        out = ref.model(**self.inputs, output_hidden_states=True, use_cache=False)
        self.logits = out.logits[0, -1]
        self.hidden = torch.stack([h[0] for h in out.hidden_states])
        self.first = self.logits.argmax().item()
        features = ref.model.model.get_image_features(pixel_values=self.inputs["pixel_values"], **sizes).pooler_output
        self.features = features[0]
        assert torch.equal(self.features, self.hidden[0, self.at:self.at + self.n_image])
        made = ref.model.generate(**self.inputs, max_new_tokens=NEW_TOKENS, do_sample=False, output_logits=True, return_dict_in_generate=True)
        self.generated = made.sequences[0, self.length:].tolist()
        top = torch.stack(made.logits)[:, 0].topk(2).values
        self.lead = (top[:, 0] - top[:, 1]).min().item()
        self.check_seen()

    def check_seen(self):
        """Our masks without cuts are those that transformers makes of the configuration: the baseline to the bit."""
        for layer in range(self.ref.n_layers):
            self.ref.masks[layer] = self.seen(layer)[None, None]
        again = self.ref.decoder(inputs_embeds=self.hidden[:1], use_cache=False).last_hidden_state[0]
        self.ref.masks.clear()
        assert torch.equal(again, self.hidden[-1])

    def seen(self, layer):
        """The additive mask of a layer without cuts, as its attention is defined: no key after the query, none as far as the window before it."""
        distance = torch.arange(self.length)[:, None] - torch.arange(self.length)[None]
        width = self.ref.windows[layer]
        return torch.zeros(self.length, self.length).masked_fill((distance < 0) | (distance >= (width or self.length)), CUT)

    def knock_out(self, flow):
        """Probability of the first token at the last position, by centre layer."""
        ref, (keys, queries) = self.ref, (self.groups[g] for g in flow.split("->"))
        centres = range(ref.n_layers)
        for layer in centres:
            seen = self.seen(layer)
            cut = seen.clone()
            cut[torch.tensor(queries, dtype=torch.long)[:, None], torch.tensor(keys, dtype=torch.long)[None]] = CUT
            assert (cut == 0).any(1).all()
            ref.masks[layer] = torch.stack([cut if layer in window(c, K, ref.n_layers) else seen for c in centres])[:, None]
        out = ref.decoder(inputs_embeds=self.hidden[:1].expand(ref.n_layers, -1, -1), use_cache=False)
        ref.masks.clear()
        return ref.head(out.last_hidden_state[:, -1]).softmax(-1)[:, self.first]

    def record(self):
        self.knocked_out = {flow: self.knock_out(flow) for flow in FLOWS}
        return dict(
            key=self.key, image=self.path, width=self.size[0], height=self.size[1], question=self.question, **self.words, boxes=self.boxes,
            text_ids=self.text_ids, image_at=self.at, length=self.length, n_tiles=len(self.tiles),
            pixels=xxhash.xxh3_128_hexdigest(np.ascontiguousarray(self.tiles.numpy()).tobytes()), sources=self.sources.tolist(),
            groups={name: spans(p) for name, p in self.groups.items()}, first_token=self.first, probability=nine_digits(self.logits.softmax(-1)[self.first]),
            generated_ids=self.generated, knockout={flow: nine_digits(p) for flow, p in self.knocked_out.items()})

    def tensors(self):
        return {f"{self.key}.{name}": t.detach().contiguous().clone() for name, t in dict(
            features=self.features, last_hidden=self.hidden[:, -1], hidden=self.hidden[:-1, ::ROW_STEP], logits=self.logits).items()}

    def effect(self, flow):
        """The largest change of the probability, in bounds, over the centres; none where a group is empty."""
        if not all(self.groups[g] for g in flow.split("->")):
            return None
        return (self.knocked_out[flow] - self.logits.softmax(-1)[self.first]).abs().max().item() / BOUND


def spans(positions):
    """Ascending positions as half-open [begin, end]."""
    out = []
    for p in positions:
        if out and out[-1][1] == p:
            out[-1][1] += 1
        else:
            out.append([p, p + 1])
    return out


def problems(samples):
    """A flow whose cuts a bound would not tell from nothing, a token chosen by a hair."""
    for s in samples:
        if s.lead < 1e-2:
            yield f"{s.key}: two tokens are within {s.lead}"
        for flow in FLOWS:
            effect = s.effect(flow)
            if effect is not None and effect < 100:
                yield f"{s.key}: {flow} moves the probability by {effect:.0f} bounds only"


def make(name):
    c, folder = CHECKPOINTS[name], f"{OUT}/{name}"
    make_checkpoint(name, c, folder)
    ref = Family(name, c, folder)
    samples = [Sample(ref, *q) for q in QUESTIONS]
    records = [s.record() for s in samples]
    found = list(problems(samples))
    assert not found, (name, found)
    made = golden_reference.provenance("tools/make_family_golden.py", seed=c["seed"])
    made |= dict(made_by="tools/make_family_golden.py", image_processor=type(ref.pictures).__name__)
    write_json(f"{folder}.json", records, made=made, prompt=prompt_of(name), flows=FLOWS, window=K, hidden_row_step=ROW_STEP)
    save_file({k: t for s in samples for k, t in s.tensors().items()}, f"{folder}.safetensors", metadata={"made": json.dumps(made)})
    os.chmod(f"{folder}.safetensors", 0o644)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("names", nargs="*", metavar="NAME", choices=[*CHECKPOINTS, []])
    names = arguments.parse_args().names
    torch.set_num_threads(2)
    torch.use_deterministic_algorithms(True)
    make_pictures()
    with torch.no_grad():
        for name in names or CHECKPOINTS:
            make(name)


if __name__ == "__main__":
    main()
