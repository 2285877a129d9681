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

# build_preset PRESET [CMAKE FLAG...]: configures if needed, builds; output to standard error.
build_preset() {
  local preset=$1
  shift
  (
    cd "$PDR_ROOT"
    if [ ! -f "build/$preset/build.ninja" ] || [ $# -gt 0 ]; then
      step "configuring $preset" "$PDR_BUILD/$preset-configure.log" cmake --preset "$preset" "$@"
    fi
    say "building $preset"
    cmake --build --preset "$preset" >&2
  ) || die "the build of preset $preset failed; the reason is above"
}

# need_program PATH: what a verb runs, below build/release.
need_program() { [ -x "$PDR_RELEASE/$1" ] || die "the build made no build/release/$1; does this version have it?"; }

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
  build_preset release
  need_program "bench/bench_$name"
  services_begin
  "$PDR_RELEASE/bench/bench_$name" ${flags[@]+"${flags[@]}"}
}

sim_main() {
  local given=("$@")
  while [ $# -gt 0 ]; do
    case $1 in
    --seeds | --seed) need_number "$1" "${2:-}" && shift ;;
    --break) [ -n "${2:-}" ] && shift || die "--break takes the name of a rule" ;;
    *) die "sim does not know '$1'; ./dev sim --seeds N [--seed S] [--break RULE]" ;;
    esac
    shift
  done
  need_packages build
  build_preset release
  need_program tests/sim/sim
  exec "$PDR_RELEASE/tests/sim/sim" ${given[@]+"${given[@]}"}
}

perdure_main() {
  need_packages build
  [ -x "$PDR_RELEASE/cli/perdure" ] || build_preset release
  need_program cli/perdure
  if [ -f "$PDR_BUILD/demo/env" ]; then
    export_file "$PDR_BUILD/demo/env"
    [[ $PERDURE_JOURNAL != kafka:* ]] || services_are_up ||
      die "the last demo ran on Kafka and PostgreSQL, which are down; ./dev services up brings them back"
  fi
  exec "$PDR_RELEASE/cli/perdure" "$@"
}
