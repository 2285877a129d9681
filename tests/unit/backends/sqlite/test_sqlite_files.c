/* Files that aren't what they should be. */
#include "tests/unit/backends/sqlite/sqlite_rig.h"

#include <sys/stat.h>
#include <unistd.h>

TestSuite(sqlite_files, .init = rig_init, .fini = rig_release);

static pdr_code open_log(pdr_error *err)
{
    pdr_log *log = NULL;
    *err = (pdr_error){0};
    pdr_code code = pdr_sqlite_log_open(&log, rig_file, err);
    cr_assert_eq(code == PDR_OK, log != NULL);
    if (log) log->ops->close(log);
    if (code != PDR_OK) cr_assert_not_null(strstr(err->message, rig_file), "which file? %s", err->message);
    return code;
}

static pdr_code open_store(pdr_error *err)
{
    pdr_store *store = NULL;
    *err = (pdr_error){0};
    pdr_code code = pdr_sqlite_store_open(&store, rig_file, err);
    cr_assert_eq(code == PDR_OK, store != NULL);
    if (store) store->ops->close(store);
    if (code != PDR_OK) cr_assert_not_null(strstr(err->message, rig_file), "which file? %s", err->message);
    return code;
}

static pdr_code create(const char *journal, int32_t partitions)
{
    return pdr_sqlite_log_create(rig_file, journal, partitions, NULL);
}

Test(sqlite_files, a_missing_file_is_no_log_and_is_not_made)
{
    pdr_error err;
    cr_assert_eq(open_log(&err), PDR_NOT_INITIALISED);
    cr_assert_eq(access(rig_file, F_OK), -1);
}

Test(sqlite_files, an_empty_file_is_no_log)
{
    pdr_error err;
    rig_put_file("", 0);
    cr_assert_eq(open_log(&err), PDR_NOT_INITIALISED);
}

Test(sqlite_files, a_store_without_a_log_is_no_log_and_the_other_way_round)
{
    pdr_error err = {0};
    pdr_store *store;
    pdr_store_meta meta = {.journal_id = {1}, .partitions = 2};
    cr_assert_eq(pdr_sqlite_store_open(&store, rig_file, &err), PDR_OK);
    cr_assert_eq(store->ops->meta(store, &meta, 1000, &err), PDR_NOT_INITIALISED);
    meta.partitions = 2;
    cr_assert_eq(store->ops->init(store, &meta, 1000, &err), PDR_OK);
    store->ops->close(store);
    cr_assert_eq(open_log(&err), PDR_NOT_INITIALISED);
    cr_assert_eq(create("rig", 2), PDR_OK);
    cr_assert_eq(open_log(&err), PDR_OK);
    cr_assert_eq(open_store(&err), PDR_OK);
}

Test(sqlite_files, a_file_that_is_no_database_is_refused_and_left_alone)
{
    static const char text[] =
        "id,amount\n1,2\n, a CSV file that somebody named by mistake, long enough for a header, "
        "which in SQLite has 100 bytes\n";
    pdr_error err;
    rig_put_file(text, sizeof text);
    cr_assert_eq(open_log(&err), PDR_CORRUPT);
    cr_assert_eq(open_store(&err), PDR_CORRUPT);
    cr_assert_eq(create("rig", 4), PDR_CORRUPT);
    struct stat st;
    cr_assert_eq(stat(rig_file, &st), 0);
    cr_assert_eq(st.st_size, (off_t)sizeof text);
}

Test(sqlite_files, a_database_of_another_program_is_refused_and_left_alone)
{
    static const char *const theirs[] = {"CREATE TABLE theirs (x)", "PRAGMA application_id = 77"};
    pdr_error err;
    for (int i = 0; i < 2; i++) {
        rig_sql(theirs[i]);
        cr_assert_eq(open_log(&err), PDR_EXISTS);
        cr_assert_eq(open_store(&err), PDR_EXISTS);
        cr_assert_eq(create("rig", 4), PDR_EXISTS);
        cr_assert_eq(rig_integer("SELECT journal_mode = 'delete' FROM pragma_journal_mode"), 1);
    }
}

Test(sqlite_files, a_folder_or_an_unreachable_path_is_refused)
{
    pdr_error err = {0};
    pdr_log *log;
    pdr_store *store;
    cr_assert_eq(pdr_sqlite_log_open(&log, "/tmp", &err), PDR_BAD_URL);
    cr_assert_eq(pdr_sqlite_log_open(&log, "", &err), PDR_BAD_URL);
    cr_assert_eq(pdr_sqlite_log_open(&log, NULL, &err), PDR_BAD_URL);
    cr_assert_eq(pdr_sqlite_store_open(&store, "/tmp", &err), PDR_BAD_URL);
    cr_assert_eq(pdr_sqlite_store_open(&store, "/nonexistent/folder/x.db", &err), PDR_IO);
    cr_assert_eq(pdr_sqlite_log_create("/nonexistent/folder/x.db", "rig", 1, &err), PDR_IO);
    cr_assert_not_null(strstr(err.message, "/nonexistent/folder/x.db"));
}

Test(sqlite_files, a_log_of_a_newer_version_is_refused)
{
    pdr_error err;
    rig_log_create(2);
    rig_sql("UPDATE log_meta SET format = 2; ALTER TABLE log_meta RENAME COLUMN journal TO topic");
    cr_assert_eq(open_log(&err), PDR_TOO_NEW);
    cr_assert_eq(create("rig", 2), PDR_TOO_NEW);
}

Test(sqlite_files, impossible_values_in_log_meta_are_corrupt)
{
    static const char *const wrong[] = {
        "UPDATE log_meta SET partitions = 0",
        "UPDATE log_meta SET partitions = -1",
        "UPDATE log_meta SET partitions = 100000",
        "UPDATE log_meta SET journal = zeroblob(300)",
        "DELETE FROM log_meta",
    };
    pdr_error err;
    rig_log_create(2);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        rig_sql(wrong[i]);
        cr_assert_eq(open_log(&err), PDR_CORRUPT, "%s", wrong[i]);
    }
}

Test(sqlite_files, create_again_is_fine_with_the_same_values_only)
{
    cr_assert_eq(create("rig", 4), PDR_OK);
    cr_assert_eq(create("rig", 4), PDR_OK);
    cr_assert_eq(create("rig", 8), PDR_EXISTS);
    cr_assert_eq(create("other", 4), PDR_EXISTS);
}

Test(sqlite_files, names_and_partition_counts_are_checked)
{
    static char long_name[251];
    memset(long_name, 'x', 250);
    static const char *const wrong[] = {"", "a b", "a'b", "a/b", "\xc3\xa4", long_name, NULL};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_assert_eq(create(wrong[i], 4), PDR_INVALID_ARGUMENT);
    cr_assert_eq(create("rig", 0), PDR_INVALID_ARGUMENT);
    cr_assert_eq(create("rig", -1), PDR_INVALID_ARGUMENT);
    cr_assert_eq(create("rig", 4097), PDR_INVALID_ARGUMENT);
    cr_assert_eq(access(rig_file, F_OK), -1);
    cr_assert_eq(create(long_name + 1, 4096), PDR_OK);
    pdr_error err;
    cr_assert_eq(open_log(&err), PDR_OK);
}

Test(sqlite_files, a_log_and_a_store_live_in_one_file)
{
    pdr_error err;
    pdr_store *store;
    rig_log_create(2);
    cr_assert_eq(pdr_sqlite_store_open(&store, rig_file, &err), PDR_OK);
    pdr_store_meta meta = {.journal_id = {1}, .partitions = 2};
    cr_assert_eq(store->ops->init(store, &meta, 1000, &err), PDR_OK);
    rig_log rig;
    rig_log_open(&rig);
    rig_log_append(&rig, 10);
    rig_log_wait(&rig, 1);
    cr_assert_eq(rig_log_count(&rig), 1);
    rig_log_close(&rig);
    store->ops->close(store);
    cr_assert_eq(open_log(&err), PDR_OK);
}

Test(sqlite_files, impossible_values_in_store_meta_are_corrupt)
{
    pdr_error err;
    pdr_store *store;
    pdr_store_meta meta = {.journal_id = {1}, .partitions = 2};
    cr_assert_eq(pdr_sqlite_store_open(&store, rig_file, &err), PDR_OK);
    cr_assert_eq(store->ops->init(store, &meta, 1000, &err), PDR_OK);
    rig_sql("UPDATE store_meta SET journal_id = x'0102'");
    cr_assert_eq(store->ops->meta(store, &meta, 1000, &err), PDR_CORRUPT);
    rig_sql("DELETE FROM store_meta");
    cr_assert_eq(store->ops->meta(store, &meta, 1000, &err), PDR_CORRUPT);
    store->ops->close(store);
}

Test(sqlite_files, people_can_look_at_the_records_through_one_view)
{
    rig_log rig;
    rig_log_create(3);
    rig_log_open(&rig);
    rig_log_append(&rig, 10);
    rig_log_append(&rig, 10);
    rig_log_wait(&rig, 2);
    rig_log_close(&rig);
    cr_assert_eq(rig_integer("SELECT count(*) FROM record WHERE partition = 0"), 2);
    cr_assert_eq(rig_integer("SELECT offset FROM record WHERE key = 'loan/1'"), 1);
}

Test(sqlite_files, a_record_that_was_deleted_behind_our_back_is_named)
{
    rig_log rig;
    rig_log_create(1);
    rig_log_open(&rig);
    for (int i = 0; i < 20; i++)
        rig_log_append(&rig, 10);
    rig_log_wait(&rig, 20);
    rig_sql("DELETE FROM record_0 WHERE offset IN (7, 8)");
    cr_assert_eq(rig_log_count(&rig), 7);
    cr_assert_eq(rig.failure.code, PDR_CORRUPT);
    cr_assert_not_null(strstr(rig.failure.message, "7 to 8"), "%s", rig.failure.message);
    rig_log_close(&rig);
}

Test(sqlite_files, a_journal_mode_changed_by_others_is_unsafe)
{
    pdr_error err = {0};
    rig_log_create(1);
    pdr_log *log;
    cr_assert_eq(pdr_sqlite_log_open(&log, rig_file, &err), PDR_OK);
    cr_assert_eq(log->ops->check(log, 1000, &err), PDR_OK);
    log->ops->close(log);
    rig_sql("PRAGMA journal_mode = DELETE");
    /* Opening sets it right again. */
    cr_assert_eq(pdr_sqlite_log_open(&log, rig_file, &err), PDR_OK);
    cr_assert_eq(log->ops->check(log, 1000, &err), PDR_OK);
    log->ops->close(log);
}
