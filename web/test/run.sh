#!/bin/sh
# Installs the page's tools as package-lock.json has them, then checks types, lint, that dist/ is what src/ builds, and tests in a
# real browser. Skips, and says so, where node is missing; without chromium the tests that need it are skipped.
# CHROMIUM: the browser; default /usr/bin/chromium.
set -eu
cd "$(dirname "$0")/.."
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "web-check: SKIPPED, there is no node (Debian: apt-get install nodejs npm)"
    exit 0
fi
browser=${CHROMIUM:-/usr/bin/chromium}
[ -x "$browser" ] || echo "web-check: no browser at $browser (Debian: apt-get install chromium): the tests that need one are SKIPPED"
npm ci --no-audit --no-fund
npm run check
