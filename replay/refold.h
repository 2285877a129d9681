/* Folding history again: every event of the entities that are wanted through an application's code, and, if
 * that is asked for, through another version of it or against snapshots; says where states differ, what can't
 * be read, what fails or crashes. It is given whole commits in their partition's order. No I/O, no clock. One
 * thread. */
#ifndef PDR_REPLAY_REFOLD_H
#define PDR_REPLAY_REFOLD_H

#include <stdatomic.h>

#include "journal/commit_reader.h"
#include "journal/store.h"
#include "replay/choice.h"
#include "replay/deviations.h"
#include "replay/folded.h"

typedef struct pdr_refold pdr_refold;

/* The event under way, in memory that another process may share: what it was at when it died. */
typedef struct pdr_refold_mark {
    atomic_ullong events; /* folded so far */
    atomic_ullong found;
    atomic_bool busy; /* inside the application's code */
    int32_t partition;
    int64_t offset;
    uint64_t seq;
    uint32_t key_size;
    uint8_t key[PDR_LOG_MAX_KEY];
    char why[160]; /* who ends the process on purpose says why */
} pdr_refold_mark;

/* An event that ended a process before: it isn't folded again. */
typedef struct pdr_refold_fatal {
    uint64_t seq;
    uint32_t key_size;
    uint8_t key[PDR_LOG_MAX_KEY];
    char why[160];
} pdr_refold_fatal;

typedef struct pdr_refold_spec {
    const pdr_app *app;
    const pdr_folder *const *folders; /* of the application's entity types, in order */
    const pdr_app *against;           /* another version of the code; NULL: none */
    const pdr_folder *const *against_folders;
    bool snapshots;              /* compare with what pdr_refold_expect tells */
    const pdr_schema_book *book; /* knows names of schemas; may be NULL */
    int32_t partitions;          /* of the log */
    uint32_t check_every;        /* one entity in so many is folded twice (pdr_state_fold); 0: none */
    bool has_since;
    int64_t since_us;          /* only entities with an event at or after this event time count */
    const pdr_choice *choice;  /* NULL: all entities */
    const pdr_string *ignored; /* see pdr_comparison_open */
    size_t ignored_count;
    size_t samples;        /* see pdr_deviations_open */
    size_t memory;         /* bytes for entities and their states; beyond it states are packed */
    pdr_refold_mark *mark; /* NULL: none */
    const pdr_refold_fatal *fatals;
    size_t fatal_count;
    /* A fault of the application's code was caught (replay/guard.h). May end the process. NULL: go on. */
    void (*crashed)(void *context, const char *why);
    /* An entity that was asked for has no events: more may be said of it, ended by NUL. NULL: nothing is. */
    void (*absent)(void *context, pdr_bytes entity, char *text, size_t room);
    void *context;
} pdr_refold_spec;

/* `spec` is copied, what it points to must live as long as the refold. PDR_NOMEM, PDR_BAD_DATA. */
PDR_CHECKED pdr_code pdr_refold_open(pdr_refold **out, const pdr_refold_spec *spec, pdr_error *err);
void pdr_refold_close(pdr_refold *refold); /* NULL is fine */

/* A row of the store, before the first commit of its partition: compared with if this code can read it. A
 * store has several revisions' states of an entity: the best one is taken. */
PDR_CHECKED pdr_code pdr_refold_expect(pdr_refold *refold, int32_t partition, const pdr_head *head,
                                       pdr_error *err);
/* The next commit. PDR_NOMEM, also where even packed states don't fit. */
PDR_CHECKED pdr_code pdr_refold_take(pdr_refold *refold, int32_t partition, const pdr_commit_event *events,
                                     size_t count, pdr_position at, pdr_error *err);
/* A commit of this entity comes some PDR_SCAN_AHEAD records later (replay/scan.h): only makes it faster. */
void pdr_refold_coming(pdr_refold *refold, int32_t partition, pdr_bytes key);
/* The partition is at its end: what is left is looked at, and its states are given back. */
PDR_CHECKED pdr_code pdr_refold_end(pdr_refold *refold, int32_t partition, pdr_error *err);
/* What was found so far in a partition. Borrowed. */
pdr_deviations *pdr_refold_deviations(pdr_refold *refold, int32_t partition);
bool pdr_refold_has_ended(const pdr_refold *refold, int32_t partition);
/* Where the partition is to be read on from. */
pdr_position pdr_refold_position(const pdr_refold *refold, int32_t partition);
size_t pdr_refold_memory(const pdr_refold *refold); /* bytes in use */

/* A partition as it stands, to go on with in another process of the same code; between commits. save:
 * appends. load: once, before anything else of that partition. PDR_BAD_DATA, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_refold_save(pdr_refold *refold, int32_t partition, pdr_buf *out, pdr_error *err);
PDR_CHECKED pdr_code pdr_refold_load(pdr_refold *refold, int32_t partition, pdr_bytes saved, pdr_error *err);

#endif
