#!/usr/bin/env bash
# Installs from Debian what the tests need and this machine lacks: PostgreSQL and another language for it, Chromium, shellcheck.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

as_root() {
  if ((EUID == 0)); then
    "$@"
  else
    command -v sudo >/dev/null || fail "Run this as root: $*"
    sudo "$@"
  fi
}

language=$(postgres_language)

has_locale_sources() {
  command -v localedef >/dev/null && [[ -e /usr/share/i18n/locales/${language%.*} ]]
}

missing=()
[[ -n $(postgres_bin) ]] || missing+=(postgresql)
[[ -n $(chromium_bin) ]] || missing+=(chromium)
command -v shellcheck >/dev/null || missing+=(shellcheck)
has_postgres_language || has_locale_sources || missing+=(locales)

if ((${#missing[@]})); then
  command -v apt-get >/dev/null || fail "The tests need: ${missing[*]}. Install them; this script only knows apt-get."
  printf 'Installing %s\n' "${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}"
fi
has_postgres_language || as_root localedef -i "${language%.*}" -f UTF-8 "$language"
