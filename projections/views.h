/* The views seam: tables of read views, and the positions that move with them. DESIGN: "Read side". Backends:
 * postgres, sqlite, simulated; one contract-test suite (tests/contract/) runs against each.
 *
 * A `pdr_views` is one connection of one worker thread. Threads and re-entrancy: as for the log seam
 * (journal/log.h): asynchronous operations only queue, completions run only inside `poll`, in which any
 * operation but `poll` and `close` may be called. What an operation is given is copied; what a
 * completion is given is valid until it returns. Operations of one connection are carried out in the order of
 * submission, blocking ones included.
 *
 * A *view* is what readers see: an SQL VIEW of the table's plain name. Behind it each version of a projection
 * has tables of its own. A version's rows, its positions and its parked entities change together or not at
 * all
 * (`position-with-rows`). */
#ifndef PDR_PROJECTIONS_VIEWS_H
#define PDR_PROJECTIONS_VIEWS_H

#include "perdure/arena.h"
#include "perdure/position.h"
#include "perdure/view.h"

struct pollfd;
typedef struct pdr_views pdr_views;

/* --- What a batch does --- */

/* One row of one batch; keys are distinct in a batch's list. Modes are such that the row needn't be read: ADD
 * only on a column whose initial value isn't NULL (of a double: is 0), GREATEST and LEAST only where it is
 * NULL or the table is shared (projections/rows.h sees to it). PDR_INVALID_ARGUMENT for others. A column that
 * is kept stays, also one that is NOT NULL without an initial value; a new row without such a column is
 * PDR_BAD_DATA. */
typedef struct pdr_row_change {
    const pdr_cell *key;   /* key_count cells, none NULL */
    bool remove;           /* the row goes (if it is there); cells and modes are NULL */
    const pdr_cell *cells; /* of the columns after the key */
    const uint8_t *modes;  /* pdr_cell_mode of each */
} pdr_row_change;

/* One step of a batch, carried out in order: rows of a table, or a statement. */
typedef struct pdr_view_step {
    size_t table; /* index in the version's tables */
    const pdr_row_change *rows;
    size_t row_count;
    const char *statement; /* not NULL: raw SQL with $1, $2, ... and "{name}" for versioned tables; rows are
                            * none. See pdr_view_statement_check; parameters aren't numeric */
    const pdr_cell *parameters;
    const pdr_column_type *parameter_types;
    size_t parameter_count;
    uint32_t
        event; /* index of the batch's event that caused it, told when the step fails; UINT32_MAX: several */
} pdr_view_step;

/* The statement of a step that is a message, of a version without tables whose target is a topic
 * (backends/kafka/target.h), and its parameters. Other views refuse it. */
#define PDR_VIEW_MESSAGE "message"
enum {
    PDR_MESSAGE_KEY,   /* text: the entity */
    PDR_MESSAGE_VALUE, /* bytea: framed datum */
    PDR_MESSAGE_TYPE,  /* text: the event's Avro name */
    PDR_MESSAGE_SEQ,
    PDR_MESSAGE_TIME,      /* timestamptz: event time */
    PDR_MESSAGE_PARTITION, /* of the source, and the next three */
    PDR_MESSAGE_OFFSET,
    PDR_MESSAGE_PART,
    PDR_MESSAGE_PARTS,
    PDR_MESSAGE_CELLS
};

typedef struct pdr_position_move {
    int32_t partition;
    uint64_t generation; /* goes through only if the row's generation and position are exactly these: */
    pdr_position from;   /* a version that was reset may come to stand where it stood before */
    pdr_position to;
    int64_t event_time_us; /* of the newest event covered; INT64_MIN: none yet */
    uint64_t events;       /* covered by this move */
} pdr_position_move;

/* A dead letter: places, not copies. */
typedef struct pdr_dead_letter {
    int32_t partition;
    int64_t offset;
    pdr_position before; /* from which a reader meets the event: position before its commit */
    pdr_bytes entity;
    uint64_t seq;
    bool behind; /* parked only because an earlier event of its entity is */
    int32_t attempts;
    int64_t first_us, last_us; /* wall time of the first and the last attempt */
    const char *reason;        /* NUL-terminated, at most 500 bytes; what isn't UTF-8 becomes '?' */
} pdr_dead_letter;

typedef enum pdr_parked_change { PDR_PARK, PDR_UNPARK } pdr_parked_change;

/* What one transaction does, all of it or nothing. */
typedef struct pdr_view_batch {
    const pdr_position_move *moves;
    size_t move_count;
    const pdr_view_step *steps;
    size_t step_count;
    const pdr_dead_letter *park; /* added, or replaced if (partition, offset) is there already */
    size_t park_count;
    const pdr_dead_letter *unpark; /* (partition, offset) removed; one that isn't there: PDR_STALE */
    size_t unpark_count;
    const uint64_t *requests_done; /* ids of requests that this batch carries out */
    size_t request_count;
    /* It rests on the batch that was submitted last with this context, whose answer isn't there yet: refused
     * (PDR_STALE) if that one isn't carried out, wherever the positions stand. Both move positions. Only if
     * the backend is `pipelined`. */
    bool on_top;
} pdr_view_batch;

/* What came of a batch. */
typedef struct pdr_view_result {
    /* PDR_OK. PDR_STALE: a position wasn't at `from`, or a letter to be unparked isn't there (another worker
     * moved it, or the version was reset or deleted, perhaps made anew): nothing was done; `partition` says
     * which, `position` where it is. PDR_BAD_DATA: a step's values can't be stored (SQLSTATE classes 22 and
     * 23): the event's fault. PDR_BAD_VIEW: a table or column isn't there or isn't as declared (class 42):
     * the projection stops. PDR_UNAVAILABLE, PDR_LOCKED, PDR_NO_SPACE, PDR_BUSY (deadlock, serialization
     * failure): nothing was done, try again. PDR_UNKNOWN_OUTCOME: the connection broke at the end: read the
     * positions. */
    pdr_code code;
    const pdr_error *error; /* NULL when PDR_OK */
    size_t step;            /* BAD_DATA, BAD_VIEW: which; SIZE_MAX: can't be told */
    int32_t partition;
    pdr_position position;
} pdr_view_result;

typedef void (*pdr_view_done)(void *context, uint64_t tag, const pdr_view_result *result);

/* Rows asked for, in any order; those that aren't there are left out. */
typedef struct pdr_view_rows {
    pdr_code code;
    const pdr_error *error;
    const pdr_cell *const *rows; /* all columns of the table, the key first */
    size_t count;
} pdr_view_rows;
typedef void (*pdr_view_fetched)(void *context, uint64_t tag, const pdr_view_rows *rows);

/* --- Versions --- */

typedef enum pdr_version_state {
    PDR_VERSION_BUILDING, /* being filled beside the live one */
    PDR_VERSION_LIVE,     /* readers' view shows it */
    PDR_VERSION_FORMER    /* was live; still fed, so that roll back is possible */
} pdr_version_state;

/* One version of one projection, as it is kept. Strings are NUL-terminated and borrowed. */
typedef struct pdr_version_row {
    const char *projection;
    uint32_t version;
    pdr_version_state state;
    bool paused;
    uint64_t fingerprint; /* of the definition */
    uint32_t throttle;    /* events per second while BUILDING; 0: none */
    const char *fault;    /* why it stopped, whatever its state; "" when it hasn't */
    const char *declared; /* its tables: pdr_view_tables_parse; "" or NULL: not kept */
    int64_t created_us, changed_us;
    uint8_t journal_id[16]; /* whose log it is made from */
} pdr_version_row;

typedef struct pdr_position_row {
    int32_t partition;
    uint64_t generation; /* drawn when the version was made, and again when it is reset */
    pdr_position position;
    int64_t event_time_us; /* of the newest event covered */
    uint64_t events;       /* covered since the version was made */
    int64_t updated_us;
    const char *worker; /* who moved it last; "" */
    uint64_t parked;    /* dead letters of this partition */
} pdr_position_row;

/* A wish that the worker of a partition carries out. */
typedef enum pdr_request_kind { PDR_REQUEST_RETRY, PDR_REQUEST_SKIP } pdr_request_kind;
typedef struct pdr_request_row {
    uint64_t id;
    pdr_request_kind kind;
    int32_t partition;
    pdr_bytes entity; /* the whole entity, in order */
} pdr_request_row;

/* What makes a version. Borrowed for the call. */
typedef struct pdr_version_spec {
    const char *projection;
    uint32_t version;
    uint64_t fingerprint;
    const pdr_table *tables;
    size_t table_count;
    int32_t partitions;
    uint8_t journal_id[16];
} pdr_version_spec;

typedef pdr_code (*pdr_version_each)(void *context, const pdr_version_row *row, pdr_error *err);
typedef pdr_code (*pdr_position_each)(void *context, const pdr_position_row *row, pdr_error *err);
typedef pdr_code (*pdr_dead_letter_each)(void *context, const pdr_dead_letter *letter, pdr_error *err);
typedef pdr_code (*pdr_request_each)(void *context, const pdr_request_row *row, pdr_error *err);
/* A row of a version's table in ascending order of key. */
typedef pdr_code (*pdr_view_row_each)(void *context, const pdr_cell *cells, pdr_error *err);

typedef struct pdr_views_ops {
    const char *name;                /* "postgres", "sqlite", "sim" */
    bool pipelined;                  /* takes batches with `on_top` */
    void (*close)(pdr_views *views); /* outstanding completions don't come */

    /* --- Blocking; for open and for commands; at most timeout_ms each --- */
    /* Tables of our own (positions, dead letters, requests). Idempotent. PDR_TOO_NEW. */
    pdr_code (*init)(pdr_views *views, int timeout_ms, pdr_error *err);
    /* Make a version: its tables, its positions at the start; LIVE with views if the projection has no live
     * version, else BUILDING. PDR_EXISTS: this version is there (with another fingerprint: PDR_CONFLICT);
     * PDR_CONFLICT: another projection has a view of one of its names; PDR_BAD_VIEW: something else has it;
     * PDR_WRONG_JOURNAL. */
    pdr_code (*create)(pdr_views *views, const pdr_version_spec *spec, int timeout_ms, pdr_error *err);
    /* Drop a version that isn't live, tables and all; `live_too`: the whole projection, with its views.
     * PDR_NOT_FOUND, PDR_CONFLICT. */
    pdr_code (*drop)(pdr_views *views, const char *projection, uint32_t version, bool live_too,
                     int timeout_ms, pdr_error *err);
    /* Empty a version's tables, positions to the start and of another generation, nothing parked, no request,
     * no fault. PDR_NOT_FOUND;
     * PDR_CONFLICT: it was made from another definition; PDR_WRONG_JOURNAL. */
    pdr_code (*reset)(pdr_views *views, const pdr_version_spec *spec, int timeout_ms, pdr_error *err);
    /* Make `version` live in one transaction that locks the positions of both, within lock_ms: PDR_CONFLICT
     * if it is behind the live one in any partition, or has parked entities or a fault and not `force`;
     * PDR_LOCKED: try again. Of the live one: nothing changes. */
    pdr_code (*swap)(pdr_views *views, const char *projection, uint32_t version, bool force, int lock_ms,
                     pdr_error *err);
    pdr_code (*set_paused)(pdr_views *views, const char *projection, uint32_t version, bool paused,
                           int timeout_ms, pdr_error *err);
    pdr_code (*set_throttle)(pdr_views *views, const char *projection, uint32_t version, uint32_t per_second,
                             int timeout_ms, pdr_error *err);
    /* The version stops with this fault, its state stays; NULL: goes on. What isn't UTF-8 becomes '?'. */
    pdr_code (*set_fault)(pdr_views *views, const char *projection, uint32_t version, const char *fault,
                          int timeout_ms, pdr_error *err);
    /* projection NULL: all. Ascending by name and version. */
    pdr_code (*versions)(pdr_views *views, const char *projection, pdr_version_each each, void *context,
                         pdr_error *err);
    pdr_code (*positions)(pdr_views *views, const char *projection, uint32_t version, pdr_position_each each,
                          void *context, pdr_error *err);
    /* Ascending by partition and offset. partition -1: all. */
    pdr_code (*dead_letters)(pdr_views *views, const char *projection, uint32_t version, int32_t partition,
                             pdr_dead_letter_each each, void *context, pdr_error *err);
    pdr_code (*request)(pdr_views *views, const char *projection, uint32_t version,
                        const pdr_request_row *request, int timeout_ms, pdr_error *err);
    /* Open requests, oldest first. partition -1: all. */
    pdr_code (*requests)(pdr_views *views, const char *projection, uint32_t version, int32_t partition,
                         pdr_request_each each, void *context, pdr_error *err);
    /* All rows of a version's table, in one snapshot with the positions if `positions` isn't NULL (it comes
     * first). */
    pdr_code (*scan)(pdr_views *views, const pdr_version_spec *spec, size_t table,
                     pdr_position_each positions, pdr_view_row_each each, void *context, pdr_error *err);
    /* Do the tables stand as declared (columns, types, key)? PDR_BAD_VIEW names what differs. */
    pdr_code (*verify)(pdr_views *views, const pdr_version_spec *spec, int timeout_ms, pdr_error *err);

    /* --- Asynchronous, for the worker; `done` exactly once per accepted operation --- */
    pdr_code (*fetch)(pdr_views *views, const pdr_version_spec *spec, size_t table,
                      const pdr_cell *const *keys, size_t count, pdr_view_fetched done, void *context,
                      uint64_t tag, pdr_error *err);
    /* `worker`: a name for people, kept with the positions. PDR_BAD_VIEW: a statement that isn't allowed or
     * names a table that isn't there. */
    pdr_code (*commit)(pdr_views *views, const pdr_version_spec *spec, const char *worker,
                       const pdr_view_batch *batch, pdr_view_done done, void *context, uint64_t tag,
                       pdr_error *err);
    /* No completion will come any more for operations with this context; they may still be carried out. */
    void (*forget)(pdr_views *views, void *context);
    size_t (*poll)(pdr_views *views);                                               /* as in log.h */
    int (*wait_on)(pdr_views *views, struct pollfd *fds, int max, int64_t *due_us); /* as in log.h */
} pdr_views_ops;

/* A backend's connection begins with this. */
struct pdr_views {
    const pdr_views_ops *ops;
};

/* Tables (but for initial values and statements) as text, which `create` keeps with the version. PDR_NOMEM,
 * PDR_TOO_LARGE. */
PDR_CHECKED pdr_code pdr_view_tables_print(pdr_buf *out, const pdr_table *tables, size_t count,
                                           pdr_error *err);
/* And back; everything lies in `arena`. PDR_CORRUPT: it isn't what was printed. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_view_tables_parse(const pdr_table **out, size_t *count, pdr_arena *arena,
                                           const char *text, pdr_error *err);

/* May a statement be part of a batch? Only INSERT, UPDATE, DELETE, MERGE, SELECT and WITH: none that would
 * end the batch's transaction. PDR_BAD_VIEW. */
PDR_CHECKED pdr_code pdr_view_statement_check(const char *sql, pdr_error *err);
/* Is it UTF-8, as PostgreSQL takes it? A NUL isn't looked for. */
bool pdr_view_is_text(pdr_bytes bytes);
/* A copy with every byte that isn't UTF-8 as '?', and a NUL after it; data NULL: no memory. */
pdr_string pdr_view_text(pdr_arena *arena, pdr_bytes bytes);
/* PDR_INVALID_ARGUMENT unless the change is one that the seam takes. */
PDR_CHECKED pdr_code pdr_row_change_check(const pdr_table *table, const pdr_row_change *row, pdr_error *err);

/* PDR_INVALID_ARGUMENT unless every operation is there. */
PDR_CHECKED pdr_code pdr_views_ops_validate(const pdr_views_ops *ops, pdr_error *err);

#endif
