"""What the peers share: transformers' model on the same checkpoint with the same depth, crossflow's programs beside it, and rows
of the same table (bench/measure.h)."""
import csv
import io
import os
import statistics
import subprocess
import sys
import time

import numpy as np
import torch
import transformers
from transformers import LlavaForConditionalGeneration

DTYPES = {"bf16": torch.bfloat16, "f32": torch.float32}


def wrong(text):
    sys.exit(f"WRONG RESULT, nothing is timed: {text}")


def crossflow(programs, name, *arguments):
    """Runs one of crossflow's benchmark programs; the rows of its table."""
    environment = {"GOMP_SPINCOUNT": "1000"} | os.environ
    done = subprocess.run([os.path.join(programs, "bench_" + name), *map(str, arguments)], env=environment, check=True,
                          stdout=subprocess.PIPE, text=True)
    return list(csv.DictReader(io.StringIO(done.stdout)))


def median_of(rows, ending):
    found = [r for r in rows if r["what"].endswith(ending)]
    if len(found) != 1:
        wrong(f"{len(found)} rows end in {ending!r}")
    return float(found[0]["median"])


def load(folder, dtype, n_layers, threads):
    """The model with its layers taking turns up to n_layers, as in bench/deep_model.h."""
    torch.set_num_threads(threads)
    model = LlavaForConditionalGeneration.from_pretrained(folder, dtype=DTYPES[dtype], attn_implementation="sdpa").eval()
    decoder = model.model.language_model
    own = list(decoder.layers)
    decoder.layers = torch.nn.ModuleList(own[i % len(own)] for i in range(n_layers))
    decoder.config.num_hidden_layers = n_layers
    return model


def read_prompt(folder):
    """Ids, one per position, and pixels, as a crossflow program has left them (--out)."""
    ids = torch.from_numpy(np.fromfile(os.path.join(folder, "ids.i32"), np.int32).astype(np.int64))[None]
    pixels = torch.from_numpy(np.fromfile(os.path.join(folder, "pixels.f32"), np.float32)).view(1, 3, 336, 336)
    return ids, pixels


def seconds_of(call):
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def print_head():
    print("version,processor,threads,question,what,unit,n,median,min,max,of,ratio,target", flush=True)


def print_row(question, what, unit, values, of, threads, target=""):
    processor = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                      if line.startswith("model name")), "unknown").replace(",", " ")
    median = statistics.median(values)
    beside = f"{of:.6g},{median / of:.3f}" if of else ","
    print(f"transformers {transformers.__version__} torch {torch.__version__},{processor},{threads},{question},{what},{unit},"
          f"{len(values)},{median:.6g},{min(values):.6g},{max(values):.6g},{beside},{target}", flush=True)
