#!/bin/sh
# large.sh [DIR] - models of true size, with random weights, by the program itself: how near does a whole question come to the
# time of its multiply-adds; what does the sweep cost in plain forward passes where the picture has several tiles; does a model
# that does not fit in memory compute as fast, operation for operation, as one that does; and is the memory that `info`
# forecasts the memory that is taken?
#
# Makes the shapes of LLaVA-1.5-7b and -13b and LLaVA-v1.6-vicuna-7b in F16 (41 GB in DIR, default build/bench/large, each removed
# after its turn), traces one question with six flows at every layer, k = 9, and prints rows of the table. MODELS (default "7b 13b
# next-7b") chooses; LAYERS makes them shallower, to try this script. Twenty minutes on two cores. Anonymous memory is sampled twice a second. First, each
# study must have as many values as it has runs. No part of `make bench`; `make bench-large`.
set -eu
cd "$(dirname "$0")/.."
. bench/rows.sh
crossflow=build/crossflow
dir=${1:-build/bench/large}
log=$dir/log
mkdir -p "$dir"

# Runs a command and prints the peak of its anonymous memory in MiB; what it says goes to the log.
peak_of() {
    "$@" >"$log" 2>&1 &
    pid=$!
    peak=0
    while kill -0 $pid 2>/dev/null; do
        now=$(awk '/^RssAnon:/ { print int($2 / 1024) }' /proc/$pid/status 2>/dev/null || true)
        [ "${now:-0}" -gt $peak ] && peak=$now
        sleep 0.5
    done
    if ! wait $pid; then
        cat "$log" >&2
        return 1
    fi
    echo $peak
}

# What the log says of the work: row-layers and seconds.
work() {
    awk '/^work:/ { for (i = 1; i <= NF; i++) if ($i == "s;") print $2, $(i - 1) }' "$log"
}

# Every run of the study has a value for the one question.
check_values() {
    rm -rf "$dir/csv"
    $crossflow export "$dir/study.db" --csv "$dir/csv" >/dev/null 2>&1
    if [ "$(find "$dir/csv" -name '*.csv' | wc -l)" != 6 ] || grep -qi nan "$dir"/csv/*.csv; then
        echo "WRONG RESULT: $1: expected six flows of numbers in $dir/csv" >&2
        exit 1
    fi
}

# A question about a square picture, and one about a picture of 672 x 672, which LLaVA-NeXT sees in five tiles (T near 2,900).
mkdir -p "$dir/images"
gnuplot -e "set terminal pngcairo size 672,672; set output '$dir/images/large.png'; plot sin(x)"
cp demo/questions/images/000024.jpg "$dir/images/small.jpg"
head -n 2 demo/questions/shapes_ChooseAttr.csv | sed 's/,000024,/,small,/' >"$dir/small_ChooseAttr.csv"
head -n 2 demo/questions/shapes_ChooseAttr.csv | sed 's/,000024,/,large,/; s/,336,336,/,672,672,/' >"$dir/large_ChooseAttr.csv"

rows_head
build/bench/bench_peak >"$dir/peak.csv"
times=
for model in ${MODELS:-7b 13b next-7b}; do
    build/bench/bench_make_checkpoint "$model" "$dir/$model" ${LAYERS:+--layers $LAYERS}
    question=$dir/small_ChooseAttr.csv
    [ "$model" = next-7b ] && question=$dir/large_ChooseAttr.csv
    set -- "$dir/$model" "$question" --max-new-tokens 1
    $crossflow info "$@" >"$dir/info"
    forecast=$(sed -n 's/^memory  *about \([0-9]*\) MiB.*/\1/p' "$dir/info")
    streamed=$(sed -n 's/^mapped files.*; \([0-9]* of [0-9]*\) decoder layers.*/\1/p' "$dir/info")
    macs=$([ "$model" = 13b ] && echo 317194240 || echo 202375168) # of one row through one layer, from its extents
    rm -f "$dir/study.db"
    taken=$(peak_of $crossflow trace "$@" --keep all -o "$dir/study.db")
    done_work=$(work)
    products=$(sed -n 's/.*, \([a-z0-9]*\) products, .*/\1/p' "$log")
    # of all threads, by the medians: of the best of 20 short loops one has been seen that no processor could do
    peak=$(awk -F , -v ending="$products\$" '$5 ~ ending && $8 > rate { rate = $8 } END { print rate }' "$dir/peak.csv")
    check_values "$model"
    rm -f "$dir/study.db"
    peak_of $crossflow trace "$@" --keep all -o "$dir/study.db" --flow "Question->Image" >/dev/null # hidden by causality
    plain=$(work | cut -d ' ' -f 2)
    seconds=${done_work#* }
    floor=$(echo "$done_work" | awk -v macs="$macs" -v peak="$peak" '{ print 2e-9 * $1 * macs / peak }')
    row large "$model: seconds a question ($streamed layers streamed) to floor" s "$seconds" "$floor" "<= 1.25"
    row large "$model: seconds a question to a plain forward pass" s "$seconds" "$plain" "$([ "$model" = next-7b ] && echo '<= 2.3' || true)"
    row large "$model: anonymous memory at its peak to forecast" MiB "$taken" "$forecast" ""
    times="$times $(echo "$done_work" | awk -v m="$model" -v macs="$macs" '{ printf "%s %.3f ", m, 1e12 * $2 / ($1 * macs) }')"
    rm -rf "${dir:?}/$model"
done
echo "$times" | awk '{ for (i = 1; i < NF; i += 2) t[$i] = $(i + 1); if (t["7b"] && t["13b"]) print t["13b"], t["7b"] }' |
    while read -r large small; do
        row large "13b: time a multiply-add to 7b" ps "$large" "$small" "<= 1.1"
    done
rm -rf "$dir"
