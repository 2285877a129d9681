/* Histories read through a backend that does its work in poll. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backends/sqlite/sqlite_log.h"
#include "history_probe.h"

enum { PLENTY = 1 << 26 };

static made_log made;
static char folder[64], file[80];
static pdr_log *journal;
static size_t reported;

static void on_reports(void *context, const pdr_log_report *reports, size_t count)
{
    (void)context;
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(reports[i].code, PDR_OK);
        cr_assert_eq(reports[i].offset, (int64_t)reports[i].tag, "offsets are those of the made log");
    }
    reported += count;
}

static const pdr_log_writer_events writer_events = {on_reports, NULL};

/* Where the made log has no record, SQLite gets a foreign one. */
static void copy_to_sqlite(void)
{
    static const pdr_log_entry foreign = {.value = {(const uint8_t *)"x", 1}};
    pdr_log_writer *writer;
    cr_assert_eq(journal->ops->writer_open(journal, 0, &writer_events, NULL, &writer, NULL), PDR_OK);
    for (int64_t offset = 0; offset < made.log.end; offset++) {
        const pdr_log_record *record = array_log_at(&made.log, offset);
        const pdr_log_entry *entry = record ? &record->entry : &foreign;
        while (journal->ops->append(writer, entry, (uint64_t)offset, NULL) == PDR_QUEUE_FULL)
            journal->ops->poll(journal);
    }
    for (reported = 0; reported < (size_t)made.log.end;)
        journal->ops->poll(journal);
    journal->ops->writer_close(writer);
}

static void open_journal(uint64_t seed)
{
    pdr_error err;
    made_init(&made, seed);
    made_weights w = {4, 5, 2, 1, 1 + (unsigned)(seed % 2), 3, 5};
    made_run(&made, &w, 3000);
    strcpy(folder, "/tmp/perdure-history-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/log.db", folder);
    cr_assert_eq(pdr_sqlite_log_create(file, "history", 1, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(pdr_sqlite_log_open(&journal, file, &err), PDR_OK, "%s", err.message);
    reported = 0;
    copy_to_sqlite();
}

static void close_journal(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    journal->ops->close(journal);
    for (int i = 0; i < 3; i++) {
        char path[100];
        snprintf(path, sizeof path, "%s%s", file, suffixes[i]);
        unlink(path);
    }
    rmdir(folder);
    made_release(&made);
}

Test(history_sqlite, is_what_was_acknowledged)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        open_journal(seed);
        for (int i = 0; i < 60; i++) {
            size_t entity = (size_t)made_random(&made, made.entity_count);
            uint64_t count = made.entities[entity].count;
            if (count == 0) continue;
            uint64_t to = 1 + made_random(&made, count), after = made_random(&made, to);
            history_probe probe = {.log = journal};
            cr_assert_eq(history_probe_read(&probe, &made, entity, after, to, i % 3 ? PLENTY : 5000), PDR_OK,
                         "%s", probe.error.message);
            cr_assert_eq(probe.dones, 1);
        }
        close_journal();
    }
}

Test(history_sqlite, may_be_closed_in_any_of_its_callbacks)
{
    open_journal(7);
    uint64_t count = made.entities[0].count;
    cr_assert_gt(count, 10);
    for (uint64_t at = 1; at <= 10; at++) {
        history_probe probe = {.log = journal, .close_at = at};
        history_probe_read(&probe, &made, 0, count - 10, count, at % 2 ? PLENTY : 0);
        cr_assert_eq(probe.dones, 0);
        cr_assert_eq(probe.events, at);
    }
    history_probe probe = {.log = journal, .close_in_done = true};
    cr_assert_eq(history_probe_read(&probe, &made, 0, 0, count, PLENTY), PDR_OK);
    close_journal();
}
