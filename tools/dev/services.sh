# ./dev services: a Kafka and a PostgreSQL of this tree's own, on 127.0.0.1, found again by process id.

SERVICES=$PDR_BUILD/services
. "$PDR_ROOT/tools/dev/kafka.sh"
. "$PDR_ROOT/tools/dev/postgres.sh"

services_usage() {
  cat <<'END'
./dev services up                                starts Kafka and PostgreSQL, waits until both answer
./dev services down [--keep]                     stops them and removes their data (--keep leaves it)
./dev services status                            says what runs and where; exit code 0 if both run
./dev services start|stop kafka|postgres         one of them, with its data and port kept
./dev services restart kafka|postgres [--hard]   --hard kills it with SIGKILL first, as a crash would
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
  KAFKA_PORT= POSTGRES_PORT=
  [ ! -f "$SERVICES/ports" ] || . "$SERVICES/ports"
  if ! kafka_pid >/dev/null && { [ -z "$KAFKA_PORT" ] || port_taken "$KAFKA_PORT"; }; then
    KAFKA_PORT=$(free_port 19092 2)
  fi
  if ! postgres_pid >/dev/null && { [ -z "$POSTGRES_PORT" ] || port_taken "$POSTGRES_PORT"; }; then
    POSTGRES_PORT=$(free_port 15433 1)
  fi
  KAFKA_CONTROLLER_PORT=$((KAFKA_PORT + 1))
  printf 'KAFKA_PORT=%s\nPOSTGRES_PORT=%s\n' "$KAFKA_PORT" "$POSTGRES_PORT" >"$SERVICES/ports"
  cat >"$SERVICES/env" <<END
PERDURE_TEST_KAFKA=127.0.0.1:$KAFKA_PORT
PERDURE_TEST_POSTGRES=postgres://perdure@127.0.0.1:$POSTGRES_PORT/perdure
PERDURE_TEST_DEV=$(printf %q "$PDR_ROOT/dev")
END
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

services_up() {
  services_programs
  locked services_up_now
}

services_up_now() {
  local begun=$SECONDS
  if services_are_up; then
    say "services: already up"
    return
  fi
  ports_lock
  services_ports
  kafka_start
  postgres_start
  postgres_wait
  kafka_wait
  exec 8>&-
  say "services: up in $((SECONDS - begun)) s: Kafka $KAFKA_VERSION on port $KAFKA_PORT, PostgreSQL on port $POSTGRES_PORT"
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
  # Data that goes away needs no orderly end.
  if [ "$1" = --keep ]; then
    kafka_stop
    postgres_stop
  else
    kafka_stop at-once
    postgres_stop at-once
    postgres_wipe
    kafka_wipe
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
  return "$code"
}

# one_service VERB kafka|postgres [--hard]
one_service() {
  local verb=$1 name=${2:-} how=
  case $name in
  kafka | postgres) ;;
  *) die "services $verb takes kafka or postgres" ;;
  esac
  [ "$verb $name" != 'wipe kafka' ] || die "services wipe knows only postgres: a log that is lost cannot be rebuilt"
  case ${3:-} in
  '') ;;
  --hard) how=hard ;;
  *) die "services $verb $name does not know '$3'" ;;
  esac
  [ -f "$SERVICES/ports" ] || die "the services have not been started; ./dev services up starts them"
  services_programs
  . "$SERVICES/ports"
  KAFKA_CONTROLLER_PORT=$((KAFKA_PORT + 1))
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
}

# What a verb that needs the services does: begin, and at its exit, however it comes, stop them if they weren't up.
SERVICES_OURS=
services_begin() {
  if ! services_are_up; then
    SERVICES_OURS=${1:-remove}
    trap services_end EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    services_up
  fi
  export_file "$SERVICES/env"
}

services_end() {
  trap - EXIT
  [ "$SERVICES_OURS" != remove ] || services_down
  [ "$SERVICES_OURS" != --keep ] || services_down --keep
  SERVICES_OURS=
}

services_main() {
  local verb=${1:-}
  [ $# = 0 ] || shift
  case $verb in
  up) services_up ;;
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
