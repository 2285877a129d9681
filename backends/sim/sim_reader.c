/* Readers of the true log. */
#include "backends/sim/sim_log.h"

#include <stdlib.h>

#include "base/mem.h"

enum { SIM_BATCH = 64 };

static void fetch(void *context, uint64_t value);

static void schedule_fetch(sim_reader *reader, int64_t delay_us)
{
    if (reader->fetching || reader->closed || reader->failed) return;
    reader->fetching = true;
    pdr_sim_world_at(reader->log->world, delay_us, fetch, reader, 0);
}

sim_reader *sim_reader_nudge(sim_reader *reader)
{
    if (!reader->waiting) schedule_fetch(reader, sim_wire(reader->log->world));
    return reader->next;
}

pdr_code sim_reader_open(pdr_log *base, int32_t partition, int64_t from, const pdr_log_reader_events *events,
                         void *context, pdr_log_reader **out, pdr_error *err)
{
    sim_log *log = (sim_log *)base;
    pdr_sim_world *world = log->world;
    *out = NULL;
    if (log->dead) return pdr_fail(err, PDR_UNAVAILABLE, "simulated process is dead");
    if (partition < 0 || partition >= world->options.partitions)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "no partition %d", (int)partition);
    sim_truth *truth = &world->truths[partition];
    sim_reader *reader = sim_alloc(world, sizeof *reader);
    if (from < 0) from = truth->end - (-1 - from) > 0 ? truth->end - (-1 - from) : 0;
    *reader = (sim_reader){.base = {&sim_log_ops},
                           .log = log,
                           .next = truth->readers,
                           .partition = partition,
                           .events = events,
                           .context = context,
                           .at = from,
                           .view_end = INT64_MAX,
                           .told_end = -1};
    truth->readers = reader;
    if (truth->end > from && sim_fault(world, PDR_SIM_end_early))
        reader->view_end = from + (int64_t)pdr_sim_world_below(world, (uint64_t)(truth->end - from));
    schedule_fetch(reader, sim_wire(world));
    *out = &reader->base;
    return PDR_OK;
}

void sim_reader_close(pdr_log_reader *base)
{
    if (!base) return;
    sim_reader *reader = (sim_reader *)base;
    PDR_INVARIANT("reader-is-closed-once", !reader->closed);
    reader->closed = true;
    sim_reader **link = &reader->log->world->truths[reader->partition].readers;
    while (*link != reader)
        link = &(*link)->next;
    *link = reader->next;
}

void sim_reader_pause(pdr_log_reader *base, bool paused)
{
    sim_reader *reader = (sim_reader *)base;
    PDR_INVARIANT("reader-is-open", !reader->closed);
    reader->paused = paused;
    if (!paused && reader->waiting) sim_wake(reader->log->world, reader->log->node);
}

static void fail_reader(sim_reader *reader, pdr_code code, const char *why)
{
    sim_item *item = sim_item_push(reader->log, SIM_FAILED);
    item->reader = reader;
    (void)pdr_fail(&item->error, code, "%s at offset %lld", why, (long long)reader->at);
    reader->failed = true;
    reader->waiting++;
}

static size_t fetch_records(sim_reader *reader, const sim_truth *truth, int64_t end)
{
    pdr_sim_world *world = reader->log->world;
    size_t first = sim_truth_find(truth, reader->at);
    size_t max = sim_fault(world, PDR_SIM_reader_crumbs) ? 1 : 1 + pdr_sim_world_below(world, SIM_BATCH);
    size_t count = 0;
    while (count < max && first + count < truth->count && truth->records[first + count]->offset < end)
        count++;
    if (!count) return 0;
    sim_item *item = sim_item_push(reader->log, SIM_RECORDS);
    item->reader = reader;
    item->first = first;
    item->count = count;
    reader->waiting++;
    reader->at = truth->records[first + count - 1]->offset + 1;
    return count;
}

/* Ask the server for more. One batch is under way or waiting at a time: that is the read-ahead's bound. */
static void fetch(void *context, uint64_t value)
{
    (void)value;
    sim_reader *reader = context;
    pdr_sim_world *world = reader->log->world;
    const sim_truth *truth = &world->truths[reader->partition];
    reader->fetching = false;
    if (reader->closed || reader->failed || reader->log->dead) return;
    if (reader->at > truth->end) {
        fail_reader(reader, PDR_OUT_OF_RANGE, "the simulated log ends before");
        return;
    }
    if (sim_fault(world, PDR_SIM_reader_failed)) {
        fail_reader(reader, PDR_UNAVAILABLE, "simulated reader failed");
        return;
    }
    bool old_view = reader->view_end < truth->end;
    int64_t end = old_view ? reader->view_end : truth->end;
    fetch_records(reader, truth, end);
    bool all = sim_truth_find(truth, reader->at) == sim_truth_find(truth, end);
    if (all && end != reader->told_end) {
        sim_item *item = sim_item_push(reader->log, SIM_END);
        item->reader = reader;
        item->end = reader->told_end = end;
        reader->waiting++;
    }
    if (all && old_view) {
        reader->view_end = INT64_MAX;
        schedule_fetch(reader, sim_late(world));
    }
}

/* --- Delivery, inside poll --- */

static size_t copy_out(uint8_t *to, pdr_bytes *bytes)
{
    if (!bytes->data) return 0;
    memcpy(to, bytes->data, bytes->size);
    bytes->data = to;
    return bytes->size;
}

static size_t entry_size(const pdr_log_entry *entry)
{
    return entry->key.size + entry->value.size + entry->header.size + entry->schema.size + entry->trace.size;
}

/* The records are given as copies that are overwritten when the callback has returned, so that a borrowed
 * range kept for too long is noticed. */
static void deliver_records(sim_reader *reader, const sim_item *item)
{
    const sim_truth *truth = &reader->log->world->truths[reader->partition];
    size_t bytes = 1;
    for (size_t i = 0; i < item->count; i++)
        bytes += entry_size(&truth->records[item->first + i]->entry);
    size_t size = item->count * sizeof(pdr_log_record) + bytes;
    pdr_log_record *records = malloc(size);
    PDR_INVARIANT("simulated-servers-have-memory", records != NULL);
    uint8_t *to = (uint8_t *)(records + item->count);
    for (size_t i = 0; i < item->count; i++) {
        pdr_log_record *record = &records[i];
        *record = *truth->records[item->first + i];
        to += copy_out(to, &record->entry.key);
        to += copy_out(to, &record->entry.value);
        to += copy_out(to, &record->entry.header);
        to += copy_out(to, &record->entry.schema);
        to += copy_out(to, &record->entry.trace);
    }
    reader->events->records(reader->context, records, item->count);
    memset(records, 0xdd, size);
    free(records);
}

void sim_reader_deliver(sim_reader *reader, const sim_item *item)
{
    reader->waiting--;
    switch (item->kind) {
    case SIM_RECORDS: deliver_records(reader, item); break;
    case SIM_END: reader->events->end(reader->context, item->end); break;
    default: reader->events->failed(reader->context, &item->error); break;
    }
    if (reader->closed || reader->waiting) return;
    const sim_truth *truth = &reader->log->world->truths[reader->partition];
    if (reader->told_end != truth->end) schedule_fetch(reader, sim_wire(reader->log->world));
}
