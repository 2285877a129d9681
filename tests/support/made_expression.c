#include "tests/support/made_expression.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "projections/cell.h"

#define COLUMN(name_, type_)                                                                                 \
    {                                                                                                        \
        .name = (name_), .type = (type_), .initial = {.null = true }                                         \
    }
#define NUMERIC(name_, precision_, scale_)                                                                   \
    {                                                                                                        \
        .name = (name_), .type = PDR_COLUMN_NUMERIC, .precision = (precision_), .scale = (scale_),           \
        .initial = {                                                                                         \
            .null = true                                                                                     \
        }                                                                                                    \
    }

static const pdr_column columns[MADE_COLUMNS] = {COLUMN("id", PDR_COLUMN_TEXT),
                                                 COLUMN("b1", PDR_COLUMN_BOOLEAN),
                                                 COLUMN("b2", PDR_COLUMN_BOOLEAN),
                                                 COLUMN("i1", PDR_COLUMN_INTEGER),
                                                 COLUMN("n1", PDR_COLUMN_BIGINT),
                                                 COLUMN("n2", PDR_COLUMN_BIGINT),
                                                 NUMERIC("d2", 12, 2),
                                                 NUMERIC("d4", 18, 4),
                                                 NUMERIC("d18", 18, 18),
                                                 COLUMN("f1", PDR_COLUMN_DOUBLE),
                                                 COLUMN("f2", PDR_COLUMN_DOUBLE),
                                                 COLUMN("t1", PDR_COLUMN_TEXT),
                                                 COLUMN("t2", PDR_COLUMN_TEXT),
                                                 COLUMN("y1", PDR_COLUMN_BYTEA),
                                                 COLUMN("day", PDR_COLUMN_DATE),
                                                 COLUMN("s1", PDR_COLUMN_TIMESTAMPTZ),
                                                 COLUMN("s2", PDR_COLUMN_TIMESTAMPTZ)};

const pdr_table made_table = {.name = "v", .columns = columns, .column_count = MADE_COLUMNS, .key_count = 1};

/* --- Cells --- */

#define COUNT(list) (sizeof(list) / sizeof *(list))

static int64_t an_integer(choices *c, int64_t most)
{
    static const int64_t few[] = {0, 1, -1, 2, 5, -7, 10, 100, 12345};
    unsigned how = choose(c, 8);
    if (how == 0) return most;
    if (how == 1) return -most;
    if (how == 2) return (int64_t)(choose_bits(c) % (uint64_t)most) * (choose(c, 2) ? 1 : -1);
    if (how == 3) return most / 2;
    if (how == 4) return (int64_t)(choose_bits(c) % 2000001) - 1000000;
    return few[choose(c, COUNT(few))];
}

static double a_double(choices *c)
{
    static const double few[] = {0,
                                 -0.0,
                                 1,
                                 -1,
                                 0.1,
                                 1.5,
                                 1e15,
                                 9007199254740993.0,
                                 9.2233720368547758e18,
                                 1.7976931348623157e308,
                                 -1.7976931348623157e308,
                                 2.2250738585072014e-308,
                                 5e-324,
                                 (double)INFINITY,
                                 -(double)INFINITY,
                                 (double)NAN};
    return few[choose(c, COUNT(few))];
}

static pdr_cell some_bytes(choices *c, bool text)
{
    static const char *const texts[] = {"", "a", "b", "ab", "A", "\xc3\xa9", "it's", "zz\xf0\x9f\x8d\x8f"};
    static const uint8_t bytes[] = {0, 1, 0xff, 0x80, 0};
    if (!text) return pdr_cell_bytes(pdr_bytes_of(bytes + choose(c, 3), choose(c, 3)));
    const char *one = texts[choose(c, COUNT(texts))];
    return pdr_cell_bytes(pdr_bytes_of(one, strlen(one)));
}

/* None so late that a difference leaves 64 bits of microseconds: PostgreSQL 15 wraps around there. */
static int64_t a_moment(choices *c, bool day)
{
    static const int64_t moments[] = {0,
                                      -1,
                                      499999,
                                      500000,
                                      -500000,
                                      -500001,
                                      1500000,
                                      INT64_C(86400000000),
                                      INT64_C(86399999999),
                                      INT64_C(1700000000123456),
                                      -INT64_C(62135596800000000),
                                      -INT64_C(210866803200000000),
                                      INT64_C(9000000000000000000)};
    static const int64_t days[] = {0, -1, 1, 11016, 19000, -719162, -2440588, 2145042905};
    if (day) return days[choose(c, COUNT(days))];
    if (choose(c, 2)) return (int64_t)(choose_bits(c) % UINT64_C(2000000000000000));
    return moments[choose(c, COUNT(moments))];
}

pdr_cell made_cell(const pdr_column *column, choices *c)
{
    int64_t limit = 1;
    if (choose(c, 6) == 0) return PDR_CELL_NULL;
    switch (column->type) {
    case PDR_COLUMN_BOOLEAN: return (pdr_cell){.as.boolean = choose(c, 2)};
    case PDR_COLUMN_INTEGER: return pdr_cell_integer(an_integer(c, INT32_MAX));
    case PDR_COLUMN_BIGINT:
        return pdr_cell_integer(choose(c, 16) == 0 ? INT64_MIN : an_integer(c, INT64_MAX));
    case PDR_COLUMN_NUMERIC:
        for (int i = 0; i < column->precision; i++)
            limit *= 10;
        return pdr_cell_integer(an_integer(c, limit - 1));
    case PDR_COLUMN_DOUBLE: return (pdr_cell){.as.real = a_double(c)};
    case PDR_COLUMN_TEXT:
    case PDR_COLUMN_BYTEA: return some_bytes(c, column->type == PDR_COLUMN_TEXT);
    default: return pdr_cell_integer(a_moment(c, column->type == PDR_COLUMN_DATE));
    }
}

const char *made_sql_type(const pdr_column *column, char *out, size_t size)
{
    if (column->type == PDR_COLUMN_NUMERIC)
        (void)snprintf(out, size, "numeric(%d,%d)", column->precision, column->scale);
    else
        (void)snprintf(out, size, "%s", pdr_column_type_name(column->type));
    return out;
}

static void hex_sql(char *out, size_t size, pdr_bytes bytes)
{
    size_t used = (size_t)snprintf(out, size, "decode('");
    for (size_t i = 0; i < bytes.size; i++)
        used += (size_t)snprintf(out + used, size - used, "%02x", bytes.data[i]);
    (void)snprintf(out + used, size - used, "', 'hex')");
}

/* Exactly: whole days and microseconds, which an interval keeps apart. */
static void moment_sql(char *out, size_t size, int64_t micros)
{
    int64_t days = micros / INT64_C(86400000000), rest = micros % INT64_C(86400000000);
    (void)snprintf(out, size,
                   "(((timestamp '1970-01-01' + make_interval(days => %lld)) + interval '%lld "
                   "microseconds') at time zone 'UTC')",
                   (long long)days, (long long)rest);
}

void made_cell_sql(char *out, size_t size, const pdr_column *column, const pdr_cell *cell)
{
    char type[40], bytes[200];
    (void)made_sql_type(column, type, sizeof type);
    if (cell->null) {
        (void)snprintf(out, size, "null::%s", type);
        return;
    }
    switch (column->type) {
    case PDR_COLUMN_BOOLEAN: (void)snprintf(out, size, "%s", cell->as.boolean ? "true" : "false"); break;
    case PDR_COLUMN_NUMERIC:
        (void)snprintf(out, size, "'%llde-%d'::%s", (long long)cell->as.integer, column->scale, type);
        break;
    case PDR_COLUMN_DOUBLE: (void)snprintf(out, size, "'%.17g'::%s", cell->as.real, type); break;
    case PDR_COLUMN_TEXT:
        hex_sql(bytes, sizeof bytes, cell->as.bytes);
        (void)snprintf(out, size, "convert_from(%s, 'UTF8')", bytes);
        break;
    case PDR_COLUMN_BYTEA: hex_sql(out, size, cell->as.bytes); break;
    case PDR_COLUMN_DATE:
        (void)snprintf(out, size, "(date '1970-01-01' + %lld)", (long long)cell->as.integer);
        break;
    case PDR_COLUMN_TIMESTAMPTZ: moment_sql(out, size, cell->as.integer); break;
    default: (void)snprintf(out, size, "'%lld'::%s", (long long)cell->as.integer, type);
    }
}

/* --- Expressions --- */

typedef struct making {
    made_expression *out;
    choices *c;
    size_t ours, sql;
} making;

static void put_one(making *m, char *to, size_t *used, const char *text)
{
    size_t size = strlen(text);
    if (*used + size + 1 > MADE_TEXT) {
        m->out->too_long = true;
        return;
    }
    memcpy(to + *used, text, size + 1);
    *used += size;
}

static void put(making *m, const char *ours, const char *sql)
{
    put_one(m, m->out->ours, &m->ours, ours);
    put_one(m, m->out->sql, &m->sql, sql);
}

static void both(making *m, const char *text)
{
    put(m, text, text);
}

static unsigned draw(making *m, unsigned count)
{
    return choose(m->c, count);
}

/* What the language calls bigint is one in SQL, whatever the column is. */
static const char *value_type(pdr_column_type type)
{
    return type == PDR_COLUMN_INTEGER ? "bigint"
           : type == PDR_COLUMN_TEXT  ? "text collate \"C\""
                                      : pdr_column_type_name(type);
}

static void make_of(making *m, pdr_column_type type, unsigned depth);

static void put_column(making *m, pdr_column_type type)
{
    char ours[80], sql[80];
    for (;;) {
        const pdr_column *column = &columns[1 + draw(m, MADE_COLUMNS - 1)];
        bool integer = column->type == PDR_COLUMN_INTEGER;
        if (column->type != type && !(integer && type == PDR_COLUMN_BIGINT)) continue;
        (void)snprintf(ours, sizeof ours, "%s%s", draw(m, 4) ? "" : "old.", column->name);
        (void)snprintf(sql, sizeof sql, "v.%s%s", column->name, integer ? "::bigint" : "");
        put(m, ours, sql);
        return;
    }
}

/* As it is written, and what it is in SQL; it is no constant there. */
static void put_literal(making *m, pdr_column_type type)
{
    static const char *const literals[][5] = {
        [PDR_COLUMN_BOOLEAN] = {"true", "false", "true", "false", "true"},
        [PDR_COLUMN_BIGINT] = {"0", "1", "7", "999999999999999999", "1000000"},
        [PDR_COLUMN_NUMERIC] = {"0.5", "1.00", "0.005", "12345678901234.5678", "0.000000000000000001"},
        [PDR_COLUMN_DOUBLE] = {"f1", "f2", "f1", "f2", "f1"},
        [PDR_COLUMN_TEXT] = {"''", "'a'", "'it''s'", "'\xc3\xa9'", "'B'"},
        [PDR_COLUMN_BYTEA] = {"y1", "y1", "y1", "y1", "y1"},
        [PDR_COLUMN_DATE] = {"date '1970-01-01'", "date '2000-02-29'", "date '0001-01-01'",
                             "date '9999-12-31'", "date '1969-12-31'"},
        [PDR_COLUMN_TIMESTAMPTZ] = {"timestamp '1970-01-01 00:00:00'",
                                    "timestamp '2016-02-29 23:59:59.999999'",
                                    "timestamp '0001-01-01 00:00:00.5'", "timestamp '9999-12-31 12:00:00'",
                                    "timestamp '1969-12-31 23:59:59.5'"}};
    const char *ours = literals[type][draw(m, 5)];
    char sql[200];
    if (type == PDR_COLUMN_DOUBLE || type == PDR_COLUMN_BYTEA)
        (void)snprintf(sql, sizeof sql, "v.%s", ours); /* the language has no literals of these */
    else if (type == PDR_COLUMN_TIMESTAMPTZ)
        (void)snprintf(sql, sizeof sql, "(case when v.one then (%s at time zone 'UTC') end)", ours);
    else
        (void)snprintf(sql, sizeof sql, "(case when v.one then %s::%s end)", ours, value_type(type));
    put(m, ours, sql);
}

static void put_null(making *m, pdr_column_type type)
{
    char sql[100];
    (void)snprintf(sql, sizeof sql, "(case when not v.one then null::%s end)", value_type(type));
    put(m, "null", sql);
}

static void put_leaf(making *m, pdr_column_type type)
{
    if (draw(m, 4) == 0)
        put_literal(m, type);
    else
        put_column(m, type);
}

/* Types that go together with `type`, when `type` is to come out. */
static pdr_column_type part_type(making *m, pdr_column_type type)
{
    if (type == PDR_COLUMN_DOUBLE && draw(m, 3) == 0)
        return draw(m, 2) ? PDR_COLUMN_BIGINT : PDR_COLUMN_NUMERIC;
    if (type == PDR_COLUMN_NUMERIC && draw(m, 3) == 0) return PDR_COLUMN_BIGINT;
    return type;
}

/* Not the part that decides on the type: a NULL of the language has none. */
static void make_other(making *m, pdr_column_type type, unsigned depth)
{
    if (draw(m, 8) == 0)
        put_null(m, type);
    else
        make_of(m, part_type(m, type), depth);
}

static void make_list(making *m, const char *function, pdr_column_type type, unsigned depth)
{
    unsigned others = 1 + draw(m, 2);
    both(m, function);
    both(m, "(");
    make_of(m, type, depth); /* one of the whole type decides what comes out */
    for (; others > 0; others--) {
        both(m, ", ");
        make_other(m, type, depth);
    }
    both(m, ")");
}

static void make_case(making *m, pdr_column_type type, unsigned depth)
{
    unsigned whens = 1 + draw(m, 2);
    both(m, "case");
    for (unsigned i = 0; i < whens; i++) {
        both(m, " when ");
        make_of(m, PDR_COLUMN_BOOLEAN, depth);
        both(m, " then ");
        if (i)
            make_other(m, type, depth);
        else
            make_of(m, type, depth);
    }
    if (draw(m, 3)) {
        both(m, " else ");
        make_other(m, type, depth);
    }
    both(m, " end");
}

static void make_operator(making *m, const char *sign, pdr_column_type left, pdr_column_type right,
                          unsigned depth)
{
    both(m, "(");
    make_of(m, left, depth);
    both(m, sign);
    make_of(m, right, depth);
    both(m, ")");
}

static void make_arithmetic(making *m, pdr_column_type type, unsigned depth)
{
    static const char *const signs[] = {" + ", " - ", " * "};
    if (draw(m, 8) == 0) {
        both(m, "(- ");
        make_of(m, type, depth);
        both(m, ")");
        return;
    }
    pdr_column_type other = part_type(m, type);
    bool swap = draw(m, 2);
    make_operator(m, signs[draw(m, 3)], swap ? other : type, swap ? type : other, depth);
}

static void make_comparison(making *m, unsigned depth)
{
    static const char *const signs[] = {" = ", " <> ", " < ", " <= ", " > ", " >= "};
    static const pdr_column_type types[] = {PDR_COLUMN_BOOLEAN, PDR_COLUMN_BIGINT,     PDR_COLUMN_NUMERIC,
                                            PDR_COLUMN_DOUBLE,  PDR_COLUMN_TEXT,       PDR_COLUMN_BYTEA,
                                            PDR_COLUMN_DATE,    PDR_COLUMN_TIMESTAMPTZ};
    pdr_column_type type = types[draw(m, COUNT(types))];
    both(m, "(");
    make_of(m, type, depth);
    both(m, signs[draw(m, 6)]);
    make_other(m, type, depth);
    both(m, ")");
}

static void make_truth(making *m, unsigned depth)
{
    unsigned how = draw(m, 6);
    if (how < 2) {
        make_comparison(m, depth);
    } else if (how < 4) {
        make_operator(m, how == 2 ? " and " : " or ", PDR_COLUMN_BOOLEAN, PDR_COLUMN_BOOLEAN, depth);
    } else if (how == 4) {
        both(m, "(not ");
        make_of(m, PDR_COLUMN_BOOLEAN, depth);
        both(m, ")");
    } else {
        both(m, "(");
        make_of(m, (pdr_column_type)(PDR_COLUMN_BIGINT + draw(m, PDR_COLUMN_TYPES - PDR_COLUMN_BIGINT)),
                depth);
        both(m, draw(m, 2) ? " is null)" : " is not null)");
    }
}

static void make_seconds(making *m, unsigned depth)
{
    put(m, "seconds(", "round(extract(epoch from (");
    make_of(m, PDR_COLUMN_TIMESTAMPTZ, depth);
    both(m, " - ");
    make_of(m, PDR_COLUMN_TIMESTAMPTZ, depth);
    put(m, ")", ")))::bigint");
}

static void make_date(making *m, unsigned depth)
{
    put(m, "date(", "((");
    make_of(m, PDR_COLUMN_TIMESTAMPTZ, depth);
    put(m, ")", ") at time zone 'UTC')::date");
}

static void make_own(making *m, pdr_column_type type, unsigned depth)
{
    switch (type) {
    case PDR_COLUMN_BOOLEAN: make_truth(m, depth); break;
    case PDR_COLUMN_BIGINT:
        if (draw(m, 4) == 0) {
            make_seconds(m, depth);
            break;
        }
        make_arithmetic(m, type, depth);
        break;
    case PDR_COLUMN_NUMERIC:
    case PDR_COLUMN_DOUBLE: make_arithmetic(m, type, depth); break;
    case PDR_COLUMN_DATE: make_date(m, depth); break;
    default: put_leaf(m, type);
    }
}

static void make_of(making *m, pdr_column_type type, unsigned depth)
{
    static const char *const lists[] = {"coalesce", "greatest", "least"};
    unsigned how = depth ? draw(m, 8) : 0;
    if (how == 0)
        put_leaf(m, type);
    else if (how == 1)
        make_case(m, type, depth - 1);
    else if (how == 2)
        make_list(m, lists[draw(m, 3)], type, depth - 1);
    else
        make_own(m, type, depth - 1);
}

void made_expression_make(made_expression *out, choices *c)
{
    making m = {.out = out, .c = c};
    out->too_long = false;
    out->ours[0] = out->sql[0] = 0;
    do
        out->type = (pdr_column_type)choose(c, PDR_COLUMN_TYPES);
    while (out->type == PDR_COLUMN_INTEGER);
    make_of(&m, out->type, 1 + choose(c, 4));
}
