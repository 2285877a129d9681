/*   the partition's row (checkpoint), then the entity's head -> WALKING (events up to the head) -> SCANNING
 * (from the checkpoint)
 *
 * The row is read before the head: whatever is saved between the two is then met twice, and skipped once; in
 * the other order it could be missed. */
#include "journal/entity_reader.h"

#include "base/mem.h"
#include "journal/history.h"

enum { MAX_WALK = 64 * 1024 * 1024, TAG_LOAD = 1, TAG_LOOKUP = 2 };

struct pdr_entity_reader {
    pdr_log *log;
    pdr_store *store;
    const pdr_entity_reader_events *events;
    void *context;
    int32_t partition;
    uint64_t to_seq;
    uint64_t last_seq; /* delivered, or not wanted */
    pdr_position checkpoint;
    bool over; /* `failed` was told, or nothing more is wanted */
    bool paused;
    bool scanning; /* `commits` is to be released */
    uint64_t scanned;
    pdr_history *history;
    pdr_log_reader *records;
    pdr_commit_reader commits;
    pdr_bytes key; /* behind the struct */
};

static void fail(pdr_entity_reader *r, pdr_code code, const pdr_error *error)
{
    if (r->over) return;
    r->over = true;
    r->events->failed(r->context, code, error);
}

static void finish(pdr_entity_reader *r)
{
    r->over = true;
    r->events->caught_up(r->context);
}

static pdr_code tell(pdr_entity_reader *r, const pdr_log_record *record, const pdr_header *header,
                     pdr_error *err)
{
    r->last_seq = header->seq;
    return r->events->event(r->context, record, header, err);
}

/* --- after the checkpoint --- */

static pdr_code take_event(pdr_entity_reader *r, const pdr_commit_event *event, pdr_error *err)
{
    const pdr_header *header = event->header;
    if (header->seq <= r->last_seq || r->last_seq >= r->to_seq) return PDR_OK;
    if (header->seq != r->last_seq + 1)
        return pdr_fail(err, PDR_STALE, "%.*s: after seq %llu comes %llu; the store moved while it was read",
                        (int)r->key.size, (const char *)r->key.data, (unsigned long long)r->last_seq,
                        (unsigned long long)header->seq);
    return tell(r, event->record, header, err);
}

static pdr_code scanned(void *context, const pdr_commit_event *events, size_t count, pdr_position before,
                        pdr_error *err)
{
    (void)before;
    pdr_entity_reader *r = context;
    if (!pdr_bytes_equal(events[0].record->entry.key, r->key)) return PDR_OK;
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < count; i++)
        code = take_event(r, &events[i], err);
    return code;
}

static pdr_code met_other(void *context, pdr_verdict verdict, const pdr_log_record *record,
                          const pdr_header *header, pdr_error *err)
{
    pdr_entity_reader *r = context;
    return r->events->other ? r->events->other(r->context, verdict, record, header, err) : PDR_OK;
}

static const pdr_commit_sink scan_sink = {scanned, met_other};

static void on_records(void *context, const pdr_log_record *records, size_t count)
{
    pdr_entity_reader *r = context;
    for (size_t i = 0; i < count && !r->over; i++) {
        pdr_error err;
        pdr_code code = pdr_commit_reader_take(&r->commits, &records[i], &err);
        r->scanned++;
        if (code != PDR_OK)
            fail(r, code, &err);
        else if (r->last_seq >= r->to_seq)
            finish(r);
    }
}

static void on_end(void *context, int64_t end)
{
    pdr_entity_reader *r = context;
    (void)end;
    if (!r->over) r->events->caught_up(r->context);
}

static void on_failed(void *context, const pdr_error *error)
{
    fail(context, error->code, error);
}

static const pdr_log_reader_events record_events = {on_records, on_end, on_failed};

static pdr_code scan(pdr_entity_reader *r, pdr_error *err)
{
    pdr_commit_reader_init(&r->commits, r->checkpoint, &scan_sink, r);
    r->scanning = true;
    pdr_code code = r->log->ops->reader_open(r->log, r->partition, r->checkpoint.offset + 1, &record_events,
                                             r, &r->records, err);
    if (code == PDR_OK && r->paused) r->log->ops->reader_pause(r->records, true);
    return code;
}

static void begin_scan(pdr_entity_reader *r)
{
    pdr_error err;
    if (r->last_seq >= r->to_seq) {
        finish(r);
        return;
    }
    pdr_code code = scan(r, &err);
    if (code != PDR_OK) fail(r, code, &err);
}

/* --- up to the head --- */

static pdr_code walked(void *context, const pdr_log_record *record, const pdr_header *header, pdr_error *err)
{
    pdr_entity_reader *r = context;
    pdr_code code = tell(r, record, header, err);
    if (code == PDR_OK && r->last_seq >= r->to_seq) code = PDR_CANCELLED; /* the rest isn't wanted */
    return code;
}

static void walk_done(void *context, pdr_code code, const pdr_error *error)
{
    pdr_entity_reader *r = context;
    if (code == PDR_OK || r->last_seq >= r->to_seq)
        begin_scan(r);
    else
        fail(r, code, error);
    pdr_history_close(r->history);
    r->history = NULL;
}

static const pdr_history_events walk_events = {walked, walk_done};

static void walk(pdr_entity_reader *r, const pdr_head *head)
{
    pdr_history_spec spec = {.partition = r->partition,
                             .key = r->key,
                             .after_seq = r->last_seq,
                             .to_seq = head->seq,
                             .last = head->last,
                             .max_bytes = MAX_WALK};
    pdr_error err;
    pdr_code code = pdr_history_open(&r->history, r->log, &spec, &walk_events, r, &err);
    if (code != PDR_OK) fail(r, code, &err);
}

/* --- the store --- */

static void looked_up(pdr_entity_reader *r, const pdr_head *head)
{
    pdr_error err;
    pdr_code code = PDR_OK;
    if (r->events->head) code = r->events->head(r->context, head, &r->last_seq, &err);
    if (code != PDR_OK)
        fail(r, code, &err);
    else if (head && head->seq > r->last_seq && r->last_seq < r->to_seq)
        walk(r, head);
    else
        begin_scan(r);
}

static void answered(void *context, uint64_t tag, const pdr_store_result *result)
{
    pdr_entity_reader *r = context;
    if (r->over) return;
    if (result->code != PDR_OK)
        fail(r, result->code, result->error);
    else if (tag == TAG_LOAD)
        r->checkpoint = result->row.checkpoint;
    else
        looked_up(r, result->head_count ? &result->heads[0] : NULL);
}

/* Both at once: a store carries out what it is asked in that order. */
static pdr_code ask_store(pdr_entity_reader *r, const pdr_entity_reader_spec *spec, pdr_error *err)
{
    const pdr_store_ops *ops = r->store->ops;
    pdr_lookup_key key = {r->key, spec->revisions, spec->revision_count};
    pdr_code code = ops->load(r->store, r->partition, answered, r, TAG_LOAD, err);
    if (code == PDR_OK) code = ops->lookup(r->store, r->partition, &key, 1, answered, r, TAG_LOOKUP, err);
    return code;
}

/* --- opening and closing --- */

pdr_code pdr_entity_reader_open(pdr_entity_reader **out, pdr_log *log, pdr_store *store,
                                const pdr_entity_reader_spec *spec, const pdr_entity_reader_events *events,
                                void *context, pdr_error *err)
{
    *out = NULL;
    if (spec->key.size == 0 || spec->key.size > PDR_MAX_ENTITY_ID)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "an entity id has 1 to %d bytes", PDR_MAX_ENTITY_ID);
    pdr_entity_reader *r = pdr_calloc(1, sizeof *r + spec->key.size);
    if (!r) return pdr_fail(err, PDR_NOMEM, "reading an entity's events");
    *r = (pdr_entity_reader){.log = log,
                             .store = store,
                             .events = events,
                             .context = context,
                             .partition = spec->partition,
                             .to_seq = spec->to_seq,
                             .last_seq = spec->after_seq,
                             .checkpoint = PDR_POSITION_START,
                             .key = {(const uint8_t *)(r + 1), spec->key.size}};
    memcpy(r + 1, spec->key.data, spec->key.size);
    pdr_code code = store ? ask_store(r, spec, err) : scan(r, err);
    if (code == PDR_OK)
        *out = r;
    else
        pdr_entity_reader_close(r);
    return code;
}

void pdr_entity_reader_close(pdr_entity_reader *r)
{
    if (!r) return;
    pdr_history_close(r->history);
    if (r->store) r->store->ops->forget(r->store, r);
    r->log->ops->reader_close(r->records);
    if (r->scanning) pdr_commit_reader_release(&r->commits);
    pdr_free(r);
}

void pdr_entity_reader_pause(pdr_entity_reader *r, bool paused)
{
    if (r->paused == paused) return;
    r->paused = paused;
    if (r->records) r->log->ops->reader_pause(r->records, paused);
}

uint64_t pdr_entity_reader_scanned(const pdr_entity_reader *r)
{
    return r->scanned;
}
