#!/usr/bin/env python3
"""Compares the engine with Hugging Face on any tokenizer, over random strings and over prompts.

    python3 tools/check_tokenizer.py --tokenizer DIR --program BUILD/tests/text/tokenize_lines [--count 100000] [--seed 1]

For tokenizers that cannot be committed (Llama-2, Llama-3). Not part of `make test`. A folder with a tokenizer.json is read with the tokenizers
library, one with a tokenizer.model alone with transformers' LlamaTokenizer (needs sentencepiece). The strings are those of make_text_golden.py; the
prompts are every preset over the questions of --questions and over strings. Prints how many strings differ in their ids, decoded text, or decoded
text without special tokens, how many prompts differ in their ids, and the first few of each; the exit status is 1 if there is one.
"""
import argparse
import json
import os
import subprocess
import sys

from tokenizers import Tokenizer

from make_text_golden import plain_words, preset_ids, preset_prompts, questions, results, tricky_strings

IMAGE_TOKEN_INDEX = -200 # LLaVA's


def load(folder):
    path = os.path.join(folder, "tokenizer.json")
    if os.path.exists(path):
        return Tokenizer.from_file(path)
    import transformers
    return transformers.LlamaTokenizer.from_pretrained(folder).backend_tokenizer


def bos_of(folder):
    with open(os.path.join(folder, "tokenizer_config.json"), encoding="utf-8") as f:
        bos = json.load(f)["bos_token"]
    return bos if isinstance(bos, str) else bos["content"]


def ask(program, arguments, strings):
    run = subprocess.run([program] + arguments, input="".join(s.hex() + "\n" for s in strings), capture_output=True, text=True, check=True)
    lines = run.stdout.splitlines()
    assert len(lines) == len(strings)
    return lines


def compare(what, strings, expected, found):
    wrong = [row for row in zip(strings, expected, found) if row[1] != row[2]]
    for row in wrong[:5]:
        print("string   %r\nexpected %s\nfound    %s\n" % row)
    print("%s: %d, %d differ" % (what, len(strings), len(wrong)), flush=True)
    return len(wrong)


def check_strings(a, tok):
    strings = tricky_strings(a.seed, a.count, plain_words(tok))
    expected = ("%s|%s|%s" % (" ".join(map(str, ids)), kept.encode().hex(), skipped.encode().hex()) for ids, kept, skipped in (results(tok, s) for s in strings))
    return compare("strings", strings, expected, ask(a.program, [a.tokenizer], strings))


def check_prompts(a, tok):
    """The whole-text presets want an <image> token: they are checked where the tokenizer has one. Llama-3's want its tokens."""
    wrong = 0
    bos, image = tok.token_to_id(bos_of(a.tokenizer)), tok.token_to_id("<image>")
    asked = [q.encode() for q in questions(a.questions)] + [s for s in tricky_strings(a.seed + 1, 2000, plain_words(tok)) if b"<image>" not in s and b"\n" not in s and s.isascii()]
    for name, (whole, text) in preset_prompts("?").items():
        if (whole and image is None) or ("llama" in name and tok.token_to_id("<|eot_id|>") is None):
            continue
        used = image if whole else IMAGE_TOKEN_INDEX
        expected = (" ".join(map(str, preset_ids(tok, whole, preset_prompts(q.decode())[name][1], bos, used))) for q in asked)
        wrong += compare("prompts of " + name, asked, expected, ask(a.program, [a.tokenizer, name, str(used)], asked))
    return wrong


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--tokenizer", required=True, help="folder with a tokenizer.json or a tokenizer.model, and a tokenizer_config.json")
    ap.add_argument("--program", required=True, help="tests/text/tokenize_lines of a build")
    ap.add_argument("--questions", default="demo/questions")
    ap.add_argument("--count", type=int, default=20000)
    ap.add_argument("--seed", type=int, default=1)
    a = ap.parse_args()
    tok = load(a.tokenizer)
    sys.exit(check_strings(a, tok) + check_prompts(a, tok) > 0)


if __name__ == "__main__":
    main()
