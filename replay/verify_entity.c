/* Events that count: each against its entity's earlier ones, and the entity against what the store says of
 * it. */
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "journal/command.h"
#include "journal/framed.h"
#include "journal/partitioner.h"
#include "perdure/sys/wire.h"
#include "replay/verify_core.h"

static const pdr_folder *folder_of(const verify_part *part, const verify_entity *e)
{
    const pdr_verify_spec *spec = &part->verify->spec;
    return spec->folder ? spec->folder(spec->folder_context, verify_key(e)) : NULL;
}

/* --- the event alone --- */

static void check_key(verify_part *part, const pdr_commit_event *event)
{
    pdr_bytes key = event->record->entry.key;
    int32_t partition = pdr_partition_of(key, part->verify->spec.partitions);
    if (!pdr_wire_utf8(key.data, key.size) || memchr(key.data, '\0', key.size))
        verify_tell(part, PDR_VERIFY_FRAMING, verify_at(event), "an entity id is UTF-8 without NUL",
                    "%zu bytes that aren't", key.size);
    if (partition != part->number)
        verify_tell(part, PDR_VERIFY_PARTITION, verify_at(event),
                    "the event's partition is that of murmur2 of its entity id", "murmur2 gives %d",
                    (int)partition);
}

static void check_frame(verify_part *part, const pdr_commit_event *event)
{
    static const char as_named[] = "an event's value was written with the schema that its header names";
    pdr_error why;
    pdr_bytes datum, value = event->record->entry.value;
    uint64_t fingerprint = 0;
    int32_t id = 0;
    bool has_id = pdr_frame_has_id(value);
    pdr_code code = has_id ? pdr_frame_id_read(&id, &datum, value, &why)
                           : pdr_frame_read(&fingerprint, &datum, value, &why);
    if (code != PDR_OK) {
        verify_tell(part, PDR_VERIFY_FRAMING, verify_at(event),
                    "an event's value begins with a known framing", "%.300s", why.message);
        return;
    }
    const verify_schema *schema = verify_schema_of(part, event->header->schema);
    if (!schema)
        verify_tell(part, PDR_VERIFY_SCHEMAS, verify_at(event),
                    "an event names a SCHEMA record before it in its term",
                    "it names number %" PRIu64 ", which is none", event->header->schema);
    else if (has_id && id != schema->registry_id)
        verify_tell(part, PDR_VERIFY_SCHEMAS, verify_at(event), as_named,
                    "the value's id is %d, the SCHEMA record's %d", (int)id, (int)schema->registry_id);
    else if (!has_id && fingerprint != schema->fingerprint)
        verify_tell(part, PDR_VERIFY_SCHEMAS, verify_at(event), as_named,
                    "the value's fingerprint is %016" PRIx64 ", the SCHEMA record's %016" PRIx64, fingerprint,
                    schema->fingerprint);
}

/* --- seq --- */

/* One that is too low doesn't change what comes next. */
static bool check_seq(verify_part *part, verify_entity *e, const pdr_commit_event *event)
{
    uint64_t seq = event->header->seq;
    if (PDR_LIKELY(seq == e->seq + 1)) return true;
    e->broken = true;
    if (verify_is_new(part)) {
        char expected[64];
        (void)snprintf(expected, sizeof expected, "the entity's next event has seq %" PRIu64, e->seq + 1);
        verify_tell(part, PDR_VERIFY_SEQ, verify_at(event), expected, "it has seq %" PRIu64, seq);
    }
    if (seq <= e->seq) return false;
    e->offset_count = 0;
    e->base = seq;
    e->linked = 0;
    return true;
}

/* --- backlinks --- */

static void tell_backlink(verify_part *part, const pdr_commit_event *event, const char *expected)
{
    if (!verify_is_new(part)) return;
    const pdr_header *h = event->header;
    if (h->back_offset < 0)
        verify_tell(part, PDR_VERIFY_BACKLINKS, verify_at(event), expected, "it names none");
    else
        verify_tell(part, PDR_VERIFY_BACKLINKS, verify_at(event), expected,
                    "it names event %" PRIu64 " at offset %" PRId64, h->back_seq, h->back_offset);
}

/* What is older than the event named won't be named again. */
static void forget_older(verify_entity *e, uint64_t seq)
{
    size_t gone = (size_t)(seq - e->base);
    e->offset_count -= (uint32_t)gone;
    memmove(e->offsets, e->offsets + gone, e->offset_count * sizeof *e->offsets);
    e->base = seq;
}

/* The newest event that was acknowledged when this one was encoded: never one older than the event before it
 * named, and never one older than the newest of an earlier term. */
static void check_backlink(verify_part *part, verify_entity *e, const pdr_commit_event *event)
{
    const pdr_header *h = event->header;
    char expected[120];
    uint64_t named = h->back_offset < 0 ? 0 : h->back_seq;
    uint64_t least = e->linked > e->before ? e->linked : e->before;
    if (e->broken) return; /* what would be named isn't known for sure */
    if (named < least) {
        (void)snprintf(expected, sizeof expected,
                       "the backlink names event %" PRIu64 " of the entity, or a later one", least);
        tell_backlink(part, event, expected);
        return;
    }
    e->linked = named;
    if (named == 0) return;
    if (named < e->base) {
        part->totals.unlinked += verify_is_new(part);
        return;
    }
    int64_t offset = e->offsets[named - e->base];
    if (offset != h->back_offset) {
        (void)snprintf(expected, sizeof expected, "event %" PRIu64 " is at offset %" PRId64, named, offset);
        tell_backlink(part, event, expected);
    }
    forget_older(e, named);
}

static pdr_code remember_offset(verify_entity *e, int64_t offset, pdr_error *err)
{
    if (e->offset_count == VERIFY_MAX_IN_FLIGHT) forget_older(e, e->base + VERIFY_MAX_IN_FLIGHT / 2);
    if (e->offset_count == e->offset_capacity) {
        uint32_t capacity = e->offset_capacity ? 2 * e->offset_capacity : 4;
        int64_t *grown = pdr_realloc(e->offsets, capacity * sizeof *grown);
        if (!grown) return pdr_fail(err, PDR_NOMEM, "an entity's offsets");
        e->offsets = grown;
        e->offset_capacity = capacity;
    }
    e->offsets[e->offset_count++] = offset;
    return PDR_OK;
}

/* --- command ids --- */

/* 0: not known, without the type. */
static uint32_t window_of(const pdr_folder *folder)
{
    if (!folder) return 0;
    uint32_t declared = pdr_folder_type(folder)->id_window;
    return declared ? declared : PDR_ID_WINDOW;
}

static pdr_bytes stored_ids(const verify_stored *s)
{
    return pdr_bytes_of(s->bytes, s->ids_size);
}

/* Within the newest `window` entries? */
static bool is_repeated(const pdr_ids *ids, pdr_bytes id, uint32_t window, pdr_id_entry *entry)
{
    if (!ids) return false;
    uint32_t place = 0;
    const uint8_t *at = ids->bytes + ids->begin, *end = ids->bytes + ids->end;
    for (; pdr_ids_next(&at, end, entry); place++)
        if (ids->count - place <= window && pdr_bytes_equal(entry->id, id)) return true;
    return false;
}

static pdr_code take_id(verify_part *part, verify_entity *e, const pdr_folder *folder,
                        const pdr_commit_event *last, pdr_error *err)
{
    const pdr_header *h = last->header;
    uint32_t window = window_of(folder), kept = window ? window : PDR_ID_WINDOW;
    pdr_id_entry before;
    if (h->id.size == 0) return PDR_OK;
    if (verify_is_new(part) && is_repeated(e->ids, h->id, window, &before))
        verify_tell(part, PDR_VERIFY_ONCE_PER_ID, verify_at(last), "a command id makes events once",
                    "event %" PRIu64 " was made with the same id", before.seq);
    if (e->head && e->head->ids_count > kept) kept = e->head->ids_count;
    pdr_id_entry entry = {h->id, h->fingerprint, h->seq, h->count, h->has_reply, h->reply};
    return pdr_ids_add(&e->ids, kept, &entry) == PDR_OK ? PDR_OK : pdr_fail(err, PDR_NOMEM, "command ids");
}

/* --- the head --- */

static bool same_entry(const pdr_id_entry *a, const pdr_id_entry *b)
{
    return pdr_bytes_equal(a->id, b->id) && a->fingerprint == b->fingerprint && a->seq == b->seq &&
           a->events == b->events && a->has_reply == b->has_reply && pdr_bytes_equal(a->reply, b->reply);
}

static void tell_head(verify_part *part, const verify_entity *e, const char *expected, const char *found)
{
    verify_tell(part, PDR_VERIFY_HEADS, (verify_where){e->head->last.offset, verify_key(e), e->head->seq},
                expected, "%s", found);
}

static void compare_entries(verify_part *part, const verify_entity *e, uint32_t count)
{
    char text[160];
    pdr_id_entry have, want = {.seq = 0};
    pdr_bytes packed = stored_ids(e->head), log = pdr_ids_packed(e->ids);
    const uint8_t *at = packed.data, *end = at + packed.size, *log_at = log.data,
                  *log_end = log_at + log.size;
    for (uint32_t i = e->ids ? e->ids->count : 0; i > count; i--)
        if (!pdr_ids_next(&log_at, log_end, &want)) return;
    for (uint32_t place = 0; pdr_ids_next(&at, end, &have); place++) {
        if (pdr_ids_next(&log_at, log_end, &want) && same_entry(&have, &want)) continue;
        (void)snprintf(text, sizeof text,
                       "entry %u of %u differs: of event %" PRIu64 " there, of event %" PRIu64 " in the log",
                       place, count, have.seq, want.seq);
        tell_head(part, e, "a head's command ids, fingerprints and replies are those of the log", text);
        return;
    }
}

/* The head's entries are the newest that the log has, as many as the type says. */
static void check_ids(verify_part *part, const verify_entity *e, const pdr_folder *folder)
{
    char text[160];
    uint32_t count, window = window_of(folder), known = e->ids ? e->ids->count : 0;
    pdr_bytes packed = stored_ids(e->head);
    if (pdr_bytes_equal(packed, pdr_ids_packed(e->ids))) return;
    size_t malformed = verify_count_ids(packed, &count);
    if (malformed != SIZE_MAX) {
        (void)snprintf(text, sizeof text, "it is malformed at its entry %zu", malformed);
        tell_head(part, e, "a head's window of command ids is a row of entries", text);
    } else if (count < (known < window ? known : window) || count > known) {
        (void)snprintf(text, sizeof text, "it remembers %u; the log has %u", count, known);
        tell_head(part, e, "a head remembers the newest command ids, as many as its type says", text);
    } else {
        compare_entries(part, e, count);
    }
}

static void check_head(verify_part *part, verify_entity *e, const pdr_folder *folder,
                       const pdr_commit_event *event)
{
    const pdr_header *h = event->header;
    pdr_position here = {event->record->offset, h->term, h->number};
    char expected[VERIFY_TEXT], there[VERIFY_POSITION_TEXT], stored[VERIFY_POSITION_TEXT];
    e->head_checked = true;
    if (!verify_is_new(part)) return;
    part->totals.heads++;
    if (!pdr_position_equal(here, e->head->last)) {
        (void)snprintf(expected, sizeof expected, "event %" PRIu64 " of the entity is %s", h->seq,
                       verify_position_text(there, here));
        tell_head(part, e, expected, verify_position_text(stored, e->head->last));
    }
    if (h->index + 1 < h->count)
        tell_head(part, e, "a head rests on the last event of a commit",
                  "the event has later ones in its commit");
    else if (!e->broken)
        check_ids(part, e, folder);
}

static void check_covered(verify_part *part, verify_entity *e, const pdr_commit_event *event)
{
    uint64_t head = e->head ? e->head->seq : 0;
    if (e->uncovered || !part->verify->spec.has_store || !part->has_row) return;
    if (event->record->offset > part->row.checkpoint.offset || event->header->seq <= head) return;
    e->uncovered = true;
    if (!verify_is_new(part)) return;
    if (head)
        verify_tell(part, PDR_VERIFY_COVERS, verify_at(event),
                    "an event at or before the checkpoint is in its head",
                    "the head has seq %" PRIu64 "; the checkpoint is at offset %" PRId64, head,
                    part->row.checkpoint.offset);
    else
        verify_tell(part, PDR_VERIFY_COVERS, verify_at(event),
                    "an event at or before the checkpoint is in its head",
                    "there is no head; the checkpoint is at offset %" PRId64, part->row.checkpoint.offset);
}

static void tell_unmet(verify_part *part, const verify_entity *e)
{
    part->totals.heads++;
    char expected[64], found[64] = "it has no event of it";
    (void)snprintf(expected, sizeof expected, "the log has event %" PRIu64 " of the entity", e->head->seq);
    if (e->seq) (void)snprintf(found, sizeof found, "its newest event in the log is %" PRIu64, e->seq);
    tell_head(part, e, expected, found);
}

void verify_unmet_heads(verify_part *part)
{
    for (size_t i = 0; part->slots && i <= part->mask; i++) {
        const verify_entity *e = part->slots[i];
        if (!e) continue;
        part->totals.entities += e->seq > 0;
        if (e->head && !e->head_checked) tell_unmet(part, e);
    }
}

/* --- commits --- */

static verify_entity *entity_of(verify_part *part, const pdr_commit_event *event, uint64_t hash,
                                pdr_error *err)
{
    verify_entity *e = verify_find(part, event->record->entry.key, hash);
    if (!e) e = verify_add(part, event->record->entry.key, hash);
    if (!e) (void)pdr_fail(err, PDR_NOMEM, "%zu entities", part->count);
    return e;
}

static pdr_code take_event(verify_part *part, verify_entity *e, const pdr_folder *folder,
                           const pdr_commit_event *event, pdr_error *err)
{
    const pdr_header *h = event->header;
    pdr_code code = PDR_OK;
    bool last = h->index + 1 == h->count;
    if (verify_is_new(part)) {
        check_key(part, event);
        check_frame(part, event);
    }
    check_covered(part, e, event);
    bool next = check_seq(part, e, event);
    if (next) {
        if (e->term_offset != h->term.offset) e->before = h->seq - 1;
        e->term_offset = h->term.offset;
        check_backlink(part, e, event);
        code = remember_offset(e, event->record->offset, err);
        e->seq = h->seq;
    }
    if (code == PDR_OK) code = verify_read_event(part, e, folder, event, err);
    if (code == PDR_OK && last && next) code = take_id(part, e, folder, event, err);
    if (code != PDR_OK || !next) return code;
    if (e->head && !e->head_checked && h->seq == e->head->seq) check_head(part, e, folder, event);
    return PDR_OK;
}

static void check_one_command(verify_part *part, const pdr_commit_event *first, const pdr_commit_event *event)
{
    if (pdr_bytes_equal(first->header->id, event->header->id) &&
        first->header->fingerprint == event->header->fingerprint)
        return;
    verify_tell(part, PDR_VERIFY_ALL_OR_NONE, verify_at(event), "the events of a commit are of one command",
                "it names another command than the commit's first event");
}

pdr_code verify_commit(verify_part *part, const pdr_commit_event *events, size_t count, pdr_error *err)
{
    uint64_t hash = pdr_key_hash(events[0].record->entry.key);
    if (!verify_in_pass(part, hash)) return PDR_OK;
    verify_entity *e = entity_of(part, &events[0], hash, err);
    if (!e) return PDR_NOMEM;
    const pdr_folder *folder = folder_of(part, e);
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < count; i++) {
        if (verify_is_new(part)) check_one_command(part, &events[0], &events[i]);
        code = take_event(part, e, folder, &events[i], err);
    }
    verify_account(part, e);
    return code == PDR_OK ? verify_make_room(part, err) : code;
}
