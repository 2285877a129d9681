# Avro's Java library, for the tests that ask it. Sourced.

AVRO_POM=$PDR_ROOT/tools/oracle_avro/pom.xml
AVRO_SUMS=$PDR_ROOT/tools/oracle_avro/SHA256SUMS
AVRO_VERSION=$(sed -n 's|.*<avro.version>\(.*\)</avro.version>.*|\1|p' "$AVRO_POM")
AVRO_LIB=$PDR_CACHE/avro-$AVRO_VERSION

avro_lib_complete() { [ -d "$1" ] && (cd "$1" && sha256sum --check --quiet --strict "$AVRO_SUMS") >/dev/null 2>&1; }

# The jars come once per machine and version; a folder that is incomplete or damaged is fetched again.
avro_install() {
  ! avro_lib_complete "$AVRO_LIB" || return 0
  local fetched
  mkdir -p "$PDR_CACHE"
  fetched=$(mktemp -d "$PDR_CACHE/avro-fetch.XXXXXX")
  if ! step "Avro $AVRO_VERSION from Maven (5 MB, once)" "$PDR_BUILD/avro-maven.log" \
    mvn -B -ntp -f "$AVRO_POM" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$fetched"; then
    rm -rf "$fetched"
    die "Maven could not fetch Avro; see whether the machine reaches Maven Central or a mirror of it, and try again"
  fi
  if ! avro_lib_complete "$fetched"; then
    rm -rf "$fetched"
    die "what Maven fetched differs from tools/oracle_avro/SHA256SUMS; try again, and look at the mirror if it stays so"
  fi
  rm -rf "$AVRO_LIB"
  mv "$fetched" "$AVRO_LIB"
}
