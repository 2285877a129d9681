/* The simulated projection, and the same computed again from the model's events, event by event. */
#include <stdio.h>
#include <stdlib.h>

#include "projections/cell.h"
#include "tests/sim_projections/views.h"

enum { ACCOUNT_CHAIN = 1, ACCOUNT_EVENTS, ACCOUNT_COLUMNS };
enum { PLAIN_BALANCE = 1, PLAIN_EVENTS, PLAIN_BIGGEST, PLAIN_NOTE, PLAIN_COLUMNS };
enum { TOTALS_COUNT = 1, TOTALS_SUM, TOTALS_MOST, TOTALS_COLUMNS };

#define KEY                                                                                                  \
    {                                                                                                        \
        .name = "entity", .type = PDR_COLUMN_TEXT, .not_null = true, .initial = {.null = true }              \
    }
#define NUMBER(column)                                                                                       \
    {                                                                                                        \
        .name = column, .type = PDR_COLUMN_BIGINT, .not_null = true                                          \
    }
#define MAYBE(column)                                                                                        \
    {                                                                                                        \
        .name = column, .type = PDR_COLUMN_BIGINT, .initial = {.null = true }                                \
    }

static const pdr_column account_columns[] = {KEY, NUMBER("chain"), NUMBER("events")};
static const pdr_column plain_columns[] = {
    KEY,
    NUMBER("balance"),
    NUMBER("events"),
    MAYBE("biggest"),
    {.name = "note", .type = PDR_COLUMN_TEXT, .initial = {.null = true}}};
static const pdr_column totals_columns[] = {KEY, NUMBER("count"), NUMBER("sum"), MAYBE("most")};

const pdr_table view_tables[VIEW_TABLES] = {
    {.name = "account", .columns = account_columns, .column_count = ACCOUNT_COLUMNS, .key_count = 1},
    {.name = "plain", .columns = plain_columns, .column_count = PLAIN_COLUMNS, .key_count = 1},
    {.name = "totals",
     .columns = totals_columns,
     .column_count = TOTALS_COLUMNS,
     .key_count = 1,
     .shared = true}};

static const char *kind_of(bool withdrew)
{
    return withdrew ? "withdrew" : "came in";
}

/* One step of an order that no sum hides. */
static int64_t chain(int64_t old, int64_t nonce, int64_t part)
{
    return (old * 31 + nonce * 7 + part + 1) % 1000003;
}

static bool removes(int64_t amount)
{
    return amount % 13 == 0;
}

static pdr_cell text_of(const char *text)
{
    return pdr_cell_bytes(pdr_bytes_of(text, strlen(text)));
}

/* --- The projection --- */

static pdr_code write_account(pdr_rows *rows, const pdr_cell *key, const sim_fact *fact, pdr_error *err)
{
    const pdr_cell *cells;
    pdr_code code = pdr_rows_read(rows, ACCOUNT, key, &cells, err);
    if (code != PDR_OK) return code;
    if (removes(fact->amount)) return pdr_rows_remove(rows, ACCOUNT, key, err);
    pdr_cell next =
        pdr_cell_integer(chain(cells ? cells[ACCOUNT_CHAIN - 1].as.integer : 0, fact->nonce, fact->parts));
    pdr_cell one = pdr_cell_integer(1);
    code = pdr_rows_write(rows, ACCOUNT, key, ACCOUNT_CHAIN, PDR_CELL_SET, &next, err);
    if (code == PDR_OK) code = pdr_rows_write(rows, ACCOUNT, key, ACCOUNT_EVENTS, PDR_CELL_ADD, &one, err);
    return code;
}

static pdr_code write_plain(pdr_rows *rows, const pdr_cell *key, const sim_fact *fact, bool withdrew,
                            pdr_error *err)
{
    pdr_cell amount = pdr_cell_integer(fact->amount), one = pdr_cell_integer(1);
    pdr_cell change = pdr_cell_integer(withdrew ? -fact->amount : fact->amount);
    pdr_cell note = pdr_cell_bytes(pdr_bytes_of(fact->note.data, fact->note.size));
    pdr_code code = pdr_rows_write(rows, PLAIN, key, PLAIN_BALANCE, PDR_CELL_ADD, &change, err);
    if (code == PDR_OK) code = pdr_rows_write(rows, PLAIN, key, PLAIN_EVENTS, PDR_CELL_ADD, &one, err);
    if (code == PDR_OK)
        code = pdr_rows_write(rows, PLAIN, key, PLAIN_BIGGEST, PDR_CELL_GREATEST, &amount, err);
    if (code == PDR_OK && !withdrew)
        code = pdr_rows_write(rows, PLAIN, key, PLAIN_NOTE, PDR_CELL_SET, &note, err);
    return code;
}

static pdr_code write_totals(pdr_rows *rows, const sim_fact *fact, bool withdrew, pdr_error *err)
{
    pdr_cell key = text_of(kind_of(withdrew)), amount = pdr_cell_integer(fact->amount);
    pdr_cell one = pdr_cell_integer(1);
    pdr_code code = pdr_rows_write(rows, TOTALS, &key, TOTALS_COUNT, PDR_CELL_ADD, &one, err);
    if (code == PDR_OK) code = pdr_rows_write(rows, TOTALS, &key, TOTALS_SUM, PDR_CELL_ADD, &amount, err);
    if (code == PDR_OK)
        code = pdr_rows_write(rows, TOTALS, &key, TOTALS_MOST, PDR_CELL_GREATEST, &amount, err);
    return code;
}

static pdr_code project(pdr_projection *projection, const pdr_projected *event, pdr_rows *rows,
                        pdr_error *err)
{
    run *r = ((view_projection *)projection)->run;
    const views_run *v = views_of_run(r);
    const sim_fact *fact = event->event.value;
    bool withdrew = event->event.type == &sim_withdrew_type;
    pdr_cell key = pdr_cell_bytes(pdr_bytes_of(event->entity.data, event->entity.size));
    pdr_code code = write_totals(rows, fact, withdrew, err);
    if (code == PDR_OK) code = write_plain(rows, &key, fact, withdrew, err);
    if (code == PDR_OK) code = write_account(rows, &key, fact, err);
    if (code != PDR_OK || v->healed) return code;
    if (fact->nonce % 41 == 0) return pdr_fail(err, PDR_BAD_DATA, "poison");
    return one_in(r, 20) ? pdr_fail(err, PDR_BAD_HANDLER, "the handler fails at random") : PDR_OK;
}

static bool wants(const pdr_projection *projection, const pdr_type *type)
{
    (void)projection;
    (void)type;
    return true;
}

static const pdr_projection_ops ops = {.project = project, .wants = wants};

void view_projection_init(view_projection *out, run *r, uint32_t version)
{
    *out = (view_projection){.base = {.ops = &ops,
                                      .name = "simulated",
                                      .version = version,
                                      .fingerprint = 7 + version,
                                      .tables = view_tables,
                                      .table_count = VIEW_TABLES},
                             .run = r};
}

pdr_version_spec view_spec(const run *r, uint32_t version)
{
    pdr_version_spec spec = {.projection = "simulated",
                             .version = version,
                             .fingerprint = 7 + version,
                             .tables = view_tables,
                             .table_count = VIEW_TABLES,
                             .partitions = (int32_t)r->plan.partitions};
    memcpy(spec.journal_id, "simulated-journ", 16);
    return spec;
}

bool view_poison(void *context, const pdr_table *table, const pdr_row_change *row)
{
    const views_run *v = views_of_run(context);
    if (v->healed || row->remove || strcmp(table->name, "plain") != 0) return false;
    if (row->modes[PLAIN_NOTE - 1] != PDR_CELL_SET || row->cells[PLAIN_NOTE - 1].null) return false;
    pdr_bytes note = row->cells[PLAIN_NOTE - 1].as.bytes;
    unsigned sum = 0;
    for (size_t i = 0; i < note.size; i++)
        sum = sum * 31 + note.data[i];
    return note.size > 0 && sum % 29 == 0;
}

/* --- The model --- */

typedef struct expected {
    struct {
        bool there;
        int64_t chain, events;
    } account[ENTITIES];
    struct {
        bool there, has_note;
        int64_t balance, events, biggest;
        pdr_bytes note;
    } plain[ENTITIES];
    struct {
        bool there;
        int64_t count, sum, most;
    } totals[2]; /* came in, withdrew */
} expected;

typedef struct looked {
    run *run;
    uint32_t version;
    int64_t positions[MAX_PARTITIONS];
    int64_t first_letter[ENTITIES]; /* INT64_MAX: none */
    uint64_t letters[ENTITIES];
    expected expected;
    size_t table, rows;
} looked;

static void fold_event(expected *x, uint32_t entity, const model_event *e)
{
    size_t kind = e->withdrew;
    x->totals[kind].there = true;
    x->totals[kind].count++;
    x->totals[kind].sum += e->amount;
    if (x->totals[kind].count == 1 || e->amount > x->totals[kind].most) x->totals[kind].most = e->amount;
    bool first = !x->plain[entity].there;
    x->plain[entity].there = true;
    x->plain[entity].balance += e->withdrew ? -e->amount : e->amount;
    x->plain[entity].events++;
    if (first || e->amount > x->plain[entity].biggest) x->plain[entity].biggest = e->amount;
    if (!e->withdrew) {
        x->plain[entity].has_note = true;
        x->plain[entity].note = e->note;
    }
    if (removes(e->amount)) {
        x->account[entity].there = false;
        x->account[entity].chain = x->account[entity].events = 0;
        return;
    }
    x->account[entity].there = true;
    x->account[entity].chain = chain(x->account[entity].chain, (int64_t)e->nonce, e->part);
    x->account[entity].events++;
}

static bool is_skipped(const looked *l, uint32_t partition, int64_t offset)
{
    const views_run *v = views_of_run(l->run);
    return offset < v->skipped_room && v->skipped[l->version - 1][partition] &&
           v->skipped[l->version - 1][partition][offset];
}

static void fold_all(looked *l)
{
    const model *m = l->run->model;
    for (uint32_t e = 0; e < ENTITIES; e++) {
        uint32_t partition = e % l->run->plan.partitions;
        uint64_t behind = 0;
        for (size_t i = 0; i < m->entities[e].count; i++) {
            const model_event *event = &m->entities[e].events[i];
            if (event->commit_end > l->positions[partition]) break;
            if (is_skipped(l, partition, event->at.offset)) continue;
            if (event->at.offset >= l->first_letter[e])
                behind++;
            else
                fold_event(&l->expected, e, event);
        }
        if (behind != l->letters[e])
            run_fail(l->run, "position-with-rows",
                     "v%u: acct/%u has %llu dead letters, but %llu events from the first of them on",
                     (unsigned)l->version, (unsigned)e, (unsigned long long)l->letters[e],
                     (unsigned long long)behind);
    }
}

/* --- The truth --- */

static pdr_code take_position(void *context, const pdr_position_row *row, pdr_error *err)
{
    (void)err;
    looked *l = context;
    l->positions[row->partition] = row->position.offset;
    if (!model_knows(l->run->model, row->partition, row->position))
        run_fail(l->run, "position-with-rows", "v%u partition %d stands at offset %lld, which is no place",
                 (unsigned)l->version, (int)row->partition, (long long)row->position.offset);
    return PDR_OK;
}

static pdr_code take_letter(void *context, const pdr_dead_letter *letter, pdr_error *err)
{
    (void)err;
    looked *l = context;
    int entity = model_entity_of(letter->entity);
    if (entity < 0) return PDR_OK;
    if (letter->offset < l->first_letter[entity]) l->first_letter[entity] = letter->offset;
    l->letters[entity]++;
    return PDR_OK;
}

static bool same(const pdr_cell *cell, bool there, int64_t wanted)
{
    return cell->null ? !there : there && cell->as.integer == wanted;
}

static bool is_right(const looked *l, const pdr_cell *cells)
{
    const expected *x = &l->expected;
    if (l->table == TOTALS) {
        size_t kind = pdr_bytes_equal(cells[0].as.bytes, text_of(kind_of(true)).as.bytes);
        return x->totals[kind].there && same(&cells[TOTALS_COUNT], true, x->totals[kind].count) &&
               same(&cells[TOTALS_SUM], true, x->totals[kind].sum) &&
               same(&cells[TOTALS_MOST], true, x->totals[kind].most);
    }
    int e = model_entity_of(cells[0].as.bytes);
    if (e < 0) return false;
    if (l->table == ACCOUNT)
        return x->account[e].there && same(&cells[ACCOUNT_CHAIN], true, x->account[e].chain) &&
               same(&cells[ACCOUNT_EVENTS], true, x->account[e].events);
    bool note = x->plain[e].has_note
                    ? !cells[PLAIN_NOTE].null && pdr_bytes_equal(cells[PLAIN_NOTE].as.bytes, x->plain[e].note)
                    : cells[PLAIN_NOTE].null;
    return x->plain[e].there && note && same(&cells[PLAIN_BALANCE], true, x->plain[e].balance) &&
           same(&cells[PLAIN_EVENTS], true, x->plain[e].events) &&
           same(&cells[PLAIN_BIGGEST], true, x->plain[e].biggest);
}

static pdr_code take_row(void *context, const pdr_cell *cells, pdr_error *err)
{
    (void)err;
    looked *l = context;
    l->rows++;
    if (!is_right(l, cells))
        run_fail(l->run, "position-with-rows", "v%u: row %.*s of table %s isn't the fold of its events",
                 (unsigned)l->version, (int)cells[0].as.bytes.size, (const char *)cells[0].as.bytes.data,
                 view_tables[l->table].name);
    return PDR_OK;
}

static size_t wanted_rows(const looked *l)
{
    size_t count = 0;
    for (size_t i = 0; i < (l->table == TOTALS ? 2 : ENTITIES); i++)
        count += l->table == TOTALS    ? l->expected.totals[i].there
                 : l->table == ACCOUNT ? l->expected.account[i].there
                                       : l->expected.plain[i].there;
    return count;
}

void check_views(run *r, uint32_t version)
{
    views_run *v = views_of_run(r);
    pdr_version_spec spec = view_spec(r, version);
    looked l = {.run = r, .version = version};
    pdr_error err = {0};
    for (size_t e = 0; e < ENTITIES; e++)
        l.first_letter[e] = INT64_MAX;
    pdr_code code = v->honest->ops->positions(v->honest, spec.projection, version, take_position, &l, &err);
    if (code == PDR_OK)
        code = v->honest->ops->dead_letters(v->honest, spec.projection, version, -1, take_letter, &l, &err);
    fold_all(&l);
    for (l.table = 0; code == PDR_OK && l.table < VIEW_TABLES; l.table++) {
        l.rows = 0;
        code = v->honest->ops->scan(v->honest, &spec, l.table, NULL, take_row, &l, &err);
        if (code == PDR_OK && l.rows != wanted_rows(&l))
            run_fail(r, "position-with-rows", "v%u: table %s has %zu rows, not %zu", (unsigned)version,
                     view_tables[l.table].name, l.rows, wanted_rows(&l));
    }
    if (code != PDR_OK) run_fail(r, "liveness", "the truth can't be looked at: %s", err.message);
}

void note_skipped(run *r, uint32_t version, int32_t partition, int64_t offset)
{
    views_run *v = views_of_run(r);
    bool **skipped = &v->skipped[version - 1][partition];
    if (!*skipped) *skipped = calloc((size_t)v->skipped_room, sizeof **skipped);
    if (!*skipped || offset >= v->skipped_room) abort();
    (*skipped)[offset] = true;
}

void forget_skipped(run *r, uint32_t version)
{
    views_run *v = views_of_run(r);
    for (size_t p = 0; p < MAX_PARTITIONS; p++) {
        free(v->skipped[version - 1][p]);
        v->skipped[version - 1][p] = NULL;
    }
}
