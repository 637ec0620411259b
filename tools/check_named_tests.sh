#!/bin/sh
# check_named_tests.sh - every test that docs/protocol.md names, as "folder/file: name", is a test of tests/folder/file.c.
set -eu
cd "$(dirname "$0")/.."
grep -oE '[a-z]+/test_[a-z_]+: [a-z0-9_]+' docs/protocol.md | sort -u | while read -r file name; do
    grep -qE "cmocka_unit_test[a-z_]*\($name[,)]" "tests/${file%:}.c" 2>/dev/null || echo "docs/protocol.md: no such test: $file $name"
done | { ! grep .; }
