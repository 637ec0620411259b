#!/bin/sh
# check_headers.sh - every header compiles alone: whoever includes it need not know what it needs.
set -eu
cd "$(dirname "$0")/.."
flags="-std=c17 -fsyntax-only -Wall -Wextra -Wpedantic -Werror -D_GNU_SOURCE -Isrc -Itests -Itests/cuda/whole -Itests/cuda/emulator
    $(pkg-config --cflags libjpeg libpng libcjson libxxhash libutf8proc sqlite3)"
export CC="${CC:-cc}" flags
git ls-files 'src/*.h' 'tests/*.h' |
    xargs -P "$(nproc)" -I '{}' sh -c 'echo "extern int cf_alone;" | $CC $flags -include {} -x c - || { echo "{}: does not compile alone"; exit 1; }'
