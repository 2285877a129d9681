#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "journal/partitioner.h"
#include "journal/sleep.h"
#include "journal/stored_commit.h"
#include "replay/import_inside.h"
#include "replay/tool_inside.h"

enum {
    MAX_OPEN = 4000, /* commits under way: fewer than an owner takes of one entity */
    MAX_OPEN_BYTES = 256 * 1024 * 1024,
    TURN_EVERY = 128, /* commits */
    STUCK_US = 60 * 1000000,
    CHECK_US = 1000000,
    MAX_SLEEP_US = 100000
};

/* A commit under way. */
typedef struct under_way {
    pdr_import *import;
    size_t bytes;
    uint32_t events;
} under_way;

/* --- turns --- */

static void note_failure(pdr_import *i, const pdr_error *why)
{
    if (i->failure.code == PDR_OK) i->failure = *why;
}

static pdr_code failed(const pdr_import *i, pdr_error *err)
{
    if (i->failure.code != PDR_OK && err) *err = i->failure;
    return i->failure.code;
}

static void nap(const pdr_import *i, int64_t due_us)
{
    int64_t left = due_us - pdr_mono_us();
    pdr_sleep_on(i->log, i->store, left < MAX_SLEEP_US ? left : MAX_SLEEP_US);
}

static void look_at(pdr_import *i, const pdr_owner *owner)
{
    pdr_owner_state state = pdr_owner_state_of(owner);
    const pdr_error *why = pdr_owner_error(owner);
    bool deposed = why->code != PDR_OK && pdr_code_class(why->code) == PDR_CLASS_DEPOSED;
    /* An owner tries again for ever; a disk that is full stays so until somebody comes. */
    if (state == PDR_OWNER_FAILED || deposed || why->code == PDR_NO_SPACE) note_failure(i, why);
}

/* Whether anything came; *due: when something is. */
static bool turn(pdr_import *i, int64_t *due)
{
    size_t came = i->log->ops->poll(i->log) + i->store->ops->poll(i->store);
    *due = INT64_MAX;
    for (int32_t p = 0; p < i->meta.partitions; p++) {
        int64_t wanted = pdr_owner_turn(i->owners[p]);
        if (wanted < *due) *due = wanted;
        look_at(i, i->owners[p]);
    }
    i->since_turn = 0;
    return came > 0;
}

/* An owner that waits says why. */
static pdr_code stuck(const pdr_import *i, const char *what, pdr_error *err)
{
    for (int32_t p = 0; p < i->meta.partitions; p++) {
        const pdr_error *why = pdr_owner_error(i->owners[p]);
        if (why->code == PDR_OK) continue;
        if (err) *err = *why;
        return pdr_fail_context(err, why->code, "%s: no progress for %d s", what, STUCK_US / 1000000);
    }
    return pdr_fail(err, PDR_TIMEOUT, "%s: no progress for %d s", what, STUCK_US / 1000000);
}

/* What only grows while there is progress; recoveries alone are none. */
static uint64_t progress_of(const pdr_import *i)
{
    uint64_t sum = i->counts.commits + i->counts.there;
    for (int32_t p = 0; p < i->meta.partitions; p++) {
        pdr_owner_counters c;
        pdr_owner_counters_of(i->owners[p], &c);
        sum += c.events + c.saves + (pdr_owner_state_of(i->owners[p]) == PDR_OWNER_SERVING);
    }
    return sum;
}

/* Until it is so, or something failed, or there was no progress for too long. */
static pdr_code turn_until(pdr_import *i, bool (*so)(const pdr_import *), bool stoppable, const char *what,
                           pdr_error *err)
{
    int64_t due, moved_us = pdr_mono_us();
    uint64_t progress = progress_of(i);
    while (i->failure.code == PDR_OK && !so(i)) {
        bool came = turn(i, &due);
        if (i->failure.code != PDR_OK || so(i)) break;
        if (stoppable && i->target->stopped && i->target->stopped())
            return pdr_fail(err, PDR_CANCELLED, "it was stopped");
        int64_t now = pdr_mono_us();
        if (now - moved_us > CHECK_US && progress_of(i) > progress) {
            progress = progress_of(i);
            moved_us = now;
        }
        if (now - moved_us > STUCK_US) return stuck(i, what, err);
        if (!came) nap(i, due);
    }
    return failed(i, err);
}

/* --- opening --- */

static bool all_serve(const pdr_import *i)
{
    for (int32_t p = 0; p < i->meta.partitions; p++)
        if (pdr_owner_state_of(i->owners[p]) != PDR_OWNER_SERVING) return false;
    return true;
}

static pdr_code open_owner(pdr_import *i, int32_t partition, pdr_error *err)
{
    const pdr_tool *t = i->target;
    pdr_owner_config config = {.partition = partition,
                               .partitions = i->meta.partitions,
                               .address = pdr_bytes_of(i->address, strlen(i->address)),
                               .app = t->app ? t->app : t->plan.app,
                               .book = t->book,
                               .settings = t->plan.settings.owner};
    memcpy(config.journal_id, i->meta.journal_id, sizeof config.journal_id);
    pdr_code code = pdr_owner_open(&i->owners[partition], &config, i->log, i->store, &i->env.env, err);
    if (code == PDR_OK) pdr_owner_assign(i->owners[partition], 0);
    return code;
}

static pdr_code open_owners(pdr_import *i, pdr_error *err)
{
    const pdr_backends *backends = &i->target->plan.backends;
    i->owners = pdr_calloc((size_t)i->meta.partitions, sizeof(pdr_owner *));
    if (!i->owners) return pdr_fail(err, PDR_NOMEM, "%d partitions", (int)i->meta.partitions);
    pdr_code code = pdr_backends_log_open(backends, &i->log, err);
    if (code == PDR_OK) code = i->log->ops->check(i->log, i->target->timeout_ms, err);
    if (code == PDR_OK) code = pdr_backends_store_open(backends, &i->store, err);
    for (int32_t p = 0; code == PDR_OK && p < i->meta.partitions; p++)
        code = open_owner(i, p, err);
    return code == PDR_OK ? turn_until(i, all_serve, true, "taking the partitions", err) : code;
}

static void name_source(pdr_import *i, const uint8_t from[PDR_ID_SIZE])
{
    char id[2 * PDR_ID_SIZE];
    pdr_hex_print(id, pdr_bytes_of(from, PDR_ID_SIZE));
    (void)snprintf(i->address, sizeof i->address, "import of journal %.*s", (int)sizeof id, id);
}

static pdr_code check_journal(pdr_import *i, const uint8_t from[PDR_ID_SIZE], pdr_error *err)
{
    pdr_store *store = pdr_tool_store(i->target);
    pdr_code code = store->ops->meta(store, &i->meta, i->target->timeout_ms, err);
    if (code != PDR_OK) return code;
    if (memcmp(i->meta.journal_id, from, PDR_ID_SIZE) == 0)
        return pdr_fail(err, PDR_WRONG_JOURNAL, "the events come from this very journal");
    return pdr_import_check_target(i, err);
}

pdr_code pdr_import_open(pdr_import **out, const pdr_import_spec *spec, pdr_error *err)
{
    pdr_import *i = pdr_calloc(1, sizeof *i);
    if (!i) return pdr_fail(err, PDR_NOMEM, "an import");
    i->target = spec->target;
    i->schemas = spec->book;
    i->payload = (pdr_buf)PDR_BUF_INIT(PDR_MAX_IMPORT);
    pdr_system_env_init(&i->env, NULL, NULL);
    name_source(i, spec->from);
    pdr_code code = check_journal(i, spec->from, err);
    if (code == PDR_OK) code = open_owners(i, err);
    if (code == PDR_OK)
        *out = i;
    else
        pdr_import_close(i);
    return code;
}

void pdr_import_close(pdr_import *i)
{
    if (!i) return;
    for (int32_t p = 0; i->owners && p < i->meta.partitions; p++)
        pdr_owner_close(i->owners[p]);
    if (i->store) i->store->ops->close(i->store);
    if (i->log) i->log->ops->close(i->log);
    for (size_t k = 0; k < i->type_count; k++)
        pdr_free(i->types[k]);
    pdr_free(i->types);
    pdr_free(i->owners);
    pdr_buf_release(&i->payload);
    pdr_free(i);
}

void pdr_import_counts_of(const pdr_import *i, pdr_import_counts *out)
{
    *out = i->counts;
    for (int32_t p = 0; p < i->meta.partitions; p++) {
        pdr_owner_counters counters;
        pdr_owner_counters_of(i->owners[p], &counters);
        out->unfolded += counters.broken;
    }
}

/* --- types --- */

static pdr_code add_type(pdr_import *i, uint64_t fingerprint, const pdr_type **out, pdr_error *err)
{
    pdr_string json;
    if (!pdr_schema_book_find(i->schemas, fingerprint, &json))
        return pdr_fail(err, PDR_UNKNOWN_SCHEMA, "the writer schema %016" PRIx64, fingerprint);
    if (i->type_count == i->type_capacity) {
        size_t capacity = i->type_capacity ? 2 * i->type_capacity : 32;
        pdr_type **grown = pdr_realloc(i->types, capacity * sizeof(pdr_type *));
        if (!grown) return pdr_fail(err, PDR_NOMEM, "%zu schemas", capacity);
        i->types = grown;
        i->type_capacity = capacity;
    }
    pdr_type *type = pdr_calloc(1, sizeof *type);
    if (!type) return pdr_fail(err, PDR_NOMEM, "a schema");
    type->abi_size = sizeof *type;
    type->id = -1;
    type->name = pdr_schema_book_name(i->schemas, fingerprint).data;
    type->schema = json.data;
    type->fingerprint = fingerprint;
    *out = i->types[i->type_count++] = type;
    return PDR_OK;
}

static pdr_code type_of(pdr_import *i, uint64_t fingerprint, const pdr_type **out, pdr_error *err)
{
    for (size_t k = 0; k < i->type_count; k++) {
        *out = i->types[k];
        if (i->types[k]->fingerprint == fingerprint) return PDR_OK;
    }
    return add_type(i, fingerprint, out, err);
}

/* --- commits --- */

static void on_done(void *context, const pdr_reply *reply)
{
    under_way *u = context;
    pdr_import *i = u->import;
    i->open--;
    i->open_bytes -= u->bytes;
    if (reply->code != PDR_OK) {
        note_failure(i, reply->error);
    } else if (reply->repeated) {
        i->counts.there++;
    } else {
        i->counts.commits++;
        i->counts.events += u->events;
    }
    pdr_free(u);
}

static pdr_code encode(pdr_import *i, const pdr_exported_event *events, size_t count, pdr_error *err)
{
    const pdr_exported_event *last = &events[count - 1];
    pdr_append_event list[PDR_MAX_EVENTS_PER_COMMIT];
    pdr_stored_commit commit = {.fingerprint = last->command_fingerprint,
                                .has_reply = last->has_reply,
                                .reply = last->reply,
                                .has_consumed = last->has_consumed,
                                .consumed_partition = last->consumed_partition,
                                .consumed_offset = last->consumed_offset,
                                .events = list,
                                .count = count};
    for (size_t k = 0; k < count; k++) {
        pdr_code code = type_of(i, events[k].fingerprint, &list[k].type, err);
        if (code != PDR_OK) return code;
        list[k].datum = events[k].datum;
        list[k].time_us = events[k].time_us;
    }
    pdr_buf_clear(&i->payload);
    return pdr_stored_commit_encode(&commit, &i->payload, err);
}

static pdr_code make_command(pdr_import *i, const pdr_exported_event *event, size_t count, pdr_cmd **out,
                             pdr_error *err)
{
    under_way *u = pdr_alloc(sizeof *u);
    if (!u) return pdr_fail(err, PDR_NOMEM, "a commit");
    *u = (under_way){i, i->payload.size, (uint32_t)count};
    pdr_cmd_spec spec = {.request = PDR_REQUEST_IMPORT,
                         .expected_seq = event->seq - 1,
                         .key = event->entity,
                         .payload = pdr_buf_bytes(&i->payload),
                         .id = event->id,
                         .correlation = event->correlation,
                         .causation = event->causation,
                         .trace = event->trace,
                         .done = on_done,
                         .context = u};
    pdr_code code = pdr_cmd_make(out, &spec, err);
    if (code != PDR_OK) pdr_free(u);
    return code;
}

static bool has_room(const pdr_import *i)
{
    return i->open < MAX_OPEN / 2 && i->open_bytes < MAX_OPEN_BYTES / 2;
}

static bool none_open(const pdr_import *i)
{
    return i->open == 0;
}

/* An owner that is busy has its reason: the store must come after it. */
static pdr_code submit(pdr_import *i, pdr_cmd *cmd, pdr_error *err)
{
    int32_t partition = pdr_partition_of(pdr_cmd_key(cmd), i->meta.partitions);
    under_way *u = cmd->context;
    i->open++;
    i->open_bytes += u->bytes;
    for (;;) {
        pdr_code code = pdr_owner_submit(i->owners[partition], cmd, err);
        if (code == PDR_OK) return PDR_OK;
        if (code == PDR_BUSY) {
            int64_t due;
            if (!turn(i, &due)) nap(i, due);
            code = failed(i, err);
            if (code == PDR_OK) continue;
        }
        i->open--;
        i->open_bytes -= u->bytes;
        pdr_free(u);
        pdr_cmd_free(cmd);
        return code;
    }
}

pdr_code pdr_import_commit(pdr_import *i, const pdr_exported_event *events, size_t count, pdr_error *err)
{
    pdr_cmd *cmd = NULL;
    int64_t due;
    PDR_INVARIANT("import-commit-size", count > 0 && count <= PDR_MAX_EVENTS_PER_COMMIT);
    pdr_code code = failed(i, err);
    if (code == PDR_OK) code = encode(i, events, count, err);
    if (code == PDR_OK) code = make_command(i, &events[0], count, &cmd, err);
    if (code == PDR_OK) code = submit(i, cmd, err);
    if (code != PDR_OK) return code;
    if (i->open >= MAX_OPEN || i->open_bytes >= MAX_OPEN_BYTES)
        return turn_until(i, has_room, true, "writing", err);
    if (++i->since_turn >= TURN_EVERY) (void)turn(i, &due);
    return failed(i, err);
}

static bool all_clean(const pdr_import *i)
{
    for (int32_t p = 0; p < i->meta.partitions; p++)
        if (!pdr_owner_is_clean(i->owners[p])) return false;
    return true;
}

pdr_code pdr_import_finish(pdr_import *i, pdr_error *err)
{
    pdr_code code = turn_until(i, none_open, false, "writing", err);
    if (code != PDR_OK) return code;
    for (int32_t p = 0; p < i->meta.partitions; p++)
        pdr_owner_flush(i->owners[p]);
    return turn_until(i, all_clean, false, "saving", err);
}
