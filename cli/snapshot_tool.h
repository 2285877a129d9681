/* What `perdure snapshot list`, `show` and `drop` have in common: a store, and what the application makes of
 * the states in it. */
#ifndef PDR_CLI_SNAPSHOT_TOOL_H
#define PDR_CLI_SNAPSHOT_TOOL_H

#include "cli/common.h"
#include "cli/out.h"
#include "journal/fold.h"

enum { PDR_SNAPSHOT_TIMEOUT_MS = 10000 };

/* A value, zeroed first; release it in any case. */
typedef struct pdr_snapshot_tool {
    pdr_target target;
    bool json;
    pdr_loaded_app app;
    pdr_folder **folders; /* one per entity type of the application, then NULL */
    pdr_store *store;
    pdr_out *out;
} pdr_snapshot_tool;

#define PDR_SNAPSHOT_FLAGS(t)                                                                                \
    PDR_JOURNAL_FLAG((t).target), PDR_STORE_FLAG((t).target), PDR_APP_FLAG((t).target),                      \
    {                                                                                                        \
        PDR_FLAG_SWITCH, "--json", NULL, "JSON, one object a line", &(t).json, 0, 0                          \
    }

/* Once the flags are parsed. An application may be named or not. */
PDR_CHECKED pdr_code pdr_snapshot_open(pdr_snapshot_tool *tool, pdr_error *err);
/* Writes what is left of the output. Gives the exit code: `code` and `err` are how the work ended. */
int pdr_snapshot_end(pdr_snapshot_tool *tool, const pdr_cli_command *what, pdr_code code, pdr_error *err);

/* The part of the key before the first '/'. */
pdr_bytes pdr_snapshot_type(pdr_bytes key);
/* Of the type's name; NULL: the application doesn't declare it, or there is none. Borrowed. */
const pdr_folder *pdr_snapshot_folder(const pdr_snapshot_tool *tool, pdr_bytes type);

typedef enum pdr_snapshot_use {
    PDR_SNAPSHOT_OF_TODAY,
    PDR_SNAPSHOT_BROUGHT_FORWARD, /* by the state upcasters that the application declares */
    PDR_SNAPSHOT_UNUSED,          /* by this application; another may use it */
    PDR_SNAPSHOT_UNKNOWN          /* no application says */
} pdr_snapshot_use;

pdr_snapshot_use pdr_snapshot_use_of(const pdr_snapshot_tool *tool, pdr_bytes type, uint64_t revision);
const char *pdr_snapshot_use_name(pdr_snapshot_use use); /* "today", "brought forward", ... */

/* "a1b2..." of at most 16 hexadecimal digits, as list shows revisions. PDR_INVALID_ARGUMENT. */
PDR_CHECKED pdr_code pdr_snapshot_revision(const char *flag, const char *text, uint64_t *revision,
                                           pdr_error *err);

#endif
