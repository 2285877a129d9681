/* Which backend a URL means: the one place of the library that knows them all. */
#ifndef PDR_JOURNAL_BACKENDS_H
#define PDR_JOURNAL_BACKENDS_H

#include "base/url.h"
#include "journal/group.h"
#include "journal/log.h"
#include "journal/store.h"
#include "perdure/setting.h"

/* What connections are made from. Owns what it points to. */
typedef struct pdr_backends {
    pdr_url log;
    pdr_url store;
    bool has_store;
    bool reads_only;     /* of logs that are opened: nothing will be appended */
    pdr_setting *passed; /* settings for the log's client, without their prefix; names and values are owned */
    size_t passed_count;
    int32_t replication; /* of a topic that is made; 0: see pdr_kafka_topic */
    pdr_log_line line;   /* for a client's own log lines; may come from any thread; NULL: dropped */
    void *line_context;
} pdr_backends;

void pdr_backends_release(pdr_backends *backends);
PDR_CHECKED pdr_code pdr_backends_pass(pdr_backends *backends, const char *name, const char *value,
                                       pdr_error *err);

/* One connection more. *out is yours: close it by its ops. */
PDR_CHECKED pdr_code pdr_backends_log_open(const pdr_backends *backends, pdr_log **out, pdr_error *err);
PDR_CHECKED pdr_code pdr_backends_store_open(const pdr_backends *backends, pdr_store **out, pdr_error *err);
/* A group of the log's readers; `name` tells it from others of the same log. PDR_UNSUPPORTED: the log has
 * none.
 */
PDR_CHECKED pdr_code pdr_backends_group_open(const pdr_backends *backends, const char *name, pdr_group **out,
                                             pdr_error *err);
/* Make the log, or find it as it should be. Blocking. */
PDR_CHECKED pdr_code pdr_backends_log_create(const pdr_backends *backends, int32_t partitions, int timeout_ms,
                                             pdr_error *err);

#endif
