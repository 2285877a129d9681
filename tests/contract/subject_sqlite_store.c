#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backends/sqlite/sqlite_store.h"
#include "tests/contract/store_contract.h"

typedef struct place {
    char folder[64], file[80];
} place;

const char *pdr_contract_skip(void)
{
    return NULL;
}

static pdr_code create(void **out, pdr_error *err)
{
    place *p = calloc(1, sizeof *p);
    if (!p) return pdr_fail(err, PDR_NOMEM, "place");
    strcpy(p->folder, "/tmp/perdure-contract-XXXXXX");
    if (!mkdtemp(p->folder)) return pdr_fail(err, PDR_IO, "%s", p->folder);
    snprintf(p->file, sizeof p->file, "%s/store.db", p->folder);
    *out = p;
    return PDR_OK;
}

static void destroy(void *context)
{
    place *p = context;
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (int i = 0; i < 3; i++) {
        char path[100];
        snprintf(path, sizeof path, "%s%s", p->file, suffixes[i]);
        unlink(path);
    }
    rmdir(p->folder);
    free(p);
}

static pdr_code open_store(void *context, pdr_store **out, pdr_error *err)
{
    return pdr_sqlite_store_open(out, ((place *)context)->file, err);
}

static pdr_code make_too_new(void *context, pdr_error *err)
{
    sqlite3 *db;
    int rc = sqlite3_open(((place *)context)->file, &db);
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
