/* Events read by today's code, and states of its revision against the fold of their events. */
#include <inttypes.h>
#include <stdio.h>

#include "replay/changes.h"
#include "replay/guard.h"
#include "replay/verify_core.h"

static bool print_state(const pdr_folder *folder, pdr_bytes packed, pdr_arena *arena, pdr_buf *out,
                        pdr_error *why)
{
    const pdr_type *type = pdr_folder_type(folder)->state;
    pdr_buf_clear(out);
    void *value = pdr_arena_alloc(arena, type->size);
    pdr_code code = value ? type->decode(packed, arena, value, why) : pdr_fail(why, PDR_NOMEM, "a state");
    if (code == PDR_OK) code = type->print(value, out);
    return code == PDR_OK;
}

static size_t put_change(char *text, size_t used, pdr_bytes path, pdr_bytes value)
{
    enum { MOST = 60 };
    int size = snprintf(text + used, VERIFY_TEXT - used, "%s%.*s is %.*s%s", used ? ", " : "", (int)path.size,
                        (const char *)path.data, value.size > MOST ? MOST : (int)value.size,
                        value.data ? (const char *)value.data : "not there", value.size > MOST ? "..." : "");
    return size < 0 || used + (size_t)size >= VERIFY_TEXT ? VERIFY_TEXT - 1 : used + (size_t)size;
}

/* The first values that differ, as they are in the fold and as they are stored. */
static void describe_changes(const pdr_changes *changes, char folded[VERIFY_TEXT], char stored[VERIFY_TEXT])
{
    enum { SHOWN = 3 };
    size_t in_fold = 0, in_store = 0, count = pdr_changes_count(changes);
    for (size_t i = 0; i < count && i < SHOWN; i++) {
        pdr_change change = pdr_changes_at(changes, i);
        in_fold = put_change(folded, in_fold, change.path, change.from);
        in_store = put_change(stored, in_store, change.path, change.to);
    }
    if (count > SHOWN)
        (void)snprintf(stored + in_store, VERIFY_TEXT - in_store, ", and %zu more", count - SHOWN);
}

static void tell_state(verify_part *part, const verify_entity *e, const pdr_folder *folder)
{
    pdr_error why = {.message = "out of memory"};
    pdr_changes *changes = NULL;
    char expected[VERIFY_TEXT + 64], folded[VERIFY_TEXT] = "",
                                     found[VERIFY_TEXT] = "the same, in other bytes";
    pdr_bytes stored = pdr_bytes_of(e->head->bytes + e->head->ids_size, e->head->state_size);
    pdr_arena_clear(&part->scratch);
    if (!print_state(folder, stored, &part->scratch, &part->other, &why))
        (void)snprintf(found, sizeof found, "it can't be read: %.300s", why.message);
    else if (print_state(folder, pdr_buf_bytes(&part->packed), &part->scratch, &part->text, &why) &&
             pdr_changes_open(&changes, pdr_buf_bytes(&part->text), pdr_buf_bytes(&part->other), &why) ==
                 PDR_OK)
        describe_changes(changes, folded, found);
    pdr_changes_close(changes);
    (void)snprintf(expected, sizeof expected, "the fold of its first %" PRIu64 " events%s%.450s",
                   e->head->state_seq, *folded ? ", where " : "", folded);
    verify_tell(part, PDR_VERIFY_SNAPSHOTS, (verify_where){-1, verify_key(e), e->head->state_seq}, expected,
                "%s", found);
}

static void compare_state(verify_part *part, verify_entity *e, const pdr_folder *folder)
{
    pdr_error why;
    pdr_buf_clear(&part->packed);
    e->state_done = true;
    pdr_code code = pdr_state_pack(&e->state, folder, &part->packed, &why);
    pdr_state_release(&e->state);
    if (!verify_is_new(part)) return;
    if (code != PDR_OK) {
        part->totals.incomparable++;
        return;
    }
    part->totals.states++;
    pdr_bytes stored = pdr_bytes_of(e->head->bytes + e->head->ids_size, e->head->state_size);
    if (!pdr_bytes_equal(stored, pdr_buf_bytes(&part->packed))) tell_state(part, e, folder);
}

static bool has_state_to_come(const verify_entity *e)
{
    return e->head && e->head->has_state && !e->state_done;
}

static void give_state_up(verify_part *part, verify_entity *e)
{
    if (!has_state_to_come(e)) return;
    if (e->state.value) pdr_state_release(&e->state);
    e->state_done = true;
    part->totals.incomparable += verify_is_new(part);
}

/* --- the application's code, which may crash --- */

typedef struct reading {
    verify_part *part;
    verify_entity *entity;
    const pdr_folder *folder;
    const pdr_commit_event *event;
    pdr_code code;
    pdr_error why;
} reading;

static void fold(void *context)
{
    reading *r = context;
    const pdr_header *h = r->event->header;
    pdr_state *state = &r->entity->state;
    r->code = state->value ? PDR_OK : pdr_state_init(state, r->folder, &r->why);
    if (r->code == PDR_OK)
        r->code = pdr_state_fold(state, r->folder, r->event->record->entry.value, h->seq, h->time_us, false,
                                 &r->part->scratch, &r->why);
}

static void read(void *context)
{
    reading *r = context;
    pdr_event_list events;
    pdr_arena_clear(&r->part->scratch);
    r->code = pdr_folder_read(r->folder, r->event->record->entry.value, r->event->header->seq,
                              r->event->header->time_us, &r->part->scratch, &events, &r->why);
}

/* What a crash left in the middle isn't used again, nor given back. */
static pdr_code guarded(void (*work)(void *context), reading *r)
{
    int fault = pdr_guard_call(work, r);
    if (!fault) return r->code;
    memset(&r->entity->state, 0, sizeof r->entity->state);
    r->part->scratch = (pdr_arena)PDR_ARENA_INIT(VERIFY_SCRATCH);
    return pdr_fail(&r->why, PDR_BAD_HANDLER, "%s in apply or an upcaster", pdr_guard_signal_name(fault));
}

static void tell_unreadable(verify_part *part, const pdr_commit_event *event, const pdr_error *why)
{
    if (verify_is_new(part))
        verify_tell(part, PDR_VERIFY_READABLE, verify_at(event), "today's code reads the event", "%s: %.400s",
                    pdr_code_text(why->code), why->message);
}

/* What no code declares is read by the schema that it was written with. */
static pdr_code read_untyped(verify_part *part, verify_entity *e, const pdr_commit_event *event,
                             pdr_error *err)
{
    pdr_error why;
    const pdr_verify_spec *spec = &part->verify->spec;
    if (!verify_is_new(part)) return PDR_OK;
    part->totals.unread++;
    if (spec->folder && !e->untyped)
        verify_tell(part, PDR_VERIFY_READABLE, verify_at(event), "the application declares the entity's type",
                    "it doesn't");
    e->untyped = true;
    if (!spec->written) return PDR_OK;
    pdr_buf_clear(&part->text);
    pdr_code code =
        spec->written(spec->folder_context, part->number, event->record, event->header, &part->text, &why);
    if (code == PDR_OK) return PDR_OK;
    if (code == PDR_NOMEM || code == PDR_CANCELLED || pdr_code_class(code) == PDR_CLASS_TRANSIENT)
        return pdr_fail(err, code, "reading an event: %.300s", why.message);
    verify_tell(part, PDR_VERIFY_READABLE, verify_at(event),
                "the event decodes by the schema it was written with", "%s: %.400s", pdr_code_text(code),
                why.message);
    return PDR_OK;
}

/* A state that grows over its ceiling is out of memory too: that entity's state isn't compared then. */
pdr_code verify_read_event(verify_part *part, verify_entity *e, const pdr_folder *folder,
                           const pdr_commit_event *event, pdr_error *err)
{
    if (!folder) return read_untyped(part, e, event, err);
    reading r = {.part = part, .entity = e, .folder = folder, .event = event};
    if (e->broken) give_state_up(part, e);
    pdr_code code = has_state_to_come(e) ? guarded(fold, &r) : PDR_NOMEM;
    if (code != PDR_OK) give_state_up(part, e);
    if (code == PDR_NOMEM) code = guarded(read, &r);
    if (code == PDR_NOMEM) return pdr_fail(err, code, "reading an event");
    if (code != PDR_OK)
        tell_unreadable(part, event, &r.why);
    else if (has_state_to_come(e) && event->header->seq == e->head->state_seq)
        compare_state(part, e, folder);
    return PDR_OK;
}
