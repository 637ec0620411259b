#!/bin/sh
# table.sh - the figures of docs/performance.md, between its two marks, from the tables in build/bench (bench/measure.h).
set -eu
cd "$(dirname "$0")/.."
page=docs/performance.md
out=build/bench

# The tables that are there, in the page's order.
files=
for name in peak products attention sweep sweep-32 sweep-f32 sweep-AVX512_CORE sweep-AVX2 forward forward-f32 decoding demo large \
    peer-forward peer-forward-f32 peer-llama-bf16 peer-llama-f16 peer-llama-q8_0 peer-published; do
    [ -f "$out/$name.csv" ] && files="$files $out/$name.csv"
done
if [ -z "$files" ]; then
    echo "table.sh: nothing in $out; make bench" >&2
    exit 1
fi
awk -F , -v OFS=, '
    # Three digits that count.
    function short(x) { return x >= 100 ? sprintf("%.0f", x) : x >= 10 ? sprintf("%.1f", x) : sprintf("%.3g", x) }
    FNR == 1 { next }
    $4 != question {
        question = $4
        printf "\n**%s** (%s; %s%s)\n\n| | median | from - to | n | beside | ratio | target |\n| --- | --- | --- | --- | --- | --- | --- |\n", $4, $2, $1, question == "peak" ? "" : "; threads: " $3
    }
    { printf "| %s%s | %s %s | %s - %s | %d | %s | %s | %s |\n", $5, question == "peak" ? sprintf(" (threads: %d)", $3) : "", short($8), $6, short($9), short($10), $7, $11 == "" ? "" : short($11), $12, $13 }
    ' $files >"$out/figures.md"
awk -v figures="$out/figures.md" '
    /^<!-- figures end -->/ { inside = 0 }
    !inside { print }
    /^<!-- figures begin/ { inside = 1; while ((getline line < figures) > 0) print line; print "" }
    ' $page >"$out/performance.md"
cp "$out/performance.md" $page
rm "$out/performance.md" "$out/figures.md"
echo "$page has the figures of:$files"
