#include "replay/verify_run.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include "base/mem.h"
#include "journal/log_id.h"
#include "schemas/schema.h"

enum { WHOSE = 200, ID_TIMEOUT_MS = 30000, WATCH_HEADS = 4096 };

typedef struct run {
    pdr_tool *tool;
    const pdr_verify_run_spec *spec;
    pdr_verify *verify;
    int32_t partitions;
    bool has_id, first;
    uint8_t journal_id[PDR_ID_SIZE];
    pthread_mutex_t lock; /* for the caller's callbacks */
    pdr_verify_progress progress;
    /* An operation of the store. */
    pdr_tool_answer answer;
    pdr_partition_row row;
    /* The version whose positions are read. */
    char whose[WHOSE];
} run;

/* --- the caller --- */

static void on_finding(void *context, const pdr_finding *finding)
{
    run *r = context;
    (void)pthread_mutex_lock(&r->lock);
    r->spec->finding(r->spec->context, finding);
    (void)pthread_mutex_unlock(&r->lock);
}

static const pdr_verify_sink sink = {on_finding};

static bool watch(run *r)
{
    (void)pthread_mutex_lock(&r->lock);
    bool stop = r->spec->watch && r->spec->watch(r->spec->context, &r->progress);
    (void)pthread_mutex_unlock(&r->lock);
    return stop;
}

static pdr_code stopped(pdr_error *err)
{
    return pdr_fail(err, PDR_CANCELLED, "it was stopped");
}

/* --- the store's answers --- */

static void took_row(void *context, uint64_t tag, const pdr_store_result *result)
{
    run *r = context;
    (void)tag;
    pdr_tool_answered(&r->answer, result);
    if (result->code == PDR_OK) r->row = result->row;
}

typedef pdr_code (*row_taker)(pdr_verify *verify, int32_t partition, const pdr_partition_row *row,
                              pdr_error *err);

static void tell_no_row(run *r, int32_t partition)
{
    pdr_finding finding = {
        PDR_VERIFY_POSITIONS,      partition, -1, {NULL, 0}, 0, "the store has a row for each partition",
        "it has none for this one"};
    if (r->first) pdr_verify_tell(r->verify, &finding);
}

static pdr_code read_rows(run *r, row_taker take, bool tell, pdr_error *err)
{
    pdr_store *store = pdr_tool_store(r->tool);
    for (int32_t i = 0; i < r->partitions; i++) {
        pdr_code asked = store->ops->load(store, i, took_row, r, 0, err);
        pdr_code code = pdr_tool_await(r->tool, asked, &r->answer, r, err);
        if (code == PDR_NOT_INITIALISED) {
            if (tell) tell_no_row(r, i);
            continue;
        }
        if (code == PDR_OK) code = take(r->verify, i, &r->row, err);
        if (code != PDR_OK) return pdr_fail_context(err, code, "partition %d", (int)i);
    }
    return PDR_OK;
}

static pdr_code took_head(void *context, int32_t partition, const pdr_head *head, pdr_error *err)
{
    run *r = context;
    if (++r->progress.heads % WATCH_HEADS == 0 && watch(r)) return stopped(err);
    return pdr_verify_head(r->verify, partition, head, err);
}

/* --- the store's schemas: a cache, but one that isn't what it says misleads --- */

static void look_at_schema(run *r, const pdr_schema_row *row)
{
    pdr_error why = {0};
    pdr_schema_set *set;
    char expected[80];
    uint64_t fingerprint = 0;
    pdr_string json = {(const char *)row->json.data, row->json.size};
    pdr_code code = pdr_schema_read(&set, "the store", json, &why);
    if (code == PDR_OK) {
        code = pdr_schema_fingerprint(&fingerprint, pdr_schema_set_root(set, 0), &why);
        pdr_schema_set_close(set);
    }
    if (code == PDR_OK && fingerprint == row->fingerprint) return;
    if (code == PDR_OK) (void)pdr_fail(&why, PDR_BAD_SCHEMA, "it is the schema of %016" PRIx64, fingerprint);
    (void)snprintf(expected, sizeof expected, "the store's schema %016" PRIx64 " has this fingerprint",
                   row->fingerprint);
    pdr_finding finding = {PDR_VERIFY_SCHEMAS, -1, -1, {NULL, 0}, 0, expected, why.message};
    pdr_verify_tell(r->verify, &finding);
}

static void took_schemas(void *context, uint64_t tag, const pdr_store_result *result)
{
    run *r = context;
    (void)tag;
    pdr_tool_answered(&r->answer, result);
    for (size_t i = 0; i < result->schema_count; i++)
        look_at_schema(r, &result->schemas[i]);
}

static pdr_code read_schemas(run *r, pdr_error *err)
{
    pdr_store *store = pdr_tool_store(r->tool);
    pdr_code asked = store->ops->schemas(store, NULL, 0, took_schemas, r, 0, err);
    return pdr_tool_await(r->tool, asked, &r->answer, r, err);
}

static pdr_code read_store(run *r, pdr_error *err)
{
    pdr_store *store = pdr_tool_store(r->tool);
    if (!store) return PDR_OK;
    r->progress.heads = 0;
    pdr_code code = read_rows(r, pdr_verify_row, true, err);
    if (code == PDR_OK) code = store->ops->dump(store, took_head, r, err);
    if (code == PDR_OK) code = read_rows(r, pdr_verify_row_after, false, err);
    return code == PDR_OK && r->first ? read_schemas(r, err) : code;
}

/* --- views --- */

static pdr_code took_position(void *context, const pdr_position_row *row, pdr_error *err)
{
    run *r = context;
    if (row->partition >= 0 && row->partition < r->partitions)
        return pdr_verify_position(r->verify, row->partition, row->position, r->whose, err);
    char found[64];
    (void)snprintf(found, sizeof found, "it has a position in partition %d", (int)row->partition);
    pdr_finding finding = {
        PDR_VERIFY_POSITIONS, row->partition, row->position.offset, {NULL, 0}, 0, r->whose, found};
    pdr_verify_tell(r->verify, &finding);
    return PDR_OK;
}

static pdr_code took_letter(void *context, const pdr_dead_letter *letter, pdr_error *err)
{
    run *r = context;
    pdr_verify_letter l = {letter->partition, letter->offset, letter->before,
                           letter->entity,    letter->seq,    r->whose};
    if (letter->partition < 0 || letter->partition >= r->partitions) {
        pdr_finding finding = {PDR_VERIFY_DEAD_LETTERS,
                               letter->partition,
                               letter->offset,
                               letter->entity,
                               letter->seq,
                               "a dead letter is of one of the log's partitions",
                               r->whose};
        pdr_verify_tell(r->verify, &finding);
        return PDR_OK;
    }
    return pdr_verify_dead_letter(r->verify, &l, err);
}

/* Listed first: while versions are told nothing else may be asked. */
typedef struct version {
    struct version *next;
    uint32_t number;
    char projection[];
} version;

typedef struct version_list {
    run *run;
    version *first;
} version_list;

/* Those of other journals, which may share the database, stand on other logs. */
static pdr_code took_version(void *context, const pdr_version_row *row, pdr_error *err)
{
    version_list *list = context;
    if (list->run->has_id && memcmp(row->journal_id, list->run->journal_id, PDR_ID_SIZE) != 0) return PDR_OK;
    size_t size = strlen(row->projection) + 1;
    version *v = pdr_alloc(sizeof *v + size);
    if (!v) return pdr_fail(err, PDR_NOMEM, "a list of versions");
    v->next = list->first;
    v->number = row->version;
    memcpy(v->projection, row->projection, size);
    list->first = v;
    return PDR_OK;
}

static pdr_code read_version(run *r, const version *v, pdr_error *err)
{
    pdr_views *views = r->spec->views;
    (void)snprintf(r->whose, sizeof r->whose, "projection %.120s, version %" PRIu32, v->projection,
                   v->number);
    pdr_code code = views->ops->positions(views, v->projection, v->number, took_position, r, err);
    if (code != PDR_OK) return code;
    return views->ops->dead_letters(views, v->projection, v->number, -1, took_letter, r, err);
}

static pdr_code read_views(run *r, pdr_error *err)
{
    pdr_views *views = r->spec->views;
    version_list list = {r, NULL};
    if (!views) return PDR_OK;
    pdr_code code = views->ops->versions(views, NULL, took_version, &list, err);
    for (version *v = list.first, *next; v; v = next) {
        next = v->next;
        if (code == PDR_OK) code = read_version(r, v, err);
        pdr_free(v);
    }
    return code;
}

/* --- the log --- */

static pdr_code took_record(void *context, unsigned thread, int32_t partition, const pdr_log_record *record,
                            pdr_error *err)
{
    (void)thread;
    return pdr_verify_take(((run *)context)->verify, partition, record, err);
}

static void ended(void *context, unsigned thread, int32_t partition, int64_t end)
{
    (void)thread;
    pdr_verify_end(((run *)context)->verify, partition, end);
}

static void lost(void *context, unsigned thread, int32_t partition, const pdr_error *why)
{
    (void)thread;
    pdr_verify_lost(((run *)context)->verify, partition, why);
}

static const pdr_scan_raw raw = {took_record, ended, lost};

static bool watch_log(void *context, const pdr_scan_progress *progress)
{
    run *r = context;
    r->progress.log = *progress;
    return watch(r);
}

static pdr_code read_log(run *r, pdr_error *err)
{
    int32_t *wanted = pdr_alloc((size_t)r->partitions * sizeof *wanted);
    if (!wanted) return pdr_fail(err, PDR_NOMEM, "%d partitions", (int)r->partitions);
    pdr_scan_spec spec = {
        .partitions = wanted, .threads = r->spec->threads, .raw = &raw, .context = r, .watch = watch_log};
    for (int32_t i = 0; i < r->partitions; i++)
        if (pdr_verify_wants(r->verify, i)) wanted[spec.partition_count++] = i;
    r->progress.reading_log = true;
    r->progress.log = (pdr_scan_progress){0};
    pdr_code code = pdr_scan_run(r->tool, &spec, err);
    pdr_free(wanted);
    return code;
}

/* --- passes --- */

static pdr_code pass(run *r, pdr_error *err)
{
    r->progress.pass++;
    r->progress.reading_log = false;
    r->first = r->progress.pass == 1;
    pdr_code code = watch(r) ? stopped(err) : pdr_verify_begin(r->verify, err);
    if (code == PDR_OK) code = read_store(r, err);
    if (code == PDR_OK && r->first) code = read_views(r, err);
    return code == PDR_OK ? read_log(r, err) : code;
}

static const pdr_folder *find_folder(void *context, pdr_bytes entity)
{
    return pdr_tool_folder(context, entity);
}

static pdr_code read_written(void *context, int32_t partition, const pdr_log_record *record,
                             const pdr_header *header, pdr_buf *scratch, pdr_error *err)
{
    return pdr_tool_print_written(context, partition, record, header, scratch, err);
}

/* The store's, else the first that a FENCE of the log names. */
static pdr_code find_id(run *r, pdr_error *err)
{
    pdr_store *store = pdr_tool_store(r->tool);
    pdr_store_meta meta;
    pdr_error ignored;
    if (!store) {
        if (pdr_log_find_id(pdr_tool_log(r->tool), 0, r->partitions, ID_TIMEOUT_MS, &r->has_id, r->journal_id,
                            &ignored) != PDR_OK)
            r->has_id = false; /* a damaged log: reading it tells */
        return PDR_OK;
    }
    pdr_code code = store->ops->meta(store, &meta, ID_TIMEOUT_MS, err);
    r->has_id = true;
    if (code == PDR_OK) memcpy(r->journal_id, meta.journal_id, PDR_ID_SIZE);
    return code;
}

static pdr_code drive(run *r, pdr_error *err)
{
    pdr_code code = find_id(r, err);
    if (code != PDR_OK) return code;
    pdr_verify_spec spec = {.partitions = r->partitions,
                            .has_journal_id = r->has_id,
                            .has_store = pdr_tool_store(r->tool) != NULL,
                            .folder = pdr_tool_app(r->tool) ? find_folder : NULL,
                            .written = read_written,
                            .folder_context = r->tool,
                            .book = pdr_tool_book(r->tool),
                            .memory = r->spec->memory,
                            .sink = &sink,
                            .context = r};
    memcpy(spec.journal_id, r->journal_id, PDR_ID_SIZE);
    code = pdr_verify_open(&r->verify, &spec, err);
    if (code != PDR_OK) return code;
    do
        code = pass(r, err);
    while (code == PDR_OK && pdr_verify_unfinished(r->verify));
    return code;
}

pdr_code pdr_verify_run(pdr_tool *tool, const pdr_verify_run_spec *spec, pdr_verify_totals *totals,
                        pdr_error *err)
{
    run r = {.tool = tool, .spec = spec, .partitions = pdr_tool_partitions(tool)};
    *totals = (pdr_verify_totals){0};
    if (pthread_mutex_init(&r.lock, NULL) != 0) return pdr_fail(err, PDR_NOMEM, "a lock");
    pdr_code code = drive(&r, err);
    if (r.verify) *totals = pdr_verify_totals_of(r.verify);
    pdr_verify_close(r.verify);
    (void)pthread_mutex_destroy(&r.lock);
    return code;
}
