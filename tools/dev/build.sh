# Building, and the verbs that build and run one program. Sourced.

usage() {
  cat <<'END'
./dev demo [--kafka]                build and run the loan demonstration on SQLite, or on Kafka and PostgreSQL
./dev test [--full]                 every claim, with servers of its own; --full: full sizes, sanitizers, fuzzers
./dev perdure ARGS...               the built command on what the last demo left in build/demo/
./dev services up|down|status|...   a Kafka and a PostgreSQL for this tree (./dev services help)
./dev bench [NAME] [--json]         the benchmarks, or one of them
./dev sim --seeds N [--seed S] [--break RULE]
                                    the simulation; a seed that failed can be run again by --seeds 1 --seed S
./dev check                         format, dependency arrows, generated files in step
END
}

# configure PRESET: always, since what is installed may have changed; a moment when nothing has.
configure() {
  local log=$PDR_BUILD/$1-configure.log
  mkdir -p "$PDR_BUILD"
  (cd "$PDR_ROOT" && cmake --preset "$1") >"$log" 2>&1 || {
    tail -n 30 "$log" >&2
    die "CMake could not configure preset $1 (all of its output: $log)"
  }
}

# build_preset PRESET: everything of it; output to standard error.
build_preset() {
  configure "$1"
  say "building $1"
  (cd "$PDR_ROOT" && cmake --build --preset "$1") >&2 || die "the build of preset $1 failed; the reason is above"
}

# build_programs PATH...: these programs of the release build, and what they need.
build_programs() {
  local program
  configure release
  for program in "$@"; do
    ninja -C "$PDR_RELEASE" -t query "$program" >/dev/null 2>&1 || die "this version of the tree has no $program"
  done
  say "building $*"
  (cd "$PDR_ROOT" && cmake --build --preset release --target "$@") >&2 || die "the build of $* failed; the reason is above"
}

bench_main() {
  local name=journal flags=()
  while [ $# -gt 0 ]; do
    case $1 in
    --json) flags+=(--json) ;;
    -*) die "bench does not know '$1'; ./dev bench [NAME] [--json]" ;;
    *) name=$1 ;;
    esac
    shift
  done
  need_packages build bench services
  build_programs "bench/bench_$name"
  services_begin
  "$PDR_RELEASE/bench/bench_$name" ${flags[@]+"${flags[@]}"}
}

# A rule of projections is broken in the simulation that has them.
sim_main() {
  local given=("$@") programs=(sim sim_projections)
  while [ $# -gt 0 ]; do
    case $1 in
    --seeds | --seed) need_number "$1" "${2:-}" && shift ;;
    --break)
      case ${2:-} in
      "") die "--break takes the name of a rule" ;;
      all) ;;
      position-compare | generation-compare | batch-order | whole-commits | discard-on-failure | parked-order) programs=(sim_projections) ;;
      *) programs=(sim) ;;
      esac
      shift
      ;;
    *) die "sim does not know '$1'; ./dev sim --seeds N [--seed S] [--break RULE]" ;;
    esac
    shift
  done
  need_packages build
  build_programs "${programs[@]/#/tests/sim/}"
  local program failed=0
  for program in "${programs[@]}"; do
    "$PDR_RELEASE/tests/sim/$program" ${given[@]+"${given[@]}"} || failed=$?
  done
  return "$failed"
}

perdure_main() {
  if [ ! -x "$PDR_RELEASE/cli/perdure" ]; then
    need_packages build
    build_programs cli/perdure
  fi
  if [ -f "$PDR_BUILD/demo/env" ]; then
    export_file "$PDR_BUILD/demo/env"
    [[ $PERDURE_JOURNAL != kafka:* ]] || services_are_up ||
      die "the last demo ran on Kafka and PostgreSQL, which are down; ./dev services up brings them back"
  fi
  exec "$PDR_RELEASE/cli/perdure" "$@"
}
