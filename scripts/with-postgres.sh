#!/usr/bin/env bash
# with-postgres.sh COMMAND...: runs the command beside a PostgreSQL of its own, which listens on loopback alone, writes
# through to the disk as a real one does (fsync on), speaks German where this machine can, and is gone afterwards. LETTERLOCK_TEST_POSTGRES is its URL.
# Its files lie in POSTGRES_IN, if that is set.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

bin=$(postgres_bin)
[[ -n $bin ]] || fail "There is no PostgreSQL here: run scripts/install-test-tools.sh"

# PostgreSQL refuses to run as root; then it runs as whoever Debian made for it, or as nobody.
as_server=()
owner=$(id -un)
if ((EUID == 0)); then
  owner=$(id -un postgres 2>/dev/null || echo nobody)
  as_server=(setpriv --reuid="$owner" --regid="$(id -g "$owner")" --clear-groups --inh-caps=-all)
fi

dir=$(mktemp -d "${POSTGRES_IN:-${TMPDIR:-/tmp}}/letterlock-postgres.XXXXXX")
chown "$owner" "$dir"
server=
stop() {
  if [[ -n $server ]]; then
    kill -INT "$server" 2>/dev/null || true # fast shutdown
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$dir"
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

"${as_server[@]}" "$bin/initdb" -D "$dir/data" -U letterlock --auth=trust -E UTF8 --locale=C >"$dir/initdb.log" 2>&1 ||
  fail "initdb: $(<"$dir/initdb.log")"

language=C
! has_postgres_language || language=$(postgres_language)

port=$(free_port)
"${as_server[@]}" "$bin/postgres" -D "$dir/data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories='' \
  -c max_connections=300 -c "lc_messages=$language" >"$dir/server.log" 2>&1 &
server=$!

ready() {
  kill -0 "$server" 2>/dev/null || fail "PostgreSQL did not start: $(<"$dir/server.log")"
  "$bin/pg_isready" -q -h 127.0.0.1 -p "$port"
}
wait_until 60 ready || fail "PostgreSQL is not ready after a minute: $(<"$dir/server.log")"

export LETTERLOCK_TEST_POSTGRES="postgres://letterlock@127.0.0.1:$port/postgres?sslmode=disable"
export PATH="$PATH:$bin"
"$@"
