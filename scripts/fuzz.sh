#!/usr/bin/env bash
# fuzz.sh SECONDS: fuzzes every target for that long, as many at once as there are processors, with one worker each, and prints a row
# of a table for each and the sum of executions (docs/reliability.md). What it
# finds lies in testdata/fuzz of its package, what it learned in Go's cache, as after `go test -fuzz`.
#
# Each package is built once: `go test -fuzz` would link it again for every target. Go would spend up to a minute on making each
# interesting input smaller. Where a whole server runs, that goes on for all the time there is: its goroutines cover something
# else each time.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
cd "$root"

seconds=${1:?usage: fuzz.sh SECONDS}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
cache=$(go env GOCACHE)/fuzz/$(go list -m)
export dir cache seconds

# program PACKAGE: where its tests are built.
program() {
  printf '%s/%s.test' "$dir" "${1//\//-}"
}

# build PACKAGE: without what only debuggers read, which is a third of the linker's work.
build() {
  go test -c -fuzz . -ldflags=-w -o "$(program "$1")" "./$1"
}

# fuzz PACKAGE TARGET: prints how far it came as a row of a table, or all that it said.
fuzz() {
  local log program said
  program=$(program "$1")
  log=$program.$2.log
  if (cd "$1" && "$program" -test.paniconexit0 -test.run '^$' -test.parallel 1 -test.fuzz "^$2\$" -test.fuzztime "${seconds}s" \
    -test.fuzzminimizetime 10x -test.fuzzcachedir "$cache/$1") >"$log" 2>&1 || is_only_over "$log"; then
    said=$(sed -n 's/^fuzz: elapsed: .*execs: \([0-9]*\) .*new interesting: \([0-9]*\) .*/\1 | \2/p' "$log" | tail -n 1)
    # shellcheck disable=SC2016 # backquotes of a table
    printf '| `%s` | %s | %s |\n' "$2" "$1" "${said:-0 | 0}" | tee -a "$dir/rows"
  else
    printf '== %s in %s FAILED\n%s\n' "$2" "$1" "$(<"$log")"
    return 1
  fi
}

# is_only_over LOG: up to 1.26 Go calls it a failure if the time ends while an input is on its way (go.dev/issue/75804). Then this is
# all that it says; a find comes with its input.
is_only_over() {
  local said
  mapfile -t said < <(grep -v '^fuzz: ' "$1")
  [[ ${#said[@]} == 3 && ${said[0]} == '--- FAIL: '* && ${said[1]} == '    context deadline exceeded' && ${said[2]} == FAIL ]]
}
export -f program build fuzz is_only_over

targets=$(tree_files | grep '_test\.go$' | xargs grep -Ho '^func Fuzz[A-Za-z0-9_]*' | sed 's|^\(.*\)/[^/]*:func |\1 |')
[[ -n $targets ]] || fail "There is nothing to fuzz: the search for targets is broken."
cut -d ' ' -f 1 <<<"$targets" | sort -u | xargs -P "$(nproc)" -L 1 bash -euc 'build "$@"' build
printf '| target | package | executions | new inputs |\n| --- | --- | ---: | ---: |\n'
xargs -P "$(nproc)" -L 1 bash -uc 'fuzz "$@"' fuzz <<<"$targets" || fail "Fuzzing has found something."
printf '%s targets, %s seconds each, %s executions, nothing found\n' "$(wc -l <<<"$targets")" "$seconds" "$(awk -F '|' '{ sum += $4 } END { print sum + 0 }' "$dir/rows")"
