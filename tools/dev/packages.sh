# What the verbs need from the machine: looked for by its use (a command, a pkg-config module, a header), named by its Debian
# package. Sourced.

# need_packages GROUP...: installs what is missing, or names it and stops.
need_packages() {
  local group need package missing=()
  for group in "$@"; do
    while read -r need package; do
      is_there "$need" || missing+=("$package")
    done < <(needs_of "$group")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  install_packages "${missing[@]}"
  for group in "$@"; do
    while read -r need package; do
      is_there "$need" || die "$package is installed, but $need is still not found (too old a system?)"
    done < <(needs_of "$group")
  done
}

needs_of() {
  case $1 in
  build)
    cat <<'END'
command:cc build-essential
command:cmake cmake
command:ninja ninja-build
command:pkg-config pkg-config
module:rdkafka librdkafka-dev
module:libpq libpq-dev
module:sqlite3 libsqlite3-dev
module:libxxhash libxxhash-dev
module:libcurl libcurl4-openssl-dev
module:jansson libjansson-dev
module:libmicrohttpd libmicrohttpd-dev
module:libedit libedit-dev
module:zlib zlib1g-dev
module:snappy libsnappy-dev
header:jq.h libjq-dev
END
    ;;
  services)
    cat <<'END'
java:17 openjdk-17-jre-headless
command:mvn maven
postgres:14 postgresql
command:flock util-linux
END
    ;;
  test)
    cat <<'END'
module:criterion libcriterion-dev
module:avro-c libavro-dev
command:python3 python3
python:avro python3-avro
python:yaml python3-yaml
python:confluent_kafka python3-confluent-kafka
python:requests python3-requests
command:kcat kcat
command:gdb gdb
command:clang-format clang-format
command:git git
command:curl curl
command:openssl openssl
command:zsh zsh
command:fish fish
command:groff groff-base
command:javac openjdk-17-jdk-headless
END
    ;;
  bench)
    echo 'module:avro-c libavro-dev'
    ;;
  fuzz)
    cat <<'END'
command:clang clang
clang:fuzzer libclang-rt-14-dev
END
    ;;
  check)
    cat <<'END'
command:python3 python3
command:clang-format clang-format
command:git git
END
    ;;
  esac
}

is_there() {
  local name=${1#*:}
  case $1 in
  command:*) have "$name" ;;
  module:*) have pkg-config && pkg-config --exists "$name" ;;
  header:*) have cc && echo "#include <$name>" | cc -E -x c - >/dev/null 2>&1 ;;
  java:*) find_java >/dev/null ;;
  postgres:*) postgres_programs >/dev/null 2>&1 ;;
  python:*) python_with "$name" >/dev/null ;;
  clang:fuzzer) have clang && compiles_fuzzer ;;
  esac
}

# A Java of version 17 or newer.
find_java() {
  local java major
  for java in "${JAVA_HOME:-/nowhere}/bin/java" java /usr/lib/jvm/*/bin/java; do
    have "$java" || continue
    major=$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
    [ "${major:-0}" -ge 17 ] || continue
    command -v "$java"
    return
  done
  return 1
}

# The Python that has a module: Debian's packages belong to /usr/bin/python3, which need not be the first in PATH.
python_with() {
  local python
  for python in python3 /usr/bin/python3; do
    if have "$python" && "$python" -c "import $1" 2>/dev/null; then
      command -v "$python"
      return
    fi
  done
  return 1
}

compiles_fuzzer() {
  local probe code=0
  probe=$(mktemp -d)
  echo 'int LLVMFuzzerTestOneInput(const char *d, long n); int LLVMFuzzerTestOneInput(const char *d, long n) { return d && n < 0; }' >"$probe/p.c"
  clang -fsanitize=fuzzer,address "$probe/p.c" -o "$probe/p" >/dev/null 2>&1 || code=1
  rm -rf "$probe"
  return $code
}

install_packages() {
  local sudo=()
  if ! have apt-get; then
    die "missing here (by their Debian names): $*; install them by your system's means and try again"
  fi
  if [ "$(id -u)" != 0 ]; then
    have sudo || die "missing: $*; as root: apt-get install $*"
    sudo=(sudo)
    say "dev: sudo apt-get install $*"
    sudo -v || die "missing: $*; as root: apt-get install $*"
  fi
  step "the system's list of packages" "$PDR_BUILD/apt.log" ${sudo[@]+"${sudo[@]}"} apt-get update
  no_cluster_of_its_own begin "$*"
  step "installing $*" "$PDR_BUILD/apt.log" ${sudo[@]+"${sudo[@]}"} env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 \
    apt-get install -y --no-install-recommends "$@"
  no_cluster_of_its_own end "$*"
}

# Debian's postgresql makes and starts a cluster when it is first installed. Nobody asked ./dev for one, so for the
# time of the installation its setting says no; a machine that already has PostgreSQL is left as it is.
no_cluster_of_its_own() {
  local settings=/etc/postgresql-common/createcluster.conf ours='create_main_cluster = false # for ./dev'
  case $1 in
  begin)
    [[ $2 == *postgresql* ]] && [ ! -e "$settings" ] || return 0
    ${sudo[@]+"${sudo[@]}"} mkdir -p "${settings%/*}"
    printf '%s\n' "$ours" | ${sudo[@]+"${sudo[@]}"} tee "$settings" >/dev/null
    ;;
  end)
    grep -qxF "$ours" "$settings" 2>/dev/null || return 0
    ${sudo[@]+"${sudo[@]}"} cp /usr/share/postgresql-common/createcluster.conf "$settings"
    ;;
  esac
}
