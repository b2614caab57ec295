#!/usr/bin/env bash
# Builds what browsers get in a clean copy of the tree at another path, and compares every byte with what was built here, which on
# a fresh clone is the other clean build: a hash that anybody can make again is worth printing. Packages are copied; of caches only
# Go's is shared, which is keyed by content.
#
# check-reproducible.sh [COPY]: compares with this copy, in which everything was built before.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

parts=(web/app web/playground)

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# build COPY: the copy's web parts, as `make web` builds them.
build() {
  local copy=$1 package
  mkdir -p "$copy"
  fresh_copy "$copy"
  for package in web/core "${parts[@]}"; do
    [[ ! -e $copy/$package/node_modules ]] || fail "The copy is not fresh."
    copy_packages "$package" "$copy"
  done
  make --no-print-directory -C "$copy" web
}

# copy_packages PACKAGE COPY: as npm left them, without what build tools keep there.
copy_packages() {
  local from=$root/$1/node_modules
  [[ -e $from/.package-lock.json ]] || make --no-print-directory -C "$root" "$1/node_modules/.package-lock.json"
  cp -a "$from" "$2/$1/node_modules"
  rm -rf "$2/$1/node_modules/.cache" "$2/$1/node_modules/.vite" "$2/$1/node_modules/.vite-temp"
  touch "$2/$1/node_modules/.package-lock.json"
}

make --no-print-directory -C "$root" web
copy=${1-}
if [[ -z $copy ]]; then
  copy=$dir/another/deeper
  build "$copy"
fi

for part in web/core "${parts[@]}"; do
  diff -r --exclude=.gitkeep "$root/$part/dist" "$copy/$part/dist" || fail "Two builds of $part differ."
  printf '%s: %d files, the same bytes in both builds\n' "$part" "$(find "$copy/$part/dist" -type f | wc -l)"
done
