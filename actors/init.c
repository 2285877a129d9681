/* pdr_journal_init: log and store made, or found as they should be. */
#include <poll.h>

#include "actors/options.h"
#include "actors/system_env.h"
#include "actors/waiter.h"
#include "base/mem.h"
#include "journal/record.h"

/* --- which journal is this log of? Its FENCEs say, if there is any. --- */

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
        if (pdr_header_parse(records[i].entry.header, &header) != PDR_PARSED || header.kind != PDR_RECORD_FENCE)
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
        if (log->ops->poll(log)) continue;
        struct pollfd fds[16];
        int64_t due_us = INT64_MAX;
        int count = log->ops->wait_on(log, fds, 16, &due_us);
        int64_t ms = due_us < 10000 ? (due_us + 999) / 1000 : 10;
        if (poll(fds, (nfds_t)count, (int)ms) < 0) continue; /* a signal */
    }
}

static pdr_code find_id(pdr_log *log, int32_t partitions, int timeout_ms, fence_search *search,
                        pdr_error *err)
{
    fence_reader *readers = pdr_calloc((size_t)partitions, sizeof *readers);
    if (!readers) return pdr_fail(err, PDR_NOMEM, "%d readers", (int)partitions);
    *search = (fence_search){.searching = (size_t)partitions, .code = PDR_OK, .err = err};
    for (int32_t i = 0; search->code == PDR_OK && i < partitions; i++) {
        readers[i].search = search;
        search->code = log->ops->reader_open(log, i, 0, &search_events, &readers[i], &readers[i].reader, err);
    }
    search_until(log, search, pdr_deadline_us(timeout_ms));
    for (int32_t i = 0; i < partitions; i++)
        log->ops->reader_close(readers[i].reader);
    pdr_free(readers);
    if (search->code != PDR_OK || search->found || !search->searching) return search->code;
    return pdr_fail(err, PDR_UNAVAILABLE, "the log could not be read within %d ms", timeout_ms);
}

/* --- the store --- */

static void draw_journal_id(uint8_t id[PDR_ID_SIZE])
{
    pdr_system_env env;
    pdr_system_env_init(&env, NULL, NULL);
    for (size_t i = 0; i < PDR_ID_SIZE; i += sizeof(uint64_t)) {
        uint64_t random = env.env.ops->random(&env.env);
        memcpy(id + i, &random, sizeof random);
    }
}

static pdr_code meta_of(pdr_log *log, pdr_store *store, int32_t partitions, int timeout_ms,
                        pdr_store_meta *meta, pdr_error *err)
{
    fence_search search;
    pdr_store_meta there;
    pdr_code code = find_id(log, partitions, timeout_ms, &search, err);
    if (code != PDR_OK) return code;
    meta->partitions = partitions;
    if (search.found)
        memcpy(meta->journal_id, search.id, PDR_ID_SIZE);
    else if (store->ops->meta(store, &there, timeout_ms, NULL) == PDR_OK)
        memcpy(meta->journal_id, there.journal_id, PDR_ID_SIZE);
    else
        draw_journal_id(meta->journal_id);
    return PDR_OK;
}

static pdr_code init_store(const pdr_plan *plan, pdr_log *log, int32_t partitions, pdr_error *err)
{
    int timeout = (int)plan->settings.open_timeout_ms;
    pdr_store *store;
    pdr_code code = pdr_backends_store_open(&plan->backends, &store, err);
    if (code != PDR_OK) return code;
    pdr_store_meta meta;
    code = meta_of(log, store, partitions, timeout, &meta, err);
    if (code == PDR_OK) code = store->ops->init(store, &meta, timeout, err);
    store->ops->close(store);
    return code;
}

static pdr_code init_both(const pdr_plan *plan, int32_t partitions, pdr_error *err)
{
    int timeout = (int)plan->settings.open_timeout_ms;
    pdr_log *log;
    pdr_code code = pdr_backends_log_create(&plan->backends, partitions, timeout, err);
    if (code != PDR_OK) return code;
    code = pdr_backends_log_open(&plan->backends, &log, err);
    if (code != PDR_OK) return code;
    pdr_log_info info;
    code = log->ops->info(log, &info, timeout, err);
    if (code == PDR_OK) code = log->ops->check(log, timeout, err);
    if (code == PDR_OK) code = init_store(plan, log, info.partitions, err);
    log->ops->close(log);
    return code;
}

pdr_code pdr_journal_init(const pdr_options *options, int32_t partitions, pdr_error *err)
{
    if (partitions < 1 || partitions > PDR_LOG_MAX_PARTITIONS)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "partitions is %d; 1 to %d", (int)partitions,
                        PDR_LOG_MAX_PARTITIONS);
    pdr_plan plan;
    pdr_code code = pdr_plan_init(&plan, options, err);
    if (code == PDR_OK && !plan.backends.has_store)
        code = pdr_fail(err, PDR_BAD_URL,
                        "no URL names the store: give postgres://... or sqlite:file, or set PERDURE_STORE");
    if (code == PDR_OK) code = init_both(&plan, partitions, err);
    pdr_plan_release(&plan);
    return code;
}
