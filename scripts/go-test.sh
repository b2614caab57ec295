#!/usr/bin/env bash
# Runs every Go test under the race detector and prints totals. With CI set, a skipped test counts as failed.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
cd "$root"

gotestsum=gotest.tools/gotestsum@v1.13.0
events=$(mktemp)
trap 'rm -f "$events"' EXIT

go run "$gotestsum" --format standard-quiet --jsonfile "$events" -- -race -timeout 15m ./...
# The vectors of wycheproof are not part of the repository; where they are, their tests do not skip.
refuse_skips "$(grep '"Action":"skip".*"Test":' "$events" | grep -cv '_Wycheproof"' || true)"
