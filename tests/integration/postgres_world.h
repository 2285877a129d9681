/* What the claims about the PostgreSQL store stand on: a schema of its own for each, SQL beside the store,
 * outcomes, and a proxy that stands for an unreliable network. The server is the one that
 * PERDURE_TEST_POSTGRES names. */
#ifndef PDR_TESTS_POSTGRES_WORLD_H
#define PDR_TESTS_POSTGRES_WORLD_H

#include <criterion/criterion.h>
#include <libpq-fe.h>

#include "backends/postgres/postgres_store.h"

extern const pdr_store_meta world_meta; /* 2 partitions */

void world_open(void);  /* names a schema; makes nothing */
void world_ready(void); /* an initialised store in it */
void world_close(void); /* closes what store_at opened, drops the schema */
const char *world_schema(void);

/* A store of this world. NULL url: the server's own. Closed by world_close. */
pdr_store *store_at(const char *url, int wait_ms, int limit_ms);
pdr_store *store_here(void);
void store_gone(pdr_store *store); /* closes it before the end */

/* --- SQL beside the store --- */
PGconn *sql_connect(void);
void sql_on(PGconn *pg, const char *sql); /* must succeed; '@' stands for the quoted schema and a dot */
void sql(const char *sql);                /* the same on a connection of its own */
long sql_number(const char *sql);         /* one number */

/* --- Outcomes --- */
typedef struct told {
    int times;
    pdr_code code;
    char message[500];
    pdr_partition_row row;
    size_t head_count;
    uint64_t seq, state_seq; /* of the first head */
    char state[64];          /* the first head's, as text */
} told;

void tell(void *context, uint64_t tag, const pdr_store_result *result); /* context: told */
void until_told(pdr_store *store, const told *t);                       /* polls; exactly once */
void pump(pdr_store *store, int ms);                                    /* polls for a while */
told load_of(pdr_store *store, int32_t partition);
told load_saying(pdr_store *store, const char *why); /* again until the message has that in it, or for long */
void until_locked(pdr_store *store); /* polls until a session of the server waits for a lock */
told claim_of(pdr_store *store, int32_t partition, int64_t term);
told lookup_of(pdr_store *store, const char *key);
told save_of(pdr_store *store, int32_t partition, pdr_stamp expected, const char *key, uint64_t seq);
/* Saves head and state of `key`, both of seq, checkpoint and seen at offset seq. */
void begin_save(told *t, pdr_store *store, int32_t partition, pdr_stamp expected, const char *key,
                uint64_t seq);

/* --- The proxy --- */
typedef enum proxy_mode {
    PROXY_PASSES,
    PROXY_REFUSES, /* nobody listens, and connections that were there are cut */
    PROXY_STALLS   /* connections stay, bytes don't */
} proxy_mode;

void proxy_open(proxy_mode mode); /* a thread; world_close ends it */
void proxy_set(proxy_mode mode);  /* done when it returns */
const char *proxy_url(void);

/* The server, by ./dev services; skips the claim if PERDURE_TEST_DEV isn't set. */
void server_restart_hard(void);
void server_stop(void);
void server_start(void);

#endif
