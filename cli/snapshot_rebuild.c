/* perdure snapshot rebuild: the states of a new program's revisions, made before it is deployed, beside the
 * owners at work. */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "cli/common.h"
#include "cli/json.h"
#include "cli/log_walk.h"
#include "journal/app.h"
#include "journal/schema_seek.h"
#include "journal/sleep.h"
#include "journal/snapshot_maker.h"

enum {
    PAGE = 10000,
    BATCH = 2000,
    BATCH_BYTES = 8 * 1024 * 1024,
    MAX_SLEEP_US = 100000,
    MAX_REPORT = 1024 * 1024
};

typedef struct rebuild {
    pdr_target target;
    bool json;
    int64_t memory_mb;
    pdr_loaded_app app;
    pdr_plan plan;
    pdr_log *log;
    pdr_store *store;
    pdr_store_meta meta;
    uint8_t store_id[PDR_ID_SIZE];
    pdr_schema_book *book;
    pdr_folder *folder; /* of the entity type at work */
    pdr_snapshot_maker *maker;
    pdr_buf after; /* the last key that is done or wanted */
    bool listed;   /* no page is left of this type */
    /* States that wait to be written. */
    pdr_head batch[BATCH];
    int32_t batch_partitions[BATCH];
    size_t batch_count;
    pdr_arena batch_bytes;
    /* What came of an operation. */
    bool answered;
    pdr_error answer;
    pdr_error page_error;
    size_t page_count;
    /* For the report. */
    uint64_t entities, ready, made, unreadable;
    uint32_t passes;
    char first_unreadable[PDR_MAX_ENTITY_ID + 1];
    pdr_error why;
} rebuild;

static int timeout_of(const rebuild *r)
{
    return (int)r->plan.settings.open_timeout_ms;
}

/* --- operations of the store, waited for --- */

static void note(rebuild *r, const pdr_store_result *result)
{
    r->answered = true;
    r->answer.code = PDR_OK;
    if (result->code != PDR_OK) r->answer = *result->error;
}

static pdr_code wait_for_answer(rebuild *r, pdr_code submitted, pdr_error *err)
{
    if (submitted != PDR_OK) return submitted;
    int64_t until = pdr_deadline_us(timeout_of(r));
    while (!r->answered) {
        if (r->store->ops->poll(r->store)) continue;
        if (pdr_mono_us() >= until) {
            r->store->ops->forget(r->store, r);
            return pdr_fail(err, PDR_TIMEOUT, "the store gave no answer in %d ms", timeout_of(r));
        }
        pdr_sleep_on(NULL, r->store, MAX_SLEEP_US);
    }
    if (r->answer.code != PDR_OK && err) *err = r->answer;
    return r->answer.code;
}

static void took_row(void *context, uint64_t tag, const pdr_store_result *result)
{
    (void)tag;
    rebuild *r = context;
    note(r, result);
    memcpy(r->store_id, result->row.stamp.store_id, sizeof r->store_id);
}

/* One that can't be read explains nothing: events that need it say so. */
static void took_schemas(void *context, uint64_t tag, const pdr_store_result *result)
{
    (void)tag;
    rebuild *r = context;
    note(r, result);
    for (size_t i = 0; i < result->schema_count; i++)
        if (pdr_schema_book_take_row(r->book, &result->schemas[i], NULL) == PDR_NOMEM)
            r->answer.code = pdr_fail(&r->answer, PDR_NOMEM, "the store's schemas");
}

static void wrote(void *context, uint64_t tag, const pdr_store_result *result)
{
    (void)tag;
    note(context, result);
}

/* --- writing --- */

static pdr_code write_partition(rebuild *r, int32_t partition, pdr_error *err)
{
    static pdr_head heads[BATCH];
    pdr_new_states states = {.heads = heads};
    for (size_t i = 0; i < r->batch_count; i++)
        if (r->batch_partitions[i] == partition) heads[states.count++] = r->batch[i];
    if (!states.count) return PDR_OK;
    memcpy(states.store_id, r->store_id, sizeof states.store_id);
    r->answered = false;
    pdr_code code = r->store->ops->put_states(r->store, partition, &states, wrote, r, 0, err);
    code = wait_for_answer(r, code, err);
    if (code == PDR_OK) r->made += states.count;
    return code;
}

static pdr_code flush(rebuild *r, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (int32_t p = 0; code == PDR_OK && r->batch_count && p < r->meta.partitions; p++)
        code = write_partition(r, p, err);
    r->batch_count = 0;
    pdr_arena_clear(&r->batch_bytes);
    return code;
}

static pdr_code made(void *context, int32_t partition, const pdr_head *head, pdr_error *err)
{
    rebuild *r = context;
    bool full = r->batch_count == BATCH || r->batch_bytes.used > BATCH_BYTES;
    pdr_code code = full ? flush(r, err) : PDR_OK;
    if (code != PDR_OK) return code;
    pdr_head *copy = &r->batch[r->batch_count];
    *copy = *head;
    copy->key = pdr_arena_bytes(&r->batch_bytes, head->key);
    copy->state = pdr_arena_bytes(&r->batch_bytes, head->state);
    if (!copy->key.data || !copy->state.data) return pdr_fail(err, PDR_NOMEM, "a batch of states");
    r->batch_partitions[r->batch_count++] = partition;
    return PDR_OK;
}

static void failed(void *context, pdr_bytes key, const pdr_error *why)
{
    rebuild *r = context;
    if (r->unreadable++) return;
    r->why = *why;
    snprintf(r->first_unreadable, sizeof r->first_unreadable, "%.*s", (int)key.size, (const char *)key.data);
}

static const pdr_snapshot_sink sink = {made, failed};

/* --- which entities --- */

/* Past all keys of this type? In ascending order "loan" comes first, and "loan/..." before "loan0". */
static bool is_behind(const pdr_entity_type *type, pdr_bytes key)
{
    size_t size = strlen(type->name), shorter = key.size < size ? key.size : size;
    int order = memcmp(key.data, type->name, shorter);
    return order > 0 || (order == 0 && key.size > size && key.data[size] > '/');
}

static pdr_code want(rebuild *r, const pdr_head *head, pdr_error *err)
{
    const pdr_entity_type *type = pdr_folder_type(r->folder);
    if (is_behind(type, head->key)) {
        r->listed = true;
        return PDR_BUSY;
    }
    size_t place = pdr_app_entity_of(r->app.app, head->key);
    bool here = place != SIZE_MAX && r->app.app->entities[place] == type;
    bool fresh = head->state.data && head->state_seq == head->seq;
    pdr_code code = here && !fresh ? pdr_snapshot_maker_want(r->maker, r->folder, head, err) : PDR_OK;
    if (code != PDR_OK) return code;
    r->entities += here;
    r->ready += here && fresh;
    pdr_buf_clear(&r->after);
    return pdr_buf_append(&r->after, head->key.data, head->key.size);
}

static void took_page(void *context, uint64_t tag, const pdr_store_result *result)
{
    (void)tag;
    rebuild *r = context;
    note(r, result);
    r->page_count = result->head_count;
    r->page_error.code = PDR_OK;
    for (size_t i = 0; i < result->head_count && r->page_error.code == PDR_OK; i++)
        r->page_error.code = want(r, &result->heads[i], &r->page_error);
}

/* *full: the maker has no room, or the list is at its end. */
static pdr_code next_page(rebuild *r, bool *full, pdr_error *err)
{
    r->answered = false;
    pdr_code code = r->store->ops->heads(r->store, pdr_buf_bytes(&r->after), PAGE,
                                         pdr_folder_revision(r->folder), took_page, r, 0, err);
    code = wait_for_answer(r, code, err);
    if (code != PDR_OK) return code;
    if (r->page_count < PAGE && r->page_error.code == PDR_OK) r->listed = true;
    *full = r->listed || r->page_error.code == PDR_BUSY;
    if (r->page_error.code == PDR_OK || *full) return PDR_OK;
    if (err) *err = r->page_error;
    return r->page_error.code;
}

/* --- a pass over the log --- */

static pdr_code take(void *context, int32_t partition, const pdr_log_record *record, pdr_error *err)
{
    return pdr_snapshot_maker_take(((rebuild *)context)->maker, partition, record, err);
}

static pdr_code pass(rebuild *r, pdr_error *err)
{
    pdr_bytes left;
    size_t wanted = pdr_snapshot_maker_count(r->maker);
    uint64_t told = r->made + r->unreadable + r->batch_count;
    if (!wanted) return PDR_OK;
    r->passes++;
    pdr_log_walk walk = {.doing = "folding",
                         .log = r->log,
                         .partitions = r->meta.partitions,
                         .timeout_ms = timeout_of(r),
                         .record = take,
                         .context = r};
    pdr_code code = pdr_snapshot_maker_begin(r->maker, r->meta.partitions, err);
    if (code == PDR_OK) code = pdr_log_walk_run(&walk, err);
    if (code != PDR_OK) return code;
    pdr_snapshot_maker_end(r->maker, &left);
    code = flush(r, err);
    if (code != PDR_OK || !left.data) return code;
    r->entities -= wanted - (r->made + r->unreadable - told); /* these are met again */
    r->listed = false;
    pdr_buf_clear(&r->after);
    return pdr_buf_append(&r->after, left.data, left.size);
}

/* Keys of the type begin with its name: listing begins just before it, with the name less its last character.
 */
static size_t size_before(const char *name)
{
    size_t size = strlen(name) - 1;
    while (size && ((unsigned char)name[size] & 0xc0) == 0x80)
        size--;
    return size;
}

static pdr_code rebuild_type(rebuild *r, const pdr_entity_type *type, pdr_error *err)
{
    pdr_folder_close(r->folder);
    r->folder = NULL;
    pdr_code code = pdr_folder_open(&r->folder, type, r->book, err);
    pdr_buf_clear(&r->after);
    if (code == PDR_OK) code = pdr_buf_append(&r->after, type->name, size_before(type->name));
    for (r->listed = false; code == PDR_OK && !r->listed;) {
        bool full = false;
        while (code == PDR_OK && !full)
            code = next_page(r, &full, err);
        if (code == PDR_OK) code = pass(r, err);
    }
    return code;
}

/* --- the command --- */

static pdr_code open_all(rebuild *r, pdr_error *err)
{
    pdr_log_info info;
    pdr_code code = pdr_backends_log_open(&r->plan.backends, &r->log, err);
    if (code == PDR_OK) code = r->log->ops->info(r->log, &info, timeout_of(r), err);
    if (code == PDR_OK) code = pdr_backends_store_open(&r->plan.backends, &r->store, err);
    if (code == PDR_OK) code = r->store->ops->meta(r->store, &r->meta, timeout_of(r), err);
    if (code == PDR_OK && r->meta.partitions != info.partitions)
        code = pdr_fail(err, PDR_WRONG_JOURNAL, "the store has %d partitions, the log %d",
                        (int)r->meta.partitions, (int)info.partitions);
    if (code == PDR_OK) code = pdr_schema_book_open(&r->book, err);
    size_t budget = (size_t)r->memory_mb * 1024 * 1024;
    if (code == PDR_OK) code = pdr_snapshot_maker_open(&r->maker, r->book, budget, &sink, r, err);
    if (code != PDR_OK) return code;
    r->answered = false;
    code = wait_for_answer(r, r->store->ops->load(r->store, 0, took_row, r, 0, err), err);
    if (code != PDR_OK) return code;
    r->answered = false;
    return wait_for_answer(r, r->store->ops->schemas(r->store, NULL, 0, took_schemas, r, 0, err), err);
}

static pdr_bytes bytes_of(const char *text)
{
    return pdr_bytes_of(text, strlen(text));
}

static pdr_code report(const rebuild *r, pdr_error *err)
{
    pdr_buf out = PDR_BUF_INIT(MAX_REPORT);
    pdr_cli_progress_end();
    pdr_code code;
    if (r->json) {
        code = pdr_buf_printf(&out,
                              "{\"entities\":%" PRIu64 ",\"ready\":%" PRIu64 ",\"made\":%" PRIu64
                              ",\"unreadable\":%" PRIu64 ",\"passes\":%u",
                              r->entities, r->ready, r->made, r->unreadable, (unsigned)r->passes);
        if (code == PDR_OK && r->unreadable) code = pdr_buf_printf(&out, ",\"first_unreadable\":");
        if (code == PDR_OK && r->unreadable) code = pdr_json_text(&out, bytes_of(r->first_unreadable));
        if (code == PDR_OK && r->unreadable) code = pdr_buf_printf(&out, ",\"why\":");
        if (code == PDR_OK && r->unreadable) code = pdr_json_text(&out, bytes_of(r->why.message));
        if (code == PDR_OK) code = pdr_buf_printf(&out, "}\n");
    } else {
        code = pdr_buf_printf(&out, "%" PRIu64 " entities: %" PRIu64 " states made, %" PRIu64 " were there\n",
                              r->entities, r->made, r->ready);
        if (code == PDR_OK && r->unreadable)
            code = pdr_buf_printf(&out, "%" PRIu64 " can't be made; the first is %s: %s\n", r->unreadable,
                                  r->first_unreadable, r->why.message);
    }
    return pdr_cli_print_made(&out, code, "the report", err);
}

static pdr_code work(rebuild *r, pdr_error *err)
{
    pdr_code code = pdr_loaded_app_open(&r->app, r->target.app, err);
    if (code == PDR_OK) code = pdr_target_plan(&r->target, r->app.app, &r->plan, err);
    if (code == PDR_OK) code = pdr_loaded_app_needed(&r->app, err);
    if (code == PDR_OK) code = open_all(r, err);
    for (size_t i = 0; code == PDR_OK && i < r->app.app->entity_count; i++)
        code = rebuild_type(r, r->app.app->entities[i], err);
    return code == PDR_OK ? report(r, err) : code;
}

static void close_all(rebuild *r)
{
    pdr_snapshot_maker_close(r->maker);
    pdr_folder_close(r->folder);
    pdr_schema_book_close(r->book);
    if (r->store) r->store->ops->close(r->store);
    if (r->log) r->log->ops->close(r->log);
    pdr_buf_release(&r->after);
    pdr_arena_release(&r->batch_bytes);
    pdr_plan_release(&r->plan);
    pdr_loaded_app_close(&r->app);
}

static int run(int argc, char **argv)
{
    static rebuild r = {.memory_mb = 1024,
                        .after = PDR_BUF_INIT(2 * PDR_MAX_ENTITY_ID),
                        .batch_bytes = PDR_ARENA_INIT((size_t)1 << 30)};
    const pdr_flag flags[] = {
        PDR_JOURNAL_FLAG(r.target),
        PDR_STORE_FLAG(r.target),
        PDR_APP_FLAG(r.target),
        {PDR_FLAG_NUMBER, "--memory", "MB",
         "for entities and states, 1024 if not given; more passes over the log if it is short", &r.memory_mb,
         1, 1024 * 1024},
        {PDR_FLAG_SWITCH, "--json", NULL, "one JSON object instead of text", &r.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_snapshot_rebuild, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = work(&r, &err);
    close_all(&r);
    if (code != PDR_OK) return pdr_cli_fail(&pdr_cli_snapshot_rebuild, &err);
    return r.unreadable ? PDR_EXIT_FAILED : PDR_EXIT_DONE;
}

const pdr_cli_command pdr_cli_snapshot_rebuild = {
    .name = "snapshot rebuild",
    .summary = "the states of a new program's revisions, made before its deploy",
    .about = "Folds the log's events with the application that is to be deployed and writes its states "
             "beside those in\n"
             "use, so that it begins without reading history. Owners may be at work: no head is touched. "
             "What is there\n"
             "already isn't made again, so that it can be stopped and begun anew. Exit code 1 if today's "
             "code can't fold\n"
             "an entity's events.\n"
             "\n"
             "  perdure snapshot rebuild --app new.so\n",
    .run = run};
