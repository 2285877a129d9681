/* One version of the program (rolling_app.h), owning every partition whenever it can get it. Lines for a test
 * to read:
 *
 *   rolling load JOURNAL STORE WHO KIND COUNT   adds to total/KIND-0 .. 7: "acked ENTITY NONCE CENTS",
 *                                               "unreadable ENTITY WHY", at last "done DEPOSITIONS"; waits
 *                                               half way for others, if PERDURE_TEST_MEET says so
 *   rolling states JOURNAL STORE KIND           "state ENTITY SEQ CENTS COUNT" or "unreadable ENTITY WHY", at
 *                                               last "done HISTORY-READS"
 *   rolling history JOURNAL STORE KIND          "event ENTITY SEQ NONCE CENTS" of each event, "done 0"
 *   rolling scan JOURNAL STORE OFFSET           the same of every partition's events that can be read, from
 *                                               the first position at or behind OFFSET on */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "perdure/perdure.h"
#include "rolling_app.h"

enum { ENTITIES = 8, ASK_MS = 2000, WAIT_MS = 60000 };

static pdr_journal *journal;

static int fail(const char *what, const pdr_error *err)
{
    fprintf(stderr, "%s: %s: %s\n", what, pdr_code_name(err->code), err->message);
    return 1;
}

static pdr_code open_journal(const char *url, const char *store, bool owns, pdr_error *err)
{
    static const pdr_setting settings[] = {{"backoff.min.ms", "20"},
                                           {"backoff.max.ms", "300"},
                                           {"snapshot.age.ms", "100"},
                                           {"snapshot.events", "20"}};
    pdr_options options = PDR_OPTIONS_INIT;
    options.journal = url;
    options.store = store;
    options.app = &pdr_application;
    options.own_nothing = !owns;
    options.workers = owns ? 1 : 0;
    options.settings = settings;
    options.setting_count = sizeof settings / sizeof settings[0];
    return pdr_journal_open(&journal, &options, err);
}

static void name(char out[40], const char *kind, int i)
{
    snprintf(out, 40, "total/%s-%d", kind, i % ENTITIES);
}

/* --- load --- */

/* Asked again with its id until it has a definite answer: whoever owns the partition then. */
static pdr_code add(const char *entity, int64_t nonce, pdr_error *err)
{
    char id[32];
    int size = snprintf(id, sizeof id, "add-%" PRId64, nonce);
    rolling_add command = {.nonce = nonce, .euro = nonce % 7 + 1};
    pdr_request_spec spec = {.entity = pdr_string_of(entity),
                             .type = &rolling_add_type,
                             .command = &command,
                             .id = pdr_bytes_of(id, (size_t)size)};
    for (;;) {
        pdr_answered answer;
        pdr_code code = pdr_ask(journal, &spec, ASK_MS, &answer, err);
        if (code == PDR_OK || !pdr_code_retry(code)) return code;
    }
}

/* Waits until as many have got there as the folder PERDURE_TEST_MEET is to have files. */
static void meet(int64_t who)
{
    const char *folder = getenv("PERDURE_TEST_MEET"), *company = getenv("PERDURE_TEST_COMPANY");
    const struct timespec pause = {0, 5 * 1000 * 1000};
    char path[300];
    if (!folder || !company) return;
    snprintf(path, sizeof path, "%s/%" PRId64, folder, who);
    FILE *mine = fopen(path, "w");
    if (mine) fclose(mine);
    for (int there = 0; there < atoi(company); nanosleep(&pause, NULL)) {
        there = 0;
        for (int i = 1; i <= atoi(company); i++) {
            snprintf(path, sizeof path, "%s/%d", folder, i);
            there += access(path, F_OK) == 0;
        }
    }
}

static int load(int64_t who, const char *kind, int count)
{
    for (int i = 0; i < count; i++) {
        if (i == count / 2) meet(who);
        char entity[40];
        pdr_error err;
        int64_t nonce = who * 1000000 + i;
        name(entity, kind, i);
        pdr_code code = add(entity, nonce, &err);
        if (code == PDR_OK)
            printf("acked %s %" PRId64 " %" PRId64 "\n", entity, nonce, 100 * (nonce % 7 + 1));
        else if (code == PDR_UNKNOWN_SCHEMA)
            printf("unreadable %s %s\n", entity, err.message);
        else
            return fail(entity, &err);
    }
    pdr_stats stats;
    pdr_journal_stats(journal, &stats);
    printf("done %" PRIu64 "\n", stats.depositions);
    return 0;
}

/* --- what there is --- */

static int states(const char *kind)
{
    pdr_error err;
    if (pdr_journal_wait(journal, WAIT_MS, &err) != PDR_OK) return fail("waiting", &err);
    for (int i = 0; i < ENTITIES; i++) {
        char entity[40];
        rolling_total total;
        uint64_t seq;
        pdr_arena arena = PDR_ARENA_INIT(1024 * 1024);
        name(entity, kind, i);
        pdr_code code = pdr_read_state(journal, entity, false, WAIT_MS, &arena, &total, &seq, &err);
        if (code == PDR_OK)
            printf("state %s %" PRIu64 " %" PRId64 " %" PRId64 "\n", entity, seq, rolling_sum_of(&total),
                   total.count);
        else if (code == PDR_UNKNOWN_SCHEMA)
            printf("unreadable %s %s\n", entity, err.message);
        else
            return fail(entity, &err);
        pdr_arena_release(&arena);
    }
    pdr_stats stats;
    pdr_journal_stats(journal, &stats);
    printf("done %" PRIu64 "\n", stats.history_reads);
    return 0;
}

static void tell(const pdr_logged_event *logged)
{
    if (!logged->type) {
        printf("unreadable %.*s\n", (int)logged->entity.size, logged->entity.data);
        return;
    }
    pdr_event event = {logged->type, logged->value, logged->seq, logged->time_us};
    printf("event %.*s %" PRIu64 " %" PRId64 " %" PRId64 "\n", (int)logged->entity.size, logged->entity.data,
           logged->seq, rolling_nonce_of(&event), rolling_cents_of(&event));
}

static int read_all(pdr_reader *reader, int64_t from)
{
    const pdr_logged_event *event;
    pdr_error err;
    do {
        if (pdr_reader_next(reader, &event, WAIT_MS, &err) != PDR_OK) return fail("reading", &err);
        if (event && event->offset >= from) tell(event);
    } while (event);
    return 0;
}

static int history(const char *kind)
{
    int failed = 0;
    for (int i = 0; i < ENTITIES && !failed; i++) {
        char entity[40];
        pdr_reader *reader;
        pdr_error err;
        name(entity, kind, i);
        if (pdr_history_reader_open(&reader, journal, pdr_string_of(entity), 0, &err) != PDR_OK)
            return fail(entity, &err);
        failed = read_all(reader, 0);
        pdr_reader_close(reader);
    }
    printf("done 0\n");
    return failed;
}

/* The first commit's position at or behind the offset. */
static int find_position(int32_t partition, int64_t offset, pdr_position *out)
{
    pdr_reader *reader;
    const pdr_logged_event *event;
    pdr_error err;
    *out = PDR_POSITION_START;
    if (pdr_reader_open(&reader, journal, partition, *out, &err) != PDR_OK) return fail("reading", &err);
    do {
        if (pdr_reader_next(reader, &event, WAIT_MS, &err) != PDR_OK) return fail("reading", &err);
        if (event) *out = event->position;
    } while (event && event->offset < offset);
    pdr_reader_close(reader);
    return 0;
}

/* A journal of its own each time: what the first reading has learnt isn't known to the second. */
static int scan(const char *url, const char *store, int64_t offset)
{
    int failed = 0;
    for (int32_t p = 0; p < pdr_journal_partitions(journal) && !failed; p++) {
        pdr_position position;
        pdr_reader *reader;
        pdr_error err;
        failed = find_position(p, offset, &position);
        pdr_journal_close(journal);
        if (open_journal(url, store, false, &err) != PDR_OK) return fail("opening", &err);
        if (failed) break;
        if (pdr_reader_open(&reader, journal, p, position, &err) != PDR_OK) return fail("reading", &err);
        failed = read_all(reader, 0);
        pdr_reader_close(reader);
    }
    printf("done 0\n");
    return failed;
}

int main(int argc, char **argv)
{
    pdr_error err;
    if (argc < 5) return 2;
    const char *what = argv[1];
    bool owns = strcmp(what, "load") == 0 || strcmp(what, "states") == 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (open_journal(argv[2], argv[3], owns, &err) != PDR_OK) return fail("opening", &err);
    int failed = 2;
    if (strcmp(what, "load") == 0 && argc == 7)
        failed = load(atoll(argv[4]), argv[5], atoi(argv[6]));
    else if (strcmp(what, "states") == 0)
        failed = states(argv[4]);
    else if (strcmp(what, "history") == 0)
        failed = history(argv[4]);
    else if (strcmp(what, "scan") == 0)
        failed = scan(argv[2], argv[3], atoll(argv[4]));
    pdr_journal_close(journal);
    return failed;
}
