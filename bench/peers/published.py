#!/usr/bin/env python3
"""The knockout study of one question the way it was published, in transformers, and the best loop that can be made of it, beside
crossflow's sweep: same checkpoint, cores, dtype, prompt, flows and windows; probabilities compared first, in f32 on three
layers, where rounding cannot hide a wrong cut.

    python3 bench/peers/published.py PROGRAMS CHECKPOINT OUT [--layers N] [--window K] [--dtype bf16|f16|f32] [--runs N]
        [--device cpu|cuda:N]

The published way: for each flow and layer, a forward pass of its own from the pixels on, with a hook in each of the window's
layers that puts a dense additive mask in place of the causal one, built on the host for that pass. The best loop: the vision
tower once, masks built beforehand, --batch windows of a flow in one pass. Both are measured on the flow Image->Question at
--runs layers spread over the model (the best loop on one batch) and multiplied by the runs of the whole question, which is 6
flows x N layers: every run of either costs the same, whatever it cuts.

PROGRAMS is the folder of crossflow's benchmark programs, OUT one for what they leave. Needs torch and transformers."""
import argparse
import csv
import os
import time

import torch

import peer
import table

FLOW = "Image->Question"
N_FLOWS, BEFORE, AFTER, QUESTION = 6, 5, 40, 22


def window_of(layer, k, n_layers):
    return range(max(0, layer - k // 2), min(n_layers, layer + -(-k // 2)))


def mask_of(length, dtype, cut):
    """[1, 1, T, T] additive: causal, and without Image->Question where it is cut."""
    visible = torch.ones(length, length).tril()
    if cut:
        visible[length - AFTER:length - AFTER + QUESTION, BEFORE:length - AFTER] = 0
    return ((1 - visible) * torch.finfo(dtype).min).to(dtype)[None, None]


class Hooks:
    """Puts a mask of its own into the attention of chosen layers while it is open."""

    def __init__(self, model, mask_of_layer):
        self.handles = [model.model.language_model.layers[l].self_attn.register_forward_pre_hook(self.put(mask), with_kwargs=True)
                        for l, mask in mask_of_layer.items()]

    @staticmethod
    def put(mask):
        return lambda module, args, kwargs: (args, kwargs | {"attention_mask": mask})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for handle in self.handles:
            handle.remove()


def aliased_layers(model):
    """Layers that take turns are one module, which would call each one's hooks: give each place a module of its own, with the
    same weights."""
    decoder = model.model.language_model
    places = []
    for i, layer in enumerate(decoder.layers):
        place = layer.__class__.__new__(layer.__class__)
        place.__dict__ = dict(layer.__dict__)
        place._modules = dict(layer._modules)
        attention = layer.self_attn.__class__.__new__(layer.self_attn.__class__)
        attention.__dict__ = dict(layer.self_attn.__dict__)
        attention._forward_pre_hooks = type(layer.self_attn._forward_pre_hooks)()
        attention._forward_pre_hooks_with_kwargs = type(layer.self_attn._forward_pre_hooks_with_kwargs)()
        place._modules["self_attn"] = attention
        places.append(place)
    decoder.layers = torch.nn.ModuleList(places)


def published_run(model, ids, pixels, layer, q):
    """One run the published way; the last position's logits."""
    mask = mask_of(ids.shape[1], peer.DTYPES[q.dtype], True).to(ids.device)
    with Hooks(model, {l: mask for l in window_of(layer, q.window, q.n_layers)}):
        return model(input_ids=ids, pixel_values=pixels, use_cache=False, logits_to_keep=1).logits[0, -1]


def prepare_batch(model, ids, pixels, layers, q):
    """Everything of a batch that need not be done again for another flow: embeddings with the picture in them, masks by layer."""
    embeddings = model.get_input_embeddings()(ids)
    features = model.model.get_image_features(pixel_values=pixels)
    features = getattr(features, "pooler_output", features)
    embeddings[0, BEFORE:ids.shape[1] - AFTER] = torch.cat(list(features)).to(embeddings.dtype)
    plain, cut = (mask_of(ids.shape[1], embeddings.dtype, c).to(ids.device) for c in (False, True))
    windows = [window_of(layer, q.window, q.n_layers) for layer in layers]
    masks = {l: torch.cat([cut if l in w else plain for w in windows]) for l in range(q.n_layers)
             if any(l in w for w in windows)}
    return embeddings.expand(len(layers), -1, -1), masks


def batched_run(model, embeddings, masks):
    with Hooks(model, masks):
        return model(inputs_embeds=embeddings, use_cache=False, logits_to_keep=1).logits[:, -1]


class Question:
    """One question in both programs: crossflow's rows of it, and transformers' model and prompt."""

    def __init__(self, a, dtype, n_layers, window):
        self.dtype, self.n_layers, self.window = dtype, n_layers, window
        self.rows = table.crossflow(a.programs, "sweep", a.checkpoint, "--layers", n_layers, "--window", window, "--dtype",
                                    dtype, "--device", a.device, "--threads", a.threads, "--repeats", 1, "--out", a.out)
        runs = list(csv.DictReader(open(os.path.join(a.out, "runs.csv"), encoding="utf-8")))
        self.token = int(runs[0]["token"])
        self.ours = {(r["flow"], int(r["layer"])): float(r["probability"]) for r in runs}
        self.model = peer.load(a.checkpoint, dtype, n_layers, a.threads, a.device)
        aliased_layers(self.model)
        self.ids, pixels = peer.read_prompt(a.out)
        self.ids, self.pixels = self.ids.to(a.device), pixels.to(a.device, peer.DTYPES[dtype])

    def difference(self, logits, layer):
        """Of a run's probability to crossflow's, relative."""
        p = torch.softmax(logits.double(), -1)[self.token].item()
        return abs(p / self.ours[FLOW, layer] - 1)

    def effect(self, layer):
        return abs(self.ours[FLOW, layer] / self.ours["none", -1] - 1)

    def published(self, layer):
        return published_run(self.model, self.ids, self.pixels, layer, self)

    def prepare(self, layers):
        return prepare_batch(self.model, self.ids, self.pixels, layers, self)


def verify(a):
    """Both loops against crossflow in f32, where rounding cannot hide a wrong cut, on three layers."""
    q = Question(a, "f32", 3, 1)
    layers = [0, 1]
    batched = batched_run(q.model, *q.prepare(layers))
    for i, layer in enumerate(layers):
        for name, logits in [("published", q.published(layer)), ("batched", batched[i])]:
            difference = q.difference(logits, layer)
            if not difference <= 1e-3 or not q.effect(layer) > 5 * difference:
                table.wrong(f"{name} run, {FLOW} at layer {layer}: differs from crossflow by {difference:.3g}, the cut's effect "
                            f"is {q.effect(layer):.3g}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("programs")
    arguments.add_argument("checkpoint")
    arguments.add_argument("out")
    arguments.add_argument("--layers", type=int, default=32)
    arguments.add_argument("--window", type=int, default=9)
    arguments.add_argument("--dtype", choices=peer.DTYPES, default="bf16")
    arguments.add_argument("--device", default="cpu")
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--batch", type=int, default=4)
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    a = arguments.parse_args()
    slow, differences = [], []
    with torch.inference_mode():
        verify(a)
        q = Question(a, a.dtype, a.layers, a.window)
        layers = [a.layers * (2 * i + 1) // (2 * a.runs) for i in range(a.runs)]
        q.published(layers[0])  # warms up
        for layer in layers:
            peer.wait()
            begin = time.perf_counter()
            logits = q.published(layer)
            peer.wait()
            slow.append(time.perf_counter() - begin)
            differences.append(q.difference(logits, layer))
        layers = [a.layers * (2 * i + 1) // (2 * a.batch) for i in range(a.batch)]
        embeddings, masks = q.prepare(layers)
        if a.device != "cpu":
            batched_run(q.model, embeddings, masks)  # warms up
        peer.wait()
        begin = time.perf_counter()
        logits = batched_run(q.model, embeddings, masks)
        peer.wait()
        best = (time.perf_counter() - begin) / a.batch
        differences += [q.difference(logits[i], layer) for i, layer in enumerate(layers)]
    total = N_FLOWS * a.layers
    ours = (table.median_of(q.rows, "baseline and sweep to floor") + table.median_of(q.rows, "vision tower and embedding"))
    shape = f"{a.dtype} T {q.ids.shape[1]} {a.layers} layers k {a.window}"
    table.print_head()
    for what, unit, values, of, target in [
            (f"the published way scaled from {a.runs} of {total} runs to crossflow", "s", [total * s for s in slow], ours, ">= 40"),
            (f"the best loop in transformers scaled from {a.batch} of {total} runs to crossflow", "s", [total * best], ours, ""),
            ("largest relative difference in probability", "ratio", [max(differences)], 0, "")]:
        table.print_row(peer.VERSION, "published", f"{shape}: {what}", unit, values, of, a.threads, target)


if __name__ == "__main__":
    main()
