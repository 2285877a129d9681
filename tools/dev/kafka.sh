# The Kafka server of ./dev services: one node, from Maven artifacts, in build/services/kafka. Sourced.

KAFKA_POM=$PDR_ROOT/tools/kafka/pom.xml
KAFKA_SUMS=$PDR_ROOT/tools/kafka/SHA256SUMS
KAFKA_VERSION=$(sed -n 's|.*<kafka.version>\(.*\)</kafka.version>.*|\1|p' "$KAFKA_POM")
KAFKA_LIB=$PDR_CACHE/kafka-$KAFKA_VERSION
KAFKA_HOME=$SERVICES/kafka
KAFKA_LOG=$KAFKA_HOME/server.log
KAFKA_JVM=(-Xmx768m -XX:+UseSerialGC "-Dlog4j2.configurationFile=$PDR_ROOT/tools/kafka/log4j2.properties" -cp "$KAFKA_LIB/*")

kafka_lib_complete() { [ -d "$1" ] && (cd "$1" && sha256sum --check --quiet --strict "$KAFKA_SUMS") >/dev/null 2>&1; }

# The jars come once per machine and version; a folder that is incomplete or damaged is fetched again.
kafka_install() {
  ! kafka_lib_complete "$KAFKA_LIB" || return 0
  local fetched
  mkdir -p "$PDR_CACHE"
  fetched=$(mktemp -d "$PDR_CACHE/kafka-fetch.XXXXXX")
  if ! step "Kafka $KAFKA_VERSION from Maven (43 MB, once)" "$SERVICES/maven.log" \
    mvn -B -ntp -f "$KAFKA_POM" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$fetched"; then
    rm -rf "$fetched"
    die "Maven could not fetch Kafka; see whether the machine reaches Maven Central or a mirror of it, and try again"
  fi
  if ! kafka_lib_complete "$fetched"; then
    rm -rf "$fetched"
    die "what Maven fetched differs from tools/kafka/SHA256SUMS; try again, and look at the mirror if it stays so"
  fi
  rm -rf "$KAFKA_LIB"
  mv "$fetched" "$KAFKA_LIB"
}

# The process id if it is that of this tree's server, whatever else may have got the number since.
kafka_pid() {
  local pid
  pid=$(cat "$KAFKA_HOME/pid" 2>/dev/null) || return 1
  [ -n "$pid" ] && grep -qaF "$KAFKA_HOME/server.properties" "/proc/$pid/cmdline" 2>/dev/null || return 1
  printf '%s\n' "$pid"
}

kafka_format() {
  sed -e "s|@PORT@|$KAFKA_PORT|; s|@CONTROLLER_PORT@|$KAFKA_CONTROLLER_PORT|; s|@DATA@|$KAFKA_HOME/data|" \
    "$PDR_ROOT/tools/kafka/server.properties.in" >"$KAFKA_HOME/server.properties"
  [ ! -f "$KAFKA_HOME/data/meta.properties" ] || return 0
  # The cluster's id is any 16 bytes in URL-safe base64.
  "$JAVA" "${KAFKA_JVM[@]}" kafka.tools.StorageTool format -c "$KAFKA_HOME/server.properties" \
    -t "$(head -c 16 /dev/urandom | base64 | tr '+/' '__' | tr -d =)" >"$KAFKA_HOME/format.log" 2>&1 ||
    die "Kafka could not format its folder; see $KAFKA_HOME/format.log"
}

kafka_is_up() { grep -qF 'Kafka Server started' "$KAFKA_LOG" && port_taken "$KAFKA_PORT"; }

kafka_start() {
  ! kafka_pid >/dev/null || return 0
  kafka_install
  mkdir -p "$KAFKA_HOME"
  kafka_format
  [ ! -f "$KAFKA_LOG" ] || mv "$KAFKA_LOG" "$KAFKA_LOG.before"
  # A session of its own, so that a ctrl-C meant for ./dev doesn't reach it; the locks stay with ./dev.
  (
    exec 8>&- 9>&- </dev/null >"$KAFKA_LOG" 2>&1
    exec setsid "$JAVA" "${KAFKA_JVM[@]}" kafka.Kafka "$KAFKA_HOME/server.properties"
  ) &
  echo $! >"$KAFKA_HOME/pid"
  disown
  wait_until 60 kafka_pid || die "Kafka did not start; see $KAFKA_LOG"
}

kafka_wait() {
  local tries=1800
  until kafka_is_up; do
    kafka_pid >/dev/null || die "Kafka ended while it started; see $KAFKA_LOG"
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || die "Kafka did not answer within 3 minutes; see $KAFKA_LOG"
    sleep 0.1
  done
}

# kafka_stop [hard|at-once]: ends the server; hard is kill -9, as a crash; so is at-once, since its data go away.
kafka_stop() {
  local pid signal=TERM
  pid=$(kafka_pid) || return 0
  [ -z "${1:-}" ] || signal=KILL
  kill -"$signal" "$pid"
  if ! wait_until 60 is_gone "$pid"; then
    kill -KILL "$pid"
    wait_until 60 is_gone "$pid" || die "Kafka's process $pid does not end"
  fi
  rm -f "$KAFKA_HOME/pid"
}

kafka_wipe() { rm -rf "$KAFKA_HOME"; }
