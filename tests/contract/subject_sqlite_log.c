#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backends/sqlite/sqlite_log.h"
#include "tests/contract/log_contract.h"

typedef struct journal {
    char folder[64], file[80];
} journal;

const char *pdr_contract_skip(void)
{
    return NULL;
}

static pdr_code create(void **out, int32_t partitions, pdr_error *err)
{
    journal *j = calloc(1, sizeof *j);
    if (!j) return pdr_fail(err, PDR_NOMEM, "journal");
    strcpy(j->folder, "/tmp/perdure-contract-XXXXXX");
    if (!mkdtemp(j->folder)) return pdr_fail(err, PDR_IO, "%s", j->folder);
    snprintf(j->file, sizeof j->file, "%s/log.db", j->folder);
    *out = j;
    return pdr_sqlite_log_create(j->file, "contract", partitions, err);
}

static void destroy(void *context)
{
    journal *j = context;
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (int i = 0; i < 3; i++) {
        char path[100];
        snprintf(path, sizeof path, "%s%s", j->file, suffixes[i]);
        unlink(path);
    }
    rmdir(j->folder);
    free(j);
}

static pdr_code open_log(void *context, pdr_log **out, pdr_error *err)
{
    return pdr_sqlite_log_open(out, ((journal *)context)->file, err);
}

static pdr_code drop_below(void *context, int32_t partition, int64_t offset, pdr_error *err)
{
    sqlite3 *db;
    char sql[100];
    snprintf(sql, sizeof sql, "DELETE FROM record_%d WHERE offset < %lld", partition, (long long)offset);
    int rc = sqlite3_open(((journal *)context)->file, &db);
    if (rc == SQLITE_OK) rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_close(db);
    return rc == SQLITE_OK ? PDR_OK : pdr_fail_backend(err, PDR_IO, rc, "%s", sql);
}

const pdr_log_subject *pdr_log_subject_get(void)
{
    static const pdr_log_subject subject = {
        .create = create,
        .destroy = destroy,
        .open = open_log,
        .drop_below = drop_below,
        .max_value = PDR_LOG_MAX_VALUE,
        .queue_most = 65536,
    };
    return &subject;
}
