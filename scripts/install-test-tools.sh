#!/usr/bin/env bash
# Installs from Debian what the tests need and this machine lacks: PostgreSQL, Chromium, shellcheck.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

missing=()
[[ -n $(postgres_bin) ]] || missing+=(postgresql)
[[ -n $(chromium_bin) ]] || missing+=(chromium)
command -v shellcheck >/dev/null || missing+=(shellcheck)
((${#missing[@]})) || exit 0

command -v apt-get >/dev/null || fail "The tests need: ${missing[*]}. Install them; this script only knows apt-get."
as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || fail "The tests need: ${missing[*]}. Install them as root: apt-get install ${missing[*]}"
  as_root=(sudo)
fi
printf 'Installing %s\n' "${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}"
