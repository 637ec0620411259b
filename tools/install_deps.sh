#!/bin/sh
# install_deps.sh - installs the Debian packages that a build needs and this machine lacks. Nothing missing: does nothing, needs no root.
#
#     tools/install_deps.sh build     what `make` and `make test` need
#     tools/install_deps.sh check     also what `make check` and `make lint` need
set -eu

build="build-essential cmake ninja-build pkg-config libdnnl-dev libjpeg-dev libpng-dev libcjson-dev libxxhash-dev
    libutf8proc-dev libpcre2-dev libsqlite3-dev zlib1g-dev gnuplot-nox libcmocka-dev"
check="git clang clang-format clang-tidy cppcheck libomp-dev"

case "${1:-build}" in
build) want="$build" ;;
check) want="$build $check" ;;
*)
    echo "usage: tools/install_deps.sh [build|check]" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null; then
    echo "install_deps: not a Debian system; expecting the equivalents of:" $want >&2
    exit 0 # CMake names what it cannot find
fi

missing=""
for package in $want; do
    case " $(dpkg-query -W -f '${db:Status-Status} ' "$package" 2>/dev/null || true)" in
    *" installed "*) ;;
    *) missing="$missing $package" ;;
    esac
done
if [ -z "$missing" ]; then
    exit 0
fi

root=""
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "install_deps: no root and no sudo; install as root: apt-get install$missing" >&2
        exit 1
    fi
    root=sudo
fi
echo "install_deps: installing$missing"
$root apt-get update -q
$root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
