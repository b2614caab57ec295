#!/usr/bin/env bash
# benchstat.sh BASE [PACKAGE...]: compares the benchmarks of a commit with those of the working tree, by benchstat. Both
# run in turns, so that what else the machine does meets both alike. Without packages: all that have benchmarks.
#
# BENCH is a pattern of benchmarks, COUNT how often each runs (10), BENCHTIME for how long (100ms). DOCUMENT is a Markdown file
# whose block «hot» is renewed with a table of it.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
cd "$root"

benchstat=golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da

reference=${1:-}
[[ -n $reference ]] || fail "usage: benchstat.sh BASE [PACKAGE...], or make benchstat base=BASE"
base=$(git rev-parse --verify --quiet "$reference^{commit}") || fail "There is no commit $reference."
shift
packages=("$@")
if ((${#packages[@]} == 0)); then
  mapfile -t packages < <(tree_files | grep '_test\.go$' | xargs grep -l '^func Benchmark' | xargs -n 1 dirname | sort -u)
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
mkdir "$dir/base"
git archive "$base" | tar -C "$dir/base" -xf -

# build TREE PACKAGE PROGRAM: builds the package's tests, if it has benchmarks there.
build() {
  grep -qs '^func Benchmark' "$1/$2"/*_test.go || return 0
  (cd "$1" && go test -c -o "$3" "./$2")
}

# bench TREE PACKAGE PROGRAM RESULTS: runs them once.
bench() {
  [[ -x $3 ]] || return 0
  (cd "$1/$2" && "$3" -test.run '^$' -test.bench "${BENCH:-.}" -test.benchmem -test.benchtime "${BENCHTIME:-100ms}") >>"$4"
}

touch "$dir/before" "$dir/after"
for package in "${packages[@]}"; do
  package=${package#./}
  build "$dir/base" "$package" "$dir/before.test"
  build "$root" "$package" "$dir/after.test"
  for ((i = 0; i < ${COUNT:-10}; i++)); do
    printf '\r%s %d ' "$package" "$((i + 1))" >&2
    bench "$dir/base" "$package" "$dir/before.test" "$dir/before"
    bench "$root" "$package" "$dir/after.test" "$dir/after"
  done
  printf '\n' >&2
  rm -f "$dir/before.test" "$dir/after.test"
done
go run "$benchstat" "before=$dir/before" "after=$dir/after"
[[ -n ${DOCUMENT:-} ]] || exit 0

# renew DOCUMENT: puts the table between the markers.
renew() {
  local begin='<!-- bench:begin hot -->' end='<!-- bench:end hot -->'
  [[ $(grep -cxF -e "$begin" -e "$end" "$1") == 2 ]] || fail "$1 has no block «hot»."
  sed "/^$begin\$/q" "$1"
  printf 'Before is commit %s of %s, after is %s; medians of %d runs of each, and the difference where benchstat sees one.\n\n' "$(git rev-parse --short "$base")" \
    "$(git show -s --format=%cs "$base")" "$(git rev-parse --short HEAD)" "${COUNT:-10}"
  go run "$benchstat" -format csv "before=$dir/before" "after=$dir/after" 2>/dev/null | awk -f scripts/benchtable.awk
  sed -n "/^$end\$/,\$p" "$1"
}
renew "$DOCUMENT" >"$dir/document"
cat "$dir/document" >"$DOCUMENT"
