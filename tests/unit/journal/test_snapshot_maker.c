/* States made beside the owners: of every wanted entity once, in however many passes its memory allows. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "journal/snapshot_maker.h"
#include "tests/unit/journal/owner_probe.h"

enum { ENTITIES = 40, EVENTS = 5, MAX_RECORDS = 2000 };

static probe p;
static pdr_snapshot_maker *maker;
static pdr_schema_book *book;
static pdr_folder *folder;

/* The log that an owner has written, copied. */
static pdr_log_record records[MAX_RECORDS];
static size_t record_count;
static bool ended;
static pdr_arena kept;

static pdr_bytes keep(pdr_bytes bytes)
{
    return bytes.data ? pdr_arena_bytes(&kept, bytes) : bytes;
}

static void take_records(void *context, const pdr_log_record *given, size_t count)
{
    (void)context;
    for (size_t i = 0; i < count; i++) {
        pdr_log_record *r = &records[record_count++];
        *r = given[i];
        r->entry = (pdr_log_entry){keep(r->entry.key), keep(r->entry.value), keep(r->entry.header),
                                   keep(r->entry.schema), keep(r->entry.trace)};
    }
}

static void take_end(void *context, int64_t end)
{
    (void)context;
    (void)end;
    ended = true;
}

static void take_failure(void *context, const pdr_error *error)
{
    (void)context;
    cr_assert_fail("%s", error->message);
}

static const pdr_log_reader_events reading = {take_records, take_end, take_failure};

static bool has_ended(probe *probe, void *context)
{
    (void)probe;
    (void)context;
    return ended;
}

/* --- what was made --- */

static unsigned made_of[ENTITIES], failures;
static char failed_key[32], failed_why[500];

/* The number behind "acct/": a key doesn't end with a NUL. */
static int number_of(pdr_bytes key)
{
    char digits[16] = {0};
    cr_assert(key.size > 5 && key.size - 5 < sizeof digits);
    memcpy(digits, key.data + 5, key.size - 5);
    return atoi(digits);
}

static pdr_code note_made(void *context, int32_t partition, const pdr_head *head, pdr_error *err)
{
    (void)context;
    (void)err;
    sim_account account;
    pdr_arena arena = PDR_ARENA_INIT(100000);
    cr_assert_eq(partition, 0);
    cr_assert_eq(head->revision, pdr_folder_revision(folder));
    cr_assert_eq(sim_state_type.decode(head->state, &arena, &account, NULL), PDR_OK);
    cr_assert_eq(account.balance, 7 * (int64_t)head->state_seq);
    int i = number_of(head->key);
    made_of[i]++;
    pdr_arena_release(&arena);
    return PDR_OK;
}

static void note_failed(void *context, pdr_bytes key, const pdr_error *why)
{
    (void)context;
    failures++;
    snprintf(failed_key, sizeof failed_key, "%.*s", (int)key.size, (const char *)key.data);
    snprintf(failed_why, sizeof failed_why, "%s", why->message);
}

static const pdr_snapshot_sink sink = {note_made, note_failed};

static void init(void)
{
    kept = (pdr_arena)PDR_ARENA_INIT(64 * 1024 * 1024);
    probe_init(&p);
    probe_serve(&p);
    for (int n = 0; n < EVENTS; n++)
        for (int i = 0; i < ENTITIES; i++) {
            probe_answer a;
            char key[20];
            snprintf(key, sizeof key, "acct/%02d", i);
            cr_assert_eq(probe_ask_deposit(&p, key, NULL, 7, &a), PDR_OK);
        }
    pdr_log_reader *reader;
    cr_assert_eq(p.log->ops->reader_open(p.log, 0, 0, &reading, NULL, &reader, NULL), PDR_OK);
    cr_assert(probe_until(&p, has_ended, NULL, 60000000));
    p.log->ops->reader_close(reader);
    cr_assert_eq(pdr_schema_book_open(&book, NULL), PDR_OK);
    cr_assert_eq(pdr_folder_open(&folder, sim_app(2)->entities[0], book, NULL), PDR_OK);
}

static void release(void)
{
    pdr_snapshot_maker_close(maker);
    pdr_folder_close(folder);
    pdr_schema_book_close(book);
    pdr_arena_release(&kept);
    probe_release(&p);
}

TestSuite(snapshot_maker, .init = init, .fini = release);

static int64_t offset_of(const char *key, uint64_t seq)
{
    uint64_t met = 0;
    for (size_t i = 0; i < record_count; i++)
        if (pdr_bytes_equal(records[i].entry.key, pdr_bytes_of(key, strlen(key))) && ++met == seq)
            return records[i].offset;
    return -1;
}

static pdr_code want(int i, uint64_t seq)
{
    char key[20];
    snprintf(key, sizeof key, "acct/%02d", i);
    pdr_head head = {
        .key = pdr_bytes_of(key, strlen(key)), .seq = seq, .last = {.offset = offset_of(key, seq)}};
    return pdr_snapshot_maker_want(maker, folder, &head, NULL);
}

static pdr_bytes read_log(void)
{
    pdr_bytes left;
    pdr_error err = {0};
    cr_assert_eq(pdr_snapshot_maker_begin(maker, 1, &err), PDR_OK);
    for (size_t i = 0; i < record_count; i++)
        cr_assert_eq(pdr_snapshot_maker_take(maker, 0, &records[i], &err), PDR_OK, "%s", err.message);
    pdr_snapshot_maker_end(maker, &left);
    return left;
}

static void make(size_t budget)
{
    cr_assert_eq(pdr_snapshot_maker_open(&maker, book, budget, &sink, NULL, NULL), PDR_OK);
}

Test(snapshot_maker, makes_each_state_at_the_seq_that_was_asked_for)
{
    make(1 << 20);
    for (int i = 0; i < ENTITIES; i++)
        cr_assert_eq(want(i, 1 + (uint64_t)i % EVENTS), PDR_OK);
    cr_assert_null(read_log().data);
    for (int i = 0; i < ENTITIES; i++)
        cr_assert_eq(made_of[i], 1);
    cr_assert_eq(failures, 0);
    cr_assert_eq(pdr_snapshot_maker_count(maker), 0);
}

Test(snapshot_maker, comes_to_its_end_in_little_memory)
{
    make(6000);
    int next = 0;
    unsigned passes = 0;
    while (next < ENTITIES) {
        while (next < ENTITIES && want(next, EVENTS) == PDR_OK)
            next++;
        pdr_bytes left = read_log();
        passes++;
        if (left.data) next = number_of(left) + 1;
        cr_assert_lt(passes, 2 * ENTITIES);
    }
    for (int i = 0; i < ENTITIES; i++)
        cr_assert_eq(made_of[i], 1, "entity %d", i);
    cr_assert_gt(passes, 2);
}

Test(snapshot_maker, one_entity_always_has_room)
{
    make(1);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(want(i, EVENTS), PDR_OK);
        cr_assert_eq(want(i + 1, EVENTS), PDR_BUSY);
        cr_assert_null(read_log().data);
        cr_assert_eq(made_of[i], 1);
    }
}

Test(snapshot_maker, an_event_that_the_log_lacks_fails_its_entity_alone)
{
    make(1 << 20);
    pdr_head head = {.key = pdr_bytes_of("acct/00", 7), .seq = EVENTS + 1, .last = {.offset = 1000000}};
    cr_assert_eq(pdr_snapshot_maker_want(maker, folder, &head, NULL), PDR_OK);
    cr_assert_eq(want(1, EVENTS), PDR_OK);
    cr_assert_null(read_log().data);
    cr_assert_eq(failures, 1);
    cr_assert_str_eq(failed_key, "acct/00");
    cr_assert_eq(made_of[1], 1);
}

Test(snapshot_maker, a_head_that_the_log_contradicts_is_told)
{
    make(1 << 20);
    pdr_head head = {
        .key = pdr_bytes_of("acct/00", 7), .seq = 2, .last = {.offset = offset_of("acct/00", 2) + 1}};
    cr_assert_eq(pdr_snapshot_maker_want(maker, folder, &head, NULL), PDR_OK);
    cr_assert_null(read_log().data);
    cr_assert_eq(failures, 1);
    cr_assert_not_null(strstr(failed_why, "event 2"), "%s", failed_why);
    cr_assert_eq(made_of[0], 0);
}
