/* From a batch to statements: what it rests on, the positions' move, then each step, then dead letters and
 * requests. */
#include "backends/postgres/binary.h"
#include "backends/postgres/views_batch.h"
#include "backends/postgres/views_values.h"

pdr_code pdr_pgv_no_memory(const pdr_pgv_building *b)
{
    return pdr_fail(b->err, PDR_NOMEM, "a batch of projection %s", b->spec->projection);
}

/* The statement whose text stands in b->sql. NULL: no memory. */
pdr_pgv_statement *pdr_pgv_add_statement(pdr_pgv_building *b, size_t step)
{
    if (pdr_buf_append(&b->sql, "", 1) != PDR_OK) return NULL;
    pdr_pgv_prepared *prepared =
        pdr_pgv_prepared_of(b->set, (const char *)b->sql.data, b->params, b->param_count);
    return pdr_pgv_op_add(b->op, prepared, step);
}

void pdr_pgv_begin_statement(pdr_pgv_building *b)
{
    pdr_buf_clear(&b->sql);
    b->param_count = 0;
}

/* --- Columns of structs as arrays --- */

typedef struct column_of {
    const uint8_t *first; /* the member of the first struct */
    size_t stride;
    pdr_column_type type;
    pdr_cell cell; /* what was asked for last */
} column_of;

static const pdr_cell *struct_cell(const void *context, size_t i)
{
    column_of *c = (column_of *)(uintptr_t)context;
    const uint8_t *at = c->first + i * c->stride;
    int32_t small;
    c->cell = (pdr_cell){0};
    if (c->type == PDR_COLUMN_BIGINT) {
        memcpy(&c->cell.as.integer, at, sizeof c->cell.as.integer);
    } else if (c->type == PDR_COLUMN_INTEGER) {
        memcpy(&small, at, sizeof small);
        c->cell.as.integer = small;
    } else if (c->type == PDR_COLUMN_BOOLEAN) {
        memcpy(&c->cell.as.boolean, at, sizeof c->cell.as.boolean);
    } else {
        memcpy(&c->cell.as.bytes, at, sizeof c->cell.as.bytes);
    }
    return &c->cell;
}

static bool put_struct_column(pdr_pgv_building *b, pdr_pgv_statement *s, int parameter, pdr_column_type type,
                              const void *first, size_t stride, size_t count)
{
    column_of column = {.first = first, .stride = stride, .type = type};
    pdr_pgv_array array = {.type = type, .cell = struct_cell, .context = &column, .count = count};
    pdr_bytes bytes = pdr_pgv_put_array(&array, &b->op->arena);
    if (bytes.data) pdr_pgv_set(s, parameter, bytes);
    return bytes.data;
}

static bool put_text(pdr_pgv_building *b, pdr_pgv_statement *s, int parameter, const char *text)
{
    pdr_bytes copy = pdr_arena_bytes(&b->op->arena, pdr_bytes_of(text, strlen(text)));
    if (copy.data) pdr_pgv_set(s, parameter, copy);
    return copy.data;
}

static bool put_number(pdr_pgv_building *b, pdr_pgv_statement *s, int parameter, uint64_t number)
{
    uint8_t *bytes = pdr_arena_alloc(&b->op->arena, 8), *at = bytes;
    if (!bytes) return false;
    pdr_pg_put64(&at, (int64_t)number);
    pdr_pgv_set(s, parameter, pdr_bytes_of(bytes, 8));
    return true;
}

static bool put_version(pdr_pgv_building *b, pdr_pgv_statement *s, int parameter)
{
    uint8_t *bytes = pdr_arena_alloc(&b->op->arena, 4), *at = bytes;
    if (!bytes) return false;
    pdr_pg_put32(&at, (int32_t)b->spec->version);
    pdr_pgv_set(s, parameter, pdr_bytes_of(bytes, 4));
    return true;
}

/* --- Positions --- */

typedef struct flat_move {
    int64_t partition, generation, from[4], to[4], events;
} flat_move;

static void flatten(int64_t out[4], pdr_position position)
{
    out[0] = position.offset;
    out[1] = position.term.offset;
    out[2] = (int64_t)position.term.incarnation;
    out[3] = (int64_t)position.number;
}

static const pdr_cell *time_cell(const void *context, size_t i)
{
    static const pdr_cell none = {.null = true};
    column_of *c = (column_of *)(uintptr_t)context;
    memcpy(&c->cell.as.integer, c->first + i * c->stride, sizeof c->cell.as.integer);
    return c->cell.as.integer == INT64_MIN ? &none : &c->cell;
}

static bool put_times(pdr_pgv_building *b, pdr_pgv_statement *s, int parameter, const pdr_view_batch *batch)
{
    column_of column = {.first = (const uint8_t *)&batch->moves[0].event_time_us,
                        .stride = sizeof *batch->moves};
    pdr_pgv_array array = {
        .type = PDR_COLUMN_BIGINT, .cell = time_cell, .context = &column, .count = batch->move_count};
    pdr_bytes bytes = pdr_pgv_put_array(&array, &b->op->arena);
    if (bytes.data) pdr_pgv_set(s, parameter, bytes);
    return bytes.data;
}

static pdr_code add_moves(pdr_pgv_building *b, const char *worker, const pdr_view_batch *batch)
{
    flat_move *flat = pdr_arena_alloc(&b->op->arena, batch->move_count * sizeof *flat);
    pdr_pgv_begin_statement(b);
    pdr_code code =
        pdr_buf_printf(&b->sql,
                       "SELECT %s.follow_batch($1, $2, $16, $17),"
                       " %s.move_positions($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
                       b->names->schema, b->names->schema);
    if (code != PDR_OK || !flat) return pdr_pgv_no_memory(b);
    for (size_t i = 0; i < batch->move_count; i++) {
        flat[i].partition = batch->moves[i].partition;
        flat[i].generation = (int64_t)batch->moves[i].generation;
        flat[i].events = (int64_t)batch->moves[i].events;
        flatten(flat[i].from, batch->moves[i].from);
        flatten(flat[i].to, batch->moves[i].to);
    }
    b->params[0] = PDR_PG_TEXT;
    b->params[1] = PDR_PG_INT4;
    b->params[2] = PDR_PG_TEXT;
    for (b->param_count = 3; b->param_count < 15; b->param_count++)
        b->params[b->param_count] = PDR_PG_INT8_ARRAY;
    b->params[b->param_count++] = PDR_PG_INT8;
    b->params[b->param_count++] = PDR_PG_INT8;
    pdr_pgv_statement *s = pdr_pgv_add_statement(b, SIZE_MAX);
    bool good =
        s && put_number(b, s, 15, b->op->after) && put_number(b, s, 16, b->op->id) &&
        put_text(b, s, 0, b->spec->projection) && put_version(b, s, 1) && put_text(b, s, 2, worker) &&
        put_struct_column(b, s, 3, PDR_COLUMN_BIGINT, &flat->partition, sizeof *flat, batch->move_count) &&
        put_struct_column(b, s, 4, PDR_COLUMN_BIGINT, &flat->generation, sizeof *flat, batch->move_count);
    for (int i = 0; good && i < 4; i++)
        good =
            put_struct_column(b, s, 5 + i, PDR_COLUMN_BIGINT, &flat->from[i], sizeof *flat,
                              batch->move_count) &&
            put_struct_column(b, s, 9 + i, PDR_COLUMN_BIGINT, &flat->to[i], sizeof *flat, batch->move_count);
    good = good && put_times(b, s, 13, batch) &&
           put_struct_column(b, s, 14, PDR_COLUMN_BIGINT, &flat->events, sizeof *flat, batch->move_count);
    return good ? PDR_OK : pdr_pgv_no_memory(b);
}

/* --- Statements --- */

static pdr_code add_statement(pdr_pgv_building *b, const pdr_view_step *step, size_t index)
{
    pdr_pgv_begin_statement(b);
    if (step->parameter_count > PDR_PGV_MAX_PARAMS)
        return pdr_fail(b->err, PDR_INVALID_ARGUMENT, "a statement has at most %d parameters",
                        PDR_PGV_MAX_PARAMS);
    pdr_code code = pdr_view_statement_check(step->statement, b->err);
    if (code == PDR_OK)
        code = pdr_pgv_sql_expand(&b->sql, step->statement, b->names, b->spec, SIZE_MAX, b->err);
    if (code != PDR_OK) return code;
    for (size_t i = 0; i < step->parameter_count; i++)
        b->params[b->param_count++] = pdr_pgv_oid(step->parameter_types[i]);
    pdr_pgv_statement *s = pdr_pgv_add_statement(b, index);
    for (size_t i = 0; s && i < step->parameter_count; i++) {
        pdr_bytes bytes;
        if (!pdr_pgv_put(step->parameter_types[i], 0, &step->parameters[i], &b->op->arena, &bytes))
            return pdr_pgv_no_memory(b);
        if (bytes.data) bytes = pdr_arena_bytes(&b->op->arena, bytes);
        if (bytes.data || step->parameters[i].null) pdr_pgv_set(s, (int)i, bytes);
    }
    return s ? PDR_OK : pdr_pgv_no_memory(b);
}

/* --- Dead letters and requests --- */

typedef struct flat_letter {
    int64_t numbers[10]; /* partition, offset, before (4), seq, attempts, first, last */
    bool behind;
    pdr_bytes entity, reason;
} flat_letter;

static pdr_bytes reason_of(pdr_pgv_building *b, const char *reason)
{
    pdr_bytes bytes = pdr_bytes_of(reason, strlen(reason));
    if (pdr_view_is_text(bytes)) return bytes;
    pdr_string text = pdr_view_text(&b->op->arena, bytes);
    return pdr_bytes_of(text.data, text.data ? text.size : 0);
}

static flat_letter *flatten_letters(pdr_pgv_building *b, const pdr_dead_letter *letters, size_t count)
{
    flat_letter *flat = pdr_arena_alloc(&b->op->arena, count * sizeof *flat);
    for (size_t i = 0; flat && i < count; i++) {
        const pdr_dead_letter *l = &letters[i];
        flat[i] = (flat_letter){.numbers = {l->partition, l->offset, 0, 0, 0, 0, (int64_t)l->seq, l->attempts,
                                            l->first_us, l->last_us},
                                .behind = l->behind,
                                .entity = l->entity,
                                .reason = reason_of(b, l->reason ? l->reason : "")};
        flatten(&flat[i].numbers[2], l->before);
    }
    return flat;
}

static pdr_code add_parked(pdr_pgv_building *b, const pdr_view_batch *batch)
{
    flat_letter *flat = flatten_letters(b, batch->park, batch->park_count);
    size_t n = batch->park_count;
    pdr_pgv_begin_statement(b);
    pdr_code code = pdr_buf_printf(
        &b->sql,
        "INSERT INTO %s.dead_letter (projection, version, partition, \"offset\", before_offset, "
        "before_term_offset,"
        " before_term_incarnation, before_number, seq, attempts, first_us, last_us, behind, entity, reason)"
        " SELECT $1, $2, u.* FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) AS u"
        " ON CONFLICT (projection, version, partition, \"offset\") DO UPDATE SET attempts = "
        "excluded.attempts,"
        " last_us = excluded.last_us, behind = excluded.behind, reason = excluded.reason",
        b->names->schema);
    if (code != PDR_OK || !flat) return pdr_pgv_no_memory(b);
    b->params[0] = PDR_PG_TEXT;
    b->params[1] = PDR_PG_INT4;
    for (b->param_count = 2; b->param_count < 12; b->param_count++)
        b->params[b->param_count] = PDR_PG_INT8_ARRAY;
    b->params[12] = pdr_pgv_array_oid(PDR_COLUMN_BOOLEAN);
    b->params[13] = b->params[14] = PDR_PG_TEXT_ARRAY;
    b->param_count = 15;
    pdr_pgv_statement *s = pdr_pgv_add_statement(b, SIZE_MAX);
    bool good = s && put_text(b, s, 0, b->spec->projection) && put_version(b, s, 1);
    for (int i = 0; good && i < 10; i++)
        good = put_struct_column(b, s, 2 + i, PDR_COLUMN_BIGINT, &flat->numbers[i], sizeof *flat, n);
    good = good && put_struct_column(b, s, 12, PDR_COLUMN_BOOLEAN, &flat->behind, sizeof *flat, n) &&
           put_struct_column(b, s, 13, PDR_COLUMN_TEXT, &flat->entity, sizeof *flat, n) &&
           put_struct_column(b, s, 14, PDR_COLUMN_TEXT, &flat->reason, sizeof *flat, n);
    return good ? PDR_OK : pdr_pgv_no_memory(b);
}

static pdr_code add_unparked(pdr_pgv_building *b, const pdr_view_batch *batch)
{
    flat_letter *flat = flatten_letters(b, batch->unpark, batch->unpark_count);
    pdr_pgv_begin_statement(b);
    pdr_code code = pdr_buf_printf(&b->sql, "SELECT %s.unpark($1, $2, $3, $4)", b->names->schema);
    if (code != PDR_OK || !flat) return pdr_pgv_no_memory(b);
    b->params[0] = PDR_PG_TEXT;
    b->params[1] = PDR_PG_INT4;
    b->params[2] = b->params[3] = PDR_PG_INT8_ARRAY;
    b->param_count = 4;
    pdr_pgv_statement *s = pdr_pgv_add_statement(b, SIZE_MAX);
    bool good = s && put_text(b, s, 0, b->spec->projection) && put_version(b, s, 1);
    for (int i = 0; good && i < 2; i++)
        good = put_struct_column(b, s, 2 + i, PDR_COLUMN_BIGINT, &flat->numbers[i], sizeof *flat,
                                 batch->unpark_count);
    return good ? PDR_OK : pdr_pgv_no_memory(b);
}

static pdr_code add_requests(pdr_pgv_building *b, const pdr_view_batch *batch)
{
    pdr_pgv_begin_statement(b);
    pdr_code code =
        pdr_buf_printf(&b->sql, "DELETE FROM %s.projection_request WHERE id = ANY ($1)", b->names->schema);
    b->params[0] = PDR_PG_INT8_ARRAY;
    b->param_count = 1;
    pdr_pgv_statement *s = code == PDR_OK ? pdr_pgv_add_statement(b, SIZE_MAX) : NULL;
    bool good = s && put_struct_column(b, s, 0, PDR_COLUMN_BIGINT, batch->requests_done,
                                       sizeof *batch->requests_done, batch->request_count);
    return good ? PDR_OK : pdr_pgv_no_memory(b);
}

/* --- The whole --- */

static pdr_code add_all(pdr_pgv_building *b, const char *worker, const pdr_view_batch *batch)
{
    pdr_code code = batch->move_count ? add_moves(b, worker, batch) : PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < batch->step_count; i++) {
        b->step = i;
        code = batch->steps[i].statement ? add_statement(b, &batch->steps[i], i)
                                         : pdr_pgv_add_rows(b, &batch->steps[i], i);
    }
    if (code == PDR_OK && batch->unpark_count) code = add_unparked(b, batch);
    if (code == PDR_OK && batch->park_count) code = add_parked(b, batch);
    if (code == PDR_OK && batch->request_count) code = add_requests(b, batch);
    return code;
}

pdr_code pdr_pgv_batch(pdr_pgv_op *op, pdr_pgv_prepared_set *set, const pdr_pgv_names *names,
                       const pdr_version_spec *spec, const char *worker, const pdr_view_batch *batch,
                       pdr_error *err)
{
    pdr_pgv_building b = {
        .op = op, .set = set, .names = names, .spec = spec, .sql = PDR_BUF_INIT(PDR_PGV_MAX_SQL), .err = err};
    pdr_code code = add_all(&b, worker, batch);
    pdr_buf_release(&b.sql);
    op->bad_step = code == PDR_BAD_DATA ? b.step : SIZE_MAX;
    return code;
}
