#!/usr/bin/env bash
# Every check there is, on a machine that has only Go, Node and Debian's package manager. Goes on after a failure, so that
# one run shows them all, and says at the end what failed. With CI set, a skipped test counts as failed.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
cd "$root"

# Tests need a database: start over with one.
if [[ -z ${LETTERLOCK_TEST_POSTGRES:-} ]]; then
  ./scripts/install-test-tools.sh
  exec ./scripts/with-postgres.sh "$0"
fi

export LETTERLOCK_BIN="$root/bin/letterlock" LETTER_BIN="$root/bin/letter" CROWD_BIN="$root/bin/crowd"
CHROMIUM_BIN=$(chromium_bin)
export CHROMIUM_BIN

passed=()
failed=()

# stage NAME COMMAND...
stage() {
  local name=$1 begin=$SECONDS verdict=ok
  shift
  printf '\n==== %s\n' "$name"
  if ("$@"); then
    passed+=("$name")
  else
    failed+=("$name")
    verdict=FAILED
  fi
  printf '==== %s: %s (%d s)\n' "$name" "$verdict" "$((SECONDS - begin))"
}

check_format() {
  local bad
  bad=$(tree_files | grep '\.go$' | xargs -r gofmt -l) || fail "gofmt cannot read everything"
  [[ -z $bad ]] || fail "gofmt would change: $bad"
}

node_packages() {
  local package
  for package in apollo-example core app e2e; do
    make --no-print-directory "web/$package/node_modules/.package-lock.json" || return
  done
}

# People in numbers, for the browser tests.
crowd() {
  go build -o "$CROWD_BIN" ./internal/tools/crowd
}

check_app_types() {
  cd web/app
  npm run --silent check
}

# Without these nothing below can run.
stage 'build' make --no-print-directory build
stage 'npm packages' node_packages
stage 'crowd' crowd
((${#failed[@]} == 0)) || fail "FAILED: ${failed[*]}"

stage 'format' check_format
stage 'vet' go vet ./...
stage 'lint' ./scripts/lint.sh
stage 'go test' ./scripts/go-test.sh
stage 'fuzzing, five seconds each' ./scripts/fuzz.sh 5
stage 'vectors made by libsodium' ./scripts/check-vectors.sh
stage 'go generate leaves no diff' ./scripts/check-generate.sh
stage 'server without the web parts' ./scripts/check-standalone.sh
stage "README's commands" ./scripts/readme-test.sh
stage 'Node clients' ./scripts/node-test.sh web/apollo-example
stage "the browser's core" ./scripts/node-test.sh web/core
stage "the web client's types" check_app_types
stage "the web client's screens" ./scripts/node-test.sh web/app
stage 'web client and playground in Chromium' ./scripts/node-test.sh web/e2e
stage 'web builds are reproducible' ./scripts/check-reproducible.sh

printf '\n%d stages passed, %d failed, %d min %d s\n' \
  "${#passed[@]}" "${#failed[@]}" "$((SECONDS / 60))" "$((SECONDS % 60))"
((${#failed[@]} == 0)) || fail "FAILED: $(printf '%s; ' "${failed[@]}")"
