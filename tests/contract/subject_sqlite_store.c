#include <sqlite3.h>
#include <stdlib.h>

#include "backends/sqlite/sqlite_store.h"
#include "tests/contract/store_contract.h"
#include "tests/contract/subject_file.h"

const char *pdr_contract_skip(void)
{
    return NULL;
}

static pdr_code create(void **out, pdr_error *err)
{
    pdr_subject_file *p = calloc(1, sizeof *p);
    if (!p) return pdr_fail(err, PDR_NOMEM, "place");
    *out = p;
    return pdr_subject_file_make(p, "store.db", err);
}

static void destroy(void *context)
{
    pdr_subject_file_remove(context);
    free(context);
}

static pdr_code open_store(void *context, pdr_store **out, pdr_error *err)
{
    return pdr_sqlite_store_open(out, ((pdr_subject_file *)context)->path, err);
}

static pdr_code make_too_new(void *context, pdr_error *err)
{
    sqlite3 *db;
    int rc = sqlite3_open(((pdr_subject_file *)context)->path, &db);
    if (rc == SQLITE_OK) rc = sqlite3_exec(db, "UPDATE store_meta SET format = 2", NULL, NULL, NULL);
    sqlite3_close(db);
    return rc == SQLITE_OK ? PDR_OK : pdr_fail_backend(err, PDR_IO, rc, "making the store too new");
}

const pdr_store_subject *pdr_store_subject_get(void)
{
    static const pdr_store_subject subject = {
        .create = create, .destroy = destroy, .open = open_store, .make_too_new = make_too_new};
    return &subject;
}
