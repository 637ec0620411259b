#!/usr/bin/env python3
"""Checksums of question sets as Python's csv module reads them: tests/question/golden/checksums.json.

    python3 tools/make_question_golden.py demo/questions PUBLISHED_FOLDER > tests/question/golden/checksums.json

PUBLISHED_FOLDER holds the six question sets published with the paper; they are third-party data and not in this repository, so the
test that reads them is skipped where they are absent. The checksum is FNV-1a (64 bits) over, for each row, question_id, img_id,
question, answer, both options, and for each object its name and box: each followed by byte 0x1f, an absent text empty, an
absent box as "-" four times, an object with neither name nor box left out."""
import csv
import json
import os
import platform
import sys


def fnv1a(data, h=0xCBF29CE484222325):
    for byte in data:
        h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return h


def present(text):
    return "" if text == "-" else text


def fields(row):
    yield from (row[c] for c in ("question_id", "img_id", "question", "answer"))
    yield from (present(row.get(c, "-")) for c in ("true option", "false option"))
    for o in ("central object", "object1", "object2"):
        name, box = present(row.get(o + " name", "-")), [row.get(f"{o} {c}", "-") for c in "xywh"]
        if name or box != ["-"] * 4:
            yield from [name] + box


def describe(path):
    with open(path, newline="", encoding="utf-8") as f:
        rows = list(csv.DictReader(f, strict=True))
    data = "".join(v + "\x1f" for r in rows for v in fields(r)).encode()
    return dict(rows=len(rows), second_boxes=sum(r.get("object2 x", "-") != "-" for r in rows), fnv1a=f"{fnv1a(data):016x}")


def main():
    csv.field_size_limit(1 << 30)
    sets = {f: describe(os.path.join(d, f)) for d in sys.argv[1:] for f in sorted(os.listdir(d)) if f.endswith(".csv")}
    json.dump(dict(made_by="tools/make_question_golden.py", python=platform.python_version(), sets=sets), sys.stdout, indent=1)
    print()


main()
