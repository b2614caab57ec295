#!/usr/bin/env bash
# Every check there is, on a machine that has only Go, Node and Debian's package manager. Goes on after a failure, so that
# one run shows them all, and says at the end what failed. With CI set, a skipped test counts as failed.
#
# Two lanes of stages run side by side: what one waits for leaves the processors to the other. What measures runs alone.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
cd "$root"

# Tests need a database: start over with one. Each has a copy of its own, some three hundred files, which cost a disk several times as
# much as memory. No test takes the power away: what was written is there after any kill, on either.
if [[ -z ${LETTERLOCK_TEST_POSTGRES:-} ]]; then
  ./scripts/install-test-tools.sh
  POSTGRES_IN=$(roomy_memory)
  export POSTGRES_IN
  exec ./scripts/with-postgres.sh "$0"
fi

export LETTERLOCK_BIN="$root/bin/letterlock" LETTER_BIN="$root/bin/letter" CROWD_BIN="$root/bin/crowd"
CHROMIUM_BIN=$(chromium_bin)
export CHROMIUM_BIN

# Each package is compiled once for all copies of the tree: otherwise the compiler notes where its files lie.
export GOFLAGS="${GOFLAGS:-} -trimpath"

dir=$(mktemp -d)
lanes=()
cleanup() {
  local lane
  for lane in "${lanes[@]}"; do
    kill -TERM -- "-$lane" 2>/dev/null || true
    wait "$lane" 2>/dev/null || true
  done
  rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

# stage NAME COMMAND...: what the command says is shown when it is over, so that stages side by side do not mingle.
stage() {
  local name=$1 begin=$SECONDS verdict=ok output
  shift
  output=$(mktemp "$dir/output.XXXXXX")
  printf '.... %s\n' "$name"
  ("$@") >"$output" 2>&1 || verdict=FAILED
  printf '%s %s\n' "$verdict" "$name" >>"$dir/verdicts"
  {
    flock 9
    printf '\n==== %s\n' "$name"
    cat "$output"
    printf '==== %s: %s (%d s)\n' "$name" "$verdict" "$((SECONDS - begin))"
  } 9>"$dir/screen"
}

# side_by_side LANE...: runs functions that run stages. Each is a process group, which ends as a whole when this is interrupted.
side_by_side() {
  local lane
  set -m
  for lane in "$@"; do
    "$lane" </dev/null &
    lanes+=("$!")
  done
  set +m
  for lane in "${lanes[@]}"; do
    wait "$lane" || echo 'FAILED a lane ended early' >>"$dir/verdicts"
  done
  lanes=()
}

verdicts() {
  sed -n "s/^$1 //p" "$dir/verdicts"
}

finish() {
  local failed
  failed=$(verdicts FAILED)
  printf '\n%d stages passed, %d failed, %d min %d s\n' \
    "$(verdicts ok | wc -l)" "$(verdicts FAILED | wc -l)" "$((SECONDS / 60))" "$((SECONDS % 60))"
  [[ -z $failed ]] || fail "FAILED: ${failed//$'\n'/; }"
}

# The web parts wait for npm, the Go packages do not. That the web client's types fit is part of its build.
build() {
  local programs
  go build -o "$CROWD_BIN" ./internal/tools/crowd & # people in numbers, for the browser tests
  programs=$!
  make --no-print-directory --jobs=4 --output-sync=target build web/{apollo-example,core,app,e2e}/node_modules/.package-lock.json || return
  wait "$programs"
}

check_format() {
  local bad
  bad=$(tree_files | grep '\.go$' | xargs -r gofmt -l) || fail "gofmt cannot read everything"
  [[ -z $bad ]] || fail "gofmt would change: $bad"
}

# in_chromium WHICH: the files that measure what a user feels, or all others.
in_chromium() {
  local files option=-L
  [[ $1 != measuring ]] || option=-l
  files=$(cd web/e2e && grep "$option" "from '../measure.mjs'" test/*.test.mjs) || fail "No file of web/e2e is $1."
  # shellcheck disable=SC2086 # one word a file
  ./scripts/node-test.sh web/e2e $files
}

lane_of_go() {
  stage 'format' check_format
  stage 'vet' go vet ./...
  stage 'lint' ./scripts/lint.sh
  stage 'go test' ./scripts/go-test.sh
  stage 'fuzzing, five seconds each' ./scripts/fuzz.sh 5
}

lane_of_web() {
  stage 'server without the web parts' ./scripts/check-standalone.sh
  stage "README's commands" ./scripts/readme-test.sh "$dir/another/deeper"
  stage 'web builds are reproducible' ./scripts/check-reproducible.sh "$dir/another/deeper"
  stage 'vectors made by libsodium' ./scripts/check-vectors.sh
  stage 'go generate leaves no diff' ./scripts/check-generate.sh
  stage 'Node clients' ./scripts/node-test.sh web/apollo-example
  stage "the browser's core" ./scripts/node-test.sh web/core
  stage "the web client's screens" ./scripts/node-test.sh web/app
  stage 'web client and playground in Chromium' in_chromium 'not measuring'
}

# Without this nothing below can run.
stage 'build' build
[[ -z $(verdicts FAILED) ]] || finish

side_by_side lane_of_go lane_of_web
stage 'what a user feels, measured in Chromium' in_chromium measuring
finish
