#include "replay/export_scan.h"

#include <inttypes.h>

#include "base/mem.h"
#include "journal/log_id.h"
#include "replay/story.h"
#include "replay/tool_inside.h"

typedef struct scanning {
    const pdr_export_scan *scan;
    pdr_export_progress progress;
} scanning;

static pdr_code on_commit(void *context, unsigned thread, int32_t partition, const pdr_commit_event *events,
                          size_t count, pdr_position at, pdr_error *err)
{
    const scanning *s = context;
    (void)thread;
    (void)at;
    if (s->scan->entities && !pdr_choice_has(s->scan->entities, events[0].record->entry.key)) return PDR_OK;
    return s->scan->commit(s->scan->context, partition, events, count, err);
}

static bool on_watch(void *context, const pdr_scan_progress *progress)
{
    scanning *s = context;
    s->progress.done = progress->done;
    s->progress.total = progress->total;
    return s->scan->watch && s->scan->watch(s->scan->context, &s->progress);
}

double pdr_export_share(const pdr_export_progress *p)
{
    double part = p->total ? (double)p->done / (double)p->total : 1;
    return ((double)p->partition + part) / (double)p->partitions;
}

/* --- a few entities: by their backlinks --- */

enum { FEW = 64 };

typedef struct telling {
    const pdr_export_scan *scan;
    pdr_held_list held; /* the commit's events */
} telling;

static void forget(telling *t)
{
    for (size_t i = 0; i < t->held.count; i++)
        pdr_free(t->held.items[i]);
    t->held.count = 0;
}

static pdr_code on_event(void *context, const pdr_story_event *event, pdr_error *err)
{
    telling *t = context;
    pdr_commit_event events[PDR_MAX_EVENTS_PER_COMMIT];
    pdr_held *copy = pdr_held_list_reserve(&t->held, 1) ? pdr_held_copy(event->record) : NULL;
    if (!copy) return pdr_fail(err, PDR_NOMEM, "a commit");
    t->held.items[t->held.count++] = copy;
    if (t->held.count < event->header->count) return PDR_OK;
    for (size_t i = 0; i < t->held.count; i++)
        events[i] = (pdr_commit_event){&t->held.items[i]->record, &t->held.items[i]->header};
    pdr_code code = t->scan->commit(t->scan->context, event->partition, events, t->held.count, err);
    forget(t);
    return code;
}

static pdr_code tell(const pdr_export_scan *scan, pdr_error *err)
{
    telling t = {.scan = scan};
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < pdr_choice_count(scan->entities); i++) {
        pdr_story_spec spec = {.entity = pdr_choice_at(scan->entities, i),
                               .to_seq = UINT64_MAX,
                               .event = on_event,
                               .context = &t};
        code = pdr_story_run(scan->tool, &spec, NULL, err);
        forget(&t);
    }
    pdr_free(t.held.items);
    return code;
}

/* --- all of it --- */

static bool is_wanted(const pdr_export_scan *scan, int32_t partition)
{
    if (!scan->entities || !pdr_choice_is_list(scan->entities)) return true;
    for (size_t i = 0; i < pdr_choice_count(scan->entities); i++)
        if (pdr_tool_partition_of(scan->tool, pdr_choice_at(scan->entities, i)) == partition) return true;
    return false;
}

pdr_code pdr_export_scan_run(const pdr_export_scan *scan, pdr_error *err)
{
    if (scan->entities && pdr_choice_is_list(scan->entities) && pdr_choice_count(scan->entities) <= FEW &&
        pdr_tool_store(scan->tool))
        return tell(scan, err);
    static const pdr_scan_sink sink = {.commit = on_commit};
    scanning s = {.scan = scan, .progress = {.partitions = pdr_tool_partitions(scan->tool)}};
    pdr_code code = PDR_OK;
    for (int32_t p = 0; code == PDR_OK && p < s.progress.partitions; p++) {
        if (!is_wanted(scan, p)) continue;
        pdr_scan_spec spec = {.partitions = &p,
                              .partition_count = 1,
                              .threads = 1,
                              .sink = &sink,
                              .context = &s,
                              .watch = on_watch};
        s.progress.partition = p;
        code = pdr_scan_run(scan->tool, &spec, err);
    }
    return code;
}

pdr_code pdr_export_journal_id(pdr_tool *tool, uint8_t id[PDR_ID_SIZE], pdr_error *err)
{
    bool found = false;
    pdr_code code = pdr_log_find_id(tool->log, 0, tool->partitions, tool->timeout_ms, &found, id, err);
    if (code == PDR_OK && !found)
        return pdr_fail(err, PDR_NOT_FOUND, "the journal is empty: it never had an owner");
    return code;
}

pdr_code pdr_exported_from(pdr_tool *tool, int32_t partition, const pdr_commit_event *event,
                           pdr_exported_event *out, pdr_string *json, pdr_error *err)
{
    const pdr_header *h = event->header;
    const pdr_log_record *r = event->record;
    pdr_writer writer;
    pdr_code code = pdr_tool_writer(tool, partition, r, h, &writer, err);
    if (code == PDR_OK && !pdr_schema_book_find(pdr_tool_book(tool), writer.fingerprint, json))
        code = pdr_fail(err, PDR_UNKNOWN_SCHEMA, "the log has no SCHEMA record of %s", writer.name);
    if (code != PDR_OK)
        return pdr_fail_context(err, code, "partition %d, offset %" PRId64, (int)partition, r->offset);
    *out = (pdr_exported_event){.entity = {(const char *)r->entry.key.data, r->entry.key.size},
                                .seq = h->seq,
                                .index = h->index,
                                .count = h->count,
                                .time_us = h->time_us,
                                .append_ms = r->append_ms,
                                .partition = partition,
                                .offset = r->offset,
                                .type = pdr_string_of(writer.name),
                                .version = writer.version,
                                .fingerprint = writer.fingerprint,
                                .id = h->id,
                                .command_fingerprint = h->id.size ? h->fingerprint : 0,
                                .has_reply = h->has_reply,
                                .reply = h->reply,
                                .correlation = h->correlation,
                                .causation = h->causation,
                                .trace = r->entry.trace,
                                .has_consumed = h->has_consumed,
                                .consumed_partition = h->consumed_partition,
                                .consumed_offset = h->consumed_offset,
                                .datum = writer.datum};
    return PDR_OK;
}
