/* A journal that an owner has written, as values that a test may spoil; and what a verification finds in it.
 * Three accounts in one partition, written by four owners one after the other. */
#ifndef PDR_TESTS_VERIFY_PROBE_H
#define PDR_TESTS_VERIFY_PROBE_H

#include "journal/record.h"
#include "replay/verify.h"

enum { JOURNAL_RECORDS = 400, JOURNAL_HEADS = 16, JOURNAL_FINDINGS = 64 };

typedef struct journal_record {
    pdr_log_record record;
    pdr_header header; /* as parsed; journal_encode puts it back */
} journal_record;

typedef struct journal_finding {
    pdr_verify_rule rule;
    int32_t partition;
    int64_t offset;
    uint64_t seq;
    char entity[64], expected[600], found[600];
} journal_finding;

typedef struct journal {
    journal_record records[JOURNAL_RECORDS];
    size_t count;
    pdr_head heads[JOURNAL_HEADS];
    size_t head_count;
    pdr_partition_row row, row_after;
    pdr_arena kept;
    pdr_verify_spec spec;
    pdr_folder *folder;
    /* what was found */
    journal_finding findings[JOURNAL_FINDINGS];
    size_t found; /* those beyond the room too */
    unsigned passes;
    pdr_verify_totals totals;
    /* what views say */
    pdr_position view;
    bool has_view;
    pdr_verify_letter letter;
    bool has_letter;
} journal;

void journal_init(journal *j);
void journal_release(journal *j);
/* Verify; gives the number of findings. */
size_t journal_verify(journal *j);
/* The same, and its code. */
pdr_code journal_try(journal *j, pdr_error *err);

/* The record of an event that counts. */
journal_record *journal_event(journal *j, const char *entity, uint64_t seq);
/* The nth record of a kind, from 0. */
journal_record *journal_nth(journal *j, pdr_record_kind kind, size_t nth);
pdr_head *journal_head(journal *j, const char *entity);
void journal_encode(journal *j, journal_record *r); /* after its header was changed */
pdr_bytes journal_keep(journal *j, const void *data, size_t size);
void journal_remove(journal *j, const journal_record *r); /* it leaves a gap, as transaction markers do */
/* A copy of a record at the log's end. */
journal_record *journal_repeat(journal *j, const journal_record *r);
pdr_position journal_position(const journal_record *r);

/* A finding of this rule at this place (entity NULL: none); NULL: there is none. */
const journal_finding *journal_found(const journal *j, pdr_verify_rule rule, int64_t offset,
                                     const char *entity);
void journal_dump(const journal *j); /* all findings, to standard error */
/* Verified, exactly one thing is found: of this rule, there. */
void journal_is_the_only(journal *j, pdr_verify_rule rule, int64_t offset, const char *entity);
/* Verified, this is found; others follow from it. */
void journal_is_found(journal *j, pdr_verify_rule rule, int64_t offset, const char *entity);

#endif
