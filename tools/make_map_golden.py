#!/usr/bin/env python3
"""Reference values of causal maps: tests/cli/golden/maps_demo.json and maps_bites.json.

    python3 tools/make_map_golden.py demo    the demo model: some patches, squares, tokens, and every head (about five minutes)
    python3 tools/make_map_golden.py bites   the random model in which every cut bites: every patch, token and head (seconds)

Run from the source root; docs/goldens.md says what the files hold. Every number is a forward pass of transformers from layer 0 with its own
attention mask (make_flow_golden.py). Where a patch stands is written here from its definition: one tile, the patches row by row."""
import argparse

import torch

from golden_reference import BITES, Reference, provenance, read_rows, write_json
from make_flow_golden import IMAGE, LAST, QUESTION, Effect, Flow, Group, Sample, digits, window_layers

GOLDEN = "tests/cli/golden"
K = 3
TILE = {"demo": 5, "bites": 3}  # does not divide the grid: the last squares are cut off
TOKEN_LAYERS = {"demo": (3, 7), "bites": (1, 3)}
# Of the demo's questions those of which the model is least sure, so that a patch can be missed, and one of every other task.
ROWS = {
    "demo": [("LogicalObj", 126), ("LogicalObj", 0), ("LogicalObj", 78), ("LogicalObj", 26), ("QueryAttr", 156), ("QueryAttr", 186),
             ("ChooseCat", 14), ("ChooseAttr", 35), ("ChooseRel", 0), ("CompareAttr", 7)],
    "bites": [("ChooseRel", 5), ("ChooseAttr", 0), ("QueryAttr", 5)],
}
HEADS_OF = ["LogicalObj.126"]  # of the demo's: a pass for each head takes long


def span_text(begin, end):
    return str(begin) if end == begin + 1 else f"{begin}:{end}"


def square(side, row, column, size):
    """A square of patches, cut off at the border: its text, and its positions."""
    rows, columns = range(row, min(row + size, side)), range(column, min(column + size, side))
    text = f"patch({span_text(rows.start, rows.stop)},{span_text(columns.start, columns.stop)})"
    return text, Group(lambda sample, _after: {sample.image_at + r * side + c for r in rows for c in columns})


def token(i):
    return Group(lambda sample, _after: set(sorted(sample.groups["Question"])[i:i + 1]))


def some_patches(sample, side):
    """One of the object, where it has any, and two corners, of some questions these and of others those."""
    objects = [divmod(p, side) for p in sample.object[len(sample.object) // 2:][:1]]
    end = side - 1
    return list(dict.fromkeys(objects + ([(0, 0), (end, end)] if sample.n_row % 4 < 2 else [(0, end), (end, 0)])))


def flows(what, sample):
    """Every flow with the kind of map it is a cell of."""
    side = int(round(sample.ref.n_patches ** .5))
    size, every = TILE[what], [(r, c) for r in range(side) for c in range(side)]
    patches = every if what == "bites" else some_patches(sample, side)
    for i, (r, c) in enumerate(patches):
        text, group = square(side, r, c, 1)
        yield "patches", Flow(f"{text}->Question", group >> QUESTION)
        if what == "bites" or i == 0:
            yield "patches", Flow(f"{text}->Last", group >> LAST)
    squares = [(r, c) for r, c in every if r % size == 0 and c % size == 0]
    for r, c in squares if what == "bites" else squares[-1:]:
        text, group = square(side, r, c, size)
        yield "tiles", Flow(f"{text}->Question", group >> QUESTION)
    for h in range(sample.ref.n_heads) if what == "bites" or sample.key in HEADS_OF else []:
        yield "heads", Flow(f"Image->Question#{h}", (IMAGE >> QUESTION).only_heads(h))
    begin, end = TOKEN_LAYERS[what]
    n = len(sample.groups["Question"])
    for i in range(n) if what == "bites" else [n - 1]:
        for r, c in squares if what == "bites" else squares[4:5]:
            text, group = square(side, r, c, size)
            yield "tokens", Flow(f"{text}->Question[{i}]@{span_text(begin, end)}", (group >> token(i)).at(begin, end))


def measure(sample, flow):
    """p2 and the options' logit difference at each centre, of a flow with layers of its own one of each."""
    centres = [0] if flow.fixed else list(range(sample.ref.n_layers))
    windows = [window_layers("fixed" if flow.fixed else "centre", c, K, sample.ref.n_layers) for c in centres]
    out = sample.forward(Effect(flow, sample, 0), windows, [[]])
    logits = sample.ref.head(out.last_hidden_state[:, -1]).double()
    p2 = logits.softmax(-1)[:, sample.first]
    has = sample.true_option is not None
    return digits(p2), digits(logits[:, sample.true_option] - logits[:, sample.false_option]) if has else None


def record(what, sample):
    cells = []
    for kind, flow in flows(what, sample):
        p2, difference = measure(sample, flow)
        cells.append(dict(map=kind, flow=flow.text, probability=p2) | (dict(difference=difference) if difference else {}))
    return dict(task=sample.task, row=sample.n_row, image=sample.row["img_id"], first_token=sample.first,
                probability=digits(sample.probabilities[sample.first]), cells=cells)


def make(what):
    ref = Reference("demo/model" if what == "demo" else BITES)
    rows, records = dict(read_rows()), []
    for task, n in ROWS[what]:
        sample = Sample(ref, task, n, rows[task][n], [2, 541] if what == "demo" else None)
        records.append(record(what, sample))
        moved = max(abs(p - records[-1]["probability"]) for c in records[-1]["cells"] for p in c["probability"])
        print(sample.key, sample.answer, records[-1]["probability"], "largest change", moved, flush=True)
    write_json(f"{GOLDEN}/maps_{what}.json", records, made=provenance("tools/make_map_golden.py"), window=K,
               tile=TILE[what], token_layers=list(TOKEN_LAYERS[what]))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("what", choices=ROWS)
    torch.set_num_threads(1)  # the second one waits more than it works, for batches as small as these
    torch.use_deterministic_algorithms(True)
    with torch.no_grad():
        make(arguments.parse_args().what)


if __name__ == "__main__":
    main()
