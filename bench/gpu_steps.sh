#!/bin/sh
# gpu_steps.sh NAME ARGUMENTS... - the steps of gpu.sh that are more than one command. BUILD, OUT, DEVICE and PYTHON come from there; each ends with a line that says it all.
set -eu
cd "$(dirname "$0")/.."

# A program of ours, with the libraries that were found for it.
ours() {
    env LD_LIBRARY_PATH="$CF_LIBRARIES" "$@"
}

crossflow() {
    ours "$BUILD/crossflow" "$@"
}

# trace NAME MODEL QUESTIONS OPTIONS...: a study anew in OUT/NAME.db; the seconds of its work.
trace() {
    name=$1
    shift
    rm -f "$OUT/$name.db"
    crossflow trace "$@" -o "$OUT/$name.db" --keep all >"$OUT/$name.trace" 2>&1 || { cat "$OUT/$name.trace"; return 1; }
    awk '/^work:/ { for (i = 1; i <= NF; i++) if ($i == "s;") print $(i - 1) }' "$OUT/$name.trace"
}

devices() {
    nvidia-smi -L
    crossflow info --devices
    crossflow info --devices | grep "^$DEVICE .*products in"
}

# Probabilities of the demo's runs, all of them, as CSV.
demo_values() { # DEVICE DTYPE
    [ "$1 $2" != "cpu f32" ] || [ ! -e "$OUT/demo-cpu-f32.csv" ] || return 0
    trace "demo-$1-$2" demo/model demo/questions/shapes_ChooseAttr.csv --window 3 --limit 40 --device "$1" --dtype "$2"
    grep -i "row" "$OUT/demo-$1-$2.trace" || true
    rm -rf "$OUT/demo-$1-$2"
    crossflow export "$OUT/demo-$1-$2.db" --csv "$OUT/demo-$1-$2" >/dev/null
    cat "$OUT/demo-$1-$2"/*.csv >"$OUT/demo-$1-$2.csv"
}

# The largest difference in probability to the cpu's f32, itself within 5e-6 of transformers (docs/goldens.md).
demo() { # DTYPE ALLOWED
    demo_values cpu f32
    demo_values "$DEVICE" "$1"
    "$PYTHON" - "$OUT/demo-cpu-f32.csv" "$OUT/demo-$DEVICE-$1.csv" "$2" <<'END'
import csv, sys
ours, theirs = ([r for r in csv.DictReader(open(p, encoding="utf-8"))] for p in sys.argv[1:3])
columns = ("base_score_first", "new_score_first")
pairs = [(float(a[c]), float(b[c])) for a, b in zip(ours, theirs) for c in columns if a[c] != c]
worst = max(abs(a - b) for a, b in pairs)
print(f"{len(pairs)} probabilities; the largest difference to the cpu's f32 is {worst:.3g}, allowed are {sys.argv[3]}")
sys.exit(len(ours) != len(theirs) or not worst <= float(sys.argv[3]))
END
}

# N questions about a square picture of 672 pixels, which LLaVA-NeXT sees in five tiles.
tile_questions() { # N
    mkdir -p "$OUT/images"
    [ -e "$OUT/images/large.png" ] || "$PYTHON" -c 'import sys
from PIL import Image
Image.effect_noise((672, 672), 90).convert("RGB").save(sys.argv[1])' "$OUT/images/large.png"
    head -n $(($1 + 1)) demo/questions/shapes_ChooseAttr.csv | sed '2,$s/,[0-9]\{6\},/,large,/; s/,336,336,/,672,672,/' >"$OUT/large_ChooseAttr.csv"
}

# The sweep of six flows at 32 layers in plain forward passes: those are traced by a flow that causality hides.
tiles() {
    tile_questions 4
    set -- "$OUT/next-7b" "$OUT/large_ChooseAttr.csv" --device "$DEVICE" --max-new-tokens 1
    whole=$(trace tiles "$@")
    plain=$(trace tiles-plain "$@" --flow "Question->Image")
    echo "$whole $plain" | awk '{ printf "four questions: %s s, plain forward passes %s s: %.2f passes a question (<= 2.3)\n", $1, $2, $1 / $2 }'
}

# The same with 4 GiB for weights, so that most layers come from the host in every walk.
streamed() {
    tile_questions 4
    set -- "$OUT/next-7b" "$OUT/large_ChooseAttr.csv" --device "$DEVICE" --max-new-tokens 1 --in-flight 4
    resident=$(trace resident "$@")
    streamed=$(trace streamed "$@" --weights-memory 4096)
    echo "$resident $streamed" | awk '{ printf "four questions: %s s resident, %s s streamed: %.2f (<= 1.3)\n", $1, $2, $2 / $1 }'
}

# Medians of the tables that the programs left, with what stands beside them.
figures() {
    awk -F , 'NF == 13 && $7 + 0 > 0 && $8 + 0 > 0 { printf "%s: %s %s", $5, $8, $6; if ($12) printf ", %s of %s", $12, $11; if ($13) printf " (%s)", $13; printf "\n" }' \
        "$OUT/forward.log" "$OUT/sweep.log" "$OUT/sweep_together.log" "$OUT/decoding.log" "$OUT/peer_forward.log" "$OUT/peer_published.log" 2>/dev/null
}

"$@"
