/* The asynchronous half of the store: a queue, what is under way on the link, and their completions. */
#include "backends/postgres/postgres_store.h"

#include <poll.h>

#include "backends/postgres/admin.h"
#include "backends/postgres/answer.h"
#include "backends/postgres/connect.h"
#include "backends/postgres/link.h"
#include "backends/postgres/op.h"
#include "backends/postgres/sqlstate.h"
#include "base/mem.h"

enum {
    DEFAULT_WAIT_MS = 5000,
    DEFAULT_LIMIT_MS = 10000,
    MIN_LIMIT_MS = 100,
    MAX_LIMIT_MS = 3600 * 1000,
    MAX_UNDER_WAY = 64,
    MAX_BYTES_UNDER_WAY = 32 * 1024 * 1024, /* but always one operation */
    MAX_BYTES_QUEUED = 512 * 1024 * 1024,
    MAX_TRIES = 4,
    NO_PARTITION = -1
};

typedef struct pg_store {
    pdr_store base;
    pdr_pg_admin admin; /* owns schema and URL for the blocking operations */
    pdr_pg_link link;
    char *sql[PDR_PG_STATEMENTS]; /* with the schema in place */
    int64_t wait_us;
    int64_t limit_us;
    pdr_pg_queue waiting;   /* not sent */
    pdr_pg_queue under_way; /* sent, in order */
    pdr_pg_queue failed;    /* ended without an answer, completion due */
    int64_t head_since_us;  /* since when the first under way is the first */
    int64_t sent_us;        /* when something was sent last */
    int64_t read_us;        /* when the connection was read last */
    bool half_read;         /* the last poll read, and what is under way has more to come */
    pdr_pg_found found;
} pg_store;

static pg_store *of(pdr_store *base)
{
    return (pg_store *)base;
}

/* --- Completions --- */

static void complete(pdr_pg_op *op, pdr_store_result *result, const pdr_error *error)
{
    result->code = error->code;
    result->error = error->code == PDR_OK ? NULL : error;
    if (op->done) op->done(op->context, op->tag, result);
}

static void answer(pg_store *s, pdr_pg_op *op)
{
    pdr_store_result result = {0};
    pdr_error error = {0};
    if (op->refusal)
        error.code = pdr_pg_fail_result(&error, op->refusal);
    else if (op->answer_count != op->statement_count)
        error.code = pdr_fail(&error, PDR_IO, "PostgreSQL: an answer is missing");
    else
        error.code = pdr_pg_answer(&result, op, &s->found, &error);
    complete(op, &result, &error);
    pdr_pg_op_free(op);
}

static size_t complete_failed(pg_store *s)
{
    size_t calls = 0;
    for (pdr_pg_op *op = pdr_pg_queue_pop(&s->failed); op; op = pdr_pg_queue_pop(&s->failed)) {
        pdr_store_result result = {0};
        complete(op, &result, &op->failure);
        pdr_pg_op_free(op);
        calls++;
    }
    return calls;
}

/* `sent`: the server may have carried it out. Only a save minds, and a claim that can't be tried again. */
static void fail(pg_store *s, pdr_pg_op *op, bool sent)
{
    op->failure = s->link.why;
    bool writes = op->kind == PDR_PG_OP_SAVE || op->kind == PDR_PG_OP_CLAIM;
    if (sent && writes)
        op->failure.code = pdr_fail_context(&op->failure, PDR_UNKNOWN_OUTCOME, "%s", s->link.why.message);
    pdr_pg_queue_push(&s->failed, op);
}

/* --- The connection goes --- */

static void send_again(pg_store *s, pdr_pg_op *op)
{
    pdr_pg_op_clear_answers(op);
    pdr_pg_queue_push_front(&s->waiting, op);
}

/* Everything under way ends: saves as unknown, the others are sent again, in their order, on the next
 * connection. The one that the server hung on is not. */
static void lose(pg_store *s, int64_t now_us, const char *why)
{
    pdr_pg_link_lose(&s->link, now_us, why);
    pdr_pg_queue again = {0};
    bool hung = why != NULL;
    for (pdr_pg_op *op = pdr_pg_queue_pop(&s->under_way); op; op = pdr_pg_queue_pop(&s->under_way)) {
        if (op->kind == PDR_PG_OP_SAVE || hung || op->tries >= MAX_TRIES)
            fail(s, op, true);
        else
            pdr_pg_queue_push_front(&again, op); /* so the newest comes out first */
        hung = false;
    }
    for (pdr_pg_op *op = pdr_pg_queue_pop(&again); op; op = pdr_pg_queue_pop(&again))
        send_again(s, op);
}

/* --- Sending --- */

static bool send_statement(pg_store *s, pdr_pg_op *op, pdr_pg_statement statement)
{
    static const int binary[PDR_PG_MAX_PARAMS] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                                  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    const pdr_pg_statement_info *info = &pdr_pg_statements[statement];
    unsigned bit = 1u << statement;
    if (!(s->link.prepared & bit)) {
        if (!PQsendPrepare(s->link.pg, info->name, s->sql[statement], info->param_count, info->params))
            return false;
        s->link.prepared |= bit;
        op->preparing |= bit;
    }
    return PQsendQueryPrepared(s->link.pg, info->name, info->param_count, op->values, op->lengths, binary,
                               1) != 0;
}

/* Each operation ends with a Sync of its own: a transaction of its own, and no other fails with it. */
static bool send_op(pg_store *s, pdr_pg_op *op)
{
    op->tries++;
    for (int i = 0; i < op->statement_count; i++)
        if (!send_statement(s, op, op->statements[i])) return false;
    return PQpipelineSync(s->link.pg) != 0;
}

/* Nothing follows a statement whose Prepare may yet fail: what fails with it could be sent again out of
 * order. */
static bool may_send(const pg_store *s)
{
    const pdr_pg_op *next = s->waiting.first;
    if (!next || s->link.state != PDR_PG_READY) return false;
    if (!s->under_way.count) return true;
    return !s->under_way.last->preparing && s->under_way.count < MAX_UNDER_WAY &&
           s->under_way.bytes + next->bytes <= MAX_BYTES_UNDER_WAY;
}

static void send_waiting(pg_store *s, int64_t now_us)
{
    bool sound = true;
    while (sound && may_send(s)) {
        pdr_pg_op *op = pdr_pg_queue_pop(&s->waiting);
        if (!s->under_way.count) s->head_since_us = now_us;
        s->sent_us = now_us;
        pdr_pg_queue_push(&s->under_way, op);
        sound = send_op(s, op);
    }
    if (s->link.state != PDR_PG_READY) return;
    if (sound && (s->under_way.count || s->link.unflushed)) sound = pdr_pg_link_flush(&s->link);
    if (!sound) lose(s, now_us, NULL);
}

/* --- Receiving --- */

/* Answers to Prepares come in the order of the operation's statements. */
static void prepare_confirmed(pdr_pg_op *op)
{
    for (int i = 0; i < op->statement_count; i++) {
        unsigned bit = 1u << op->statements[i];
        if (!(op->preparing & bit)) continue;
        op->preparing &= ~bit;
        return;
    }
}

static void take_result(pdr_pg_op *op, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK && op->answer_count < op->statement_count) {
        op->answers[op->answer_count++] = result;
        return;
    }
    if (status == PGRES_COMMAND_OK) prepare_confirmed(op);
    if (status == PGRES_FATAL_ERROR && !op->refusal)
        op->refusal = result;
    else
        PQclear(result);
}

static bool has_later_of_partition(const pdr_pg_queue *queue, int32_t partition)
{
    for (const pdr_pg_op *op = queue->first; op; op = op->next)
        if (op->partition == partition) return true;
    return false;
}

/* The first under way has got all its results: answered, or sent again. Operations of one partition keep
 * their order, so nothing is sent again when a later one may have been carried out. Returns false when the
 * connection is of no use any more. */
static bool settle_first(pg_store *s, int64_t now_us, size_t *calls)
{
    pdr_pg_op *op = pdr_pg_queue_pop(&s->under_way);
    s->head_since_us = now_us;
    s->link.prepared &= ~op->preparing; /* those failed */
    pdr_pg_remedy remedy = op->refusal ? pdr_pg_remedy_of(op->refusal) : PDR_PG_FAIL;
    if (remedy == PDR_PG_PREPARE_AGAIN) s->link.prepared = 0;
    bool again = (remedy == PDR_PG_AGAIN || remedy == PDR_PG_PREPARE_AGAIN) && op->tries < MAX_TRIES &&
                 !has_later_of_partition(&s->under_way, op->partition);
    if (again) {
        send_again(s, op);
        return true;
    }
    ++*calls;
    answer(s, op);
    return remedy != PDR_PG_END_CONNECTION;
}

/* Is there nothing to wait for, but something to send whose loss does no harm? Then that goes out first. */
static bool may_send_unread(const pg_store *s)
{
    return !s->under_way.count && s->waiting.first && s->waiting.first->kind != PDR_PG_OP_SAVE &&
           !s->link.unflushed;
}

static size_t receive(pg_store *s, int64_t now_us)
{
    s->half_read = false;
    if (may_send_unread(s)) return 0;
    s->read_us = now_us;
    size_t calls = 0;
    bool sound = (!s->link.unflushed || pdr_pg_link_flush(&s->link)) && pdr_pg_link_read(&s->link);
    PGresult *result = NULL;
    while (sound && s->under_way.count && pdr_pg_link_next(&s->link, &result, &sound)) {
        if (PQresultStatus(result) != PGRES_PIPELINE_SYNC) {
            take_result(s->under_way.first, result);
            continue;
        }
        PQclear(result);
        sound = settle_first(s, now_us, &calls);
    }
    if (!sound)
        lose(s, now_us, NULL);
    else if (s->under_way.count && now_us - s->head_since_us >= s->limit_us)
        lose(s, now_us, "no answer to an operation within the time limit");
    s->half_read = s->under_way.count > 0;
    return calls;
}

/* Operations don't wait longer than wait_us for a connection. */
static void expire(pg_store *s, int64_t now_us)
{
    if (s->link.state == PDR_PG_READY) return;
    while (s->waiting.first && now_us - s->waiting.first->submitted_us >= s->wait_us) {
        pdr_pg_op *op = pdr_pg_queue_pop(&s->waiting);
        fail(s, op, op->tries > 0);
    }
}

/* Looks that would be system calls for nothing: no answer comes sooner after sending; and who waits for no
 * answer only has to learn in time that the connection ended. */
enum { ANSWER_US = 15, IDLE_US = 1000 };

static bool may_be_readable(const pg_store *s, int64_t now_us)
{
    if (!s->under_way.count) return now_us - s->read_us >= IDLE_US;
    return now_us - s->sent_us >= ANSWER_US;
}

static size_t store_poll(pdr_store *base)
{
    pg_store *s = of(base);
    int64_t now_us = pdr_pg_now_us();
    size_t calls = 0;
    pdr_pg_link_advance(&s->link, now_us);
    if (s->link.state == PDR_PG_READY && may_be_readable(s, now_us)) calls += receive(s, now_us);
    expire(s, now_us);
    send_waiting(s, now_us);
    calls += complete_failed(s);
    return calls;
}

static int64_t due_at_us(const pg_store *s)
{
    int64_t due = INT64_MAX;
    if (s->link.state != PDR_PG_READY) {
        due = s->link.due_us;
        const pdr_pg_op *first = s->waiting.first;
        if (first && first->submitted_us + s->wait_us < due) due = first->submitted_us + s->wait_us;
    } else if (s->under_way.count) {
        due = s->head_since_us + s->limit_us;
    }
    return due;
}

static int store_wait_on(pdr_store *base, struct pollfd *fds, int max, int64_t *due_us)
{
    pg_store *s = of(base);
    int64_t at = due_at_us(s);
    int64_t left = at == INT64_MAX ? INT64_MAX : at - pdr_pg_now_us();
    /* TLS may hold bytes that the socket doesn't show (link.c). A timer this near isn't free: not for
     * nothing. */
    if (s->half_read && s->link.pg && PQsslInUse(s->link.pg) && left > 1000) left = 1000;
    if (left < 0 || s->failed.count || may_send(s)) left = 0;
    *due_us = left;
    short events = pdr_pg_link_events(&s->link);
    if (!events || max < 1) return 0;
    fds[0] = (struct pollfd){PQsocket(s->link.pg), events, 0};
    return 1;
}

/* --- Submission --- */

static pdr_code submit(pg_store *s, pdr_pg_op *op, pdr_error *err)
{
    size_t count = s->waiting.count + s->under_way.count;
    size_t bytes = s->waiting.bytes + s->under_way.bytes;
    if (count >= PDR_POSTGRES_MAX_QUEUED || (count && bytes + op->bytes > MAX_BYTES_QUEUED)) {
        pdr_pg_op_free(op);
        return pdr_fail(err, PDR_QUEUE_FULL, "%zu operations with %zu bytes wait for PostgreSQL", count,
                        bytes);
    }
    op->submitted_us = pdr_pg_now_us();
    pdr_pg_queue_push(&s->waiting, op);
    return PDR_OK;
}

static pdr_code store_load(pdr_store *base, int32_t partition, pdr_store_done done, void *context,
                           uint64_t tag, pdr_error *err)
{
    pdr_pg_target target = {partition, done, context, tag};
    pdr_pg_op *op = NULL;
    pdr_code code = pdr_pg_op_load(&op, &target, err);
    return code == PDR_OK ? submit(of(base), op, err) : code;
}

static pdr_code store_claim(pdr_store *base, int32_t partition, const pdr_claim *claim, pdr_store_done done,
                            void *context, uint64_t tag, pdr_error *err)
{
    pdr_pg_target target = {partition, done, context, tag};
    pdr_pg_op *op = NULL;
    pdr_code code = pdr_pg_op_claim(&op, &target, claim, err);
    return code == PDR_OK ? submit(of(base), op, err) : code;
}

static pdr_code store_lookup(pdr_store *base, int32_t partition, const pdr_lookup_key *keys, size_t count,
                             pdr_store_done done, void *context, uint64_t tag, pdr_error *err)
{
    pdr_pg_target target = {partition, done, context, tag};
    pdr_pg_op *op = NULL;
    pdr_code code = pdr_pg_op_lookup(&op, &target, keys, count, err);
    return code == PDR_OK ? submit(of(base), op, err) : code;
}

static pdr_code store_save(pdr_store *base, int32_t partition, const pdr_save *save, pdr_store_done done,
                           void *context, uint64_t tag, pdr_error *err)
{
    pdr_pg_target target = {partition, done, context, tag};
    pdr_pg_op *op = NULL;
    pdr_code code = pdr_pg_op_save(&op, &target, save, err);
    return code == PDR_OK ? submit(of(base), op, err) : code;
}

static pdr_code store_schemas(pdr_store *base, const uint64_t *fingerprints, size_t count,
                              pdr_store_done done, void *context, uint64_t tag, pdr_error *err)
{
    pdr_pg_target target = {NO_PARTITION, done, context, tag};
    pdr_pg_op *op = NULL;
    pdr_code code = pdr_pg_op_schemas(&op, &target, fingerprints, count, err);
    return code == PDR_OK ? submit(of(base), op, err) : code;
}

static pdr_code store_heads(pdr_store *base, pdr_bytes after, size_t limit, uint64_t revision,
                            pdr_store_done done, void *context, uint64_t tag, pdr_error *err)
{
    pdr_pg_target target = {NO_PARTITION, done, context, tag};
    pdr_pg_op *op = NULL;
    pdr_code code = pdr_pg_op_heads(&op, &target, after, limit, revision, err);
    return code == PDR_OK ? submit(of(base), op, err) : code;
}

static pdr_code store_put_states(pdr_store *base, int32_t partition, const pdr_new_states *states,
                                 pdr_store_done done, void *context, uint64_t tag, pdr_error *err)
{
    pdr_pg_target target = {partition, done, context, tag};
    pdr_pg_op *op = NULL;
    pdr_code code = pdr_pg_op_put_states(&op, &target, states, err);
    return code == PDR_OK ? submit(of(base), op, err) : code;
}

static void store_forget(pdr_store *base, void *context)
{
    pg_store *s = of(base);
    pdr_pg_queue_remove(&s->waiting, context);
    pdr_pg_queue_remove(&s->failed, context);
    pdr_pg_queue_silence(&s->under_way, context);
}

/* --- The blocking operations --- */

static pdr_code store_init(pdr_store *base, const pdr_store_meta *meta, int timeout_ms, pdr_error *err)
{
    return pdr_pg_admin_init(&of(base)->admin, meta, timeout_ms, err);
}

static pdr_code store_meta(pdr_store *base, pdr_store_meta *out, int timeout_ms, pdr_error *err)
{
    return pdr_pg_admin_meta(&of(base)->admin, out, timeout_ms, err);
}

static pdr_code store_reset(pdr_store *base, const pdr_store_meta *meta, int timeout_ms, pdr_error *err)
{
    return pdr_pg_admin_reset(&of(base)->admin, meta, timeout_ms, err);
}

static pdr_code store_dump(pdr_store *base, pdr_store_dump_row row, void *context, pdr_error *err)
{
    return pdr_pg_admin_dump(&of(base)->admin, row, context, err);
}

static pdr_code store_dump_one(pdr_store *base, pdr_bytes key, pdr_store_dump_row row, void *context,
                               int timeout_ms, pdr_error *err)
{
    return pdr_pg_admin_dump_one(&of(base)->admin, key, row, context, timeout_ms, err);
}

static pdr_code store_drop_states(pdr_store *base, const pdr_state_filter *which, size_t limit,
                                  uint64_t *dropped, int timeout_ms, pdr_error *err)
{
    return pdr_pg_admin_drop_states(&of(base)->admin, which, limit, dropped, timeout_ms, err);
}

/* --- Opening and closing --- */

static void store_close(pdr_store *base)
{
    if (!base) return;
    pg_store *s = of(base);
    pdr_pg_link_release(&s->link);
    pdr_pg_queue_clear(&s->waiting);
    pdr_pg_queue_clear(&s->under_way);
    pdr_pg_queue_clear(&s->failed);
    pdr_pg_found_release(&s->found);
    for (int i = 0; i < PDR_PG_STATEMENTS; i++)
        pdr_free(s->sql[i]);
    pdr_pg_admin_release(&s->admin);
    pdr_free(s);
}

static const pdr_store_ops postgres_ops = {
    .name = "postgres",
    .close = store_close,
    .init = store_init,
    .meta = store_meta,
    .reset = store_reset,
    .dump = store_dump,
    .dump_one = store_dump_one,
    .drop_states = store_drop_states,
    .load = store_load,
    .claim = store_claim,
    .lookup = store_lookup,
    .save = store_save,
    .schemas = store_schemas,
    .heads = store_heads,
    .put_states = store_put_states,
    .forget = store_forget,
    .poll = store_poll,
    .wait_on = store_wait_on,
};

static pdr_code check_limit(int limit_ms, const char *name, pdr_error *err)
{
    if (limit_ms >= MIN_LIMIT_MS && limit_ms <= MAX_LIMIT_MS) return PDR_OK;
    return pdr_fail(err, PDR_BAD_SETTING, "%s is %d to %d, not %d", name, MIN_LIMIT_MS, MAX_LIMIT_MS,
                    limit_ms);
}

static pdr_code open_parts(pg_store *s, const pdr_postgres_options *options, pdr_error *err)
{
    int wait_ms = options->wait_ms ? options->wait_ms : DEFAULT_WAIT_MS;
    int limit_ms = options->limit_ms ? options->limit_ms : DEFAULT_LIMIT_MS;
    s->base.ops = &postgres_ops;
    s->wait_us = (int64_t)wait_ms * 1000;
    s->limit_us = (int64_t)limit_ms * 1000;
    pdr_code code = check_limit(wait_ms, "wait_ms", err);
    if (code == PDR_OK) code = check_limit(limit_ms, "limit_ms", err);
    if (code == PDR_OK)
        code =
            pdr_pg_admin_init_at(&s->admin, options->url, options->schema ? options->schema : "perdure", err);
    if (code == PDR_OK) code = pdr_pg_link_init(&s->link, options->url, limit_ms, err);
    for (int i = 0; code == PDR_OK && i < PDR_PG_STATEMENTS; i++) {
        s->sql[i] = pdr_pg_expand(pdr_pg_statements[i].sql, s->admin.schema);
        if (!s->sql[i]) code = pdr_fail(err, PDR_NOMEM, "out of memory");
    }
    return code;
}

pdr_code pdr_postgres_store_open(pdr_store **out, const pdr_postgres_options *options, pdr_error *err)
{
    *out = NULL;
    if (!options) return pdr_fail(err, PDR_INVALID_ARGUMENT, "no options");
    pdr_code code = pdr_pg_check_url(options->url, err);
    if (code != PDR_OK) return code;
    pg_store *s = pdr_calloc(1, sizeof *s);
    if (!s) return pdr_fail(err, PDR_NOMEM, "out of memory");
    code = open_parts(s, options, err);
    if (code == PDR_OK)
        *out = &s->base;
    else
        store_close(&s->base);
    return code;
}
