#!/bin/sh
# check_names.sh - file names are unique across src/, so that a name in a message or a debugger says which file it is.
set -eu
cd "$(dirname "$0")/.."
twice=$(find src \( -name '*.c' -o -name '*.h' -o -name '*.cu' -o -name '*.cuh' \) -printf '%f\n' | sort | uniq -d)
if [ -n "$twice" ]; then
    echo "used twice in src/:" $twice
    exit 1
fi
