# ./dev test: every claim of the tree, on servers of its own. Its last output is ctest's closing lines. Sourced.

. "$PDR_ROOT/tools/dev/avro.sh"

FUZZ_SECONDS=60

test_main() {
  local full=0 failed=() code=0
  case $# in
  0) ;;
  1)
    [ "$1" = --full ] || die "test does not know '$1'; ./dev test [--full]"
    full=1
    ;;
  *) die "test takes no more than --full" ;;
  esac
  need_packages build services test
  [ "$full" = 0 ] || need_packages fuzz
  PERDURE_TEST_PYTHON=$(python_with avro)
  export PERDURE_TEST_PYTHON
  avro_install
  export PERDURE_TEST_AVRO=$AVRO_LIB
  services_begin remove --registry
  build_preset release
  if [ "$full" = 1 ]; then
    sanitized asan-ubsan 'unit|contract|sim' || failed+=(asan-ubsan)
    sanitized tsan stress || failed+=(tsan)
    fuzz || failed+=(fuzz)
    export PERDURE_TEST_SIZE=full
  fi
  say "testing${PERDURE_TEST_SIZE:+ at size $PERDURE_TEST_SIZE}"
  in_group claims release || code=$?
  services_end
  if [ ${#failed[@]} -gt 0 ]; then
    say "dev: failed before that: ${failed[*]}"
    code=1
  fi
  return "$code"
}

# claims PRESET [LABELS]: ctest's output as it comes; the sizes that the tests printed just before its closing lines.
claims() {
  local folder=$PDR_BUILD/$1
  ctest --test-dir "$folder" -j2 --output-on-failure --no-tests=error --timeout 900 ${2:+-L "$2"} 2>&1 |
    awk -v "output=$folder/Testing/Temporary/LastTest.log" '
      /^[0-9]+% tests passed/ { closing = 1 }
      closing { held = held $0 "\n"; next }
      { print; fflush() }
      END {
        while ((getline line < output) > 0)
          if (sub(/^size: /, "", line)) print "size: " line
        printf "%s", held
      }'
}

# in_group COMMAND...: in a process group of its own, so that an interrupted ./dev can end all of it.
GROUP=
in_group() {
  local code=0
  set -m
  "$@" </dev/null &
  GROUP=$!
  set +m
  trap 'end_group; exit 130' INT
  trap 'end_group; exit 143' TERM HUP
  wait "$GROUP" || code=$?
  GROUP=
  return "$code"
}

end_group() {
  [ -n "$GROUP" ] || return 0
  kill -TERM -- "-$GROUP" 2>/dev/null || true
  wait "$GROUP" 2>/dev/null || true
  GROUP=
}

sanitized() {
  build_preset "$1"
  say "testing with $1"
  in_group claims "$1" "$2"
}

fuzz() {
  local program name count=0 code=0
  build_preset fuzz
  for program in "$PDR_BUILD"/fuzz/tests/fuzz/fuzz_*; do
    [ -f "$program" ] && [ -x "$program" ] || continue
    name=${program##*/}
    count=$((count + 1))
    in_group fuzz_one "$program" "$name" || code=1
  done
  [ "$count" -gt 0 ] || {
    say "dev: this version of the tree has no fuzz targets (tests/fuzz/fuzz_*)"
    code=1
  }
  return "$code"
}

# New inputs are kept in build/fuzz/corpus; what made a program fail in build/fuzz/failed.
fuzz_one() {
  local found=$PDR_BUILD/fuzz/corpus/$2 given=$PDR_ROOT/tests/fuzz/corpus/$2
  mkdir -p "$found" "$PDR_BUILD/fuzz/failed"
  [ -d "$given" ] || given=
  step "$2 for $FUZZ_SECONDS s" "$PDR_BUILD/fuzz/$2.log" "$1" -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="$PDR_BUILD/fuzz/failed/$2-" "$found" ${given:+"$given"}
}
