/* One entity type's events, and the one way to read them. */
#include "base/mem.h"
#include "journal/fold.h"
#include "journal/framed.h"
#include "journal/newer.h"
#include "schemas/type.h"

struct pdr_folder {
    const pdr_entity_type *type;
    pdr_state_chain *states;
    pdr_chain *chain;
    pdr_newer *newer;
    const pdr_schema_book *book; /* may be NULL */
};

static pdr_code open_folder(pdr_folder **out, const pdr_entity_type *type, const pdr_schema_book *book,
                            bool tolerant, pdr_error *err)
{
    pdr_chain_spec spec = {type->name,      type->events,         type->event_count,
                           type->upcasters, type->upcaster_count, tolerant};
    pdr_folder *folder = pdr_calloc(1, sizeof *folder);
    if (!folder) return pdr_fail(err, PDR_NOMEM, "the event types of entity type %s", type->name);
    folder->type = type;
    folder->book = book;
    pdr_state_chain_spec states = {type->name, type->state, type->revision, type->state_upcasters,
                                   type->state_upcaster_count};
    pdr_code code = pdr_chain_open(&folder->chain, &spec, err);
    if (code == PDR_OK) code = pdr_state_chain_open(&folder->states, &states, err);
    if (code == PDR_OK) code = pdr_newer_open(&folder->newer, folder->chain, book, err);
    if (code == PDR_OK)
        *out = folder;
    else
        pdr_folder_close(folder);
    return code;
}

pdr_code pdr_folder_open(pdr_folder **out, const pdr_entity_type *type, const pdr_schema_book *book,
                         pdr_error *err)
{
    return open_folder(out, type, book, false, err);
}

pdr_code pdr_folder_open_tolerant(pdr_folder **out, const pdr_entity_type *type, const pdr_schema_book *book,
                                  pdr_error *err)
{
    return open_folder(out, type, book, true, err);
}

void pdr_folder_close(pdr_folder *folder)
{
    if (!folder) return;
    pdr_newer_close(folder->newer);
    pdr_chain_close(folder->chain);
    pdr_state_chain_close(folder->states);
    pdr_free(folder);
}

const pdr_entity_type *pdr_folder_type(const pdr_folder *folder)
{
    return folder->type;
}

const pdr_chain *pdr_folder_chain(const pdr_folder *folder)
{
    return folder->chain;
}

uint64_t pdr_folder_revision(const pdr_folder *folder)
{
    return pdr_state_revision(folder->type->state, folder->type->revision);
}

const pdr_state_chain *pdr_folder_states(const pdr_folder *folder)
{
    return folder->states;
}

bool pdr_folder_declares(const pdr_folder *folder, const pdr_type *event)
{
    const pdr_route *route = pdr_chain_find(folder->chain, event->fingerprint);
    return route && route->today && route->type == event;
}

const pdr_type *pdr_folder_event_type(const pdr_folder *folder, pdr_bytes value)
{
    uint64_t fingerprint;
    pdr_bytes datum;
    if (pdr_framed_read(&fingerprint, &datum, value, folder->book, NULL) != PDR_OK) return NULL;
    const pdr_route *route = pdr_chain_find(folder->chain, fingerprint);
    return route ? route->type : NULL;
}

bool pdr_folder_lacks(const pdr_folder *folder, pdr_bytes value, uint64_t *fingerprint)
{
    pdr_bytes datum;
    pdr_code code = pdr_framed_read(fingerprint, &datum, value, folder->book, NULL);
    if (code == PDR_UNKNOWN_SCHEMA) *fingerprint = 0;
    if (code != PDR_OK) return code == PDR_UNKNOWN_SCHEMA && folder->book;
    return !pdr_chain_find(folder->chain, *fingerprint) && pdr_newer_lacks(folder->newer, *fingerprint);
}

/* --- reading --- */

static pdr_code read_today(const pdr_type *type, pdr_bytes datum, uint64_t seq, int64_t time_us,
                           pdr_arena *scratch, pdr_event_list *events, pdr_error *err)
{
    void *decoded = pdr_arena_alloc(scratch, type->size);
    if (!decoded) return pdr_fail(err, PDR_NOMEM, "decoding an event %s", type->name);
    pdr_code code = type->decode(datum, scratch, decoded, err);
    if (code != PDR_OK) return pdr_fail_context(err, code, "event %s", pdr_type_label_of(type).text);
    events->count = 1;
    events->first = (pdr_event){type, decoded, seq, time_us};
    return PDR_OK;
}

static pdr_code read_newer(const pdr_folder *folder, uint64_t fingerprint, pdr_bytes datum, pdr_event *event,
                           pdr_arena *scratch, pdr_event_list *events, pdr_error *err)
{
    const pdr_newer_route *newer;
    pdr_code code = pdr_newer_find(folder->newer, fingerprint, &newer, err);
    if (code != PDR_OK) return code;
    const pdr_type *type = newer->route->type;
    void *decoded = pdr_arena_alloc(scratch, type->size);
    if (!decoded) return pdr_fail(err, PDR_NOMEM, "decoding an event %s", type->name);
    code = pdr_plan_decode(newer->plan, datum, scratch, decoded, err);
    if (code != PDR_OK)
        return pdr_fail_context(err, code, "an event newer than %s", pdr_type_label_of(type).text);
    event->type = type;
    event->value = decoded;
    return pdr_chain_take(folder->chain, newer->route, event, scratch, events, err);
}

pdr_code pdr_folder_read(const pdr_folder *folder, pdr_bytes value, uint64_t seq, int64_t time_us,
                         pdr_arena *scratch, pdr_event_list *events, pdr_error *err)
{
    uint64_t fingerprint;
    pdr_bytes datum;
    pdr_code code = pdr_framed_read(&fingerprint, &datum, value, folder->book, err);
    if (code != PDR_OK) return code;
    const pdr_route *route = pdr_chain_find(folder->chain, fingerprint);
    if (PDR_LIKELY(route && route->today))
        return read_today(route->type, datum, seq, time_us, scratch, events, err);
    if (route) return pdr_chain_read(folder->chain, route, datum, seq, time_us, scratch, events, err);
    pdr_event event = {.seq = seq, .time_us = time_us};
    return read_newer(folder, fingerprint, datum, &event, scratch, events, err);
}
