/* The entities of one partition whose history is folded, by id, with their states: in arenas while there is
 * room for that, packed beyond. What all partitions of a process hold together has one ceiling. One thread.
 */
#ifndef PDR_REPLAY_FOLDED_H
#define PDR_REPLAY_FOLDED_H

#include "journal/fold.h"

/* One code's state of an entity. */
typedef struct pdr_folded_state {
    const pdr_folder *folder; /* NULL: the application doesn't declare the entity's type */
    pdr_state state;          /* value NULL: none yet, packed, or lost */
    uint8_t *packed;          /* NULL: not packed */
    uint32_t packed_size;
} pdr_folded_state;

/* A snapshot that the state at its seq is compared with. */
typedef struct pdr_folded_goal {
    uint64_t revision, seq;
    size_t size;
    uint8_t bytes[];
} pdr_folded_goal;

enum {
    PDR_FOLDED_DONE = 1,    /* nothing more is folded: something was found, or there is nothing to find */
    PDR_FOLDED_RECENT = 2,  /* it has events since the time that was asked for */
    PDR_FOLDED_CHECKED = 4, /* folded twice */
    PDR_FOLDED_USED = 8,    /* since the last sweep */
    PDR_FOLDED_COMPARED = 16,
    PDR_FOLDED_ALONE = 32, /* nothing to compare with any more */
    PDR_FOLDED_FOUND = 64  /* it has a finding, told or waiting */
};

typedef struct pdr_folded {
    struct pdr_folded *next; /* of its partition, the one that was met before it */
    uint64_t seq;            /* folded up to */
    uint16_t flags, key_size;
    uint32_t accounted;       /* bytes counted for states */
    uint32_t type;            /* its type's place in the application; UINT32_MAX: not declared */
    pdr_folded_state now;     /* of the code that is tried */
    pdr_folded_state *before; /* of the code that it is compared with; NULL: none */
    pdr_folded_goal *goal;    /* NULL: none, or reached */
    uint8_t *waiting;         /* a finding that waits for an event that is recent enough; NULL: none */
    uint8_t key[];
} pdr_folded;

static inline pdr_bytes pdr_folded_key(const pdr_folded *e)
{
    return pdr_bytes_of(e->key, e->key_size);
}

/* What all tables of a process hold. */
typedef struct pdr_folded_room {
    size_t used, limit; /* bytes */
} pdr_folded_room;

typedef struct pdr_folded_table {
    uint64_t *slots; /* the entity's address, and 16 bits of its hash above it */
    size_t mask;     /* slots - 1 */
    size_t count;
    pdr_folded *all, *hand; /* hand: where the sweep goes on */
    pdr_folded_room *room;
} pdr_folded_table;

void pdr_folded_init(pdr_folded_table *table, pdr_folded_room *room);
void pdr_folded_release(pdr_folded_table *table);
pdr_folded *pdr_folded_find(const pdr_folded_table *table, pdr_bytes key, uint64_t hash);
/* One that is asked for soon is brought nearer to the processor, in three steps some records apart: where the
 * table has it, itself, its state. */
typedef enum pdr_folded_step { PDR_FOLDED_SLOT, PDR_FOLDED_ENTITY, PDR_FOLDED_STATE } pdr_folded_step;
void pdr_folded_expect(const pdr_folded_table *table, uint64_t hash, pdr_folded_step step);
/* A new one, all zero but its key; with_before: with a state to compare with. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_folded_add(pdr_folded_table *table, pdr_bytes key, uint64_t hash, bool with_before,
                                    pdr_folded **out, pdr_error *err);
/* The snapshot to compare with; copied. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_folded_aim(pdr_folded_table *table, pdr_folded *entity, uint64_t revision,
                                    uint64_t seq, pdr_bytes packed, pdr_error *err);
void pdr_folded_drop_goal(pdr_folded_table *table, pdr_folded *entity);

/* Make the state usable: as the type's init leaves it, or unpacked. */
PDR_CHECKED pdr_code pdr_folded_wake(pdr_folded_state *s, pdr_error *err);
/* Its packed form into `out`, whether it is packed or not. */
PDR_CHECKED pdr_code pdr_folded_pack(const pdr_folded_state *s, pdr_buf *out, pdr_error *err);
/* From packed bytes, as a wake would have it. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_folded_put_packed(pdr_folded_state *s, pdr_bytes packed, pdr_error *err);
/* Its states are given back. `leaked`: what they rest on can't be trusted, and is left where it is. */
void pdr_folded_forget(pdr_folded_table *table, pdr_folded *entity, bool leaked);
/* Count again what its states hold. */
void pdr_folded_account(pdr_folded_table *table, pdr_folded *entity);
static inline bool pdr_folded_is_full(const pdr_folded_room *room)
{
    return room->used > room->limit;
}
/* Pack states that weren't used since the last time, then others too, until a quarter of the room is free or
 * all are packed. `scratch` is cleared. PDR_BAD_HANDLER: *culprit made a state that its schema forbids; go on
 * after dealing with it. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_folded_sweep(pdr_folded_table *table, pdr_buf *scratch, pdr_folded **culprit,
                                      pdr_error *err);

#endif
