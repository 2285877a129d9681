/* The journal: persistent entities on a log and a store. This is the header that an application reads first.
 *
 * Threads: a pdr_journal may be used by any number of threads at once unless a function says otherwise.
 * Completions run inside pdr_poll, or, when `workers` > 0 and `complete_on_worker` is set, on the partition's
 * worker thread; never inside the submitting call. A blocking call made in a completion is PDR_WRONG_THREAD.
 * No use across fork: the child must not touch a journal of its parent (PDR_CLOSED). */
#ifndef PERDURE_JOURNAL_H
#define PERDURE_JOURNAL_H

#include "perdure/entity.h"
#include "perdure/reply.h"
#include "perdure/setting.h"
#include "perdure/token.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pdr_journal pdr_journal;

/* A command that failed and had nobody to tell (pdr_tell). */
typedef void (*pdr_failed_tell)(void *context, pdr_string entity, const pdr_error *error);
/* Everything is borrowed until pdr_journal_open returns, except `app`, which must live as long as the
 * journal. */
typedef struct pdr_options {
    size_t abi_size;         /* sizeof(pdr_options); set by PDR_OPTIONS_INIT and pdr_options_init */
    const char *journal;     /* "kafka://host:9092/loans", "sqlite:loans.db"; NULL: $PERDURE_JOURNAL */
    const char *store;       /* "postgres://user@host/db", "sqlite:loans.db"; NULL: $PERDURE_STORE, else the
                                journal's own file if that is SQLite. With own_nothing only histories need it */
    const pdr_app *app;      /* NULL: no entity types; append and read only */
    unsigned workers;        /* threads that the owned partitions are spread over; 0: none, the caller drives
                                everything by pdr_poll */
    bool complete_on_worker; /* completions don't wait for pdr_poll; without workers it changes nothing */
    const int32_t *partitions; /* which to own; NULL: all */
    size_t partition_count;
    bool own_nothing;    /* readers and tools: never fences */
    const char *address; /* of this process, told to those who meet its FENCE: "host:port" or any text; NULL:
                            "hostname/pid" */
    const pdr_setting *settings;
    size_t setting_count;
    pdr_failed_tell failed_tell; /* NULL: only counted */
    pdr_log_line log_line;       /* NULL: none */
    void *context;               /* for the two above */
} pdr_options;

/* clang-format off */
#define PDR_OPTIONS_INIT {sizeof(pdr_options), NULL, NULL, NULL, 0, false, NULL, 0, false, NULL, NULL, 0, NULL, NULL, NULL}
/* clang-format on */
PDR_API void pdr_options_init(pdr_options *options);

/* Make the log (topic or file) and the store's tables, or check that what is there fits. What `perdure init`
 * does. Idempotent. Blocking. PDR_EXISTS (another number of partitions), PDR_WRONG_JOURNAL,
 * PDR_UNSAFE_SETTING, PDR_UNAVAILABLE, ... */
PDR_API PDR_CHECKED pdr_code pdr_journal_init(const pdr_options *options, int32_t partitions, pdr_error *err);

/* Connect, check settings and versions, begin to claim the partitions. Blocking until log and store answered
 * (setting open.timeout.ms, 10 s). *out is yours: close it. */
PDR_API PDR_CHECKED pdr_code pdr_journal_open(pdr_journal **out, const pdr_options *options, pdr_error *err);
/* Wait until every owned partition serves, or timeout_ms passed (PDR_TIMEOUT names what is missing), or one
 * failed for good. Drives the journal itself when it has no workers. */
PDR_API PDR_CHECKED pdr_code pdr_journal_wait(pdr_journal *journal, int timeout_ms, pdr_error *err);
/* Wait until every command so far is answered and everything is saved in the store. Drives the journal when
 * it has no workers. */
PDR_API PDR_CHECKED pdr_code pdr_journal_drain(pdr_journal *journal, int timeout_ms, pdr_error *err);
/* Drains for at most the setting close.timeout.ms (10 s), completes what is still open with
 * PDR_UNKNOWN_OUTCOME or, if it was not begun, PDR_CANCELLED, frees everything. Completions that wait for
 * pdr_poll run in here. Blocking calls under way in other threads end first; none may begin any more. Readers
 * are closed before. In a completion it does nothing but log an error. NULL is fine. */
PDR_API void pdr_journal_close(pdr_journal *journal);

PDR_API int32_t pdr_journal_partitions(const pdr_journal *journal);
PDR_API int32_t pdr_journal_partition_of(const pdr_journal *journal, pdr_string entity);
/* Who owned the partition last: the address in its FENCE, cut to `size` - 1 bytes and NUL-terminated. A hint:
 * it may be gone, or deposed. Looked up at most once a second. Blocking, any thread. PDR_NOT_FOUND: nobody
 * ever did. PDR_TIMEOUT, PDR_UNAVAILABLE, PDR_BAD_URL (no store), PDR_WRONG_THREAD, ... */
PDR_API PDR_CHECKED pdr_code pdr_journal_owner_of(pdr_journal *journal, int32_t partition, int timeout_ms,
                                                  char *address, size_t size, pdr_error *err);

/* --- Commands --- */

/* What to ask of an entity. Zero-initialise, then set what is needed; everything is borrowed for the call and
 * copied. */
typedef struct pdr_request_spec {
    pdr_string entity;     /* "loan/173688" */
    const pdr_type *type;  /* of the command: one that the entity's type declares */
    const void *command;   /* the generated struct */
    pdr_bytes id;          /* command id; size 0: none (pdr_ask draws one) */
    bool has_expected_seq; /* refuse with PDR_CONFLICT unless the entity is at expected_seq */
    uint64_t expected_seq;
    pdr_bytes correlation, causation; /* ids for tracing; size 0: none */
    pdr_string traceparent;           /* W3C trace context; size 0: none */
} pdr_request_spec;

/* Asynchronous: `done` runs exactly once if this returns PDR_OK, never otherwise. PDR_BUSY: too much is open
 * in the partition (setting commands.max): poll, then try again. PDR_NOT_OWNER: not one of this process's
 * partitions. PDR_UNKNOWN_TYPE, PDR_INVALID_ARGUMENT, PDR_TOO_LARGE, PDR_NOMEM, PDR_CLOSED. What turns out
 * later is the reply's code, PDR_BUSY (entity.commands.max, scan.limit) and PDR_NOT_OWNER (deposed; the
 * message says by whom) among them. `done` NULL: a tell; its failure goes to failed_tell and a counter. Any
 * thread, also in a completion.
 *
 * Commands of one entity are decided in the order in which one thread sent them, except when the partition
 * changes hands meanwhile: then a later one may get through, or be sent again by the caller, before an
 * earlier one. Who has several in flight for one entity and needs their order gives expected_seq (or waits
 * for each reply); the ones that came too early are then refused with PDR_CONFLICT. */
PDR_API PDR_CHECKED pdr_code pdr_send(pdr_journal *journal, const pdr_request_spec *spec, pdr_completion done,
                                      void *context, pdr_error *err);
/* Many at once, cheaper than one by one. contexts: one per spec, or NULL for all NULL. *taken: how many were
 * accepted, the first ones; on an error the one at
 * [*taken] caused it. */
PDR_API PDR_CHECKED pdr_code pdr_send_batch(pdr_journal *journal, const pdr_request_spec *specs, size_t count,
                                            pdr_completion done, void *const *contexts, size_t *taken,
                                            pdr_error *err);
/* pdr_send without completion. */
PDR_API PDR_CHECKED pdr_code pdr_tell(pdr_journal *journal, const char *entity, const pdr_type *type,
                                      const void *command, pdr_error *err);

/* An answer that outlives its completion: what blocking calls give. A value; nothing to release. */
typedef struct pdr_answered {
    pdr_code code;
    uint64_t seq;
    uint32_t events;
    bool repeated;
    int32_t partition;
    pdr_position position;
    uint8_t answer[PDR_MAX_REPLY + 1]; /* NUL-terminated for convenience */
    size_t answer_size;
    uint8_t id[PDR_MAX_COMMAND_ID]; /* the command id that was used: ask again with it after PDR_TIMEOUT */
    size_t id_size;
} pdr_answered;

/* Blocking: the result is the reply's code (PDR_OK accepted, PDR_REFUSED with answer->answer, ...) or
 * PDR_TIMEOUT: still open, ask again with answer->id. Drives the journal when it has no workers (then from
 * one thread at a time). */
PDR_API PDR_CHECKED pdr_code pdr_ask(pdr_journal *journal, const pdr_request_spec *spec, int timeout_ms,
                                     pdr_answered *answer, pdr_error *err);

/* Read one's own write: the token of an answer as text, for pdr_view_wait (perdure/wait.h) and
 * perdure.view_ready in PostgreSQL. `entity`: the one that was asked. Of a reply in a completion:
 * pdr_reply_token. Any thread, also in a completion. PDR_INVALID_ARGUMENT: it is no answer that rests on
 * events (PDR_OK, PDR_REFUSED, PDR_CONFLICT). */
PDR_API PDR_CHECKED pdr_code pdr_answered_token(const pdr_journal *journal, pdr_string entity,
                                                const pdr_answered *answer, char out[PDR_VIEW_TOKEN_SIZE],
                                                pdr_error *err);
PDR_API PDR_CHECKED pdr_code pdr_reply_token(const pdr_journal *journal, pdr_string entity,
                                             const pdr_reply *reply, char out[PDR_VIEW_TOKEN_SIZE],
                                             pdr_error *err);

/* Append events without an actor, with optimistic concurrency. For entity types that the app declares the
 * events are folded into the state as well. `spec->type` and `spec->command` are unused. */
typedef struct pdr_new_event {
    const pdr_type *type;
    const void *value;
    int64_t time_us; /* event time; 0: now */
} pdr_new_event;
PDR_API PDR_CHECKED pdr_code pdr_journal_append(pdr_journal *journal, const pdr_request_spec *spec,
                                                const pdr_new_event *events, size_t count,
                                                pdr_completion done, void *context, pdr_error *err);

/* Read an entity's seq and packed state. stale_ok: answer from memory without asking the log whether this
 * process still owns the partition. */
PDR_API PDR_CHECKED pdr_code pdr_read(pdr_journal *journal, pdr_string entity, bool stale_ok,
                                      pdr_completion done, void *context, pdr_error *err);
/* Blocking: fill `state` (the entity type's generated struct; memory from `arena`), *seq 0 and the initial
 * state for an entity without events. */
PDR_API PDR_CHECKED pdr_code pdr_read_state(pdr_journal *journal, const char *entity, bool stale_ok,
                                            int timeout_ms, pdr_arena *arena, void *state, uint64_t *seq,
                                            pdr_error *err);

/* --- Event loops --- */

/* Run completions (and, without workers, everything else) until none is left, waiting for the first at most
 * timeout_ms (0: don't wait, -1: as long as it takes). Gives how many completions ran. One thread at a time;
 * without workers other threads may send and make blocking calls meanwhile, which then share the work. In a
 * completion it does nothing. */
PDR_API size_t pdr_poll(pdr_journal *journal, int timeout_ms);
/* A file descriptor that is readable when pdr_poll has something to do; *timeout_ms: call it then at the
 * latest (-1: no limit). The descriptor stays the same until close, the time limit doesn't: ask before each
 * wait. -1: no journal, or out of descriptors. In an event loop: pdr_poll_fd, wait, pdr_poll(journal, 0). */
PDR_API int pdr_poll_fd(pdr_journal *journal, int *timeout_ms);

/* --- Reading the log --- */

/* An event as readers see it: only events that count, in the order of the partition. Ranges live until the
 * next call on the reader. */
typedef struct pdr_logged_event {
    int32_t partition;
    pdr_position position; /* of this event's commit: where to go on from after it; offset is the commit's
                              last record's. In a history PDR_POSITION_START: go on by seq */
    int64_t offset;        /* of this event's own record */
    pdr_string entity;
    uint64_t seq;
    uint32_t index, count; /* in its commit */
    uint32_t part, parts;  /* an upcaster made several of one stored event: which of them this is, from 0; all
                              have its seq, offset and position. Events that upcasters drop aren't given */
    int64_t time_us;       /* event time */
    int64_t append_ms;     /* log time */
    uint64_t fingerprint;  /* writer's schema */
    const pdr_type *type;  /* one of today's events; NULL: not declared by the app, and not readable as one */
    const void *value;     /* decoded; NULL with type NULL */
    pdr_bytes datum;       /* Avro datum without framing */
    pdr_bytes id, correlation, causation, reply;
} pdr_logged_event;

typedef struct pdr_reader pdr_reader;

/* Read a partition from after `from` (PDR_POSITION_START: from the beginning; positions come from events and
 * replies). One thread at a time; needs no ownership. */
PDR_API PDR_CHECKED pdr_code pdr_reader_open(pdr_reader **out, pdr_journal *journal, int32_t partition,
                                             pdr_position from, pdr_error *err);
/* Read one entity's whole history from `after_seq`, up to its newest event. Works beside owners, in any
 * process. */
PDR_API PDR_CHECKED pdr_code pdr_history_reader_open(pdr_reader **out, pdr_journal *journal,
                                                     pdr_string entity, uint64_t after_seq, pdr_error *err);
/* *event NULL: nothing more now: a partition reader has reached the log's end as it was when the call began
 * (timeout_ms 0: as far as is known), a history is at its end. Waits at most timeout_ms (PDR_TIMEOUT: call it
 * again). PDR_BAD_DATA, PDR_BAD_HANDLER (an upcaster), PDR_NOMEM: one event can't be read; the next call goes
 * on after it. PDR_CORRUPT, PDR_TOO_NEW, PDR_OUT_OF_RANGE, PDR_UNAVAILABLE, PDR_STALE (the store was changed
 * or reset while a history was read: open another) end the reader. In a completion only with timeout_ms 0. */
PDR_API PDR_CHECKED pdr_code pdr_reader_next(pdr_reader *reader, const pdr_logged_event **event,
                                             int timeout_ms, pdr_error *err);
PDR_API void pdr_reader_close(pdr_reader *reader); /* NULL is fine */

/* Fold events oneself: a state that starts as the type's init leaves it. The library owns it. One thread at a
 * time; needs no journal. */
typedef struct pdr_fold pdr_fold;
PDR_API PDR_CHECKED pdr_code pdr_fold_open(pdr_fold **out, const pdr_entity_type *type, pdr_error *err);
/* Give it every part of an event that became several. PDR_UNKNOWN_SCHEMA, PDR_BAD_DATA, PDR_BAD_HANDLER,
 * PDR_NOMEM: there is no state any more, only close is left. */
PDR_API PDR_CHECKED pdr_code pdr_fold_apply(pdr_fold *fold, const pdr_logged_event *event, pdr_error *err);
/* Valid until the next apply; NULL after a failure. */
PDR_API const void *pdr_fold_state(const pdr_fold *fold);
PDR_API void pdr_fold_close(pdr_fold *fold);

/* --- Numbers --- */

typedef struct pdr_stats {
    uint64_t commands, events, failed_tells, busy, recoveries, depositions, activations, saves, saved_heads,
        void_records;
    uint64_t residents, dirty, open_commands;
    size_t resident_bytes, shell_bytes, ids_bytes;
    uint64_t history_reads; /* states brought up by reading the entity's history */
    uint64_t longest_tail;  /* records that a takeover would scan in the worst partition */
} pdr_stats;
/* Summed over the owned partitions, as of a moment in the call; waits for the workers to look. In a
 * completion on a worker thread: of that worker's partitions only. Walks over all resident entities: not for
 * every command. */
PDR_API void pdr_journal_stats(pdr_journal *journal, pdr_stats *out);

#ifdef __cplusplus
}
#endif
#endif
