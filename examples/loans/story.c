#include "story.h"

#include <stdio.h>
#include <time.h>

enum { TIMEOUT_MS = 30000, MAX_TEXT = 1024 * 1024 };

static const char *const statuses[] = {"NONE",        "SUBMITTED", "PARTLY_SUBMITTED",
                                       "PREACCEPTED", "ACCEPTED",  "FINALIZED",
                                       "APPROVED",    "DECLINED",  "CANCELLED"};
static const char *const offers[] = {"selected", "created",  "sent",     "sent back",
                                     "accepted", "declined", "cancelled"};
static const char *const works[] = {
    "handle lead",      "assess fraud",         "complete application", "chase incomplete file",
    "call about offer", "validate application", "change contract",      "other"};

static void print_event(const pdr_logged_event *event)
{
    char when[32] = "";
    time_t second = (time_t)(event->time_us / 1000000);
    struct tm utc;
    if (gmtime_r(&second, &utc)) (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &utc);
    const char *dot = strrchr(event->type->name, '.');
    printf("%4llu  %s  %-27s", (unsigned long long)event->seq, when, dot ? dot + 1 : event->type->name);
}

static void print_state(const loans_application *loan)
{
    printf("%s%s%s", statuses[loan->status], loan->registered ? ", registered" : "",
           loan->activated ? ", activated" : "");
    for (size_t i = 0; i < loan->offers.count; i++)
        printf("%s%s", i ? ", " : "; offers: ", offers[loan->offers.items[i]]);
    bool running = false;
    for (size_t i = 0; i < loan->work.count; i++) {
        if (loan->work.items[i].running <= 0) continue;
        printf("%s%s", running ? ", " : "; at work: ", works[loan->work.items[i].kind]);
        running = true;
    }
    printf("; %zu employee%s\n", loan->employees.count, loan->employees.count == 1 ? "" : "s");
}

static pdr_code print_history(pdr_reader *reader, pdr_fold *fold, pdr_error *err)
{
    for (;;) {
        const pdr_logged_event *event;
        pdr_code code = pdr_reader_next(reader, &event, TIMEOUT_MS, err);
        if (code != PDR_OK || !event) return code;
        if (!event->type)
            return pdr_fail(err, PDR_UNKNOWN_SCHEMA, "event %llu was written by another program",
                            (unsigned long long)event->seq);
        print_event(event);
        code = pdr_fold_apply(fold, event, err);
        if (code != PDR_OK) return code;
        print_state(pdr_fold_state(fold));
    }
}

/* The journal's own state of the entity, from its snapshot, against the one that was folded here. */
static pdr_code compare(pdr_journal *journal, const char *entity, const loans_application *folded,
                        pdr_error *err)
{
    pdr_arena arena = PDR_ARENA_INIT(PDR_MAX_STATE);
    pdr_buf here = PDR_BUF_INIT(MAX_TEXT), there = PDR_BUF_INIT(MAX_TEXT);
    loans_application loan;
    uint64_t seq;
    pdr_code code = pdr_read_state(journal, entity, false, TIMEOUT_MS, &arena, &loan, &seq, err);
    if (code == PDR_OK) code = loans_application_print(folded, &here);
    if (code == PDR_OK) code = loans_application_print(&loan, &there);
    if (code == PDR_OK) {
        printf("state at seq %llu: %.*s\n", (unsigned long long)seq, (int)there.size,
               (const char *)there.data);
        if (!pdr_bytes_equal(pdr_buf_bytes(&here), pdr_buf_bytes(&there)))
            code = pdr_fail(err, PDR_CORRUPT, "%s: the snapshot differs from what its events give", entity);
    }
    pdr_buf_release(&here);
    pdr_buf_release(&there);
    pdr_arena_release(&arena);
    return code;
}

pdr_code loans_story_print(pdr_journal *journal, const char *entity, pdr_error *err)
{
    pdr_fold *fold;
    pdr_reader *reader = NULL;
    pdr_code code = pdr_fold_open(&fold, &loans_entity, err);
    if (code != PDR_OK) return code;
    code = pdr_history_reader_open(&reader, journal, pdr_string_of(entity), 0, err);
    if (code == PDR_OK) code = print_history(reader, fold, err);
    if (code == PDR_OK) code = compare(journal, entity, pdr_fold_state(fold), err);
    pdr_reader_close(reader);
    pdr_fold_close(fold);
    return code;
}
