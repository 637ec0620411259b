#!/bin/sh
# check_links.sh - every relative link in a tracked Markdown file leads to a file or folder that is there.
set -eu
cd "$(dirname "$0")/.."
git ls-files '*.md' | while IFS= read -r file; do
    grep -oP '\]\(\K[^)#]+' "$file" | grep -vE '^[a-z]+:' | while IFS= read -r link; do
        [ -e "$(dirname "$file")/$link" ] || echo "$file: no such file: $link"
    done
done | { ! grep .; }
