/* Inside the owner: its whole state, and what its parts offer each other. Only journal/owner*.c include this.
 *
 *   owner.c           open, close, submit, turn, states
 *   owner_recover.c   probe, fence, claim, serve: the one recovery path
 *   owner_scan.c      its reading from the checkpoint up to the FENCE
 *   owner_settle.c    reading the log past what is acknowledged: gaps, unknown reports, foreign FENCEs
 *   owner_tail.c      unsaved events from a scan; a long tail saved as it is read
 *   owner_run.c       the run of acknowledged records: appends, reports, answers
 *   owner_decide.c    commands against the newest state
 *   owner_activate.c  look-ups, states brought up
 *   owner_schema.c    writer schemas: met, saved, looked for
 *   owner_save.c      dirty queue, checkpointer, passivation */
#ifndef PDR_JOURNAL_OWNER_CORE_H
#define PDR_JOURNAL_OWNER_CORE_H

#include "base/mem.h"
#include "journal/decision.h"
#include "journal/entity_table.h"
#include "journal/history.h"
#include "journal/owner.h"
#include "journal/rules.h"
#include "journal/schema_seek.h"

/* A list of commands, first in first out. */
typedef struct pdr_own_cmds {
    pdr_cmd *first, *last;
} pdr_own_cmds;

/* A growing array of entity pointers. */
typedef struct pdr_own_entities {
    pdr_entity **items;
    size_t count, capacity;
} pdr_own_entities;

/* An entity's encoded save, from the moment it is due until the store has it. */
typedef struct pdr_own_item {
    struct pdr_own_item *next;
    pdr_entity *entity; /* pinned by QUEUED or SAVING */
    uint64_t seq;
    uint64_t number; /* of the record that must be acknowledged first */
    pdr_place last;
    int64_t timer_us;
    size_t ids_size, state_size;
    bool has_state;
    uint8_t bytes[]; /* ids, state */
} pdr_own_item;

/* A record that was sent and isn't acknowledged: in a ring by its number. */
typedef struct pdr_own_pending {
    int64_t reported;   /* offset, or PDR_OWN_UNREPORTED, or PDR_OWN_UNPLACED */
    pdr_entity *entity; /* of an event; NULL: other kinds, or dropped */
    pdr_own_item *item; /* a save to be handed over with this record's acknowledgement */
    bool closes;        /* no commit is open after it */
    const void
        *answer; /* the last command that began to wait for it: only to fetch it ahead, it may be gone */
} pdr_own_pending;
enum { PDR_OWN_UNREPORTED = -2, PDR_OWN_UNPLACED = -1 };

/* A record that the log's full queue didn't take. */
typedef struct pdr_own_unsent {
    struct pdr_own_unsent *next;
    uint64_t number;
    pdr_log_entry entry; /* ranges lie behind the struct */
} pdr_own_unsent;

typedef struct pdr_own_schema_slot {
    const pdr_type *type; /* NULL: free */
    uint64_t number;      /* of its SCHEMA record in the term */
} pdr_own_schema_slot;

/* A look-up under way. */
typedef struct pdr_own_lookup {
    struct pdr_own_lookup *next;
    struct pdr_owner *owner;
    uint64_t saves; /* the stamp's, when it was sent */
    size_t count;
    pdr_entity *entities[];
} pdr_own_lookup;

/* A state being brought up from history; or one that is loaded, with tail events of a schema that isn't
 * known. */
typedef struct pdr_own_catchup {
    struct pdr_own_catchup *next;
    struct pdr_owner *owner;
    pdr_entity *entity;
    pdr_history *history; /* NULL: waits for a permit, or for a schema */
    uint64_t head_seq;
    pdr_position head_last;
    bool tail;     /* only its tail waits */
    bool lacks;    /* waits for the schema that `seek` describes */
    pdr_error why; /* with lacks: what reading without it says */
    pdr_schema_seek_spec seek;
    uint64_t base_seq, base_revision; /* the state that it starts from; seq 0: none */
    pdr_bytes base;                   /* its packed bytes, behind this struct */
} pdr_own_catchup;

/* A schema being looked for. */
typedef struct pdr_own_seek {
    struct pdr_own_seek *next;
    struct pdr_owner *owner;
    pdr_schema_seek_spec spec;
    pdr_schema_seek *seek;
} pdr_own_seek;

/* Reading the log past what is acknowledged. */
typedef struct pdr_own_settle {
    pdr_log_reader *reader;
    pdr_walk walk;
    int64_t target;         /* done at this offset or later; INT64_MAX: at `end` */
    bool reached;           /* target or end */
    bool fenced;            /* met a FENCE: what the old term had open is definite */
    bool foreign;           /* the newest FENCE met isn't ours */
    int64_t foreign_offset; /* of the newest foreign FENCE; -1: none met */
    int64_t generation;     /* its group generation */
    int64_t end;
    uint8_t address[PDR_MAX_ADDRESS];
    size_t address_size;
} pdr_own_settle;

struct pdr_owner {
    pdr_owner_config config;
    uint8_t address[PDR_MAX_ADDRESS];
    pdr_log *log;
    pdr_store *store;
    pdr_env *env;
    pdr_folder **folders; /* by the app's entity types */
    int64_t now;          /* monotonic, of this turn */
    int64_t wall;         /* wall clock, of this turn */
    int64_t opened_at;

    pdr_owner_state state;
    pdr_error error;
    int64_t deadline; /* of the present step of a recovery, or of WAITING */
    int64_t backoff;
    int64_t served_since;
    int64_t generation;
    bool assigned, resigning, flushing, rebuilding;
    bool deposed; /* the reason of WAITING or IDLE: answers say NOT_OWNER */

    pdr_term **terms; /* interned: hashed, NULL where free */
    size_t term_count, term_capacity;
    const pdr_term *term;   /* own, in force as far as is known; NULL: never served */
    uint64_t *incarnations; /* of this owner's FENCEs */
    size_t incarnation_count, incarnation_capacity;

    /* The run. */
    pdr_log_writer *writer;
    uint64_t sent, acked; /* numbers in the term */
    int64_t known;        /* every record up to this offset was reported or read */
    pdr_place last;       /* the newest acknowledged record */
    pdr_place run;        /* ... that no open commit contains */
    pdr_own_pending *ring;
    size_t ring_mask;
    pdr_own_unsent *unsent, *unsent_last;
    int64_t progress_at;   /* when the oldest pending record became the oldest */
    uint64_t too_large;    /* number of the record that the log refused for its size; 0: none */
    uint64_t out_of_order; /* the highest number whose report came before its elder's; 0: none */
    pdr_own_settle settle;
    pdr_own_schema_slot *schemas; /* by fingerprint */
    size_t schema_mask, schema_count;

    /* Commands. */
    pdr_own_cmds inbox;   /* submitted, not yet looked at */
    pdr_own_cmds answers; /* wait for a record's acknowledgement; numbers ascend */
    uint64_t open_commands;
    pdr_decision decision;
    pdr_arena scratch;
    pdr_buf header;
    pdr_header event;          /* of the record that is sent; what events don't have stays zero */
    const pdr_type *last_type; /* the last command type that was found declared, and by whom */
    const pdr_folder *last_folder;

    /* Entities. */
    pdr_entity_table table;
    size_t resident_bytes;
    int64_t sweep_at; /* when passivation looks again */
    pdr_entity *dirty_first, *dirty_last;
    uint64_t dirty_count;
    pdr_own_entities hot; /* many unsaved events */
    pdr_own_entities to_lookup;
    pdr_own_lookup *lookups;
    uint32_t lookups_under_way;
    int64_t lookup_after;                      /* not before, after a failure */
    pdr_own_catchup *catchups, *catchups_last; /* oldest first */
    uint32_t catchups_under_way;
    int64_t catchup_after; /* not before, after a failure */
    pdr_own_seek *seeks;
    uint32_t seeks_under_way;

    /* The store. */
    pdr_partition_row row; /* as this owner last saw it */
    bool have_stamp;
    pdr_own_item *batch, *batch_last; /* handed over, not yet sent */
    size_t batch_count, queued_count;
    size_t gathered_bytes; /* of both */
    int64_t batch_since;
    pdr_own_item *saving; /* in the save under way */
    bool save_under_way, save_unknown;
    pdr_position saving_checkpoint, saving_seen;
    int64_t save_after; /* not before, after a failure */
    int64_t saved_at;
    pdr_schema_book *book, *own_book;
    bool ids_unsaved;      /* of schemas in a registry: the next save is due at once */
    uint64_t *new_schemas; /* fingerprints: met or sent, not yet saved; the book has them */
    size_t new_schema_count, new_schema_capacity, saving_schema_count;

    /* Recovery. */
    uint64_t recovery; /* counts; completions of an older one are dropped */
    bool loaded;       /* probe: the store answered */
    int64_t claim_at;  /* when to send the claim again; INT64_MAX: it is under way */
    uint64_t fence_incarnation;
    int64_t fence_offset; /* where the log shows it; -1: not yet */
    bool fence_reported;
    pdr_term refused_by;     /* the row's term when a claim was refused; offset -1: none */
    int64_t store_rested_on; /* what a claim found the store to rest on, at or after our FENCE; -1: never */
    unsigned refusal_waits;  /* fresh reads that missed the FENCE of refused_by */
    bool foreign;            /* foreign records since the last service */
    pdr_place run_before;
    pdr_log_reader *scan_reader;
    pdr_commit_reader scan;
    bool scan_open, scan_done, checkpoint_checked, seen_checked, saving_tail;
    struct pdr_own_block *tail_blocks;
    size_t tail_bytes;
    uint64_t tail_entities;
    uint64_t voids_told;

    pdr_owner_counters counters;
};

/* --- owner.c --- */
void pdr_own_enter(pdr_owner *o, pdr_owner_state state, const pdr_error *why);
void pdr_own_cmds_push(pdr_own_cmds *list, pdr_cmd *cmd);
pdr_cmd *pdr_own_cmds_pop(pdr_own_cmds *list);
void pdr_own_cmds_prepend(pdr_own_cmds *list, pdr_own_cmds *front); /* front is empty afterwards */
const pdr_term *pdr_own_intern(pdr_owner *o, pdr_term term);        /* NULL: out of memory */
PDR_CHECKED pdr_code pdr_own_entities_push(pdr_own_entities *list, pdr_entity *entity);
void pdr_own_trace(pdr_owner *o, pdr_level level, const char *format, ...) PDR_PRINTF(3, 4);
/* Answer a command that isn't in `answers`, and free it. `error` NULL: the code's own text. */
void pdr_own_answer_now(pdr_owner *o, pdr_cmd *cmd, pdr_code code, const pdr_error *error);
void pdr_own_complete(pdr_owner *o, pdr_cmd *cmd, const pdr_reply *reply);
uint32_t pdr_own_clock_ms(const pdr_owner *o); /* since open; comes round after 49 days */
uint32_t pdr_own_clock_s(const pdr_owner *o);  /* since open */

/* --- owner_recover.c --- */
/* Something is not as it was known: everything speculative is dropped, the one recovery path begins. Safe
 * inside callbacks. */
void pdr_own_recover(pdr_owner *o, pdr_code code, const char *format, ...) PDR_PRINTF(3, 4);
void pdr_own_recover_error(pdr_owner *o, const pdr_error *why);
void pdr_own_fail(pdr_owner *o, const pdr_error *why); /* FAILED: for good */
void pdr_own_recovery_turn(pdr_owner *o);
void pdr_own_fence_reported(pdr_owner *o, const pdr_log_report *report);
void pdr_own_recovery_advance(pdr_owner *o); /* a step of the recovery was completed: see what is next */
void pdr_own_drop_residents(pdr_owner *o);
void pdr_own_stop_reading(pdr_owner *o);
void pdr_own_answer_open(pdr_owner *o, pdr_code code, const pdr_error *error); /* every open command */

/* --- owner_scan.c --- */
void pdr_own_start_scan(pdr_owner *o);
static inline pdr_term pdr_own_fence_term(const pdr_owner *o)
{
    return (pdr_term){o->fence_offset, o->fence_incarnation};
}

/* --- owner_settle.c --- */
PDR_CHECKED pdr_code pdr_own_settle_open(pdr_owner *o, pdr_position from, int64_t first, int64_t target,
                                         pdr_error *err);
void pdr_own_settle_close(pdr_owner *o);
bool pdr_own_is_own_incarnation(const pdr_owner *o, uint64_t incarnation);

/* --- owner_tail.c --- */
extern const pdr_commit_sink pdr_own_tail_sink;
void pdr_own_tail_release(pdr_owner *o);
/* Fold the entity's tail events past its head; takes it out of the dirty queue if nothing was new.
 * PDR_CORRUPT: a gap in seq. */
PDR_CHECKED pdr_code pdr_own_tail_merge(pdr_owner *o, pdr_entity *e, pdr_error *err);
void pdr_own_tail_turn(pdr_owner *o);

/* --- owner_run.c --- */
extern const pdr_log_writer_events pdr_own_writer_events;
PDR_CHECKED pdr_code pdr_own_run_reserve(pdr_owner *o, size_t records);
bool pdr_own_run_full(const pdr_owner *o); /* the log's queue or the ring holds the partition's order back */
void pdr_own_send(pdr_owner *o, const pdr_log_entry *entry, uint64_t number);
void pdr_own_send_mark(pdr_owner *o);
void pdr_own_flush_unsent(pdr_owner *o);
void pdr_own_drop_unsent(pdr_owner *o);
void pdr_own_ack(pdr_owner *o, uint64_t number, int64_t offset);
void pdr_own_run_advance(pdr_owner *o); /* acknowledge what can be */
void pdr_own_forget_pending(pdr_owner *o);
static inline pdr_own_pending *pdr_own_pending_of(pdr_owner *o, uint64_t number)
{
    return &o->ring[number & o->ring_mask];
}
/* Let `cmd` wait for record `number`; refusals and reads wait for one sent after now. */
void pdr_own_wait(pdr_owner *o, pdr_cmd *cmd, uint64_t number);

/* How many command ids the entity remembers. */
static inline uint32_t pdr_own_id_window(const pdr_entity *e)
{
    uint32_t declared = e->folder ? pdr_folder_type(e->folder)->id_window : 0;
    return declared ? declared : PDR_ID_WINDOW;
}

/* --- owner_decide.c --- */
void pdr_own_take_inbox(pdr_owner *o);
void pdr_own_run_waiting(pdr_owner *o, pdr_entity *e); /* the entity became ready */
void pdr_own_detach(pdr_cmd *cmd);                     /* no longer open at its entity */
const pdr_folder *pdr_own_folder_of(const pdr_owner *o,
                                    pdr_bytes key); /* NULL: the entity's type isn't declared */

/* --- owner_activate.c --- */
void pdr_own_activate(pdr_owner *o, pdr_entity *e);
void pdr_own_send_lookups(pdr_owner *o);
void pdr_own_cancel_activations(pdr_owner *o);
void pdr_own_start_catchups(pdr_owner *o);
/* The schema that it lacked was looked for: it goes on, with it or without. */
void pdr_own_schema_sought(pdr_own_catchup *c, bool found);
bool pdr_own_stamp_fits(const pdr_owner *o, const pdr_stamp *stamp, uint64_t since_saves);
void pdr_own_break_entity(pdr_owner *o, pdr_entity *e, pdr_code code, const pdr_error *why);

/* --- owner_schema.c --- */
/* A SCHEMA record in sequence. PDR_NOMEM; one that can't be read is told and passed over. */
PDR_CHECKED pdr_code pdr_own_meet_schema(pdr_owner *o, const pdr_log_record *record, pdr_error *err);
/* This one is to be saved with the next save. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_own_note_schema(pdr_owner *o, uint64_t fingerprint);
PDR_CHECKED pdr_code pdr_own_schema_rows(const pdr_owner *o, size_t count, pdr_schema_row **out,
                                         pdr_error *err); /* the caller frees */
void pdr_own_start_seeks(pdr_owner *o);                   /* for those that lack one */
void pdr_own_cancel_seeks(pdr_owner *o);

/* --- owner_save.c --- */
void pdr_own_dirty_push(pdr_owner *o, pdr_entity *e, pdr_place from);
void pdr_own_dirty_remove(pdr_owner *o, pdr_entity *e);
void pdr_own_note_hot(pdr_owner *o, pdr_entity *e);
void pdr_own_hand_over(pdr_owner *o, pdr_own_item *item);
void pdr_own_save_turn(pdr_owner *o, bool forced);
void pdr_own_drop_saves(pdr_owner *o);
bool pdr_own_save_is_idle(const pdr_owner *o);
void pdr_own_passivate(pdr_owner *o);
void pdr_own_account(pdr_owner *o, pdr_entity *e);
bool pdr_own_evictable(const pdr_entity *e);
void pdr_own_evict(pdr_owner *o, pdr_entity *e);
uint64_t pdr_own_scan_distance(const pdr_owner *o);
int64_t pdr_own_save_due(const pdr_owner *o);

#endif
