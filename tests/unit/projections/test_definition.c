/* Declarative files: what they do to rows, and what is wrong with bad ones. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/mem.h"
#include "projections/cell.h"
#include "projections/projection.h"
#include "tests/support/viewed_app.h"
#include "viewed.gen.h"

#define ORDERS                                                                                               \
    "projection orders version 1;\n"                                                                         \
    "table orders (id text, status text not null default 'new', total numeric(12,2), pieces integer not "    \
    "null default "                                                                                          \
    "0, note text, changed timestamptz, late boolean, primary key (id)) key entity (entity.key) index "      \
    "(status);\n"                                                                                            \
    "table days (day date, kind text, orders bigint not null default 0, best numeric(12,2), primary key "    \
    "(day, kind))"                                                                                           \
    " key shared (date(time), 'all');\n"

typedef struct played {
    pdr_projection *projection;
    pdr_rows *rows;
    pdr_error err;
} played;

static played open_file(const char *text)
{
    played p = {0};
    pdr_code code =
        pdr_projection_read(&p.projection, "orders.sql", pdr_string_of(text), &viewed_app, &p.err);
    cr_assert_eq(code, PDR_OK, "%s", p.err.message);
    cr_assert_eq(pdr_rows_open(&p.rows, p.projection->tables, p.projection->table_count, 1 << 20, NULL),
                 PDR_OK);
    return p;
}

static void close_file(played *p)
{
    pdr_rows_close(p->rows);
    pdr_projection_close(p->projection);
}

static viewed_opened opened(void)
{
    static const uint8_t total[] = {0x04, 0xd2}; /* 12.34 */
    viewed_opened event;
    viewed_opened_type.init(&event);
    event.total = pdr_bytes_of(total, sizeof total);
    event.pieces = 3;
    event.weight = 1.5;
    event.seen = 1500;
    return event;
}

static pdr_code project(played *p, const pdr_type *type, const void *value, const char *entity, uint64_t seq)
{
    pdr_projected projected = {
        .entity = pdr_string_of(entity),
        .event = {.type = type, .value = value, .seq = seq, .time_us = INT64_C(86400000000)},
        .parts = 1};
    cr_assert_eq(pdr_rows_begin(p->rows, 0, NULL), PDR_OK);
    return p->projection->ops->project(p->projection, &projected, p->rows, &p->err);
}

static const pdr_view_step *take(played *p, size_t *count)
{
    const pdr_view_step *steps;
    cr_assert_eq(pdr_rows_take(p->rows, &steps, count, NULL), PDR_OK);
    return steps;
}

static void expect_text(const pdr_cell *cell, const char *text)
{
    cr_expect(!cell->null && cell->as.bytes.size == strlen(text) &&
                  !memcmp(cell->as.bytes.data, text, strlen(text)),
              "%s", text);
}

Test(definition, rules_become_changes_of_rows)
{
    size_t count;
    played p = open_file(
        ORDERS "on shop.Opened upsert orders set status = 'open', total = event.total, pieces = "
               "event.pieces, note = event.note, changed = event.seen, late = event.due < date "
               "'1980-01-01'\n upsert days key (date(time), event.kind) set orders = orders + 1, best "
               "= greatest(best, event.total);\n"
               "on shop.Closed delete orders;");
    viewed_opened event = opened();
    cr_assert_eq(project(&p, &viewed_opened_type, &event, "order/7", 1), PDR_OK, "%s", p.err.message);
    const pdr_view_step *steps = take(&p, &count);
    cr_assert_eq(count, 2u);
    const pdr_row_change *row = steps[0].rows;
    expect_text(row->key, "7");
    expect_text(&row->cells[0], "open");
    cr_expect_eq(row->cells[1].as.integer, 1234);
    cr_expect_eq(row->cells[2].as.integer, 3);
    cr_expect(row->cells[3].null);
    cr_expect_eq(row->cells[4].as.integer, 1500000);
    cr_expect(row->cells[5].as.boolean);
    row = steps[1].rows;
    cr_expect_eq(row->key[0].as.integer, 1);
    expect_text(&row->key[1], "web");
    cr_expect_eq(row->modes[0], PDR_CELL_ADD);
    cr_expect_eq(row->modes[1], PDR_CELL_GREATEST);
    cr_expect_eq(p.projection->tables[0].statement_count, 1u);
    pdr_rows_settle(p.rows);
    viewed_closed closed = {.pieces = 1};
    cr_assert_eq(project(&p, &viewed_closed_type, &closed, "order/7", 2), PDR_OK);
    steps = take(&p, &count);
    cr_assert_eq(count, 1u);
    cr_expect(steps[0].rows[0].remove);
    close_file(&p);
}

Test(definition, old_values_are_those_before_the_event)
{
    size_t count;
    played p = open_file(
        ORDERS "on shop.Opened upsert orders set pieces = pieces * 2 + event.pieces, status = case when "
               "pieces > 2 then 'many' else 'few' end\n upsert days set orders = orders + orders.pieces;");
    viewed_opened event = opened();
    cr_assert_eq(project(&p, &viewed_opened_type, &event, "order/7", 1), PDR_BUSY);
    const pdr_cell *const *keys;
    pdr_rows_undo(p.rows);
    cr_assert_eq(pdr_rows_wanted(p.rows, 0, &keys), 1u);
    expect_text(keys[0], "7");
    cr_assert_eq(pdr_rows_fetched(p.rows, 0, NULL, 0, NULL), PDR_OK);
    for (uint64_t seq = 1; seq <= 2; seq++)
        cr_assert_eq(project(&p, &viewed_opened_type, &event, "order/7", seq), PDR_OK, "%s", p.err.message);
    const pdr_view_step *steps = take(&p, &count);
    cr_assert_eq(count, 2u);
    cr_expect_eq(steps[0].rows[0].cells[2].as.integer, 9, "0 * 2 + 3, then 3 * 2 + 3");
    expect_text(&steps[0].rows[0].cells[0], "many");
    cr_expect_eq(steps[1].rows[0].cells[0].as.integer, 3, "0 before the first, 3 before the second");
    close_file(&p);
}

Test(definition, a_condition_that_is_null_does_not_hold)
{
    size_t count;
    viewed_opened event = opened();
    played p = open_file(ORDERS "on shop.Opened when event.by.clerk > 5 upsert orders set status = 'x';");
    cr_assert_eq(project(&p, &viewed_opened_type, &event, "order/7", 1), PDR_OK);
    (void)take(&p, &count);
    cr_expect_eq(count, 0u);
    close_file(&p);
}

Test(definition, statements_get_numbered_parameters)
{
    size_t count;
    viewed_opened event = opened();
    played p = open_file(
        ORDERS "on shop.Opened run $$ update {orders} set note = ':no'::text where id = :id and pieces > "
               ":n -- :no, it's a comment\n and /* :no ' */ pieces > :n $$ with (n = event.pieces, id = "
               "entity.key);");
    cr_assert_eq(project(&p, &viewed_opened_type, &event, "order/7", 1), PDR_OK, "%s", p.err.message);
    const pdr_view_step *steps = take(&p, &count);
    cr_assert_eq(count, 1u);
    cr_expect_str_eq(
        steps[0].statement,
        " update {orders} set note = ':no'::text where id = $2 and pieces > $1 -- :no, it's a comment\n and "
        "/* :no ' */ pieces > $1 ");
    cr_expect_eq(steps[0].parameters[0].as.integer, 3);
    expect_text(&steps[0].parameters[1], "7");
    close_file(&p);
}

static const struct {
    const char *text, *says;
} bad_files[] = {
    {"", "orders.sql:1:1: 'projection' is expected, but the file ends"},
    {"projection Orders version 1;", "1:12: the projection's name is expected"},
    {"projection o version 0;", "1:22: a version from 1"},
    {"projection o version 1;", "has no table"},
    {ORDERS, "has no rule"},
    {ORDERS "on shop.Nothing delete orders;", "4:4: the application shop has no event 'shop.Nothing'"},
    {ORDERS "on shop.Opened upsert nothing set a = 1;", "4:23: there is no table 'nothing'"},
    {ORDERS "on shop.Opened upsert orders set nothing = 1;", "4:34: table orders has no column 'nothing'"},
    {ORDERS "on shop.Opened upsert orders set id = 'x';", "belongs to the key"},
    {ORDERS "on shop.Opened upsert orders set note = event.nothing;",
     "4:41: shop.Opened has no field 'nothing'"},
    {ORDERS "on shop.Opened upsert orders set note = event.by.nothing;", "shop.By has no field 'by.nothing'"},
    {ORDERS "on shop.Opened upsert orders set note = event.tags;", "has a type that no column can take"},
    {ORDERS "on shop.Opened upsert orders set note = event.pieces;",
     "column note is text, and the value is bigint"},
    {ORDERS "on shop.Opened upsert orders set pieces = event.weight;", "column pieces is integer"},
    {ORDERS "on shop.Opened upsert orders set pieces = 1 + 'x';", "a number is expected here, not text"},
    {ORDERS "on shop.Opened upsert orders set pieces = (1;", "')' is expected, not ';'"},
    {ORDERS "on shop.Opened upsert orders set pieces = 1, pieces = 2;", "is set twice"},
    {ORDERS "on shop.Opened upsert days set orders = 5;", "days is shared between partitions"},
    {ORDERS "on shop.Opened upsert days set orders = orders + orders;", "days is shared between partitions"},
    {ORDERS "on shop.Opened upsert orders set pieces = days.orders;", "days is shared between partitions"},
    {"projection sums version 1; table sums (day date, n bigint, primary key (day)) key shared (date(time));"
     " on shop.Opened upsert sums set n = n + 1;",
     "sums.n begins as NULL"},
    {ORDERS "on shop.Opened delete days;", "its rows can't be deleted"},
    {ORDERS "on shop.Opened when 1 upsert orders set pieces = 1;",
     "a condition is true or false, not bigint"},
    {ORDERS "on shop.Opened run $$ select :x $$;", "parameter ':x' isn't in its with"},
    {ORDERS "on shop.Opened upsert orders set pieces = 1234567890123456789;", "at most 18 digits"},
    {ORDERS "on shop.Opened upsert orders set note = 'x;", "a text has no end"},
    {ORDERS "on shop.Opened upsert orders set note = \xff;", "isn't UTF-8"},
    {ORDERS "on shop.Opened upsert orders set changed = time - time;",
     "a number is expected here, not timestamptz"},
    {ORDERS "on shop.Opened upsert orders set changed = timestamp '2020-13-01 00:00:00';", "is no timestamp"},
    {"projection o version 1; table t (a text, b text) key entity (entity);", "has no primary key"},
    {"projection o version 1; table t (a text, b text, primary key (b)) key entity (entity);", "first ones"},
    {"projection o version 1; table t (a text, a text, primary key (a)) key entity (entity);",
     "two columns a"},
    {"projection o version 1; table t (a text, b bigint default 'x', primary key (a)) key entity (entity);",
     "is text"},
    {"projection o version 1; table t (a text, b integer, primary key (a)) key entity ('x'); on shop.Closed "
     "delete t;",
     "has 'entity' or 'entity.key'"},
    {"projection o version 1; table old (a text, b integer, primary key (a)) key entity (entity);",
     "1:31: a table can't be called old"},
    {ORDERS "on shop.Opened, shop.Sent upsert orders set pieces = 1;",
     "table orders has rows of order and of parcel"},
    {ORDERS "on shop.Opened upsert orders set pieces = 1; on shop.Sent upsert days set orders = orders + "
            "orders.pieces;",
     "needs 'entity' in place of 'entity.key'"},
    {ORDERS "on shop.Opened upsert orders key ('x') set pieces = 1;", "its key must have 'entity'"},
    {ORDERS "on shop.Opened upsert days set best = best + 1;", "days.best begins as NULL"},
    {ORDERS "on shop.Opened upsert days set best = greatest(best, 1); on shop.Closed upsert days set best = "
            "least(best, 1);",
     "only one of the three"},
    {ORDERS "on shop.Opened upsert days set best = greatest(best, 1.005);",
     "column best has 2 digits after the point"},
    {ORDERS "on shop.Opened upsert days set orders = orders + event.weight;", "column orders"},
    {ORDERS "on shop.Opened upsert orders set late = 1 = 1 = 1;", "'send' or ';' is expected"},
    {ORDERS "on shop.Opened upsert orders set late = 1 != 1;", "no use for the character '!'"},
    {ORDERS "on shop.Opened upsert orders set pieces = 7 / 2;", "no use for the character '/'"},
    {ORDERS "on shop.Opened upsert orders set pieces = 7e2;", "a number is followed by a letter"},
    {ORDERS "on shop.Opened upsert orders set pieces = now();", "4:43: there is no function 'now'"},
    {ORDERS "on shop.Opened upsert orders set pieces = id;", "'id' belongs to the key of orders"},
    {ORDERS "on shop.Opened upsert orders set pieces = seconds(time);", "seconds takes a difference"},
    {ORDERS "on shop.Opened upsert orders set pieces = coalesce();", "an expression is expected"},
    {ORDERS "on shop.Opened upsert orders set pieces = case end;", "'when' is expected"},
    {ORDERS "on shop.Opened upsert orders set total = 0.0000000001 * 0.0000000001;",
     "more than 18 digits after the point"},
    {ORDERS "on shop.Opened upsert orders set note = event.by;", "has a type that no column can take"},
    {ORDERS "on shop.Opened upsert orders set note = event.note.x;", "what is there has no field 'note.x'"},
    {ORDERS "on shop.Opened run 'select 1';", "a statement between $$ and $$"},
    {ORDERS "on shop.Opened run $$ select :a $$ with (a = 1, a = 2);", "two parameters 'a'"},
    {ORDERS "on shop.Opened", "'upsert', 'delete', 'run' or 'send' is expected"},
    {"projection o version 1; table t (a text, b bigint default event.x, primary key (a)) key entity "
     "(entity);",
     "a default is a constant"},
    {"projection o version 1; table t (a text, b integer default 3000000000, primary key (a)) key entity "
     "(entity);",
     "out of range for integer"},
    {"projection o version 1; table t (a text, b numeric(19,2), primary key (a)) key entity (entity);",
     "a number from 1 to 18"},
    {"projection o version 1; table t (a text, b varchar, primary key (a)) key entity (entity);",
     "column b: a type is expected"},
    {"projection o version 1; table t (a text, b text, primary key (a)) key entity (t.b);", "not from rows"},
    {"projection o version 1; table t (a text, b text, primary key (a)) key (entity);",
     "'entity' is expected"},
    {"projection o version 1; to table 'x';", "1:28: 'topic' is expected"},
    {"projection o version 1; to topic x;", "1:34: a topic's name in quotes"},
    {"projection o version 1; to topic '';", "a topic's name in quotes"},
    {"projection o version 1; to topic 'a b';", "a topic's name in quotes"},
    {"projection o version 1; to topic 'http://x/y';", "a topic's name in quotes"},
    {"projection o version 1; to topic 'a'; to topic 'b';", "1:48: a projection has one target"},
    {"projection o version 1; to topic 'a' delivery once;",
     "1:47: delivery is exactly-once or at-least-once"},
    {"projection o version 1; to topic 'a' delivery exactly once;", "1:55"},
    {ORDERS "to topic 'a';", "2:7: a projection to a topic has no tables"},
    {ORDERS "on shop.Opened send;", "4:16: to send, a projection needs a topic"},
    {"projection o version 1; to topic 'a'; on shop.Opened run $$ select 1 $$;", "only sends"},
    {"projection o version 1; to topic 'a'; on shop.Opened when event.x send;", "no field 'x'"},
    {"projection o version 1; to topic 'a'; on shop.Nothing send;", "has no event 'shop.Nothing'"},
};

static size_t messages_of(const char *rules)
{
    char text[300];
    const pdr_view_step *steps;
    size_t count = 0;
    viewed_opened event = opened();
    snprintf(text, sizeof text, "projection o version 1; to topic 'kafka://h:1/x'; %s", rules);
    played p = open_file(text);
    cr_assert_str_eq(p.projection->topic, "kafka://h:1/x");
    pdr_projected projected = {.entity = pdr_string_of("order/1"),
                               .event = {&viewed_opened_type, &event, 7, 1000000},
                               .partition = 2,
                               .offset = 5,
                               .parts = 1};
    cr_assert_eq(pdr_rows_begin(p.rows, 0, NULL), PDR_OK);
    if (p.projection->ops->wants(p.projection, &viewed_opened_type))
        cr_assert_eq(p.projection->ops->project(p.projection, &projected, p.rows, NULL), PDR_OK);
    cr_assert_eq(pdr_rows_take(p.rows, &steps, &count, NULL), PDR_OK);
    for (size_t i = 0; i < count; i++) {
        cr_expect_str_eq(steps[i].statement, PDR_VIEW_MESSAGE);
        cr_assert_eq(steps[i].parameter_count, PDR_MESSAGE_CELLS);
        cr_expect_eq(steps[i].parameters[PDR_MESSAGE_SEQ].as.integer, 7);
        cr_expect_eq(steps[i].parameters[PDR_MESSAGE_PARTITION].as.integer, 2);
        cr_expect_eq(steps[i].parameters[PDR_MESSAGE_OFFSET].as.integer, 5);
    }
    close_file(&p);
    return count;
}

Test(definition, to_a_topic_go_all_events_or_those_that_rules_send)
{
    cr_expect_eq(messages_of(""), 1);
    cr_expect_eq(messages_of("on shop.Opened send;"), 1);
    cr_expect_eq(messages_of("on shop.Closed send;"), 0);
    cr_expect_eq(messages_of("on shop.Opened when event.pieces < -1000 send;"), 0);
}

Test(definition, what_is_wrong_is_said_with_its_place)
{
    for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++) {
        pdr_projection *projection = NULL;
        pdr_error err = {0};
        pdr_code code = pdr_projection_read(&projection, "orders.sql", pdr_string_of(bad_files[i].text),
                                            &viewed_app, &err);
        cr_expect_eq(code, PDR_BAD_PROJECTION, "%zu: %s", i, bad_files[i].text);
        cr_expect(strstr(err.message, bad_files[i].says), "%zu: wanted \"%s\", said \"%s\"", i,
                  bad_files[i].says, err.message);
    }
}

Test(definition, a_nul_ends_no_statement)
{
    static const char text[] = ORDERS "on shop.Opened run $$ delete from {orders} \0 where false $$;";
    pdr_projection *projection = NULL;
    pdr_error err = {0};
    cr_expect_eq(
        pdr_projection_read(&projection, "f", (pdr_string){text, sizeof text - 1}, &viewed_app, &err),
        PDR_BAD_PROJECTION);
    cr_expect_str_eq(err.message, "f: the file has a NUL character");
}

Test(definition, hostile_files_end_with_an_error)
{
    static char text[200000];
    static const char *const repeated[] = {"(", "- ", "not ", "1 + ", "case when ", "coalesce(", "a.", "'"};
    for (size_t i = 0; i < sizeof repeated / sizeof *repeated; i++) {
        pdr_projection *projection = NULL;
        int size = snprintf(text, sizeof text, "%son shop.Opened upsert orders set pieces = ", ORDERS);
        while ((size_t)size + 20 < sizeof text)
            size += snprintf(text + size, sizeof text - (size_t)size, "%s", repeated[i]);
        cr_expect_eq(pdr_projection_read(&projection, "f", pdr_string_of(text), &viewed_app, NULL),
                     PDR_BAD_PROJECTION, "%s", repeated[i]);
    }
}

/* Each allocation of a whole file fails in turn: PDR_NOMEM or a projection, nothing leaks. */
Test(definition, no_memory_at_any_step_is_said)
{
    static const char text[] = ORDERS
        "on shop.Opened when event.by.clerk is null upsert orders set status = case when pieces > 2 then "
        "'it''s' else note end, total = event.total * 2 upsert days key (date(time), event.kind) set orders "
        "= orders + orders.pieces run $$ select :a $$ with (a = greatest(event.pieces, 1));"
        "on shop.Closed delete orders;";
    unsigned failed = 0;
    for (uint64_t nth = 1;; nth++) {
        pdr_projection *projection = NULL;
        pdr_error err = {.message = ""};
        pdr_mem_fail_at(nth);
        pdr_code code =
            pdr_projection_read(&projection, "orders.sql", pdr_string_of(text), &viewed_app, &err);
        bool reached = pdr_mem_count() >= nth;
        pdr_mem_fail_at(0);
        if (code == PDR_OK) pdr_projection_close(projection);
        if (!reached) {
            cr_expect_eq(code, PDR_OK, "%s", err.message);
            break;
        }
        failed++;
        cr_expect_eq(code, PDR_NOMEM, "allocation %u: %s", failed, err.message);
        cr_expect(err.message[0]);
    }
    cr_expect_gt(failed, 2u);
}

#define PARCELS                                                                                              \
    "projection parcels version 1; table parcels (id text, key text, size numeric(18,1), kind text, seal "   \
    "bytea, weight double precision, count integer, open boolean, at timestamptz, primary key (id)) key "    \
    "entity (entity); on shop.Sent upsert parcels set key = entity.key, size = event.box.size, kind = "      \
    "event.box.kind, seal = event.box.seal, weight = event.weight, count = event.count, open = "             \
    "event.open, at = event.at;"

/* The cells of the one row that an event makes; empty if it fails. */
static pdr_code parcel_of(const viewed_sent *event, const char *entity, pdr_cell cells[8])
{
    size_t count;
    played p = open_file(PARCELS);
    pdr_code code = project(&p, &viewed_sent_type, event, entity, 1);
    if (code == PDR_OK) {
        const pdr_view_step *steps = take(&p, &count);
        cr_assert_eq(count, 1u);
        memcpy(cells, steps[0].rows[0].cells, 8 * sizeof *cells);
        cr_expect_eq(cells[0].as.bytes.size, strlen(entity) > 7 ? strlen(entity) - 7 : 0);
        cells[0] = PDR_CELL_NULL; /* its bytes go with the rows */
        cells[3].as.bytes.data = NULL;
    }
    close_file(&p);
    return code;
}

Test(definition, fields_are_read_through_records_and_what_is_optional)
{
    pdr_cell cells[8];
    viewed_sent event;
    viewed_sent_type.init(&event);
    cr_assert_eq(parcel_of(&event, "parcel", cells), PDR_OK);
    for (size_t i = 1; i < 8; i++)
        cr_expect_eq(cells[i].null, i != 4 && i != 6, "%zu", i);
    event.box.present = true;
    event.weight = 0.5F;
    event.open = true;
    event.count.present = event.at.present = true;
    event.count.value = -5;
    event.at.value = 1500000;
    cr_assert_eq(parcel_of(&event, "parcel/a/b", cells), PDR_OK);
    cr_expect(cells[1].null);
    cr_expect_eq(cells[2].null, !event.box.value.kind.present);
    cr_expect_eq(cells[3].as.bytes.size, 2u);
    cr_expect_eq(cells[4].as.real, 0.5);
    cr_expect_eq(cells[5].as.integer, -5);
    cr_expect(cells[6].as.boolean);
    cr_expect_eq(cells[7].as.integer, 1500000);
}

Test(definition, decimals_have_at_most_18_digits)
{
    static const struct {
        uint8_t bytes[10];
        pdr_code code;
        int64_t value;
    } decimals[] = {
        {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, PDR_OK, 0},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, PDR_OK, -1},
        {{0, 0, 0x0d, 0xe0, 0xb6, 0xb3, 0xa7, 0x63, 0xff, 0xff}, PDR_OK, INT64_C(999999999999999999)},
        {{0, 0, 0x0d, 0xe0, 0xb6, 0xb3, 0xa7, 0x64, 0, 0}, PDR_BAD_DATA, 0},
        {{0xff, 0xff, 0xf2, 0x1f, 0x49, 0x4c, 0x58, 0x9c, 0, 1}, PDR_OK, -INT64_C(999999999999999999)},
        {{0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0}, PDR_BAD_DATA, 0},
        {{0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, PDR_BAD_DATA, 0},
        {{0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0}, PDR_BAD_DATA, 0},
    };
    for (size_t i = 0; i < sizeof decimals / sizeof *decimals; i++) {
        pdr_cell cells[8];
        viewed_sent event;
        viewed_sent_type.init(&event);
        event.box.present = event.box.value.size.present = true;
        memcpy(event.box.value.size.value.data, decimals[i].bytes, 10);
        pdr_code code = parcel_of(&event, "parcel/1", cells);
        cr_expect_eq(code, decimals[i].code, "%zu", i);
        if (code == PDR_OK) cr_expect_eq(cells[1].as.integer, decimals[i].value, "%zu", i);
    }
}

/* What no value of the server's random expressions has: PostgreSQL 15 wraps around here. */
Test(definition, what_leaves_64_bits_is_the_events_fault)
{
    static const char *const sets[] = {
        "pieces = seconds(timestamp '9999-01-01 00:00:00' - event.seen)", "pieces = 999999999999999999 * 10",
        "total = 99999999999999999.9 * 100", "pieces = 2147483648", "total = 9999999999.995"};
    viewed_opened event = opened();
    event.seen = -INT64_C(9223372036854775);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        char text[1000];
        snprintf(text, sizeof text, "%son shop.Opened upsert orders set %s;", ORDERS, sets[i]);
        played p = open_file(text);
        cr_expect_eq(project(&p, &viewed_opened_type, &event, "order/7", 1), PDR_BAD_DATA, "%s", text);
        cr_expect(p.err.message[0]);
        close_file(&p);
    }
}
