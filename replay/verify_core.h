/* What the files of a verification share:
 *
 *   verify.c         life cycle, passes, findings, totals
 *   verify_table.c   a partition's entities, and which of them are in this pass
 *   verify_store.c   what the store and the views say
 *   verify_walk.c    records: the void rule, FENCEs, SCHEMAs, places that others rest on
 *   verify_entity.c  events: seq, backlinks, command ids; heads against them
 *   verify_fold.c    reading and folding them; states
 */
#ifndef PDR_REPLAY_VERIFY_CORE_H
#define PDR_REPLAY_VERIFY_CORE_H

#include "journal/commit_reader.h"
#include "journal/ids.h"
#include "replay/verify.h"

enum {
    VERIFY_TEXT = 600,            /* bytes of what a finding says, cut */
    VERIFY_MAX_IN_FLIGHT = 65536, /* offsets kept of one entity */
    VERIFY_COPIES = 4096,         /* newest records of a term that repeats are compared with */
    VERIFY_SCRATCH = 64 * PDR_MAX_EVENT
};

/* What the store says of an entity. */
typedef struct verify_stored {
    uint64_t seq;
    pdr_position last;
    uint8_t *bytes; /* the window of command ids, then the state */
    uint32_t ids_size, state_size;
    uint32_t ids_count; /* entries that can be read */
    uint64_t state_seq;
    bool has_state; /* of today's revision */
} verify_stored;

typedef struct verify_entity {
    uint64_t hash;
    uint64_t seq;     /* of the newest event that counts; 0: none yet */
    int64_t *offsets; /* of the events from `base` on */
    uint64_t base;
    uint32_t offset_count, offset_capacity;
    uint64_t linked;     /* the newest backlink's seq */
    int64_t term_offset; /* of the newest event's term */
    uint64_t before;     /* seq of the newest event of an earlier term */
    pdr_ids *ids;        /* as the headers tell, the head's window or the type's, whichever is longer */
    verify_stored *head; /* NULL: none */
    bool head_checked;
    bool broken;    /* its history is damaged: neither ids nor state can be compared */
    bool uncovered; /* told */
    bool untyped;   /* told */
    bool state_done;
    pdr_state state;
    size_t bytes; /* accounted */
    uint32_t key_size;
    uint8_t key[];
} verify_entity;

typedef enum verify_place_kind { PLACE_CHECKPOINT, PLACE_SEEN, PLACE_VIEW, PLACE_BEFORE } verify_place_kind;

/* A position that somebody rests on. */
typedef struct verify_place {
    verify_place_kind kind;
    pdr_position position;
    char *whose; /* NULL: the store */
} verify_place;

typedef struct verify_letter {
    int64_t offset;
    uint64_t seq;
    char *whose;
    bool met;
    uint32_t key_size;
    uint8_t key[PDR_LOG_MAX_KEY];
} verify_letter;

/* A SCHEMA of the term in force. */
typedef struct verify_schema {
    uint64_t number, fingerprint;
    int32_t registry_id;
} verify_schema;

/* What repeats of a record are compared with. */
typedef struct verify_copy {
    uint64_t number, hash;
    int64_t term; /* offset */
} verify_copy;

typedef struct verify_list {
    void *items;
    size_t count, capacity;
} verify_list;

/* Room for one item more of this size; NULL: out of memory. */
PDR_CHECKED void *verify_list_add(verify_list *list, size_t size);

/* Which entities are in a pass: those whose hash has these high bits. Of records up to `told` their findings
 * were told and counted in an earlier pass, which they left for want of room. */
typedef struct verify_slice {
    uint32_t mask, value;
    int64_t told;
} verify_slice;
enum { VERIFY_MAX_DEPTH = 32 };

typedef struct verify_part {
    pdr_verify *verify;
    int32_t number;
    /* passes */
    verify_slice slice;
    verify_slice left[VERIFY_MAX_DEPTH + 1]; /* for later passes */
    size_t left_count;
    bool wanted; /* in this pass */
    bool first;  /* what isn't an entity's is looked at in the first pass only */
    size_t used; /* bytes of entities */
    /* the store */
    bool has_row;
    pdr_partition_row row;
    pdr_position highest; /* that a head rests on */
    uint8_t highest_key[PDR_LOG_MAX_KEY];
    size_t highest_size;
    verify_list places;  /* verify_place, by offset when reading begins */
    verify_list letters; /* verify_letter, likewise */
    size_t place_at;
    bool sorted;
    /* the log */
    pdr_commit_reader commits;
    bool reading;
    int64_t now;         /* offset of the record that is being taken; -1: none was yet */
    verify_list terms;   /* pdr_term, ascending */
    verify_list schemas; /* verify_schema of the term in force, by number */
    verify_copy *copies; /* VERIFY_COPIES, by number */
    bool has_id;
    uint8_t journal_id[PDR_ID_SIZE];
    /* its entities */
    verify_entity **slots;
    size_t mask, count;
    pdr_arena scratch;
    pdr_buf packed, text, other;
    pdr_verify_totals totals;
} verify_part;

struct pdr_verify {
    pdr_verify_spec spec;
    size_t share; /* bytes for one partition's entities */
    verify_part *parts;
    pdr_verify_totals own;             /* what the caller told */
    uint8_t last_key[PDR_LOG_MAX_KEY]; /* of the head that was given last */
    size_t last_size;
};

/* --- verify.c --- */
typedef struct verify_where {
    int64_t offset;
    pdr_bytes entity;
    uint64_t seq;
} verify_where;
#define VERIFY_NOWHERE ((verify_where){-1, {NULL, 0}, 0})

/* `found` as printf has it. */
void verify_tell(verify_part *part, pdr_verify_rule rule, verify_where where, const char *expected,
                 const char *found, ...) PDR_PRINTF(5, 6);
/* A position as people read it, in a buffer of the caller's. */
enum { VERIFY_POSITION_TEXT = 120 };
const char *verify_position_text(char out[VERIFY_POSITION_TEXT], pdr_position position);

/* --- verify_table.c --- */
bool verify_in_pass(const verify_part *part, uint64_t hash);
verify_entity *verify_find(const verify_part *part, pdr_bytes key, uint64_t hash);
PDR_CHECKED verify_entity *verify_add(verify_part *part, pdr_bytes key, uint64_t hash);
void verify_account(verify_part *part, verify_entity *e); /* count what it takes now */
/* What is found of an entity now wasn't in an earlier pass. */
static inline bool verify_is_new(const verify_part *part)
{
    return part->now > part->slice.told;
}
/* What has no room any more waits for another pass: any entity may go. */
PDR_CHECKED pdr_code verify_make_room(verify_part *part, pdr_error *err);
void verify_forget(verify_part *part); /* all entities */
static inline pdr_bytes verify_key(const verify_entity *e)
{
    return pdr_bytes_of(e->key, e->key_size);
}

/* --- verify_store.c --- */
/* How many entries can be read; gives the place of the first that can't, SIZE_MAX: all can. */
size_t verify_count_ids(pdr_bytes packed, uint32_t *count);
void verify_sort_places(verify_part *part);

/* --- verify_entity.c --- */
PDR_CHECKED pdr_code verify_commit(verify_part *part, const pdr_commit_event *events, size_t count,
                                   pdr_error *err);
static inline verify_where verify_at(const pdr_commit_event *event)
{
    return (verify_where){event->record->offset, event->record->entry.key, event->header->seq};
}
/* The partition is at its end: heads that weren't met. */
void verify_unmet_heads(verify_part *part);

/* --- verify_fold.c --- */
/* `folder` NULL: the type isn't declared, or there is no application. PDR_NOMEM. */
PDR_CHECKED pdr_code verify_read_event(verify_part *part, verify_entity *e, const pdr_folder *folder,
                                       const pdr_commit_event *event, pdr_error *err);

/* --- verify_walk.c --- */
const pdr_commit_sink *verify_commit_sink(void);
const verify_schema *verify_schema_of(const verify_part *part, uint64_t number);

#endif
