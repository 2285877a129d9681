/* Rows folded in memory against a table that is changed event by event. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "projections/cell.h"
#include "projections/rows.h"

enum { KEYS = 12, WIDTH = 3, ROUNDS = 20000, MAX = 1 << 20 };

static const pdr_column columns[] = {
    {.name = "id", .type = PDR_COLUMN_TEXT, .not_null = true},
    {.name = "n", .type = PDR_COLUMN_BIGINT, .initial = {.as.integer = 7}},
    {.name = "t", .type = PDR_COLUMN_TEXT, .initial = {.null = true}},
    {.name = "m", .type = PDR_COLUMN_INTEGER, .initial = {.null = true}},
};
static const pdr_table tables[] = {
    {.name = "entities", .columns = columns, .column_count = 4, .key_count = 1},
    {.name = "totals", .columns = columns, .column_count = 4, .key_count = 1, .shared = true},
};
static const char *const names[KEYS] = {"a", "b", "bb", "c", "d", "e", "f", "g", "h", "i", "j", "k"};
static const char *const words[] = {"", "one", "two", "three"};

typedef struct world_row {
    bool there;
    pdr_cell cells[WIDTH];
} world_row;
typedef struct world {
    world_row rows[2][KEYS];
} world;

static uint64_t seed;
static unsigned roll(unsigned sides)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % sides;
}

static pdr_cell key_of(size_t i)
{
    return pdr_cell_bytes(pdr_bytes_of(names[i], strlen(names[i])));
}

static size_t index_of(const pdr_cell *key)
{
    for (size_t i = 0; i < KEYS; i++)
        if (pdr_bytes_equal(key->as.bytes, key_of(i).as.bytes)) return i;
    cr_assert_fail("no such key");
    return 0;
}

static void world_write(world *w, size_t table, size_t key, size_t column, pdr_cell_mode mode, pdr_cell cell)
{
    world_row *row = &w->rows[table][key];
    for (size_t i = 0; !row->there && i < WIDTH; i++)
        row->cells[i] = columns[i + 1].initial;
    row->there = true;
    cr_assert_eq(pdr_cell_fold(&columns[column], mode, &cell, &row->cells[column - 1], NULL), PDR_OK);
}

static pdr_cell some_cell(size_t column)
{
    if (roll(8) == 0) return PDR_CELL_NULL;
    if (column != 2) return pdr_cell_integer((int64_t)roll(100) - 50);
    const char *word = words[roll(4)];
    return pdr_cell_bytes(pdr_bytes_of(word, strlen(word)));
}

/* A batch's bytes go with it: the table keeps its own. */
static pdr_cell kept(size_t column, pdr_cell cell)
{
    for (size_t i = 0; column == 2 && !cell.null && i < sizeof words / sizeof *words; i++)
        if (pdr_bytes_equal(cell.as.bytes, pdr_bytes_of(words[i], strlen(words[i]))))
            cell.as.bytes.data = (const uint8_t *)words[i];
    return cell;
}

/* What the views seam does with steps. */
static void carry_out(world *w, const pdr_view_step *steps, size_t count)
{
    for (size_t s = 0; s < count; s++) {
        for (size_t i = 0; i < steps[s].row_count; i++) {
            const pdr_row_change *change = &steps[s].rows[i];
            size_t key = index_of(change->key);
            cr_assert_eq(pdr_row_change_check(&tables[steps[s].table], change, NULL), PDR_OK);
            if (i > 0)
                cr_assert_lt(pdr_cell_compare(PDR_COLUMN_TEXT, steps[s].rows[i - 1].key, change->key), 0,
                             "keys are sorted and distinct");
            if (change->remove) w->rows[steps[s].table][key].there = false;
            bool touched = false;
            for (size_t c = 0; !change->remove && c < WIDTH; c++) {
                if (change->modes[c] == PDR_CELL_KEEP) continue;
                world_write(w, steps[s].table, key, c + 1, change->modes[c], kept(c + 1, change->cells[c]));
                touched = true;
            }
            cr_assert(touched || change->remove);
        }
        if (steps[s].statement) /* the statement of this test: every entity's n becomes its parameter */
            for (size_t k = 0; k < KEYS; k++)
                if (w->rows[0][k].there) w->rows[0][k].cells[0] = steps[s].parameters[0];
    }
}

typedef struct play {
    pdr_rows *rows;
    world database, wanted; /* what is committed; what event by event gives */
    const pdr_view_step *steps;
    size_t step_count;
    bool under_way;
    unsigned fetched, stale, undone;
} play;

static void commit(play *p)
{
    if (!p->under_way) return;
    carry_out(&p->database, p->steps, p->step_count);
    pdr_rows_settle(p->rows);
    p->under_way = false;
}

static void take(play *p)
{
    commit(p);
    cr_assert_eq(pdr_rows_take(p->rows, &p->steps, &p->step_count, NULL), PDR_OK);
    p->under_way = true;
}

static void fetch(play *p)
{
    const pdr_cell *const *keys;
    pdr_cell cells[KEYS][WIDTH + 1];
    const pdr_cell *found[KEYS];
    size_t wanted = pdr_rows_wanted(p->rows, 0, &keys), count = 0;
    cr_assert_gt(wanted, 0u);
    for (size_t i = 0; i < wanted; i++) {
        size_t key = index_of(keys[i]);
        if (!p->database.rows[0][key].there) continue;
        cells[count][0] = key_of(key);
        memcpy(&cells[count][1], p->database.rows[0][key].cells, sizeof p->database.rows[0][key].cells);
        found[count] = cells[count];
        count++;
    }
    cr_assert_eq(pdr_rows_fetched(p->rows, 0, found, count, NULL), PDR_OK);
    p->fetched++;
}

static pdr_code read_and_check(play *p, size_t key)
{
    pdr_cell cell = key_of(key);
    const pdr_cell *cells;
    pdr_code code = pdr_rows_read(p->rows, 0, &cell, &cells, NULL);
    if (code != PDR_OK) return code;
    const world_row *row = &p->wanted.rows[0][key];
    cr_assert_eq(cells != NULL, row->there);
    for (size_t i = 0; cells && i < WIDTH; i++)
        cr_assert(pdr_cell_equal(columns[i + 1].type, &cells[i], &row->cells[i]), "%s.%s", names[key],
                  columns[i + 1].name);
    return PDR_OK;
}

static pdr_code random_write(play *p, bool shared)
{
    size_t key = roll(KEYS), column = 1 + roll(WIDTH);
    pdr_cell cell = some_cell(column), at = key_of(key);
    pdr_cell_mode mode = (pdr_cell_mode)(PDR_CELL_SET + (column == 2 ? (roll(2) ? 0 : 2) : roll(4)));
    if (shared) mode = column == 1 ? PDR_CELL_ADD : PDR_CELL_GREATEST;
    pdr_code code = pdr_rows_write(p->rows, shared, &at, column, mode, &cell, NULL);
    if (code == PDR_OK) world_write(&p->wanted, shared, key, column, mode, cell);
    return code;
}

static pdr_code one_change(play *p)
{
    size_t key = roll(KEYS);
    pdr_cell at = key_of(key);
    switch (roll(8)) {
    case 0: return read_and_check(p, key);
    case 1: p->wanted.rows[0][key].there = false; return pdr_rows_remove(p->rows, 0, &at, NULL);
    case 2: return random_write(p, true);
    default: return random_write(p, false);
    }
}

static void state_something(play *p)
{
    static const pdr_column_type type = PDR_COLUMN_BIGINT;
    pdr_cell n = pdr_cell_integer(roll(1000));
    cr_assert_eq(pdr_rows_statement(p->rows, "update", &n, &type, 1, NULL), PDR_OK);
    for (size_t k = 0; k < KEYS; k++)
        if (p->wanted.rows[0][k].there) p->wanted.rows[0][k].cells[0] = n;
}

/* One event of a few changes; what comes back says whether it is to be tried again. */
static pdr_code one_event(play *p, uint32_t event)
{
    world before = p->wanted;
    cr_assert_eq(pdr_rows_begin(p->rows, event, NULL), PDR_OK);
    pdr_code code = PDR_OK;
    for (unsigned n = 1 + roll(4); code == PDR_OK && n > 0; n--)
        code = one_change(p);
    if (code == PDR_OK && roll(200) == 0) state_something(p);
    if (code != PDR_OK || roll(10) == 0) {
        pdr_rows_undo(p->rows);
        p->wanted = before;
        p->undone++;
    }
    return code;
}

static void expect_equal_worlds(const play *p)
{
    for (size_t t = 0; t < 2; t++)
        for (size_t k = 0; k < KEYS; k++) {
            cr_assert_eq(p->database.rows[t][k].there, p->wanted.rows[t][k].there, "%s", names[k]);
            for (size_t i = 0; p->wanted.rows[t][k].there && i < WIDTH; i++)
                cr_assert(pdr_cell_equal(columns[i + 1].type, &p->database.rows[t][k].cells[i],
                                         &p->wanted.rows[t][k].cells[i]),
                          "table %zu row %s column %s", t, names[k], columns[i + 1].name);
        }
}

static void play_round(play *p, uint32_t round)
{
    pdr_code code = one_event(p, round);
    if (code == PDR_BUSY) {
        commit(p);
        fetch(p);
    } else if (code == PDR_STALE) {
        take(p);
        commit(p);
        p->stale++;
    } else {
        cr_assert_eq(code, PDR_OK, "%s", pdr_code_name(code));
    }
    if (roll(20) == 0) commit(p);
    if (roll(20) == 0) take(p);
    if (roll(500) == 0) {
        take(p);
        commit(p);
        expect_equal_worlds(p);
    }
}

Test(rows, a_fold_gives_what_event_by_event_gives)
{
    play p = {0};
    seed = 42;
    cr_assert_eq(pdr_rows_open(&p.rows, tables, 2, MAX, NULL), PDR_OK);
    for (uint32_t round = 0; round < ROUNDS; round++)
        play_round(&p, round);
    take(&p);
    commit(&p);
    expect_equal_worlds(&p);
    cr_expect_gt(p.fetched, 50u);
    cr_expect_gt(p.stale, 10u);
    cr_expect_gt(p.undone, 1000u);
    pdr_rows_close(p.rows);
}

Test(rows, what_failed_to_commit_is_forgotten_with_all_that_was_folded_on_top)
{
    play p = {0};
    seed = 7;
    cr_assert_eq(pdr_rows_open(&p.rows, tables, 2, MAX, NULL), PDR_OK);
    for (uint32_t round = 0; round < ROUNDS / 4; round++) {
        play_round(&p, round);
        if (roll(100) != 0) continue;
        pdr_rows_discard(p.rows);
        p.under_way = false;
        p.wanted = p.database;
        cr_expect_eq(pdr_rows_changed(p.rows), 0u);
    }
    take(&p);
    commit(&p);
    expect_equal_worlds(&p);
    pdr_rows_close(p.rows);
}

Test(rows, wrong_changes_are_refused_by_name)
{
    pdr_rows *rows;
    pdr_error err;
    pdr_cell key = key_of(0), none = PDR_CELL_NULL, one = pdr_cell_integer(1), text = key_of(1);
    cr_assert_eq(pdr_rows_open(&rows, tables, 2, MAX, NULL), PDR_OK);
    cr_assert_eq(pdr_rows_begin(rows, 0, NULL), PDR_OK);
    cr_expect_eq(pdr_rows_write(rows, 0, &none, 1, PDR_CELL_SET, &one, &err), PDR_BAD_DATA);
    cr_expect(strstr(err.message, "id"), "%s", err.message);
    cr_expect_eq(pdr_rows_write(rows, 0, &key, 0, PDR_CELL_SET, &text, NULL), PDR_BAD_HANDLER);
    cr_expect_eq(pdr_rows_write(rows, 0, &key, 4, PDR_CELL_SET, &one, NULL), PDR_BAD_HANDLER);
    cr_expect_eq(pdr_rows_write(rows, 2, &key, 1, PDR_CELL_SET, &one, NULL), PDR_BAD_HANDLER);
    cr_expect_eq(pdr_rows_write(rows, 0, &key, 2, PDR_CELL_ADD, &text, NULL), PDR_BAD_HANDLER);
    cr_expect_eq(pdr_rows_write(rows, 1, &key, 1, PDR_CELL_SET, &one, NULL), PDR_BAD_HANDLER);
    cr_expect_eq(pdr_rows_remove(rows, 1, &key, NULL), PDR_BAD_HANDLER);
    cr_assert_eq(pdr_rows_write(rows, 1, &key, 1, PDR_CELL_ADD, &one, NULL), PDR_OK);
    cr_expect_eq(pdr_rows_write(rows, 1, &key, 1, PDR_CELL_LEAST, &one, &err), PDR_BAD_HANDLER);
    cr_expect(strstr(err.message, "one kind of delta"), "%s", err.message);
    cr_expect_eq(pdr_rows_write(rows, 1, &key, 3, PDR_CELL_ADD, &one, &err), PDR_BAD_HANDLER);
    cr_expect(strstr(err.message, "not null default 0"), "%s", err.message);
    pdr_rows_close(rows);
}

/* What a delta does to a row that isn't known, one that is made, and one that is there with `before`. */
typedef struct delta_claim {
    pdr_column column;
    pdr_cell_mode mode;
    pdr_cell cell, before;
    bool reads; /* else it goes to the backend as it is */
    pdr_cell made, changed;
} delta_claim;

#define SMALL(...)                                                                                           \
    {                                                                                                        \
        .name = "n", .type = PDR_COLUMN_INTEGER, .initial = __VA_ARGS__                                      \
    }
#define REAL(...)                                                                                            \
    {                                                                                                        \
        .name = "n", .type = PDR_COLUMN_DOUBLE, .initial = __VA_ARGS__                                       \
    }
#define INT(value)                                                                                           \
    {                                                                                                        \
        .as.integer = (value)                                                                                \
    }
#define DOUBLE(value)                                                                                        \
    {                                                                                                        \
        .as.real = (value)                                                                                   \
    }
#define NONE                                                                                                 \
    {                                                                                                        \
        .null = true                                                                                         \
    }

static const delta_claim delta_claims[] = {
    {SMALL(INT(0)), PDR_CELL_ADD, INT(2), INT(3), false, NONE, NONE},
    {SMALL(INT(5)), PDR_CELL_ADD, INT(2), INT(3), false, NONE, NONE},
    {SMALL(NONE), PDR_CELL_ADD, INT(2), INT(3), true, NONE, INT(5)},
    {REAL(NONE), PDR_CELL_ADD, DOUBLE(2), DOUBLE(3), true, NONE, DOUBLE(5)},
    {REAL(DOUBLE(0)), PDR_CELL_ADD, DOUBLE(2), DOUBLE(3), true, DOUBLE(2), DOUBLE(5)},
    {REAL(DOUBLE(0.5)), PDR_CELL_ADD, DOUBLE(2), DOUBLE(3), true, DOUBLE(2.5), DOUBLE(5)},
    {SMALL(NONE), PDR_CELL_GREATEST, INT(2), INT(3), false, NONE, NONE},
    {SMALL(NONE), PDR_CELL_LEAST, INT(2), INT(3), false, NONE, NONE},
    {SMALL(INT(9)), PDR_CELL_GREATEST, INT(2), INT(3), true, INT(9), INT(3)},
    {SMALL(INT(1)), PDR_CELL_LEAST, INT(2), INT(3), true, INT(1), INT(2)},
    {SMALL(INT(9)), PDR_CELL_GREATEST, INT(2), NONE, true, INT(9), INT(2)},
};

/* Write it, with the row fetched when it is wanted (`there`: as `before`), and give the step's change. */
static const pdr_row_change *played(pdr_rows *rows, const delta_claim *c, bool there)
{
    const pdr_view_step *steps;
    size_t count;
    pdr_cell key = key_of(0), known[2] = {key, c->before};
    const pdr_cell *found[] = {known};
    cr_assert_eq(pdr_rows_begin(rows, 0, NULL), PDR_OK);
    pdr_code code = pdr_rows_write(rows, 0, &key, 1, c->mode, &c->cell, NULL);
    cr_assert_eq(code, c->reads ? PDR_BUSY : PDR_OK);
    if (code == PDR_BUSY) {
        pdr_rows_undo(rows);
        cr_assert_eq(pdr_rows_fetched(rows, 0, found, there ? 1 : 0, NULL), PDR_OK);
        cr_assert_eq(pdr_rows_begin(rows, 0, NULL), PDR_OK);
        cr_assert_eq(pdr_rows_write(rows, 0, &key, 1, c->mode, &c->cell, NULL), PDR_OK);
    }
    cr_assert_eq(pdr_rows_take(rows, &steps, &count, NULL), PDR_OK);
    cr_assert_eq(count, 1);
    return steps[0].rows;
}

Test(rows, a_delta_that_no_statement_can_apply_unseen_is_set_from_the_row)
{
    for (size_t i = 0; i < 2 * sizeof delta_claims / sizeof *delta_claims; i++) {
        const delta_claim *c = &delta_claims[i / 2];
        pdr_column both[] = {columns[0], c->column};
        pdr_table table = {.name = "one", .columns = both, .column_count = 2, .key_count = 1};
        pdr_rows *rows;
        cr_assert_eq(pdr_rows_open(&rows, &table, 1, MAX, NULL), PDR_OK);
        const pdr_row_change *change = played(rows, c, i % 2);
        const pdr_cell *wanted = !c->reads ? &c->cell : i % 2 ? &c->changed : &c->made;
        cr_assert_eq(pdr_row_change_check(&table, change, NULL), PDR_OK);
        cr_expect_eq(change->modes[0], c->reads ? PDR_CELL_SET : c->mode, "claim %zu", i / 2);
        cr_expect(pdr_cell_equal(c->column.type, &change->cells[0], wanted), "claim %zu", i / 2);
        pdr_rows_close(rows);
    }
}

Test(rows, a_batch_has_a_ceiling)
{
    static char long_text[4096];
    memset(long_text, 'x', sizeof long_text);
    pdr_rows *rows;
    pdr_code code = PDR_OK;
    cr_assert_eq(pdr_rows_open(&rows, tables, 2, 64 * 1024, NULL), PDR_OK);
    for (uint32_t i = 0; code == PDR_OK && i < 1000; i++) {
        pdr_cell key = key_of(i % KEYS), cell = pdr_cell_bytes(pdr_bytes_of(long_text, sizeof long_text));
        cr_assert_eq(pdr_rows_begin(rows, i, NULL), PDR_OK);
        code = pdr_rows_write(rows, 0, &key, 2, PDR_CELL_SET, &cell, NULL);
    }
    cr_expect_eq(code, PDR_TOO_LARGE);
    pdr_rows_close(rows);
}

static pdr_code small_program(pdr_rows **rows)
{
    const pdr_view_step *steps;
    size_t count;
    const pdr_cell *cells;
    pdr_code code = pdr_rows_open(rows, tables, 2, MAX, NULL);
    for (uint32_t i = 0; code == PDR_OK && i < 3 * KEYS; i++) {
        pdr_cell key = key_of(i % KEYS), cell = key_of(i / KEYS);
        code = pdr_rows_begin(*rows, i, NULL);
        if (code == PDR_OK) code = pdr_rows_write(*rows, 0, &key, 2, PDR_CELL_SET, &cell, NULL);
    }
    if (code == PDR_OK) code = pdr_rows_begin(*rows, 0, NULL);
    pdr_cell key = key_of(3);
    if (code == PDR_OK) code = pdr_rows_read(*rows, 0, &key, &cells, NULL);
    if (code == PDR_BUSY) code = pdr_rows_fetched(*rows, 0, NULL, 0, NULL);
    if (code == PDR_OK) code = pdr_rows_take(*rows, &steps, &count, NULL);
    if (code == PDR_OK) pdr_rows_settle(*rows);
    return code;
}

Test(rows, every_allocation_may_fail)
{
    for (uint64_t nth = 1;; nth++) {
        pdr_rows *rows = NULL;
        pdr_mem_fail_at(nth);
        pdr_code code = small_program(&rows);
        uint64_t made = pdr_mem_count();
        pdr_mem_fail_at(0);
        pdr_rows_close(rows);
        cr_assert(code == PDR_OK || code == PDR_NOMEM, "allocation %llu: %s", (unsigned long long)nth,
                  pdr_code_name(code));
        if (made < nth) break;
    }
}

/* Each sum of deltas is out of range for integer; with what is in the row it isn't. */
Test(rows, a_sum_that_is_out_of_range_without_its_row_waits_for_the_row)
{
    const pdr_view_step *steps;
    pdr_rows *rows;
    size_t count;
    pdr_cell key = key_of(0), much = pdr_cell_integer(2000000000);
    pdr_column counted[4]; /* m begins at 0 */
    pdr_table both[2] = {tables[0], tables[1]};
    memcpy(counted, columns, sizeof counted);
    counted[3].initial = pdr_cell_integer(0);
    both[0].columns = both[1].columns = counted;
    cr_assert_eq(pdr_rows_open(&rows, both, 2, MAX, NULL), PDR_OK);
    for (size_t table = 0; table < 2; table++)
        for (uint32_t event = 0; event < 2; event++) {
            pdr_code wanted = event == 0 ? PDR_OK : table == 0 ? PDR_BUSY : PDR_STALE;
            cr_assert_eq(pdr_rows_begin(rows, event, NULL), PDR_OK);
            cr_expect_eq(pdr_rows_write(rows, table, &key, 3, PDR_CELL_ADD, &much, NULL), wanted);
            if (wanted != PDR_OK) pdr_rows_undo(rows);
        }
    const pdr_cell row[] = {key, pdr_cell_integer(0), PDR_CELL_NULL, pdr_cell_integer(-2000000000)};
    const pdr_cell *fetched[] = {row};
    cr_assert_eq(pdr_rows_fetched(rows, 0, fetched, 1, NULL), PDR_OK);
    cr_assert_eq(pdr_rows_begin(rows, 2, NULL), PDR_OK);
    cr_assert_eq(pdr_rows_write(rows, 0, &key, 3, PDR_CELL_ADD, &much, NULL), PDR_OK);
    cr_assert_eq(pdr_rows_take(rows, &steps, &count, NULL), PDR_OK);
    cr_expect_eq(steps[0].rows[0].modes[2], PDR_CELL_SET);
    cr_expect_eq(steps[0].rows[0].cells[2].as.integer, 2000000000);
    cr_assert_eq(pdr_rows_begin(rows, 3, NULL), PDR_OK);
    cr_expect_eq(pdr_rows_write(rows, 1, &key, 3, PDR_CELL_ADD, &much, NULL), PDR_OK,
                 "committed, it goes on");
    cr_expect_eq(pdr_rows_write(rows, 1, &key, 3, PDR_CELL_ADD, &much, NULL), PDR_BAD_DATA,
                 "one event alone adds too much");
    pdr_rows_close(rows);
}

Test(rows, one_event_s_writes_go_each_to_the_row_of_its_whole_key)
{
    static const pdr_column pair_columns[] = {
        {.name = "number", .type = PDR_COLUMN_BIGINT, .not_null = true},
        {.name = "flag", .type = PDR_COLUMN_BOOLEAN, .not_null = true},
        {.name = "n", .type = PDR_COLUMN_BIGINT, .initial = {.as.integer = 0}},
    };
    static const pdr_table pairs = {
        .name = "pairs", .columns = pair_columns, .column_count = 3, .key_count = 2};
    static const struct {
        int64_t number, add;
        bool flag;
    } writes[] = {{1, 1, true}, {1, 10, false}, {1, 100, false}, {2, 1000, false}, {1, 10000, true}};
    pdr_rows *rows;
    const pdr_view_step *steps;
    size_t count;
    cr_assert_eq(pdr_rows_open(&rows, &pairs, 1, MAX, NULL), PDR_OK);
    cr_assert_eq(pdr_rows_begin(rows, 0, NULL), PDR_OK);
    pdr_cell key[2] = {PDR_CELL_NULL, PDR_CELL_NULL}, cell = pdr_cell_integer(1);
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        key[0] = pdr_cell_integer(writes[i].number);
        key[1] = (pdr_cell){.as.boolean = writes[i].flag};
        cell = pdr_cell_integer(writes[i].add);
        cr_assert_eq(pdr_rows_write(rows, 0, key, 2, PDR_CELL_ADD, &cell, NULL), PDR_OK);
    }
    key[1] = PDR_CELL_NULL;
    cr_assert_eq(pdr_rows_write(rows, 0, key, 2, PDR_CELL_ADD, &cell, NULL), PDR_BAD_DATA);
    cr_assert_eq(pdr_rows_take(rows, &steps, &count, NULL), PDR_OK);
    cr_assert_eq(count, 1u);
    cr_assert_eq(steps[0].row_count, 3u);
    cr_assert_eq(steps[0].rows[0].cells[0].as.integer, 110); /* (1, false) */
    cr_assert_eq(steps[0].rows[1].cells[0].as.integer, 10001);
    cr_assert_eq(steps[0].rows[2].cells[0].as.integer, 1000);
    pdr_rows_close(rows);
}
