#!/bin/sh
# run_readme.sh - runs every line of README.md's ```sh block, in order, stopping at the first that fails: an example that does not run is removed.
set -eu
cd "$(dirname "$0")/.."
lines=$(awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' README.md)
if [ -z "$lines" ]; then
    echo "run_readme: README.md has no \`\`\`sh block" >&2
    exit 1
fi
rm -f build/readme.db # a second run must not find the first one's study
echo "$lines" | while IFS= read -r line; do
    printf '\n$ %s\n' "$line"
    sh -c "$line" </dev/null
done
