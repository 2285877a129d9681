/* The owner's door: open, close, submit, turn; and its states.
 *
 *            assign                 load, end           reported          row
 *   IDLE ───────────▶ WAITING ─▶ PROBING ─────▶ FENCING ─────▶ CLAIMING ─────▶ SCANNING ─▶ SERVING
 *     ▲                  ▲           │              │              │               │          │
 *     │ resigned, newer  └───────────┴──────────────┴──────────────┴───────────────┴──────────┘
 *     │ generation          any failure, a store that moved, a foreign FENCE: the one recovery path
 *     └─ FAILED: corrupt or too new, until assigned again */
#include <stdarg.h>
#include <stdio.h>

#include "journal/owner_core.h"

enum { SCRATCH = 64 * 1024 * 1024, HEADER = 64 * 1024 };

/* --- small things that all parts use --- */

void pdr_own_cmds_push(pdr_own_cmds *list, pdr_cmd *cmd)
{
    cmd->next = NULL;
    if (list->last)
        list->last->next = cmd;
    else
        list->first = cmd;
    list->last = cmd;
}

pdr_cmd *pdr_own_cmds_pop(pdr_own_cmds *list)
{
    pdr_cmd *cmd = list->first;
    if (!cmd) return NULL;
    list->first = cmd->next;
    if (!list->first) list->last = NULL;
    cmd->next = NULL;
    return cmd;
}

void pdr_own_cmds_prepend(pdr_own_cmds *list, pdr_own_cmds *front)
{
    if (!front->first) return;
    front->last->next = list->first;
    if (!list->first) list->last = front->last;
    list->first = front->first;
    *front = (pdr_own_cmds){NULL, NULL};
}

pdr_code pdr_own_entities_push(pdr_own_entities *list, pdr_entity *entity)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 64;
        pdr_entity **grown = pdr_realloc(list->items, capacity * sizeof(pdr_entity *));
        if (!grown) return PDR_NOMEM;
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->count++] = entity;
    return PDR_OK;
}

static pdr_term **term_slot(pdr_term **slots, size_t capacity, pdr_term term)
{
    uint64_t hash = ((uint64_t)term.offset ^ term.incarnation) * 0x9E3779B97F4A7C15u;
    size_t i = (size_t)(hash >> 32) & (capacity - 1);
    while (slots[i] && !pdr_term_equal(*slots[i], term))
        i = (i + 1) & (capacity - 1);
    return &slots[i];
}

static pdr_code grow_terms(pdr_owner *o)
{
    if (2 * (o->term_count + 1) <= o->term_capacity) return PDR_OK;
    size_t capacity = o->term_capacity ? 2 * o->term_capacity : 16;
    pdr_term **grown = pdr_calloc(capacity, sizeof(pdr_term *));
    if (!grown) return PDR_NOMEM;
    for (size_t i = 0; i < o->term_capacity; i++)
        if (o->terms[i]) *term_slot(grown, capacity, *o->terms[i]) = o->terms[i];
    pdr_free(o->terms);
    o->terms = grown;
    o->term_capacity = capacity;
    return PDR_OK;
}

/* Each term once, however many heads name it. */
const pdr_term *pdr_own_intern(pdr_owner *o, pdr_term term)
{
    if (grow_terms(o) != PDR_OK) return NULL;
    pdr_term **slot = term_slot(o->terms, o->term_capacity, term);
    if (*slot) return *slot;
    *slot = pdr_memdup(&term, sizeof term);
    if (*slot) o->term_count++;
    return *slot;
}

void pdr_own_trace(pdr_owner *o, pdr_level level, const char *format, ...)
{
    char text[600], line[700];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    snprintf(line, sizeof line, "partition %d: %s", o->config.partition, text);
    o->env->ops->trace(o->env, level, line);
}

uint32_t pdr_own_clock_ms(const pdr_owner *o)
{
    return (uint32_t)((o->now - o->opened_at) / 1000);
}

uint32_t pdr_own_clock_s(const pdr_owner *o)
{
    return (uint32_t)((o->now - o->opened_at) / 1000000);
}

void pdr_own_complete(pdr_owner *o, pdr_cmd *cmd, const pdr_reply *reply)
{
    o->open_commands--;
    if (cmd->done) cmd->done(cmd->context, reply);
    pdr_cmd_free(cmd);
}

void pdr_own_answer_now(pdr_owner *o, pdr_cmd *cmd, pdr_code code, const pdr_error *error)
{
    pdr_error own;
    if (code != PDR_OK && !error) {
        (void)pdr_fail(&own, code, "%.*s: %s",
                       (int)(pdr_cmd_key(cmd).size > 200 ? 200 : pdr_cmd_key(cmd).size),
                       (const char *)pdr_cmd_key(cmd).data, pdr_code_text(code));
        error = &own;
    }
    pdr_reply reply = {.code = code,
                       .error = code == PDR_OK ? NULL : error,
                       .partition = o->config.partition,
                       .position = PDR_POSITION_START};
    pdr_own_complete(o, cmd, &reply);
}

/* --- states --- */

const char *pdr_owner_state_name(pdr_owner_state state)
{
    static const char *const names[] = {"idle",     "probing", "fencing", "claiming",
                                        "scanning", "serving", "waiting", "failed"};
    return (unsigned)state < sizeof names / sizeof names[0] ? names[state] : "?";
}

void pdr_own_enter(pdr_owner *o, pdr_owner_state state, const pdr_error *why)
{
    o->state = state;
    if (why)
        o->error = *why;
    else
        o->error = (pdr_error){PDR_OK, 0, ""};
    pdr_own_trace(o, PDR_LEVEL_DEBUG, "%s%s%s", pdr_owner_state_name(state), why ? ": " : "",
                  why ? why->message : "");
    if (o->config.changed) o->config.changed(o->config.context, o, state, why);
}

pdr_owner_state pdr_owner_state_of(const pdr_owner *owner)
{
    return owner->state;
}
uint64_t pdr_owner_open_commands(const pdr_owner *owner)
{
    return owner->open_commands;
}
const pdr_error *pdr_owner_error(const pdr_owner *owner)
{
    return &owner->error;
}

/* --- open and close --- */

void pdr_owner_settings_init(pdr_owner_settings *s)
{
    *s = (pdr_owner_settings){.delivery_timeout_us = 10000000,
                              .store_timeout_us = 15000000,
                              .snapshot_age_us = 10000000,
                              .snapshot_events = 500,
                              .scan_limit = 1000000,
                              .tail_bytes = (size_t)512 << 20,
                              .max_commands = 65536,
                              .max_entity_commands = 4096,
                              .lookup_batch = 1000,
                              .lookup_permits = 4,
                              .save_batch = 2000,
                              .resident_bytes = (size_t)256 << 20,
                              .idle_us = 600000000,
                              .backoff_min_us = 50000,
                              .backoff_max_us = 30000000,
                              .checkpointing = true,
                              .check_handlers = false};
}

static pdr_code open_folders(pdr_owner *o, pdr_error *err)
{
    const pdr_app *app = o->config.app;
    size_t count = app ? app->entity_count : 0;
    o->folders = pdr_calloc(count + 1, sizeof(pdr_folder *));
    if (!o->folders) return pdr_fail(err, PDR_NOMEM, "an owner");
    for (size_t i = 0; i < count; i++) {
        pdr_code code = pdr_folder_open(&o->folders[i], app->entities[i], o->book, err);
        if (code != PDR_OK) return code;
    }
    return PDR_OK;
}

static pdr_code check_config(const pdr_owner_config *c, pdr_error *err)
{
    const pdr_owner_settings *s = &c->settings;
    if (c->partition < 0 || c->partition >= c->partitions || c->partitions > PDR_LOG_MAX_PARTITIONS)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "partition %d of %d", c->partition, c->partitions);
    if (c->address.size > PDR_MAX_ADDRESS)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "the address has %zu bytes; at most %d", c->address.size,
                        PDR_MAX_ADDRESS);
    if (!s->lookup_batch || !s->lookup_permits || !s->save_batch || !s->snapshot_events || !s->max_commands ||
        !s->max_entity_commands || !s->scan_limit || s->backoff_min_us <= 0 ||
        s->backoff_max_us < s->backoff_min_us || s->delivery_timeout_us <= 0 || s->store_timeout_us <= 0)
        return pdr_fail(err, PDR_BAD_SETTING, "a setting of the owner is zero or out of range");
    if (c->ids && c->ids != c->book)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "the ids of schemas are not in the owner's book");
    return PDR_OK;
}

/* A registry's new ids go into the store at once, also those of events that nobody has emitted yet:
 * from then on the registry may be away. */
static pdr_code remember_ids(pdr_owner *o)
{
    const pdr_app *app = o->config.app;
    pdr_code code = PDR_OK;
    o->ids_unsaved = o->config.ids && o->config.ids_are_new;
    for (size_t i = 0; o->ids_unsaved && i < app->entity_count; i++)
        for (size_t j = 0; code == PDR_OK && j < app->entities[i]->event_count; j++)
            code = pdr_own_note_schema(o, app->entities[i]->events[j]->fingerprint);
    return code;
}

pdr_code pdr_owner_open(pdr_owner **out, const pdr_owner_config *config, pdr_log *log, pdr_store *store,
                        pdr_env *env, pdr_error *err)
{
    pdr_code code = check_config(config, err);
    if (code != PDR_OK) return code;
    pdr_owner *o = pdr_calloc(1, sizeof *o);
    if (!o) return pdr_fail(err, PDR_NOMEM, "an owner");
    o->config = *config;
    if (config->address.size) memcpy(o->address, config->address.data, config->address.size);
    o->config.address = pdr_bytes_of(o->address, config->address.size);
    o->log = log;
    o->store = store;
    o->env = env;
    o->now = o->opened_at = env->ops->mono_us(env);
    o->wall = env->ops->wall_us(env);
    o->refused_by = PDR_TERM_NONE;
    o->known = o->store_rested_on = -1;
    o->run = o->last = (pdr_place){-1, 0, NULL};
    o->scratch = (pdr_arena)PDR_ARENA_INIT(SCRATCH);
    o->header = (pdr_buf)PDR_BUF_INIT(HEADER);
    pdr_entity_table_init(&o->table);
    pdr_decision_init(&o->decision);
    o->decision.ids = config->ids;
    if (!config->book) code = pdr_schema_book_open(&o->own_book, err);
    o->book = config->book ? config->book : o->own_book;
    if (code == PDR_OK) code = open_folders(o, err);
    if (code == PDR_OK && remember_ids(o) != PDR_OK) code = pdr_fail(err, PDR_NOMEM, "an owner");
    if (code != PDR_OK) {
        pdr_owner_close(o);
        return code;
    }
    *out = o;
    return PDR_OK;
}

static void close_commands(pdr_owner *o)
{
    o->state = PDR_OWNER_IDLE; /* a completion that submits again is turned away */
    pdr_own_drop_residents(o);
    pdr_own_cmds answers = o->answers, inbox = o->inbox;
    o->answers = o->inbox = (pdr_own_cmds){NULL, NULL};
    for (pdr_cmd *cmd; (cmd = pdr_own_cmds_pop(&answers));)
        pdr_own_answer_now(
            o, cmd, cmd->answer.commit || cmd->answer.repeated ? PDR_UNKNOWN_OUTCOME : PDR_CANCELLED, NULL);
    for (pdr_cmd *cmd; (cmd = pdr_own_cmds_pop(&inbox));)
        pdr_own_answer_now(o, cmd, PDR_CANCELLED, NULL);
}

void pdr_owner_close(pdr_owner *o)
{
    if (!o) return;
    pdr_own_stop_reading(o);
    pdr_own_forget_pending(o);
    pdr_own_cancel_activations(o);
    pdr_own_drop_saves(o);
    close_commands(o);
    o->log->ops->writer_close(o->writer);
    pdr_entity_table_release(&o->table);
    for (size_t i = 0; o->folders && o->config.app && i < o->config.app->entity_count; i++)
        pdr_folder_close(o->folders[i]);
    pdr_free(o->folders);
    pdr_schema_book_close(o->own_book);
    for (size_t i = 0; i < o->term_capacity; i++)
        pdr_free(o->terms[i]);
    pdr_free(o->terms);
    pdr_free(o->incarnations);
    pdr_free(o->ring);
    pdr_free(o->schemas);
    pdr_free(o->new_schemas);
    pdr_free(o->hot.items);
    pdr_free(o->to_lookup.items);
    pdr_decision_release(&o->decision);
    pdr_arena_release(&o->scratch);
    pdr_buf_release(&o->header);
    pdr_free(o);
}

/* --- assignment --- */

static void begin(pdr_owner *o, int64_t generation, bool rebuilding)
{
    bool goes_on = o->state != PDR_OWNER_IDLE && o->state != PDR_OWNER_FAILED && !o->rebuilding;
    if (o->rebuilding) pdr_own_stop_reading(o);
    o->generation = generation;
    o->resigning = false;
    o->assigned = true;
    o->rebuilding = rebuilding;
    if (goes_on) return;
    o->deposed = false;
    o->have_stamp = false;
    if (!o->answers.first) o->term = NULL; /* else the old term has something open: it is settled first */
    o->deadline = o->env->ops->mono_us(o->env);
    pdr_own_enter(o, PDR_OWNER_WAITING, NULL);
}

void pdr_owner_assign(pdr_owner *o, int64_t generation)
{
    begin(o, generation, false);
}

void pdr_owner_rebuild(pdr_owner *o)
{
    begin(o, 0, true);
}

void pdr_owner_resign(pdr_owner *o)
{
    o->assigned = false;
    if (o->state == PDR_OWNER_SERVING) {
        o->resigning = true;
        return;
    }
    if (o->state == PDR_OWNER_IDLE || o->state == PDR_OWNER_FAILED) return;
    pdr_own_stop_reading(o);
    pdr_own_enter(o, PDR_OWNER_IDLE, NULL);
}

void pdr_owner_flush(pdr_owner *o)
{
    o->flushing = true;
}

bool pdr_owner_is_clean(const pdr_owner *o)
{
    if (o->open_commands) return false;
    if (o->state != PDR_OWNER_SERVING) return o->state == PDR_OWNER_IDLE || o->state == PDR_OWNER_FAILED;
    return !o->dirty_first && pdr_own_save_is_idle(o) && o->acked == o->sent &&
           o->row.checkpoint.offset >= o->run.offset;
}

/* --- commands --- */

static pdr_code busy(pdr_owner *o, pdr_error *err, const char *why)
{
    o->counters.busy++;
    return pdr_fail(err, PDR_BUSY, "partition %d: %s", o->config.partition, why);
}

pdr_code pdr_owner_submit(pdr_owner *o, pdr_cmd *cmd, pdr_error *err)
{
    if (o->state == PDR_OWNER_FAILED || (o->deposed && o->state == PDR_OWNER_WAITING)) {
        if (err) *err = o->error;
        return o->error.code;
    }
    if (o->state == PDR_OWNER_IDLE || !o->assigned || o->rebuilding)
        return pdr_fail(err, PDR_NOT_OWNER, "partition %d: %.300s", o->config.partition,
                        o->error.code != PDR_OK ? o->error.message : "not assigned to this process");
    if (o->open_commands >= o->config.settings.max_commands)
        return busy(o, err, "too many commands are open (commands.max)");
    if (cmd->request != PDR_REQUEST_READ && o->state == PDR_OWNER_SERVING &&
        pdr_own_scan_distance(o) >= o->config.settings.scan_limit)
        return busy(o, err, "the checkpoint is too far behind (scan.limit): the store is away or slow");
    o->counters.commands++;
    o->open_commands++;
    pdr_own_cmds_push(&o->inbox, cmd);
    return PDR_OK;
}

/* --- the turn --- */

static void finish_resigning(pdr_owner *o)
{
    if (!pdr_owner_is_clean(o)) return;
    pdr_own_stop_reading(o);
    pdr_own_drop_residents(o);
    o->resigning = false;
    o->term = NULL;
    o->have_stamp = false;
    pdr_own_enter(o, PDR_OWNER_IDLE, NULL);
}

static void serving_turn(pdr_owner *o)
{
    pdr_own_flush_unsent(o);
    pdr_own_take_inbox(o);
    if (o->answers.last && o->answers.last->answer.number > o->sent && o->state == PDR_OWNER_SERVING)
        pdr_own_send_mark(o);
    if (o->state != PDR_OWNER_SERVING) return;
    pdr_own_save_turn(o, o->flushing || o->resigning);
    pdr_own_send_lookups(o);
    pdr_own_start_seeks(o);
    pdr_own_start_catchups(o);
    pdr_own_passivate(o);
    if (o->state == PDR_OWNER_SERVING && o->acked < o->sent &&
        o->now - o->progress_at >= o->config.settings.delivery_timeout_us)
        pdr_own_recover(o, PDR_TIMEOUT, "record %llu wasn't acknowledged in time",
                        (unsigned long long)o->acked + 1);
    if (o->flushing && pdr_owner_is_clean(o)) o->flushing = false;
    if (o->resigning && o->state == PDR_OWNER_SERVING) finish_resigning(o);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_due(const pdr_owner *o)
{
    switch (o->state) {
    case PDR_OWNER_IDLE:
    case PDR_OWNER_FAILED: return INT64_MAX;
    case PDR_OWNER_SERVING: break;
    case PDR_OWNER_SCANNING:
        if (o->saving_tail) return o->now + 1000;
        return o->deadline;
    case PDR_OWNER_CLAIMING: return o->claim_at == INT64_MAX ? o->deadline : o->claim_at;
    default: return o->deadline;
    }
    if (o->inbox.first && !pdr_own_run_full(o)) return o->now; /* submitted by a completion in this turn */
    int64_t due = earlier(pdr_own_save_due(o), o->now + 1000000);
    if (o->unsent) due = earlier(due, o->now + 1000);
    if (o->acked < o->sent) due = earlier(due, o->progress_at + o->config.settings.delivery_timeout_us);
    if (o->to_lookup.count && o->lookups_under_way < o->config.settings.lookup_permits)
        due = earlier(due, o->lookup_after);
    if (o->catchups && o->catchup_after > o->now) due = earlier(due, o->catchup_after);
    if (o->flushing || o->resigning || pdr_own_scan_distance(o) > o->config.settings.scan_limit / 2)
        due = earlier(due, o->now + 1000);
    /* What was due has just been done, or waits for a completion that brings the next turn: never spin. */
    return due > o->now ? due : o->now + 1000;
}

int64_t pdr_owner_turn(pdr_owner *o)
{
    o->now = o->env->ops->mono_us(o->env);
    o->wall = o->env->ops->wall_us(o->env);
    if (o->state == PDR_OWNER_SERVING)
        serving_turn(o);
    else if (o->state != PDR_OWNER_IDLE && o->state != PDR_OWNER_FAILED)
        pdr_own_recovery_turn(o);
    if ((o->state == PDR_OWNER_FAILED || o->state == PDR_OWNER_IDLE) && o->open_commands)
        pdr_own_answer_open(o, o->error.code == PDR_OK ? PDR_NOT_OWNER : o->error.code,
                            o->error.code == PDR_OK ? NULL : &o->error);
    /* What a failure in this turn leaves to do is due at once. */
    if (o->state == PDR_OWNER_WAITING && o->deadline <= o->now) return o->now;
    return next_due(o);
}

/* --- numbers --- */

void pdr_owner_counters_of(const pdr_owner *o, pdr_owner_counters *out)
{
    *out = o->counters;
}

void pdr_owner_gauges_of(const pdr_owner *o, pdr_owner_gauges *out)
{
    *out = (pdr_owner_gauges){.term = o->term ? *o->term : PDR_TERM_NONE,
                              .known_end = o->last.offset,
                              .checkpoint = o->row.checkpoint.offset,
                              .residents = o->table.count,
                              .dirty = o->dirty_count,
                              .resident_bytes = o->resident_bytes,
                              .open_commands = o->open_commands,
                              .in_flight = o->sent - o->acked};
    for (size_t i = 0; o->table.slots && i <= o->table.mask; i++) {
        const pdr_entity *e = pdr_entity_at(&o->table, i);
        if (!e) continue;
        out->shell_bytes += pdr_entity_shell_bytes(e);
        out->ids_bytes += pdr_ids_held(e->ids);
    }
}
