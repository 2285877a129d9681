/* The chain: how every type that an entity type's events were ever stored as becomes today's events. Compiled
 * once from the table that the entity type declares (perdure/upcast.h); from then on a stored event goes by
 * its writer's fingerprint to its route, and along it step by step.
 *
 * A chain doesn't change after open: any thread may use it, each with an arena of its own. */
#ifndef PDR_UPCASTERS_CHAIN_H
#define PDR_UPCASTERS_CHAIN_H

#include "perdure/upcast.h"
#include "schemas/plan.h"

/* What one stored event is read as: none (it was dropped), one, or several of today's events, all with its
 * seq and event time. */
typedef struct pdr_event_list {
    size_t count;
    pdr_event first;      /* the only one, if count is 1 */
    const pdr_event *all; /* if count is more than 1; in the arena */
} pdr_event_list;

static inline const pdr_event *pdr_event_list_at(const pdr_event_list *list, size_t i)
{
    return list->count == 1 ? &list->first : &list->all[i];
}

/* What becomes of events of one type. */
typedef struct pdr_route {
    uint64_t fingerprint;
    const pdr_type *type;        /* NULL: a free slot of the table */
    bool today;                  /* one of today's events: nothing is to be done */
    const pdr_upcaster *step;    /* the first step; NULL: today's, or faulty */
    pdr_plan *plan;              /* a step by resolution; else NULL */
    const struct pdr_route **to; /* of step->to, one by one */
    size_t steps;                /* of the longest chain that begins here */
    const char *fault;           /* tolerant chains: why events of this type can't be read; NULL: they can */
} pdr_route;

typedef struct pdr_chain {
    const char *entity;
    pdr_arena memory;
    size_t count; /* of types that are known */
    size_t mask;  /* slots - 1; a power of two, at most half full */
    pdr_route slots[];
} pdr_chain;

/* Borrowed; must live as long as the chain. */
typedef struct pdr_chain_spec {
    const char *entity; /* the entity type's name, for messages */
    const pdr_type *const *events;
    size_t event_count;
    const pdr_upcaster *upcasters;
    size_t upcaster_count;
    /* For tools that say what can't be read: a type without a step and a pair of schemas that doesn't resolve
     * make only what leads there unreadable. Everything else that is refused is refused all the same. */
    bool tolerant;
} pdr_chain_spec;

/* PDR_INVALID_ARGUMENT naming entity type, event, version: a bad type; two steps from one type; a step from
 * one of today's events; a type or version without a step; a cycle; more than PDR_MAX_UPCAST_STEPS steps in a
 * row; equal fingerprints; one version twice; a step without a function that doesn't lead to exactly one type
 * (or none: dropped). PDR_UNKNOWN_SCHEMA, PDR_BAD_SCHEMA: such a step's schemas don't resolve. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_chain_open(pdr_chain **out, const pdr_chain_spec *spec, pdr_error *err);
void pdr_chain_close(pdr_chain *chain); /* NULL is fine */

/* The route of what was written with this fingerprint; NULL: it isn't known. */
static inline const pdr_route *pdr_chain_find(const pdr_chain *chain, uint64_t fingerprint)
{
    size_t i = (size_t)fingerprint & chain->mask;
    while (chain->slots[i].type && chain->slots[i].fingerprint != fingerprint)
        i = (i + 1) & chain->mask;
    return chain->slots[i].type ? &chain->slots[i] : NULL;
}

/* Decode a datum (no framing) that was written as route->type and take it to today's events. Their values
 * live in `arena` and borrow from `datum`. PDR_BAD_DATA, PDR_TOO_LARGE, PDR_NOMEM; PDR_BAD_HANDLER: a step
 * failed, the message names entity type, event, version, seq and step; PDR_UNKNOWN_SCHEMA: route->fault. */
PDR_CHECKED pdr_code pdr_chain_read(const pdr_chain *chain, const pdr_route *route, pdr_bytes datum,
                                    uint64_t seq, int64_t time_us, pdr_arena *arena, pdr_event_list *out,
                                    pdr_error *err);
/* The same from a struct of route->type, which the result may borrow from: it lives as long as the arena. */
PDR_CHECKED pdr_code pdr_chain_take(const pdr_chain *chain, const pdr_route *route, const pdr_event *event,
                                    pdr_arena *arena, pdr_event_list *out, pdr_error *err);

/* --- inside the room --- */

/* The rules that hold for the filled table as a whole: versions, gaps, cycles, lengths. Sets `steps`, and
 * hands on each fault to whatever leads to it. */
PDR_CHECKED pdr_code pdr_chain_check(pdr_chain *chain, bool tolerant, pdr_error *err);
/* Events of route->type can't be read: in a tolerant chain that is remembered, else `code` with the same
 * words. */
PDR_CHECKED pdr_code pdr_chain_fault(pdr_chain *chain, bool tolerant, pdr_route *route, pdr_code code,
                                     pdr_error *err, const char *format, ...) PDR_PRINTF(6, 7);

#endif
