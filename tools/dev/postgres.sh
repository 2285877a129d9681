# The PostgreSQL server of ./dev services: a cluster of its own, under an unprivileged user. Sourced.

POSTGRES_VERSION=15
POSTGRES_BIN=/usr/lib/postgresql/$POSTGRES_VERSION/bin
POSTGRES_LOG=$SERVICES/postgres.log

# initdb and postgres refuse to run as root: then the user `postgres` that the Debian package makes runs them.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then
    (cd / && runuser -u postgres -- "$@")
  else
    "$@"
  fi
}

postgres_programs() {
  [ -x "$POSTGRES_BIN/initdb" ] && return 0
  local version
  version=$(ls /usr/lib/postgresql 2>/dev/null | sort -n | tail -n 1)
  [ -n "$version" ] && [ "$version" -ge 14 ] && [ -x "/usr/lib/postgresql/$version/bin/initdb" ] || return 1
  [ "$version" = "$POSTGRES_VERSION" ] ||
    say "PostgreSQL $POSTGRES_VERSION is not installed; the services use version $version, which is"
  POSTGRES_BIN=/usr/lib/postgresql/$version/bin
}

# Where the cluster lives: build/services/postgres, or a short folder under /tmp if PostgreSQL's user can't get
# into this tree or the path is too long or too odd for a socket. Remembered, since /tmp's folder has a random name.
postgres_home() {
  local remembered=$SERVICES/postgres.home home=$SERVICES/postgres
  if [ -d "$(cat "$remembered" 2>/dev/null)" ]; then
    cat "$remembered"
    return
  fi
  mkdir -p "$home"
  if [ "$(id -u)" = 0 ]; then chown postgres "$home"; fi
  if [ ${#home} -gt 80 ] || [[ $home == *[!A-Za-z0-9/._-]* ]] || ! as_postgres test -x "$home" 2>/dev/null; then
    rm -rf "$home"
    home=$(mktemp -d /tmp/perdure-postgres.XXXXXX)
    if [ "$(id -u)" = 0 ]; then chown postgres "$home"; fi
  fi
  chmod 700 "$home"
  printf '%s\n' "$home" | tee "$remembered"
}

# The postmaster's id, if the process is this cluster's (it works in its data folder).
postgres_pid() {
  local home pid
  home=$(cat "$SERVICES/postgres.home" 2>/dev/null) || return 1
  pid=$(head -n 1 "$home/data/postmaster.pid" 2>/dev/null) || return 1
  [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$home/data" ] || return 1
  printf '%s\n' "$pid"
}

postgres_init() {
  local home=$1
  [ ! -f "$home/data/PG_VERSION" ] || return 0
  as_postgres "$POSTGRES_BIN/initdb" -D "$home/data" -U perdure -A trust -E UTF8 --locale=C >"$POSTGRES_LOG" 2>&1 ||
    die "initdb failed; see $POSTGRES_LOG"
}

# Only the place is set; durability (fsync, synchronous_commit) stays as PostgreSQL ships it: on.
postgres_start() {
  local home
  ! postgres_pid >/dev/null || return 0
  home=$(postgres_home)
  postgres_init "$home"
  # The children of a killed postmaster need a moment to notice; until then the new one refuses to start.
  (
    exec 8>&- 9>&-
    wait_until 60 as_postgres "$POSTGRES_BIN/pg_ctl" start -w -s -D "$home/data" -l "$home/server.log" \
      -o "-c listen_addresses=127.0.0.1 -p $POSTGRES_PORT -c unix_socket_directories=$home"
  ) || die "PostgreSQL did not start; see $home/server.log"
}

postgres_wait() {
  local sql="$POSTGRES_BIN/psql -X -q -h 127.0.0.1 -p $POSTGRES_PORT -U perdure"
  wait_until 180 $sql -d postgres -c 'SELECT 1' || die "PostgreSQL did not answer within 3 minutes; see ./dev services status"
  $sql -d perdure -c 'SELECT 1' >/dev/null 2>&1 || $sql -d postgres -c 'CREATE DATABASE perdure' >&2 ||
    die "the database perdure could not be made on port $POSTGRES_PORT"
}

# postgres_stop [hard|at-once]: hard kills the postmaster with kill -9, as a crash; at-once leaves no child behind.
postgres_stop() {
  local pid signal=INT
  pid=$(postgres_pid) || return 0
  case ${1:-} in
  hard) signal=KILL ;;
  at-once) signal=QUIT ;;
  esac
  kill -"$signal" "$pid"
  wait_until 180 is_gone "$pid" || die "PostgreSQL's process $pid does not end"
}

postgres_wipe() {
  local home
  home=$(cat "$SERVICES/postgres.home" 2>/dev/null) || return 0
  rm -rf "$home" "$SERVICES/postgres.home"
}
