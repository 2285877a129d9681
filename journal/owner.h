/* The owner of one partition: a state machine without I/O. In go commands, completions of log and store, and
 * the time; out come appends, store operations and replies. DESIGN sections 1, 3, 4, 5. It calls no clock, no
 * socket and no thread but through the seams.
 *
 * Threads: an owner, its log, store and env belong to one thread. Completions run inside `pdr_owner_turn` or
 * the log's or store's `poll`, never inside submit; a completion may submit. */
#ifndef PDR_JOURNAL_OWNER_H
#define PDR_JOURNAL_OWNER_H

#include "journal/command.h"
#include "journal/env.h"
#include "journal/log.h"
#include "journal/schema_book.h"
#include "journal/store.h"
#include "perdure/entity.h"

typedef struct pdr_owner pdr_owner;

typedef enum pdr_owner_state {
    PDR_OWNER_IDLE,     /* not assigned, or stood down */
    PDR_OWNER_PROBING,  /* before the fence: does the store answer, how does the log end, who owns it */
    PDR_OWNER_FENCING,  /* FENCE sent, not yet reported */
    PDR_OWNER_CLAIMING, /* setting the store's term, loading the row */
    PDR_OWNER_SCANNING, /* reading from the checkpoint up to the FENCE; saving as it goes when the tail is
                           long */
    PDR_OWNER_SERVING,
    PDR_OWNER_WAITING, /* backing off before the next attempt */
    PDR_OWNER_FAILED,  /* corrupt or too new: stopped; the error says why */
} pdr_owner_state;

typedef struct pdr_owner_settings {
    int64_t delivery_timeout_us; /* an append without report for longer: recover. 10 s */
    int64_t store_timeout_us;    /* a claim or load without completion for longer: try again. 15 s */
    int64_t snapshot_age_us;     /* an entity is saved when its oldest unsaved event is older. 10 s */
    uint32_t snapshot_events;    /* ... or when it has as many unsaved events. 500 */
    uint64_t scan_limit;         /* records a takeover may have to scan; beyond: BUSY. 1,000,000 */
    size_t tail_bytes; /* of unsaved events held during a recovery; beyond, it saves as it goes. 512 MiB */
    uint32_t max_commands;        /* open at once in the partition; beyond: BUSY. 65,536 */
    uint32_t max_entity_commands; /* open at once at one entity. 4,096 */
    uint32_t lookup_batch;        /* entities in one look-up. 1,000 */
    uint32_t lookup_permits;      /* look-ups under way at once. 4 */
    uint32_t save_batch;          /* entities in one save. 2,000 */
    size_t resident_bytes;        /* memory of resident entities; beyond: passivation. 256 MiB */
    int64_t idle_us;              /* passivation of an entity untouched for so long. 10 min */
    int64_t backoff_min_us,
        backoff_max_us;  /* after failures and depositions: doubling, with jitter. 50 ms, 30 s */
    bool checkpointing;  /* false: saves only when the scan limit presses (bench, tests). true */
    bool check_handlers; /* apply every event twice and compare (debug). false */
} pdr_owner_settings;

void pdr_owner_settings_init(pdr_owner_settings *settings);

typedef struct pdr_owner_config {
    int32_t partition, partitions;
    uint8_t journal_id[PDR_ID_SIZE];
    pdr_bytes address;  /* of this node, copied; at most PDR_MAX_ADDRESS */
    const pdr_app *app; /* borrowed, validated */
    /* Where writer schemas that it meets are kept, shared with other owners; borrowed. NULL: one of its own.
     */
    pdr_schema_book *book;
    pdr_owner_settings settings;
    /* Values carry a schema registry's ids out of this book, which is `book`; NULL: fingerprints. */
    const pdr_schema_book *ids;
    bool ids_are_new; /* the store may not have all of them: they are saved as soon as it serves */
    /* Told on each change of state, inside turn or poll; may be NULL. error: why, NULL when all is well. */
    void (*changed)(void *context, pdr_owner *owner, pdr_owner_state state, const pdr_error *error);
    void *context;
} pdr_owner_config;

/* Counted since open. X(member, "words for ./dev sim") */
#define PDR_OWNER_COUNTER_MAP(X)                                                                             \
    X(commands, "commands submitted")                                                                        \
    X(events, "events acknowledged")                                                                         \
    X(marks, "MARK records")                                                                                 \
    X(recoveries, "recoveries")                                                                              \
    X(gap_reads, "gap read")                                                                                 \
    X(unknown_reports, "unknown report")                                                                     \
    X(refences, "re-fence")                                                                                  \
    X(late_own_fences, "late own FENCE")                                                                     \
    X(depositions, "deposed")                                                                                \
    X(older_ghosts, "ghost of an older generation")                                                          \
    X(torn_commits, "torn commit")                                                                           \
    X(foreign_recoveries, "recovery with a foreign FENCE in between")                                        \
    X(turned_back, "store turned back")                                                                      \
    X(turned_back_equal, "store turned back with an equal checkpoint")                                       \
    X(refused_saves, "refused save")                                                                         \
    X(unknown_saves, "save of unknown outcome")                                                              \
    X(activations, "activation")                                                                             \
    X(activations_during_save, "activation during a save")                                                   \
    X(joined_ids, "id joined in flight")                                                                     \
    X(repeated_ids, "first answer repeated")                                                                 \
    X(other_revisions, "state of another revision")                                                          \
    X(history_reads, "state brought up from history")                                                        \
    X(older_states, "state of an earlier seq or revision taken as the start")                                \
    X(schema_seeks, "unknown schema looked for")                                                             \
    X(saves, "saves")                                                                                        \
    X(saved_heads, "heads saved")                                                                            \
    X(passivations, "passivation")                                                                           \
    X(broken, "entity unavailable")                                                                          \
    X(redecided, "command decided again")                                                                    \
    X(long_tails, "tail saved as it was read")                                                               \
    X(voids, "void records met")                                                                             \
    X(foreigns, "records without our header met")                                                            \
    X(malformeds, "malformed headers met")                                                                   \
    X(busy, "answered BUSY")

typedef struct pdr_owner_counters {
#define PDR_OWNER_COUNTER_MEMBER(name, words) uint64_t name;
    PDR_OWNER_COUNTER_MAP(PDR_OWNER_COUNTER_MEMBER)
#undef PDR_OWNER_COUNTER_MEMBER
} pdr_owner_counters;

PDR_CHECKED pdr_code pdr_owner_open(pdr_owner **out, const pdr_owner_config *config, pdr_log *log,
                                    pdr_store *store, pdr_env *env, pdr_error *err);
/* Every open command is completed first, with PDR_UNKNOWN_OUTCOME (its events may count) or PDR_CANCELLED (it
 * was not begun). NULL is fine. */
void pdr_owner_close(pdr_owner *owner);

/* Own the partition under this generation of the group's assignment (0: static list): claim it, and again
 * whenever it is lost. */
void pdr_owner_assign(pdr_owner *owner, int64_t generation);
/* The assignment ended: answer what is open, save what is dirty if that is possible, then be IDLE. New
 * commands get NOT_OWNER. */
void pdr_owner_resign(pdr_owner *owner);

/* Save everything that is dirty as soon as possible, until pdr_owner_is_clean. */
void pdr_owner_flush(pdr_owner *owner);
/* No open command, nothing dirty, and the checkpoint at the end of what is known. */
bool pdr_owner_is_clean(const pdr_owner *owner);

/* Instead of owning: make the store from the log, from the checkpoint (after a reset: the beginning) to the
 * log's end, without a FENCE. Ends IDLE with no error, or with one: PDR_STALE: an owner has taken over and
 * goes on from there itself. */
void pdr_owner_rebuild(pdr_owner *owner);

/* Take a command. PDR_OK: the owner owns it and completes it exactly once. Otherwise (PDR_BUSY,
 * PDR_NOT_OWNER, or the error of a FAILED owner) the caller still owns it. */
PDR_CHECKED pdr_code pdr_owner_submit(pdr_owner *owner, pdr_cmd *cmd, pdr_error *err);

/* Do what is due: decide what was submitted, send what waits, check time limits. Call it after submitting and
 * after polling. Returns the monotonic time (microseconds) at which it wants to be called again at the
 * latest; INT64_MAX: whenever something comes. */
int64_t pdr_owner_turn(pdr_owner *owner);

pdr_owner_state pdr_owner_state_of(const pdr_owner *owner);
uint64_t pdr_owner_open_commands(const pdr_owner *owner); /* submitted and not yet completed; cheap */
const char *pdr_owner_state_name(pdr_owner_state state);
const pdr_error *pdr_owner_error(const pdr_owner *owner); /* why FAILED or WAITING; code PDR_OK: no reason */
void pdr_owner_counters_of(const pdr_owner *owner, pdr_owner_counters *out);

/* For gauges, benches and the simulation. */
typedef struct pdr_owner_gauges {
    pdr_term term;
    int64_t known_end;     /* offset of the newest acknowledged record */
    int64_t checkpoint;    /* offset of the checkpoint */
    uint64_t residents;    /* entities in memory */
    uint64_t dirty;        /* ... with unsaved events */
    size_t resident_bytes; /* all of them: shells, states, ids */
    size_t shell_bytes;    /* ... without states and windows of command ids */
    size_t ids_bytes;      /* the windows of command ids */
    uint64_t open_commands;
    uint64_t in_flight; /* records sent and not acknowledged */
} pdr_owner_gauges;
void pdr_owner_gauges_of(const pdr_owner *owner, pdr_owner_gauges *out);

#endif
