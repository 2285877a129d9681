#include "actors/shell.h"
#include "actors/waiter.h"
#include "base/mem.h"
#include "journal/app.h"
#include "journal/partitioner.h"

/* --- from spec to command --- */

const pdr_entity_type *pdr_entity_type_of(const pdr_app *app, pdr_string entity)
{
    size_t i = pdr_app_entity_of(app, pdr_bytes_of(entity.data, entity.size));
    return i == SIZE_MAX ? NULL : app->entities[i];
}

static int shown(pdr_string text)
{
    return (int)(text.size < 100 ? text.size : 100);
}

static pdr_code check_command(const pdr_journal *journal, const pdr_request_spec *spec, pdr_error *err)
{
    if (!spec->type || !spec->command)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "a command without type or value");
    const pdr_entity_type *type = pdr_entity_type_of(journal->plan.app, spec->entity);
    if (!type)
        return pdr_fail(err, PDR_UNKNOWN_TYPE,
                        "\"%.*s\": the application declares no entity type of that name before a '/'",
                        shown(spec->entity), spec->entity.data ? spec->entity.data : "");
    for (size_t i = 0; i < type->command_count; i++)
        if (type->commands[i] == spec->type) return PDR_OK;
    return pdr_fail(err, PDR_UNKNOWN_TYPE, "entity type %s declares no command %s", type->name,
                    spec->type->name);
}

static void take_spec(pdr_cmd_spec *out, const pdr_request_spec *spec)
{
    out->expected_seq = spec->has_expected_seq ? spec->expected_seq : PDR_ANY_SEQ;
    out->key = spec->entity;
    out->id = spec->id;
    out->correlation = spec->correlation;
    out->causation = spec->causation;
    out->trace = pdr_bytes_of(spec->traceparent.data, spec->traceparent.size);
}

pdr_code pdr_cmd_spec_of(const pdr_journal *journal, pdr_cmd_spec *out, const pdr_request_spec *spec,
                         pdr_buf *payload, pdr_error *err)
{
    if (!spec) return pdr_fail(err, PDR_INVALID_ARGUMENT, "no spec");
    if (spec->has_expected_seq && spec->expected_seq == PDR_ANY_SEQ)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "expected_seq is out of range");
    pdr_code code = check_command(journal, spec, err);
    if (code != PDR_OK) return code;
    memset(out, 0, sizeof *out);
    out->request = PDR_REQUEST_DECIDE;
    out->type = spec->type;
    take_spec(out, spec);
    code = spec->type->encode(spec->command, payload, err);
    out->payload = pdr_buf_bytes(payload);
    return code;
}

/* --- from command to place --- */

static pdr_code find_place(pdr_journal *journal, pdr_string key, pdr_place **out, pdr_error *err)
{
    if (!key.data || key.size == 0 || key.size > PDR_MAX_ENTITY_ID)
        return pdr_fail(err, key.size ? PDR_TOO_LARGE : PDR_INVALID_ARGUMENT,
                        "an entity id has 1 to %d bytes, not %zu", PDR_MAX_ENTITY_ID, key.size);
    int32_t partition = pdr_partition_of(pdr_bytes_of(key.data, key.size), journal->partitions);
    *out = journal->by_partition[partition];
    if (*out) return PDR_OK;
    return pdr_fail(err, PDR_NOT_OWNER, "partition %d of \"%.*s\" isn't owned by this process",
                    (int)partition, shown(key), key.data);
}

static bool is_full(const pdr_journal *journal, pdr_place *place)
{
    uint64_t answered = atomic_load_explicit(&place->answered, memory_order_acquire);
    uint64_t open = atomic_load_explicit(&place->sent, memory_order_relaxed) - answered;
    if (journal->queues_replies)
        open += atomic_load_explicit(&place->queued, memory_order_relaxed) -
                atomic_load_explicit(&place->polled, memory_order_relaxed);
    return (int64_t)open >= (int64_t)journal->plan.settings.owner.max_commands;
}

/* After closing was seen nothing may be put: the count is taken back. close_places waits for either. */
static pdr_code post(pdr_journal *journal, pdr_place *place, pdr_cmd *cmd, pdr_error *err)
{
    atomic_fetch_add_explicit(&place->sent, 1, memory_order_seq_cst);
    if (PDR_UNLIKELY(atomic_load_explicit(&journal->closing, memory_order_seq_cst))) {
        atomic_fetch_sub_explicit(&place->sent, 1, memory_order_seq_cst);
        return pdr_guard_closing(err);
    }
    if (!pdr_mailbox_put(&place->mail, (pdr_mail *)(void *)cmd)) return PDR_OK;
    pdr_actor_worker *worker = place->worker;
    if (pdr_mailbox_put(&worker->ready, &place->ready) && pdr_this_worker != worker)
        pdr_alarm_ring(&worker->alarm);
    return PDR_OK;
}

static pdr_code make_and_post(pdr_journal *journal, pdr_place *place, const pdr_cmd_spec *spec, bool is_tell,
                              pdr_error *err)
{
    pdr_cmd *cmd;
    pdr_code code = pdr_cmd_make(&cmd, spec, err);
    if (code != PDR_OK) return code;
    if (is_tell) cmd->context = cmd;
    code = post(journal, place, cmd, err);
    if (code != PDR_OK) pdr_cmd_free(cmd);
    return code;
}

static pdr_code place_for(pdr_journal *journal, pdr_string key, pdr_place **place, pdr_error *err)
{
    pdr_code code = find_place(journal, key, place, err);
    if (code != PDR_OK || !is_full(journal, *place)) return code;
    atomic_fetch_add_explicit(&journal->busy, 1, memory_order_relaxed);
    return pdr_fail(err, PDR_BUSY, "partition %d has commands.max (%u) commands open",
                    (int)(*place)->partition, journal->plan.settings.owner.max_commands);
}

pdr_code pdr_submit(pdr_journal *journal, pdr_cmd_spec *spec, pdr_completion done, void *context,
                    pdr_error *err)
{
    pdr_place *place;
    pdr_code code = place_for(journal, spec->key, &place, err);
    if (code != PDR_OK) return code;
    spec->done = done ? done : pdr_tell_complete;
    spec->context = context;
    if (!done || !journal->queues_replies) return make_and_post(journal, place, spec, !done, err);
    pdr_ticket *ticket;
    code = pdr_ticket_open(&ticket, place, done, context, err);
    if (code != PDR_OK) return code;
    spec->done = pdr_ticket_complete;
    spec->context = ticket;
    code = make_and_post(journal, place, spec, false, err);
    if (code != PDR_OK) pdr_ticket_free(ticket);
    return code;
}

pdr_code pdr_submit_waiting(pdr_journal *journal, pdr_cmd_spec *spec, pdr_waiter *waiter, pdr_error *err)
{
    pdr_place *place;
    pdr_code code = place_for(journal, spec->key, &place, err);
    if (code != PDR_OK) return code;
    spec->done = pdr_silent_complete;
    spec->context = waiter;
    return make_and_post(journal, place, spec, false, err);
}

/* --- the calls --- */

enum { STACK_PAYLOAD = 1024 };

static pdr_code send_by(pdr_journal *journal, const pdr_request_spec *spec, pdr_buf *payload,
                        pdr_completion done, void *context, pdr_error *err)
{
    pdr_cmd_spec cmd;
    pdr_code code = pdr_cmd_spec_of(journal, &cmd, spec, payload, err);
    return code != PDR_OK ? code : pdr_submit(journal, &cmd, done, context, err);
}

static pdr_code send_one(pdr_journal *journal, const pdr_request_spec *spec, pdr_completion done,
                         void *context, pdr_error *err)
{
    uint8_t stack[STACK_PAYLOAD];
    pdr_buf small = {stack, 0, sizeof stack, sizeof stack}; /* full at its ceiling: never reallocated */
    pdr_code code = send_by(journal, spec, &small, done, context, err);
    if (PDR_LIKELY(code != PDR_TOO_LARGE)) return code;
    pdr_buf large = PDR_BUF_INIT(PDR_MAX_EVENT);
    code = send_by(journal, spec, &large, done, context, err);
    pdr_buf_release(&large);
    return code;
}

pdr_code pdr_send(pdr_journal *journal, const pdr_request_spec *spec, pdr_completion done, void *context,
                  pdr_error *err)
{
    pdr_code code = pdr_guard_enter(journal, err);
    return code != PDR_OK ? code : send_one(journal, spec, done, context, err);
}

pdr_code pdr_send_batch(pdr_journal *journal, const pdr_request_spec *specs, size_t count,
                        pdr_completion done, void *const *contexts, size_t *taken, pdr_error *err)
{
    size_t i = 0;
    pdr_code code = pdr_guard_enter(journal, err);
    if (code == PDR_OK && count && !specs) code = pdr_fail(err, PDR_INVALID_ARGUMENT, "specs is NULL");
    while (code == PDR_OK && i < count) {
        code = send_one(journal, &specs[i], done, contexts ? contexts[i] : NULL, err);
        if (code == PDR_OK) i++;
    }
    if (taken) *taken = i;
    return code;
}

pdr_code pdr_tell(pdr_journal *journal, const char *entity, const pdr_type *type, const void *command,
                  pdr_error *err)
{
    pdr_request_spec spec = {.entity = pdr_string_of(entity), .type = type, .command = command};
    return pdr_send(journal, &spec, NULL, NULL, err);
}

static pdr_code encode_events(const pdr_new_event *events, pdr_append_event *list, size_t count,
                              pdr_buf *data, pdr_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!events[i].type || !events[i].value)
            return pdr_fail(err, PDR_INVALID_ARGUMENT, "event %zu has no type or value", i);
        size_t before = data->size;
        pdr_code code = events[i].type->encode(events[i].value, data, err);
        if (code == PDR_OK && data->size - before > PDR_MAX_EVENT)
            code = pdr_fail(err, PDR_TOO_LARGE, "event %zu has more than %d bytes", i, PDR_MAX_EVENT);
        if (code != PDR_OK) return code;
        list[i] =
            (pdr_append_event){events[i].type, pdr_bytes_of(NULL, data->size - before), events[i].time_us};
    }
    size_t at = 0; /* the buffer moves no more */
    for (size_t i = 0; i < count; at += list[i].datum.size, i++)
        list[i].datum.data = data->data ? data->data + at : (const uint8_t *)"";
    return PDR_OK;
}

pdr_code pdr_journal_append(pdr_journal *journal, const pdr_request_spec *spec, const pdr_new_event *events,
                            size_t count, pdr_completion done, void *context, pdr_error *err)
{
    pdr_code code = pdr_guard_enter(journal, err);
    if (code != PDR_OK) return code;
    if (!spec || !events || count == 0 || count > PDR_MAX_EVENTS_PER_COMMIT)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "an append has a spec and 1 to %d events",
                        PDR_MAX_EVENTS_PER_COMMIT);
    pdr_buf data = PDR_BUF_INIT(PDR_MAX_APPEND), payload = PDR_BUF_INIT(PDR_MAX_APPEND);
    pdr_append_event *list = pdr_calloc(count, sizeof *list);
    code =
        list ? encode_events(events, list, count, &data, err) : pdr_fail(err, PDR_NOMEM, "%zu events", count);
    if (code == PDR_OK) code = pdr_append_encode(list, count, &payload, err);
    if (code == PDR_OK) {
        pdr_cmd_spec cmd = {.request = PDR_REQUEST_APPEND, .payload = pdr_buf_bytes(&payload)};
        take_spec(&cmd, spec);
        code = pdr_submit(journal, &cmd, done, context, err);
    }
    pdr_free(list);
    pdr_buf_release(&data);
    pdr_buf_release(&payload);
    return code;
}

pdr_code pdr_read(pdr_journal *journal, pdr_string entity, bool stale_ok, pdr_completion done, void *context,
                  pdr_error *err)
{
    pdr_code code = pdr_guard_enter(journal, err);
    if (code != PDR_OK) return code;
    if (!done) return pdr_fail(err, PDR_INVALID_ARGUMENT, "a read without completion");
    pdr_cmd_spec cmd = {
        .request = PDR_REQUEST_READ, .stale_ok = stale_ok, .expected_seq = PDR_ANY_SEQ, .key = entity};
    return pdr_submit(journal, &cmd, done, context, err);
}
