#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "journal/commit_reader.h"
#include "tests/support/log_text.h"
#include "tests/support/made_log.h"

/* Writes down what a reader tells: commits as [first offset..last offset], the rest as letters. */
typedef struct told {
    char text[512];
    const array_log *log;
    pdr_commit_reader *reader;
    pdr_position before; /* of the newest commit */
    pdr_code answer;     /* to the next commit */
    size_t commits, events, others;
} told;

static void note(told *t, const char *text)
{
    size_t used = strlen(t->text);
    snprintf(t->text + used, sizeof t->text - used, "%s", text);
}

static pdr_code on_commit(void *context, const pdr_commit_event *events, size_t count, pdr_position before,
                          pdr_error *err)
{
    told *t = context;
    char text[64];
    for (size_t i = 0; i < count; i++) {
        const pdr_log_record *record = events[i].record, *truth = array_log_at(t->log, record->offset);
        cr_assert_eq(events[i].header->index, i);
        cr_assert_eq(events[i].header->count, count);
        cr_assert(pdr_bytes_equal(record->entry.key, truth->entry.key));
        cr_assert(pdr_bytes_equal(record->entry.value, truth->entry.value));
        cr_assert(pdr_bytes_equal(record->entry.header, truth->entry.header));
        cr_assert_eq(record->append_ms, truth->append_ms);
    }
    cr_assert_eq(t->reader->walk.at.offset, events[count - 1].record->offset);
    cr_assert_eq(t->reader->walk.at.number, events[count - 1].header->number);
    if (count == 1)
        snprintf(text, sizeof text, "[%lld]", (long long)events[0].record->offset);
    else
        snprintf(text, sizeof text, "[%lld..%lld]", (long long)events[0].record->offset,
                 (long long)events[count - 1].record->offset);
    note(t, text);
    t->before = before;
    t->commits++;
    t->events += count;
    return t->answer == PDR_OK ? PDR_OK : pdr_fail(err, t->answer, "the sink says no");
}

static pdr_code on_other(void *context, pdr_verdict verdict, const pdr_log_record *record,
                         const pdr_header *header, pdr_error *err)
{
    static const char *const letters[] = {"x", "?", "v", "F", "S", "M", "E", "C", "N", "!"};
    told *t = context;
    (void)record;
    (void)err;
    cr_assert_eq(header == NULL, verdict == PDR_VERDICT_FOREIGN || verdict == PDR_VERDICT_MALFORMED);
    note(t, letters[verdict]);
    t->others++;
    return PDR_OK;
}

static const pdr_commit_sink sink = {on_commit, on_other}, only_commits = {.commit = on_commit};

/* Each record is given as a copy that is overwritten afterwards. */
static pdr_code take(pdr_commit_reader *reader, const pdr_log_record *record, pdr_error *err)
{
    pdr_log_record copy = *record;
    uint8_t key[PDR_LOG_MAX_KEY + 1], header[PDR_MAX_HEADER];
    if (copy.entry.key.size) memcpy(key, copy.entry.key.data, copy.entry.key.size);
    if (copy.entry.header.size) memcpy(header, copy.entry.header.data, copy.entry.header.size);
    if (copy.entry.key.data) copy.entry.key.data = key;
    if (copy.entry.header.data) copy.entry.header.data = header;
    pdr_code code = pdr_commit_reader_take(reader, &copy, err);
    memset(key, 0xdd, sizeof key);
    memset(header, 0xdd, sizeof header);
    return code;
}

static pdr_code read_all(pdr_commit_reader *reader, const array_log *log, pdr_error *err)
{
    for (size_t i = 0; i < log->count; i++) {
        pdr_code code = take(reader, &log->records[i], err);
        if (code != PDR_OK) return code;
    }
    return PDR_OK;
}

static pdr_code read_text(const char *text, const pdr_commit_sink *into, told *t)
{
    array_log log;
    pdr_commit_reader reader;
    pdr_error err;
    array_log_init(&log);
    cr_assert(log_text_append(&log, text), "%s", text);
    t->log = &log;
    t->reader = &reader;
    pdr_commit_reader_init(&reader, PDR_POSITION_START, into, t);
    pdr_code code = read_all(&reader, &log, &err);
    cr_assert(code == PDR_OK || err.code == code);
    pdr_commit_reader_release(&reader);
    array_log_release(&log);
    return code;
}

typedef struct commit_case {
    const char *log, *told;
    pdr_code code;
} commit_case;

static const commit_case cases[] = {
    {"F a1 a2", "F[1][2]", PDR_OK},
    {"F a1:0/3 a2:1/3 a3:2/3 a4", "FEE[1..3][4]", PDR_OK},
    {"F a1:0/2 x a1:0/2 - ? a2:1/2", "FExv?[1..6]", PDR_OK},
    {"F a1:0/2 F a2:1/2 b1:0/2 b2:1/2", "FEFvE[4..5]", PDR_OK},
    {"F a1s a2m a3", "FSM[3]", PDR_OK},
    {"a1 x ?", "vx?", PDR_OK},
    {"F a1:0/2 a2m", "FE", PDR_CORRUPT},
    {"F a1:0/2 a2:1/2=other", "FE", PDR_CORRUPT},
    {"F a1 ! a2", "F[1]", PDR_TOO_NEW},
};

Test(commit_reader, tells_whole_commits_and_everything_else_once)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        told t = {0};
        cr_assert_eq(read_text(cases[i].log, &sink, &t), cases[i].code, "%s", cases[i].log);
        cr_assert_str_eq(t.text, cases[i].told, "%s tells %s", cases[i].log, t.text);
    }
}

Test(commit_reader, needs_no_one_who_listens_to_the_rest)
{
    told t = {0};
    cr_assert_eq(read_text("x ? F v1 a1:0/2 a2:1/2 a2", &only_commits, &t), PDR_OK);
    cr_assert_str_eq(t.text, "[4..5]");
}

Test(commit_reader, gives_the_position_before_a_commits_first_record)
{
    told t = {0};
    cr_assert_eq(read_text("F a1 a2m x a3:0/2 x a4:1/2", &sink, &t), PDR_OK);
    cr_assert_eq(t.before.offset, 2);
    cr_assert_eq(t.before.number, 2);
}

Test(commit_reader, passes_on_what_its_sink_says)
{
    told t = {.answer = PDR_BAD_HANDLER};
    cr_assert_eq(read_text("F a1:0/2 a2:1/2 a3", &sink, &t), PDR_BAD_HANDLER);
    cr_assert_eq(t.commits, 1);
}

Test(commit_reader, counts_voids_foreign_and_malformed_records)
{
    array_log log;
    told t = {.log = &log};
    pdr_commit_reader reader;
    array_log_init(&log);
    cr_assert(log_text_append(&log, "a1 F a1:0/3 a2:1/3 x ? x F a3 b1"));
    t.reader = &reader;
    pdr_commit_reader_init(&reader, PDR_POSITION_START, &sink, &t);
    cr_assert_eq(read_all(&reader, &log, NULL), PDR_OK);
    cr_assert_eq(reader.voids, 4, "two out of force, two torn");
    cr_assert_eq(reader.foreigns, 2);
    cr_assert_eq(reader.malformeds, 1);
    pdr_commit_reader_release(&reader);
    array_log_release(&log);
}

/* --- Random logs: what counts is known from how they are made --- */

typedef struct tally {
    const made_log *made;
    uint64_t seqs[MADE_ENTITIES];
} tally;

static pdr_code check_commit(void *context, const pdr_commit_event *events, size_t count, pdr_position before,
                             pdr_error *err)
{
    tally *t = context;
    (void)before;
    (void)err;
    size_t entity = (size_t)atoi((const char *)events[0].record->entry.key.data + 5);
    for (size_t i = 0; i < count; i++) {
        const made_event *truth = &t->made->entities[entity].events[t->seqs[entity]++];
        cr_assert_leq(t->seqs[entity], t->made->entities[entity].count);
        cr_assert_eq(events[i].header->seq, t->seqs[entity]);
        cr_assert_eq(events[i].record->offset, truth->offset);
        cr_assert_eq(truth->count, count);
    }
    return PDR_OK;
}

Test(commit_reader, of_random_logs_gives_exactly_what_counts)
{
    for (uint64_t seed = 1; seed <= 150; seed++) {
        made_log made;
        made_init(&made, seed);
        made_weights w = {5, 5, 3, (unsigned)(seed % 6), (unsigned)(seed % 2), 1 + (unsigned)(seed % 8), 7};
        made_run(&made, &w, 2000);
        static const pdr_commit_sink checks = {.commit = check_commit};
        tally t = {.made = &made};
        pdr_commit_reader reader;
        pdr_commit_reader_init(&reader, PDR_POSITION_START, &checks, &t);
        cr_assert_eq(read_all(&reader, &made.log, NULL), PDR_OK);
        for (size_t i = 0; i < MADE_ENTITIES; i++)
            cr_assert_eq(t.seqs[i], made.entities[i].count);
        cr_assert_eq(reader.voids, made.voids);
        pdr_commit_reader_release(&reader);
        made_release(&made);
    }
}

/* --- Ceilings and memory --- */

Test(commit_reader, holds_back_no_more_than_its_ceiling)
{
    array_log log;
    told t = {.log = &log};
    pdr_commit_reader reader;
    pdr_error err;
    array_log_init(&log);
    cr_assert(log_text_append(&log, "F a1:0/9 a2:1/9 a3:2/9 a4:3/9 a5:4/9"));
    static const uint8_t large[PDR_LOG_MAX_VALUE];
    t.reader = &reader;
    pdr_commit_reader_init(&reader, PDR_POSITION_START, &only_commits, &t);
    for (size_t i = 0; i < log.count; i++) {
        pdr_log_record record = log.records[i];
        if (i) record.entry.value = pdr_bytes_of(large, sizeof large);
        cr_assert_eq(take(&reader, &record, &err), i < 4 ? PDR_OK : PDR_TOO_LARGE, "record %zu", i);
        if (i == 4) break;
    }
    pdr_commit_reader_release(&reader);
    array_log_release(&log);
}

Test(commit_reader, survives_each_failed_allocation)
{
    array_log log;
    array_log_init(&log);
    cr_assert(log_text_append(&log, "F a1:0/6 a2:1/6 a3:2/6 a4:3/6 a5:4/6 a6:5/6 a7:0/2 F b1:0/2 b2:1/2"));
    uint64_t nth = 0, counted;
    do {
        told t = {.log = &log};
        pdr_commit_reader reader;
        t.reader = &reader;
        pdr_mem_fail_at(++nth);
        pdr_commit_reader_init(&reader, PDR_POSITION_START, &sink, &t);
        pdr_code code = read_all(&reader, &log, NULL);
        pdr_commit_reader_release(&reader);
        counted = pdr_mem_count();
        pdr_mem_fail_at(0);
        cr_assert_eq(code, counted < nth ? PDR_OK : PDR_NOMEM, "allocation %lu", nth);
    } while (counted >= nth);
    cr_assert_gt(nth, 8);
    array_log_release(&log);
}
