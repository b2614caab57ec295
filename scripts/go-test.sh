#!/usr/bin/env bash
# Runs every Go test and prints totals. With CI set, a skipped test counts as failed.
#
# The race detector watches wherever there is more than one goroutine. Elsewhere it has nothing to see and makes the arithmetic of
# keys several times as slow. What `go test` would vet is left to `go vet`, which looks for more.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
cd "$root"

gotestsum=gotest.tools/gotestsum@v1.13.0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# SQLite is C made into Go, whose own threads and locks are no business of ours: watched, a query takes three times as long. Its
# driver and all around it stay watched.
race=(-race '-gcflags=modernc.org/sqlite/lib=-race=false -d=checkptr=0' '-gcflags=modernc.org/libc/...=-race=false -d=checkptr=0')
# Nor is the arithmetic of curves and of Argon2, which is most of what clients' tests do and shares nothing.
race+=('-gcflags=crypto/internal/fips140/edwards25519/...=-race=false' '-gcflags=golang.org/x/crypto/argon2=-race=false')

# Ways to a second goroutine: a statement, tests side by side, timers, and libraries that call from goroutines of their own.
starts='^\s*go (func\b|\w+[.(])|^.*\bgo func\b|\.(Parallel|RunParallel|AfterFunc|Go)\('
libraries='net/http database/sql golang.org/x/sync/errgroup'

# concurrent_packages: ours with a file, be it of tests, that starts goroutines.
concurrent_packages() {
  tree_files | grep '\.go$' | xargs grep -lE "$starts" | xargs -n 1 dirname | sort -u | sed 's|^|./|' | xargs go list
}

# sequential_packages: those with tests that link none of these.
sequential_packages() {
  local program='{{if eq .Name "main"}}{{.ImportPath}} {{join .Deps " "}}{{end}}'
  go list -test -f "$program" ./... | awk -v concurrent="$(concurrent_packages) $libraries" '
    BEGIN { split(concurrent, list); for (i in list) starts[list[i]] }
    $1 !~ /\.test$/ { next }
    { for (i = 2; i <= NF; i++) if ($i in starts) next; sub(/\.test$/, "", $1); print $1 }'
}

# run PACKAGES OPTION...
run() {
  local packages=$1 events
  shift
  events=$(mktemp "$dir/events.XXXXXX")
  xargs go run "$gotestsum" --format standard-quiet --jsonfile "$events" -- -vet=off -timeout 15m "$@" <"$packages"
}

sequential_packages | sort >"$dir/sequential"
go list ./... | sort | comm -23 - "$dir/sequential" >"$dir/others"
[[ -s $dir/sequential && -s $dir/others ]] || fail "The search for goroutines is broken."
printf 'Without the race detector, having one goroutine: %s\n' "$(paste -s -d ' ' "$dir/sequential")"

status=0
run "$dir/sequential" || status=1
run "$dir/others" "${race[@]}" || status=1
((status == 0)) || exit 1
# The vectors of wycheproof are not part of the repository; where they are, their tests do not skip.
refuse_skips "$(cat "$dir"/events.* | grep '"Action":"skip".*"Test":' | grep -cv '_Wycheproof"' || true)"
