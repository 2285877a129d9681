#include "tests/contract/views_contract.h"

#include <poll.h>
#include <time.h>

enum { CONNECTIONS = 3 };

static const pdr_views_subject *subject;
static void *place;
static pdr_views *connections[CONNECTIONS];
static pdr_arena kept = PDR_ARENA_INIT((size_t)1 << 30);
static time_t give_up_at;

/* --- The projection --- */

static const pdr_column kinds_columns[] = {
    {.name = "id", .type = PDR_COLUMN_TEXT, .not_null = true, .initial = {.null = true}},
    {.name = "flag", .type = PDR_COLUMN_BOOLEAN, .initial = {.null = true}},
    {.name = "small", .type = PDR_COLUMN_INTEGER, .initial = {.null = true}},
    {.name = "big", .type = PDR_COLUMN_BIGINT, .initial = {.null = true}},
    {.name = "num", .type = PDR_COLUMN_NUMERIC, .precision = 18, .scale = 4, .initial = {.null = true}},
    {.name = "real", .type = PDR_COLUMN_DOUBLE, .initial = {.null = true}},
    {.name = "word", .type = PDR_COLUMN_TEXT, .initial = {.null = true}},
    {.name = "raw", .type = PDR_COLUMN_BYTEA, .initial = {.null = true}},
    {.name = "day", .type = PDR_COLUMN_DATE, .initial = {.null = true}},
    {.name = "at", .type = PDR_COLUMN_TIMESTAMPTZ, .initial = {.null = true}},
};

/* Names that SQL has for itself. `user` must be given when a row is made. */
static const pdr_column order_columns[] = {
    {.name = "id", .type = PDR_COLUMN_TEXT, .not_null = true, .initial = {.null = true}},
    {.name = "n", .type = PDR_COLUMN_BIGINT, .not_null = true, .initial = {.null = true}},
    {.name = "user", .type = PDR_COLUMN_TEXT, .not_null = true, .initial = {.null = true}},
    {.name = "total", .type = PDR_COLUMN_BIGINT, .not_null = true, .initial = {.as.integer = 0}},
    {.name = "top", .type = PDR_COLUMN_INTEGER, .initial = {.null = true}},
    {.name = "low", .type = PDR_COLUMN_TEXT, .initial = {.null = true}},
    {.name = "amount",
     .type = PDR_COLUMN_NUMERIC,
     .precision = 6,
     .scale = 2,
     .not_null = true,
     .initial = {.as.integer = 0}},
    {.name = "sum", .type = PDR_COLUMN_DOUBLE, .initial = {.as.real = 0}},
    {.name = "from5", .type = PDR_COLUMN_INTEGER, .not_null = true, .initial = {.as.integer = 5}},
    {.name = "status", .type = PDR_COLUMN_TEXT, .initial = {.as.bytes = {(const uint8_t *)"it's \\new", 9}}},
};
static const char *const order_statements[] = {"CREATE UNIQUE INDEX \"{table}_low\" ON {table} (low)"};

static const pdr_column shared_columns[] = {
    {.name = "day", .type = PDR_COLUMN_DATE, .not_null = true, .initial = {.null = true}},
    {.name = "kind", .type = PDR_COLUMN_TEXT, .not_null = true, .initial = {.null = true}},
    {.name = "count", .type = PDR_COLUMN_BIGINT, .not_null = true, .initial = {.as.integer = 0}},
    {.name = "most", .type = PDR_COLUMN_BIGINT, .initial = {.null = true}},
    {.name = "first", .type = PDR_COLUMN_TIMESTAMPTZ, .initial = {.null = true}},
};

static const pdr_table tables[TABLES] = {
    {.name = "kinds", .columns = kinds_columns, .column_count = 1 + KIND_WIDTH, .key_count = 1},
    {.name = "order",
     .columns = order_columns,
     .column_count = 2 + ORDER_WIDTH,
     .key_count = 2,
     .statements = order_statements,
     .statement_count = 1},
    {.name = "shared",
     .columns = shared_columns,
     .column_count = 2 + SHARED_WIDTH,
     .key_count = 2,
     .shared = true},
};

#define BOOKS                                                                                                \
    {                                                                                                        \
        .projection = "books", .version = 1, .fingerprint = 0xfedcba9876543210u, .tables = tables,           \
        .table_count = TABLES, .partitions = 3, .journal_id = {                                              \
            1,                                                                                               \
            2,                                                                                               \
            3,                                                                                               \
            0,                                                                                               \
            0xff,                                                                                            \
            6,                                                                                               \
            7,                                                                                               \
            8,                                                                                               \
            9,                                                                                               \
            10,                                                                                              \
            11,                                                                                              \
            12,                                                                                              \
            13,                                                                                              \
            14,                                                                                              \
            15,                                                                                              \
            16                                                                                               \
        }                                                                                                    \
    }

const pdr_version_spec books = BOOKS;

pdr_version_spec books_of(uint32_t version)
{
    pdr_version_spec spec = BOOKS;
    spec.version = version;
    spec.fingerprint += version - 1;
    return spec;
}

/* --- The world --- */

static time_t seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

void views_world_open(void)
{
    pdr_error err = {0};
    subject = pdr_views_subject_get();
    give_up_at = seconds() + PDR_CONTRACT_GUARD_S;
    cr_assert_eq(subject->create(&place, &err), PDR_OK, "%s", err.message);
}

void views_world_ready(void)
{
    pdr_error err = {0};
    views_world_open();
    pdr_views *views = views_world_at(0);
    cr_assert_eq(views->ops->init(views, 60000, &err), PDR_OK, "%s", err.message);
}

void views_world_made(void)
{
    pdr_error err = {0};
    views_world_ready();
    pdr_views *views = views_world_at(0);
    cr_assert_eq(views->ops->create(views, &books, 60000, &err), PDR_OK, "%s", err.message);
}

pdr_views *views_world_at(size_t index)
{
    cr_assert_lt(index, CONNECTIONS);
    pdr_error err = {0};
    if (!connections[index]) {
        cr_assert_eq(subject->open(place, &connections[index], &err), PDR_OK, "%s", err.message);
        cr_assert_eq(pdr_views_ops_validate(connections[index]->ops, &err), PDR_OK, "%s", err.message);
    }
    return connections[index];
}

void views_world_close(void)
{
    for (size_t i = 0; i < CONNECTIONS; i++) {
        if (connections[i]) connections[i]->ops->close(connections[i]);
        connections[i] = NULL;
    }
    subject->destroy(place);
    pdr_arena_release(&kept);
}

const pdr_views_subject *views_world_subject(void)
{
    return subject;
}

void *views_world_place(void)
{
    return place;
}

void views_world_need_sql(void)
{
    if (subject->has_no_sql) cr_skip_test("the backend has no statements");
}

void views_world_need_pipeline(void)
{
    if (!views_world_at(0)->ops->pipelined) cr_skip_test("the backend takes one batch after the other");
}

static void sleep_on(pdr_views *const *open, size_t count)
{
    struct pollfd fds[CONNECTIONS * 4];
    int used = 0;
    int64_t due = 20000;
    for (size_t i = 0; i < count; i++) {
        int64_t one;
        used += open[i]->ops->wait_on(open[i], fds + used, 4, &one);
        if (one < due) due = one;
    }
    cr_assert_geq(due, 0);
    poll(fds, (nfds_t)used, (int)((due + 999) / 1000));
}

bool views_world_pump(void)
{
    pdr_views *open[CONNECTIONS];
    size_t count = 0, calls = 0;
    for (size_t i = 0; i < CONNECTIONS; i++) {
        if (!connections[i]) continue;
        open[count++] = connections[i];
        calls += connections[i]->ops->poll(connections[i]);
    }
    if (!calls && subject->idle) subject->idle(place, open, count);
    if (!calls && !subject->idle) sleep_on(open, count);
    return seconds() <= give_up_at;
}

/* --- Batches --- */

void *views_world_keep(size_t size)
{
    void *memory = pdr_arena_calloc(&kept, 1, size);
    cr_assert_not_null(memory);
    return memory;
}

pdr_position at(int64_t offset)
{
    if (offset < 0) return PDR_POSITION_START;
    return (pdr_position){offset, {offset / 2, 0xfedcba9876543210u + (uint64_t)offset}, (uint64_t)offset + 3};
}

made_batch *batch_new(void)
{
    made_batch *b = views_world_keep(sizeof *b);
    b->batch = (pdr_view_batch){.moves = b->moves,
                                .steps = b->steps,
                                .park = b->park,
                                .unpark = b->unpark,
                                .requests_done = b->requests};
    return b;
}

void batch_move(made_batch *b, int32_t partition, int64_t from, int64_t to)
{
    cr_assert_lt(b->batch.move_count, sizeof b->moves / sizeof *b->moves);
    b->moves[b->batch.move_count++] = (pdr_position_move){.partition = partition,
                                                          .from = at(from),
                                                          .to = at(to),
                                                          .event_time_us = 1700000000000000 + to,
                                                          .events = (uint64_t)(to - from)};
}

made_batch *batch_of(int32_t partition, int64_t from, int64_t to)
{
    made_batch *b = batch_new();
    batch_move(b, partition, from, to);
    return b;
}

made_batch *next_batch(void)
{
    static int64_t last = -1;
    made_batch *b = batch_of(0, last, last + 1);
    last++;
    return b;
}

static pdr_view_step *step_new(made_batch *b)
{
    cr_assert_lt(b->batch.step_count, sizeof b->steps / sizeof *b->steps);
    return &b->steps[b->batch.step_count++];
}

/* Rows lie in a block that doubles: steps are asked for a few rows, or for very many. */
static pdr_row_change *row_new(made_batch *b, size_t table)
{
    size_t last = b->batch.step_count - 1;
    pdr_view_step *step = b->batch.step_count && b->steps[last].rows && b->steps[last].table == table
                              ? &b->steps[last]
                              : step_new(b);
    size_t count = step->row_count, width = tables[table].column_count - tables[table].key_count;
    step->table = table;
    if ((count & (count - 1)) == 0) {
        pdr_row_change *more = views_world_keep((count ? 2 * count : 1) * sizeof *more);
        if (count) memcpy(more, step->rows, count * sizeof *more);
        step->rows = more;
    }
    pdr_row_change *row = (pdr_row_change *)(uintptr_t)&step->rows[step->row_count++];
    *row = (pdr_row_change){.key = views_world_keep(tables[table].key_count * sizeof(pdr_cell)),
                            .cells = views_world_keep(width * sizeof(pdr_cell)),
                            .modes = views_world_keep(width)};
    return row;
}

static void put_key(pdr_row_change *row, size_t i, pdr_cell cell)
{
    ((pdr_cell *)(uintptr_t)row->key)[i] = cell;
}

static const char *copied(const char *text)
{
    char *copy = views_world_keep(strlen(text) + 1);
    return strcpy(copy, text);
}

pdr_cell text_cell(const char *text)
{
    return pdr_cell_bytes(pdr_bytes_of(text, strlen(text)));
}

pdr_cell real_cell(double value)
{
    return (pdr_cell){.as.real = value};
}

pdr_row_change *kinds_row(made_batch *b, const char *id)
{
    pdr_row_change *row = row_new(b, KINDS);
    put_key(row, 0, text_cell(copied(id)));
    return row;
}

pdr_row_change *order_row(made_batch *b, const char *id, int64_t n)
{
    pdr_row_change *row = row_new(b, ORDER);
    put_key(row, 0, text_cell(copied(id)));
    put_key(row, 1, pdr_cell_integer(n));
    return row;
}

pdr_row_change *shared_row(made_batch *b, int64_t day, const char *kind)
{
    pdr_row_change *row = row_new(b, SHARED);
    put_key(row, 0, pdr_cell_integer(day));
    put_key(row, 1, text_cell(copied(kind)));
    return row;
}

void put(pdr_row_change *row, size_t column, pdr_cell_mode mode, pdr_cell cell)
{
    ((pdr_cell *)(uintptr_t)row->cells)[column] = cell;
    ((uint8_t *)(uintptr_t)row->modes)[column] = (uint8_t)mode;
}

void put_int(pdr_row_change *row, size_t column, pdr_cell_mode mode, int64_t value)
{
    put(row, column, mode, pdr_cell_integer(value));
}

void put_text(pdr_row_change *row, size_t column, const char *value)
{
    put(row, column, PDR_CELL_SET, text_cell(copied(value)));
}

pdr_row_change *removed(pdr_row_change *row)
{
    row->remove = true;
    row->cells = NULL;
    row->modes = NULL;
    return row;
}

pdr_view_step *statement(made_batch *b, const char *sql)
{
    pdr_view_step *step = step_new(b);
    *step = (pdr_view_step){.statement = sql,
                            .parameters = views_world_keep(8 * sizeof(pdr_cell)),
                            .parameter_types = views_world_keep(8 * sizeof(pdr_column_type))};
    return step;
}

static void statement_cell(pdr_view_step *step, pdr_column_type type, pdr_cell cell)
{
    cr_assert_lt(step->parameter_count, 8);
    ((pdr_cell *)(uintptr_t)step->parameters)[step->parameter_count] = cell;
    ((pdr_column_type *)(uintptr_t)step->parameter_types)[step->parameter_count++] = type;
}

void statement_text(pdr_view_step *step, const char *value)
{
    statement_cell(step, PDR_COLUMN_TEXT, value ? text_cell(copied(value)) : PDR_CELL_NULL);
}

void statement_int(pdr_view_step *step, int64_t value)
{
    statement_cell(step, PDR_COLUMN_BIGINT, pdr_cell_integer(value));
}

void park(made_batch *b, int32_t partition, int64_t offset, const char *entity, const char *reason)
{
    cr_assert_lt(b->batch.park_count, sizeof b->park / sizeof *b->park);
    b->park[b->batch.park_count++] = (pdr_dead_letter){.partition = partition,
                                                       .offset = offset,
                                                       .before = at(offset - 1),
                                                       .entity = pdr_bytes_of(entity, strlen(entity)),
                                                       .seq = (uint64_t)offset * 2,
                                                       .attempts = 1,
                                                       .first_us = 1000,
                                                       .last_us = 2000,
                                                       .reason = reason};
}

void unpark(made_batch *b, int32_t partition, int64_t offset)
{
    cr_assert_lt(b->batch.unpark_count, sizeof b->unpark / sizeof *b->unpark);
    b->unpark[b->batch.unpark_count++] =
        (pdr_dead_letter){.partition = partition, .offset = offset, .reason = ""};
}
