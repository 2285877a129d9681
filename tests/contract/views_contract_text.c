/* Outcomes of operations, and what is there as text. */
#include <stdio.h>

#include "tests/contract/views_contract.h"

static bool in_call; /* an operation is running: no completion may */
static size_t completions;

/* --- Outcomes --- */

static uint64_t next_tag = 1000;

static void note(outcome *o, uint64_t tag, pdr_code code, const pdr_error *error)
{
    cr_assert(!in_call, "a completion came inside a submitting call");
    cr_assert_eq(o->tag, tag);
    o->times++;
    o->order = completions++;
    o->code = code;
    cr_assert_eq(code == PDR_OK, error == NULL);
    if (error) {
        o->error = *error;
        cr_assert_eq(error->code, code);
        cr_assert(error->message[0]);
    }
}

static void note_commit(void *context, uint64_t tag, const pdr_view_result *result)
{
    outcome *o = context;
    while (o->tag != tag && o->top)
        o = o->top;
    note(o, tag, result->code, result->error);
    o->step = result->step;
    o->partition = result->partition;
    o->position = result->position;
    if (o->then) o->then(o);
}

static void accepted(const outcome *o, pdr_code code, const pdr_error *err)
{
    in_call = false;
    cr_assert_eq(code, PDR_OK, "%s", err->message);
    cr_assert_eq(o->times, 0);
}

/* --- Generations: a worker has them from the positions that it loaded --- */

enum { PARTITIONS = 3 };
static uint64_t generations[PARTITIONS];
static const char *generations_of;
static uint32_t generations_version;

static pdr_code each_generation(void *context, const pdr_position_row *row, pdr_error *err)
{
    (void)context;
    (void)err;
    if (row->partition < PARTITIONS) generations[row->partition] = row->generation;
    return PDR_OK;
}

void positions_loaded(const pdr_version_spec *spec)
{
    pdr_views *views = views_world_at(0);
    generations_of = spec->projection;
    generations_version = spec->version;
    (void)!views->ops->positions(views, spec->projection, spec->version, each_generation, NULL, NULL);
}

static uint64_t generation_of(const pdr_version_spec *spec, int32_t partition)
{
    bool known = generations_of && strcmp(generations_of, spec->projection) == 0;
    if (!known || generations_version != spec->version) positions_loaded(spec);
    return partition >= 0 && partition < PARTITIONS ? generations[partition] : 0;
}

static pdr_code submit_for(outcome *o, outcome *context, pdr_views *views, const pdr_version_spec *spec,
                           const made_batch *b, pdr_error *err)
{
    pdr_position_move moves[sizeof b->moves / sizeof *b->moves];
    pdr_view_batch batch = b->batch;
    batch.moves = moves;
    for (size_t i = 0; i < batch.move_count; i++) {
        moves[i] = b->moves[i];
        moves[i].generation = generation_of(spec, moves[i].partition);
    }
    batch.on_top = context != o;
    in_call = true;
    o->tag = next_tag++;
    pdr_code code =
        views->ops->commit(views, spec, "worker 'one'", &batch, note_commit, context, o->tag, err);
    in_call = false;
    return code;
}

void submit(outcome *o, pdr_views *views, const pdr_version_spec *spec, const made_batch *b)
{
    pdr_error err = {0};
    accepted(o, submit_for(o, o, views, spec, b, &err), &err);
}

pdr_code submit_on_top(outcome *o, outcome *first, pdr_views *views, const made_batch *b, pdr_error *err)
{
    outcome *below = first;
    while (below->top)
        below = below->top;
    below->top = o;
    return submit_for(o, first, views, &books, b, err);
}

void outcome_wait(const outcome *o)
{
    while (!o->times)
        cr_assert(views_world_pump(), "gave up waiting for a completion");
    cr_assert_eq(o->times, 1);
}

outcome commit_of(pdr_views *views, const made_batch *b)
{
    outcome o = {0};
    submit(&o, views, &books, b);
    outcome_wait(&o);
    return o;
}

void committed(const made_batch *b)
{
    outcome o = commit_of(views_world_at(0), b);
    cr_assert_eq(o.code, PDR_OK, "%s: %s", pdr_code_name(o.code), o.error.message);
}

/* --- Text --- */

typedef struct writing {
    pdr_buf text;
    const pdr_table *table;
    uint64_t *ids;
    size_t lines;
} writing;

#define WRITING                                                                                              \
    {                                                                                                        \
        .text = PDR_BUF_INIT((size_t)1 << 28)                                                                \
    }

static void write_cell(pdr_buf *text, pdr_column_type type, const pdr_cell *cell)
{
    pdr_code code = PDR_OK;
    if (cell->null)
        code = pdr_buf_printf(text, "NULL");
    else if (type == PDR_COLUMN_BOOLEAN)
        code = pdr_buf_printf(text, "%s", cell->as.boolean ? "true" : "false");
    else if (type == PDR_COLUMN_DOUBLE)
        code = pdr_buf_printf(text, "%.17g", cell->as.real);
    else if (type == PDR_COLUMN_TEXT)
        code = pdr_buf_printf(text, "'%.*s'", (int)cell->as.bytes.size, (const char *)cell->as.bytes.data);
    else if (type != PDR_COLUMN_BYTEA)
        code = pdr_buf_printf(text, "%lld", (long long)cell->as.integer);
    else {
        code = pdr_buf_printf(text, "x");
        for (size_t i = 0; code == PDR_OK && i < cell->as.bytes.size; i++)
            code = pdr_buf_printf(text, "%02x", cell->as.bytes.data[i]);
    }
    cr_assert_eq(code, PDR_OK);
}

static void write_row(writing *w, const pdr_cell *cells)
{
    for (size_t i = 0; i < w->table->column_count; i++) {
        if (i) cr_assert_eq(pdr_buf_append(&w->text, " ", 1), PDR_OK);
        write_cell(&w->text, w->table->columns[i].type, &cells[i]);
    }
    cr_assert_eq(pdr_buf_append(&w->text, "\n", 1), PDR_OK);
}

static char *written(writing *w)
{
    char *copy = views_world_keep(w->text.size + 1);
    if (w->text.size) memcpy(copy, w->text.data, w->text.size);
    pdr_buf_release(&w->text);
    return copy;
}

static pdr_code each_row(void *context, const pdr_cell *cells, pdr_error *err)
{
    (void)err;
    write_row(context, cells);
    return PDR_OK;
}

char *table_text_of(pdr_views *views, const pdr_version_spec *spec, size_t table)
{
    pdr_error err = {0};
    writing w = WRITING;
    w.table = &spec->tables[table];
    cr_assert_eq(views->ops->scan(views, spec, table, NULL, each_row, &w, &err), PDR_OK, "%s", err.message);
    return written(&w);
}

char *table_text(size_t table)
{
    return table_text_of(views_world_at(0), &books, table);
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Rows come in any order: their lines sorted. */
static char *sorted(char *text, size_t count)
{
    char **lines = views_world_keep((count + 1) * sizeof *lines), *all = views_world_keep(strlen(text) + 1);
    size_t found = 0;
    for (char *line = strtok(text, "\n"); line && found < count; line = strtok(NULL, "\n"))
        lines[found++] = line;
    qsort(lines, found, sizeof *lines, compare_lines);
    for (size_t i = 0, used = 0; i < found; i++)
        used += (size_t)sprintf(all + used, "%s\n", lines[i]);
    return all;
}

static const pdr_table *fetched_table; /* of the fetch under way */

static void note_fetch(void *context, uint64_t tag, const pdr_view_rows *rows)
{
    outcome *o = context;
    writing w = WRITING;
    note(o, tag, rows->code, rows->error);
    w.table = fetched_table;
    for (size_t i = 0; i < rows->count; i++)
        write_row(&w, rows->rows[i]);
    o->rows = sorted(written(&w), rows->count);
    o->count = rows->count;
    if (o->then) o->then(o);
}

void submit_fetch(outcome *o, pdr_views *views, size_t table, const pdr_cell *const *keys, size_t count)
{
    pdr_error err = {0};
    in_call = true;
    o->tag = next_tag++;
    fetched_table = &books.tables[table];
    accepted(o, views->ops->fetch(views, &books, table, keys, count, note_fetch, o, o->tag, &err), &err);
}

outcome fetch_of(pdr_views *views, size_t table, const pdr_cell *const *keys, size_t count)
{
    outcome o = {0};
    submit_fetch(&o, views, table, keys, count);
    outcome_wait(&o);
    return o;
}

static pdr_code each_position(void *context, const pdr_position_row *row, pdr_error *err)
{
    writing *w = context;
    (void)err;
    cr_assert(pdr_position_equal(row->position, at(row->position.offset)), "another term or number");
    cr_assert_eq(row->event_time_us,
                 row->position.offset < 0 ? INT64_MIN : 1700000000000000 + row->position.offset);
    cr_assert_gt(row->updated_us, 0);
    return pdr_buf_printf(&w->text, "%d %lld %llu %llu %s\n", (int)row->partition,
                          (long long)row->position.offset, (unsigned long long)row->events,
                          (unsigned long long)row->parked, row->worker);
}

char *positions_text(uint32_t version)
{
    pdr_error err = {0};
    writing w = WRITING;
    pdr_views *views = views_world_at(0);
    cr_assert_eq(views->ops->positions(views, "books", version, each_position, &w, &err), PDR_OK, "%s",
                 err.message);
    return written(&w);
}

static pdr_code each_letter(void *context, const pdr_dead_letter *l, pdr_error *err)
{
    writing *w = context;
    (void)err;
    cr_assert(pdr_position_equal(l->before, at(l->offset - 1)), "another position before it");
    return pdr_buf_printf(&w->text, "%d %lld %.*s %llu %d %d %lld %lld %s\n", (int)l->partition,
                          (long long)l->offset, (int)l->entity.size, (const char *)l->entity.data,
                          (unsigned long long)l->seq, l->behind, (int)l->attempts, (long long)l->first_us,
                          (long long)l->last_us, l->reason);
}

char *letters_text(uint32_t version, int32_t partition)
{
    pdr_error err = {0};
    writing w = WRITING;
    pdr_views *views = views_world_at(0);
    cr_assert_eq(views->ops->dead_letters(views, "books", version, partition, each_letter, &w, &err), PDR_OK,
                 "%s", err.message);
    return written(&w);
}

static pdr_code each_request(void *context, const pdr_request_row *row, pdr_error *err)
{
    writing *w = context;
    (void)err;
    if (w->ids) w->ids[w->lines++] = row->id;
    cr_assert_gt(row->id, 0);
    return pdr_buf_printf(&w->text, "%s %d %.*s\n", row->kind == PDR_REQUEST_RETRY ? "retry" : "skip",
                          (int)row->partition, (int)row->entity.size, (const char *)row->entity.data);
}

char *requests_text(uint32_t version, int32_t partition, uint64_t *ids)
{
    pdr_error err = {0};
    writing w = WRITING;
    w.ids = ids;
    pdr_views *views = views_world_at(0);
    cr_assert_eq(views->ops->requests(views, "books", version, partition, each_request, &w, &err), PDR_OK,
                 "%s", err.message);
    return written(&w);
}

static pdr_code each_version(void *context, const pdr_version_row *row, pdr_error *err)
{
    static const char *const states[] = {"building", "live", "former"};
    writing *w = context;
    (void)err;
    cr_assert_gt(row->created_us, 0);
    cr_assert_geq(row->changed_us, row->created_us);
    return pdr_buf_printf(&w->text, "%s %u %s%s %u '%s'\n", row->projection, row->version, states[row->state],
                          row->paused ? " paused" : "", row->throttle, row->fault);
}

char *versions_text(const char *projection)
{
    pdr_error err = {0};
    writing w = WRITING;
    pdr_views *views = views_world_at(0);
    cr_assert_eq(views->ops->versions(views, projection, each_version, &w, &err), PDR_OK, "%s", err.message);
    return written(&w);
}

char *view_text(const char *view)
{
    char columns[300], *text = views_world_keep(400);
    size_t rows;
    pdr_error err = {0};
    pdr_code code =
        views_world_subject()->read(views_world_place(), view, &rows, columns, sizeof columns, &err);
    if (code == PDR_NOT_FOUND) return strcpy(text, "none");
    cr_assert_eq(code, PDR_OK, "%s", err.message);
    snprintf(text, 400, "%zu: %s", rows, columns);
    return text;
}
