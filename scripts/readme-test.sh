#!/usr/bin/env bash
# Does what the README's "Quick start" and the server's own hints tell a newcomer to do, word for word, in a fresh copy:
# every line of the section's ```sh blocks, then every line that `make run` prints to be copied.
#
# readme-test.sh [DIR]: does it there, and leaves it there.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

copy=${1-}
dir=${copy:-$(mktemp -d)}
jobs_started=()
cleanup() {
  local pid
  for pid in "${jobs_started[@]}"; do
    kill -TERM -- "-$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  [[ -n $copy ]] || rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
mkdir -p "$dir"
fresh_copy "$dir"
cd "$dir"

# The only departure from the text: another port, since this machine may have a server on 8080 already.
unset LETTERLOCK_BIN LETTER_BIN LETTER_HOME LETTER_PASSPHRASE
LETTERLOCK_ADDR=127.0.0.1:$(free_port)
export LETTERLOCK_ADDR LETTER_SERVER=http://$LETTERLOCK_ADDR

# background LOG COMMAND: in a process group of its own.
background() {
  setsid bash -c "$2" >"$1" 2>&1 </dev/null &
  jobs_started+=("$!")
}

healthy() {
  kill -0 "${jobs_started[0]}" 2>/dev/null || fail "make run ended: $(<"$dir/run.log")"
  node -e 'fetch(process.argv[1]).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))' "$LETTER_SERVER/healthz"
}

# perform LINE: what runs on is started and left alone, everything else has to succeed. Its output goes to output.log.
perform() {
  printf '  $ %s\n' "$1"
  case $1 in
    'make run')
      background run.log "$1"
      wait_until 600 healthy || fail "make run does not serve: $(<run.log)"
      ;;
    *' listen')
      background listen.log "$1"
      ;;
    *)
      timeout 60 bash -c "$1" >output.log 2>&1 </dev/null || fail "This failed: $1"$'\n'"$(<output.log)"
      sed 's/^/    /' output.log
      ;;
  esac
}

# perform_all LINE...: the message that one of them sends has to show in what a later one prints, or in `listen`.
perform_all() {
  local line text='' shown=''
  for line in "$@"; do
    perform "$line"
    [[ $line =~ \ send\ .*\ \"([^\"]+)\"$ ]] && text=${BASH_REMATCH[1]} && continue
    [[ -n $text ]] && grep -qF "$text" output.log && shown=yes
  done
  [[ -n $text ]] || fail "Nothing was sent: are the commands still where this looks for them?"
  if [[ -z $shown ]]; then
    wait_until 30 grep -qsF "$text" listen.log || fail "Nobody was shown «$text»."
  fi
}

readme_lines() {
  awk '
    /^## / { here = ($0 == "## Quick start") }
    /^```/ { block = ($0 == "```sh"); next }
    here && block && NF
  ' README.md
}

mapfile -t lines < <(readme_lines)
((${#lines[@]} > 2)) || fail 'README.md has no commands in ```sh blocks under "## Quick start".'
printf 'README, quick start:\n'
perform_all "${lines[@]}"

# The hints come with whatever they need: nothing is set for them.
mapfile -t hints < <(sed -nE 's/^[[:space:]]*(LETTER_[A-Z]+=.*[^[:space:]])[[:space:]]*$/\1/p' run.log)
((${#hints[@]} > 2)) || fail "make run prints no lines to copy: $(<run.log)"
unset LETTER_SERVER
rm -rf alice bob
printf 'Hints of make run:\n'
perform_all "${hints[@]}"
