# ./dev demo: the loan-application log on SQLite, or with --kafka on Kafka and PostgreSQL. Sourced.

DEMO=$PDR_BUILD/demo
DEMO_PROGRAM=examples/loans/loans_demo
DEMO_APP=examples/loans/loans_app.so

demo_main() {
  local kafka=0
  case $# in
  0) ;;
  1)
    [ "$1" = --kafka ] || die "demo does not know '$1'; ./dev demo [--kafka]"
    kafka=1
    ;;
  *) die "demo takes no more than --kafka" ;;
  esac
  need_packages build
  [ "$kafka" = 0 ] || need_packages services
  build_programs "$DEMO_PROGRAM" "$DEMO_APP" cli/perdure
  # The demo starts anew each time.
  rm -rf "$DEMO"
  mkdir -p "$DEMO"
  if [ "$kafka" = 1 ]; then demo_on_servers; else demo_env "sqlite:$DEMO/loans.db" "sqlite:$DEMO/store.db"; fi
  export_file "$DEMO/env"
  "$PDR_RELEASE/$DEMO_PROGRAM"
}

# demo_env JOURNAL STORE: what ./dev perdure finds later.
demo_env() {
  printf '%s=%q\n' PERDURE_JOURNAL "$1" PERDURE_STORE "$2" PERDURE_APP "$PDR_RELEASE/$DEMO_APP" >"$DEMO/env"
}

# A topic and a database that nobody used before; what they hold outlives the servers' stop.
demo_on_servers() {
  local name
  name=demo_$(date +%Y%m%d_%H%M%S)
  services_begin --keep
  postgres_programs
  "$POSTGRES_BIN/psql" -X -q "$PERDURE_TEST_POSTGRES" -c "CREATE DATABASE $name" >&2 || die "the database $name could not be made"
  demo_env "kafka://$PERDURE_TEST_KAFKA/loans-$name" "${PERDURE_TEST_POSTGRES%/*}/$name"
}
