/* The log seam onto a simulated world: the connection, its inbox and poll. */
#include "backends/sim/sim_log.h"

#include <stdio.h>

#include "base/mem.h"

sim_item *sim_item_push(sim_log *log, sim_item_kind kind)
{
    sim_item *item = log->spare;
    if (item)
        log->spare = item->next;
    else
        item = sim_alloc(log->world, sizeof *item);
    *item = (sim_item){.kind = kind};
    *log->last = item;
    log->last = &item->next;
    sim_wake(log->world, log->node);
    return item;
}

static bool dropped(const sim_item *item)
{
    if (item->writer) return item->writer->renewals != item->renewals;
    return item->reader->closed;
}

/* Take the first item that may be delivered out of the inbox; what is dropped goes on the way. */
static sim_item *take_item(sim_log *log)
{
    sim_item **link = &log->first;
    while (*link) {
        sim_item *item = *link;
        if (item->reader && item->reader->paused && !item->reader->closed) {
            link = &item->next;
            continue;
        }
        *link = item->next;
        if (log->last == &item->next) log->last = link;
        if (!dropped(item)) return item;
        item->next = log->spare;
        log->spare = item;
    }
    return NULL;
}

enum { SIM_REPORTS_AT_ONCE = 16 };

/* Reports of one writer that follow each other come in one call. */
static void deliver_reports(sim_log *log, const sim_item *item)
{
    pdr_log_report reports[SIM_REPORTS_AT_ONCE];
    size_t count = 0;
    sim_writer *writer = item->writer;
    reports[count++] = item->report;
    while (count < SIM_REPORTS_AT_ONCE && log->first && log->first->kind == SIM_REPORT &&
           log->first->writer == writer && log->first->renewals == writer->renewals) {
        sim_item *more = take_item(log);
        reports[count++] = more->report;
        more->next = log->spare;
        log->spare = more;
    }
    writer->events->reports(writer->context, reports, count);
}

static void deliver(sim_log *log, sim_item *item)
{
    switch (item->kind) {
    case SIM_REPORT: deliver_reports(log, item); break;
    case SIM_BROKEN: item->writer->events->broken(item->writer->context, &item->error); break;
    case SIM_RECORDS:
    case SIM_END:
    case SIM_FAILED: sim_reader_deliver(item->reader, item); break;
    }
}

static size_t log_poll(pdr_log *base)
{
    sim_log *log = (sim_log *)base;
    PDR_INVARIANT("poll-is-not-nested", !log->polling && !log->closed);
    if (log->dead) return 0;
    log->polling = true;
    size_t calls = 0, max = 1 + pdr_sim_world_below(log->world, 8);
    sim_item *item = NULL;
    while (calls < max && !log->dead && (item = take_item(log))) {
        deliver(log, item);
        item->next = log->spare;
        log->spare = item;
        calls++;
    }
    log->polling = false;
    if (!calls) sim_poll_steps(log->world);
    return calls;
}

static int log_wait_on(pdr_log *base, struct pollfd *fds, int max, int64_t *due_us)
{
    (void)fds;
    (void)max;
    const sim_log *log = (const sim_log *)base;
    *due_us = sim_due_us(log->world, log->first != NULL);
    return 0;
}

static pdr_code log_info(pdr_log *base, pdr_log_info *out, int timeout_ms, pdr_error *err)
{
    (void)timeout_ms;
    const sim_log *log = (const sim_log *)base;
    if (log->dead) return pdr_fail(err, PDR_UNAVAILABLE, "simulated process is dead");
    *out = (pdr_log_info){.partitions = log->world->options.partitions};
    snprintf(out->name, sizeof out->name, "%s",
             log->world->options.journal ? log->world->options.journal : "sim");
    return PDR_OK;
}

static pdr_code log_check(pdr_log *base, int timeout_ms, pdr_error *err)
{
    (void)timeout_ms;
    const sim_log *log = (const sim_log *)base;
    return log->dead ? pdr_fail(err, PDR_UNAVAILABLE, "simulated process is dead") : PDR_OK;
}

static void log_close(pdr_log *base)
{
    sim_log *log = (sim_log *)base;
    PDR_INVARIANT("log-is-closed-once", !log->closed && !log->polling);
    log->closed = log->dead = true;
}

void pdr_sim_log_crash(pdr_log *base)
{
    ((sim_log *)base)->dead = true;
}

const pdr_log_ops sim_log_ops = {
    .name = "sim",
    .close = log_close,
    .info = log_info,
    .check = log_check,
    .writer_open = sim_writer_open,
    .writer_close = sim_writer_close,
    .append = sim_writer_append,
    .writer_renew = sim_writer_renew,
    .reader_open = sim_reader_open,
    .reader_close = sim_reader_close,
    .reader_pause = sim_reader_pause,
    .poll = log_poll,
    .wait_on = log_wait_on,
};

pdr_code pdr_sim_log_open(pdr_log **out, pdr_sim_world *world, uint32_t node, pdr_error *err)
{
    (void)err; /* opening can't fail; the signature is that of the other backends */
    sim_log *log = sim_alloc(world, sizeof *log);
    *log = (sim_log){.base = {&sim_log_ops}, .world = world, .node = node};
    log->last = &log->first;
    *out = &log->base;
    return PDR_OK;
}
