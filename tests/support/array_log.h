/* A log for tests: an array of records that readers read as the log seam says. It has no writers. */
#ifndef PDR_TESTS_ARRAY_LOG_H
#define PDR_TESTS_ARRAY_LOG_H

#include "journal/log.h"

typedef struct array_reader array_reader;

typedef struct array_log {
    pdr_log base;
    pdr_log_record *records; /* offsets ascending, gaps allowed */
    size_t count, capacity;
    int64_t end;   /* next offset */
    int64_t start; /* offsets below are gone: reading from there is PDR_OUT_OF_RANGE */
    size_t batch;  /* records per callback; 0: 7 */
    array_reader *reader;
    size_t opened, delivered; /* readers, records */
    int64_t
        short_view; /* >= 0: each reader is first told this end, and only at its next turn sees the rest */
    size_t fail_open_at, fail_read_at; /* the nth reader: its opening fails, or it fails when polled */
} array_log;

void array_log_init(array_log *log);
void array_log_release(array_log *log);
/* Append a copy; gives its offset. */
int64_t array_log_append(array_log *log, const pdr_log_entry *entry);
/* Leave `offsets` offsets empty, as transaction markers do. */
void array_log_skip(array_log *log, int64_t offsets);
/* The record at an offset; NULL if there is none. */
const pdr_log_record *array_log_at(const array_log *log, int64_t offset);
/* Index of the first record at or behind an offset. */
size_t array_log_find(const array_log *log, int64_t offset);
/* Take a record away, as if it had never been. */
void array_log_remove(array_log *log, int64_t offset);

#endif
