/* What a survey keeps: the groups that it found, and what the log's SCHEMA records say of their schemas. Only
 * journal/survey*.c includes this. */
#ifndef PDR_JOURNAL_SURVEY_TABLE_H
#define PDR_JOURNAL_SURVEY_TABLE_H

#include "journal/survey.h"

/* A schema that the log tells of. Owns its texts. */
typedef struct survey_schema {
    uint64_t fingerprint;
    char *json;
    char *name; /* NULL: the JSON is no schema that this program can read */
    uint32_t version;
    bool readable_by_older;
} survey_schema;

/* Both hashed by fingerprint, open addressing, at most half full. Zero-initialised: empty. */
typedef struct survey_table {
    struct survey_slot {
        pdr_survey_group *group; /* NULL: free */
        size_t kind;
    } * slots;
    size_t mask, count;
    survey_schema **schemas;
    size_t schema_mask, schema_count;
} survey_table;

void survey_table_release(survey_table *table);

/* Note a SCHEMA record's JSON, unless its schema is known. PDR_NOMEM, PDR_TOO_LARGE. */
PDR_CHECKED pdr_code survey_table_learn(survey_table *table, uint64_t fingerprint, pdr_bytes json,
                                        pdr_error *err);

/* The group of (kind, framed, fingerprint), NULL if there is none yet. `kind`: place of the entity type. */
pdr_survey_group *survey_table_find(const survey_table *table, size_t kind, bool framed,
                                    uint64_t fingerprint);
/* A new one, in which only what the key and the schema say is filled. PDR_NOMEM, PDR_TOO_LARGE. */
PDR_CHECKED pdr_code survey_table_add(survey_table *table, size_t kind, bool framed, uint64_t fingerprint,
                                      pdr_survey_group **out, pdr_error *err);

#endif
