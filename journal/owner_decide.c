/* Commands against the newest state. Events are decided and folded while earlier ones are in flight; every
 * answer waits until what it saw is acknowledged (no-guess-escapes) and, for refusals, conflicts and reads,
 * until a record sent after it arrived is (answers-are-fresh). */
#include "journal/app.h"
#include "journal/owner_core.h"
#include "journal/stored_commit.h"

static void queue_waiting(pdr_entity *e, pdr_cmd *cmd)
{
    if (e->waiting) {
        cmd->next = e->waiting->next;
        e->waiting->next = cmd;
    } else {
        cmd->next = cmd;
    }
    e->waiting = cmd;
}

void pdr_own_detach(pdr_cmd *cmd)
{
    pdr_entity *e = cmd->answer.entity;
    cmd->answer.entity = NULL;
    if (!e) return;
    e->open--;
}

static void attach(pdr_entity *e, pdr_cmd *cmd)
{
    cmd->answer.entity = e;
    e->open++;
}

/* The answer rests on the entity as it is now. */
static void note_seen(pdr_owner *o, pdr_cmd *cmd, const pdr_entity *e)
{
    bool in_flight = e->sent > o->acked;
    cmd->answer.saw = in_flight ? e->sent : 0;
    cmd->answer.position = !in_flight && e->acked_seq ? pdr_place_position(e->last) : PDR_POSITION_START;
}

/* Detach and answer at once: nothing that was seen is at stake. */
static void answer_now(pdr_owner *o, pdr_cmd *cmd, pdr_code code, const pdr_error *error)
{
    pdr_own_detach(cmd);
    pdr_own_answer_now(o, cmd, code, error);
}

static void answer_nomem(pdr_owner *o, pdr_cmd *cmd)
{
    answer_now(o, cmd, PDR_NOMEM, NULL);
}

/* An answer that rests on the entity's newest state: fresh only when a record sent from now on is
 * acknowledged. */
static void wait_fresh(pdr_owner *o, pdr_cmd *cmd, pdr_code code, const pdr_error *error)
{
    cmd->answer.code = (uint8_t)code;
    if (error) cmd->answer.error = pdr_memdup(error, sizeof *error);
    pdr_own_wait(o, cmd, PDR_RULE(REFUSALS_WAIT) ? o->sent + 1 : o->acked);
}

static bool keep_data(pdr_cmd *cmd, pdr_bytes data)
{
    if (!data.data) return true;
    cmd->answer.data = pdr_bytes_of(pdr_memdup(data.data, data.size), data.size);
    return cmd->answer.data.data != NULL;
}

/* --- reads --- */

static void run_read(pdr_owner *o, pdr_cmd *cmd, pdr_entity *e)
{
    pdr_buf packed = PDR_BUF_INIT(PDR_MAX_STATE);
    pdr_error err;
    cmd->answer.seq = e->seq;
    if (e->state.value) {
        pdr_code code = pdr_state_pack(&e->state, e->folder, &packed, &err);
        if (code != PDR_OK) {
            pdr_buf_release(&packed);
            wait_fresh(o, cmd, code, &err);
            return;
        }
        cmd->answer.data = pdr_buf_bytes(&packed); /* ownership moves along */
        cmd->answer.is_state = true;
    }
    if (cmd->stale_ok)
        pdr_own_wait(o, cmd, e->sent > o->acked ? o->sent : o->acked);
    else
        wait_fresh(o, cmd, PDR_OK, NULL);
}

/* --- commits --- */

static pdr_own_schema_slot *schema_slot(pdr_owner *o, uint64_t fingerprint)
{
    size_t i = (size_t)fingerprint & o->schema_mask;
    while (o->schemas[i].type && o->schemas[i].type->fingerprint != fingerprint)
        i = (i + 1) & o->schema_mask;
    return &o->schemas[i];
}

static pdr_code grow_schemas(pdr_owner *o)
{
    size_t slots = o->schemas ? o->schema_mask + 1 : 0;
    if (slots && o->schema_count + 1 <= slots / 2) return PDR_OK;
    pdr_own_schema_slot *old = o->schemas, *grown = pdr_calloc(slots ? 2 * slots : 64, sizeof *grown);
    if (!grown) return PDR_NOMEM;
    o->schemas = grown;
    o->schema_mask = (slots ? 2 * slots : 64) - 1;
    for (size_t i = 0; i < slots; i++)
        if (old[i].type) *schema_slot(o, old[i].type->fingerprint) = old[i];
    pdr_free(old);
    return PDR_OK;
}

/* The number of the type's SCHEMA record in this term, appending it before its first use. */
static pdr_code announce(pdr_owner *o, const pdr_type *type)
{
    pdr_code code = grow_schemas(o);
    if (code != PDR_OK) return code;
    pdr_own_schema_slot *slot = schema_slot(o, type->fingerprint);
    if (slot->type) return PDR_OK;
    code = pdr_own_run_reserve(o, 1);
    if (code == PDR_OK)
        code = pdr_schema_book_add(o->book, type->fingerprint, pdr_string_of(type->schema), PDR_BOOK_NO_ID,
                                   NULL);
    if (code == PDR_OK) code = pdr_own_note_schema(o, type->fingerprint);
    if (code != PDR_OK) return code;
    pdr_header header = {.kind = PDR_RECORD_SCHEMA,
                         .term = *o->term,
                         .number = o->sent + 1,
                         .back_offset = -1,
                         .schema_fingerprint = type->fingerprint,
                         .registry_id =
                             o->config.ids ? pdr_schema_book_id(o->config.ids, type->fingerprint) : 0};
    pdr_buf_clear(&o->header);
    code = pdr_header_encode(&header, &o->header);
    if (code != PDR_OK) return code;
    *slot = (pdr_own_schema_slot){type, ++o->sent};
    o->schema_count++;
    *pdr_own_pending_of(o, o->sent) = (pdr_own_pending){PDR_OWN_UNREPORTED, NULL, NULL, true, NULL};
    pdr_log_entry entry = {.header = pdr_buf_bytes(&o->header),
                           .schema = pdr_bytes_of(type->schema, strlen(type->schema))};
    pdr_own_send(o, &entry, o->sent);
    return PDR_OK;
}

static pdr_code send_event(pdr_owner *o, const pdr_cmd *cmd, pdr_entity *e, uint32_t index)
{
    const pdr_decision *d = &o->decision;
    const pdr_decided_event *event = &d->events[index];
    bool last = index + 1 == d->count;
    pdr_header *h = &o->event;
    h->kind = PDR_RECORD_EVENT;
    h->term = *o->term;
    h->number = o->sent + 1;
    h->seq = e->seq + 1;
    h->index = index;
    h->count = (uint32_t)d->count;
    h->schema = schema_slot(o, event->type->fingerprint)->number;
    h->time_us = event->time_us;
    h->back_offset = e->acked_seq ? e->last.offset : -1;
    h->back_seq = e->acked_seq;
    h->id = pdr_cmd_id(cmd);
    h->fingerprint = cmd->fingerprint;
    h->has_reply = last && d->answered;
    h->reply = pdr_bytes_of(d->answer, h->has_reply ? d->answer_size : 0);
    h->correlation = pdr_cmd_correlation(cmd);
    h->causation = pdr_cmd_causation(cmd);
    pdr_buf_clear(&o->header);
    pdr_code code = pdr_header_encode(h, &o->header);
    if (code != PDR_OK) return code;
    e->seq++;
    e->sent = ++o->sent;
    *pdr_own_pending_of(o, o->sent) = (pdr_own_pending){PDR_OWN_UNREPORTED, e, NULL, last, NULL};
    pdr_log_entry entry = {.key = pdr_entity_key(e),
                           .value = pdr_decision_value(d, index),
                           .header = pdr_buf_bytes(&o->header),
                           .trace = pdr_cmd_trace(cmd)};
    pdr_own_send(o, &entry, o->sent);
    return PDR_OK;
}

static pdr_code fold_decided(pdr_owner *o, pdr_entity *e, pdr_error *err)
{
    const pdr_decision *d = &o->decision;
    if (!e->folder || (e->flags & PDR_ENTITY_BROKEN)) return PDR_OK;
    for (size_t i = 0; i < d->count; i++) {
        pdr_code code =
            pdr_state_fold(&e->state, e->folder, pdr_decision_value(d, i), e->seq + 1 + i,
                           d->events[i].time_us, o->config.settings.check_handlers, &o->scratch, err);
        if (code != PDR_OK) return code;
    }
    return PDR_OK;
}

static pdr_code prepare_commit(pdr_owner *o, pdr_cmd *cmd, pdr_entity *e)
{
    const pdr_decision *d = &o->decision;
    for (size_t i = 0; i < d->count; i++)
        if (announce(o, d->events[i].type) != PDR_OK) return PDR_NOMEM;
    if (pdr_own_run_reserve(o, d->count) != PDR_OK) return PDR_NOMEM;
    if (pdr_buf_reserve(&o->header, PDR_MAX_HEADER) != PDR_OK) return PDR_NOMEM;
    if (cmd->id_size && pdr_ids_reserve(&e->ids) != PDR_OK) return PDR_NOMEM;
    if (d->answered && !keep_data(cmd, pdr_bytes_of(d->answer, d->answer_size))) return PDR_NOMEM;
    return PDR_OK;
}

static void remember_id(pdr_cmd *cmd, pdr_entity *e, const pdr_decision *d)
{
    if (!cmd->id_size) return;
    pdr_id_entry entry = {pdr_cmd_id(cmd), cmd->fingerprint,
                          e->seq,          (uint32_t)d->count,
                          d->answered,     pdr_bytes_of(d->answer, d->answered ? d->answer_size : 0)};
    pdr_code code = pdr_ids_add(&e->ids, pdr_own_id_window(e), &entry);
    PDR_INVARIANT("once-per-command-id", code == PDR_OK); /* room was reserved */
}

static void commit(pdr_owner *o, pdr_cmd *cmd, pdr_entity *e)
{
    pdr_decision *d = &o->decision;
    pdr_error err;
    if (prepare_commit(o, cmd, e) != PDR_OK) {
        answer_nomem(o, cmd);
        return;
    }
    pdr_code code = fold_decided(o, e, &err);
    if (code != PDR_OK) {
        pdr_own_break_entity(o, e, code, &err);
        if (cmd->request != PDR_REQUEST_IMPORT) {
            wait_fresh(o, cmd, code, &err);
            return;
        }
    }
    for (uint32_t i = 0; i < d->count; i++) {
        code = send_event(o, cmd, e, i);
        PDR_INVARIANT("one-form",
                      code == PDR_OK); /* room was reserved, and every field was checked where it came in */
    }
    remember_id(cmd, e, d);
    cmd->answer.commit = true;
    cmd->answer.seq = e->seq;
    cmd->answer.events = (uint32_t)d->count;
    pdr_own_wait(o, cmd, o->sent);
}

/* --- decisions --- */

static bool declares_command(pdr_owner *o, const pdr_folder *folder, const pdr_type *type)
{
    if (o->last_type == type && o->last_folder == folder) return true;
    const pdr_entity_type *entity = pdr_folder_type(folder);
    for (size_t i = 0; i < entity->command_count; i++) {
        if (entity->commands[i] != type) continue;
        o->last_type = type;
        o->last_folder = folder;
        return true;
    }
    return false;
}

static pdr_code decide(pdr_owner *o, pdr_cmd *cmd, pdr_entity *e, pdr_error *err)
{
    const pdr_entity_type *type = pdr_folder_type(e->folder);
    if (!declares_command(o, e->folder, cmd->type))
        return pdr_fail(err, PDR_UNKNOWN_TYPE, "entity type %s declares no command %s", type->name,
                        cmd->type ? cmd->type->name : "(NULL)");
    pdr_arena_clear(&o->scratch);
    void *value = pdr_arena_alloc(&o->scratch, cmd->type->size);
    if (!value) return pdr_fail(err, PDR_NOMEM, "a command %s", cmd->type->name);
    pdr_code code = cmd->type->decode(pdr_cmd_payload(cmd), &o->scratch, value, err);
    if (code != PDR_OK) return code;
    pdr_command command = {cmd->type, value, {(const char *)e->key, e->key_size}, pdr_cmd_id(cmd), e->seq};
    type->decide(e->state.value, &command, o->decision.now_us, &o->decision);
    return PDR_OK;
}

static void copy_events(pdr_owner *o, pdr_bytes list)
{
    pdr_append_event event;
    for (size_t at = 0; pdr_append_next(list, &at, &event);)
        pdr_decision_emit_datum(&o->decision, event.type, event.datum, event.time_us);
}

static void run_decision(pdr_owner *o, pdr_cmd *cmd, pdr_entity *e)
{
    pdr_error err;
    const pdr_error *why;
    pdr_decision *d = &o->decision;
    pdr_decision_begin(d, e->folder, o->wall);
    pdr_code code = PDR_OK;
    if (cmd->request == PDR_REQUEST_APPEND)
        copy_events(o, pdr_cmd_payload(cmd));
    else
        code = decide(o, cmd, e, &err);
    if (code != PDR_OK) {
        answer_now(o, cmd, code, &err);
        return;
    }
    code = pdr_decision_check(d, &why);
    cmd->answer.seq = e->seq;
    if (code != PDR_OK) {
        wait_fresh(o, cmd, code, why);
        return;
    }
    if (d->count > 0) {
        commit(o, cmd, e);
        return;
    }
    if ((d->refused || d->answered) && !keep_data(cmd, pdr_bytes_of(d->answer, d->answer_size))) {
        answer_nomem(o, cmd);
        return;
    }
    wait_fresh(o, cmd, d->refused ? PDR_REFUSED : PDR_OK, NULL);
}

/* A command id that is known: the first answer again, or misuse. true: answered. */
static bool answer_known_id(pdr_owner *o, pdr_cmd *cmd, pdr_entity *e)
{
    pdr_id_entry entry;
    if (!cmd->id_size || !pdr_ids_find(e->ids, pdr_cmd_id(cmd), &entry)) return false;
    if (entry.fingerprint != cmd->fingerprint) {
        cmd->answer.seq = e->seq;
        wait_fresh(o, cmd, PDR_ID_REUSED, NULL);
        return true;
    }
    if (entry.has_reply && !keep_data(cmd, entry.reply)) {
        answer_nomem(o, cmd);
        return true;
    }
    cmd->answer.seq = entry.seq;
    cmd->answer.events = entry.events;
    cmd->answer.repeated = true;
    bool in_flight = entry.seq > e->acked_seq;
    if (in_flight) {
        o->counters.joined_ids++;
    } else {
        o->counters.repeated_ids++;
        cmd->answer.saw = 0; /* it doesn't rest on what is in flight now */
        cmd->answer.position = pdr_place_position(e->last);
    }
    pdr_own_wait(o, cmd, in_flight ? o->sent : o->acked);
    return true;
}

static void run_conflict(pdr_owner *o, pdr_cmd *cmd, pdr_entity *e)
{
    pdr_error err;
    (void)pdr_fail(&err, PDR_CONFLICT, "%.*s is at seq %llu, not %llu",
                   (int)(e->key_size > 200 ? 200 : e->key_size), (const char *)e->key,
                   (unsigned long long)e->seq, (unsigned long long)cmd->expected_seq);
    cmd->answer.seq = e->seq;
    wait_fresh(o, cmd, PDR_CONFLICT, &err);
}

/* --- imports --- */

/* Events are told apart by their seq alone, so that an import that is begun again goes on where the journal
 * stands. An entity whose events today's code can't fold is imported like any other: only its head is kept.
 */
static void run_import(pdr_owner *o, pdr_cmd *cmd, pdr_entity *e)
{
    pdr_stored_commit stored;
    pdr_bytes events;
    const pdr_error *why;
    pdr_decision *d = &o->decision;
    pdr_stored_commit_decode(pdr_cmd_payload(cmd), &stored, &events);
    pdr_decision_begin(d, NULL, 0); /* each event has its own time; a type that isn't declared passes */
    copy_events(o, events);
    if (stored.has_reply) pdr_answer(d, stored.reply.data, stored.reply.size);
    pdr_code code = pdr_decision_check(d, &why);
    if (code != PDR_OK) {
        answer_now(o, cmd, code, why);
        return;
    }
    if (e->seq >= cmd->expected_seq + d->count) {
        cmd->answer.seq = cmd->expected_seq + d->count;
        cmd->answer.events = (uint32_t)d->count;
        cmd->answer.repeated = true;
        pdr_own_wait(o, cmd, e->sent > o->acked ? e->sent : o->acked);
        return;
    }
    if (e->seq != cmd->expected_seq) {
        run_conflict(o, cmd, e);
        return;
    }
    o->event.has_consumed = stored.has_consumed;
    o->event.consumed_partition = stored.consumed_partition;
    o->event.consumed_offset = stored.consumed_offset;
    commit(o, cmd, e);
    o->event.has_consumed = false;
    o->event.consumed_partition = 0;
    o->event.consumed_offset = 0;
}

/* The entity is READY. */
static void run(pdr_owner *o, pdr_cmd *cmd, pdr_entity *e)
{
    e->used_at_s = pdr_own_clock_s(o);
    note_seen(o, cmd, e);
    if (cmd->request == PDR_REQUEST_IMPORT) {
        run_import(o, cmd, e);
        pdr_own_account(o, e);
        return;
    }
    if (e->flags & PDR_ENTITY_BROKEN) {
        answer_now(o, cmd, e->why ? e->why->code : PDR_BAD_HANDLER, e->why);
        return;
    }
    if (cmd->request == PDR_REQUEST_READ) {
        run_read(o, cmd, e);
        return;
    }
    if (answer_known_id(o, cmd, e)) return;
    if (cmd->expected_seq != PDR_ANY_SEQ && cmd->expected_seq != e->seq) {
        run_conflict(o, cmd, e);
        return;
    }
    if (cmd->request == PDR_REQUEST_DECIDE && !e->folder) {
        answer_now(o, cmd, PDR_UNKNOWN_TYPE, NULL);
        return;
    }
    run_decision(o, cmd, e);
    pdr_own_account(o, e);
}

void pdr_own_run_waiting(pdr_owner *o, pdr_entity *e)
{
    while (e->waiting && (e->flags & PDR_ENTITY_READY) && o->state == PDR_OWNER_SERVING) {
        pdr_cmd *cmd = e->waiting->next;
        if (cmd == e->waiting)
            e->waiting = NULL;
        else
            e->waiting->next = cmd->next;
        cmd->next = NULL;
        run(o, cmd, e);
    }
}

const pdr_folder *pdr_own_folder_of(const pdr_owner *o, pdr_bytes key)
{
    size_t i = pdr_app_entity_of(o->config.app, key);
    return i == SIZE_MAX ? NULL : o->folders[i];
}

static void take(pdr_owner *o, pdr_cmd *cmd, pdr_entity *e)
{
    if (!e) e = pdr_entity_find(&o->table, pdr_cmd_key(cmd), cmd->key_hash);
    if (!e) {
        if (pdr_entity_add(&o->table, pdr_cmd_key(cmd), cmd->key_hash, &e) != PDR_OK) {
            answer_nomem(o, cmd);
            return;
        }
        pdr_own_account(o, e);
    }
    if (e->open >= o->config.settings.max_entity_commands) {
        o->counters.busy++;
        answer_now(o, cmd, PDR_BUSY, NULL);
        return;
    }
    attach(e, cmd);
    if ((e->flags & PDR_ENTITY_READY) && !e->waiting) {
        run(o, cmd, e);
        return;
    }
    queue_waiting(e, cmd);
    if (!(e->flags & (PDR_ENTITY_READY | PDR_ENTITY_ACTIVATING))) pdr_own_activate(o, e);
}

/* What the next commands need is asked for while this one runs: with many entities most of the time goes into
 * waiting for memory. Gives the next command's entity, NULL if it isn't there. */
static pdr_entity *look_ahead(const pdr_owner *o)
{
    const pdr_cmd *next = o->inbox.first;
    if (!next) return NULL;
    if (next->next) {
        __builtin_prefetch(next->next);
        if (next->next->next) pdr_entity_expect_slot(&o->table, next->next->next->key_hash);
        pdr_entity_expect(&o->table, next->next->key_hash);
    }
    pdr_entity *e = pdr_entity_find(&o->table, pdr_cmd_key(next), next->key_hash);
    if (e) __builtin_prefetch(e->state.value);
    return e;
}

/* What completions submit meanwhile is for the next turn: a caller that sends again at once must not keep
 * this one from its end. */
void pdr_own_take_inbox(pdr_owner *o)
{
    const pdr_cmd *newest = o->inbox.last;
    pdr_entity *e = NULL; /* residents leave in other parts of a turn, and when serving ends */
    for (bool more = true; more && o->inbox.first && o->state == PDR_OWNER_SERVING && !pdr_own_run_full(o);) {
        pdr_cmd *cmd = pdr_own_cmds_pop(&o->inbox);
        more = cmd != newest;
        pdr_entity *next = look_ahead(o);
        take(o, cmd, e);
        e = next;
    }
}
