/* No space: every append has its definite answer, nothing is half there, and it goes on when there is space.
 */
#include "backends/sqlite/sqlite_log_internal.h"
#include "backends/sqlite/sqlite_store_internal.h"
#include "tests/unit/backends/sqlite/sqlite_rig.h"

#include <stdio.h>

TestSuite(sqlite_full, .init = rig_init, .fini = rig_release);

/* SQLite gives SQLITE_FULL at a page limit as it does on a full disk. */
static void limit_pages(sqlite3 *db, int64_t more)
{
    char sql[64];
    int64_t pages = 0;
    cr_assert_eq(pdr_sqlite_integer(db, "PRAGMA page_count", &pages, NULL), PDR_OK);
    snprintf(sql, sizeof sql, "PRAGMA max_page_count = %lld", (long long)(pages + more));
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

Test(sqlite_full, a_group_without_space_is_reported_whole_and_leaves_nothing)
{
    rig_log rig;
    rig_log_create(1);
    rig_log_open(&rig);
    sqlite3 *db = ((sqlite_log *)rig.log)->db;
    for (int i = 0; i < 100; i++)
        rig_log_append(&rig, 100);
    rig_log_wait(&rig, 100);
    limit_pages(db, 5);
    for (int i = 0; i < 100; i++)
        rig_log_append(&rig, 1000);
    rig_log_wait(&rig, 200);
    cr_assert_eq(rig.failed, 100);
    cr_assert_eq(rig.last_code, PDR_NO_SPACE);
    cr_assert_eq(rig.last_offset, -1);
    cr_assert_eq(rig.told, 1);
    cr_assert_not_null(strstr(rig.message, "100 appends failed"), "%s", rig.message);
    cr_assert_eq(rig_log_count(&rig), 100);
    limit_pages(db, 1000000);
    rig_log_append(&rig, 1000);
    rig_log_wait(&rig, 201);
    cr_assert_eq(rig.last_code, PDR_OK);
    cr_assert_eq(rig.last_offset, 100);
    rig_log_close(&rig);
}

typedef struct saved {
    size_t times;
    pdr_code code;
    pdr_stamp stamp;
} saved;

static void on_saved(void *context, uint64_t tag, const pdr_store_result *result)
{
    saved *s = context;
    (void)tag;
    s->times++;
    s->code = result->code;
    s->stamp = result->row.stamp;
}

Test(sqlite_full, of_saves_in_one_group_only_the_one_without_space_fails)
{
    static uint8_t big[1 << 20];
    pdr_store *store;
    pdr_store_meta meta = {.journal_id = {1}, .partitions = 2};
    cr_assert_eq(pdr_sqlite_store_open(&store, rig_file, NULL), PDR_OK);
    cr_assert_eq(store->ops->init(store, &meta, 1000, NULL), PDR_OK);
    saved rows[2] = {{0}};
    for (int32_t p = 0; p < 2; p++) {
        cr_assert_eq(store->ops->load(store, p, on_saved, &rows[p], 0, NULL), PDR_OK);
        store->ops->poll(store);
        cr_assert_eq(rows[p].code, PDR_OK);
    }
    limit_pages(((sqlite_store *)store)->db, 20);
    pdr_head large = {.key = pdr_bytes_of("a", 1), .state = {big, sizeof big}, .timer_us = PDR_NO_TIMER};
    pdr_head small = {.key = pdr_bytes_of("b", 1), .state = {big, 10}, .timer_us = PDR_NO_TIMER};
    const pdr_head *heads[2] = {&large, &small};
    for (int32_t p = 0; p < 2; p++) {
        pdr_save save = {.expected = rows[p].stamp, .heads = heads[p], .head_count = 1};
        cr_assert_eq(store->ops->save(store, p, &save, on_saved, &rows[p], 0, NULL), PDR_OK);
    }
    while (rows[0].times + rows[1].times < 4)
        store->ops->poll(store);
    cr_assert_eq(rows[0].code, PDR_NO_SPACE);
    cr_assert_eq(rows[1].code, PDR_OK);
    store->ops->close(store);
    cr_assert_eq(rig_integer("SELECT count(*) FROM store_head"), 1);
    cr_assert_eq(rig_integer("SELECT saves FROM store_partition WHERE partition = 0"), 0);
    cr_assert_eq(rig_integer("SELECT saves FROM store_partition WHERE partition = 1"), 1);
}
