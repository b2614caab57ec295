# shellcheck shell=bash
# What the scripts share. Sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# The directory of the newest PostgreSQL server programs; nothing where there are none.
postgres_bin() {
  local dir
  for dir in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV) "$(dirname "$(command -v initdb || true)")"; do
    if [[ -x $dir/initdb && -x $dir/postgres ]]; then
      printf '%s\n' "$dir"
      return
    fi
  done
}

# The path of a Chromium; nothing where there is none.
chromium_bin() {
  command -v chromium || command -v chromium-browser || command -v google-chrome || true
}

# The language that PostgreSQL speaks to tests: not English, so that whoever goes by its words instead of its codes is found out.
postgres_language() {
  printf 'de_DE.UTF-8'
}

has_postgres_language() {
  locale -a 2>/dev/null | grep -qix "$(postgres_language | sed 's/UTF-8/utf-\\?8/')"
}

# A directory in memory that can take four gigabytes and leaves as much to programs; nothing where there is none.
roomy_memory() {
  local dir=/dev/shm need=$((4 << 20)) # KiB
  [[ $(stat -f -c %T "$dir" 2>/dev/null) == tmpfs && -w $dir ]] || return 0
  (($(df --output=avail "$dir" | tail -n 1) >= need && $(sed -n 's/^MemAvailable: *\([0-9]*\) kB$/\1/p' /proc/meminfo) >= 2 * need)) || return 0
  printf '%s\n' "$dir"
}

free_port() {
  node -e 'import(process.argv[1]).then(async (ports) => console.log(await ports.freePort()))' "$root/web/testing/ports.mjs"
}

# wait_until SECONDS COMMAND...: runs the command again and again until it succeeds; fails when the time is over.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

# The files of the working tree, committed or not, without what .gitignore names.
tree_files() {
  git -C "$root" ls-files --cached --others --exclude-standard --deduplicate
}

# fresh_copy DIR: copies them there, as a fresh clone of what is to be committed.
fresh_copy() {
  local file
  tree_files | while IFS= read -r file; do
    [[ -e $root/$file ]] && printf '%s\0' "$file"
  done | tar -C "$root" --null -T - -cf - | tar -C "$1" -xf -
}

# refuse_skips COUNT
refuse_skips() {
  (($1 == 0)) || [[ -z ${CI:-} ]] || fail "$1 tests were skipped; in CI they have to run."
}
