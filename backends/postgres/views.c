#include <poll.h>
#include <stdlib.h>

#include "backends/postgres/binary.h"
#include "backends/postgres/connect.h"
#include "backends/postgres/sqlstate.h"
#include "backends/postgres/statements.h"
#include "backends/postgres/views_inside.h"
#include "backends/postgres/views_values.h"
#include "base/mem.h"

enum { DEFAULT_WAIT_MS = 5000, DEFAULT_LIMIT_MS = 30000, MAX_FETCHED_ROWS = 1000000 };

static pdr_pg_views *of(pdr_views *base)
{
    return (pdr_pg_views *)base;
}

/* --- What a refusal means --- */

pdr_code pdr_pgv_code_of(const PGresult *result)
{
    static const struct {
        const char *prefix;
        pdr_code code;
    } codes[] = {{"PDR01", PDR_STALE}, {"22", PDR_BAD_DATA},    {"23", PDR_BAD_DATA},
                 {"40", PDR_BUSY},     {"42501", PDR_BAD_VIEW}, {"42", PDR_BAD_VIEW},
                 {"3F", PDR_BAD_VIEW}, {"53100", PDR_NO_SPACE}, {"55P03", PDR_LOCKED},
                 {"54", PDR_BAD_DATA}, {"0A", PDR_BAD_VIEW},    {"P0001", PDR_BAD_DATA},
                 {"26", PDR_BUSY},     {"58", PDR_UNAVAILABLE}};
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    for (size_t i = 0; state && i < sizeof codes / sizeof *codes; i++)
        if (strncmp(state, codes[i].prefix, strlen(codes[i].prefix)) == 0) return codes[i].code;
    pdr_code code = pdr_pg_code_of(state);
    return pdr_code_retry(code) || code == PDR_CORRUPT ? code : PDR_BAD_VIEW;
}

void pdr_pgv_without_advice(pdr_error *err)
{
    char *advice = strstr(err->message, "; run perdure init");
    if (advice) *advice = '\0';
}

pdr_code pdr_pgv_fail(pdr_error *err, const PGresult *result)
{
    pdr_error said;
    if (pdr_pg_fail_result(&said, result) == PDR_NOT_INITIALISED) pdr_pgv_without_advice(&said);
    return pdr_fail_backend(err, pdr_pgv_code_of(result), said.backend, "%s", said.message);
}

/* --- Completions --- */

/* A stale batch's detail: partition, offset, term, number. */
static void take_position(const PGresult *refusal, pdr_view_result *result)
{
    const char *detail = refusal ? PQresultErrorField(refusal, PG_DIAG_MESSAGE_DETAIL) : NULL;
    char *end = (char *)(uintptr_t)detail;
    long long numbers[5];
    for (int i = 0; i < 5; i++) {
        const char *from = end;
        numbers[i] = detail ? strtoll(from, &end, 10) : 0;
        if (!detail || end == from) return;
    }
    result->partition = (int32_t)numbers[0];
    result->position = (pdr_position){numbers[1], {numbers[2], (uint64_t)numbers[3]}, (uint64_t)numbers[4]};
}

static void complete_batch(const pdr_pgv_op *op, const pdr_error *failure)
{
    pdr_view_result result = {
        .code = failure->code, .step = SIZE_MAX, .partition = -1, .position = PDR_POSITION_START};
    if (result.code != PDR_OK) result.error = failure;
    if (op->refusal && op->refused < op->count) result.step = op->statements[op->refused].step;
    if (op->bad_step != SIZE_MAX) result.step = op->bad_step;
    if (result.code == PDR_STALE) take_position(op->refusal, &result);
    if (op->done) op->done(op->context, op->tag, &result);
}

static pdr_code read_rows(pdr_pgv_op *op, const pdr_cell ***out, size_t *count, pdr_error *err)
{
    size_t width = op->table->column_count, rows = (size_t)PQntuples(op->rows);
    if (PQnfields(op->rows) != (int)width || rows > MAX_FETCHED_ROWS)
        return pdr_fail(err, PDR_BAD_VIEW, "table %s gives other columns than it has", op->table->name);
    const pdr_cell **list = pdr_arena_alloc(&op->arena, (rows + 1) * sizeof *list);
    pdr_cell *cells = pdr_arena_alloc(&op->arena, (rows * width + 1) * sizeof *cells);
    pdr_code code = list && cells ? PDR_OK : pdr_fail(err, PDR_NOMEM, "rows of table %s", op->table->name);
    for (size_t i = 0; code == PDR_OK && i < rows; i++) {
        list[i] = cells + i * width;
        for (size_t c = 0; code == PDR_OK && c < width; c++)
            code = pdr_pgv_get(op->rows, (int)i, (int)c, &op->table->columns[c], &cells[i * width + c], err);
    }
    *out = list;
    *count = rows;
    return code;
}

static void complete_fetch(pdr_pgv_op *op, pdr_error *failure)
{
    pdr_view_rows rows = {.code = failure->code};
    const pdr_cell **list = NULL;
    if (rows.code == PDR_OK) rows.code = read_rows(op, &list, &rows.count, failure);
    rows.rows = list;
    if (rows.code != PDR_OK) {
        rows.error = failure;
        rows.count = 0;
    }
    if (op->fetched) op->fetched(op->context, op->tag, &rows);
}

/* The first op leaves the queue with its completion. */
static void complete_first(pdr_pg_views *v)
{
    pdr_pgv_op *op = v->first;
    pdr_error failure = op->failure;
    v->first = op->next;
    if (!v->first) v->last = &v->first;
    if (op->sent) v->sent--;
    v->head_since_us = pdr_pg_now_us();
    if (failure.code == PDR_OK && op->refusal) failure.code = pdr_pgv_fail(&failure, op->refusal);
    if (op->outdated && failure.code == PDR_BAD_VIEW) failure.code = PDR_BUSY;
    if (failure.code == PDR_OK && op->is_fetch && !op->rows)
        failure.code = pdr_fail(&failure, PDR_IO, "PostgreSQL: an answer is missing");
    if (op->is_fetch)
        complete_fetch(op, &failure);
    else
        complete_batch(op, &failure);
    pdr_pgv_op_free(op);
}

/* --- The connection goes --- */

static bool has_ended(const pdr_pgv_op *op)
{
    return op->failure.code != PDR_OK || op->answered > op->count;
}

/* What was sent ends: a batch's outcome is unknown. What waits goes on waiting, until its time is up. */
static void lose(pdr_pg_views *v, const char *why)
{
    pdr_pg_link_lose(&v->link, pdr_pg_now_us(), why);
    pdr_pgv_prepared_forget(&v->prepared);
    for (pdr_pgv_op *op = v->first; op; op = op->next) {
        if (!op->sent || has_ended(op)) continue;
        if (op->refusal) { /* nothing was done, whatever else would have come */
            op->answered = op->count + 1;
            continue;
        }
        op->failure = v->link.why;
        if (!op->is_fetch) op->failure.code = PDR_UNKNOWN_OUTCOME; /* for the same reason */
    }
}

/* --- Sending --- */

static bool send_prepares(pdr_pg_views *v, pdr_pgv_op *op)
{
    for (size_t i = 0; i < op->count; i++) {
        pdr_pgv_prepared *p = op->statements[i].prepared;
        if (p->known != PDR_PGV_UNKNOWN) continue;
        if (!PQsendPrepare(v->link.pg, p->name, p->sql, p->param_count, p->params)) return false;
        p->known = PDR_PGV_ON_ITS_WAY;
        op->preparing++;
    }
    op->prepare_synced = op->preparing == 0;
    return op->preparing == 0 || PQpipelineSync(v->link.pg);
}

static bool send_op(pdr_pg_views *v, pdr_pgv_op *op)
{
    static const int binary[PDR_PGV_MAX_PARAMS] = {
#define ONES8 1, 1, 1, 1, 1, 1, 1, 1
#define ONES64 ONES8, ONES8, ONES8, ONES8, ONES8, ONES8, ONES8, ONES8
        ONES64, ONES64, ONES64, ONES64,
        ONES8,  ONES8
#undef ONES64
#undef ONES8
    };
    if (!send_prepares(v, op)) return false;
    for (size_t i = 0; i < op->count; i++) {
        const pdr_pgv_statement *s = &op->statements[i];
        if (!PQsendQueryPrepared(v->link.pg, s->prepared->name, s->prepared->param_count, s->values,
                                 s->lengths, binary, 1))
            return false;
    }
    return PQpipelineSync(v->link.pg);
}

static void send_waiting(pdr_pg_views *v)
{
    for (pdr_pgv_op *op = v->first; op; op = op->next) {
        if (op->sent || op->failure.code != PDR_OK) continue;
        op->sent = true;
        if (v->sent++ == 0) v->head_since_us = pdr_pg_now_us();
        if (!send_op(v, op)) {
            lose(v, NULL);
            return;
        }
    }
    if (!pdr_pg_link_flush(&v->link)) lose(v, NULL);
}

/* --- Reading --- */

static pdr_pgv_op *first_unanswered(pdr_pg_views *v)
{
    for (pdr_pgv_op *op = v->first; op && op->sent; op = op->next)
        if (!op->failure.code && op->answered <= op->count) return op;
    return NULL;
}

/* The statement whose Prepare this answers. */
static size_t confirm_prepare(pdr_pgv_op *op, bool good)
{
    for (size_t i = 0; i < op->count; i++) {
        pdr_pgv_prepared *p = op->statements[i].prepared;
        if (p->known != PDR_PGV_ON_ITS_WAY) continue;
        p->known = good ? PDR_PGV_KNOWN : PDR_PGV_UNKNOWN;
        return i;
    }
    return 0;
}

static bool has_state(const PGresult *result, const char *state)
{
    const char *has = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return has && strcmp(has, state) == 0;
}

/* The first refusal counts; but a batch whose version is gone or was made anew is stale, though a table that
 * it names was missed first. */
static void refuse(pdr_pgv_op *op, PGresult *result, size_t statement)
{
    if (op->refusal && !has_state(result, "PDR01")) {
        PQclear(result);
        return;
    }
    PQclear(op->refusal);
    op->refusal = result;
    op->refused = statement;
}

/* A table was made anew with other columns: what was prepared for the old one is refused for ever. */
static void renew_outdated(pdr_pg_views *v, pdr_pgv_op *op, const PGresult *result)
{
    const char *where = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
    bool outdated = has_state(result, "0A000") && where && strcmp(where, "RevalidateCachedQuery") == 0;
    if (!outdated && !has_state(result, "26000")) return;
    pdr_pgv_prepared_renew(&v->prepared, op->statements[op->answered].prepared);
    op->outdated = !op->refusal;
}

/* A result belongs to the Prepares, to their sync, to the statements, or to the op's own sync, in this order.
 */
static void take_result(pdr_pg_views *v, pdr_pgv_op *op, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    bool bad = status == PGRES_FATAL_ERROR, aborted = status == PGRES_PIPELINE_ABORTED;
    if (!op->prepare_synced) {
        size_t statement = 0;
        op->prepare_synced = status == PGRES_PIPELINE_SYNC;
        if (!op->prepare_synced) statement = confirm_prepare(op, !bad && !aborted);
        if (bad)
            refuse(op, result, statement);
        else
            PQclear(result);
        return;
    }
    if (status == PGRES_PIPELINE_SYNC) {
        op->answered = op->count + 1;
        PQclear(result);
        return;
    }
    if (bad && pdr_pg_remedy_of(result) == PDR_PG_GONE) {
        PQclear(result);
        lose(v, NULL);
        return;
    }
    bool at_the_end = op->answered == op->count; /* refused by the commit: its sync is still to come */
    if (bad && !at_the_end) renew_outdated(v, op, result);
    if (bad)
        refuse(op, result, op->answered);
    else if (op->is_fetch && !aborted && !op->rows)
        op->rows = result;
    else
        PQclear(result);
    if (!at_the_end) op->answered++;
}

static void read_answers(pdr_pg_views *v)
{
    bool sound = true;
    PGresult *result = NULL;
    if (!pdr_pg_link_read(&v->link)) {
        lose(v, NULL);
        return;
    }
    for (pdr_pgv_op *op = first_unanswered(v); op && v->link.state == PDR_PG_READY;
         op = first_unanswered(v)) {
        if (!pdr_pg_link_next(&v->link, &result, &sound)) break;
        take_result(v, op, result);
    }
    if (!sound && v->link.state == PDR_PG_READY) lose(v, NULL);
}

static void give_up_late(pdr_pg_views *v, int64_t now)
{
    if (v->link.state == PDR_PG_READY && v->sent > 0 && now > v->head_since_us + v->limit_us)
        lose(v, "no answer to a batch within the time limit");
    for (pdr_pgv_op *op = v->first; op; op = op->next)
        if (!op->sent && op->failure.code == PDR_OK && v->link.state != PDR_PG_READY &&
            now > op->submitted_us + v->wait_us)
            op->failure = v->link.why;
}

static void go_on(pdr_pg_views *v)
{
    int64_t now = pdr_pg_now_us();
    pdr_pg_link_advance(&v->link, now);
    if (v->link.state == PDR_PG_READY) send_waiting(v);
    if (v->link.state == PDR_PG_READY && v->sent > 0) read_answers(v);
    give_up_late(v, now);
}

static size_t views_poll(pdr_views *base)
{
    pdr_pg_views *v = of(base);
    size_t calls = 0;
    go_on(v);
    for (; v->first && has_ended(v->first); calls++)
        complete_first(v);
    return calls;
}

static bool has_unsent(const pdr_pg_views *v)
{
    for (const pdr_pgv_op *op = v->first; op; op = op->next)
        if (!op->sent && !has_ended(op)) return true;
    return false;
}

static int views_wait_on(pdr_views *base, struct pollfd *fds, int max, int64_t *due_us)
{
    pdr_pg_views *v = of(base);
    int64_t now = pdr_pg_now_us();
    short events = pdr_pg_link_events(&v->link);
    *due_us = INT64_MAX;
    if (v->first && has_ended(v->first)) *due_us = 0;
    if (v->link.state == PDR_PG_READY && has_unsent(v)) *due_us = 0;
    if (v->first && v->link.state == PDR_PG_AWAY) *due_us = v->link.due_us - now;
    if (v->first && *due_us > 100000) *due_us = 100000;
    if (*due_us < 0) *due_us = 0;
    if (!events || !v->link.pg || max < 1) return 0;
    fds[0] = (struct pollfd){PQsocket(v->link.pg), events, 0};
    return 1;
}

static bool has_open(const pdr_pg_views *v)
{
    for (const pdr_pgv_op *op = v->first; op; op = op->next)
        if (!has_ended(op)) return true;
    return false;
}

bool pdr_pgv_settle(pdr_pg_views *v, int timeout_ms)
{
    int64_t until = pdr_pg_now_us() + (int64_t)timeout_ms * 1000;
    while (has_open(v) && pdr_pg_now_us() < until) {
        go_on(v);
        if (!has_open(v)) break;
        struct pollfd fd = {v->link.pg ? PQsocket(v->link.pg) : -1, pdr_pg_link_events(&v->link), 0};
        (void)poll(&fd, 1, 10);
    }
    return !has_open(v);
}

/* --- Submission --- */

static void submit(pdr_pg_views *v, pdr_pgv_op *op, void *context, uint64_t tag)
{
    op->context = context;
    op->tag = tag;
    op->submitted_us = pdr_pg_now_us();
    *v->last = op;
    v->last = &op->next;
}

/* The newest batch with this context that hasn't ended; 0: none. */
static uint64_t batch_before(const pdr_pg_views *v, const void *context)
{
    uint64_t id = 0;
    for (const pdr_pgv_op *op = v->first; op; op = op->next)
        if (!op->is_fetch && op->done && op->context == context) id = op->id;
    return id;
}

static pdr_code views_commit(pdr_views *base, const pdr_version_spec *spec, const char *worker,
                             const pdr_view_batch *batch, pdr_view_done done, void *context, uint64_t tag,
                             pdr_error *err)
{
    pdr_pg_views *v = of(base);
    pdr_pgv_op *op = pdr_pgv_op_new();
    if (!op) return pdr_fail(err, PDR_NOMEM, "a batch of projection %s", spec->projection);
    op->done = done;
    op->id = ++v->batches;
    op->after = batch->on_top ? batch_before(v, context) : 0;
    if (batch->on_top && (!op->after || batch->move_count == 0)) {
        pdr_pgv_op_free(op);
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "a batch that moves nothing, or rests on none, is on top");
    }
    pdr_error own;
    pdr_code code = pdr_pgv_batch(op, &v->prepared, &v->names, spec, worker, batch, &own);
    if (code == PDR_BAD_DATA) op->failure = own; /* as if the server had refused it */
    if (code != PDR_OK && err) *err = own;
    if (code == PDR_BAD_DATA) code = PDR_OK;
    if (code == PDR_OK)
        submit(v, op, context, tag);
    else
        pdr_pgv_op_free(op);
    return code;
}

static pdr_code views_fetch(pdr_views *base, const pdr_version_spec *spec, size_t table,
                            const pdr_cell *const *keys, size_t count, pdr_view_fetched done, void *context,
                            uint64_t tag, pdr_error *err)
{
    pdr_pg_views *v = of(base);
    pdr_pgv_op *op = table < spec->table_count ? pdr_pgv_op_new() : NULL;
    if (!op) return pdr_fail(err, PDR_NOMEM, "rows of projection %s", spec->projection);
    op->fetched = done;
    pdr_code code = pdr_pgv_fetch(op, &v->prepared, &v->names, spec, table, keys, count, err);
    if (code == PDR_OK)
        submit(v, op, context, tag);
    else
        pdr_pgv_op_free(op);
    return code;
}

/* What waits is dropped; what was sent stays, without its completion. */
static void views_forget(pdr_views *base, void *context)
{
    pdr_pg_views *v = of(base);
    v->last = &v->first;
    for (pdr_pgv_op **at = &v->first; *at;) {
        pdr_pgv_op *op = *at;
        if (op->context == context) {
            op->done = NULL;
            op->fetched = NULL;
        }
        if (op->context == context && !op->sent) {
            *at = op->next;
            pdr_pgv_op_free(op);
        } else {
            at = &op->next;
            v->last = at;
        }
    }
}

/* --- Open and close --- */

static void views_close(pdr_views *base)
{
    pdr_pg_views *v = of(base);
    for (pdr_pgv_op *op = v->first, *next; op; op = next) {
        next = op->next;
        pdr_pgv_op_free(op);
    }
    PQfinish(v->idle);
    pdr_pg_link_release(&v->link);
    pdr_pgv_prepared_release(&v->prepared);
    pdr_free(v->names.schema);
    pdr_free(v->names.view_schema);
    pdr_free(v->view_schema_name);
    pdr_free(v->url);
    pdr_free(v);
}

static const pdr_views_ops ops = {
    .name = "postgres",
    .pipelined = true,
    .close = views_close,
    .init = pdr_pgv_init,
    .create = pdr_pgv_create,
    .drop = pdr_pgv_drop,
    .reset = pdr_pgv_reset,
    .swap = pdr_pgv_swap,
    .set_paused = pdr_pgv_set_paused,
    .set_throttle = pdr_pgv_set_throttle,
    .set_fault = pdr_pgv_set_fault,
    .versions = pdr_pgv_versions,
    .positions = pdr_pgv_positions,
    .dead_letters = pdr_pgv_dead_letters,
    .request = pdr_pgv_request,
    .requests = pdr_pgv_requests,
    .scan = pdr_pgv_scan,
    .verify = pdr_pgv_verify,
    .fetch = views_fetch,
    .commit = views_commit,
    .forget = views_forget,
    .poll = views_poll,
    .wait_on = views_wait_on,
};

pdr_code pdr_postgres_views_open(pdr_views **out, const pdr_postgres_views_options *options, pdr_error *err)
{
    const char *view_schema = options->view_schema ? options->view_schema : "public";
    int limit_ms = options->limit_ms ? options->limit_ms : DEFAULT_LIMIT_MS;
    pdr_code code = pdr_pg_check_url(options->url, err);
    if (code != PDR_OK) return code;
    pdr_pg_views *v = pdr_calloc(1, sizeof *v);
    if (!v) return pdr_fail(err, PDR_NOMEM, "views on PostgreSQL");
    v->base.ops = &ops;
    v->last = &v->first;
    v->wait_us = (int64_t)(options->wait_ms ? options->wait_ms : DEFAULT_WAIT_MS) * 1000;
    v->limit_us = (int64_t)limit_ms * 1000;
    v->url = pdr_strdup(options->url);
    v->view_schema_name = pdr_strdup(view_schema);
    code = v->url && v->view_schema_name ? PDR_OK : pdr_fail(err, PDR_NOMEM, "views on PostgreSQL");
    if (code == PDR_OK) code = pdr_pg_link_init(&v->link, options->url, limit_ms, err);
    if (code == PDR_OK)
        code = pdr_pg_quote_schema(&v->names.schema, options->schema ? options->schema : "perdure", err);
    if (code == PDR_OK) code = pdr_pg_quote_schema(&v->names.view_schema, view_schema, err);
    if (code != PDR_OK) {
        views_close(&v->base);
        return code;
    }
    *out = &v->base;
    return PDR_OK;
}
