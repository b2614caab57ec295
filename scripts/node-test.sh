#!/usr/bin/env bash
# node-test.sh DIR [FILE...]: runs the Node tests of a package, or those of some files of it, and prints totals. With CI set, a
# skipped test counts as failed.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
cd "$root/${1:?usage: node-test.sh DIR [FILE...]}"
shift

report=$(mktemp)
trap 'rm -f "$report"' EXIT

node --test --test-timeout=600000 --test-reporter=spec --test-reporter-destination=stdout \
  --test-reporter=tap --test-reporter-destination="$report" "$@"
(($(sed -n 's/^# pass //p' "$report") > 0)) || fail "No test ran."
refuse_skips "$(sed -n 's/^# skipped //p' "$report")"
