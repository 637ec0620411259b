#!/bin/sh
# reuse.sh - how much sooner is a study done when runs share what they have in common? Traces the first question of each
# demo set with reuse on and off, in turn, ten times each after one warm-up, checks that both give the same table, writes
# build/bench/reuse.csv, and prints the medians and their ratio. Three minutes on two idle cores. Seconds are of the whole
# command, loading included, so the ratio is that of a very short study.
set -eu
cd "$(dirname "$0")/.."
crossflow=build/crossflow
out=build/bench
repeats=${REPEATS:-10}
mkdir -p "$out"

# trace MODE: prints the seconds it took.
trace() {
    rm -f "$out/$1.db"
    begin=$(date +%s.%N)
    $crossflow trace demo/model demo/questions -o "$out/$1.db" --window 3 --limit 1 --reuse "$1" 2>"$out/$1.log"
    echo "$begin $(date +%s.%N)" | awk '{ printf "%.3f\n", $2 - $1 }'
}

commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
processor=$(awk -F ': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)
echo "commit,processor,threads,reuse,repeat,seconds" >"$out/reuse.csv"
for repeat in $(seq 0 $repeats); do
    for mode in on off; do
        seconds=$(trace $mode)
        [ "$repeat" = 0 ] || echo "$commit,$processor,$(nproc),$mode,$repeat,$seconds" >>"$out/reuse.csv"
    done
done
for mode in on off; do
    rm -rf "$out/$mode-csv"
    $crossflow export "$out/$mode.db" --csv "$out/$mode-csv" >/dev/null
done
if diff -r "$out/on-csv" "$out/off-csv" >/dev/null; then
    echo "both give the same table"
else
    echo "the tables differ: products are not row-invariant here; see $out/on.log"
fi
for mode in on off; do
    awk -F , -v m=$mode '$4 == m { print $6 }' "$out/reuse.csv" | sort -n |
        awk -v m=$mode '{ t[NR] = $1 } END { printf "%s %.3f %.3f %.3f\n", m, (t[int((NR + 1) / 2)] + t[int(NR / 2) + 1]) / 2, t[1], t[NR] }'
done | awk '{ printf "reuse %-3s  median %.3f s, from %.3f to %.3f s\n", $1, $2, $3, $4; m[$1] = $2 }
            END { printf "with reuse %.1f times as fast\n", m["off"] / m["on"] }'
