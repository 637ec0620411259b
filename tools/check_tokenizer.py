#!/usr/bin/env python3
"""Compares the engine with the Hugging Face tokenizers library on any tokenizer.json, over random strings.

    python3 tools/check_tokenizer.py --tokenizer DIR --program BUILD/tests/text/tokenize_lines [--count 20000] [--seed 1]

For tokenizers that cannot be committed (Llama-2). Not part of `make test`. The strings are those of make_text_golden.py. Prints the number of
strings whose ids, decoded text, or decoded text without special tokens differ, and the first few; the exit status is 1 if there is one.
"""
import argparse
import os
import subprocess
import sys

from tokenizers import Tokenizer

from make_text_golden import WORD_MARK, results, tricky_strings


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--tokenizer", required=True, help="folder with a tokenizer.json")
    ap.add_argument("--program", required=True, help="tests/text/tokenize_lines of a build")
    ap.add_argument("--count", type=int, default=20000)
    ap.add_argument("--seed", type=int, default=1)
    a = ap.parse_args()
    tok = Tokenizer.from_file(os.path.join(a.tokenizer, "tokenizer.json"))
    alphabet = [t.replace(WORD_MARK, " ") for t in sorted(tok.get_vocab()) if not t.startswith("<")]
    strings = tricky_strings(a.seed, a.count, alphabet)
    run = subprocess.run([a.program, a.tokenizer], input="".join(s.hex() + "\n" for s in strings), capture_output=True, text=True, check=True)
    lines = run.stdout.splitlines()
    assert len(lines) == len(strings)
    wrong = 0
    for s, line in zip(strings, lines):
        ids, kept, skipped = results(tok, s)
        expected = "%s|%s|%s" % (" ".join(map(str, ids)), kept.encode().hex(), skipped.encode().hex())
        if line != expected:
            wrong += 1
            if wrong <= 5:
                print("string   %r\nexpected %s\nfound    %s\n" % (s, expected, line))
    print("%d strings, %d differ" % (len(strings), wrong))
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
