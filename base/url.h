/* The URLs that name a journal and a store, taken apart.
 *
 *   kafka://host:9092,[::1]:9092/loans?kafka.linger.ms=5   a journal: brokers, name, settings
 *   sqlite:path/to/file.db                                 a journal or a store: the rest is the path as it
 * is postgres://user@host/db?schema=perdure                 a store: libpq's own form, `schema` being ours
 */
#ifndef PDR_BASE_URL_H
#define PDR_BASE_URL_H

#include "perdure/bytes.h"

typedef enum pdr_url_kind { PDR_URL_KAFKA, PDR_URL_SQLITE, PDR_URL_POSTGRES } pdr_url_kind;

typedef struct pdr_url_setting {
    char *name;
    char *value;
} pdr_url_setting;

/* Owns what it points to; members that the kind doesn't have are NULL. */
typedef struct pdr_url {
    pdr_url_kind kind;
    char *brokers;             /* kafka: "host:9092,[::1]:9092", each with its port */
    char *name;                /* kafka: the journal's name: topic is "<name>.events" */
    pdr_url_setting *settings; /* kafka: of the query, percent-decoded */
    size_t setting_count;
    char *path;   /* sqlite */
    char *libpq;  /* postgres: the URL without `schema` */
    char *schema; /* postgres; NULL: not given */
} pdr_url;

enum {
    PDR_URL_MAX = 2048, /* bytes of a URL */
    PDR_URL_MAX_SETTINGS = 64,
    PDR_URL_MAX_NAME = 200, /* bytes of a journal's name: the topic's name has to fit Kafka's 249 */
    PDR_URL_MAX_SCHEMA = 63 /* PostgreSQL's limit of a name */
};

/* Zero *out, then fill it; release it in any case. PDR_BAD_URL says what is wrong with it; PDR_NOMEM.
 * Passwords in a URL never appear in a message. */
PDR_CHECKED pdr_code pdr_url_parse_journal(pdr_url *out, const char *text, pdr_error *err);
PDR_CHECKED pdr_code pdr_url_parse_store(pdr_url *out, const char *text, pdr_error *err);
void pdr_url_release(pdr_url *url);
/* A file that isn't there, which opening a store or views would make: what only looks asks first. */
bool pdr_url_is_missing_file(const pdr_url *url);

#endif
