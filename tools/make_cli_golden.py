#!/usr/bin/env python3
"""What the tests of the program hold its output against: tests/cli/golden/.

    python3 tools/make_cli_golden.py      seconds; run from the source root

tokens.txt   the listing of `crossflow tokens` for the first question of ChooseAttr, put together from the reference
             values in tests/engine/golden/flows_demo.json (transformers' token ids, positions of every group) and the
             vocabulary of demo/model/tokenizer.json: nothing in it is crossflow's but the form.
wide.png     a picture four times as wide as high, of which the centre crop keeps a quarter (Pillow 13.0.0)."""
import json
import os

from PIL import Image

OUT = "tests/cli/golden"
NOT_IN_LINES = ("All", "Template")


def spans(positions):
    """Sorted positions as half-open spans."""
    out = []
    for p in sorted(positions):
        if out and out[-1][1] == p:
            out[-1][1] = p + 1
        else:
            out.append([p, p + 1])
    return "".join(f" [{a},{b})" for a, b in out)


def listing(sample, tokens):
    at, columns = sample["image_at"], 12
    n_patches = sample["length"] - len(sample["text_ids"]) + 1
    groups = {name: set(positions) for name, positions in sample["groups"].items()}
    hit = {p - at for p in groups["Image Central Object"]}
    lines = ["position      id  token  groups"]

    def text_line(position, token):
        here = [n for n in groups if position in groups[n] and n not in NOT_IN_LINES]
        lines.append(f"{position:8d} {token:7d}  {tokens[token]}" + ("  " + ", ".join(here) if here else ""))

    for i, token in enumerate(sample["text_ids"][:at]):
        text_line(i, token)
    for row in range(0, n_patches, columns):
        marks = "".join(" #" if row + x in hit else " ." for x in range(columns))
        note = "" if row else "  Image: a row of patches a line, # touched by a box"
        lines.append(f"{at + row:8d}          {marks}{note}")
    for i, token in enumerate(sample["text_ids"][at + 1:]):
        text_line(at + n_patches + i, token)
    lines += ["", "group                                      positions"]
    lines += [f"{n:42s} {len(groups[n]):9d} {spans(groups[n])}" for n in groups]
    return "\n".join(lines) + "\n"


def main():
    os.makedirs(OUT, exist_ok=True)
    with open("tests/engine/golden/flows_demo.json", encoding="utf-8") as f:
        sample = json.load(f)["samples"][0]
    with open("demo/model/tokenizer.json", encoding="utf-8") as f:
        tokenizer = json.load(f)
    tokens = {i: t for t, i in tokenizer["model"]["vocab"].items()}
    tokens |= {t["id"]: t["content"] for t in tokenizer["added_tokens"]}
    with open(os.path.join(OUT, "tokens.txt"), "w", encoding="utf-8") as f:
        f.write(listing(sample, tokens))
    wide = Image.new("RGB", (80, 20), (40, 90, 160))
    wide.paste((220, 180, 20), (30, 5, 50, 15))
    wide.save(os.path.join(OUT, "wide.png"))


if __name__ == "__main__":
    main()
