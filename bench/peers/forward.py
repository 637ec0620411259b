#!/usr/bin/env python3
"""The plain forward pass of transformers beside crossflow's: same checkpoint, cores, dtype and prompt, logits compared first,
the two in turn.

    python3 bench/peers/forward.py PROGRAMS CHECKPOINT OUT [--layers N] [--dtype bf16|f32] [--repeats N] [--threads N]

PROGRAMS is the folder of crossflow's benchmark programs, OUT one for what they leave. Needs torch (CPU) and transformers."""
import argparse
import os

import numpy as np
import torch

import peer

TURNS = 2


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("programs")
    arguments.add_argument("checkpoint")
    arguments.add_argument("out")
    arguments.add_argument("--layers", type=int, default=2)
    arguments.add_argument("--dtype", choices=peer.DTYPES, default="bf16")
    arguments.add_argument("--repeats", type=int, default=10)
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    a = arguments.parse_args()
    model = peer.load(a.checkpoint, a.dtype, a.layers, a.threads)
    ours, theirs = [], []
    logits = None

    def forward():
        nonlocal logits
        logits = model(input_ids=ids, pixel_values=pixels, use_cache=False, logits_to_keep=1).logits[0, -1].float().numpy()

    with torch.inference_mode():
        for turn in range(TURNS):
            rows = peer.crossflow(a.programs, "forward", a.checkpoint, "--layers", a.layers, "--dtype", a.dtype, "--threads",
                                  a.threads, "--repeats", max(1, a.repeats // TURNS), "--out", a.out)
            ours.append(peer.median_of(rows, "whole pass to floor"))
            ids, pixels = peer.read_prompt(a.out)
            pixels = pixels.to(peer.DTYPES[a.dtype])
            forward()
            expected = np.fromfile(os.path.join(a.out, "logits.f32"), np.float32)
            difference = np.abs(logits - expected).max() / np.abs(expected).max()
            if not difference <= {"f32": 1e-3, "bf16": 5e-2}[a.dtype]:
                peer.wrong(f"logits differ by {difference:.3g} of the largest")
            theirs += [peer.seconds_of(forward) for _ in range(max(1, a.repeats // TURNS))]
    peer.print_head()
    peer.print_row("forward", f"{a.dtype} T {ids.shape[1]} {a.layers} layers: transformers to crossflow "
                   f"(logits within {difference:.1e})", "s", theirs, sum(ours) / len(ours), a.threads)


if __name__ == "__main__":
    main()
