/* A survey of a journal's log: which events lie in it, with which schemas they were written, and whether
 * today's code reads them. What `perdure schema check` tells. It is given records, applies the void rule,
 * looks only at events that count, and reads each as every read path does, by pdr_folder_read. No I/O. One
 * thread at a time. */
#ifndef PDR_JOURNAL_SURVEY_H
#define PDR_JOURNAL_SURVEY_H

#include "journal/log.h"
#include "perdure/entity.h"

typedef struct pdr_survey pdr_survey;

enum {
    PDR_SURVEY_MAX_GROUPS = 65536,
    PDR_SURVEY_MAX_RESULTS = 8 /* types remembered that a group's events become */
};

typedef struct pdr_survey_place {
    int32_t partition;
    int64_t offset;
    int64_t append_ms; /* the log's own time, milliseconds since 1970 UTC */
} pdr_survey_place;

typedef enum pdr_survey_way {
    PDR_SURVEY_TODAY,   /* written with today's schema */
    PDR_SURVEY_STEPS,   /* an older version that the entity type declares a step for */
    PDR_SURVEY_NEWER,   /* a version newer than today's, readable by older code */
    PDR_SURVEY_UNKNOWN, /* nothing that the entity type declares */
} pdr_survey_way;

/* All events of one entity type that were written with one schema. */
typedef struct pdr_survey_group {
    const pdr_entity_type *entity_type; /* NULL: the application has none of that name */
    char entity_prefix[64];             /* then what the first one's id begins with, cut */
    bool framed;                        /* false: the values have no fingerprint */
    uint64_t fingerprint;               /* of the writer's schema */
    const char *name;                   /* its Avro full name; NULL: no SCHEMA record told */
    uint32_t version;                   /* 0: it says none */
    bool readable_by_older;
    const char *json; /* NULL: as for name */
    uint64_t count;
    pdr_survey_place first, last; /* by the log's time */
    pdr_survey_way way;
    uint64_t tried; /* events that were read */
    const pdr_type *results[PDR_SURVEY_MAX_RESULTS];
    size_t result_count;
    uint64_t dropped;     /* of `tried`: of which nothing was left */
    uint64_t failed;      /* of `tried`; when nothing of the group can be read, all that were counted */
    pdr_survey_place bad; /* the first that failed: lowest partition, then offset */
    char bad_entity[PDR_MAX_ENTITY_ID + 1];
    uint64_t bad_seq;
    pdr_error why;
} pdr_survey_group;

typedef struct pdr_survey_totals {
    uint64_t records, events, voids, foreigns, malformeds;
} pdr_survey_totals;

/* Borrows `app`. One event in `sample` of each group is read, its first one always; 1: every one. */
PDR_CHECKED pdr_code pdr_survey_open(pdr_survey **out, const pdr_app *app, uint64_t sample, pdr_error *err);
void pdr_survey_close(pdr_survey *survey); /* NULL is fine */

/* The log has so many partitions, and all are given from their beginnings. Once. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_survey_begin(pdr_survey *survey, int32_t partitions, pdr_error *err);
/* The next record of a partition, by ascending offset. PDR_CORRUPT, PDR_TOO_NEW, PDR_TOO_LARGE (too many
 * groups), PDR_NOMEM; an event that today's code can't read is no failure, but a finding. After a failure
 * only close is left. */
PDR_CHECKED pdr_code pdr_survey_take(pdr_survey *survey, int32_t partition, const pdr_log_record *record,
                                     pdr_error *err);

/* What was found, sorted by entity type, name, version and fingerprint. Borrowed from the survey until the
 * next call of this. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_survey_groups(pdr_survey *survey, const pdr_survey_group *const **out, size_t *count,
                                       pdr_error *err);
/* What a SCHEMA record in sequence tells. Borrowed from the survey. */
typedef struct pdr_survey_schema {
    uint64_t fingerprint;
    const char *name; /* NULL: the JSON is no schema that this program can read */
    uint32_t version; /* 0: it says none */
    bool readable_by_older;
    const char *json;
} pdr_survey_schema;
/* The next one, in no order; begin with *cursor 0. false: there is none. */
bool pdr_survey_next_schema(const pdr_survey *survey, size_t *cursor, pdr_survey_schema *out);
pdr_survey_totals pdr_survey_totals_of(const pdr_survey *survey);
bool pdr_survey_is_readable(const pdr_survey *survey); /* nothing failed */

#endif
