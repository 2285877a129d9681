/* The scan of a recovery: from the checkpoint up to the own FENCE (a rebuild: to the log's end), checking
 * that the records that the store rests on are still what they were. */
#include "journal/owner_core.h"

static bool record_is_at(const pdr_log_record *record, pdr_position position)
{
    pdr_header h;
    if (!record->entry.header.data || pdr_header_parse(record->entry.header, &h) != PDR_PARSED) return false;
    if (h.kind == PDR_RECORD_FENCE)
        return position.number == 0 && position.term.offset == record->offset &&
               position.term.incarnation == h.term.incarnation;
    return pdr_term_equal(h.term, position.term) && h.number == position.number;
}

/* The record that the store rests on must be there, and be the one it was. */
static pdr_code check_place(pdr_owner *o, const pdr_log_record *record, pdr_position position,
                            const char *what, bool *checked, pdr_error *err)
{
    if (*checked || record->offset < position.offset) return PDR_OK;
    *checked = true;
    if (record->offset == position.offset && record_is_at(record, position)) return PDR_OK;
    return pdr_fail(err, PDR_CORRUPT,
                    "partition %d: the store's %s is record %llu of the term at %lld, at offset %lld; the "
                    "log holds %s there: it lost or "
                    "changed what was acknowledged, from offset %lld at the latest",
                    o->config.partition, what, (unsigned long long)position.number,
                    (long long)position.term.offset, (long long)position.offset,
                    record->offset == position.offset ? "another record" : "nothing",
                    (long long)position.offset);
}

static pdr_code take_scanned(pdr_owner *o, const pdr_log_record *record, pdr_error *err)
{
    pdr_code code = check_place(o, record, o->row.checkpoint, "checkpoint", &o->checkpoint_checked, err);
    if (code == PDR_OK) code = check_place(o, record, o->row.seen, "newest head", &o->seen_checked, err);
    if (code != PDR_OK || record->offset <= o->row.checkpoint.offset) return code;
    return pdr_commit_reader_take(&o->scan, record, err);
}

static void finish_scan(pdr_owner *o)
{
    o->log->ops->reader_close(o->scan_reader);
    o->scan_reader = NULL;
    o->scan_done = true;
    o->counters.voids += o->scan.voids;
    o->counters.foreigns += o->scan.foreigns;
    o->counters.malformeds += o->scan.malformeds;
    if (o->rebuilding) o->saving_tail = true;
    pdr_own_recovery_advance(o);
}

/* The entities of the records to come are asked for ahead: with many of them most of a scan is waiting for
 * memory. */
static void look_ahead(const pdr_owner *o, const pdr_log_record *records, size_t count, size_t i)
{
    enum { SLOT = 8, ENTITY = 4 };
    if (i + SLOT < count && records[i + SLOT].entry.key.data)
        pdr_entity_expect_slot(&o->table, pdr_key_hash(records[i + SLOT].entry.key));
    if (i + ENTITY < count && records[i + ENTITY].entry.key.data)
        pdr_entity_expect(&o->table, pdr_key_hash(records[i + ENTITY].entry.key));
}

static void on_scan_records(void *context, const pdr_log_record *records, size_t count)
{
    pdr_owner *o = context;
    pdr_error err;
    for (size_t i = 0; i < count; i++) {
        bool is_fence = !o->rebuilding && records[i].offset == o->fence_offset;
        if (!o->rebuilding && records[i].offset > o->fence_offset) {
            pdr_own_recover(o, PDR_UNKNOWN_OUTCOME, "the FENCE reported at offset %lld isn't there",
                            (long long)o->fence_offset);
            return;
        }
        look_ahead(o, records, count, i);
        pdr_code code = take_scanned(o, &records[i], &err);
        if (code != PDR_OK) {
            pdr_own_recover_error(o, &err);
            return;
        }
        if (o->state != PDR_OWNER_SCANNING) return;
        if (is_fence && !pdr_term_equal(o->scan.walk.term, pdr_own_fence_term(o))) {
            pdr_own_recover(o, PDR_UNKNOWN_OUTCOME,
                            "the record at offset %lld isn't the FENCE that was reported there",
                            (long long)o->fence_offset);
            return;
        }
        if (is_fence) {
            finish_scan(o);
            return;
        }
    }
    o->deadline = o->now + o->config.settings.store_timeout_us;
    if (o->tail_bytes > o->config.settings.tail_bytes) {
        o->counters.long_tails++;
        o->saving_tail = true;
        o->log->ops->reader_pause(o->scan_reader, true);
    }
}

static void on_scan_end(void *context, int64_t end)
{
    pdr_owner *o = context;
    (void)end; /* up to a FENCE: what was reported isn't visible yet, the next records show it */
    if (o->rebuilding) finish_scan(o);
}

static void on_scan_failed(void *context, const pdr_error *error)
{
    pdr_owner *o = context;
    pdr_error why = *error;
    if (why.code == PDR_OUT_OF_RANGE)
        (void)pdr_fail(
            &why, PDR_OUT_OF_RANGE,
            "partition %d: the log no longer holds the records after the checkpoint at offset %lld: %.300s",
            o->config.partition, (long long)o->row.checkpoint.offset, error->message);
    pdr_own_recover_error(o, &why);
}

static const pdr_log_reader_events scan_events = {on_scan_records, on_scan_end, on_scan_failed};

void pdr_own_start_scan(pdr_owner *o)
{
    pdr_error err;
    int64_t from = o->row.checkpoint.offset < 0 ? 0 : o->row.checkpoint.offset;
    o->scan_done = false;
    o->checkpoint_checked = o->row.checkpoint.offset < 0;
    o->seen_checked = o->row.seen.offset <= o->row.checkpoint.offset;
    o->voids_told = 0;
    o->deadline = o->now + o->config.settings.store_timeout_us;
    pdr_commit_reader_init(&o->scan, o->row.checkpoint, &pdr_own_tail_sink, o);
    o->scan_open = true;
    pdr_own_enter(o, PDR_OWNER_SCANNING, NULL);
    pdr_code code =
        o->log->ops->reader_open(o->log, o->config.partition, from, &scan_events, o, &o->scan_reader, &err);
    if (code != PDR_OK) pdr_own_recover_error(o, &err);
}
