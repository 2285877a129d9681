#include "journal/history.h"

#include "base/mem.h"
#include "journal/backwalk.h"

/* Reading goes on in the callbacks of one log reader at a time: for a walk, one reader per range of offsets;
 * for a scan, one from offset 0. */
struct pdr_history {
    pdr_log *log;
    pdr_log_reader *reader; /* NULL between ranges and at the end */
    const pdr_history_events *events;
    void *context;
    pdr_history_spec spec;
    bool busy;   /* inside a callback of the reader: freed when it returns */
    bool over;   /* `done` was called, or the caller closed it */
    bool closed; /* by the caller */

    bool scanning;
    pdr_backwalk walk;
    pdr_commit_reader scan;
    uint64_t scanned;  /* newest seq of the entity that the scan has met */
    bool must_scan;    /* walking can't tell, or holds too much */
    bool only_walking; /* the log no longer holds its beginning */

    uint8_t key[];
};

/* --- The end --- */

static void drop_reader(pdr_history *h)
{
    if (h->reader) h->log->ops->reader_close(h->reader);
    h->reader = NULL;
}

static void destroy(pdr_history *h)
{
    drop_reader(h);
    pdr_backwalk_release(&h->walk);
    if (h->scanning) pdr_commit_reader_release(&h->scan);
    pdr_free(h);
}

void pdr_history_close(pdr_history *history)
{
    if (!history) return;
    history->closed = history->over = true;
    drop_reader(history);
    if (!history->busy) destroy(history);
}

static void finish(pdr_history *h, pdr_code code, const pdr_error *err)
{
    if (h->over) return;
    h->over = true;
    drop_reader(h);
    h->events->done(h->context, code, code == PDR_OK ? NULL : err);
}

static void leave(pdr_history *h)
{
    h->busy = false;
    if (h->closed) destroy(h);
}

/* PDR_CANCELLED: the caller closed the history in its callback. */
static pdr_code deliver(pdr_history *h, const pdr_log_record *record, const pdr_header *header,
                        pdr_error *err)
{
    pdr_code code = h->events->event(h->context, record, header, err);
    return h->over ? PDR_CANCELLED : code;
}

/* --- Scanning --- */

static const pdr_log_reader_events reader_events;

static pdr_code open_reader(pdr_history *h, int64_t from, pdr_error *err)
{
    return h->log->ops->reader_open(h->log, h->spec.partition, from, &reader_events, h, &h->reader, err);
}

static pdr_code scan_event(pdr_history *h, const pdr_commit_event *event, pdr_error *err)
{
    const pdr_header *header = event->header;
    long long offset = event->record->offset;
    if (header->seq != h->scanned + 1)
        return pdr_fail(err, PDR_CORRUPT, "the event at offset %lld has seq %llu, it must have seq %llu",
                        offset, (unsigned long long)header->seq, (unsigned long long)h->scanned + 1);
    h->scanned = header->seq;
    if (header->seq <= h->spec.after_seq) return PDR_OK;
    if (header->seq == h->spec.to_seq && offset != h->spec.last.offset)
        return pdr_fail(err, PDR_CORRUPT, "event %llu is at offset %lld, it must be at offset %lld",
                        (unsigned long long)header->seq, offset, (long long)h->spec.last.offset);
    return deliver(h, event->record, header, err);
}

static pdr_code scan_commit(void *context, const pdr_commit_event *events, size_t count, pdr_position before,
                            pdr_error *err)
{
    (void)before;
    pdr_history *h = context;
    if (!pdr_bytes_equal(events[0].record->entry.key, h->spec.key)) return PDR_OK;
    for (size_t i = 0; i < count && h->scanned < h->spec.to_seq; i++) {
        pdr_code code = scan_event(h, &events[i], err);
        if (code != PDR_OK) return code;
    }
    return PDR_OK;
}

static const pdr_commit_sink scan_sink = {.commit = scan_commit};

static pdr_code start_scan(pdr_history *h, pdr_error *err)
{
    pdr_backwalk_release(&h->walk);
    h->scanning = true;
    h->scanned = 0;
    pdr_commit_reader_init(&h->scan, PDR_POSITION_START, &scan_sink, h);
    return open_reader(h, 0, err);
}

static void stop_scan(pdr_history *h)
{
    pdr_commit_reader_release(&h->scan);
    h->scanning = false;
}

static void scan_missed(pdr_history *h)
{
    pdr_error err;
    (void)pdr_fail(&err, PDR_CORRUPT, "event %llu must be at offset %lld; up to there the entity has %llu",
                   (unsigned long long)h->spec.to_seq, (long long)h->spec.last.offset,
                   (unsigned long long)h->scanned);
    finish(h, PDR_CORRUPT, &err);
}

/* Nothing more can come? If `last` is in sequence and stands inside its commit, that one is read to its end.
 */
static bool scan_is_past_last(const pdr_history *h, int64_t offset)
{
    const pdr_walk *walk = &h->scan.walk;
    bool inside =
        walk->open && pdr_term_equal(walk->term, h->spec.last.term) && walk->count >= h->spec.last.number;
    return offset >= h->spec.last.offset && !inside;
}

static void scan_record(pdr_history *h, const pdr_log_record *record)
{
    pdr_error err = {0};
    pdr_code code = pdr_commit_reader_take(&h->scan, record, &err);
    if (h->over) return;
    if (code != PDR_OK) {
        finish(h, code, &err);
    } else if (h->scanned == h->spec.to_seq) {
        finish(h, PDR_OK, NULL);
    } else if (scan_is_past_last(h, record->offset)) {
        scan_missed(h);
    }
}

/* --- Walking --- */

static void deliver_chain(pdr_history *h)
{
    const pdr_held_list *chain = &h->walk.chain;
    pdr_error err = {0};
    for (size_t i = chain->count; i-- > 0;) {
        pdr_code code = deliver(h, &chain->items[i]->record, &chain->items[i]->header, &err);
        if (h->over) return;
        if (code != PDR_OK) {
            finish(h, code, &err);
            return;
        }
    }
    finish(h, PDR_OK, NULL);
}

/* Start reading what the walk wants next. DONE: its chain is whole. */
static pdr_code walk_on(pdr_history *h, pdr_backwalk_step *step, pdr_error *err)
{
    pdr_code code;
    *step = pdr_backwalk_next(&h->walk, &code, err);
    switch (*step) {
    case PDR_BACKWALK_READ: return open_reader(h, h->walk.from, err);
    case PDR_BACKWALK_SCAN: h->must_scan = true; return start_scan(h, err);
    case PDR_BACKWALK_COSTLY: return start_scan(h, err);
    case PDR_BACKWALK_FAILED: return code;
    case PDR_BACKWALK_DONE: break;
    }
    return PDR_OK;
}

static void range_is_whole(pdr_history *h)
{
    pdr_error err = {0};
    pdr_backwalk_step step;
    drop_reader(h);
    pdr_code code = walk_on(h, &step, &err);
    if (code != PDR_OK)
        finish(h, code, &err);
    else if (step == PDR_BACKWALK_DONE)
        deliver_chain(h);
}

/* False: the reader that gave this record is closed. */
static bool walk_record(pdr_history *h, const pdr_log_record *record)
{
    pdr_error err = {0};
    pdr_code code = pdr_backwalk_take(&h->walk, record, &err);
    if (code != PDR_OK)
        finish(h, code, &err);
    else if (record->offset >= h->walk.to)
        range_is_whole(h);
    else
        return true;
    return false;
}

static pdr_code start_walk(pdr_history *h, pdr_error *err)
{
    pdr_backwalk_step step;
    pdr_backwalk_init(&h->walk, h->spec.key, h->spec.after_seq, h->spec.to_seq, h->spec.last,
                      h->spec.max_bytes);
    h->walk.may_scan = !h->only_walking;
    return walk_on(h, &step, err); /* nothing is held yet: it can't be DONE */
}

/* --- The reader's callbacks --- */

static void on_records(void *context, const pdr_log_record *records, size_t count)
{
    pdr_history *h = context;
    h->busy = true;
    for (size_t i = 0; i < count && !h->over; i++) {
        if (h->scanning)
            scan_record(h, &records[i]);
        else if (!walk_record(h, &records[i]))
            break;
    }
    leave(h);
}

/* A range that ends at or behind the log's end is waited for: a log that is being failed over may show an end
 * before records that it has acknowledged. */
static void on_end(void *context, int64_t end)
{
    pdr_history *h = context;
    h->busy = true;
    if (h->scanning && scan_is_past_last(h, end - 1))
        scan_missed(h);
    else if (!h->scanning && end > h->walk.to)
        range_is_whole(h);
    leave(h);
}

/* The log no longer holds the beginning of what was asked for. PDR_OK: asked for less. */
static pdr_code ask_for_less(pdr_history *h, pdr_code code, pdr_error *err)
{
    drop_reader(h);
    if (!h->scanning) return pdr_backwalk_shrink(&h->walk) ? open_reader(h, h->walk.from, err) : code;
    if (h->only_walking || h->scanned > 0 || h->must_scan) return code;
    stop_scan(h);
    h->only_walking = true;
    return start_walk(h, err);
}

static void on_failed(void *context, const pdr_error *error)
{
    pdr_history *h = context;
    h->busy = true;
    pdr_error err = *error;
    pdr_code code = err.code;
    if (code == PDR_OUT_OF_RANGE) code = ask_for_less(h, code, &err);
    if (code != PDR_OK) finish(h, code, &err);
    leave(h);
}

static const pdr_log_reader_events reader_events = {on_records, on_end, on_failed};

/* --- Opening --- */

static pdr_code check_spec(const pdr_history_spec *spec, pdr_error *err)
{
    if (spec->key.size == 0 || spec->key.size > PDR_LOG_MAX_KEY)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "history of an entity id of %zu bytes", spec->key.size);
    if (spec->after_seq >= spec->to_seq || spec->last.offset < 0)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "history after seq %llu up to %llu at offset %lld",
                        (unsigned long long)spec->after_seq, (unsigned long long)spec->to_seq,
                        (long long)spec->last.offset);
    return PDR_OK;
}

pdr_code pdr_history_open(pdr_history **out, pdr_log *log, const pdr_history_spec *spec,
                          const pdr_history_events *events, void *context, pdr_error *err)
{
    *out = NULL;
    pdr_code code = check_spec(spec, err);
    if (code != PDR_OK) return code;
    pdr_history *h = pdr_calloc(1, sizeof *h + spec->key.size);
    if (!h) return pdr_fail(err, PDR_NOMEM, "opening an entity's history");
    h->log = log;
    h->events = events;
    h->context = context;
    h->spec = *spec;
    memcpy(h->key, spec->key.data, spec->key.size);
    h->spec.key.data = h->key;
    /* A log that is no longer than one jump is simply read. */
    code = spec->last.offset < PDR_BACKWALK_JUMP ? start_scan(h, err) : start_walk(h, err);
    if (code != PDR_OK) {
        destroy(h);
        return code;
    }
    *out = h;
    return PDR_OK;
}
