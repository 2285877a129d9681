/* Client of a schema registry with Confluent's HTTP API (docs/registry.md). A registry gives every schema a
 * number, its id; with ids in the framing of values (framing.h) other programs find the writer's schema
 * there.
 *
 * Calls block: up to `attempts` requests of `timeout_ms` each with waits between them. Threads: any, at once;
 * requests go out one at a time, what is cached is answered beside them. */
#ifndef PDR_SCHEMAS_REGISTRY_H
#define PDR_SCHEMAS_REGISTRY_H

#include "perdure/bytes.h"

typedef struct pdr_registry pdr_registry;

/* Under which subject a schema is registered. */
typedef enum pdr_subject_naming {
    PDR_SUBJECT_TOPIC_RECORD, /* "loans.events-loans.OfferMade": several event types in one topic */
    PDR_SUBJECT_RECORD,       /* "loans.OfferMade": the same event in several topics */
    PDR_SUBJECT_TOPIC         /* "loans.events-value": one event type in the topic */
} pdr_subject_naming;

/* Texts are borrowed until open returns; NULL and "" mean: not given. */
typedef struct pdr_registry_config {
    const char *url; /* http://host:port/path or https://; may hold user:password@ */
    const char *user, *password;
    const char *ca_file; /* PEM; else the system's own authorities */
    const char *certificate_file, *key_file, *key_password;
    const char *topic; /* for subjects; may be NULL with PDR_SUBJECT_RECORD */
    pdr_subject_naming naming;
    bool skip_check;                         /* register without asking whether the schema is compatible */
    uint32_t timeout_ms;                     /* of one request */
    uint32_t attempts;                       /* 1: no second one */
    uint32_t backoff_min_ms, backoff_max_ms; /* waits between them: doubling, with jitter */
    size_t max_answer;                       /* bytes of an answer */
    /* How it waits; NULL: it sleeps. For tests. */
    void (*wait)(void *context, uint32_t ms);
    void *wait_context;
} pdr_registry_config;

#define PDR_REGISTRY_CONFIG_INIT                                                                             \
    {                                                                                                        \
        .naming = PDR_SUBJECT_TOPIC_RECORD, .timeout_ms = 5000, .attempts = 5, .backoff_min_ms = 100,        \
        .backoff_max_ms = 5000, .max_answer = 16u * 1024 * 1024                                              \
    }

/* Connects to nothing yet. PDR_BAD_SETTING names what is wrong with URL or files; PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_registry_open(pdr_registry **out, const pdr_registry_config *config, pdr_error *err);
void pdr_registry_close(pdr_registry *registry); /* NULL is fine; nobody may be in a call */

/* A schema to be registered: as in pdr_type. */
typedef struct pdr_registry_schema {
    const char *name; /* full name of the record */
    const char *json;
    uint64_t fingerprint;
} pdr_registry_schema;

/* The id of a schema, registering it if its subject doesn't have it yet and the registry calls it compatible
 * with the subject's latest version. What the registry then gives for the id must have the same fingerprint.
 * PDR_UNAVAILABLE (no answer after all attempts), PDR_BAD_SETTING (user, path or certificates refused),
 * PDR_BAD_SCHEMA (incompatible, or refused by the registry), PDR_BAD_DATA (an answer that can't be),
 * PDR_CONFLICT (the id belongs to another schema), PDR_TOO_LARGE, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_registry_register(pdr_registry *registry, int32_t *id,
                                           const pdr_registry_schema *schema, pdr_error *err);
/* The id that the schema has under its subject; PDR_NOT_FOUND: none. Otherwise as above; changes nothing. */
PDR_CHECKED pdr_code pdr_registry_find(pdr_registry *registry, int32_t *id, const pdr_registry_schema *schema,
                                       pdr_error *err);
/* Append the JSON of the schema with this id to `json`. PDR_NOT_FOUND: the registry has no such id. Errors as
 * above; on failure `json` is as before. */
PDR_CHECKED pdr_code pdr_registry_by_id(pdr_registry *registry, int32_t id, pdr_buf *json, pdr_error *err);

/* Append a record's subject. PDR_INVALID_ARGUMENT: the naming needs a topic; PDR_NOMEM, PDR_TOO_LARGE. */
PDR_CHECKED pdr_code pdr_registry_subject(pdr_buf *out, pdr_subject_naming naming, const char *topic,
                                          const char *name, pdr_error *err);
/* "topic-record", "record", "topic"; false: none of these. */
bool pdr_subject_naming_of(const char *text, pdr_subject_naming *out);

#endif
