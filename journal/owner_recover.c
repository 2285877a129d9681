/* The one recovery path: takeover, re-fence and a store that moved are the same code. Probe the store and the
 * log's end, so that one that can't recover deposes nobody; append a FENCE; set the store's term and load the
 * row; read from the checkpoint up to the FENCE; serve. */
#include <stdarg.h>
#include <stdio.h>

#include "journal/owner_core.h"

enum {
    REFUSAL_WAITS = 3
}; /* fresh reads that must miss the FENCE that the store knows, before the log is said to have lost it */

static void begin_probe(pdr_owner *o);
static void send_claim(pdr_owner *o);

void pdr_own_stop_reading(pdr_owner *o)
{
    pdr_own_settle_close(o);
    o->log->ops->reader_close(o->scan_reader);
    o->scan_reader = NULL;
    if (o->scan_open) pdr_commit_reader_release(&o->scan);
    o->scan_open = false;
    o->store->ops->forget(o->store, o);
}

static int64_t next_backoff(pdr_owner *o)
{
    const pdr_owner_settings *s = &o->config.settings;
    o->backoff = o->backoff < s->backoff_min_us ? s->backoff_min_us : o->backoff * 2;
    if (o->backoff > s->backoff_max_us) o->backoff = s->backoff_max_us;
    return o->backoff / 2 + (int64_t)(o->env->ops->random(o->env) % (uint64_t)(o->backoff / 2 + 1));
}

static bool is_for_good(pdr_code code)
{
    pdr_class c = pdr_code_class(code);
    return c == PDR_CLASS_CORRUPT || c == PDR_CLASS_FATAL || code == PDR_WRONG_JOURNAL;
}

void pdr_own_fail(pdr_owner *o, const pdr_error *why)
{
    if (o->state == PDR_OWNER_IDLE || o->state == PDR_OWNER_FAILED) return;
    pdr_error error = *why;
    pdr_own_stop_reading(o);
    pdr_own_trace(o, PDR_LEVEL_ERROR, "stopped: %s", error.message);
    pdr_own_enter(o, PDR_OWNER_FAILED, &error);
}

void pdr_own_recover_error(pdr_owner *o, const pdr_error *why)
{
    if (o->state == PDR_OWNER_IDLE || o->state == PDR_OWNER_FAILED || o->state == PDR_OWNER_WAITING) return;
    if (is_for_good(why->code)) {
        pdr_own_fail(o, why);
        return;
    }
    pdr_error error = *why;
    bool serving = o->state == PDR_OWNER_SERVING;
    if (serving) o->counters.refences++;
    pdr_own_stop_reading(o);
    if (o->rebuilding && error.code == PDR_STALE) {
        o->rebuilding = o->assigned = false;
        pdr_own_enter(o, PDR_OWNER_IDLE, &error);
        return;
    }
    o->deposed = false;
    o->deadline = o->now + (serving ? 0 : next_backoff(o));
    pdr_own_trace(o, PDR_LEVEL_WARN, "recovers: %s", error.message);
    pdr_own_enter(o, PDR_OWNER_WAITING, &error);
}

void pdr_own_recover(pdr_owner *o, pdr_code code, const char *format, ...)
{
    pdr_error error = {code, 0, ""};
    va_list args;
    va_start(args, format);
    vsnprintf(error.message, sizeof error.message, format, args);
    va_end(args);
    if (is_for_good(code) && code != PDR_CORRUPT && code != PDR_TOO_NEW) error.code = PDR_IO;
    pdr_own_recover_error(o, &error);
}

/* --- what was resident --- */

static void park_waiting(pdr_entity *e, pdr_own_cmds *parked)
{
    if (!e->waiting) return;
    pdr_cmd *first = e->waiting->next;
    e->waiting->next = NULL;
    for (pdr_cmd *cmd = first, *next; cmd; cmd = next) {
        next = cmd->next;
        cmd->answer.entity = NULL;
        pdr_own_cmds_push(parked, cmd);
    }
    e->waiting = NULL;
}

/* Nothing resident survives a recovery: whether it could be trusted hangs on what others did to log and store
 * meanwhile, and one look-up brings it back. */
void pdr_own_drop_residents(pdr_owner *o)
{
    pdr_own_cmds parked = {NULL, NULL};
    bool survive = !PDR_RULE(ONE_RECOVERY) && o->state == PDR_OWNER_PROBING;
    for (pdr_cmd *cmd = o->answers.first; cmd; cmd = cmd->next)
        cmd->answer.entity = NULL;
    for (size_t i = 0; o->table.slots && i <= o->table.mask;) {
        pdr_entity *e = pdr_entity_at(&o->table, i);
        if (e) {
            park_waiting(e, &parked);
            e->open = 0;
        }
        if (!e || (survive && e->flags == PDR_ENTITY_READY))
            i++;
        else
            pdr_own_evict(o, e);
    }
    o->dirty_first = o->dirty_last = NULL;
    o->dirty_count = 0;
    o->hot.count = 0;
    pdr_own_tail_release(o);
    pdr_own_cmds_prepend(&o->inbox, &parked);
}

static void drop_memory(pdr_owner *o)
{
    pdr_own_forget_pending(o);
    pdr_own_cancel_activations(o);
    pdr_own_drop_saves(o);
    pdr_own_drop_residents(o);
}

/* Unless the log past the run was read up to a FENCE, an open commit may count, now or later. */
static void answer_unsettled(pdr_owner *o, pdr_own_cmds *answers, pdr_code code, const pdr_error *error)
{
    for (pdr_cmd *cmd; (cmd = pdr_own_cmds_pop(answers));) {
        bool unsettled = (cmd->answer.commit || cmd->answer.repeated) && !o->settle.fenced;
        pdr_own_answer_now(o, cmd, unsettled ? PDR_UNKNOWN_OUTCOME : code, unsettled ? NULL : error);
    }
}

void pdr_own_answer_open(pdr_owner *o, pdr_code code, const pdr_error *error)
{
    drop_memory(o);
    pdr_own_cmds inbox = o->inbox, answers = o->answers;
    o->inbox = o->answers = (pdr_own_cmds){NULL, NULL};
    answer_unsettled(o, &answers, code, error);
    for (pdr_cmd *cmd; (cmd = pdr_own_cmds_pop(&inbox));)
        pdr_own_answer_now(o, cmd, code, error);
}

/* The newest FENCE isn't ours. true: claim again at once, its writer is from the past. */
static bool stand_down_or_claim(pdr_owner *o)
{
    pdr_own_settle s = o->settle;
    o->counters.depositions++;
    drop_memory(o);
    o->foreign = true;
    if (s.generation < o->generation) {
        o->counters.older_ghosts++;
        return true;
    }
    pdr_error error;
    (void)pdr_fail(&error, PDR_NOT_OWNER, "partition %d is owned by %.*s since offset %lld",
                   o->config.partition, (int)s.address_size, (const char *)s.address,
                   (long long)s.foreign_offset);
    pdr_own_stop_reading(o);
    o->term = NULL; /* nothing of the old term is open any more; the next claim starts afresh */
    o->have_stamp = false;
    o->deposed = true;
    if (s.generation > o->generation || !o->assigned) {
        o->assigned = false;
        pdr_own_enter(o, PDR_OWNER_IDLE, &error);
    } else {
        if (o->now - o->served_since > 4 * o->backoff) o->backoff = 0;
        o->deadline = o->now + next_backoff(o);
        pdr_own_enter(o, PDR_OWNER_WAITING, &error);
    }
    pdr_own_answer_open(o, PDR_NOT_OWNER, &error);
    return false;
}

/* A claim was refused: the log must hold the FENCE of the term that the store knows. */
typedef enum explanation { EXPLAINED, NOT_YET, CONTRADICTED } explanation;

static explanation explain_refusal(pdr_owner *o)
{
    if (o->refused_by.offset < 0) return EXPLAINED;
    if (o->settle.foreign_offset >= o->refused_by.offset) {
        o->refused_by = PDR_TERM_NONE;
        o->refusal_waits = 0;
        return EXPLAINED;
    }
    /* An end may be told from an older view (a new leader's); past the place there is no doubt. */
    return o->settle.walk.offset > o->refused_by.offset ? CONTRADICTED : NOT_YET;
}

static void fail_contradicted(pdr_owner *o)
{
    pdr_error error;
    (void)pdr_fail(&error, PDR_CORRUPT,
                   "the store knows a FENCE at offset %lld of partition %d, but the log, which ends at %lld, "
                   "doesn't: the log lost records, or "
                   "the store belongs to another log",
                   (long long)o->refused_by.offset, o->config.partition, (long long)o->settle.end);
    pdr_own_fail(o, &error);
}

/* --- probe --- */

static void on_loaded(void *context, uint64_t tag, const pdr_store_result *result)
{
    pdr_owner *o = context;
    if (tag != o->recovery || o->state != PDR_OWNER_PROBING) return;
    if (result->code != PDR_OK) {
        pdr_own_recover_error(o, result->error);
        return;
    }
    o->loaded = true;
    if (o->rebuilding) {
        o->row = result->row;
        o->have_stamp = true;
        /* Under an owner's term the triple doesn't tell its saves from ours: only it may save. */
        if (o->row.stamp.term.offset >= 0) {
            pdr_own_recover(o, PDR_STALE, "an owner has taken over, and brings the store up itself");
            return;
        }
    }
    pdr_own_recovery_advance(o);
}

static pdr_code open_writer(pdr_owner *o, pdr_error *err)
{
    if (o->writer) return o->log->ops->writer_renew(o->writer, err);
    return o->log->ops->writer_open(o->log, o->config.partition, &pdr_own_writer_events, o, &o->writer, err);
}

static pdr_code open_probe_reader(pdr_owner *o, pdr_error *err)
{
    if (o->term) return pdr_own_settle_open(o, pdr_place_position(o->run), o->run.offset + 1, INT64_MAX, err);
    int64_t first = o->refused_by.offset >= 0 ? o->fence_offset + 1 : PDR_LOG_TAIL(1);
    return pdr_own_settle_open(o, PDR_POSITION_START, first, INT64_MAX, err);
}

static void begin_probe(pdr_owner *o)
{
    pdr_error err;
    o->recovery++;
    o->counters.recoveries++;
    o->store->ops->forget(o->store, o);
    pdr_own_enter(o, PDR_OWNER_PROBING, NULL);
    drop_memory(o);
    o->loaded = o->foreign = o->saving_tail = false;
    o->run_before = o->run;
    o->deadline = o->now + o->config.settings.store_timeout_us;
    pdr_code code = o->rebuilding ? PDR_OK : open_writer(o, &err);
    if (code == PDR_OK) code = open_probe_reader(o, &err);
    if (code == PDR_OK)
        code = o->store->ops->load(o->store, o->config.partition, on_loaded, o, o->recovery, &err);
    if (code != PDR_OK) pdr_own_recover_error(o, &err);
}

/* --- fence --- */

static pdr_code remember_incarnation(pdr_owner *o, uint64_t incarnation)
{
    if (o->incarnation_count == o->incarnation_capacity) {
        size_t capacity = o->incarnation_capacity ? 2 * o->incarnation_capacity : 8;
        uint64_t *grown = pdr_realloc(o->incarnations, capacity * sizeof *grown);
        if (!grown) return PDR_NOMEM;
        o->incarnations = grown;
        o->incarnation_capacity = capacity;
    }
    o->incarnations[o->incarnation_count++] = incarnation;
    return PDR_OK;
}

static pdr_code append_fence(pdr_owner *o, pdr_error *err)
{
    uint64_t incarnation = o->env->ops->random(o->env);
    pdr_code code = remember_incarnation(o, incarnation);
    if (code != PDR_OK) return pdr_fail(err, code, "a FENCE");
    pdr_header header = {.kind = PDR_RECORD_FENCE,
                         .term = {-1, incarnation},
                         .back_offset = -1,
                         .address = o->config.address,
                         .partitions = o->config.partitions,
                         .generation = o->generation};
    memcpy(header.journal_id, o->config.journal_id, sizeof header.journal_id);
    pdr_buf_clear(&o->header);
    code = pdr_header_encode(&header, &o->header);
    if (code != PDR_OK) return pdr_fail(err, code, "a FENCE");
    pdr_log_entry entry = {.header = pdr_buf_bytes(&o->header)};
    code = o->log->ops->append(o->writer, &entry, 0, err);
    if (code != PDR_OK) return code;
    o->fence_incarnation = incarnation;
    return PDR_OK;
}

static void send_fence(pdr_owner *o)
{
    pdr_error err;
    o->deadline = o->now + o->config.settings.delivery_timeout_us;
    o->fence_offset = -1;
    o->fence_reported = false;
    pdr_own_enter(o, PDR_OWNER_FENCING, NULL);
    pdr_code code = append_fence(o, &err);
    if (code != PDR_OK) pdr_own_recover_error(o, &err);
}

void pdr_own_fence_reported(pdr_owner *o, const pdr_log_report *report)
{
    if (report->code != PDR_OK) {
        pdr_own_recover(o, report->code, "the FENCE wasn't acknowledged (%s, %d)",
                        pdr_code_name(report->code), report->backend);
        return;
    }
    o->fence_reported = true;
    pdr_own_recovery_advance(o);
}

/* The term's offset is the one that the log shows, not the one that a report says: a wrong one in the store
 * would shut everybody out. */
static void fence_seen(pdr_owner *o)
{
    o->deadline = o->now + o->config.settings.store_timeout_us;
    pdr_own_enter(o, PDR_OWNER_CLAIMING, NULL);
    send_claim(o);
}

/* --- claim --- */

static void count_turned_back(pdr_owner *o, const pdr_partition_row *row)
{
    if (!o->have_stamp || memcmp(row->stamp.store_id, o->row.stamp.store_id, PDR_ID_SIZE) != 0) return;
    if (row->stamp.saves >= o->row.stamp.saves) return;
    o->counters.turned_back++;
    if (row->checkpoint.offset == o->row.checkpoint.offset) o->counters.turned_back_equal++;
}

/* The store rests on records at or after the own FENCE. They may have come while it was on its way: a rebuild
 * of the store read on, past another's FENCE. A FENCE appended after the store was seen to rest on them must
 * come behind them: if it doesn't, the log has lost them. */
static pdr_code check_row(pdr_owner *o, const pdr_partition_row *row, pdr_error *err)
{
    int64_t highest = row->seen.offset > row->checkpoint.offset ? row->seen.offset : row->checkpoint.offset;
    if (highest < o->fence_offset) return PDR_OK;
    bool lost = o->store_rested_on >= o->fence_offset;
    o->store_rested_on = highest;
    if (!lost)
        return pdr_fail(err, PDR_STALE, "the store rests on offset %lld, after our FENCE at %lld",
                        (long long)highest, (long long)o->fence_offset);
    return pdr_fail(err, PDR_CORRUPT,
                    "the log of partition %d lost its tail: the store rests on offset %lld, but a FENCE "
                    "appended later got offset %lld",
                    o->config.partition, (long long)highest, (long long)o->fence_offset);
}

static void on_claimed(void *context, uint64_t tag, const pdr_store_result *result)
{
    pdr_owner *o = context;
    if (tag != o->recovery || o->state != PDR_OWNER_CLAIMING) return;
    if (result->code == PDR_STALE) {
        o->refused_by = result->row.stamp.term;
        pdr_own_recover(o, PDR_NOT_OWNER, "the store's term at offset %lld is above ours",
                        (long long)o->refused_by.offset);
        return;
    }
    if (result->code != PDR_OK) {
        pdr_own_trace(o, PDR_LEVEL_WARN, "claim: %s", result->error->message);
        o->error = *result->error;
        o->claim_at = o->now + next_backoff(o);
        return;
    }
    pdr_error err;
    o->refused_by = PDR_TERM_NONE;
    if (o->settle.foreign_offset >= 0) o->foreign = true;
    count_turned_back(o, &result->row);
    o->row = result->row;
    o->have_stamp = true;
    if (check_row(o, &o->row, &err) == PDR_OK)
        pdr_own_start_scan(o);
    else
        pdr_own_recover_error(o, &err);
}

static void send_claim(pdr_owner *o)
{
    pdr_error err;
    pdr_claim claim = {pdr_own_fence_term(o), o->env->ops->wall_us(o->env), o->config.address};
    pdr_code code =
        o->store->ops->claim(o->store, o->config.partition, &claim, on_claimed, o, o->recovery, &err);
    o->claim_at = code == PDR_OK ? INT64_MAX : o->now + next_backoff(o);
    if (code != PDR_OK) o->error = err;
}

/* --- serve --- */

/* What the old term had open and doesn't count never will: it is decided again, in its order, before
 * everything newer. But not the command whose record the log refuses for its size: that one is given back. */
static pdr_cmd *decide_again(pdr_owner *o)
{
    pdr_own_cmds again = {NULL, NULL};
    pdr_cmd *refused = NULL;
    bool refuses = o->too_large > o->acked;
    for (pdr_cmd *cmd; (cmd = pdr_own_cmds_pop(&o->answers));) {
        if (refuses && !refused && cmd->answer.commit && cmd->answer.number >= o->too_large) {
            refused = cmd;
            continue;
        }
        pdr_cmd_forget_answer(cmd);
        o->counters.redecided++;
        pdr_own_cmds_push(&again, cmd);
    }
    o->too_large = 0;
    pdr_own_cmds_prepend(&o->inbox, &again);
    return refused;
}

static void serve(pdr_owner *o)
{
    const pdr_term *term = pdr_own_intern(o, pdr_own_fence_term(o));
    if (!term) {
        pdr_own_recover(o, PDR_NOMEM, "out of memory while taking over");
        return;
    }
    if (o->foreign) o->counters.foreign_recoveries++;
    pdr_own_settle_close(o);
    o->settle.fenced = false;
    if (o->scan_open) pdr_commit_reader_release(&o->scan);
    o->scan_open = false;
    pdr_cmd *refused = decide_again(o);
    o->term = term;
    o->sent = o->acked = 0;
    o->known = o->fence_offset;
    o->last = o->run = (pdr_place){o->fence_offset, 0, term};
    o->schema_count = 0;
    if (o->schemas) memset(o->schemas, 0, (o->schema_mask + 1) * sizeof *o->schemas);
    for (size_t i = 0; o->table.slots && i <= o->table.mask; i++) {
        pdr_entity *e = pdr_entity_at(&o->table, i);
        if (e) e->sent = 0;
    }
    o->served_since = o->now;
    o->saved_at = o->now;
    o->save_after = o->lookup_after = o->catchup_after = 0;
    pdr_own_enter(o, PDR_OWNER_SERVING, NULL);
    if (refused) pdr_own_answer_now(o, refused, PDR_TOO_LARGE, NULL);
}

static void finish_rebuild(pdr_owner *o)
{
    o->rebuilding = o->assigned = false;
    pdr_own_stop_reading(o);
    drop_memory(o);
    pdr_own_enter(o, PDR_OWNER_IDLE, NULL);
}

void pdr_own_recovery_advance(pdr_owner *o)
{
    if (o->state == PDR_OWNER_PROBING && o->loaded && o->settle.reached) {
        if (o->rebuilding) {
            pdr_own_settle_close(o);
            pdr_own_start_scan(o);
            return;
        }
        bool deposed = o->settle.foreign && (o->term || o->refused_by.offset >= 0);
        explanation why = explain_refusal(o);
        if (why == CONTRADICTED) fail_contradicted(o);
        if (why != EXPLAINED) return;
        if (deposed && !stand_down_or_claim(o)) return;
        if (o->settle.fenced && !o->settle.foreign && o->term) o->counters.late_own_fences++;
        send_fence(o);
        return;
    }
    if (o->state == PDR_OWNER_FENCING && o->fence_reported && o->fence_offset >= 0) {
        fence_seen(o);
        return;
    }
    if (o->state != PDR_OWNER_SCANNING || !o->scan_done || o->saving_tail) return;
    if (o->rebuilding)
        finish_rebuild(o);
    else if (!o->answers.first || o->settle.fenced)
        serve(o);
}

void pdr_own_recovery_turn(pdr_owner *o)
{
    switch (o->state) {
    case PDR_OWNER_WAITING:
        if (o->now >= o->deadline) {
            o->deposed = false;
            begin_probe(o);
        }
        return;
    case PDR_OWNER_CLAIMING:
        if (o->claim_at == INT64_MAX && o->now >= o->deadline) {
            o->store->ops->forget(o->store, o); /* claiming again with the same term is fine */
            o->claim_at = o->now;
        }
        if (o->now >= o->claim_at) {
            o->deadline = o->now + o->config.settings.store_timeout_us;
            send_claim(o);
        }
        return;
    case PDR_OWNER_SCANNING:
        if (o->saving_tail) {
            pdr_own_tail_turn(o);
            return;
        }
        break;
    default: break;
    }
    if (o->now < o->deadline) return;
    bool unexplained =
        o->state == PDR_OWNER_PROBING && o->loaded && o->settle.reached && o->refused_by.offset >= 0;
    if (unexplained && ++o->refusal_waits >= REFUSAL_WAITS)
        fail_contradicted(o);
    else
        pdr_own_recover(o, PDR_UNAVAILABLE, "no progress while %s", pdr_owner_state_name(o->state));
}
