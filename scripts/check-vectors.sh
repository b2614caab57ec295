#!/usr/bin/env bash
# Makes the known answers again, with libsodium and docs/protocol.md alone, and compares: what is committed is what it says.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fresh_copy "$dir"
(cd "$dir/web/vectors" && npm ci --silent && npm run --silent make)
for package in identity cryptobox; do
  diff -r "$root/$package/testdata" "$dir/$package/testdata" || fail "The vectors of $package differ: run npm run make in web/vectors"
done
printf 'libsodium gives the same vectors\n'
