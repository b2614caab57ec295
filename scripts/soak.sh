#!/usr/bin/env bash
# soak.sh SECONDS [OPTIONS]: checks bin/letterlock in trouble against the delivery contract, for so long in each kind of trouble.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
cd "$root"

bin=$(postgres_bin)
[[ -n $bin ]] || fail "There is no PostgreSQL here: run scripts/install-test-tools.sh"
export PATH="$PATH:$bin"
go build -o bin/soak ./soak
exec bin/soak run --duration "$1s" "${@:2}"
