/* perdure store dump: what the store holds, sorted, the same bytes for the same contents. */
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "cli/common.h"
#include "cli/json.h"
#include "journal/app.h"
#include "journal/fold.h"
#include "journal/ids.h"
#include "journal/store.h"

enum { TIMEOUT_MS = 10000, MAX_LINE = 256 * 1024 * 1024, FLUSH_AT = 64 * 1024 };

typedef struct dump {
    pdr_target target;
    pdr_loaded_app app;
    pdr_folder **folders; /* one per entity type of the application */
    pdr_arena arena;
    pdr_buf out;
    uint64_t rows;
} dump;

static pdr_code open_folders(dump *d, pdr_error *err)
{
    size_t count = d->app.app ? d->app.app->entity_count : 0;
    d->folders = pdr_calloc(count + 1, sizeof(pdr_folder *));
    if (!d->folders) return pdr_fail(err, PDR_NOMEM, "%zu entity types", count);
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < count; i++)
        code = pdr_folder_open(&d->folders[i], d->app.app->entities[i], NULL, err);
    return code;
}

static void release(dump *d)
{
    for (size_t i = 0; d->folders && d->folders[i]; i++)
        pdr_folder_close(d->folders[i]);
    pdr_free(d->folders);
    pdr_arena_release(&d->arena);
    pdr_buf_release(&d->out);
    pdr_loaded_app_close(&d->app);
}

/* The state's type, if today's application made it; NULL: unknown. */
static const pdr_type *state_type(const dump *d, const pdr_head *head)
{
    size_t place = pdr_app_entity_of(d->app.app, head->key);
    if (place == SIZE_MAX || pdr_folder_revision(d->folders[place]) != head->revision) return NULL;
    return d->app.app->entities[place]->state;
}

static pdr_code put_state(dump *d, const pdr_head *head)
{
    if (!head->state.data) return pdr_buf_printf(&d->out, ",\"state\":null}\n");
    const pdr_type *type = state_type(d, head);
    void *value = type ? pdr_arena_alloc(&d->arena, type->size) : NULL;
    pdr_code code = pdr_buf_printf(&d->out, ",\"revision\":\"%016" PRIx64 "\",\"state_seq\":%" PRIu64,
                                   head->revision, head->state_seq);
    if (code != PDR_OK) return code;
    if (value && type->print && type->decode(head->state, &d->arena, value, NULL) == PDR_OK) {
        code = pdr_buf_printf(&d->out, ",\"state\":");
        if (code == PDR_OK) code = type->print(value, &d->out);
    } else {
        code = pdr_buf_printf(&d->out, ",\"state_hex\":");
        if (code == PDR_OK) code = pdr_json_hex(&d->out, head->state);
    }
    return code == PDR_OK ? pdr_buf_printf(&d->out, "}\n") : code;
}

static pdr_code put_id(pdr_buf *out, const pdr_id_entry *entry, bool first)
{
    pdr_code code = pdr_buf_printf(out, "%s{\"id\":", first ? "" : ",");
    if (code == PDR_OK) code = pdr_json_bytes(out, entry->id);
    if (code == PDR_OK)
        code =
            pdr_buf_printf(out, ",\"seq\":%" PRIu64 ",\"events\":%" PRIu32 ",\"command\":\"%016" PRIx64 "\"",
                           entry->seq, entry->events, entry->fingerprint);
    if (code == PDR_OK && entry->has_reply) code = pdr_buf_printf(out, ",\"reply\":");
    if (code == PDR_OK && entry->has_reply) code = pdr_json_bytes(out, entry->reply);
    return code == PDR_OK ? pdr_buf_printf(out, "}") : code;
}

/* The window of command ids, oldest first. */
static pdr_code put_ids(pdr_buf *out, pdr_bytes packed, pdr_error *err)
{
    pdr_id_entry entry;
    const uint8_t *at = packed.data, *end = packed.data + packed.size;
    pdr_code code = pdr_buf_printf(out, ",\"ids\":[");
    for (bool first = true; code == PDR_OK && at < end; first = false) {
        if (!pdr_ids_next(&at, end, &entry))
            return pdr_fail(err, PDR_CORRUPT, "a window of command ids is malformed");
        code = put_id(out, &entry, first);
    }
    return code == PDR_OK ? pdr_buf_printf(out, "]") : code;
}

static pdr_code put_head(dump *d, int32_t partition, const pdr_head *head, pdr_error *err)
{
    pdr_code code = pdr_buf_printf(&d->out, "{\"entity\":");
    if (code == PDR_OK) code = pdr_json_text(&d->out, head->key);
    if (code == PDR_OK)
        code = pdr_buf_printf(&d->out, ",\"partition\":%d,\"seq\":%" PRIu64 ",\"last\":%" PRId64,
                              (int)partition, head->seq, head->last.offset);
    if (code == PDR_OK) code = put_ids(&d->out, head->ids, err);
    if (code == PDR_OK && head->timer_us == PDR_NO_TIMER) code = pdr_buf_printf(&d->out, ",\"timer\":null");
    if (code == PDR_OK && head->timer_us != PDR_NO_TIMER)
        code = pdr_buf_printf(&d->out, ",\"timer\":%" PRId64, head->timer_us);
    return code == PDR_OK ? put_state(d, head) : code;
}

static pdr_code flush(dump *d, pdr_error *err)
{
    if (d->out.size && fwrite(d->out.data, 1, d->out.size, stdout) != d->out.size)
        return pdr_cli_write_failed(err);
    pdr_buf_clear(&d->out);
    return PDR_OK;
}

static pdr_code row(void *context, int32_t partition, const pdr_head *head, pdr_error *err)
{
    dump *d = context;
    pdr_arena_clear(&d->arena);
    pdr_code code = put_head(d, partition, head, err);
    if (code != PDR_OK && code != PDR_CORRUPT)
        return pdr_fail(err, code, "%.*s", (int)head->key.size, (const char *)head->key.data);
    if (code != PDR_OK)
        return pdr_fail_context(err, code, "%.*s", (int)head->key.size, (const char *)head->key.data);
    d->rows++;
    return d->out.size >= FLUSH_AT ? flush(d, err) : PDR_OK;
}

static pdr_code work(dump *d, pdr_error *err)
{
    pdr_store *store;
    pdr_store_meta meta;
    pdr_code code = pdr_loaded_app_open(&d->app, d->target.app, err);
    if (code == PDR_OK) code = open_folders(d, err);
    if (code == PDR_OK) code = pdr_target_open_store(&d->target, &store, err);
    if (code != PDR_OK) return code;
    code = store->ops->meta(store, &meta, TIMEOUT_MS, err);
    if (code == PDR_OK) code = store->ops->dump(store, row, d, err);
    store->ops->close(store);
    if (code == PDR_OK) code = flush(d, err);
    if (code == PDR_OK && fflush(stdout) != 0) code = pdr_cli_write_failed(err);
    return code;
}

static int run(int argc, char **argv)
{
    dump d = {.arena = PDR_ARENA_INIT(4 * (size_t)PDR_MAX_STATE), .out = PDR_BUF_INIT(MAX_LINE)};
    const pdr_flag flags[] = {
        PDR_JOURNAL_FLAG(d.target),
        PDR_STORE_FLAG(d.target),
        PDR_APP_FLAG(d.target),
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_store_dump, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = work(&d, &err);
    release(&d);
    return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(&pdr_cli_store_dump, &err);
}

const pdr_cli_command pdr_cli_store_dump = {
    .name = "store dump",
    .summary = "print what the store holds, one JSON object per entity",
    .about = "One line of JSON per entity, sorted by the bytes of its id: seq, offset of its newest event, "
             "command ids that\n"
             "are remembered, timer, state. The state is JSON if --app knows it, else hexadecimal. The same "
             "contents give\n"
             "the same bytes.\n"
             "\n"
             "  perdure store dump --app loans_app.so | head -1\n",
    .run = run};
