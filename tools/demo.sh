#!/bin/sh
# demo.sh - a whole study of the model that ships with the project: knockout and lens, tables, statistics, CSV, the paper's figures, a causal map, one page. Results in build/demo/.
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
run $crossflow lens demo/model demo/questions -o $out/lens.db --limit 50
run $crossflow map demo/model --image demo/questions/images/000052.jpg --question "Is there either a square or a diamond that is black?" --window 3 -o $out/map.db
run $crossflow show $out/demo.db
run $crossflow show $out/demo.db --task ChooseAttr --statistics
run $crossflow show $out/lens.db --task ChooseAttr
run $crossflow export $out/demo.db --csv $out/csv --statistics $out/statistics.csv
run $crossflow export $out/lens.db --csv $out/csv
run $crossflow figure $out/demo.db -o $out/all.svg
run $crossflow figure $out/demo.db --paper -o $out/figures --format svg
run $crossflow figure $out/lens.db --paper -o $out/figures --format svg
run $crossflow report $out/*.db -o $out/report.html
printf '\nThe studies are %s/demo.db, %s/lens.db and %s/map.db, their tables are in %s/csv and %s/statistics.csv, the paper'\''s figures are %s/figures/*.svg;\nthe page with all of it is %s/report.html: open it in a browser\n' \
    $out $out $out $out $out $out $out
