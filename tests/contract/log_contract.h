/* The contract suite of the log seam (journal/log.h): claims written once against a subject. A backend joins
 * with one file, subject_<backend>_log.c, that defines pdr_log_subject_get and pdr_contract_skip. */
#ifndef PDR_TESTS_LOG_CONTRACT_H
#define PDR_TESTS_LOG_CONTRACT_H

#include <criterion/criterion.h>

#include "journal/log.h"
#include "tests/contract/contract.h"

/* A backend under test. Claims run in processes of their own, several at once: names must be unique. */
typedef struct pdr_log_subject {
    /* A fresh, empty journal. */
    pdr_code (*create)(void **journal, int32_t partitions, pdr_error *err);
    void (*destroy)(void *journal); /* its logs are closed before */
    /* Another connection, as another process would have it. */
    pdr_code (*open)(void *journal, pdr_log **out, pdr_error *err);
    /* No log had work: wait until one may have (the simulation: go to the next event). NULL: sleep on what
     * wait_on says. */
    void (*idle)(void *journal, pdr_log *const *logs, size_t count);
    /* Forget the records below `offset`, as a retention would. NULL: the backend has no such thing. */
    pdr_code (*drop_below)(void *journal, int32_t partition, int64_t offset, pdr_error *err);
    /* What was appended before a renewal may land between, or after, what is appended after it. */
    bool old_may_land_late;
    size_t max_value;  /* of a record that must go through */
    size_t queue_most; /* appends of 100 bytes without a poll, of which one at the latest is refused; 0: no
                          such bound */
} pdr_log_subject;

const pdr_log_subject *pdr_log_subject_get(void);

/* --- for the claims: one journal, its connections, and probes that note every callback --- */

void log_world_open(int32_t partitions);
pdr_log *log_world_log(size_t index); /* opened on first use; index < 4 */
void log_world_close(void);           /* the fixture's end; also closes what is open */
void log_world_close_log(size_t index);
void log_world_drop_below(int32_t partition, int64_t offset);
bool log_world_can_drop(void);

/* Poll every connection once and, if none had work, sleep. False: the guard's time is over. */
bool log_world_pump(void);
#define PUMP_UNTIL(condition)                                                                                \
    do {                                                                                                     \
        while (!(condition))                                                                                 \
            cr_assert(log_world_pump(), "gave up waiting for " #condition);                                  \
    } while (0)
/* Poll for a while during which nothing more must come. */
void log_world_linger(void);

typedef struct writer_probe {
    pdr_log *log;
    pdr_log_writer *writer;
    pdr_log_report *reports;
    size_t count, capacity;
    size_t broken;
    void (*on_reports)(struct writer_probe *probe); /* run in the callback; NULL: nothing */
    struct writer_probe *other;
    uint64_t next_tag; /* of probe_append; tags go up by one */
} writer_probe;

typedef struct reader_probe {
    pdr_log *log;
    pdr_log_reader *reader;
    pdr_log_record *records; /* copies */
    size_t count, capacity, largest_batch;
    int64_t end; /* told last; -1: none yet */
    size_t ends;
    size_t count_at_first_end;
    pdr_error failure;
    void (*on_records)(struct reader_probe *probe); /* run in the callback; NULL: nothing */
    void (*on_end)(struct reader_probe *probe);
    struct reader_probe *other;
    writer_probe *writer;
} reader_probe;

void probe_writer_open(writer_probe *probe, size_t log, int32_t partition);
void probe_writer_close(writer_probe *probe);
pdr_code probe_append_entry(writer_probe *probe, const pdr_log_entry *entry);
/* A record whose key and value say `tag`. */
pdr_code probe_append(writer_probe *probe);
void probe_append_many(writer_probe *probe, size_t count);
/* Append and wait for the reports; each must be OK. */
void probe_write(writer_probe *probe, size_t count);
void probe_renew(writer_probe *probe);

void probe_reader_open(reader_probe *probe, size_t log, int32_t partition, int64_t from);
void probe_reader_close(reader_probe *probe);
/* The probe's records are those of probe_append's tags first, first + 1, ... at offsets from `offset`. */
void probe_expect(const reader_probe *probe, size_t count, uint64_t first_tag, int64_t offset);

#endif
