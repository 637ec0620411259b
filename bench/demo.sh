#!/bin/sh
# demo.sh - what a user waits for on a fresh machine: the seconds that `make demo` traces (895 questions, six flows, twelve
# layers), and the seconds from starting `crossflow ask` to its answer, which are to stay below 0.1. Prints rows of the table.
#
# First, the answer must be right; and every trace must give the same table, byte for byte. REPEATS (of the trace, default 3).
set -eu
cd "$(dirname "$0")/.."
. bench/rows.sh
crossflow=build/crossflow
out=build/bench
repeats=${REPEATS:-3}
asked=20
mkdir -p "$out"

ask() {
    $crossflow ask demo/model --image demo/questions/images/000024.jpg --question "Is the circle blue or orange?"
}

if [ "$(ask | head -n 1)" != Orange ]; then
    echo "WRONG RESULT, nothing is timed: the circle is orange" >&2
    exit 1
fi
rows_head
seconds=
for _ in $(seq $asked); do
    begin=$(date +%s.%N)
    ask >/dev/null
    seconds="$seconds $(echo "$begin $(date +%s.%N)" | awk '{ print $2 - $1 }')"
done
row demo "ask: start to answer to 0.1 s" s "$seconds" 0.1 "<= 1"

seconds=
for repeat in $(seq "$repeats"); do
    rm -rf "$out/demo.db" "$out/demo-csv-$repeat"
    $crossflow trace demo/model demo/questions -o "$out/demo.db" --flows paper --window 3 2>"$out/demo.log"
    $crossflow export "$out/demo.db" --csv "$out/demo-csv-$repeat" 2>/dev/null
    if ! diff -r "$out/demo-csv-1" "$out/demo-csv-$repeat" >&2; then
        echo "WRONG RESULT: trace $repeat has another table than the first" >&2
        exit 1
    fi
    seconds="$seconds $(awk '/^work:/ { for (i = 1; i <= NF; i++) if ($i == "s;") print $(i - 1) }' "$out/demo.log")"
done
row demo "trace of the demo's 64440 runs" s "$seconds" "" ""
rm -rf "$out"/demo-csv-* "$out/demo.db" "$out/demo.log"
