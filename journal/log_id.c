#include "journal/log_id.h"

#include "base/clock.h"
#include "base/mem.h"
#include "journal/record.h"
#include "journal/sleep.h"

enum { MAX_SLEEP_US = 10000 };

typedef struct fence_search {
    size_t searching; /* partitions not yet read as far as needed */
    bool found;
    uint8_t id[PDR_ID_SIZE];
    pdr_code code;
    pdr_error *err;
} fence_search;

typedef struct fence_reader {
    fence_search *search;
    pdr_log_reader *reader;
    bool done;
} fence_reader;

static void finish(fence_reader *reader)
{
    if (!reader->done) reader->search->searching--;
    reader->done = true;
}

static void saw_records(void *context, const pdr_log_record *records, size_t count)
{
    fence_reader *reader = context;
    for (size_t i = 0; i < count && !reader->done; i++) {
        pdr_header header;
        if (!records[i].entry.header.data) continue;
        if (pdr_header_parse(records[i].entry.header, &header) != PDR_PARSED ||
            header.kind != PDR_RECORD_FENCE)
            continue;
        reader->search->found = true;
        memcpy(reader->search->id, header.journal_id, PDR_ID_SIZE);
        finish(reader);
    }
}

static void saw_end(void *context, int64_t end)
{
    (void)end;
    finish(context);
}

/* A log whose beginning is gone has had owners; only its store, or the log's rest, can tell. */
static void saw_failure(void *context, const pdr_error *error)
{
    fence_reader *reader = context;
    if (reader->search->code == PDR_OK) {
        reader->search->code = error->code;
        if (reader->search->err) *reader->search->err = *error;
    }
    finish(reader);
}

static const pdr_log_reader_events search_events = {saw_records, saw_end, saw_failure};

static void search_until(pdr_log *log, const fence_search *search, int64_t until)
{
    while (search->searching && !search->found && search->code == PDR_OK && pdr_mono_us() < until) {
        if (log->ops->poll(log) == 0) pdr_sleep_on(log, NULL, MAX_SLEEP_US);
    }
}

static pdr_code open_readers(pdr_log *log, int32_t first, int32_t count, fence_search *search,
                             fence_reader *readers, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (int32_t i = 0; code == PDR_OK && i < count; i++) {
        readers[i].search = search;
        code = log->ops->reader_open(log, first + i, 0, &search_events, &readers[i], &readers[i].reader, err);
    }
    return code;
}

pdr_code pdr_log_find_id(pdr_log *log, int32_t first, int32_t count, int timeout_ms, bool *found,
                         uint8_t id[PDR_ID_SIZE], pdr_error *err)
{
    fence_reader *readers = pdr_calloc((size_t)count, sizeof *readers);
    if (!readers) return pdr_fail(err, PDR_NOMEM, "%d readers", (int)count);
    fence_search search = {.searching = (size_t)count, .code = PDR_OK, .err = err};
    pdr_code code = open_readers(log, first, count, &search, readers, err);
    if (code == PDR_OK) search_until(log, &search, pdr_deadline_us(timeout_ms));
    for (int32_t i = 0; i < count; i++)
        log->ops->reader_close(readers[i].reader);
    pdr_free(readers);
    *found = search.found;
    memcpy(id, search.id, PDR_ID_SIZE);
    if (code == PDR_OK && !search.found) code = search.code;
    if (code != PDR_OK || search.found || !search.searching) return code;
    return pdr_fail(err, PDR_UNAVAILABLE, "the log could not be read within %d ms", timeout_ms);
}
