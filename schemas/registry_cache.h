/* What a registry has said, in both directions: (subject, JSON) to id and id to JSON. Ids are for good, so
 * nothing in it becomes wrong; when it is full it begins anew. Threads: any. Only schemas/registry*.c include
 * this. */
#ifndef PDR_SCHEMAS_REGISTRY_CACHE_H
#define PDR_SCHEMAS_REGISTRY_CACHE_H

#include <pthread.h>

#include "perdure/bytes.h"

enum { PDR_REG_CACHE_MAX = 4096, PDR_REG_CACHE_MAX_BYTES = 64 * 1024 * 1024 };

typedef struct pdr_reg_cached {
    uint64_t hash; /* of subject and JSON; of a look-up by id only: subject NULL */
    int32_t id;
    char *subject;
    char *json;
} pdr_reg_cached;

typedef struct pdr_reg_cache {
    pthread_mutex_t lock;
    pdr_reg_cached *entries;
    size_t count, bytes;
} pdr_reg_cache;

PDR_CHECKED pdr_code pdr_reg_cache_init(pdr_reg_cache *cache, pdr_error *err);
void pdr_reg_cache_release(pdr_reg_cache *cache);
/* Remember; a lack of memory only means that the registry is asked again. subject NULL: known by id only. */
void pdr_reg_cache_put(pdr_reg_cache *cache, const char *subject, const char *json, int32_t id);
bool pdr_reg_cache_id(pdr_reg_cache *cache, const char *subject, const char *json, int32_t *id);
/* Append the JSON of this id; false: it isn't known. *code: of the append. */
bool pdr_reg_cache_json(pdr_reg_cache *cache, int32_t id, pdr_buf *json, pdr_code *code);

#endif
