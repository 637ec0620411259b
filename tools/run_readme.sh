#!/bin/sh
# run_readme.sh [FILE] - runs the commands in the ```sh blocks of README.md, or of another page, in order, stopping at the first that
# fails: an example that does not run is removed. A line that ends in a backslash goes on in the next. The commands write to
# build/PAGE.* or build/PAGE/, PAGE being the file's name in lower case without its ending; what an earlier run left there is removed.
set -eu
cd "$(dirname "$0")/.."
file=${1:-README.md}
page=$(basename "$file" .md | tr '[:upper:]' '[:lower:]')
lines=$(awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } !on { next } sub(/\\$/, "") { printf "%s", $0; next } { print }' "$file")
if [ -z "$lines" ]; then
    echo "run_readme: $file has no \`\`\`sh block" >&2
    exit 1
fi
rm -rf "build/$page" "build/$page".* # a second run must not find the first one's studies
printf '%s\n' "$lines" | while IFS= read -r line; do
    printf '\n$ %s\n' "$line"
    sh -c "$line" </dev/null
done
