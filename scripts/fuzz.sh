#!/usr/bin/env bash
# fuzz.sh SECONDS: fuzzes every target for that long, one after the other. What it finds lies in testdata/fuzz.
#
# Go would spend up to a minute on making each interesting input smaller. Where a whole server runs, that goes on for all the
# time there is: its goroutines cover something else each time.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
cd "$root"

seconds=${1:?usage: fuzz.sh SECONDS}
targets=0
while IFS=: read -r file target; do
  printf '== %s in %s\n' "$target" "$(dirname "$file")"
  go test "./$(dirname "$file")" -run '^$' -fuzz "^$target\$" -fuzztime "${seconds}s" -fuzzminimizetime 10x
  targets=$((targets + 1))
done < <(tree_files | grep '_test\.go$' | xargs grep -Ho '^func Fuzz[A-Za-z0-9_]*' | sed 's/:func /:/')
((targets > 0)) || fail "There is nothing to fuzz: the search for targets is broken."
printf '%s targets, %s seconds each, nothing found\n' "$targets" "$seconds"
