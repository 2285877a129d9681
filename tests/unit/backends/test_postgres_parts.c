/* Claims about the parts of the PostgreSQL store that need no server. */
#include <criterion/criterion.h>

#include "backends/postgres/binary.h"
#include "backends/postgres/migrate.h"
#include "backends/postgres/op.h"
#include "backends/postgres/sqlstate.h"
#include "base/mem.h"

static void check_bytes(const uint8_t *from, const uint8_t *to, const char *wanted, size_t size)
{
    cr_assert_eq((size_t)(to - from), size, "%zu bytes, wanted %zu", (size_t)(to - from), size);
    cr_assert_arr_eq(from, wanted, size);
}

/* As array_send writes them (PostgreSQL, src/backend/utils/adt/arrayfuncs.c). */
Test(postgres_binary, arrays_are_as_the_server_reads_them)
{
    uint8_t out[128], *at = out;
    pdr_pg_put_array(&at, PDR_PG_INT8, 2, true);
    pdr_pg_put64_element(&at, -2);
    pdr_pg_put_null_element(&at);
    check_bytes(out, at,
                "\0\0\0\1\0\0\0\1\0\0\0\x14\0\0\0\2\0\0\0\1"
                "\0\0\0\x8\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff\xff",
                36);
    at = out;
    pdr_pg_put_array(&at, PDR_PG_TEXT, 1, false);
    pdr_pg_put_bytes_element(&at, pdr_bytes_of("ab", 2));
    check_bytes(out, at, "\0\0\0\1\0\0\0\0\0\0\0\x19\0\0\0\1\0\0\0\1\0\0\0\2ab", 26);
    at = out;
    pdr_pg_put_array(&at, PDR_PG_BYTEA, 0, false);
    check_bytes(out, at, "\0\0\0\0\0\0\0\0\0\0\0\x11", 12);
}

Test(postgres_binary, numbers_come_back_at_their_ends)
{
    static const int64_t numbers[] = {0, 1, -1, INT64_MAX, INT64_MIN, 0x0102030405060708};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        uint8_t out[8], *at = out;
        pdr_pg_put64(&at, numbers[i]);
        cr_assert_eq(pdr_pg_get64((const char *)out), numbers[i]);
        at = out;
        pdr_pg_put32(&at, (int32_t)numbers[i]);
        cr_assert_eq(pdr_pg_get32((const char *)out), (int32_t)numbers[i]);
    }
}

Test(postgres_sqlstate, the_longest_prefix_decides_and_the_unknown_is_io)
{
    static const struct {
        const char *state;
        pdr_code code;
    } rows[] = {{"08006", PDR_UNAVAILABLE},
                {"57P01", PDR_UNAVAILABLE},
                {"57014", PDR_UNAVAILABLE},
                {"53300", PDR_UNAVAILABLE},
                {"53100", PDR_NO_SPACE},
                {"40001", PDR_UNAVAILABLE},
                {"40P01", PDR_UNAVAILABLE},
                {"42P01", PDR_NOT_INITIALISED},
                {"3F000", PDR_NOT_INITIALISED},
                {"55P03", PDR_LOCKED},
                {"22021", PDR_INVALID_ARGUMENT},
                {"25006", PDR_UNAVAILABLE},
                {"54000", PDR_TOO_LARGE},
                {"XX001", PDR_CORRUPT},
                {"XX000", PDR_IO},
                {"42501", PDR_IO},
                {"99999", PDR_IO},
                {"", PDR_IO},
                {"08", PDR_IO},
                {"080061", PDR_IO},
                {NULL, PDR_IO}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_assert_eq(pdr_pg_code_of(rows[i].state), rows[i].code, "%s",
                     rows[i].state ? rows[i].state : "(null)");
}

Test(postgres_statements, a_schema_is_quoted_whatever_its_name_holds)
{
    static const char *const names[][2] = {{"perdure", "\"perdure\""},
                                           {"a\"; DROP TABLE x; --", "\"a\"\"; DROP TABLE x; --\""},
                                           {"\"", "\"\"\"\""}};
    for (size_t i = 0; i < 3; i++) {
        char *quoted = NULL;
        cr_assert_eq(pdr_pg_quote_schema(&quoted, names[i][0], NULL), PDR_OK);
        cr_assert_str_eq(quoted, names[i][1]);
        char *sql = pdr_pg_expand("SELECT FROM @head, @state", quoted), wanted[200];
        snprintf(wanted, sizeof wanted, "SELECT FROM %s.head, %s.state", names[i][1], names[i][1]);
        cr_assert_str_eq(sql, wanted);
        pdr_free(sql);
        pdr_free(quoted);
    }
}

Test(postgres_statements, each_has_as_many_parameters_as_its_text)
{
    for (int i = 0; i < PDR_PG_STATEMENTS; i++) {
        const pdr_pg_statement_info *info = &pdr_pg_statements[i];
        char last[16], beyond[16];
        snprintf(last, sizeof last, "$%d", info->param_count);
        snprintf(beyond, sizeof beyond, "$%d", info->param_count + 1);
        cr_assert_not_null(strstr(info->sql, last), "%s", info->name);
        cr_assert_null(strstr(info->sql, beyond), "%s", info->name);
        for (int p = 0; p < PDR_PG_MAX_PARAMS; p++)
            cr_assert_eq(info->params[p] != 0, p < info->param_count, "%s: type of $%d", info->name, p + 1);
    }
}

Test(postgres_migrations, they_are_numbered_from_one_and_whole)
{
    cr_assert_geq(pdr_pg_migration_count, 1);
    for (int i = 0; i < pdr_pg_migration_count; i++) {
        cr_assert_eq(pdr_pg_migrations[i].number, i + 1);
        cr_assert_eq(strlen(pdr_pg_migrations[i].checksum), 64);
        cr_assert_gt(strlen(pdr_pg_migrations[i].sql), 10);
    }
    /* A file that was released is never changed. */
    cr_assert_str_eq(pdr_pg_migrations[0].name, "store");
    cr_assert_not_null(strstr(pdr_pg_migrations[0].sql, "CREATE TABLE takeover"));
}

static void nothing(void *context, uint64_t tag, const pdr_store_result *result)
{
    (void)context;
    (void)tag;
    (void)result;
}

static pdr_pg_op *load_for(void *context)
{
    pdr_pg_target target = {3, nothing, context, 1};
    pdr_pg_op *op = NULL;
    cr_assert_eq(pdr_pg_op_load(&op, &target, NULL), PDR_OK);
    return op;
}

Test(postgres_queue, it_keeps_the_order_and_counts_bytes)
{
    int a, b;
    pdr_pg_queue queue = {0};
    pdr_pg_op *ops[3] = {load_for(&a), load_for(&b), load_for(&a)};
    pdr_pg_queue_push(&queue, ops[1]);
    pdr_pg_queue_push(&queue, ops[2]);
    pdr_pg_queue_push_front(&queue, ops[0]);
    cr_assert_eq(queue.count, 3);
    cr_assert_eq(queue.bytes, ops[0]->bytes + ops[1]->bytes + ops[2]->bytes);
    pdr_pg_queue_remove(&queue, &a);
    cr_assert_eq(queue.count, 1);
    cr_assert_eq(pdr_pg_queue_pop(&queue), ops[1]);
    cr_assert_null(pdr_pg_queue_pop(&queue));
    cr_assert_eq(queue.bytes, 0);
    pdr_pg_queue_push(&queue, ops[1]);
    pdr_pg_queue_silence(&queue, &b);
    cr_assert_null(queue.first->done);
    pdr_pg_queue_clear(&queue);
    cr_assert_eq(queue.count, 0);
}
