#!/usr/bin/env bash
# build-web.sh DIR: builds a web part into its dist, as `make` does when something has changed, and compresses what came out.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
cd "$root/${1:?usage: build-web.sh DIR}"

# Vite empties dist before it writes; that .gitkeep is committed is none of its business.
npm run --silent build -- --logLevel warn
touch dist/.gitkeep
node "$root/web/tools/compress.mjs" dist
