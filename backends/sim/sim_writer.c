/* Appends: what becomes of a record on its way to the true log, and of the report on its way back. */
#include "backends/sim/sim_log.h"

#include "base/mem.h"

typedef enum sim_reporting {
    REPORT_TRUE,
    REPORT_NEVER,
    REPORT_FAILURE,
    REPORT_NO_OFFSET,
    REPORT_ODD
} sim_reporting;

typedef struct sim_append {
    sim_writer *writer;
    uint64_t renewals; /* of the writer when it was appended */
    uint64_t tag;
    sim_reporting reporting;
    bool report_late;
    bool orphan; /* no report is due any more, and its fate is settled */
    pdr_log_entry entry;
    pdr_log_report report;
} sim_append;

pdr_code sim_writer_open(pdr_log *base, int32_t partition, const pdr_log_writer_events *events, void *context,
                         pdr_log_writer **out, pdr_error *err)
{
    sim_log *log = (sim_log *)base;
    *out = NULL;
    if (log->dead) return pdr_fail(err, PDR_UNAVAILABLE, "simulated process is dead");
    if (partition < 0 || partition >= log->world->options.partitions)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "no partition %d", (int)partition);
    sim_writer *writer = sim_alloc(log->world, sizeof *writer);
    *writer = (sim_writer){.base = {&sim_log_ops},
                           .log = log,
                           .partition = partition,
                           .events = events,
                           .context = context,
                           .top_offset = -1};
    *out = &writer->base;
    return PDR_OK;
}

void sim_writer_close(pdr_log_writer *base)
{
    if (!base) return;
    sim_writer *writer = (sim_writer *)base;
    PDR_INVARIANT("writer-is-closed-once", !writer->closed);
    writer->closed = true;
    writer->renewals++;
}

pdr_code sim_writer_renew(pdr_log_writer *base, pdr_error *err)
{
    sim_writer *writer = (sim_writer *)base;
    PDR_INVARIANT("writer-is-open", !writer->closed);
    if (writer->log->dead) return pdr_fail(err, PDR_UNAVAILABLE, "simulated process is dead");
    writer->renewals++;
    writer->broken = false;
    writer->last_landing_us = writer->last_report_us = 0;
    pdr_sim_world_trace(writer->log->world, "node %u p%d: writer renewed", (unsigned)writer->log->node,
                        (int)writer->partition);
    return PDR_OK;
}

/* --- Reports --- */

static void report_arrives(void *context, uint64_t value)
{
    (void)value;
    sim_append *append = context;
    sim_writer *writer = append->writer;
    if (writer->renewals != append->renewals || writer->broken || writer->log->dead) return;
    sim_item *item = sim_item_push(writer->log, SIM_REPORT);
    item->writer = writer;
    item->renewals = writer->renewals;
    item->report = append->report;
    if (append->report.code == PDR_OK && append->report.offset > writer->top_offset)
        writer->top_offset = append->report.offset;
}

static void send_report(sim_append *append, pdr_code code, int64_t offset)
{
    sim_writer *writer = append->writer;
    pdr_sim_world *world = writer->log->world;
    append->report = (pdr_log_report){append->tag, code, code == PDR_OK ? 0 : -1, offset};
    int64_t at_us = world->now_us + sim_wire(world);
    if (append->report_late) {
        at_us += sim_late(world); /* younger ones may come before it */
    } else {
        if (at_us < writer->last_report_us) at_us = writer->last_report_us;
        writer->last_report_us = at_us;
    }
    pdr_sim_world_at(world, at_us - world->now_us, report_arrives, append, 0);
}

static pdr_code any_failure(pdr_sim_world *world)
{
    static const pdr_code codes[] = {PDR_TIMEOUT, PDR_UNAVAILABLE, PDR_UNKNOWN_OUTCOME, PDR_IO};
    return codes[pdr_sim_world_below(world, sizeof codes / sizeof *codes)];
}

static void failure_arrives(void *context, uint64_t value)
{
    (void)value;
    sim_append *append = context;
    send_report(append, any_failure(append->writer->log->world), -1);
}

static void report_landing(sim_append *append, int64_t offset)
{
    switch (append->reporting) {
    case REPORT_TRUE: send_report(append, PDR_OK, offset); break;
    case REPORT_NO_OFFSET: send_report(append, PDR_OK, -1); break;
    case REPORT_ODD: send_report(append, PDR_OK, append->writer->top_offset); break;
    case REPORT_NEVER:
    case REPORT_FAILURE: break; /* a failure is on its way already */
    }
}

/* --- Landing --- */

static void copy_lands(void *context, uint64_t value)
{
    (void)value;
    sim_append *append = context;
    pdr_sim_world *world = append->writer->log->world;
    int64_t offset = sim_truth_append(world, append->writer->partition, &append->entry);
    pdr_sim_world_trace(world, "p%d @%lld: copy of node %u's #%llu", (int)append->writer->partition,
                        (long long)offset, (unsigned)append->writer->log->node,
                        (unsigned long long)append->tag);
}

static void record_lands(void *context, uint64_t value)
{
    (void)value;
    sim_append *append = context;
    sim_writer *writer = append->writer;
    pdr_sim_world *world = writer->log->world;
    if ((writer->renewals != append->renewals || writer->log->dead) && !append->orphan) {
        /* Its writer has given it up: it may have been in a local queue or on the wire. */
        append->orphan = true;
        switch (pdr_sim_world_below(world, 4)) {
        case 0:
        case 1: return;
        case 2: pdr_sim_world_at(world, sim_late(world), record_lands, append, 0); return;
        default: break;
        }
    }
    int64_t offset = sim_truth_append(world, writer->partition, &append->entry);
    pdr_sim_world_trace(world, "p%d @%lld: node %u's #%llu%s", (int)writer->partition, (long long)offset,
                        (unsigned)writer->log->node, (unsigned long long)append->tag,
                        append->orphan ? " (given up)" : "");
    if (sim_fault(world, PDR_SIM_record_repeated))
        pdr_sim_world_at(world, sim_late(world), copy_lands, append, 0);
    if (!append->orphan) report_landing(append, offset);
}

/* --- Append --- */

static void writer_breaks(void *context, uint64_t renewals)
{
    sim_writer *writer = context;
    if (writer->renewals != renewals || writer->log->dead) return;
    sim_item *item = sim_item_push(writer->log, SIM_BROKEN);
    item->writer = writer;
    item->renewals = renewals;
    (void)pdr_fail(&item->error, PDR_FATAL, "simulated writer is broken");
}

static void has_room_again(void *context, uint64_t value)
{
    (void)value;
    sim_log *log = context;
    if (!log->dead) sim_wake(log->world, log->node);
}

static bool is_full(sim_log *log)
{
    if (log->full_until_us <= log->world->now_us && sim_fault(log->world, PDR_SIM_queue_full)) {
        log->full_until_us = log->world->now_us + sim_late(log->world) / 4;
        pdr_sim_world_at(log->world, log->full_until_us - log->world->now_us, has_room_again, log, 0);
    }
    return log->full_until_us > log->world->now_us;
}

static void choose_report(sim_append *append, pdr_sim_world *world)
{
    if (sim_fault(world, PDR_SIM_report_lost))
        append->reporting = REPORT_NEVER;
    else if (sim_fault(world, PDR_SIM_report_failed))
        append->reporting = REPORT_FAILURE;
    else if (sim_fault(world, PDR_SIM_report_no_offset))
        append->reporting = REPORT_NO_OFFSET;
    else if (sim_fault(world, PDR_SIM_report_odd))
        append->reporting = REPORT_ODD;
    append->report_late = sim_fault(world, PDR_SIM_report_late);
}

static void dispatch(sim_append *append)
{
    sim_writer *writer = append->writer;
    pdr_sim_world *world = writer->log->world;
    int64_t landing_us = world->now_us + sim_wire(world);
    if (landing_us < writer->last_landing_us) landing_us = writer->last_landing_us;
    int64_t delay_us = landing_us - world->now_us;
    bool held = sim_fault(world, PDR_SIM_record_held);
    if (!held) writer->last_landing_us = landing_us;
    if (append->reporting == REPORT_FAILURE) pdr_sim_world_at(world, delay_us, failure_arrives, append, 0);
    if (held) delay_us += sim_late(world);
    pdr_sim_world_at(world, delay_us, record_lands, append, 0);
}

pdr_code sim_writer_append(pdr_log_writer *base, const pdr_log_entry *entry, uint64_t tag, pdr_error *err)
{
    sim_writer *writer = (sim_writer *)base;
    sim_log *log = writer->log;
    pdr_sim_world *world = log->world;
    PDR_INVARIANT("writer-is-open", !writer->closed);
    if (writer->broken || log->dead) return pdr_fail(err, PDR_FATAL, "simulated writer is broken");
    if (entry->key.size > PDR_LOG_MAX_KEY || entry->value.size > PDR_LOG_MAX_VALUE)
        return pdr_fail(err, PDR_TOO_LARGE, "record of %zu and %zu bytes", entry->key.size,
                        entry->value.size);
    if (is_full(log)) return pdr_fail(err, PDR_QUEUE_FULL, "simulated queue is full");
    sim_append *append = sim_alloc(world, sizeof *append);
    *append = (sim_append){.writer = writer, .renewals = writer->renewals, .tag = tag};
    append->entry = sim_copy_entry(world, entry);
    choose_report(append, world);
    if (sim_fault(world, PDR_SIM_writer_broken)) {
        pdr_sim_world_at(world, sim_wire(world), writer_breaks, writer, writer->renewals);
        writer->broken = true;
    }
    if (!sim_fault(world, PDR_SIM_record_lost))
        dispatch(append);
    else if (pdr_sim_world_below(world, 2))
        pdr_sim_world_at(world, sim_wire(world), failure_arrives, append, 0);
    return PDR_OK;
}
