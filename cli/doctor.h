/* What the files of `perdure doctor` share: each looks at one thing and says what it found. */
#ifndef PDR_CLI_DOCTOR_H
#define PDR_CLI_DOCTOR_H

#include "cli/project_status.h"
#include "journal/fold.h"

typedef enum doctor_status {
    DOCTOR_FINE,
    DOCTOR_NOTE,  /* nothing is wrong, but it should be known */
    DOCTOR_WRONG, /* something is to be mended */
    DOCTOR_AWAY   /* a server can't be reached: nothing more can be said of it */
} doctor_status;

typedef struct doctor_line {
    const char *check; /* "clock" */
    doctor_status status;
    char what[600];
    char advice[400]; /* what to do; "": nothing */
} doctor_line;

/* Of one partition, as far as it could be looked at. */
typedef struct doctor_partition {
    bool seen;         /* its end was told */
    int64_t end;       /* offset of the next record */
    int64_t newest_ms; /* the log's own time of its last record; 0: it has none */
    bool has_row;
    pdr_partition_row row;
} doctor_partition;

typedef struct doctor {
    pdr_project_target target;
    const char *settings; /* of the flag; NULL: not given */
    bool json;
    pdr_setting_list setting_list;
    pdr_loaded_app app;
    pdr_plan plan;
    pdr_log *log;
    pdr_store *store;
    pdr_log_info info;
    doctor_partition *partitions; /* info.partitions of them; NULL: the log isn't known */
    bool has_meta;
    pdr_store_meta meta;
    pdr_schema_book *book; /* what the store knows */
    doctor_line *lines;
    size_t count, capacity;
    bool out_of_memory;
} doctor;

/* `advice` "": none. `what` as printf has it. */
void doctor_say(doctor *d, const char *check, doctor_status status, const char *advice, const char *what, ...)
    PDR_PRINTF(5, 6);
/* An error: away if it may pass, else wrong; with the code's own advice. */
void doctor_fail(doctor *d, const char *check, const pdr_error *err);
int doctor_timeout(const doctor *d);

/* --- doctor_log.c: reachability, settings of the topic, reading, the newest record's time --- */
void doctor_look_at_log(doctor *d);
/* --- doctor_store.c: reachability, whose it is, rows against the log's end, schemas --- */
void doctor_look_at_store(doctor *d);
void doctor_look_at_schemas(doctor *d);
/* --- doctor_host.c: versions, files and disk space, PostgreSQL's settings, rights and clock --- */
void doctor_look_at_versions(doctor *d);
void doctor_look_at_files(doctor *d);
void doctor_look_at_postgres(doctor *d);
/* --- doctor_views.c: projections and their lag --- */
void doctor_look_at_views(doctor *d);

#endif
