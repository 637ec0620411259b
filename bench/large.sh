#!/bin/sh
# large.sh [DIR] - models of true size, with random weights: does one that does not fit in memory compute as fast, operation for
# operation, as one that does? And is the memory that `info` forecasts the memory that is taken?
#
# Makes LLaVA-1.5-7b and -13b shapes in F16 (bench/make_checkpoint.py; 41 GB in DIR, default build/bench/large, removed at the end), traces one
# question with six flows at every layer, and writes build/bench/large.csv. Needs Python with numpy (PYTHON=...), and ten minutes on
# two cores. Anonymous memory is sampled twice a second. No part of `make bench`.
set -eu
cd "$(dirname "$0")/.."
crossflow=build/crossflow
dir=${1:-build/bench/large}
python=${PYTHON:-python3}
out=build/bench/large.csv
mkdir -p "$dir" build/bench
head -n 2 demo/questions/shapes_ChooseAttr.csv > "$dir/one_ChooseAttr.csv"

# Runs a command and prints the peak of its anonymous memory in MiB; what it says goes to the file $1.
peak_of() {
    log=$1
    shift
    "$@" > "$log" 2>&1 &
    pid=$!
    peak=0
    while kill -0 $pid 2> /dev/null; do
        now=$(awk '/^RssAnon:/ { print int($2 / 1024) }' /proc/$pid/status 2> /dev/null || true)
        [ "${now:-0}" -gt $peak ] && peak=$now
        sleep 0.5
    done
    wait $pid
    echo $peak
}

commit=$(git describe --always --dirty=+ --exclude='*')
cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
echo "commit,cpu,threads,model,gigamacs_per_row_layer,row_layers,seconds,ps_per_mac,forecast_mib,peak_mib,streamed" > $out
for model in 7b 13b; do
    "$python" bench/make_checkpoint.py $model "$dir/$model"
    set -- "$dir/$model" "$dir/one_ChooseAttr.csv" --images demo/questions/images --max-new-tokens 1
    $crossflow info "$@" > "$dir/info"
    forecast=$(sed -n 's/^memory  *about \([0-9]*\) MiB.*/\1/p' "$dir/info")
    streamed=$(sed -n 's/^mapped files.*; \([0-9]* of [0-9]*\) decoder layers.*/\1/p' "$dir/info")
    macs=$([ $model = 7b ] && echo 0.202375168 || echo 0.317194240) # of one row through one layer, from its extents
    rm -f "$dir/study.db"
    peak=$(peak_of "$dir/log" env GOMP_SPINCOUNT=1000 $crossflow trace "$@" --keep all -o "$dir/study.db")
    awk -v head="$commit,\"$cpu\",$(nproc),$model,$macs" -v macs=$macs -v tail="$forecast,$peak,$streamed" '
        /^work:/ { rows = $2; for (i = 1; i <= NF; i++) if ($i == "s;") seconds = $(i - 1)
                   printf "%s,%d,%s,%.2f,%s\n", head, rows, seconds, 1e3 * seconds / (rows * macs), tail }' "$dir/log" >> $out
    tail -n 1 $out
    rm -rf "${dir:?}/$model"
done
rm -rf "$dir"
awk -F, 'NR > 1 { n++; t[n] = $(NF - 3) } END { printf "13b to 7b, time per operation: %.2f times\n", t[2] / t[1] }' $out
