#!/bin/sh
# gpu.sh [BUILD] [OUT] - everything about the CUDA backend that only a GPU machine can show, in one call of nine minutes at most: is it right (conformance, parity on the
# demo, compute-sanitizer) and how fast is it (a question's sweep at 7B shapes, the plain forward pass, decoding, T near 2,900, layers streamed from the host, the published
# way in transformers)? A short table comes last; each step's output is in OUT (default build/gpu) under its name.
#
# BUILD is a build folder of this tree, or an archive that bench/pack_gpu.sh made of one, for machines without the libraries to build with; without it the tree is built.
# Each step has a limit of its own, so that one that hangs loses itself only; what the time left does not hold is not run, and the table says so. Exit status 1 if a
# check has failed or was not run. DEVICE (default cuda:0), SECONDS_IN_ALL (default 530), STEPS (names of those to run, default all), PYTHON (default python3: torch and
# transformers, for the peers).
set -eu
cd "$(dirname "$0")/.."
build=${1:-}
out=${2:-build/gpu}
device=${DEVICE:-cuda:0}
python=${PYTHON:-python3}
deadline=$(($(date +%s) + ${SECONDS_IN_ALL:-530}))
mkdir -p "$out"
out=$(cd "$out" && pwd)
table=$out/table
: >"$table"
failed=0

row() { # NAME RESULT SECONDS WHAT
    printf '%-26s %-10s %6s  %s\n' "$1" "$2" "$3" "$4" >>"$table"
}

# step KIND NAME LIMIT COMMAND...: KIND is check, whose failure is the script's, or time. What it prints goes to OUT/NAME.log.
step() {
    kind=$1 name=$2 limit=$3
    shift 3
    case " ${STEPS:-$name} " in
    *" $name "*) ;;
    *) return 0 ;;
    esac
    left=$((deadline - $(date +%s)))
    if [ "$left" -lt 15 ]; then
        row "$name" "NOT RUN" - "no time left"
        [ "$kind" != check ] || failed=1
        return 0
    fi
    [ "$limit" -le "$left" ] || limit=$left
    printf '%s (%s s at most) ...\n' "$name" "$limit" >&2
    begin=$(date +%s)
    status=0
    timeout -k 5 "$limit" "$@" >"$out/$name.log" 2>&1 || status=$?
    took=$(($(date +%s) - begin))
    case $status in
    0) result=ok ;;
    77) result=skipped ;;
    124 | 137) result="TIMED OUT" ;;
    *) result="FAILED $status" ;;
    esac
    row "$name" "$result" "$took" "$(tail -n 1 "$out/$name.log" | cut -c 1-110)"
    if [ "$result" != ok ]; then
        tail -n 15 "$out/$name.log" >&2
        [ "$kind" != check ] || failed=1
        return 0
    fi
}

# ---- a build, and cuBLASLt where only Python's wheels have it ----

if [ -z "$build" ]; then
    build=build-gpu
    step check build 400 sh -c "cmake -G Ninja -DCF_CUDA=ON -S . -B $build && cmake --build $build"
elif [ -f "$build" ]; then
    rm -rf "$out/prebuilt"
    mkdir -p "$out/prebuilt"
    tar -xf "$build" -C "$out/prebuilt"
    build=$out/prebuilt
fi
build=$(cd "$build" && pwd)
libraries=$build/libraries
if ! ldconfig -p | grep -q 'libcublasLt\.so\.1[23]'; then
    for found in /usr/local/cuda*/lib64/libcublasLt.so.1[23] \
        $("$python" -c 'import glob, sysconfig; print(*glob.glob(sysconfig.get_paths()["purelib"] + "/nvidia/*/lib/libcublasLt.so.1[23]"))' 2>/dev/null || true); do
        [ ! -e "$found" ] || { libraries=$libraries:$(dirname "$found") && break; }
    done
fi
export CF_LIBRARIES="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" # for our programs only: Python has libraries of its own
export PATH="$PATH:/usr/local/cuda/bin"
export CF_CUDA_PLUGIN="$build/libcrossflow_cuda.so" GOMP_SPINCOUNT="${GOMP_SPINCOUNT:-1000}"
export BUILD="$build" OUT="$out" DEVICE="$device" PYTHON="$python"
ours() { # KIND NAME LIMIT PROGRAM ARGUMENTS...
    kind=$1 name=$2 limit=$3
    shift 3
    step "$kind" "$name" "$limit" bench/gpu_steps.sh ours "$@"
}

# ---- is it right? ----

step check devices 30 bench/gpu_steps.sh devices
ours check conformance 100 env CF_TEST_DEVICE="$device" "$build/tests/backend/test_backend"
for test in "$build"/tests/cuda/device/test_*_device; do # a kernel's cases beyond those of the operation
    ours check "$(basename "$test")" 40 "$test"
done
ours check engine 100 env CF_TEST_DEVICE="$device" "$build/tests/engine/test_engine"
step check demo_f32 60 bench/gpu_steps.sh demo f32 1e-5
step check demo_f16 30 bench/gpu_steps.sh demo f16 0.02
step check demo_bf16 30 bench/gpu_steps.sh demo bf16 0.1

# ---- how fast is it? One layer's matrices take 400 MB: two that take turns are as good as 32 ----

ours time make_7b 60 "$build/bench/bench_make_checkpoint" 7b "$out/7b" --layers 2 --dtype F16
for what in forward sweep; do
    ours time "$what" 60 "$build/bench/bench_$what" "$out/7b" --layers 32 --device "$device" --dtype f16
done
ours time sweep_together 90 "$build/bench/bench_sweep" "$out/7b" --layers 32 --in-flight 8 --device "$device" --dtype f16
ours time decoding 40 "$build/bench/bench_decoding" "$out/7b" --layers 32 --device "$device" --dtype f16
step time peer_forward 60 "$python" bench/peers/forward.py "$build/bench" "$out/7b" "$out/peer" --depths 2 32 --turns 1 --device "$device" --dtype f16
step time peer_published 100 "$python" bench/peers/published.py "$build/bench" "$out/7b" "$out/peer" --device "$device" --dtype f16
rm -rf "$out/7b"

# ---- what instruments see; on the conformance tests, thinned out ----

for tool in memcheck racecheck initcheck; do
    ours check "$tool" 70 env CF_TEST_DEVICE="$device" CF_TEST_THIN=1 compute-sanitizer --tool "$tool" --error-exitcode 9 "$build/tests/backend/test_backend"
done

# ---- a whole model of several tiles a picture, T near 2,900, resident and streamed ----

ours time make_next_7b 90 "$build/bench/bench_make_checkpoint" next-7b "$out/next-7b"
step time tiles 60 bench/gpu_steps.sh tiles
step time streamed 60 bench/gpu_steps.sh streamed
rm -rf "$out/next-7b"

printf '\n%-26s %-10s %6s  %s\n' step result s "last line"
cat "$table"
bench/gpu_steps.sh figures || true
exit "$failed"
