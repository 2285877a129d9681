/* Does a journal keep its rules? Every invariant of docs/ARCHITECTURE.md that log and store show, looked for
 * record by record: what `perdure verify` tells.
 *
 * No I/O: it is given what the store says, then the log's records. Beside owners at work this order is what
 * makes the two comparable: the partitions' rows, then the heads, then the rows again, then where views
 * stand, and only then the log, up to where it ends after that.
 *
 * Memory is bounded: entities that have no room wait for another pass over store and log. An entity takes its
 * id (512 bytes at most), the offsets of its events that were in flight together (8 bytes each, 65536 at
 * most), its window of command ids twice, its stored state, and, while that is being compared, the folded
 * state (PDR_MAX_STATE each, and what the fold's arena adds). One entity always has room.
 *
 * Threads: one at a time; but records of different partitions may be given by different threads at once, and
 * then findings come on these. */
#ifndef PDR_REPLAY_VERIFY_H
#define PDR_REPLAY_VERIFY_H

#include "journal/fold.h"
#include "journal/log.h"
#include "journal/record.h"
#include "journal/store.h"

/* X(NAME, "name", "what is looked at"): docs/operations.md has the same table. */
#define PDR_INVARIANT_MAP(X)                                                                                 \
    X(LOG_WHOLE, "log-whole", "the log has all its records from the first on, and they can be read")         \
    X(FORMAT, "format", "no record is of a newer format")                                                    \
    X(JOURNAL_ID, "journal-id", "FENCEs, store and views are of one journal with one number of partitions")  \
    X(ONE_TERM, "one-term-in-force", "each record that doesn't count is explained by the void rule")         \
    X(FRAMING, "framing", "headers can be read; keys and values have the form of their kind")                \
    X(ALL_OR_NONE, "all-or-none", "commits are whole: one entity, one command, their records in order")      \
    X(PARTITION, "partition", "an entity is in the partition that murmur2 of its id gives")                  \
    X(SEQ, "seq-contiguous", "an entity's events are 1, 2, 3, ...")                                          \
    X(BACKLINKS, "backlinks", "an event's backlink names that entity's earlier event, and where it is")      \
    X(SCHEMAS, "schemas",                                                                                    \
      "each event names a SCHEMA record before it in its term; schemas are what they say")                   \
    X(READABLE, "readable", "today's code, or else its writer's schema, reads each event")                   \
    X(ONCE_PER_ID, "once-per-command-id", "a command id makes events once, within the window")               \
    X(HEADS, "heads", "seq, position and command ids of each head are what the log's headers say")           \
    X(SNAPSHOTS, "snapshot-is-a-prefix", "each state of today's revision is the fold of its first events")   \
    X(COVERS, "checkpoint-covers", "every event that counts up to the checkpoint is in its head")            \
    X(POSITIONS, "positions", "terms, checkpoints, newest heads and views stand on records in sequence")     \
    X(DEAD_LETTERS, "dead-letters", "parked events are in the log where the letters say")

typedef enum pdr_verify_rule {
#define PDR_VERIFY_ENUM(name, text, about) PDR_VERIFY_##name,
    PDR_INVARIANT_MAP(PDR_VERIFY_ENUM)
#undef PDR_VERIFY_ENUM
        PDR_VERIFY_RULES
} pdr_verify_rule;

const char *pdr_verify_name(pdr_verify_rule rule);  /* "seq-contiguous" */
const char *pdr_verify_about(pdr_verify_rule rule); /* what is looked at */

/* One thing that isn't as it must be. Borrowed until the callback returns. */
typedef struct pdr_finding {
    pdr_verify_rule rule;
    int32_t partition;    /* -1: none */
    int64_t offset;       /* -1: none */
    pdr_bytes entity;     /* size 0: none; any bytes, if they are what is wrong */
    uint64_t seq;         /* 0: none */
    const char *expected; /* what must be there; UTF-8 */
    const char *found;    /* what is; UTF-8 */
} pdr_finding;

typedef struct pdr_verify_sink {
    void (*finding)(void *context, const pdr_finding *finding);
} pdr_verify_sink;

typedef struct pdr_verify_spec {
    int32_t partitions; /* of the log */
    bool has_journal_id;
    uint8_t journal_id[PDR_ID_SIZE]; /* the store's; without it the first FENCE's of each partition */
    bool has_store;                  /* rows and heads will be given */
    /* How an entity's events are read; NULL from it: its type isn't declared. The function NULL: there is no
     * application: events aren't read, and states and windows only as far as headers tell. */
    const pdr_folder *(*folder)(void *context, pdr_bytes entity);
    /* Does an event of a type without a folder decode by the schema that it was written with? NULL: it isn't
     * looked at. `scratch` is empty. Any thread. */
    pdr_code (*written)(void *context, int32_t partition, const pdr_log_record *record,
                        const pdr_header *header, pdr_buf *scratch, pdr_error *err);
    void *folder_context;  /* of both */
    pdr_schema_book *book; /* takes the schemas that are met; the folders look there */
    size_t memory;         /* bytes for entities */
    const pdr_verify_sink *sink;
    void *context;
} pdr_verify_spec;

/* Of all that counts, once each however many passes there were. */
typedef struct pdr_verify_totals {
    uint64_t records, events, commits, entities, fences, schemas, marks;
    uint64_t heads, states;  /* compared */
    uint64_t other_states;   /* of other revisions: not looked at */
    uint64_t incomparable;   /* states of entities whose history is damaged or can't be read */
    uint64_t unread;         /* events that no code of the application reads */
    uint64_t unlinked;       /* backlinks to events too far back to be remembered */
    uint64_t late;           /* void: of a term that was over */
    uint64_t repeats, holes; /* void: the number was there before; numbers before it are missing */
    uint64_t torn;           /* void: their commit was cut off by a FENCE */
    uint64_t foreign;        /* void: without a header of ours */
    uint64_t malformed;      /* void: with a header that can't be read; each is a finding */
    uint64_t positions, letters;
    uint64_t findings[PDR_VERIFY_RULES];
} pdr_verify_totals;

typedef struct pdr_verify pdr_verify;

/* `spec` is copied; what it points to lives as long as *out, which is yours. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_verify_open(pdr_verify **out, const pdr_verify_spec *spec, pdr_error *err);
void pdr_verify_close(pdr_verify *verify); /* NULL is fine */

/* --- A pass: begin, then what the store says, then the records --- */

/* PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_verify_begin(pdr_verify *verify, pdr_error *err);
/* In the first pass; else it may be left out. */
PDR_CHECKED pdr_code pdr_verify_row(pdr_verify *verify, int32_t partition, const pdr_partition_row *row,
                                    pdr_error *err);
/* As a store's dump gives them: one call for each of an entity's states, following each other. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_verify_head(pdr_verify *verify, int32_t partition, const pdr_head *head,
                                     pdr_error *err);
/* The row once more, after the heads. PDR_UNAVAILABLE: the store was made anew meanwhile: begin again later.
 */
PDR_CHECKED pdr_code pdr_verify_row_after(pdr_verify *verify, int32_t partition, const pdr_partition_row *row,
                                          pdr_error *err);
/* Where a view stands, in the first pass. `whose`: "projection loans, version 2". PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_verify_position(pdr_verify *verify, int32_t partition, pdr_position position,
                                         const char *whose, pdr_error *err);
/* A dead letter, in the first pass. PDR_NOMEM. */
typedef struct pdr_verify_letter {
    int32_t partition;
    int64_t offset;
    pdr_position before;
    pdr_bytes entity;
    uint64_t seq;
    const char *whose;
} pdr_verify_letter;
PDR_CHECKED pdr_code pdr_verify_dead_letter(pdr_verify *verify, const pdr_verify_letter *letter,
                                            pdr_error *err);
/* What the caller itself found. */
void pdr_verify_tell(pdr_verify *verify, const pdr_finding *finding);

/* Is there anything left for this partition in this pass? If not its records needn't be given. */
bool pdr_verify_wants(const pdr_verify *verify, int32_t partition);
/* The next record of a partition, from its first on, by ascending offset. PDR_CANCELLED: no more of it is
 * wanted (a record stops every reader: that was told). PDR_NOMEM, and what kept `written` from reading. */
PDR_CHECKED pdr_code pdr_verify_take(pdr_verify *verify, int32_t partition, const pdr_log_record *record,
                                     pdr_error *err);
/* The partition's records were all given: `end` is the offset behind its last. */
void pdr_verify_end(pdr_verify *verify, int32_t partition, int64_t end);
/* The rest of the partition can't be read: a finding where the log is damaged. */
void pdr_verify_lost(pdr_verify *verify, int32_t partition, const pdr_error *why);

/* Did entities find no room? Then another pass is due. */
bool pdr_verify_unfinished(const pdr_verify *verify);
pdr_verify_totals pdr_verify_totals_of(const pdr_verify *verify);
uint64_t pdr_verify_findings(const pdr_verify_totals *totals); /* all rules' */

#endif
