# ./dev services: a Kafka, a PostgreSQL and, if wanted, a schema registry of this tree's own, on 127.0.0.1, found again by
# process id.

SERVICES=$PDR_BUILD/services
. "$PDR_ROOT/tools/dev/kafka.sh"
. "$PDR_ROOT/tools/dev/postgres.sh"
. "$PDR_ROOT/tools/dev/registry.sh"

services_usage() {
  cat <<'END'
./dev services up [--registry]                   starts Kafka and PostgreSQL, waits until both answer; --registry: and a
                                                 schema registry, which only tests need
./dev services down [--keep]                     stops all and removes their data (--keep leaves it)
./dev services status                            says what runs and where; exit code 0 if Kafka and PostgreSQL do
./dev services start|stop kafka|postgres|registry
                                                 one of them, with its port kept, and its data (the registry has none)
./dev services restart kafka|postgres|registry [--hard]
                                                 --hard kills it with SIGKILL first, as a crash would
./dev services wipe postgres                     an empty PostgreSQL on the same port, as after its loss
Addresses are in build/services/env; programs started by ./dev get them in their environment.
END
}

is_gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status" 2>/dev/null; }
port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port FIRST COUNT: the first port in steps of 10 from which COUNT ports are free.
free_port() {
  local port taken i
  for ((port = $1; port < $1 + 1000; port += 10)); do
    taken=0
    for ((i = 0; i < $2; i++)); do
      ! port_taken $((port + i)) || taken=1
    done
    if [ "$taken" = 0 ]; then
      echo "$port"
      return
    fi
  done
  die "no free port between $1 and $(($1 + 1000))"
}

# A server keeps its port as long as its tree keeps $SERVICES/ports; a port that was taken meanwhile is replaced.
services_ports() {
  KAFKA_PORT= POSTGRES_PORT= REGISTRY_PORT=
  [ ! -f "$SERVICES/ports" ] || . "$SERVICES/ports"
  if ! kafka_pid >/dev/null && { [ -z "$KAFKA_PORT" ] || port_taken "$KAFKA_PORT"; }; then
    KAFKA_PORT=$(free_port 19092 2)
  fi
  if ! postgres_pid >/dev/null && { [ -z "$POSTGRES_PORT" ] || port_taken "$POSTGRES_PORT"; }; then
    POSTGRES_PORT=$(free_port 15433 1)
  fi
  if ! registry_pid >/dev/null && { [ -z "$REGISTRY_PORT" ] || port_taken "$REGISTRY_PORT"; }; then
    REGISTRY_PORT=$(free_port 18081 1)
  fi
  KAFKA_CONTROLLER_PORT=$((KAFKA_PORT + 1))
  printf 'KAFKA_PORT=%s\nPOSTGRES_PORT=%s\nREGISTRY_PORT=%s\n' "$KAFKA_PORT" "$POSTGRES_PORT" "$REGISTRY_PORT" \
    >"$SERVICES/ports"
  services_env
}

# What tests find their servers by. It names a registry only if one runs.
services_env() {
  cat >"$SERVICES/env" <<END
PERDURE_TEST_KAFKA=127.0.0.1:$KAFKA_PORT
PERDURE_TEST_POSTGRES=postgres://perdure@127.0.0.1:$POSTGRES_PORT/perdure
PERDURE_TEST_DEV=$(printf %q "$PDR_ROOT/dev")
END
  ! registry_pid >/dev/null || echo "PERDURE_TEST_REGISTRY=http://127.0.0.1:$REGISTRY_PORT/apis/ccompat/v7" >>"$SERVICES/env"
}

# locked COMMAND...: one ./dev at a time changes this tree's services.
locked() {
  local code=0
  mkdir -p "$SERVICES"
  exec 9>"$SERVICES/lock"
  flock -w 120 9 || die "another ./dev has been changing the services for two minutes; see build/services/lock"
  "$@" || code=$?
  exec 9>&-
  return "$code"
}

# Between the choice of a port and its use no other tree of this user may choose.
ports_lock() {
  mkdir -p "$PDR_CACHE"
  exec 8>"$PDR_CACHE/ports.lock"
  flock -w 120 8 || die "another tree has been starting its services for two minutes; see $PDR_CACHE/ports.lock"
}

services_programs() {
  need_packages services
  JAVA=$(find_java) || die "no Java of version 17 or newer"
  postgres_programs || die "no PostgreSQL of version 14 or newer under /usr/lib/postgresql"
}

services_are_up() { kafka_pid >/dev/null && postgres_pid >/dev/null; }

# services_up [--registry]
services_up() {
  case ${1:-} in
  '' | --registry) ;;
  *) die "services up does not know '$1'; ./dev services up [--registry]" ;;
  esac
  services_programs
  locked services_up_now "${1:-}"
}

services_up_now() {
  local begun=$SECONDS with=$1 more=
  if services_are_up && { [ -z "$with" ] || registry_pid >/dev/null; }; then
    say "services: already up"
    return
  fi
  ports_lock
  services_ports
  [ -z "$with" ] || registry_start
  kafka_start
  postgres_start
  postgres_wait
  kafka_wait
  if [ -n "$with" ]; then
    registry_wait
    more=", registry $REGISTRY_VERSION on port $REGISTRY_PORT"
  fi
  services_env
  exec 8>&-
  say "services: up in $((SECONDS - begun)) s: Kafka $KAFKA_VERSION on port $KAFKA_PORT, PostgreSQL on port $POSTGRES_PORT$more"
}

# services_down [--keep]
services_down() {
  case ${1:-} in
  '' | --keep) ;;
  *) die "services down does not know '$1'; ./dev services down [--keep]" ;;
  esac
  [ ! -d "$SERVICES" ] || locked services_down_now "${1:-}"
}

services_down_now() {
  registry_stop
  # Data that goes away needs no orderly end.
  if [ "$1" = --keep ]; then
    kafka_stop
    postgres_stop
  else
    kafka_stop at-once
    postgres_stop at-once
    postgres_wipe
    kafka_wipe
    registry_wipe
    rm -f "$SERVICES/env"
  fi
}

services_status() {
  local code=0 pid
  [ ! -f "$SERVICES/ports" ] || . "$SERVICES/ports"
  if pid=$(kafka_pid); then
    echo "kafka     up    127.0.0.1:$KAFKA_PORT  process $pid"
  else
    echo "kafka     down"
    code=1
  fi
  if pid=$(postgres_pid); then
    echo "postgres  up    127.0.0.1:$POSTGRES_PORT  process $pid"
  else
    echo "postgres  down"
    code=1
  fi
  if pid=$(registry_pid); then
    echo "registry  up    127.0.0.1:$REGISTRY_PORT  process $pid"
  else
    echo "registry  down"
  fi
  return "$code"
}

# one_service VERB kafka|postgres|registry [--hard]
one_service() {
  local verb=$1 name=${2:-} how=
  case $name in
  kafka | postgres | registry) ;;
  *) die "services $verb takes kafka, postgres or registry" ;;
  esac
  [ "$verb $name" != 'wipe kafka' ] || die "services wipe knows only postgres: a log that is lost cannot be rebuilt"
  [ "$verb $name" != 'wipe registry' ] || die "services wipe knows only postgres: a restarted registry is empty anyway"
  case ${3:-} in
  '') ;;
  --hard) how=hard ;;
  *) die "services $verb $name does not know '$3'" ;;
  esac
  [ -f "$SERVICES/ports" ] || die "the services have not been started; ./dev services up starts them"
  services_programs
  REGISTRY_PORT=
  . "$SERVICES/ports"
  KAFKA_CONTROLLER_PORT=$((KAFKA_PORT + 1))
  [ "$name" != registry ] || [ -n "$REGISTRY_PORT" ] || die "these services are older than the registry; ./dev services down, then up"
  locked one_service_now "$verb" "$name" "$how"
}

one_service_now() {
  local name=$2 how=$3
  case $1 in
  stop) "${name}_stop" $how ;;
  start) "${name}_start" && "${name}_wait" ;;
  restart) "${name}_stop" $how && "${name}_start" && "${name}_wait" ;;
  wipe) "${name}_stop" at-once && "${name}_wipe" && "${name}_start" && "${name}_wait" ;;
  esac
  services_env
}

# What a verb that needs the services does: begin, and at its exit, however it comes, stop them if they weren't up.
# services_begin [remove|--keep] [--registry]
SERVICES_OURS=
services_begin() {
  if ! services_are_up || { [ -n "${2:-}" ] && ! registry_pid >/dev/null; }; then
    if services_are_up; then SERVICES_OURS=registry; else SERVICES_OURS=${1:-remove}; fi
    trap services_end EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    services_up "${2:-}"
  fi
  export_file "$SERVICES/env"
}

services_end() {
  trap - EXIT
  [ "$SERVICES_OURS" != remove ] || services_down
  [ "$SERVICES_OURS" != --keep ] || services_down --keep
  [ "$SERVICES_OURS" != registry ] || one_service stop registry
  SERVICES_OURS=
}

services_main() {
  local verb=${1:-}
  [ $# = 0 ] || shift
  case $verb in
  up) services_up "$@" ;;
  down) services_down "$@" ;;
  status) services_status ;;
  start | stop | restart | wipe) one_service "$verb" "$@" ;;
  help | -h | --help) services_usage ;;
  *)
    services_usage >&2
    exit 2
    ;;
  esac
}
