#include <inttypes.h>
#include <zlib.h>

#include "base/mem.h"
#include "replay/export_file.h"

enum { HELD = 48 * 1024 * 1024 }; /* bytes of one commit: more than any that was decided */

struct pdr_export_reader {
    pdr_container_reader *container;
    uint8_t journal[PDR_ID_SIZE];
    pdr_schema_book *book;
    const uint8_t *at, *end; /* what is left of the block */
    uint64_t left;           /* objects in it */
    pdr_exported_end seen;   /* what the end must say */
    bool ended;
    pdr_exported_event events[PDR_MAX_EVENTS_PER_COMMIT]; /* of the commit */
    size_t count;
    pdr_arena held; /* what they point to */
};

static bool read_id(uint8_t id[PDR_ID_SIZE], pdr_bytes text)
{
    if (text.size != 2 * PDR_ID_SIZE) return false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) return false;
        id[i / 2] = (uint8_t)(i % 2 ? id[i / 2] << 4 | digit : digit);
    }
    return true;
}

static pdr_code check_header(pdr_export_reader *r, pdr_error *err)
{
    pdr_bytes version = pdr_container_meta_of(r->container, "perdure.export");
    pdr_bytes schema = pdr_container_meta_of(r->container, "avro.schema");
    if (!version.data)
        return pdr_fail(err, PDR_INVALID_ARGUMENT,
                        "it isn't an exact export: its header has no entry perdure.export");
    if (!pdr_bytes_equal(version, pdr_bytes_of("1", 1)))
        return pdr_fail(err, PDR_TOO_NEW, "it is an export of version %.*s; this program reads version %d",
                        version.size < 10 ? (int)version.size : 0, (const char *)version.data,
                        PDR_EXPORT_VERSION);
    if (!pdr_bytes_equal(schema, pdr_bytes_of(pdr_exported_avro, strlen(pdr_exported_avro))))
        return pdr_fail(err, PDR_BAD_DATA, "its schema isn't that of an export");
    if (!read_id(r->journal, pdr_container_meta_of(r->container, "perdure.journal")))
        return pdr_fail(err, PDR_BAD_DATA, "its header doesn't say which journal it comes from");
    return PDR_OK;
}

pdr_code pdr_export_reader_open(pdr_export_reader **out, const pdr_byte_source *source, pdr_error *err)
{
    pdr_export_reader *r = pdr_calloc(1, sizeof *r);
    if (!r) return pdr_fail(err, PDR_NOMEM, "an export");
    r->held = (pdr_arena)PDR_ARENA_INIT(HELD);
    pdr_code code = pdr_schema_book_open(&r->book, err);
    if (code == PDR_OK) code = pdr_container_reader_open(&r->container, source, err);
    if (code == PDR_OK) code = check_header(r, err);
    if (code == PDR_OK)
        *out = r;
    else
        pdr_export_reader_close(r);
    return code;
}

void pdr_export_reader_close(pdr_export_reader *r)
{
    if (!r) return;
    pdr_container_reader_close(r->container);
    pdr_schema_book_close(r->book);
    pdr_arena_release(&r->held);
    pdr_free(r);
}

const uint8_t *pdr_export_reader_journal(const pdr_export_reader *r)
{
    return r->journal;
}

pdr_string pdr_export_reader_selection(const pdr_export_reader *r)
{
    pdr_bytes text = pdr_container_meta_of(r->container, "perdure.selection");
    return (pdr_string){(const char *)text.data, text.size};
}

uint64_t pdr_export_reader_offset(const pdr_export_reader *r)
{
    return pdr_container_offset(r->container);
}

const pdr_schema_book *pdr_export_reader_book(const pdr_export_reader *r)
{
    return r->book;
}

/* --- commits --- */

static bool same_bytes(pdr_bytes a, pdr_bytes b)
{
    return (a.data == NULL) == (b.data == NULL) && pdr_bytes_equal(a, b);
}

static bool goes_on(const pdr_exported_event *e, const pdr_exported_event *next)
{
    return pdr_string_equal(e->entity, next->entity) && next->seq == e->seq + 1 &&
           next->index == e->index + 1 && next->count == e->count && pdr_bytes_equal(e->id, next->id) &&
           e->command_fingerprint == next->command_fingerprint &&
           pdr_bytes_equal(e->correlation, next->correlation) &&
           pdr_bytes_equal(e->causation, next->causation) && same_bytes(e->trace, next->trace) &&
           e->has_consumed == next->has_consumed && e->consumed_partition == next->consumed_partition &&
           e->consumed_offset == next->consumed_offset;
}

static pdr_code misplaced(const pdr_exported_event *e, const char *why, pdr_error *err)
{
    return pdr_fail(err, PDR_BAD_DATA, "event %" PRIu64 " of %.*s %s", e->seq,
                    (int)(e->entity.size < 200 ? e->entity.size : 200), e->entity.data, why);
}

static bool keep(pdr_arena *arena, pdr_bytes *range)
{
    if (!range->data) return true;
    *range = pdr_arena_bytes(arena, *range);
    return range->data != NULL;
}

static pdr_code add_event(pdr_export_reader *r, const pdr_exported_event *event, pdr_error *err)
{
    pdr_exported_event *e = &r->events[r->count];
    if (!pdr_schema_book_find(r->book, event->fingerprint, NULL))
        return misplaced(event, "was written with a schema that isn't in the export", err);
    if (r->count ? !goes_on(&r->events[r->count - 1], event) : event->index != 0)
        return misplaced(
            event, r->count ? "doesn't go on with the commit before it" : "begins inside a commit", err);
    *e = *event;
    e->entity = pdr_arena_string(&r->held, event->entity);
    e->type = pdr_arena_string(&r->held, event->type);
    bool kept = e->entity.data && e->type.data && keep(&r->held, &e->id) && keep(&r->held, &e->reply) &&
                keep(&r->held, &e->correlation) && keep(&r->held, &e->causation) &&
                keep(&r->held, &e->trace) && keep(&r->held, &e->datum);
    if (!kept) return pdr_fail(err, PDR_NOMEM, "a commit of %u events", event->count);
    r->count++;
    r->seen.events++;
    return PDR_OK;
}

static pdr_code take_end(pdr_export_reader *r, const pdr_exported_end *end, pdr_error *err)
{
    r->ended = true;
    if (r->count) return misplaced(&r->events[r->count - 1], "isn't followed by the rest of its commit", err);
    if (end->events != r->seen.events || end->commits != r->seen.commits)
        return pdr_fail(err, PDR_BAD_DATA,
                        "it has %" PRIu64 " events in %" PRIu64 " commits; its end says %" PRIu64
                        " in %" PRIu64,
                        r->seen.events, r->seen.commits, end->events, end->commits);
    if (end->check != r->seen.check)
        return pdr_fail(err, PDR_BAD_DATA, "its records aren't those that were written: the check differs");
    return PDR_OK;
}

static pdr_code take_record(pdr_export_reader *r, pdr_error *err)
{
    pdr_exported record;
    const uint8_t *begin = r->at;
    pdr_code code = pdr_exported_decode(&record, &r->at, r->end, err);
    if (code != PDR_OK)
        return pdr_fail_context(err, code, "the block before byte %" PRIu64, pdr_export_reader_offset(r));
    r->left--;
    if (record.kind == PDR_EXPORTED_END) return take_end(r, &record.end, err);
    r->seen.check = (uint32_t)crc32(r->seen.check, begin, (uInt)(r->at - begin));
    if (record.kind == PDR_EXPORTED_EVENT) return add_event(r, &record.event, err);
    code = pdr_schema_book_add(r->book, record.schema.fingerprint, record.schema.json, PDR_BOOK_NO_ID, err);
    if (code != PDR_BAD_SCHEMA) return code;
    if (err) err->code = PDR_BAD_DATA;
    return pdr_fail_context(err, PDR_BAD_DATA, "one of its schemas");
}

static pdr_code next_block(pdr_export_reader *r, pdr_error *err)
{
    pdr_bytes block;
    if (r->at != r->end)
        return pdr_fail(err, PDR_BAD_DATA, "the block before byte %" PRIu64 " has more than its objects",
                        pdr_export_reader_offset(r));
    pdr_code code = pdr_container_next(r->container, &block, &r->left, err);
    if (code != PDR_OK) return code;
    if (r->left && r->ended) return pdr_fail(err, PDR_BAD_DATA, "it goes on behind its end");
    if (!r->left && !r->ended) return pdr_fail(err, PDR_BAD_DATA, "it is cut short: its end is missing");
    r->at = block.data;
    r->end = block.data ? block.data + block.size : NULL;
    return PDR_OK;
}

pdr_code pdr_export_reader_next(pdr_export_reader *r, const pdr_exported_event **events, size_t *count,
                                pdr_error *err)
{
    *count = r->count = 0;
    pdr_arena_clear(&r->held);
    for (;;) {
        pdr_code code = PDR_OK;
        if (!r->left) code = next_block(r, err);
        if (code == PDR_OK && !r->left) return PDR_OK;
        if (code == PDR_OK && r->ended) code = pdr_fail(err, PDR_BAD_DATA, "it goes on behind its end");
        if (code == PDR_OK) code = take_record(r, err);
        if (code != PDR_OK) return code;
        if (!r->count || r->count != r->events[0].count) continue;
        r->seen.commits++;
        *events = r->events;
        *count = r->count;
        return PDR_OK;
    }
}
