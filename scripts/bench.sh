#!/usr/bin/env bash
# bench.sh SCENARIO [OPTIONS]: measures bin/letterlock on SQLite and on the PostgreSQL at LETTERLOCK_TEST_POSTGRES (see
# with-postgres.sh), and renews docs/performance.md. All figures also go to artifacts/bench.json. After a run of all
# they are kept in docs/bench.json, and what docs/scaling.md makes of them is renewed, too.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
cd "$root"

database=${LETTERLOCK_TEST_POSTGRES:?run it through with-postgres.sh}
nats_server=github.com/nats-io/nats-server/v2@v2.15.3

mkdir -p artifacts
go build -o bin/bench ./bench
options=(--binary bin/letterlock --database "$database" --document docs/performance.md --json artifacts/bench.json)
if [[ $(bin/letterlock serve --help) == *--nats* ]]; then
  GOBIN=$root/bin go install "$nats_server"
  options+=(--nats-server bin/nats-server)
fi
bin/bench "$@" "${options[@]}"

# The arithmetic rests on figures of all scenarios.
if [[ ${1-} == all ]]; then
  cp artifacts/bench.json docs/bench.json
  go run ./internal/tools/scaling docs/bench.json
fi
