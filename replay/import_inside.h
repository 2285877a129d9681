/* Inside an import. Only replay/import*.c include this. */
#ifndef PDR_REPLAY_IMPORT_INSIDE_H
#define PDR_REPLAY_IMPORT_INSIDE_H

#include "journal/owner.h"
#include "journal/system_env.h"
#include "replay/import.h"

enum { PDR_IMPORT_ADDRESS = 64 };

struct pdr_import {
    pdr_tool *target;
    const pdr_schema_book *schemas;
    char address[PDR_IMPORT_ADDRESS]; /* in the FENCEs: which journal this is an import of */
    pdr_system_env env;
    pdr_log *log;
    pdr_store *store;
    pdr_store_meta meta;
    pdr_owner **owners; /* by partition */
    pdr_type **types;   /* of writers; only name, schema and fingerprint mean anything */
    size_t type_count, type_capacity;
    pdr_buf payload;
    uint64_t open; /* commits under way */
    size_t open_bytes;
    unsigned since_turn;
    pdr_import_counts counts;
    pdr_error failure; /* the first; code PDR_OK: none */
};

/* --- import_check.c --- */
/* Whether every event of the target was brought by an import of that journal. PDR_EXISTS. */
PDR_CHECKED pdr_code pdr_import_check_target(pdr_import *import, pdr_error *err);

#endif
