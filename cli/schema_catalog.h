/* All schemas that an application declares, that a log's SCHEMA records or a store's table tell: what
 * `perdure schema list` and `perdure schema show` choose from. */
#ifndef PDR_CLI_SCHEMA_CATALOG_H
#define PDR_CLI_SCHEMA_CATALOG_H

#include "cli/common.h"
#include "journal/schema_book.h"
#include "journal/survey.h"

typedef enum pdr_schema_role {
    PDR_SCHEMA_EVENT,     /* one of today's events */
    PDR_SCHEMA_OLDER,     /* an event that a step leads on from */
    PDR_SCHEMA_GAP,       /* an event that a step leads to and none leads on from */
    PDR_SCHEMA_STATE,     /* today's state */
    PDR_SCHEMA_OLD_STATE, /* a state that a step leads on from */
    PDR_SCHEMA_COMMAND,
    PDR_SCHEMA_UNDECLARED /* log or store have it, the application doesn't declare it */
} pdr_schema_role;

/* Texts are borrowed from the application, the log's survey, or the store's book. */
typedef struct pdr_schema_entry {
    pdr_schema_role role;
    const char *entity; /* the entity type's name; NULL: UNDECLARED */
    const char *name;   /* NULL: unreadable */
    uint32_t version;   /* 0: none is kept */
    bool readable_by_older;
    uint64_t fingerprint;
    const char *json;
    uint32_t revision;                    /* of a state */
    const pdr_upcaster *step;             /* of OLDER */
    const pdr_state_upcaster *state_step; /* of OLD_STATE */
    bool in_log, in_store;
    uint64_t events; /* in the log, that count */
} pdr_schema_entry;

typedef struct pdr_schema_catalog {
    pdr_loaded_app app; /* app NULL: none given */
    bool has_log, has_store;
    pdr_survey *survey;
    pdr_schema_book *book;     /* what the store's table holds */
    pdr_schema_entry *entries; /* by entity type, role, name, version */
    size_t count, capacity;
} pdr_schema_catalog;

/* Blocking. The log is read only if its URL is given, the store's table only if its own is. Without an
 * application, a log and a store: PDR_INVALID_ARGUMENT. Release it in any case. */
PDR_CHECKED pdr_code pdr_schema_catalog_open(pdr_schema_catalog *out, const pdr_target *target,
                                             pdr_error *err);
void pdr_schema_catalog_release(pdr_schema_catalog *catalog);

#endif
