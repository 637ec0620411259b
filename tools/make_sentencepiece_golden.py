#!/usr/bin/env python3
"""Trains small SentencePiece models and writes what transformers makes of them, for tests/text.

    python3 tools/make_sentencepiece_golden.py --out tests/text/golden

Needs sentencepiece beside transformers. Writes a NAME.model for each model below, and sentencepiece.json: for each model with each
tokenizer_config.json, the ids and texts of strings through the fast tokenizer that LlamaTokenizer makes of the two files.
"""
import argparse
import csv
import glob
import io
import json
import os
import random
import tempfile

import sentencepiece
import tokenizers
import transformers

from make_text_golden import PIECES, ids_hash, random_string, results, texts_hash, b64

COMMON = dict(model_type="bpe", byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False, split_digits=True, character_coverage=0.99,
              allow_whitespace_only_pieces=True, num_threads=1, minloglevel=2)
MODELS = { # as Llama-2's was trained; with symbols of both kinds; with begin and end elsewhere
    "plain": dict(vocab_size=600),
    "symbols": dict(vocab_size=440, user_defined_symbols=["<image>", "the"], control_symbols=["<mask>"]),
    "ends": dict(vocab_size=420, unk_id=2, bos_id=0, eos_id=1, bos_piece="<begin>", eos_piece="<end>"),
}
LLAVA = {"add_bos_token": True, "add_eos_token": False, "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "tokenizer_class": "LlamaTokenizer"}
MORE = {"0": "<unk>", "1": "<s>", "2": "</s>", "600": "<image>", "601": "<pad>"}


def token(content):
    return {"content": content, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}


CASES = [
    ("plain", "legacy false, as the LLaVA folders have it", {**LLAVA, "legacy": False}),
    ("plain", "legacy true", {**LLAVA, "legacy": True}),
    ("plain", "legacy not said", LLAVA),
    ("plain", "names as objects", {**LLAVA, **{k: {"__type": "AddedToken", **token(LLAVA[k])} for k in ("bos_token", "eos_token", "unk_token")}}),
    ("plain", "added tokens", {**LLAVA, "legacy": False, "added_tokens_decoder": {k: token(v) for k, v in MORE.items()}}),
    ("plain", "begin and end", {**LLAVA, "add_eos_token": True}),
    ("plain", "neither begin nor end", {**LLAVA, "add_bos_token": False}),
    ("plain", "no blank in front", {**LLAVA, "add_prefix_space": False}),
    ("symbols", "symbols", {**LLAVA, "legacy": False}),
    ("ends", "ends", {**LLAVA, "bos_token": "<begin>", "eos_token": "<end>"}),
    ("ends", "ends, both added", {**LLAVA, "bos_token": "<begin>", "eos_token": "<end>", "add_eos_token": True}),
]


def corpus():
    for path in sorted(glob.glob("demo/questions/*.csv")):
        with open(path, encoding="utf-8") as f:
            for row in csv.DictReader(f):
                yield row["question"]
    for piece in PIECES:
        if "\0" not in piece and "\n" not in piece:
            yield piece


def train(name):
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(list(corpus())), model_writer=out, **{**COMMON, **MODELS[name]})
    return out.getvalue()


def strings(seed, n, alphabet):
    r = random.Random(seed)
    seen = dict.fromkeys([b""] + [p.encode() for p in PIECES] + [b" <s> a", b"a<s> b", b"a </s>", b"<mask>the<image>", b"<begin> a<end>", b"<image>\nWhat", b"  a"])
    while len(seen) < n:
        seen.setdefault(random_string(r, alphabet))
    return list(seen)[:n]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--out", default="tests/text/golden")
    ap.add_argument("--seed", type=int, default=20240918)
    ap.add_argument("--count", type=int, default=320)
    a = ap.parse_args()
    models = {name: train(name) for name in MODELS}
    cases = []
    for name, data in models.items():
        with open(os.path.join(a.out, name + ".model"), "wb") as f:
            f.write(data)
    for i, (model, title, config) in enumerate(CASES):
        with tempfile.TemporaryDirectory() as d:
            with open(os.path.join(d, "tokenizer.model"), "wb") as f:
                f.write(models[model])
            with open(os.path.join(d, "tokenizer_config.json"), "w") as f:
                json.dump(config, f)
            tok = transformers.LlamaTokenizer.from_pretrained(d)
        rows = []
        alphabet = [t.replace("▁", " ") for t in sorted(tok.get_vocab()) if not t.startswith("<")]
        for k, data in enumerate(strings(a.seed + i, a.count, alphabet)):
            ids, kept, skipped = results(tok.backend_tokenizer, data)
            rows.append([b64(data), len(ids), ids_hash(ids), texts_hash(kept, skipped)] + ([ids] if k % 40 == 0 else []))
        cases.append({"name": title, "model": model, "config": json.dumps(config, separators=(",", ":")), "bos": tok.bos_token_id, "strings": rows})
    made = {"command": "python3 tools/make_sentencepiece_golden.py --seed %d --count %d" % (a.seed, a.count), "seed": a.seed,
            "sentencepiece": sentencepiece.__version__, "tokenizers": tokenizers.__version__, "transformers": transformers.__version__}
    columns = "string, number of ids, hash of the ids, hash of the decoded text, a newline, and the same without special tokens; every 40th: the ids"
    with open(os.path.join(a.out, "sentencepiece.json"), "w", encoding="utf-8") as f:
        f.write(json.dumps({"made": made, "columns": columns, "cases": cases}, ensure_ascii=False, separators=(",", ":"))
                .replace("],[\"", "],\n[\"").replace("{\"name\"", "\n{\"name\"") + "\n")


if __name__ == "__main__":
    main()
