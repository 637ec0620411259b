#!/usr/bin/env python3
"""Do exported CSV files read as the published ones do? Loads every file of a knockout and of a lens export with pandas, checks columns, types and contents, and
draws the paper's two figures from them with seaborn.

    python3 -m venv build/pandas && build/pandas/bin/pip install pandas seaborn
    build/crossflow trace demo/model demo/questions -o build/pandas/study.db --window 3 --limit 5
    build/crossflow lens demo/model demo/questions -o build/pandas/lens.db --limit 5
    build/crossflow export build/pandas/study.db --csv build/pandas/knockout
    build/crossflow export build/pandas/lens.db --csv build/pandas/lens
    build/pandas/bin/python tools/check_pandas.py build/pandas/knockout build/pandas/lens -o build/pandas/figure.png

Exit status 0 where every file is as published, 1 with a line for each one that is not. No part of `make test`, which needs no Python.
"""
import argparse
import ast
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from pandas.api import types

KNOCKOUT = ["question_id", "image", "goden answer", "predicted answer", "question", "block_desc", "layer", "base_score_first", "new_score_first",
            "relative diff first"]
LENS = ["question_id", "image", "goden answer", "question", "layer", "top_k_word", "top_k_score", "Noncapitalized Answer", "Noncapitalized False Option",
        "Capitalized Answer", "Capitalized False Option"]
LENS_WITHOUT_OPTIONS = [c for c in LENS if "False" not in c]
NAMES = ["question_id", "image"]  # digits alone become whole numbers, which loses leading zeros: read them with dtype=str to keep those
TEXTS = ["goden answer", "predicted answer", "question", "block_desc", "top_k_word", "top_k_score"]


def expect(holds, what):
    if not holds:
        raise ValueError(what)


def check_types(frame):
    """As pandas infers them, without being told."""
    for column in frame.columns:
        kind = frame[column].dtype
        if column in NAMES:
            good = types.is_integer_dtype(kind) or types.is_string_dtype(kind)
        elif column in TEXTS:
            good = types.is_string_dtype(kind)
        elif column == "layer":
            good = types.is_integer_dtype(kind)
        else:
            good = types.is_float_dtype(kind)
        expect(good, f"column {column!r} is read as {kind}")


def check_layers(frame, first, last):
    """Every question has the same layers, each once and in order."""
    expected = list(range(first, last + 1))
    for question, rows in frame.groupby("question_id", sort=False):
        n = len(rows) // len(expected)  # a question id may stand in a set more than once
        expect(list(rows["layer"]) == expected * n, f"question {question}: layers {list(rows['layer'])}, expected {expected}")


def read_knockout(path):
    frame = pd.read_csv(path)
    expect(list(frame.columns) == KNOCKOUT, f"columns {list(frame.columns)}, expected {KNOCKOUT}")
    expect(len(frame) > 0, "no rows")
    check_types(frame)
    check_layers(frame, frame["layer"].min(), frame["layer"].max())
    p1, p2 = frame["base_score_first"], frame["new_score_first"]
    expect(((p1 > 0) & (p1 <= 1)).all(), "base_score_first outside (0, 1]")
    expect((p2.isna() | ((p2 >= 0) & (p2 <= 1))).all(), "new_score_first outside [0, 1]")
    change = 100 * (p2 - p1) / p1
    expect(np.allclose(frame["relative diff first"], change, rtol=1e-6, atol=1e-5, equal_nan=True), "relative diff first is not 100 (new - base) / base")
    return frame


def read_lens(path):
    frame = pd.read_csv(path)
    expect(list(frame.columns) in (LENS, LENS_WITHOUT_OPTIONS), f"columns {list(frame.columns)}, expected {LENS} or these without the False Option")
    expect(len(frame) > 0, "no rows")
    check_types(frame)
    check_layers(frame, 0, frame["layer"].max())
    for i, row in frame.iterrows():
        words, scores = ast.literal_eval(row["top_k_word"]), ast.literal_eval(row["top_k_score"])
        expect(all(isinstance(w, str) for w in words) and all(type(s) is float for s in scores), f"row {i}: top_k_word or top_k_score of other types")
        expect(len(words) == len(scores) > 0, f"row {i}: {len(words)} words, {len(scores)} scores")
        expect(scores == sorted(scores, reverse=True) and 0 <= scores[-1] and sum(scores) < 1 + 1e-6, f"row {i}: scores do not fall within 0 and 1")
    for column in frame.columns[LENS.index("top_k_score") + 1:]:
        expect(frame[column].between(0, 100).all(), f"{column} outside 0 to 100 %")
    return frame


def read_all(folder, read):
    """{file name without its ending: frame}, and the faults."""
    frames, faults = {}, []
    for path in sorted(pathlib.Path(folder).glob("*.csv")):
        try:
            frames[path.stem] = read(path)
        except ValueError as fault:
            faults.append(f"{path}: {fault}")
    if not frames and not faults:
        faults.append(f"{folder}: no CSV files")
    return frames, faults


def line_per_word(frame):
    words = [c for c in frame.columns if "apitalized" in c]
    return frame.melt(id_vars="layer", value_vars=words, var_name="word", value_name="probability (%)")


def draw(knockout, lens, path):
    """Above the flows, below the lens, a column per task; one legend a row, of all its lines."""
    task_of = {name: name.split("_")[0] for name in [*knockout, *lens]}
    tasks = sorted(set(task_of.values()))
    flows = list(dict.fromkeys(flow for frame in knockout.values() for flow in frame["block_desc"].unique()))
    figure, axes = plt.subplots(2, len(tasks), figsize=(4 * len(tasks) + 4, 6), squeeze=False)
    rows = [(knockout, lambda frame: frame, "relative diff first", "block_desc", flows), (lens, line_per_word, "probability (%)", "word", LENS[-4:])]
    for (frames, lines, y, hue, order), panels in zip(rows, axes):
        for task, panel in zip(tasks, panels):
            mine = [lines(frame) for name, frame in frames.items() if task_of[name] == task]
            if mine:
                sns.lineplot(pd.concat(mine), x="layer", y=y, hue=hue, hue_order=order, ax=panel)
                sns.move_legend(panel, "upper left", bbox_to_anchor=(1.02, 1))
                if task != tasks[-1]:
                    panel.get_legend().remove()
            panel.set_title(task)
    figure.tight_layout()
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("knockout", help="folder of `crossflow export TRACE.db --csv`")
    parser.add_argument("lens", help="folder of `crossflow export LENS.db --csv`")
    parser.add_argument("-o", "--out", required=True, help="the figure: a .png or .pdf")
    arguments = parser.parse_args()
    knockout, faults = read_all(arguments.knockout, read_knockout)
    lens, more = read_all(arguments.lens, read_lens)
    faults += more
    if faults:
        print("\n".join(faults), file=sys.stderr)
        return 1
    draw(knockout, lens, arguments.out)
    rows = sum(len(f) for f in knockout.values()), sum(len(f) for f in lens.values())
    print(f"pandas {pd.__version__}: {len(knockout)} knockout files with {rows[0]} rows, {len(lens)} lens files with {rows[1]} rows, all as published; "
          f"figure {arguments.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
