/* What the commands that replay history work on: a journal's log, its store, the application; read only,
 * beside owners, never as one. */
#ifndef PDR_REPLAY_TOOL_H
#define PDR_REPLAY_TOOL_H

#include "journal/fold.h"
#include "journal/log.h"
#include "journal/record.h"
#include "journal/store.h"

typedef struct pdr_tool pdr_tool;

typedef struct pdr_tool_spec {
    const char *journal; /* URL; NULL: $PERDURE_JOURNAL */
    const char *store;   /* URL; NULL: $PERDURE_STORE, else the journal's own file if that is SQLite */
    const pdr_app *app;  /* outlives the tool; NULL: events are told by what their SCHEMA records say */
    bool needs_store;    /* PDR_BAD_URL without one; else the tool works without where it can */
    int timeout_ms;      /* for each blocking answer */
} pdr_tool_spec;

/* Blocking. *out is yours. Upcasters that are missing pass: reading such an event is what fails. */
PDR_CHECKED pdr_code pdr_tool_open(pdr_tool **out, const pdr_tool_spec *spec, pdr_error *err);
void pdr_tool_close(pdr_tool *tool); /* NULL is fine */

const pdr_app *pdr_tool_app(const pdr_tool *tool);
int32_t pdr_tool_partitions(const pdr_tool *tool);
int32_t pdr_tool_partition_of(const pdr_tool *tool, pdr_bytes entity);
/* The tool's own connections, for the thread that opened it. store NULL: there is none. */
pdr_log *pdr_tool_log(pdr_tool *tool);
pdr_store *pdr_tool_store(pdr_tool *tool);
/* One connection more, for another thread. *out is yours: close it by its ops. Any thread. */
PDR_CHECKED pdr_code pdr_tool_log_open(const pdr_tool *tool, pdr_log **out, pdr_error *err);
/* The folder of an entity's type; NULL: the application doesn't declare it. Any thread. */
const pdr_folder *pdr_tool_folder(const pdr_tool *tool, pdr_bytes entity);
/* What is known of writer schemas; takes those that readers meet. Any thread. */
pdr_schema_book *pdr_tool_book(pdr_tool *tool);

/* pdr_folder_read of a stored event. A writer schema that nobody has told yet is looked for in the store and,
 * over `log`, which is the calling thread's and has no other reader in use by a callback, in the log.
 * PDR_UNKNOWN_TYPE: no folder. Else as pdr_folder_read. */
PDR_CHECKED pdr_code pdr_tool_read(pdr_tool *tool, pdr_log *log, int32_t partition,
                                   const pdr_log_record *record, const pdr_header *header, pdr_arena *scratch,
                                   pdr_event_list *events, pdr_error *err);
/* The event as one line of JSON in the schema that it was written with, without the application: what raw
 * output and tools without an application show. PDR_UNKNOWN_SCHEMA, PDR_BAD_DATA, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_tool_print_written(pdr_tool *tool, pdr_log *log, int32_t partition,
                                            const pdr_log_record *record, const pdr_header *header,
                                            pdr_buf *out, pdr_error *err);

#endif
