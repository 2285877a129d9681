#include "projections/log_ends.h"

#include "base/clock.h"
#include "base/mem.h"
#include "journal/sleep.h"

enum { MAX_SLEEP_US = 10000 };

typedef struct asked {
    struct pdr_log_ends *ends;
    pdr_log_reader *reader; /* NULL: it answered */
    int32_t partition;
    int64_t end; /* -1: not known */
} asked;

struct pdr_log_ends {
    pdr_log *log;
    size_t open;
    pdr_error failure; /* the first; code PDR_OK: none */
    size_t count;
    asked asked[];
};

static void close_one(asked *a)
{
    if (!a->reader) return;
    a->ends->log->ops->reader_close(a->reader);
    a->reader = NULL;
    a->ends->open--;
}

static void saw_records(void *context, const pdr_log_record *records, size_t count)
{
    asked *a = context;
    a->end = records[count - 1].offset + 1;
}

static void saw_end(void *context, int64_t end)
{
    asked *a = context;
    if (end > a->end) a->end = end;
    close_one(a);
}

static void saw_failure(void *context, const pdr_error *error)
{
    asked *a = context;
    if (a->ends->failure.code == PDR_OK) a->ends->failure = *error;
    close_one(a);
}

static const pdr_log_reader_events reader_events = {saw_records, saw_end, saw_failure};

pdr_code pdr_log_ends_open(pdr_log_ends **out, pdr_log *log, const int32_t *partitions, size_t count,
                           pdr_error *err)
{
    pdr_log_ends *ends = pdr_calloc(1, sizeof *ends + count * sizeof(asked));
    if (!ends) return pdr_fail(err, PDR_NOMEM, "the ends of %zu partitions", count);
    ends->log = log;
    ends->count = count;
    for (size_t i = 0; i < count; i++)
        ends->asked[i] = (asked){.ends = ends, .partition = partitions[i], .end = -1};
    for (size_t i = 0; i < count; i++) {
        asked *a = &ends->asked[i];
        pdr_code code =
            log->ops->reader_open(log, a->partition, PDR_LOG_TAIL(0), &reader_events, a, &a->reader, err);
        if (code != PDR_OK) {
            pdr_log_ends_close(ends);
            return code;
        }
        ends->open++;
    }
    *out = ends;
    return PDR_OK;
}

void pdr_log_ends_close(pdr_log_ends *ends)
{
    if (!ends) return;
    for (size_t i = 0; i < ends->count; i++)
        close_one(&ends->asked[i]);
    pdr_free(ends);
}

bool pdr_log_ends_all(const pdr_log_ends *ends)
{
    return ends->open == 0;
}

int64_t pdr_log_ends_of(const pdr_log_ends *ends, int32_t partition)
{
    for (size_t i = 0; i < ends->count; i++)
        if (ends->asked[i].partition == partition) return ends->asked[i].end;
    return -1;
}

pdr_code pdr_log_ends_read(pdr_log *log, const int32_t *partitions, size_t count, int timeout_ms,
                           int64_t *out, pdr_error *err)
{
    pdr_log_ends *ends;
    int64_t until = pdr_deadline_us(timeout_ms);
    pdr_code code = pdr_log_ends_open(&ends, log, partitions, count, err);
    if (code != PDR_OK) return code;
    while (ends->open && ends->failure.code == PDR_OK && pdr_mono_us() < until)
        if (!log->ops->poll(log)) pdr_sleep_on(log, NULL, MAX_SLEEP_US);
    if (ends->failure.code != PDR_OK) {
        if (err) *err = ends->failure;
        code = ends->failure.code;
    } else if (ends->open) {
        code = pdr_fail(err, PDR_UNAVAILABLE, "the log's ends could not be read within %d ms", timeout_ms);
    }
    for (size_t i = 0; i < count; i++)
        out[i] = ends->asked[i].end;
    pdr_log_ends_close(ends);
    return code;
}
