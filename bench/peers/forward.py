#!/usr/bin/env python3
"""The plain forward pass of transformers beside crossflow's: same checkpoint, cores, dtype and prompt, logits compared first,
the two in turn, at two depths.

    python3 bench/peers/forward.py PROGRAMS CHECKPOINT OUT [--depths A B] [--dtype bf16|f16|f32] [--device cpu|cuda:N]
                                   [--turns N] [--repeats N] [--pause SECONDS] [--threads N]

Of each turn the medians of its repeats count. A layer is the difference of the two depths; a whole pass the smaller depth
and as many more of such layers as LLaVA-1.5-7B has. PROGRAMS is the folder of crossflow's benchmark programs, OUT one for what
they leave. Needs torch and transformers."""
import argparse
import os
import time

import numpy as np
import torch

import peer
import table


class Pass:
    """The pass in transformers on the prompt that crossflow has left."""

    def __init__(self, model, a):
        self.model, self.a = model, a
        self.ids, pixels = peer.read_prompt(a.out)
        self.ids, self.pixels = self.ids.to(a.device), pixels.to(a.device, peer.DTYPES[a.dtype])

    def vision(self):
        self.model.model.get_image_features(pixel_values=self.pixels)

    def whole(self):
        return self.model(input_ids=self.ids, pixel_values=self.pixels, use_cache=False, logits_to_keep=1).logits[0, -1]

    def check(self):
        """Also warms up. How far the logits are from crossflow's."""
        logits = self.whole().float().cpu().numpy()
        expected = np.fromfile(os.path.join(self.a.out, "logits.f32"), np.float32)
        difference = np.abs(logits - expected).max() / np.abs(expected).max()
        if not difference <= {"f32": 1e-3, "f16": 2e-2, "bf16": 5e-2}[self.a.dtype]:
            table.wrong(f"logits differ by {difference:.3g} of the largest")
        return difference


def measure(a):
    model = peer.load(a.checkpoint, a.dtype, a.depths[0], a.threads, a.device)
    turns, differences = table.Turns(a.depths), []
    for turn in range(a.turns):
        for depth in a.depths:
            time.sleep(a.pause)
            rows = table.crossflow(a.programs, "forward", a.checkpoint, "--layers", depth, "--dtype", a.dtype, "--device", a.device,
                                   "--threads", a.threads, "--repeats", a.repeats, "--out", a.out)
            peer.deepen(model, depth)
            p = Pass(model, a)
            differences.append(p.check())
            turns.add(depth, "vision", [peer.seconds_of(p.vision) for _ in range(a.repeats)],
                      table.median_of(rows, "vision and projector to floor"))
            turns.add(depth, "whole", [peer.seconds_of(p.whole) for _ in range(a.repeats)],
                      table.median_of(rows, "whole pass to floor"))
    return turns, max(differences), p.ids.shape[1]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("programs")
    arguments.add_argument("checkpoint")
    arguments.add_argument("out")
    arguments.add_argument("--depths", type=int, nargs=2, default=[2, 4])
    arguments.add_argument("--dtype", choices=peer.DTYPES, default="bf16")
    arguments.add_argument("--device", default="cpu")
    arguments.add_argument("--turns", type=int, default=4)
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--pause", type=float, default=0)
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    a = arguments.parse_args()
    with torch.inference_mode():
        turns, difference, length = measure(a)
    table.print_head()
    turns.print(peer.VERSION, f"{a.dtype} T {length}", "transformers", a.threads, {
        "vision and projector": turns.alone("vision"),
        "a decoder layer": turns.layer("whole"),
        f"a pass of {a.depths[0]} layers (logits within {difference:.1e})": turns.alone("whole"),
        f"a pass of {table.WHOLE_DEPTH} layers from {a.depths[0]} and {a.depths[1]}": turns.whole("whole")})


if __name__ == "__main__":
    main()
