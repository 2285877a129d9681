#include "backends/postgres/answer.h"

#include "backends/postgres/binary.h"
#include "base/mem.h"

/* One row under the reader's eye. A column that isn't as long as its type makes the row broken. */
typedef struct row_reader {
    const PGresult *result;
    int row;
    bool broken;
} row_reader;

static const char *fixed(row_reader *r, int column, int length)
{
    if (PQgetlength(r->result, r->row, column) == length) return PQgetvalue(r->result, r->row, column);
    r->broken = true;
    return NULL;
}

static int64_t number(row_reader *r, int column)
{
    const char *at = fixed(r, column, 8);
    return at ? pdr_pg_get64(at) : 0;
}

static bool is_null(const row_reader *r, int column)
{
    return PQgetisnull(r->result, r->row, column);
}

static pdr_bytes bytes(const row_reader *r, int column)
{
    return pdr_bytes_of(PQgetvalue(r->result, r->row, column),
                        (size_t)PQgetlength(r->result, r->row, column));
}

static pdr_position position(row_reader *r, int column)
{
    pdr_position p;
    p.offset = number(r, column);
    p.term.offset = number(r, column + 1);
    p.term.incarnation = (uint64_t)number(r, column + 2);
    p.number = (uint64_t)number(r, column + 3);
    return p;
}

static pdr_stamp stamp(row_reader *r)
{
    pdr_stamp s = {{0}, PDR_TERM_NONE, 0};
    const char *id = fixed(r, PDR_PG_COL_STORE_ID, PDR_ID_SIZE);
    if (id) memcpy(s.store_id, id, PDR_ID_SIZE);
    s.term.offset = number(r, PDR_PG_COL_TERM_OFFSET);
    s.term.incarnation = (uint64_t)number(r, PDR_PG_COL_TERM_INCARNATION);
    s.saves = (uint64_t)number(r, PDR_PG_COL_SAVES);
    return s;
}

static pdr_code odd(const row_reader *r, pdr_error *err)
{
    return r->broken ? pdr_fail(err, PDR_CORRUPT, "PostgreSQL: a row's columns aren't of the store's types")
                     : PDR_OK;
}

static pdr_code no_row(const pdr_pg_op *op, pdr_error *err)
{
    return pdr_fail(err, PDR_NOT_INITIALISED, "the store has no row of partition %d; run perdure init",
                    (int)op->partition);
}

static void head_from_row(pdr_head *out, row_reader *r)
{
    out->key = bytes(r, PDR_PG_COL_KEY);
    out->seq = (uint64_t)number(r, PDR_PG_COL_SEQ);
    out->last = position(r, PDR_PG_COL_LAST);
    out->timer_us = is_null(r, PDR_PG_COL_TIMER) ? PDR_NO_TIMER : number(r, PDR_PG_COL_TIMER);
    out->ids = bytes(r, PDR_PG_COL_IDS);
    bool has_state = !is_null(r, PDR_PG_COL_STATE);
    out->revision = is_null(r, PDR_PG_COL_REVISION) ? 0 : (uint64_t)number(r, PDR_PG_COL_REVISION);
    out->state_seq = has_state ? (uint64_t)number(r, PDR_PG_COL_STATE_SEQ) : 0;
    out->state = has_state ? bytes(r, PDR_PG_COL_STATE) : pdr_bytes_of(NULL, 0);
}

pdr_code pdr_pg_head_from_row(pdr_head *out, const PGresult *result, int row, pdr_error *err)
{
    row_reader r = {result, row, PQnfields(result) != PDR_PG_LOOKUP_COLUMNS};
    if (!r.broken) head_from_row(out, &r);
    return odd(&r, err);
}

/* Room for `count` items of `size` bytes. */
static pdr_code reserve(void **items, size_t *capacity, size_t count, size_t size, pdr_error *err)
{
    if (count <= *capacity) return PDR_OK;
    void *grown = pdr_realloc(*items, count * size);
    if (!grown) return pdr_fail(err, PDR_NOMEM, "out of memory");
    *items = grown;
    *capacity = count;
    return PDR_OK;
}

static pdr_code reserve_heads(pdr_pg_found *found, size_t count, pdr_error *err)
{
    void *items = found->heads;
    pdr_code code = reserve(&items, &found->head_capacity, count, sizeof *found->heads, err);
    found->heads = items;
    return code;
}

void pdr_pg_found_release(pdr_pg_found *found)
{
    pdr_free(found->heads);
    pdr_free(found->schemas);
    *found = (pdr_pg_found){0};
}

/* Rows that hold a stamp, a head, or (LOOKUP_ONE) both. */
static pdr_code lookup_answer(pdr_store_result *out, const pdr_pg_op *op, pdr_pg_found *found, pdr_error *err)
{
    const PGresult *result = op->answers[0];
    size_t count = (size_t)PQntuples(result);
    pdr_code code = reserve_heads(found, count, err);
    if (code != PDR_OK) return code;
    bool stamped = false;
    row_reader r = {result, 0, PQnfields(result) != PDR_PG_LOOKUP_COLUMNS};
    for (r.row = 0; (size_t)r.row < count && !r.broken; r.row++) {
        if (!is_null(&r, PDR_PG_COL_STORE_ID)) {
            out->row.stamp = stamp(&r);
            stamped = true;
        }
        if (!is_null(&r, PDR_PG_COL_KEY)) head_from_row(&found->heads[out->head_count++], &r);
    }
    out->heads = found->heads;
    if (r.broken) return odd(&r, err);
    return stamped ? PDR_OK : no_row(op, err);
}

static pdr_code load_answer(pdr_store_result *out, const pdr_pg_op *op, const PGresult *result,
                            pdr_error *err)
{
    row_reader r = {result, 0, PQnfields(result) != PDR_PG_LOAD_COLUMNS};
    if (r.broken) return odd(&r, err);
    if (PQntuples(result) != 1) return no_row(op, err);
    out->row.stamp = stamp(&r);
    out->row.checkpoint = position(&r, PDR_PG_COL_CHECKPOINT);
    out->row.seen = position(&r, PDR_PG_COL_SEEN);
    return odd(&r, err);
}

static pdr_code claim_answer(pdr_store_result *out, const pdr_pg_op *op, pdr_error *err)
{
    row_reader claimed = {op->answers[0], 0, PQntuples(op->answers[0]) != 1};
    int64_t rows = claimed.broken ? 0 : number(&claimed, 0);
    pdr_code code = odd(&claimed, err);
    if (code == PDR_OK) code = load_answer(out, op, op->answers[1], err);
    if (code != PDR_OK || rows == 1) return code;
    return pdr_fail(err, PDR_STALE, "partition %d: the store's term is of offset %lld", (int)op->partition,
                    (long long)out->row.stamp.term.offset);
}

static pdr_code save_answer(pdr_store_result *out, const pdr_pg_op *op, pdr_error *err)
{
    row_reader r = {op->answers[0], 0, PQntuples(op->answers[0]) != 1 || PQnfields(op->answers[0]) != 2};
    const char *exists = r.broken ? NULL : fixed(&r, 1, 1);
    if (!exists) return odd(&r, err);
    if (!is_null(&r, 0)) {
        out->row.stamp = op->stamp;
        return PDR_OK;
    }
    if (!*exists) return no_row(op, err);
    return pdr_fail(err, PDR_STALE, "partition %d: the store isn't as this owner saw it last",
                    (int)op->partition);
}

static pdr_code heads_answer(pdr_store_result *out, const pdr_pg_op *op, pdr_pg_found *found, pdr_error *err)
{
    const PGresult *result = op->answers[0];
    size_t count = (size_t)PQntuples(result);
    pdr_code code = reserve_heads(found, count, err);
    if (code != PDR_OK) return code;
    row_reader r = {result, 0, PQnfields(result) != PDR_PG_LOOKUP_COLUMNS};
    for (; (size_t)r.row < count && !r.broken; r.row++)
        head_from_row(&found->heads[out->head_count++], &r);
    out->heads = found->heads;
    return odd(&r, err);
}

static pdr_schema_row schema_from_row(row_reader *r)
{
    int64_t id = is_null(r, PDR_PG_COL_REGISTRY_ID) ? -1 : number(r, PDR_PG_COL_REGISTRY_ID);
    if (id < -1 || id > INT32_MAX) r->broken = true;
    return (pdr_schema_row){(uint64_t)number(r, PDR_PG_COL_FINGERPRINT), bytes(r, PDR_PG_COL_NAME),
                            bytes(r, PDR_PG_COL_JSON), (int32_t)id};
}

static pdr_code schemas_answer(pdr_store_result *out, const pdr_pg_op *op, pdr_pg_found *found,
                               pdr_error *err)
{
    const PGresult *result = op->answers[0];
    size_t count = (size_t)PQntuples(result);
    void *items = found->schemas;
    pdr_code code = reserve(&items, &found->schema_capacity, count, sizeof *found->schemas, err);
    found->schemas = items;
    if (code != PDR_OK) return code;
    row_reader r = {result, 0, PQnfields(result) != PDR_PG_SCHEMA_COLUMNS};
    for (; (size_t)r.row < count && !r.broken; r.row++)
        found->schemas[out->schema_count++] = schema_from_row(&r);
    out->schemas = found->schemas;
    return odd(&r, err);
}

static pdr_code put_states_answer(const pdr_pg_op *op, pdr_error *err)
{
    row_reader r = {op->answers[0], 0, PQntuples(op->answers[0]) != 1 || PQnfields(op->answers[0]) != 2};
    const char *exists = r.broken ? NULL : fixed(&r, 1, 1);
    if (!exists) return odd(&r, err);
    if (number(&r, 0) == 1) return PDR_OK;
    if (!*exists) return no_row(op, err);
    return pdr_fail(err, PDR_STALE, "partition %d: the store was reset or is another one",
                    (int)op->partition);
}

pdr_code pdr_pg_answer(pdr_store_result *out, const pdr_pg_op *op, pdr_pg_found *found, pdr_error *err)
{
    memset(out, 0, sizeof *out);
    switch (op->kind) {
    case PDR_PG_OP_LOAD: return load_answer(out, op, op->answers[0], err);
    case PDR_PG_OP_CLAIM: return claim_answer(out, op, err);
    case PDR_PG_OP_LOOKUP: return lookup_answer(out, op, found, err);
    case PDR_PG_OP_SAVE: return save_answer(out, op, err);
    case PDR_PG_OP_SCHEMAS: return schemas_answer(out, op, found, err);
    case PDR_PG_OP_HEADS: return heads_answer(out, op, found, err);
    case PDR_PG_OP_PUT_STATES: return put_states_answer(op, err);
    }
    return PDR_OK;
}
