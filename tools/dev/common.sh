# What every part of ./dev uses: places, messages, long steps. Sourced, never run.

PDR_BUILD=$PDR_ROOT/build
PDR_RELEASE=$PDR_BUILD/release
PDR_CACHE=${PERDURE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/perdure}

# Messages go to standard error, so that what a verb prints as its result can be piped.
say() { printf '%s\n' "$*" >&2; }
die() {
  printf 'dev: %s\n' "$*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# step TITLE LOG COMMAND...: one long step whose output goes to LOG; shows that it goes on, and LOG's end if it fails.
step() {
  local title=$1 log=$2 begun=$SECONDS pid code=0
  shift 2
  mkdir -p "$(dirname "$log")"
  "$@" </dev/null >"$log" 2>&1 &
  pid=$!
  if [ -t 2 ]; then
    while kill -0 "$pid" 2>/dev/null; do
      printf '\r%s … %d s ' "$title" $((SECONDS - begun)) >&2
      sleep 0.2
    done
    printf '\r\033[K' >&2
  else
    say "$title …"
  fi
  wait "$pid" || code=$?
  if [ "$code" != 0 ]; then
    tail -n 30 "$log" >&2
    say "dev: failed: $title (all of its output: $log)"
    return "$code"
  fi
  say "$title: $((SECONDS - begun)) s"
}

# wait_until SECONDS COMMAND...: tries COMMAND ten times a second until it succeeds.
wait_until() {
  local tries=$(($1 * 10))
  shift
  while ! "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 1
    sleep 0.1
  done
}

# An unsigned number, or a complaint that names the flag.
need_number() {
  case $2 in
  '' | *[!0-9]*) die "$1 takes a number, not '$2'" ;;
  esac
}

# export_file FILE: its NAME=VALUE lines go into the environment.
export_file() {
  set -a
  . "$1"
  set +a
}
