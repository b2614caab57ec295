#!/usr/bin/env bash
# In a fresh copy, where no web part was built, `go run .` alone serves the API.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

dir=$(mktemp -d)
server=
cleanup() {
  if [[ -n $server ]]; then
    kill -TERM -- "-$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
fresh_copy "$dir"
cd "$dir"
[[ ! -e web/playground/dist/index.html && ! -e web/playground/node_modules ]] || fail "The copy is not fresh."

LETTERLOCK_ADDR=127.0.0.1:$(free_port)
export LETTERLOCK_ADDR LETTERLOCK_DATA_DIR="$dir/data"
setsid go run . >run.log 2>&1 </dev/null &
server=$!

serves() {
  kill -0 "$server" 2>/dev/null || fail "go run . ended: $(<run.log)"
  node --input-type=module -e '
    const response = await fetch(process.argv[1], {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: "{ server { version } }" }),
    });
    const { data } = await response.json();
    if (!data.server.version) process.exit(1);
  ' "http://$LETTERLOCK_ADDR/graphql" 2>/dev/null
}
wait_until 300 serves || fail "go run . does not serve: $(<run.log)"
printf 'go run . serves the API\n'
