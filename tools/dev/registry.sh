# The schema registry of ./dev services, for the tests that need one: Apicurio in memory, from a Maven artifact. Sourced.

REGISTRY_POM=$PDR_ROOT/tools/registry/pom.xml
REGISTRY_SUMS=$PDR_ROOT/tools/registry/SHA256SUMS
REGISTRY_VERSION=$(sed -n 's|.*<registry.version>\(.*\)</registry.version>.*|\1|p' "$REGISTRY_POM")
REGISTRY_LIB=$PDR_CACHE/registry-$REGISTRY_VERSION
REGISTRY_HOME=$SERVICES/registry
REGISTRY_LOG=$REGISTRY_HOME/server.log

registry_lib_complete() { [ -f "$1/SHA256SUMS" ] && (cd "$1" && sha256sum --check --quiet --strict SHA256SUMS) >/dev/null 2>&1; }

# The archive comes once per machine and version, is compared with the sums of this tree and unpacked; the unpacked files
# have sums of their own, so a folder that is incomplete or damaged is fetched again.
registry_install() {
  ! registry_lib_complete "$REGISTRY_LIB" || return 0
  local fetched
  mkdir -p "$PDR_CACHE"
  fetched=$(mktemp -d "$PDR_CACHE/registry-fetch.XXXXXX")
  if ! step "Apicurio Registry $REGISTRY_VERSION from Maven (142 MB, once)" "$SERVICES/maven.log" \
    mvn -B -ntp -f "$REGISTRY_POM" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$fetched"; then
    rm -rf "$fetched"
    die "Maven could not fetch the registry; see whether the machine reaches Maven Central or a mirror of it, and try again"
  fi
  if ! (cd "$fetched" && sha256sum --check --quiet --strict "$REGISTRY_SUMS") >/dev/null 2>&1; then
    rm -rf "$fetched"
    die "what Maven fetched differs from tools/registry/SHA256SUMS; try again, and look at the mirror if it stays so"
  fi
  (cd "$fetched" && tar xzf ./*.tar.gz && rm ./*.tar.gz && find . -type f ! -name SHA256SUMS -exec sha256sum {} + >SHA256SUMS)
  rm -rf "$REGISTRY_LIB"
  mv "$fetched" "$REGISTRY_LIB"
}

# The process id if it is that of this tree's server.
registry_pid() {
  local pid
  pid=$(cat "$REGISTRY_HOME/pid" 2>/dev/null) || return 1
  [ -n "$pid" ] && grep -qaF "$REGISTRY_HOME/tmp" "/proc/$pid/cmdline" 2>/dev/null || return 1
  printf '%s\n' "$pid"
}

registry_start() {
  ! registry_pid >/dev/null || return 0
  registry_install
  mkdir -p "$REGISTRY_HOME/tmp"
  [ ! -f "$REGISTRY_LOG" ] || mv "$REGISTRY_LOG" "$REGISTRY_LOG.before"
  (
    exec 8>&- 9>&- </dev/null >"$REGISTRY_LOG" 2>&1
    cd "$REGISTRY_HOME"
    exec setsid "$JAVA" -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "-Djava.io.tmpdir=$REGISTRY_HOME/tmp" \
      -Dquarkus.http.host=127.0.0.1 "-Dquarkus.http.port=$REGISTRY_PORT" \
      -jar "$REGISTRY_LIB/apicurio-registry-app-$REGISTRY_VERSION-runner.jar"
  ) &
  echo $! >"$REGISTRY_HOME/pid"
  disown
  wait_until 60 registry_pid || die "the registry did not start; see $REGISTRY_LOG"
}

registry_is_up() { grep -qF 'Listening on:' "$REGISTRY_LOG" && port_taken "$REGISTRY_PORT"; }

registry_wait() {
  local tries=1800
  until registry_is_up; do
    registry_pid >/dev/null || die "the registry ended while it started; see $REGISTRY_LOG"
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || die "the registry did not answer within 3 minutes; see $REGISTRY_LOG"
    sleep 0.1
  done
}

# Its data are in its memory: there is no orderly end, and after a restart it is empty.
registry_stop() {
  local pid
  pid=$(registry_pid) || return 0
  kill -KILL "$pid"
  wait_until 60 is_gone "$pid" || die "the registry's process $pid does not end"
  rm -f "$REGISTRY_HOME/pid"
}

registry_wipe() { rm -rf "$REGISTRY_HOME"; }
