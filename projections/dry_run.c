#include "projections/dry_run.h"

#include <inttypes.h>
#include <poll.h>

#include "base/clock.h"
#include "base/mem.h"
#include "journal/app.h"
#include "journal/commit_reader.h"
#include "journal/schema_book.h"

enum {
    MAX_EVENT_MEMORY = 64 * 1024 * 1024,
    MAX_ROWS_MEMORY = 64 * 1024 * 1024,
    MAX_FDS = 32,
    MAX_FETCHES = 100
};

struct pdr_dry_run {
    pdr_dry_run_spec spec;
    pdr_rows *rows;
    pdr_folder *folder; /* of the entity's type */
    pdr_arena event, scratch;
    uint32_t events;
    /* of the letter that is being read */
    const pdr_dead_letter *letter;
    pdr_commit_reader commits;
    bool found;
    pdr_error failure; /* code PDR_OK: none */
    pdr_projected projected;
    pdr_bytes value;
    size_t fetches; /* under way */
};

/* --- the event in the log --- */

static pdr_code take_commit(void *context, const pdr_commit_event *events, size_t count, pdr_position before,
                            pdr_error *err)
{
    pdr_dry_run *r = context;
    (void)before;
    for (size_t i = 0; i < count && !r->found; i++) {
        const pdr_log_record *record = events[i].record;
        const pdr_header *header = events[i].header;
        if (record->offset != r->letter->offset) continue;
        pdr_bytes key = pdr_arena_bytes(&r->event, record->entry.key);
        r->value = pdr_arena_bytes(&r->event, record->entry.value);
        r->projected = (pdr_projected){.entity = {(const char *)key.data, key.size},
                                       .event = {.seq = header->seq, .time_us = header->time_us},
                                       .partition = r->letter->partition,
                                       .offset = record->offset,
                                       .command_id = pdr_arena_bytes(&r->event, header->id),
                                       .correlation = pdr_arena_bytes(&r->event, header->correlation),
                                       .causation = pdr_arena_bytes(&r->event, header->causation)};
        if (!key.data || !r->value.data) return pdr_fail(err, PDR_NOMEM, "an event");
        r->found = true;
    }
    return PDR_OK;
}

static pdr_code take_other(void *context, pdr_verdict verdict, const pdr_log_record *record,
                           const pdr_header *header, pdr_error *err)
{
    const pdr_dry_run *r = context;
    if (verdict != PDR_VERDICT_SCHEMA) return PDR_OK;
    pdr_string json = {(const char *)record->entry.schema.data, record->entry.schema.size};
    pdr_code code = pdr_schema_book_add(r->spec.book, header->schema_fingerprint, json,
                                        header->registry_id ? header->registry_id : PDR_BOOK_NO_ID, err);
    return code == PDR_NOMEM ? code : PDR_OK; /* a schema that is none: its events will say so */
}

static const pdr_commit_sink sink = {take_commit, take_other};

static void saw_records(void *context, const pdr_log_record *records, size_t count)
{
    pdr_dry_run *r = context;
    for (size_t i = 0; i < count && !r->found && r->failure.code == PDR_OK; i++) {
        pdr_code code = pdr_commit_reader_take(&r->commits, &records[i], &r->failure);
        if (code == PDR_OK && !r->found && r->commits.walk.at.offset > r->letter->offset)
            pdr_fail(&r->failure, PDR_CORRUPT,
                     "partition %d: the parked event at offset %" PRId64 " isn't in the log",
                     (int)r->letter->partition, r->letter->offset);
    }
}

static void saw_end(void *context, int64_t end)
{
    pdr_dry_run *r = context;
    if (!r->found && r->failure.code == PDR_OK && end <= r->letter->offset)
        pdr_fail(&r->failure, PDR_CORRUPT,
                 "partition %d ends at offset %" PRId64 ", before the parked event at %" PRId64,
                 (int)r->letter->partition, end, r->letter->offset);
}

static void saw_failure(void *context, const pdr_error *error)
{
    pdr_dry_run *r = context;
    if (r->failure.code == PDR_OK) r->failure = *error;
}

static const pdr_log_reader_events reader_events = {saw_records, saw_end, saw_failure};

static void sleep_on(const pdr_dry_run *r)
{
    struct pollfd fds[MAX_FDS];
    int64_t log_us = INT64_MAX, views_us = INT64_MAX;
    int count = r->spec.log->ops->wait_on(r->spec.log, fds, MAX_FDS, &log_us);
    count += r->spec.views->ops->wait_on(r->spec.views, fds + count, MAX_FDS - count, &views_us);
    int64_t us = log_us < views_us ? log_us : views_us;
    (void)poll(fds, (nfds_t)count, us < 10000 ? (int)((us + 999) / 1000) : 10); /* whatever woke it */
}

static pdr_code read_event(pdr_dry_run *r, pdr_error *err)
{
    pdr_log *log = r->spec.log;
    pdr_log_reader *reader;
    int64_t until = pdr_deadline_us(r->spec.timeout_ms);
    r->found = false;
    r->failure.code = PDR_OK;
    pdr_commit_reader_init(&r->commits, r->letter->before, &sink, r);
    pdr_code code = log->ops->reader_open(log, r->letter->partition, r->letter->before.offset + 1,
                                          &reader_events, r, &reader, err);
    if (code == PDR_OK) {
        while (!r->found && r->failure.code == PDR_OK && pdr_mono_us() < until)
            if (log->ops->poll(log) == 0) sleep_on(r);
        log->ops->reader_close(reader);
    }
    pdr_commit_reader_release(&r->commits);
    if (code != PDR_OK || r->found) return code;
    if (r->failure.code == PDR_OK)
        return pdr_fail(err, PDR_TIMEOUT, "the log wasn't read up to offset %" PRId64 " within %d ms",
                        r->letter->offset, r->spec.timeout_ms);
    if (err) *err = r->failure;
    return r->failure.code;
}

/* --- rows that it wants --- */

static void fetched(void *context, uint64_t tag, const pdr_view_rows *rows)
{
    pdr_dry_run *r = context;
    r->fetches--;
    pdr_code code = rows->code;
    if (code != PDR_OK)
        r->failure = *rows->error;
    else if (pdr_rows_fetched(r->rows, (size_t)tag, rows->rows, rows->count, &r->failure) == PDR_OK)
        r->failure.code = PDR_OK;
}

static pdr_code fetch_wanted(pdr_dry_run *r, pdr_error *err)
{
    pdr_views *views = r->spec.views;
    int64_t until = pdr_deadline_us(r->spec.timeout_ms);
    pdr_code code = PDR_OK;
    r->failure.code = PDR_OK;
    for (size_t table = 0; code == PDR_OK && table < r->spec.version.table_count; table++) {
        const pdr_cell *const *keys;
        size_t count = pdr_rows_wanted(r->rows, table, &keys);
        if (count == 0) continue;
        code = views->ops->fetch(views, &r->spec.version, table, keys, count, fetched, r, table, err);
        if (code == PDR_OK) r->fetches++;
    }
    while (code == PDR_OK && r->fetches > 0 && pdr_mono_us() < until)
        if (views->ops->poll(views) == 0) sleep_on(r);
    if (r->fetches > 0) {
        views->ops->forget(views, r);
        r->fetches = 0;
        if (code == PDR_OK)
            code = pdr_fail(err, PDR_TIMEOUT, "rows were not here within %d ms", r->spec.timeout_ms);
    }
    if (code != PDR_OK || r->failure.code == PDR_OK) return code;
    if (err) *err = r->failure;
    return r->failure.code;
}

/* --- through today's code --- */

static pdr_code open_folder(pdr_dry_run *r, pdr_error *err)
{
    if (r->folder) return PDR_OK;
    pdr_string entity = r->projected.entity;
    size_t i = pdr_app_entity_of(r->spec.app, pdr_bytes_of(entity.data, entity.size));
    if (i != SIZE_MAX) return pdr_folder_open(&r->folder, r->spec.app->entities[i], r->spec.book, err);
    const char *slash = memchr(entity.data, '/', entity.size);
    size_t size = slash ? (size_t)(slash - entity.data) : entity.size;
    return pdr_fail(err, PDR_UNKNOWN_TYPE, "the application has no entity type %.*s", (int)size, entity.data);
}

static pdr_code project(pdr_dry_run *r, const pdr_event_list *today, pdr_error *err)
{
    pdr_projection *projection = r->spec.projection;
    pdr_code code = pdr_rows_begin(r->rows, r->events, err);
    for (size_t i = 0; code == PDR_OK && i < today->count; i++) {
        const pdr_event *event = pdr_event_list_at(today, i);
        if (!projection->ops->wants(projection, event->type)) continue;
        r->projected.event = *event;
        r->projected.part = (uint32_t)i;
        r->projected.parts = (uint32_t)today->count;
        code = projection->ops->project(projection, &r->projected, r->rows, err);
    }
    if (code != PDR_OK) pdr_rows_undo(r->rows);
    return code;
}

static pdr_code try_event(pdr_dry_run *r, const pdr_event_list *today, pdr_dry_event *out, pdr_error *err)
{
    for (int i = 0; i < MAX_FETCHES; i++) {
        out->code = project(r, today, &out->why);
        if (out->code != PDR_BUSY) return PDR_OK;
        pdr_code code = fetch_wanted(r, err);
        if (code != PDR_OK) return code;
    }
    return pdr_fail(err, PDR_BAD_HANDLER, "the projection wants ever more rows");
}

pdr_code pdr_dry_run_next(pdr_dry_run *r, const pdr_dead_letter *letter, pdr_dry_event *out, pdr_error *err)
{
    pdr_event_list *today = NULL;
    *out = (pdr_dry_event){.code = PDR_OK};
    r->letter = letter;
    pdr_arena_clear(&r->event);
    pdr_arena_clear(&r->scratch);
    pdr_code code = read_event(r, err);
    if (code != PDR_OK) return code;
    out->time_us = r->projected.event.time_us;
    today = pdr_arena_calloc(&r->event, 1, sizeof *today);
    if (!today) return pdr_fail(err, PDR_NOMEM, "an event");
    out->code = open_folder(r, &out->why);
    if (out->code != PDR_OK) return PDR_OK;
    out->stored = pdr_folder_event_type(r->folder, r->value);
    out->code = pdr_folder_read(r->folder, r->value, r->projected.event.seq, r->projected.event.time_us,
                                &r->scratch, today, &out->why);
    if (out->code != PDR_OK) return PDR_OK;
    out->today = today;
    if (!r->spec.projection) return PDR_OK;
    code = try_event(r, today, out, err);
    r->events++;
    return code;
}

pdr_code pdr_dry_run_steps(pdr_dry_run *r, const pdr_view_step **steps, size_t *count, pdr_error *err)
{
    *count = 0;
    return r->rows ? pdr_rows_take(r->rows, steps, count, err) : PDR_OK;
}

pdr_code pdr_dry_run_open(pdr_dry_run **out, const pdr_dry_run_spec *spec, pdr_error *err)
{
    pdr_dry_run *r = pdr_calloc(1, sizeof *r);
    if (!r) return pdr_fail(err, PDR_NOMEM, "a dry run");
    r->spec = *spec;
    r->event = r->scratch = (pdr_arena)PDR_ARENA_INIT(MAX_EVENT_MEMORY);
    pdr_code code = PDR_OK;
    if (spec->projection)
        code = pdr_rows_open(&r->rows, spec->version.tables, spec->version.table_count, MAX_ROWS_MEMORY, err);
    if (code == PDR_OK)
        *out = r;
    else
        pdr_dry_run_close(r);
    return code;
}

void pdr_dry_run_close(pdr_dry_run *r)
{
    if (!r) return;
    pdr_rows_close(r->rows);
    pdr_folder_close(r->folder);
    pdr_arena_release(&r->event);
    pdr_arena_release(&r->scratch);
    pdr_free(r);
}
