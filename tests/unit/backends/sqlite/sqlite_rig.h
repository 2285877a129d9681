/* A folder of its own for each claim about the SQLite backends, and a writer and a reader that count. */
#ifndef PDR_TESTS_SQLITE_RIG_H
#define PDR_TESTS_SQLITE_RIG_H

#include <criterion/criterion.h>
#include <sqlite3.h>

#include "backends/sqlite/sqlite_log.h"
#include "backends/sqlite/sqlite_store.h"

extern char rig_file[80]; /* in the folder; not there yet */

void rig_init(void); /* fixture */
void rig_release(void);
/* Write the file's bytes. */
void rig_put_file(const void *bytes, size_t size);
/* Run SQL by a connection of its own; it must go through. */
void rig_sql(const char *sql);
int64_t rig_integer(const char *sql);

typedef struct rig_log {
    pdr_log *log;
    pdr_log_writer *writer;
    size_t appended; /* tags are 0, 1, ... */
    size_t reported, failed;
    pdr_code last_code; /* of the newest report */
    int64_t last_offset;
    /* what the trace said */
    size_t told;
    char message[600];
    /* of rig_log_count */
    size_t read;
    int64_t end;
    pdr_error failure;
} rig_log;

void rig_log_create(int32_t partitions);
void rig_log_open(rig_log *rig); /* partition 0 */
void rig_log_close(rig_log *rig);
void rig_log_append(rig_log *rig, size_t value_size); /* must be taken */
/* Poll, sleeping as wait_on says, until `reported` reports are there. */
void rig_log_wait(rig_log *rig, size_t reported);
/* Read all of partition 0: how many records it holds. */
size_t rig_log_count(rig_log *rig);

#endif
