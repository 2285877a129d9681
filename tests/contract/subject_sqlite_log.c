#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "backends/sqlite/sqlite_log.h"
#include "tests/contract/log_contract.h"
#include "tests/contract/subject_file.h"

const char *pdr_contract_skip(void)
{
    return NULL;
}

static pdr_code create(void **out, int32_t partitions, pdr_error *err)
{
    pdr_subject_file *j = calloc(1, sizeof *j);
    if (!j) return pdr_fail(err, PDR_NOMEM, "journal");
    *out = j;
    pdr_code code = pdr_subject_file_make(j, "log.db", err);
    return code == PDR_OK ? pdr_sqlite_log_create(j->path, "contract", partitions, err) : code;
}

static void destroy(void *context)
{
    pdr_subject_file_remove(context);
    free(context);
}

static pdr_code open_log(void *context, pdr_log **out, pdr_error *err)
{
    return pdr_sqlite_log_open(out, ((pdr_subject_file *)context)->path, err);
}

static pdr_code drop_below(void *context, int32_t partition, int64_t offset, pdr_error *err)
{
    sqlite3 *db;
    char sql[100];
    snprintf(sql, sizeof sql, "DELETE FROM record_%d WHERE offset < %lld", partition, (long long)offset);
    int rc = sqlite3_open(((pdr_subject_file *)context)->path, &db);
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
