#!/usr/bin/env bash
# bench.sh [OPTIONS]: measures bin/letterlock on both databases, at LETTERLOCK_TEST_POSTGRES (see with-postgres.sh).
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
cd "$root"

database=${LETTERLOCK_TEST_POSTGRES:?run it through with-postgres.sh}
psql -qX "$database" -c 'create database bench'
go build -o bin/bench ./bench
bin/bench --binary bin/letterlock --label sqlite "$@"
bin/bench --binary bin/letterlock --label postgresql --database "${database/\/postgres/\/bench}" "$@"
