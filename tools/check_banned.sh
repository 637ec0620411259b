#!/bin/sh
# check_banned.sh - calls and names that have no place here. Exit 1 and one line per violation. Variable-length arrays are the compiler's (-Wvla).
set -eu
cd "$(dirname "$0")/.."
bad=0

# complain REASON PATTERN PATHSPEC...: fails where the pattern occurs in a tracked text file; // and /* lines are not code.
complain() {
    reason=$1 pattern=$2
    shift 2
    found=$(git grep -nIP -e "$pattern" -- "$@" ':!tools/check_banned.sh' | grep -vE '^[^:]+:[0-9]+:[[:space:]]*(//|/?\*)' || true)
    if [ -n "$found" ]; then
        echo "$found" | sed "s|\$|    <- $reason|"
        bad=1
    fi
}

complain "unbounded, or without an error to check" '\b(sprintf|vsprintf|strcpy|strcat|strtok|atoi|atol|atof|gets|strtol|alloca)\s*\(' '*.c' '*.h' '*.cu' '*.cuh'
complain "starts a shell" '\b(system|popen)\s*\(' '*.c' '*.h' '*.cu' '*.cuh'
complain "libraries neither print nor exit" '\b(printf|vprintf|puts|putchar|perror|exit|_exit|abort)\s*\(|\bstd(out|err)\b' \
    'src/*.c' 'src/*.h' 'src/*.cu' 'src/*.cuh' ':!src/cli/*' ':!src/base/log*'
complain "fast-math changes results" '-ffast-math|-Ofast|--use_fast_math' ':!*.md'
complain "a path of one machine" '(^|[\s"'"'"'=(`])/(work|root|opt|home|mnt|Users)/' .
exit $bad
