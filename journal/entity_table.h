/* The entities that an owner has in memory, by id. A resident costs at most 256 bytes besides its state and
 * its window of command ids. */
#ifndef PDR_JOURNAL_ENTITY_TABLE_H
#define PDR_JOURNAL_ENTITY_TABLE_H

#include "base/mem.h"
#include "journal/command.h"
#include "journal/fold.h"
#include "journal/ids.h"

/* A position whose term is interned by the owner: 24 bytes. */
typedef struct pdr_place {
    int64_t offset;
    uint64_t number;
    const pdr_term *term;
} pdr_place;

static inline pdr_position pdr_place_position(pdr_place place)
{
    return (pdr_position){place.offset, place.term ? *place.term : PDR_TERM_NONE, place.number};
}

enum {
    PDR_ENTITY_READY = 1,      /* head is known: commands can be decided (unless broken) */
    PDR_ENTITY_ACTIVATING = 2, /* a look-up or a history is under way or queued */
    PDR_ENTITY_DIRTY =
        4, /* in the dirty queue: acknowledged events since the last save that was handed over */
    PDR_ENTITY_QUEUED = 8,  /* a save of it is encoded, waiting for its last event's acknowledgement */
    PDR_ENTITY_SAVING = 16, /* in the batch that is gathered or under way */
    PDR_ENTITY_BROKEN = 32, /* no usable state: `why` says it; its head is known and saved */
    PDR_ENTITY_TAIL = 64,   /* `tail` holds events from a recovery that aren't merged yet */
    PDR_ENTITY_HOT = 128,   /* in the list of entities with many unsaved events */
    PDR_ENTITY_ASKED = 256, /* in a look-up under way whose heads haven't told of it yet */
};

/* An event from a recovery's scan, kept until its entity is activated. */
typedef struct pdr_tail_event {
    struct pdr_tail_event *next; /* the one before it: the entity holds the newest */
    uint64_t seq;
    int64_t time_us;
    uint64_t fingerprint; /* of the command; meaningful with an id */
    uint32_t value_size;
    uint32_t events; /* of its commit, in the commit's last event; else 0 */
    uint16_t id_size, reply_size;
    bool has_reply;
    uint8_t bytes[]; /* value, id, reply */
} pdr_tail_event;

typedef struct pdr_entity {
    const pdr_folder *folder; /* NULL: its type isn't declared: a head without state */
    pdr_state state;
    uint64_t seq;         /* of the newest event decided: speculative */
    uint64_t acked_seq;   /* of the newest acknowledged one */
    uint64_t sent;        /* number of its newest record in the owner's term; 0: none */
    pdr_place last;       /* of event acked_seq */
    pdr_place dirty_from; /* just before its first unsaved event */
    struct pdr_entity *dirty_prev, *dirty_next;
    pdr_ids *ids;
    pdr_cmd *waiting; /* circular list, the last one; NULL: none */
    union {
        pdr_tail_event *tail; /* with TAIL */
        pdr_error *why;       /* with BROKEN */
    };
    uint32_t dirty_at_ms; /* owner's clock, when it became dirty */
    uint32_t unsaved;     /* events acknowledged since */
    uint32_t open;        /* commands that are open at it */
    uint32_t used_at_s;   /* owner's clock, last command */
    uint32_t accounted;   /* bytes counted in the owner's total */
    uint16_t flags;
    uint16_t key_size;
    uint8_t key[];
} pdr_entity;

static inline pdr_bytes pdr_entity_key(const pdr_entity *e)
{
    return pdr_bytes_of(e->key, e->key_size);
}

/* Open addressing; a slot holds the pointer and, in its upper 16 bits, 16 bits of the hash. */
typedef struct pdr_entity_table {
    uint64_t *slots;
    size_t mask; /* slots - 1 */
    size_t count;
    size_t hand; /* where the passivation sweep stands */
} pdr_entity_table;

void pdr_entity_table_init(pdr_entity_table *table);
void pdr_entity_table_release(pdr_entity_table *table); /* the entities must be freed before */
pdr_entity *pdr_entity_find(const pdr_entity_table *table, pdr_bytes key, uint64_t hash);
/* Bring an entity that will be asked for soon nearer to the processor: first its slot, then, a few commands
 * later, itself. */
void pdr_entity_expect_slot(const pdr_entity_table *table, uint64_t hash);
void pdr_entity_expect(const pdr_entity_table *table, uint64_t hash);
PDR_PREFETCHING void pdr_prefetch_entity(const pdr_entity *e)
{
    for (unsigned at = 0; at < sizeof *e; at += 64)
        __builtin_prefetch((const char *)e + at);
}
/* A new entity, all zero but its key, in the table. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_entity_add(pdr_entity_table *table, pdr_bytes key, uint64_t hash, pdr_entity **out);
/* Out of the table; frees the entity with its state, ids and error. It must have no waiting commands. */
void pdr_entity_remove(pdr_entity_table *table, pdr_entity *entity);
/* The entity in slot i, or NULL; i < mask + 1. */
pdr_entity *pdr_entity_at(const pdr_entity_table *table, size_t i);

/* Bytes that the entity costs: shell (with its share of the table), ids, state. */
size_t pdr_entity_shell_bytes(const pdr_entity *entity);
static inline size_t pdr_entity_bytes(const pdr_entity *e)
{
    return pdr_entity_shell_bytes(e) + pdr_ids_held(e->ids) + e->state.arena.held;
}

#endif
