#!/bin/sh
# run.sh - every benchmark but those of full size (large.sh): a CSV for each question in build/bench, then the table of
# docs/performance.md. Under twenty minutes on two idle cores; needs 2 GB of disk for a while.
#
# PYTHON=... (torch for the CPU and transformers) also measures the peers, which takes ten minutes more; without it they are
# left out, visibly. Waiting threads spin as briefly as in the program itself.
set -eu
cd "$(dirname "$0")/.."
programs=build/bench
out=build/bench
checkpoint=$out/checkpoint
export GOMP_SPINCOUNT="${GOMP_SPINCOUNT:-1000}"
mkdir -p "$out"

# table NAME COMMAND...: the command's rows as build/bench/NAME.csv; the old ones stay until it has succeeded.
table() {
    name=$1
    shift
    printf '%s ...\n' "$name" >&2
    "$@" >"$out/$name.new"
    mv "$out/$name.new" "$out/$name.csv"
}

table peak $programs/bench_peak
table products $programs/bench_products
table attention $programs/bench_attention
trap 'rm -rf "$checkpoint"' EXIT
$programs/bench_make_checkpoint 7b "$checkpoint" --layers 2 --dtype BF16
table sweep $programs/bench_sweep "$checkpoint"
table sweep-32 $programs/bench_sweep "$checkpoint" --layers 32 --repeats 1
if grep -q avx512_bf16 /proc/cpuinfo; then # else the first was f32
    table sweep-f32 $programs/bench_sweep "$checkpoint" --dtype f32 --repeats 3
fi
# On lesser processors, by oneDNN's own cap, which the kernels follow.
lesser() {
    DNNL_MAX_CPU_ISA=$1 $programs/bench_sweep "$checkpoint" --dtype f32 --layers 6 --repeats 3 | sed "s/,sweep,/,sweep under $1,/"
}
for isa in AVX512_CORE AVX2; do
    table "sweep-$isa" lesser "$isa"
done
table forward $programs/bench_forward "$checkpoint"
if grep -q avx512_bf16 /proc/cpuinfo; then # else the first was f32
    table forward-f32 $programs/bench_forward "$checkpoint" --dtype f32
fi
table decoding $programs/bench_decoding "$checkpoint"
table demo bench/demo.sh
if [ -n "${PYTHON:-}" ]; then
    dtype=$(grep -q avx512_bf16 /proc/cpuinfo && echo bf16 || echo f32)
    table peer-forward "$PYTHON" bench/peers/forward.py $programs "$checkpoint" "$out/peer" --dtype "$dtype"
    table peer-forward-f32 "$PYTHON" bench/peers/forward.py $programs "$checkpoint" "$out/peer" --dtype f32
    table peer-published "$PYTHON" bench/peers/published.py $programs "$checkpoint" "$out/peer" --dtype "$dtype"
else
    echo "NOT MEASURED: the peers (give PYTHON=, a Python with torch and transformers)" >&2
fi
bench/table.sh
