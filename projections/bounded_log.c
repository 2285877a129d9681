#include "projections/bounded_log.h"

#include "base/mem.h"

typedef struct bounded_log {
    pdr_log base;
    pdr_log *inner;
    int32_t partitions;
    int64_t ends[];
} bounded_log;

typedef struct bounded_reader {
    pdr_log_reader base;
    pdr_log_reader *inner;
    const pdr_log_reader_events *events;
    void *context;
    int64_t end;
    bool ended;
    bool calling, closed; /* closed in a callback of its own: freed after it */
} bounded_reader;

/* --- readers --- */

/* At its end it stays silent. */
static void tell_end(bounded_reader *r, int64_t end)
{
    if (end >= r->end) {
        end = r->end;
        r->ended = true;
        r->inner->ops->reader_pause(r->inner, true);
    }
    r->events->end(r->context, end);
}

static void saw_records(void *context, const pdr_log_record *records, size_t count)
{
    bounded_reader *r = context;
    size_t shown = 0;
    if (r->ended) return;
    while (shown < count && records[shown].offset < r->end)
        shown++;
    bool reached = shown < count || records[count - 1].offset + 1 >= r->end;
    r->calling = true;
    if (shown > 0) r->events->records(r->context, records, shown);
    if (!r->closed && reached) tell_end(r, r->end);
    r->calling = false;
    if (r->closed) pdr_free(r);
}

static void saw_end(void *context, int64_t end)
{
    bounded_reader *r = context;
    if (!r->ended) tell_end(r, end);
}

static void saw_failure(void *context, const pdr_error *error)
{
    bounded_reader *r = context;
    r->events->failed(r->context, error);
}

static const pdr_log_reader_events inner_events = {saw_records, saw_end, saw_failure};

static void close_reader(pdr_log_reader *reader)
{
    bounded_reader *r = (bounded_reader *)reader;
    if (!r) return;
    r->inner->ops->reader_close(r->inner);
    r->closed = true;
    if (!r->calling) pdr_free(r);
}

static pdr_code open_reader(pdr_log *log, int32_t partition, int64_t from,
                            const pdr_log_reader_events *events, void *context, pdr_log_reader **out,
                            pdr_error *err)
{
    const bounded_log *l = (const bounded_log *)log;
    if (partition < 0 || partition >= l->partitions)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "there is no partition %d", (int)partition);
    bounded_reader *r = pdr_calloc(1, sizeof *r);
    if (!r) return pdr_fail(err, PDR_NOMEM, "a reader");
    *r = (bounded_reader){{log->ops}, .events = events, .context = context, .end = l->ends[partition]};
    pdr_code code = l->inner->ops->reader_open(l->inner, partition, from, &inner_events, r, &r->inner, err);
    if (code == PDR_OK)
        *out = &r->base;
    else
        pdr_free(r);
    return code;
}

static void pause_reader(pdr_log_reader *reader, bool paused)
{
    const bounded_reader *r = (const bounded_reader *)reader;
    if (!r->ended) r->inner->ops->reader_pause(r->inner, paused);
}

/* --- the log --- */

static void close_log(pdr_log *log)
{
    pdr_free(log);
}

static pdr_code log_info(pdr_log *log, pdr_log_info *out, int timeout_ms, pdr_error *err)
{
    pdr_log *inner = ((bounded_log *)log)->inner;
    return inner->ops->info(inner, out, timeout_ms, err);
}

static pdr_code check_log(pdr_log *log, int timeout_ms, pdr_error *err)
{
    pdr_log *inner = ((bounded_log *)log)->inner;
    return inner->ops->check(inner, timeout_ms, err);
}

static pdr_code no_writer(pdr_log *log, int32_t partition, const pdr_log_writer_events *events, void *context,
                          pdr_log_writer **out, pdr_error *err)
{
    (void)log;
    (void)events;
    (void)context;
    (void)out;
    return pdr_fail(err, PDR_UNSUPPORTED, "partition %d can only be read here", (int)partition);
}

static void close_writer(pdr_log_writer *writer)
{
    (void)writer;
}

static pdr_code append(pdr_log_writer *writer, const pdr_log_entry *entry, uint64_t tag, pdr_error *err)
{
    (void)writer;
    (void)entry;
    (void)tag;
    return pdr_fail(err, PDR_UNSUPPORTED, "the log can only be read here");
}

static pdr_code renew(pdr_log_writer *writer, pdr_error *err)
{
    (void)writer;
    return pdr_fail(err, PDR_UNSUPPORTED, "the log can only be read here");
}

static size_t poll_log(pdr_log *log)
{
    pdr_log *inner = ((bounded_log *)log)->inner;
    return inner->ops->poll(inner);
}

static int wait_on(pdr_log *log, struct pollfd *fds, int max, int64_t *due_us)
{
    pdr_log *inner = ((bounded_log *)log)->inner;
    return inner->ops->wait_on(inner, fds, max, due_us);
}

static const pdr_log_ops ops = {.name = "bounded",
                                .close = close_log,
                                .info = log_info,
                                .check = check_log,
                                .writer_open = no_writer,
                                .writer_close = close_writer,
                                .append = append,
                                .writer_renew = renew,
                                .reader_open = open_reader,
                                .reader_close = close_reader,
                                .reader_pause = pause_reader,
                                .poll = poll_log,
                                .wait_on = wait_on};

pdr_code pdr_bounded_log_open(pdr_log **out, pdr_log *inner, const int64_t *ends, int32_t partitions,
                              pdr_error *err)
{
    bounded_log *l = pdr_calloc(1, sizeof *l + (size_t)partitions * sizeof l->ends[0]);
    if (!l) return pdr_fail(err, PDR_NOMEM, "the ends of %d partitions", (int)partitions);
    l->base.ops = &ops;
    l->inner = inner;
    l->partitions = partitions;
    memcpy(l->ends, ends, (size_t)partitions * sizeof l->ends[0]);
    pdr_code code = pdr_log_ops_validate(&ops, err);
    if (code == PDR_OK)
        *out = &l->base;
    else
        pdr_free(l);
    return code;
}
