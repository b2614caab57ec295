#!/usr/bin/env bash
# Linters, pinned, built from source by Go. Their findings fail the build; .golangci.yml explains every exception.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
cd "$root"

golangci_lint=github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

go run "$golangci_lint" run ./...
if command -v shellcheck >/dev/null; then
  shellcheck -x scripts/*.sh .ci/run
elif [[ -n ${CI:-} ]]; then
  fail "shellcheck is missing: run scripts/install-test-tools.sh"
fi
