/* Claims about tables as text. */
#include <criterion/criterion.h>

#include "projections/views.h"

static const pdr_column columns[] = {
    {.name = "day", .type = PDR_COLUMN_DATE, .not_null = true},
    {.name = "sum", .type = PDR_COLUMN_NUMERIC, .precision = 12, .scale = 2},
    {.name = "note", .type = PDR_COLUMN_TEXT},
};
static const pdr_table tables[] = {
    {.name = "days", .columns = columns, .column_count = 3, .key_count = 1, .shared = true},
    {.name = "both", .columns = columns, .column_count = 3, .key_count = 2},
};

static pdr_code parse(const char *text, const pdr_table **out, size_t *count, pdr_arena *arena)
{
    pdr_error err;
    *arena = (pdr_arena)PDR_ARENA_INIT(1024 * 1024);
    return pdr_view_tables_parse(out, count, arena, text, &err);
}

Test(view_tables, what_is_printed_is_read_back)
{
    pdr_arena arena;
    pdr_buf text = PDR_BUF_INIT(65536);
    const pdr_table *back;
    size_t count;
    cr_assert_eq(pdr_view_tables_print(&text, tables, 2, NULL), PDR_OK);
    cr_assert_eq(pdr_buf_append(&text, "", 1), PDR_OK);
    cr_assert_eq(parse((const char *)text.data, &back, &count, &arena), PDR_OK);
    cr_assert_eq(count, 2);
    for (size_t i = 0; i < count; i++) {
        cr_assert_str_eq(back[i].name, tables[i].name);
        cr_assert_eq(back[i].key_count, tables[i].key_count);
        cr_assert_eq(back[i].shared, tables[i].shared);
        cr_assert_eq(back[i].column_count, 3);
        for (size_t j = 0; j < 3; j++) {
            const pdr_column *a = &back[i].columns[j], *b = &columns[j];
            cr_assert_str_eq(a->name, b->name);
            cr_assert_eq(a->type, b->type);
            cr_assert_eq(a->precision, b->precision);
            cr_assert_eq(a->scale, b->scale);
            cr_assert_eq(a->not_null, b->not_null);
        }
    }
    pdr_arena_release(&arena);
    pdr_buf_release(&text);
}

Test(view_tables, none_are_an_empty_list)
{
    pdr_arena arena;
    const pdr_table *back;
    size_t count = 7;
    cr_assert_eq(parse("[]", &back, &count, &arena), PDR_OK);
    cr_assert_eq(count, 0);
    pdr_arena_release(&arena);
}

Test(view_tables, anything_else_is_corrupt)
{
    static const char *const bad[] = {
        "",
        "{}",
        "[",
        "[1]",
        "[{\"name\":\"t\",\"key\":1}]",
        "[{\"name\":\"t\",\"key\":2,\"columns\":[{\"name\":\"a\",\"type\":\"text\"}]}]",
        "[{\"name\":\"t\",\"key\":0,\"columns\":[{\"name\":\"a\",\"type\":\"text\"}]}]",
        "[{\"name\":\"\",\"key\":1,\"columns\":[{\"name\":\"a\",\"type\":\"text\"}]}]",
        "[{\"name\":\"t\",\"key\":1,\"columns\":[{\"name\":\"a\",\"type\":\"money\"}]}]",
        "[{\"name\":\"t\",\"key\":1,\"columns\":[{\"type\":\"text\"}]}]",
        ("[{\"name\":\"t\",\"key\":1,\"columns\":[{\"name\":\"a\",\"type\":\"numeric\",\"precision\":19,"
         "\"scale\":0}]}]"),
        "[{\"name\":\"t\",\"key\":1,\"columns\":[7]}]",
        "[{\"name\":\"a\\u0000b\",\"key\":1,\"columns\":[{\"name\":\"a\",\"type\":\"text\"}]}]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pdr_arena arena;
        const pdr_table *back;
        size_t count;
        cr_assert_eq(parse(bad[i], &back, &count, &arena), PDR_CORRUPT, "%s", bad[i]);
        pdr_arena_release(&arena);
    }
}
