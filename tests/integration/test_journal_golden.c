/* A journal's file that was made once and is never made again (tests/golden/sqlite/): whoever reads format 1
 * must read it. The same story, told to a new journal, keeps what is expected of it honest. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "bank_journal.h"

enum { PARTITIONS = 2, EVENTS = 8 };

static bank_dir dir;

static void make(void)
{
    bank_dir_make(&dir, PARTITIONS);
}
static void destroy(void)
{
    bank_dir_remove(&dir);
}

TestSuite(golden_journal, .init = make, .fini = destroy, .timeout = 600);

/* --- The story --- */

static const bank_deposit hundred = {100}, five = {5}, seven = {7};
static const bank_withdraw thirty = {30}, thousand = {1000};
static const bank_deposited forty = {40, 40};
static const int64_t then = 1700000000123456;

typedef struct said {
    const char *entity, *id;
    const pdr_type *type;
    const void *command;
    pdr_code code;
    uint64_t seq;
    uint32_t events;
    const char *answer;
} said;

static const bank_name bob = {{"Bob", 3}, 3};

static const said first_day[] = {
    {"account/alice", "row-1", &bank_deposit_type, &hundred, PDR_OK, 1, 1, "balance 100"},
    {"account/alice", "row-2", &bank_withdraw_type, &thirty, PDR_OK, 2, 1, ""},
    {"account/bob", "row-3", &bank_name_type, &bob, PDR_OK, 3, 3, ""},
    {"account/carol", "row-4", &bank_deposit_type, &five, PDR_OK, 1, 1, "balance 5"},
    {"account/alice", "row-5", &bank_withdraw_type, &thousand, PDR_REFUSED, 2, 0, "insufficient funds"},
};
static const said second_day[] = {
    {"account/alice", "row-6", &bank_deposit_type, &seven, PDR_OK, 3, 1, "balance 77"},
};

static pdr_bytes text(const char *s)
{
    return pdr_bytes_of(s, strlen(s));
}

static pdr_request_spec spec_of(const said *s)
{
    return (pdr_request_spec){.entity = pdr_string_of(s->entity),
                              .type = s->type,
                              .command = s->command,
                              .id = text(s->id),
                              .correlation = text("day"),
                              .causation = text("cause")};
}

/* The answer is the one that is expected, and is repeated or not. */
static void expect_answer(pdr_journal *journal, const said *s, bool repeated)
{
    pdr_answered answer;
    pdr_error err = {PDR_OK, 0, ""};
    pdr_request_spec spec = spec_of(s);
    cr_assert_eq(pdr_ask(journal, &spec, 120000, &answer, &err), s->code, "%s: %s", s->id, err.message);
    cr_assert_eq(answer.seq, s->seq, "%s", s->id);
    cr_assert_eq(answer.events, s->events, "%s", s->id);
    cr_assert_str_eq((const char *)answer.answer, s->answer, "%s", s->id);
    cr_assert_eq(answer.repeated, repeated && s->events > 0, "%s", s->id);
}

static void expect_appended(void *context, const pdr_reply *reply)
{
    *(pdr_code *)context = reply->code;
}

/* Two terms of each partition: the second day begins with a takeover. */
static void tell_story(void)
{
    pdr_options options = bank_options(&dir, 1);
    options.address = "golden:1";
    pdr_journal *journal = bank_open(&options);
    for (size_t i = 0; i < sizeof first_day / sizeof first_day[0]; i++)
        expect_answer(journal, &first_day[i], false);
    pdr_journal_close(journal);
    journal = bank_open(&options);
    expect_answer(journal, &second_day[0], false);
    pdr_request_spec spec = {.entity = pdr_string_of("account/dave"), .id = text("row-7")};
    pdr_new_event event = {&bank_deposited_type, &forty, then};
    pdr_code appended = PDR_FATAL;
    cr_assert_eq(pdr_journal_append(journal, &spec, &event, 1, expect_appended, &appended, NULL), PDR_OK);
    cr_assert_eq(pdr_journal_drain(journal, 120000, NULL), PDR_OK);
    pdr_journal_close(journal);
    cr_assert_eq(appended, PDR_OK);
}

/* --- What is read back --- */

typedef struct happened {
    const char *entity;
    uint64_t seq;
    uint32_t index, count;
    const char *id, *reply;
    int64_t amount; /* 0: a name */
} happened;

static const happened history[EVENTS] = {
    {"account/alice", 1, 0, 1, "row-1", "balance 100", 100},
    {"account/alice", 2, 0, 1, "row-2", "", 30},
    {"account/alice", 3, 0, 1, "row-6", "balance 77", 7},
    {"account/bob", 1, 0, 3, "row-3", "", 0},
    {"account/bob", 2, 1, 3, "row-3", "", 0},
    {"account/bob", 3, 2, 3, "row-3", "", 0},
    {"account/carol", 1, 0, 1, "row-4", "balance 5", 5},
    {"account/dave", 1, 0, 1, "row-7", "", 40},
};

static int64_t amount_of(const pdr_logged_event *event)
{
    if (event->type == &bank_deposited_type) return ((const bank_deposited *)event->value)->amount;
    if (event->type == &bank_withdrew_type) return ((const bank_withdrew *)event->value)->amount;
    cr_assert_eq(event->type, &bank_named_type);
    cr_assert(pdr_string_equal(((const bank_named *)event->value)->owner, bob.owner));
    return 0;
}

static void expect_event(const pdr_logged_event *event, const happened *expected)
{
    bool appended = strcmp(expected->entity, "account/dave") == 0;
    cr_assert(pdr_string_equal(event->entity, pdr_string_of(expected->entity)));
    cr_assert_eq(event->seq, expected->seq);
    cr_assert_eq(event->index, expected->index);
    cr_assert_eq(event->count, expected->count);
    cr_assert(pdr_bytes_equal(event->id, text(expected->id)));
    cr_assert(pdr_bytes_equal(event->reply, text(expected->reply)));
    cr_assert(pdr_bytes_equal(event->correlation, text(appended ? "" : "day")));
    cr_assert(pdr_bytes_equal(event->causation, text(appended ? "" : "cause")));
    cr_assert_eq(amount_of(event), expected->amount);
    if (appended) cr_assert_eq(event->time_us, then);
}

/* Histories: by backlinks, from the heads that the store holds. */
static void expect_histories(pdr_journal *journal)
{
    for (size_t i = 0; i < EVENTS;) {
        const pdr_logged_event *event;
        pdr_reader *reader;
        pdr_string entity = pdr_string_of(history[i].entity);
        cr_assert_eq(pdr_history_reader_open(&reader, journal, entity, 0, NULL), PDR_OK);
        for (; i < EVENTS && pdr_string_equal(entity, pdr_string_of(history[i].entity)); i++) {
            cr_assert_eq(pdr_reader_next(reader, &event, 120000, NULL), PDR_OK);
            cr_assert_not_null(event);
            expect_event(event, &history[i]);
        }
        cr_assert_eq(pdr_reader_next(reader, &event, 120000, NULL), PDR_OK);
        cr_assert_null(event);
        pdr_reader_close(reader);
    }
}

/* Partitions: every record from the first, by the void rule. */
static void expect_partitions(pdr_journal *journal)
{
    int found = 0;
    for (int32_t p = 0; p < PARTITIONS; p++) {
        const pdr_logged_event *event;
        pdr_reader *reader;
        cr_assert_eq(pdr_reader_open(&reader, journal, p, PDR_POSITION_START, NULL), PDR_OK);
        for (;; found++) {
            cr_assert_eq(pdr_reader_next(reader, &event, 120000, NULL), PDR_OK);
            if (!event) break;
            size_t i = 0;
            while (i < EVENTS && !(pdr_string_equal(event->entity, pdr_string_of(history[i].entity)) &&
                                   event->seq == history[i].seq))
                i++;
            cr_assert_lt(i, EVENTS);
            expect_event(event, &history[i]);
        }
        pdr_reader_close(reader);
    }
    cr_assert_eq(found, EVENTS);
}

static void expect_state(pdr_journal *journal, const char *entity, uint64_t seq, int64_t balance,
                         const char *owner)
{
    pdr_arena arena = PDR_ARENA_INIT(65536);
    bank_account account;
    uint64_t read;
    cr_assert_eq(pdr_read_state(journal, entity, false, 120000, &arena, &account, &read, NULL), PDR_OK);
    cr_assert_eq(read, seq, "%s", entity);
    cr_assert_eq(account.balance, balance, "%s", entity);
    cr_assert_eq(account.entries, (int64_t)seq, "%s", entity);
    cr_assert(pdr_string_equal(account.owner, pdr_string_of(owner)), "%s", entity);
    pdr_arena_release(&arena);
}

static void expect_story(void)
{
    pdr_options options = bank_options(&dir, 1);
    pdr_journal *journal = bank_open(&options);
    expect_histories(journal);
    expect_partitions(journal);
    expect_state(journal, "account/alice", 3, 77, "");
    expect_state(journal, "account/bob", 3, 0, "Bob");
    expect_state(journal, "account/carol", 1, 5, "");
    expect_state(journal, "account/dave", 1, 40, "");
    for (size_t i = 0; i < 4; i++)
        expect_answer(journal, &first_day[i], true);
    expect_answer(journal, &second_day[0], true);
    said reused = first_day[0];
    reused.command = &five;
    reused.code = PDR_ID_REUSED;
    reused.seq = 3;
    reused.events = 0;
    reused.answer = "";
    expect_answer(journal, &reused, false);
    pdr_journal_close(journal);
}

/* --- The files --- */

static void copy_frozen(void)
{
    char path[128], block[65536];
    snprintf(path, sizeof path, "%s/bank.db", dir.path);
    FILE *from = fopen(PDR_SOURCE_DIR "/tests/golden/sqlite/journal-v1.db", "rb"), *to = fopen(path, "wb");
    cr_assert(from && to);
    for (size_t size; (size = fread(block, 1, sizeof block, from)) > 0;)
        cr_assert_eq(fwrite(block, 1, size, to), size);
    cr_assert_eq(ferror(from), 0);
    cr_assert_eq(fclose(from) | fclose(to), 0);
}

static void change_file(const char *sql)
{
    char path[128];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/bank.db", dir.path);
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    cr_assert_gt(sqlite3_changes(db), 0, "%s", sql);
    cr_assert_eq(sqlite3_close(db), SQLITE_OK);
}

Test(golden_journal, a_new_journal_is_read_as_the_story_was_told)
{
    tell_story();
    expect_story();
}

Test(golden_journal, the_frozen_file_of_format_1_tells_the_same_story)
{
    copy_frozen();
    expect_story();
}

Test(golden_journal, states_of_the_frozen_file_are_what_its_store_holds)
{
    copy_frozen(); /* a state is the Avro datum alone: balance 500, entries 3, owner "Zoe" */
    change_file("UPDATE store_state SET state = x'e807' || x'06' || x'065a6f65' WHERE key = 'account/alice'");
    pdr_options options = bank_options(&dir, 1);
    pdr_journal *journal = bank_open(&options);
    expect_state(journal, "account/alice", 3, 500, "Zoe");
    pdr_journal_close(journal);
}

Test(golden_journal, states_of_another_revision_are_rebuilt_from_the_frozen_log)
{
    copy_frozen();
    change_file("UPDATE store_state SET revision = revision + 1");
    expect_story();
}
