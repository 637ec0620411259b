#!/usr/bin/env python3
"""llama.cpp beside crossflow: the picture through the vision tower, the prompt's rows through the decoder, tokens one by one. Same
weights, picture, rows, cores; features and logits compared first; the two in turn, at two depths.

    python3 bench/peers/llama_cpp.py PROGRAMS CHECKPOINT OUT --sources DIR [--built DIR] [--dtype bf16|f16|q8_0] [--depths A B]
                                     [--turns N] [--repeats N] [--pause SECONDS] [--threads N] [--profile]

DIR is llama.cpp's source folder, --built where cmake has built its targets llama and mtmd (default DIR/build); llama_cpp.c is
compiled against it. The dtype is that of llama.cpp's weights; crossflow computes in bf16. PROGRAMS is the folder of crossflow's
benchmark programs, OUT one for what both leave, GGUF files included. Needs a C compiler, numpy and gguf.

Of each turn the medians of its repeats count. A layer is the difference of the two depths; a whole pass the smaller depth and as
many more of such layers as LLaVA-1.5-7B has. --profile adds where a prefill's time goes at the larger depth, in either."""
import argparse
import os
import statistics
import subprocess
import time

import numpy as np

import llama_gguf
import table

BEFORE, PATCHES, SIDE = 5, 576, 336
PARTS = ["products q k v o", "products gate up", "product down", "product head", "attention", "kv put", "norms", "rope"]
REST = "activation and the rest"


def compile_program(a):
    """llama_cpp.c against the built library; the program's path."""
    program = os.path.join(a.out, "llama_cpp")
    libraries = os.path.join(a.built, "bin")
    subprocess.run([os.environ.get("CC", "cc"), "-std=c17", "-O2", "-D_POSIX_C_SOURCE=200809L",
                    *(f"-I{os.path.join(a.sources, f)}" for f in ("include", "ggml/include", "tools/mtmd")),
                    os.path.join(os.path.dirname(os.path.abspath(__file__)), "llama_cpp.c"), "-o", program, f"-L{libraries}",
                    f"-Wl,-rpath,{os.path.abspath(libraries)}", "-lmtmd", "-lllama", "-lggml", "-lggml-base"], check=True)
    return program


def values_of(out, name, shape):
    return np.fromfile(os.path.join(out, name), np.float32).reshape(shape)


def write_picture(out):
    """The pixels in 8 bits, as vision-DTYPE.gguf has them read."""
    pixels = values_of(out, "pixels.f32", (3, SIDE, SIDE))
    rgb = np.rint((pixels / llama_gguf.LARGEST_PIXEL + 1) * 127.5).clip(0, 255).astype(np.uint8)
    rgb.transpose(1, 2, 0).tofile(os.path.join(out, "picture.rgb"))


def difference(found, expected):
    return np.abs(found - expected).max() / np.abs(expected).max()


def check(a):
    """How far llama.cpp's features and logits are from crossflow's, of the largest."""
    d = a.config["text_config"]["hidden_size"]
    rows = values_of(a.out, "embedded.f32", (-1, d))
    # Its class token stands after the patches, of which it leaves out the first instead (llama.cpp, clip_graph_llava).
    patches = values_of(a.out, "llama-features.f32", (PATCHES, d))[:-1]
    apart = {"features": difference(patches, rows[BEFORE + 1:BEFORE + PATCHES]),
             "logits": difference(values_of(a.out, "llama-logits.f32", -1), values_of(a.out, "logits.f32", -1))}
    for what, by in apart.items():
        if not by <= 5e-2:
            table.wrong(f"{what} differ by {by:.3g} of the largest")
    return apart


def run_theirs(a, program, depth, profiled):
    """Its version, and seconds by quantity, repeat by repeat."""
    text, vision = a.files[depth]
    done = subprocess.run([program, text, vision, a.out, "--threads", str(a.threads), "--repeats", str(a.repeats), "--profile",
                           str(int(profiled))], env={"GOMP_SPINCOUNT": "1000"} | os.environ, check=True, stdout=subprocess.PIPE,
                          text=True)
    (_, version), *lines = [line.split(",") for line in done.stdout.splitlines()]
    return f"llama.cpp {version} {a.dtype}", {line[0]: [float(v) for v in line[1:]] for line in lines}


def measure(a, program):
    turns, apart = table.Turns(a.depths), []
    for turn in range(a.turns):
        for depth in a.depths:
            time.sleep(a.pause)
            common = (a.checkpoint, "--layers", depth, "--dtype", "bf16", "--threads", a.threads, "--repeats", a.repeats)
            profiled = a.profile and depth == a.depths[1]
            forward = table.crossflow(a.programs, "forward", *common, "--out", a.out, *(["--profile", 1] if profiled else []))
            write_picture(a.out)
            version, theirs = run_theirs(a, program, depth, profiled)
            time.sleep(a.pause)
            decoding = table.crossflow(a.programs, "decoding", *common)
            apart.append(check(a))
            seen, read = (table.median_of(forward, e) for e in ("vision and projector to floor", "prefill to floor"))
            turns.add(depth, "vision", theirs["vision"], seen)
            turns.add(depth, "prefill", theirs["prefill"], read)
            turns.add(depth, "whole", [statistics.median(theirs["vision"]) + statistics.median(theirs["prefill"])], seen + read)
            turns.add(depth, "token", theirs["token"], table.median_of(decoding, "seconds a token"))
            if profiled:
                ours = {p: table.median_of(forward, "prefill: share of " + p) for p in PARTS}
                ours[REST] = read - sum(ours.values())
                for p in [*PARTS, REST]:
                    turns.add(depth, p, theirs[p], ours[p])
    return version, turns, {what: max(each[what] for each in apart) for what in apart[0]}


def print_rates(a, turns, version):
    """The weights that a token meets, all layers and the head, by its seconds, at the larger depth."""
    t = a.config["text_config"]
    d, kv = t["hidden_size"], t["hidden_size"] * t["num_key_value_heads"] // t["num_attention_heads"]
    elements = a.depths[1] * d * (2 * d + 2 * kv + 3 * t["intermediate_size"]) + t["vocab_size"] * d
    theirs, ours = turns.of(a.depths[1], "token")
    bits = {"bf16": 16, "f16": 16, "q8_0": 8.5}[a.dtype]
    table.print_row(version, "decoding", f"{a.depths[1]} layers: weights read: llama.cpp to crossflow", "GB/s",
                    [elements * bits / 8e9 / s for s in theirs], elements * 2e-9 / statistics.median(ours), a.threads, "<= 1")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("programs")
    arguments.add_argument("checkpoint")
    arguments.add_argument("out")
    arguments.add_argument("--sources", required=True)
    arguments.add_argument("--built")
    arguments.add_argument("--dtype", choices=llama_gguf.TYPES, default="bf16")
    arguments.add_argument("--depths", type=int, nargs=2, default=[2, 4])
    arguments.add_argument("--turns", type=int, default=4)
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--pause", type=float, default=0)
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments.add_argument("--profile", action="store_true")
    a = arguments.parse_args()
    a.built = a.built or os.path.join(a.sources, "build")
    a.config = llama_gguf.Checkpoint(a.checkpoint).config
    a.files = {depth: llama_gguf.make(a.checkpoint, a.out, depth, a.dtype) for depth in a.depths}
    version, turns, apart = measure(a, compile_program(a))
    length = len(values_of(a.out, "embedded.f32", (-1, a.config["text_config"]["hidden_size"])))
    few, many = a.depths
    table.print_head()
    turns.print(version, f"T {length}", "llama.cpp", a.threads, {
        f"vision and projector (features within {apart['features']:.1e})": turns.alone("vision"),
        "a decoder layer": turns.layer("prefill"),
        f"prefill of {few} layers (logits within {apart['logits']:.1e})": turns.alone("prefill"),
        f"a pass of {table.WHOLE_DEPTH} layers from {few} and {many}": turns.whole("whole"),
        f"one token through {many} layers": turns.of(many, "token"),
        **({f"prefill of {many} layers: {p}": turns.of(many, p) for p in [*PARTS, REST]} if a.profile else {})})
    print_rates(a, turns, version)


if __name__ == "__main__":
    main()
