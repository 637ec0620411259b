#!/bin/sh
# demo.sh - a whole study of the model that ships with the project: trace, tables, CSV, a figure of all tasks and one per task. Results in build/demo/.
set -eu
cd "$(dirname "$0")/.."
crossflow=build/crossflow
out=build/demo
rm -rf "$out"
mkdir -p "$out"

# Says the command, then runs it: the demo is also an example.
run() {
    printf '\n$ %s\n' "$*"
    "$@"
}

run $crossflow trace demo/model demo/questions -o $out/demo.db --flows paper --window 3
run $crossflow show $out/demo.db
run $crossflow export $out/demo.db --csv $out/csv
run $crossflow figure $out/demo.db -o $out/all.svg
for task in ChooseAttr ChooseCat ChooseRel CompareAttr LogicalObj QueryAttr; do
    run $crossflow figure $out/demo.db --task $task -o $out/$task.svg
done
printf '\nThe study is %s/demo.db, its tables are in %s/csv, its figures are %s/*.svg\n' $out $out $out
