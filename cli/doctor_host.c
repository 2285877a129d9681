/* What the journal rests on: libraries, files and their disk, PostgreSQL. */
#include <inttypes.h>
#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/doctor.h"

enum { LITTLE_SPACE_MB = 256, MIB = 1024 * 1024, SKEW_US = 2000000, PATH_ROOM = 4096 };

void doctor_look_at_versions(doctor *d)
{
    doctor_say(d, "versions", DOCTOR_FINE, "",
               "perdure %s, record format %d, librdkafka %s, libpq %d.%d, SQLite %s", PDR_VERSION,
               PDR_RECORD_VERSION, rd_kafka_version_str(), PQlibVersion() / 10000, PQlibVersion() % 10000,
               sqlite3_libversion());
}

/* --- SQLite --- */

static void folder_of(const char *path, char out[PATH_ROOM])
{
    const char *slash = strrchr(path, '/');
    int size = !slash ? 1 : slash == path ? 1 : (int)(slash - path);
    (void)snprintf(out, PATH_ROOM, "%.*s", size, slash ? path : ".");
}

static void look_at_file(doctor *d, const char *what, const char *path)
{
    char folder[PATH_ROOM];
    struct statvfs disk;
    folder_of(path, folder);
    if (access(path, F_OK) == 0 && (access(path, R_OK | W_OK) != 0 || access(folder, W_OK) != 0))
        doctor_say(d, "rights", DOCTOR_WRONG,
                   "SQLite writes into the file and makes two more beside it: give the user "
                   "both rights",
                   "this user may not read and write %s's file %.200s and its folder", what, path);
    if (statvfs(folder, &disk) != 0) {
        doctor_say(d, "disk", DOCTOR_NOTE, "", "how much room %.200s has can't be asked", folder);
        return;
    }
    uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize / MIB,
             size = (uint64_t)disk.f_blocks * disk.f_frsize / MIB;
    bool little = room < LITTLE_SPACE_MB;
    doctor_say(d, "disk", little ? DOCTOR_WRONG : DOCTOR_FINE,
               little ? "free disk space: without it appends fail with NO_SPACE; nothing acknowledged is lost"
                      : "",
               "%" PRIu64 " of %" PRIu64 " MiB are free where %s's file lies", room, size, what);
}

void doctor_look_at_files(doctor *d)
{
    const pdr_backends *b = &d->plan.backends;
    bool log = b->log.kind == PDR_URL_SQLITE, store = b->has_store && b->store.kind == PDR_URL_SQLITE;
    if (log) look_at_file(d, "the log", b->log.path);
    if (store && !(log && strcmp(b->log.path, b->store.path) == 0))
        look_at_file(d, "the store", b->store.path);
}

/* --- PostgreSQL --- */

static const char *value_of(PGresult *result, int column)
{
    return PQgetisnull(result, 0, column) ? "" : PQgetvalue(result, 0, column);
}

/* The server's time lies between the two of ours; so far is it off at least. */
static void look_at_clock(doctor *d, int64_t server_us, int64_t before_us, int64_t after_us)
{
    int64_t off = server_us > after_us    ? server_us - after_us
                  : server_us < before_us ? before_us - server_us
                                          : 0;
    if (off > SKEW_US)
        doctor_say(d, "clock", DOCTOR_WRONG, "set both clocks by NTP",
                   "PostgreSQL's clock is off ours by %" PRId64 " ms", off / 1000);
    else
        doctor_say(d, "clock", DOCTOR_FINE, "", "PostgreSQL's clock is within %" PRId64 " ms of ours",
                   (off + after_us - before_us) / 1000 + 1);
}

enum { VERSION, READ_ONLY, COMMIT, MAY_USE, MAY_READ, MAY_WRITE, CLOCK };

static void look_at_rights(doctor *d, PGresult *result)
{
    bool writes = strcmp(value_of(result, READ_ONLY), "off") == 0;
    bool may = *value_of(result, MAY_USE) == 't' && *value_of(result, MAY_READ) == 't';
    if (!may)
        doctor_say(d, "rights", DOCTOR_WRONG,
                   "grant usage on the schema, and select, insert, update and delete on its "
                   "tables",
                   "this user may not read the store's tables");
    else if (*value_of(result, MAY_WRITE) != 't')
        doctor_say(d, "rights", DOCTOR_NOTE,
                   "an owner's user needs insert, update and delete on the store's tables",
                   "this user may read the store, but not write it");
    else if (!writes)
        doctor_say(d, "rights", DOCTOR_WRONG, "name the primary in the URL, or several hosts",
                   "the server takes no writes: a standby, or read only");
    else
        doctor_say(d, "rights", DOCTOR_FINE, "", "this user may read and write the store");
}

static void take_answer(doctor *d, PGresult *result, int64_t before_us, int64_t after_us)
{
    const char *commit = value_of(result, COMMIT);
    bool off = strcmp(commit, "off") == 0;
    doctor_say(d, "postgres", off ? DOCTOR_NOTE : DOCTOR_FINE,
               off ? "perdure's own sessions raise it to on; others don't" : "",
               "PostgreSQL %.40s, synchronous_commit %.40s", value_of(result, VERSION), commit);
    look_at_rights(d, result);
    look_at_clock(d, strtoll(value_of(result, CLOCK), NULL, 10), before_us, after_us);
}

static const char question[] =
    "SELECT current_setting('server_version'), current_setting('transaction_read_only'), "
    "current_setting('synchronous_commit'), coalesce(has_schema_privilege(n.oid, 'USAGE'), false), "
    "(SELECT coalesce(bool_and(has_table_privilege(c.oid, 'SELECT')), false) FROM pg_class c "
    " WHERE c.relnamespace = n.oid AND c.relkind = 'r'), "
    "(SELECT coalesce(bool_and(has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE') "
    "AND "
    " has_table_privilege(c.oid, 'DELETE')), false) FROM pg_class c "
    " WHERE c.relnamespace = n.oid AND c.relname IN ('head', 'state', 'partition')), "
    "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint "
    "FROM pg_namespace n WHERE n.nspname = $1";

/* A connection of its own: the store's has no place for questions. */
void doctor_look_at_postgres(doctor *d)
{
    const pdr_url *url = &d->plan.backends.store;
    if (!d->has_meta || !d->plan.backends.has_store || url->kind != PDR_URL_POSTGRES) return;
    const char *schema = url->schema ? url->schema : "perdure";
    PGconn *connection = PQconnectdb(url->libpq);
    PGresult *result = NULL;
    if (PQstatus(connection) == CONNECTION_OK) {
        int64_t before = pdr_wall_us();
        result = PQexecParams(connection, question, 1, NULL, &schema, NULL, NULL, 0);
        int64_t after = pdr_wall_us();
        if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
            take_answer(d, result, before, after);
        else
            doctor_say(d, "rights", DOCTOR_NOTE, "", "PostgreSQL doesn't tell: %.300s",
                       PQerrorMessage(connection));
    } else {
        doctor_say(d, "postgres", DOCTOR_AWAY, "check that the server runs and the address is right",
                   "%.300s", PQerrorMessage(connection));
    }
    PQclear(result);
    PQfinish(connection);
}
