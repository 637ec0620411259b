#!/bin/sh
# run.sh - every benchmark but those of full size (large.sh): a CSV for each question in build/bench, then the table of
# docs/performance.md. Under twenty minutes on two idle cores; needs 2 GB of disk for a while (6 GB with
# llama.cpp).
#
# PYTHON=... (torch for the CPU and transformers) also measures the peers, which takes a quarter of an hour more, and
# LLAMA_CPP=... (llama.cpp's sources, built; PYTHON has gguf, too) llama.cpp; without them they are left out, visibly. Waiting
# threads spin as briefly as in the program itself.
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
if [ -n "${PYTHON:-}" ] && [ -n "${LLAMA_CPP:-}" ]; then
    for dtype in bf16 f16 q8_0; do
        table "peer-llama-$dtype" "$PYTHON" bench/peers/llama_cpp.py $programs "$checkpoint" "$out/peer" --sources "$LLAMA_CPP" --dtype $dtype
        rm -f "$out"/peer/*.gguf
    done
else
    echo "NOT MEASURED: llama.cpp (give PYTHON= with gguf, and LLAMA_CPP=, its sources with what is built in build/)" >&2
fi
bench/table.sh
