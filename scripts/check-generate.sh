#!/usr/bin/env bash
# Generates all code in a copy of the tree and compares: what is committed is what the generators make.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/before" "$dir/after"
fresh_copy "$dir/before"
fresh_copy "$dir/after"
(cd "$dir/after" && go generate ./...)
diff -r "$dir/before" "$dir/after" || fail "Generated code differs: run make generate"
