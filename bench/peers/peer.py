"""What the peers in transformers share: the model on the same checkpoint with the same depth, and the prompt."""
import os
import time

import numpy as np
import torch
import transformers
from transformers import LlavaForConditionalGeneration

import table

VERSION = f"transformers {transformers.__version__} torch {torch.__version__}"
DTYPES = {"bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32}


def deepen(model, n_layers):
    """The decoder's own layers take turns up to n_layers, as in bench/deep_model.h."""
    decoder = model.model.language_model
    own = list(dict.fromkeys(decoder.layers))
    decoder.layers = torch.nn.ModuleList(own[i % len(own)] for i in range(n_layers))
    decoder.config.num_hidden_layers = n_layers


def load(folder, dtype, n_layers, threads, device="cpu"):
    torch.set_num_threads(threads)
    torch.backends.cuda.matmul.allow_tf32 = False
    model = LlavaForConditionalGeneration.from_pretrained(folder, dtype=DTYPES[dtype], attn_implementation="sdpa").eval().to(device)
    deepen(model, n_layers)
    return model


def read_prompt(folder):
    """Ids, one per position, and pixels, as a crossflow program has left them (--out)."""
    ids = torch.from_numpy(np.fromfile(os.path.join(folder, "ids.i32"), np.int32).astype(np.int64))[None]
    pixels = torch.from_numpy(np.fromfile(os.path.join(folder, "pixels.f32"), np.float32)).view(1, 3, 336, 336)
    return ids, pixels


def wait():
    """Until what has been begun on a GPU is done."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def seconds_of(call):
    wait()
    begin = time.perf_counter()
    call()
    wait()
    return time.perf_counter() - begin
