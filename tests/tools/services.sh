#!/usr/bin/env bash
# Claims about ./dev services, on a copy of the scripts with servers of its own beside whatever else runs:
# what was committed outlives a kill, a wipe leaves an empty server in the same place, after down nothing is left.
# services.sh ROOT
set -euo pipefail
work=$(mktemp -d)
trap '"$work/dev" services down; rm -rf "$work"' EXIT
cp -r "$1/dev" "$1/tools" "$work"
# PostgreSQL's user must be able to enter the copy, so that its usual place is what is tested.
chmod 755 "$work"
dev=$work/dev

fail() {
  echo "not so: $*"
  exit 1
}
sql() { psql -X -q -A -t "$PERDURE_TEST_POSTGRES" -c "$1"; }
topics() { kcat -b "$PERDURE_TEST_KAFKA" -L -J; }
# The status of one server: its process's number, or the word down.
process_of() { { "$dev" services status || true; } | awk -v name="$1" '$1 == name { print $NF }'; }

! "$dev" services status >/dev/null || fail 'status says down before up'
"$dev" services up
"$dev" services up 2>&1 | grep 'already up' >/dev/null || fail 'a second up changes nothing'
"$dev" services status >/dev/null || fail 'status says up after up'
outer_kafka=${PERDURE_TEST_KAFKA:-} outer_postgres=${PERDURE_TEST_POSTGRES:-}
. "$work/build/services/env"
[ "$PERDURE_TEST_KAFKA" != "$outer_kafka" ] || fail 'two trees have two Kafkas'
[ "$PERDURE_TEST_POSTGRES" != "$outer_postgres" ] || fail 'two trees have two PostgreSQLs'
[ "$(sql 'SHOW fsync'),$(sql 'SHOW synchronous_commit')" = on,on ] || fail 'commits are durable'

sql 'CREATE TABLE kept AS SELECT 7 AS n'
before=$(process_of postgres)
"$dev" services restart postgres --hard
[ "$(process_of postgres)" != "$before" ] || fail 'a restarted PostgreSQL is another process'
[ "$(sql 'SELECT n FROM kept')" = 7 ] || fail 'a committed row outlives a killed PostgreSQL'
"$dev" services wipe postgres
[ "$(sql "SELECT count(*) FROM pg_class WHERE relname = 'kept'")" = 0 ] || fail 'a wiped PostgreSQL is empty'

cluster=$(sed -n 's/^cluster.id=//p' "$work/build/services/kafka/data/meta.properties")
before=$(process_of kafka)
"$dev" services restart kafka --hard
[ "$(process_of kafka)" != "$before" ] || fail 'a restarted Kafka is another process'
topics | grep '"brokers":\[{' >/dev/null || fail 'a restarted Kafka answers on its port'
[ "$(sed -n 's/^cluster.id=//p' "$work/build/services/kafka/data/meta.properties")" = "$cluster" ] || fail 'a restart keeps the data'
"$dev" services stop kafka
[ "$(process_of kafka)" = down ] || fail 'a stopped Kafka is down'
[ "$(process_of postgres)" != down ] || fail 'the other server goes on'

# The registry comes when it is asked for, and goes with the others.
[ "$(process_of registry)" = down ] || fail 'up without --registry starts no registry'
! grep -q REGISTRY "$work/build/services/env" || fail 'a registry that does not run is not named'
"$dev" services start kafka
"$dev" services up --registry
registry=$(sed -n 's/^PERDURE_TEST_REGISTRY=//p' "$work/build/services/env")
[ "$(curl --silent "$registry/subjects")" = '[]' ] || fail 'the registry answers at its address, empty'
"$dev" services stop registry
! grep -q REGISTRY "$work/build/services/env" || fail 'a stopped registry is not named'
"$dev" services start registry
[ "$(sed -n 's/^PERDURE_TEST_REGISTRY=//p' "$work/build/services/env")" = "$registry" ] || fail 'it keeps its address'
"$dev" services stop kafka

# The number of a process that isn't ours must not be taken for ours.
echo $$ >"$work/build/services/kafka/pid"
"$dev" services down
[ ! -e "$work/build/services/kafka" ] && [ ! -e "$work/build/services/postgres" ] && [ ! -e "$work/build/services/registry" ] || fail 'down removes the data'
! "$dev" services status >/dev/null || fail 'status says down after down'
