/* What the commands that replay history work on: a journal's log, its store, the application; read only,
 * beside owners, never as one. */
#ifndef PDR_REPLAY_TOOL_H
#define PDR_REPLAY_TOOL_H

#include "journal/fold.h"
#include "journal/log.h"
#include "journal/record.h"
#include "journal/store.h"
#include "schemas/schema.h"

typedef struct pdr_tool pdr_tool;

typedef struct pdr_tool_spec {
    const char *journal;   /* URL; NULL: $PERDURE_JOURNAL */
    const char *store;     /* URL; NULL: $PERDURE_STORE, else the journal's own file if that is SQLite */
    const pdr_app *app;    /* outlives the tool; NULL: events are told by what their SCHEMA records say */
    bool needs_store;      /* PDR_BAD_URL without one; else the tool works without where it can */
    bool reads_all;        /* of long logs: little is read ahead of who folds it, so that memory is used again
                              while it is near */
    bool brief;            /* little is read, and it is wanted at once: a story, a state. Whether the store is
                              this journal's isn't looked at then: what is read of it shows that */
    bool jumps;            /* records are read at many single places: little is fetched at each */
    int timeout_ms;        /* for each blocking answer; 0: as long as opening a journal may take */
    bool (*stopped)(void); /* asked some ten times a second while something blocks: true ends it with
                              PDR_CANCELLED. Any thread; may be NULL */
} pdr_tool_spec;

/* Blocking. *out is yours. Upcasters that are missing pass: reading such an event is what fails. */
PDR_CHECKED pdr_code pdr_tool_open(pdr_tool **out, const pdr_tool_spec *spec, pdr_error *err);
void pdr_tool_close(pdr_tool *tool); /* NULL is fine */

/* Is the store this journal's? Reads the beginnings of the log for it: for those who were brief and found
 * something odd. Blocking, no reader of the tool's own log may be open. PDR_WRONG_JOURNAL; what log and store
 * say. Without a store: PDR_OK. */
PDR_CHECKED pdr_code pdr_tool_check_store(pdr_tool *tool, pdr_error *err);

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

/* pdr_folder_read of a stored event. A writer schema that nobody has told yet is looked for in the store and
 * in the log, over connections of the tool's own: this may block, but only then. Any thread, also in
 * callbacks of log and store. PDR_UNKNOWN_TYPE: no folder; PDR_CANCELLED: stopped. Else as pdr_folder_read.
 */
PDR_CHECKED pdr_code pdr_tool_read(pdr_tool *tool, int32_t partition, const pdr_log_record *record,
                                   const pdr_header *header, pdr_arena *scratch, pdr_event_list *events,
                                   pdr_error *err);

/* Who wrote an event's value. What it points to lives as long as the tool; `datum` borrows from the record.
 */
typedef struct pdr_writer {
    uint64_t fingerprint;
    const char *name; /* Avro full name */
    uint32_t version; /* 0: the schema doesn't say */
    const pdr_schema *schema;
    pdr_bytes datum;
} pdr_writer;

/* By the application or by SCHEMA records, looked for as above. PDR_UNKNOWN_SCHEMA, PDR_BAD_SCHEMA,
 * PDR_BAD_DATA (no framing), PDR_CANCELLED, PDR_NOMEM, or what kept it from being looked for. Any thread. */
PDR_CHECKED pdr_code pdr_tool_writer(pdr_tool *tool, int32_t partition, const pdr_log_record *record,
                                     const pdr_header *header, pdr_writer *out, pdr_error *err);
/* The event as one line of JSON in the schema that it was written with, without the application, decimals as
 * numbers: what raw output and tools without an application show. As above, and PDR_TOO_LARGE. */
PDR_CHECKED pdr_code pdr_tool_print_written(pdr_tool *tool, int32_t partition, const pdr_log_record *record,
                                            const pdr_header *header, pdr_buf *out, pdr_error *err);

/* --- for those who drive connections of the tool's kind --- */

/* Run what is due on `log` and `store` (NULL: none); if nothing was, wait a little for it. PDR_TIMEOUT: it is
 * later than `until_us` (pdr_mono_us) and nothing came; PDR_CANCELLED. *came (may be NULL): something did. */
PDR_CHECKED pdr_code pdr_tool_turn(const pdr_tool *tool, pdr_log *log, pdr_store *store, int64_t until_us,
                                   bool *came, pdr_error *err);
/* What the tool's store answers to one question. Its callback tells that it came, before it looks at what
 * came.
 */
typedef struct pdr_tool_answer {
    bool came;
    pdr_error error; /* code PDR_OK: none */
} pdr_tool_answer;
void pdr_tool_answered(pdr_tool_answer *answer, const pdr_store_result *result);
/* Blocking: wait for it. `asked` is what asking gave, `context` what the callback gets. What the store
 * answered; PDR_TIMEOUT, PDR_CANCELLED: then the callback won't be called any more. */
PDR_CHECKED pdr_code pdr_tool_await(pdr_tool *tool, pdr_code asked, pdr_tool_answer *answer, void *context,
                                    pdr_error *err);
bool pdr_tool_is_stopped(const pdr_tool *tool);     /* by `stopped` of its spec */
int64_t pdr_tool_deadline_us(const pdr_tool *tool); /* of an answer that is asked for now */

#endif
