#include "tests/integration/postgres_views_world.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_VERSIONS = 10, PARTITIONS = 4 };

pdr_views *opened[MAX_VIEWS];

const pdr_column columns[COLUMNS] = {
    {.name = "id", .type = PDR_COLUMN_TEXT, .not_null = true, .initial = {.null = true}},
    {.name = "n", .type = PDR_COLUMN_BIGINT, .initial = {.null = true}},
    {.name = "sum", .type = PDR_COLUMN_BIGINT, .not_null = true, .initial = {.as.integer = 0}},
};
const pdr_table tables[TABLES] = {
    {.name = "counts", .columns = columns, .column_count = 3, .key_count = 1},
    {.name = "totals", .columns = columns, .column_count = 3, .key_count = 1, .shared = true},
};

pdr_version_spec spec_of(uint32_t version)
{
    return (pdr_version_spec){.projection = "counting",
                              .version = version,
                              .fingerprint = version,
                              .tables = tables,
                              .table_count = 2,
                              .partitions = PARTITIONS};
}

/* --- The world --- */

pdr_views *views_at(const char *url, int wait_ms, int limit_ms)
{
    pdr_error err = {0};
    pdr_postgres_views_options options = {.url = url ? url : getenv("PERDURE_TEST_POSTGRES"),
                                          .schema = world_schema(),
                                          .view_schema = world_schema(),
                                          .wait_ms = wait_ms,
                                          .limit_ms = limit_ms};
    for (size_t i = 0; i < MAX_VIEWS; i++) {
        if (opened[i]) continue;
        cr_assert_eq(pdr_postgres_views_open(&opened[i], &options, &err), PDR_OK, "%s", err.message);
        return opened[i];
    }
    cr_assert_fail("too many connections");
    return NULL;
}

static uint64_t generations[MAX_VERSIONS][PARTITIONS];

static pdr_code note_generation(void *context, const pdr_position_row *row, pdr_error *err)
{
    (void)err;
    ((uint64_t *)context)[row->partition] = row->generation;
    return PDR_OK;
}

void load_generations(uint32_t version)
{
    pdr_error err = {0};
    pdr_views *views = opened[0];
    cr_assert_eq(
        views->ops->positions(views, "counting", version, note_generation, generations[version], &err),
        PDR_OK, "%s", err.message);
}

void made(uint32_t version)
{
    pdr_error err = {0};
    pdr_version_spec spec = spec_of(version);
    pdr_views *views = opened[0];
    cr_assert_eq(views->ops->create(views, &spec, 60000, &err), PDR_OK, "%s", err.message);
    load_generations(version);
}

void views_open(void)
{
    pdr_error err = {0};
    world_open();
    pdr_views *views = views_at(NULL, 60000, 0);
    cr_assert_eq(views->ops->init(views, 60000, &err), PDR_OK, "%s", err.message);
    made(1);
}

void views_close(void)
{
    for (size_t i = 0; i < MAX_VIEWS; i++)
        if (opened[i]) opened[i]->ops->close(opened[i]);
    memset(opened, 0, sizeof opened);
    world_close();
}

/* --- Batches --- */

void note(void *context, uint64_t tag, const pdr_view_result *result)
{
    ended *e = (ended *)context + tag;
    e->times++;
    e->code = result->code;
    e->position = result->position;
    if (result->error) e->error = *result->error;
}

void note_rows(void *context, uint64_t tag, const pdr_view_rows *rows)
{
    ended *e = context;
    (void)tag;
    e->times++;
    e->code = rows->code;
    e->count = rows->count;
    if (rows->error) e->error = *rows->error;
}

pdr_position position(int64_t offset)
{
    return offset < 0 ? PDR_POSITION_START : (pdr_position){offset, {0, 7}, (uint64_t)offset + 1};
}

static void begin_nth(ended *piled, uint64_t nth, pdr_views *views, uint32_t version, int32_t partition,
                      int64_t from, size_t rows)
{
    static const uint8_t modes[] = {PDR_CELL_SET, PDR_CELL_ADD}, deltas[] = {PDR_CELL_GREATEST, PDR_CELL_ADD};
    char ids[100][24];
    pdr_cell keys[100], own = pdr_cell_bytes(pdr_bytes_of(&"0123"[partition], 1));
    pdr_cell cells[2] = {pdr_cell_integer(from + 1), pdr_cell_integer(1)};
    pdr_row_change change = {.key = &own, .cells = cells, .modes = modes}, shared[100];
    pdr_version_spec spec = spec_of(version);
    pdr_error err = {0};
    for (size_t i = 0; i < rows; i++) {
        snprintf(ids[i], sizeof ids[i], "%03zu", i);
        keys[i] = pdr_cell_bytes(pdr_bytes_of(ids[i], 3));
        shared[i] = (pdr_row_change){.key = &keys[i], .cells = cells, .modes = deltas};
    }
    pdr_position_move move = {.partition = partition,
                              .generation = generations[version][partition],
                              .from = position(from),
                              .to = position(from + 1),
                              .event_time_us = from,
                              .events = 1};
    pdr_view_step steps[2] = {{.table = 0, .rows = &change, .row_count = 1},
                              {.table = 1, .rows = shared, .row_count = rows}};
    pdr_view_batch batch = {.moves = &move, .move_count = 1, .steps = steps, .step_count = rows ? 2 : 1};
    batch.on_top = nth > 0;
    piled[nth] = (ended){0};
    cr_assert_eq(views->ops->commit(views, &spec, "one", &batch, note, piled, nth, &err), PDR_OK, "%s",
                 err.message);
}

void begin_batch(ended *e, pdr_views *views, uint32_t version, int32_t partition, int64_t from, size_t rows)
{
    begin_nth(e, 0, views, version, partition, from, rows);
}

void begin_on_top(ended piled[2], pdr_views *views, int64_t from, size_t rows)
{
    begin_nth(piled, 1, views, 1, 0, from, rows);
}

void poll_once(pdr_views *views, int most_ms)
{
    struct pollfd fd[1];
    int64_t due;
    if (views->ops->poll(views)) return;
    int count = views->ops->wait_on(views, fd, 1, &due);
    if (due > most_ms * 1000) due = most_ms * 1000;
    poll(fd, (nfds_t)count, (int)((due + 999) / 1000));
}

void until_ended(pdr_views *views, const ended *e)
{
    time_t give_up = time(NULL) + PDR_CONTRACT_GUARD_S;
    while (!e->times) {
        cr_assert_lt(time(NULL), give_up, "gave up waiting for a completion");
        poll_once(views, 50);
    }
    cr_assert_eq(e->times, 1);
}

ended batch(pdr_views *views, int32_t partition, int64_t from, size_t rows)
{
    ended e;
    begin_batch(&e, views, 1, partition, from, rows);
    until_ended(views, &e);
    return e;
}

static pdr_code take_offset(void *context, const pdr_position_row *row, pdr_error *err)
{
    (void)err;
    if (row->partition == 0) *(int64_t *)context = row->position.offset;
    return PDR_OK;
}

int64_t offset_now(pdr_views *views)
{
    int64_t offset = -2;
    pdr_error err = {0};
    for (int tries = 0; views->ops->positions(views, "counting", 1, take_offset, &offset, &err) != PDR_OK;
         tries++) {
        cr_assert(pdr_code_retry(err.code) && tries < 100, "%s", err.message);
        poll(NULL, 0, 100);
    }
    return offset;
}

void rows_equal_positions(void)
{
    cr_assert_eq(
        sql_number("SELECT count(*) FROM @projection_position p LEFT JOIN @counts c ON c.id ="
                   " p.partition::text WHERE p.version = 1 AND (coalesce(c.sum, 0) <> p.\"offset\" + 1 OR"
                   " coalesce(c.n, -1) <> p.\"offset\" OR p.events <> p.\"offset\" + 1)"),
        0);
}
