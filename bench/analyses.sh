#!/bin/sh
# analyses.sh - does asking for more cost more than its rows? A study of 20 flows, three window sizes and all scores beside the
# paper's six flows with one window and one score, on the same questions: seconds per row-layer of both, and their ratio, which is
# to stay below 1.15. Also how many row-layers three window sizes share when they are asked for together.
#
# One warm-up, then the two studies in turn, five times. First of all it checks that both give the same table for what both
# measure. Seconds and row-layers are those that trace reports: of the questions, without loading and statistics; the time of
# the whole command stands in the CSV too. Writes build/bench/analyses.csv. A minute and a half on two idle cores;
# where other work disturbs it, the fastest of each say more than the medians.
# REPEATS, LIMIT (questions of each set) and CROSSFLOW (the program) may be set.
set -eu
cd "$(dirname "$0")/.."
crossflow=${CROSSFLOW:-build/crossflow}
out=build/bench
repeats=${REPEATS:-5}
limit=${LIMIT:-4}
table=$out/analyses.csv
flows='paper, Image Central Object->Last, Image->Instruction, Question->Instruction, Instruction->Last,
Image->Question & Question->Last, Image->Question#0, Image->Question#1, Question->Last#2, Question->Last#3+5,
keep: Image->Question & Question->Last, random: Image Central Object->Question, random: Question->Last,
zero attention: Last, zero mlp: Question'
mkdir -p "$out"

# trace NAME LIMIT OPTIONS...: a fresh study; prints its row-layers, runs and seconds, and the seconds of the whole command.
trace() {
    name=$out/analyses-$1
    questions=$2
    shift 2
    rm -f "$name.db"
    begin=$(date +%s.%N)
    $crossflow trace demo/model demo/questions -o "$name.db" --limit "$questions" "$@" 2>"$name.log"
    echo "$begin $(date +%s.%N)" | awk -v work="$(grep '^work:' "$name.log")" '{
        split(work, w, " ")
        print w[2], w[6], w[10], $2 - $1
    }'
}

# study NAME: one of the two that are compared.
study() {
    case $1 in
    plain) trace plain "$limit" --flows paper --window 9 --score first ;;
    analyses) trace analyses "$limit" --flows "$flows" --window 1,3,9 --score all ;;
    esac
}

commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
processor=$(awk -F ': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)
echo "commit,processor,threads,study,repeat,row_layers,runs,seconds,command_seconds,us_per_row_layer" >"$table"
for repeat in $(seq 0 "$repeats"); do
    for name in plain analyses; do
        measured=$(study $name)
        if [ "$repeat" = 0 ]; then
            rm -rf "$out/analyses-$name-csv"
            $crossflow export "$out/analyses-$name.db" --csv "$out/analyses-$name-csv" 2>/dev/null
        else
            echo "$measured" | awk -v head="$commit,$processor,$(nproc),$name,$repeat" \
                '{ printf "%s,%.0f,%d,%.3f,%.3f,%.3f\n", head, $1, $2, $3, $4, 1e6 * $3 / $1 }' >>"$table"
        fi
    done
    [ "$repeat" = 0 ] || continue
    for file in "$out/analyses-plain-csv"/*.csv; do
        cmp "$file" "$out/analyses-analyses-csv/${file##*/}"
    done
    echo "both studies have the same values for the paper's flows: $(ls "$out/analyses-plain-csv" | wc -l) files, byte for byte"
done

# Medians, with the smallest and the largest.
for name in plain analyses; do
    awk -F , -v s=$name '$4 == s { print $10 }' "$table" | sort -n | awk -v s=$name '{ t[NR] = $1 } END {
        printf "%-8s  median %.2f us a row-layer, from %.2f to %.2f\n", s, (t[int((NR + 1) / 2)] + t[int(NR / 2) + 1]) / 2, t[1], t[NR] }'
done
awk -F , '$4 == "plain" { plain = $10 } $4 == "analyses" { print $10 / plain }' "$table" | sort -n | awk '{ r[NR] = $1 } END {
    m = (r[int((NR + 1) / 2)] + r[int(NR / 2) + 1]) / 2
    printf "analyses to plain, pair by pair: median %.3f, from %.3f to %.3f, in %d repeats; %s 1.15\n", m, r[1], r[NR], NR, m <= 1.15 ? "within" : "ABOVE" }'
awk -F , 'NR > 1 && (!($4 in t) || $10 < t[$4]) { t[$4] = $10 } END { printf "analyses to plain, the fastest of each: %.3f\n", t["analyses"] / t["plain"] }' "$table"

# What the windows share. A flow that causality hides costs the baseline alone, which every study pays once.
baseline=$(trace windows 1 --flow 'Question->Image' --window 1 --score first | cut -d ' ' -f 1)
sum=0
for k in 1 3 9; do
    rows=$(($(trace windows 1 --window $k --score first | cut -d ' ' -f 1) - baseline))
    sum=$((sum + rows))
    echo "window $k alone: $rows row-layers"
done
rows=$(($(trace windows 1 --window 1,3,9 --score first | cut -d ' ' -f 1) - baseline))
echo "windows 1, 3 and 9 in one study: $rows row-layers, $((sum - rows)) fewer than $sum; and the baseline's $baseline once instead of three times"
