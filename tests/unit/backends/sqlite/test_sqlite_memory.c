/* Every allocation of the SQLite backends made to fail in turn: an error, nothing lost, nothing leaked. */
#include "base/mem.h"
#include "tests/unit/backends/sqlite/sqlite_rig.h"

TestSuite(sqlite_memory, .init = rig_init, .fini = rig_release);

static void no_reports(void *context, const pdr_log_report *reports, size_t count)
{
    size_t *good = context;
    for (size_t i = 0; i < count; i++)
        *good += reports[i].code == PDR_OK;
}

static void no_broken(void *context, const pdr_error *error)
{
    (void)context;
    (void)error;
}

typedef struct read_state {
    size_t records;
    int64_t end;
    pdr_code failure;
} read_state;

static void take_records(void *context, const pdr_log_record *records, size_t count)
{
    (void)records;
    ((read_state *)context)->records += count;
}

static void take_end(void *context, int64_t end)
{
    ((read_state *)context)->end = end;
}

static void take_failure(void *context, const pdr_error *error)
{
    ((read_state *)context)->failure = error->code;
}

/* Open, append, write, read: PDR_OK if all of it went through, else the first error. */
static pdr_code use_log(size_t *good)
{
    static const pdr_log_writer_events writes = {.reports = no_reports, .broken = no_broken};
    static const pdr_log_reader_events reads = {
        .records = take_records, .end = take_end, .failed = take_failure};
    pdr_log *log;
    pdr_log_writer *writer = NULL;
    pdr_log_reader *reader = NULL;
    read_state state = {.end = -1};
    pdr_log_entry entry = {.key = pdr_bytes_of("k", 1), .value = pdr_bytes_of("value", 5)};
    pdr_code code = pdr_sqlite_log_open(&log, rig_file, NULL);
    if (code != PDR_OK) return code;
    code = log->ops->writer_open(log, 0, &writes, good, &writer, NULL);
    for (int i = 0; i < 100 && code == PDR_OK; i++)
        code = log->ops->append(writer, &entry, 0, NULL);
    log->ops->poll(log);
    if (code == PDR_OK) code = log->ops->reader_open(log, 0, 0, &reads, &state, &reader, NULL);
    while (code == PDR_OK && state.end < 0 && state.failure == PDR_OK)
        log->ops->poll(log);
    log->ops->reader_close(reader);
    log->ops->writer_close(writer);
    log->ops->close(log);
    return code == PDR_OK ? state.failure : code;
}

Test(sqlite_memory, the_log_survives_every_failed_allocation)
{
    rig_log_create(1);
    size_t good = 0;
    pdr_code code = PDR_NOMEM;
    uint64_t nth = 1;
    for (; code != PDR_OK && nth < 1000; nth++) {
        pdr_mem_fail_at(nth);
        code = use_log(&good);
        pdr_mem_fail_at(0);
        cr_assert(code == PDR_OK || code == PDR_NOMEM, "allocation %llu: %s", (unsigned long long)nth,
                  pdr_code_name(code));
    }
    cr_assert_eq(code, PDR_OK);
    cr_assert_gt(nth, 8);
    rig_log rig;
    rig_log_open(&rig);
    cr_assert_eq(rig_log_count(&rig), good);
    rig_log_close(&rig);
}

static void take_result(void *context, uint64_t tag, const pdr_store_result *result)
{
    pdr_code *code = context;
    (void)tag;
    if (*code == PDR_OK) *code = result->code;
}

static pdr_code use_store(void)
{
    pdr_store *store;
    pdr_code code = pdr_sqlite_store_open(&store, rig_file, NULL);
    if (code != PDR_OK) return code;
    pdr_store_meta meta = {.journal_id = {1}, .partitions = 1};
    code = store->ops->init(store, &meta, 1000, NULL);
    pdr_head head = {.key = pdr_bytes_of("k", 1), .ids = pdr_bytes_of("i", 1), .state = pdr_bytes_of("s", 1)};
    pdr_schema_row schema = {1, pdr_bytes_of("n", 1), pdr_bytes_of("j", 1), 9};
    pdr_save save = {.heads = &head, .head_count = 1, .schemas = &schema, .schema_count = 1};
    const uint64_t revisions[] = {7, 0};
    pdr_lookup_key key = {pdr_bytes_of("k", 1), revisions, 2};
    pdr_new_states states = {.heads = &head, .count = 1};
    pdr_claim claim = {.term = {1, 1}, .address = pdr_bytes_of("a", 1)};
    pdr_code outcome = PDR_OK, stale = PDR_OK;
    if (code == PDR_OK) code = store->ops->load(store, 0, take_result, &outcome, 0, NULL);
    if (code == PDR_OK) code = store->ops->claim(store, 0, &claim, take_result, &outcome, 0, NULL);
    if (code == PDR_OK) code = store->ops->save(store, 0, &save, take_result, &stale, 0, NULL);
    if (code == PDR_OK) code = store->ops->lookup(store, 0, &key, 1, take_result, &outcome, 0, NULL);
    if (code == PDR_OK) code = store->ops->schemas(store, NULL, 0, take_result, &outcome, 0, NULL);
    if (code == PDR_OK) code = store->ops->schemas(store, revisions, 1, take_result, &outcome, 0, NULL);
    if (code == PDR_OK) code = store->ops->heads(store, key.key, 9, 7, take_result, &outcome, 0, NULL);
    if (code == PDR_OK) code = store->ops->put_states(store, 0, &states, take_result, &stale, 0, NULL);
    store->ops->poll(store);
    store->ops->close(store);
    return code == PDR_OK ? outcome : code;
}

Test(sqlite_memory, the_store_survives_every_failed_allocation)
{
    cr_assert_eq(use_store(), PDR_OK);
    pdr_code code = PDR_NOMEM;
    uint64_t nth = 1;
    for (; code != PDR_OK && nth < 1000; nth++) {
        pdr_mem_fail_at(nth);
        code = use_store();
        pdr_mem_fail_at(0);
        cr_assert(code == PDR_OK || code == PDR_NOMEM, "allocation %llu: %s", (unsigned long long)nth,
                  pdr_code_name(code));
    }
    cr_assert_eq(code, PDR_OK);
    cr_assert_gt(nth, 8);
}
