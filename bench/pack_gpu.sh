#!/bin/sh
# pack_gpu.sh BUILD ARCHIVE - what gpu.sh needs of a build, for a machine with a GPU and without the libraries to build with: the programs without their symbols, the plug-in,
# and the shared libraries that the programs are linked with but glibc's and gcc's, which every machine with CUDA has. 60 MiB at most, packed with gzip.
#
#     bench/pack_gpu.sh build gpu.tar.gz        here
#     bench/gpu.sh gpu.tar.gz                   there, in a checkout of the same commit
set -eu
build=$1
archive=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for program in crossflow libcrossflow_cuda.so bench/bench_forward bench/bench_sweep bench/bench_decoding bench/bench_make_checkpoint tests/backend/test_backend \
    tests/engine/test_engine $(cd "$build" && find tests/cuda/device -maxdepth 1 -type f -name 'test_*_device'); do
    mkdir -p "$folder/$(dirname "$program")"
    strip --strip-unneeded -o "$folder/$program" "$build/$program"
    chmod +x "$folder/$program"
done
mkdir "$folder/libraries"
find "$folder" -type f -perm -u+x -exec ldd {} \; 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
    grep -vE '/(libc|libm|libdl|libpthread|librt|libstdc\+\+|libgcc_s|ld-linux[^/]*)\.so' | xargs -I '{}' cp -L '{}' "$folder/libraries/"
tar -C "$folder" -czf "$archive" .
bytes=$(stat -c %s "$archive")
echo "$archive: $((bytes / 1048576)) MiB" >&2
[ "$bytes" -le $((60 * 1048576)) ] || { echo "$archive: expected 60 MiB at most" >&2; exit 1; }
