#include "schemas/registry_cache.h"

#include "base/mem.h"

pdr_code pdr_reg_cache_init(pdr_reg_cache *cache, pdr_error *err)
{
    *cache = (pdr_reg_cache){0};
    cache->entries = pdr_calloc(PDR_REG_CACHE_MAX, sizeof *cache->entries);
    if (!cache->entries) return pdr_fail(err, PDR_NOMEM, "a cache of %d schemas", (int)PDR_REG_CACHE_MAX);
    int failed = pthread_mutex_init(&cache->lock, NULL);
    PDR_INVARIANT("mutexes-open", failed == 0);
    return PDR_OK;
}

static void clear(pdr_reg_cache *cache)
{
    for (size_t i = 0; i < cache->count; i++) {
        pdr_free(cache->entries[i].subject);
        pdr_free(cache->entries[i].json);
    }
    cache->count = cache->bytes = 0;
}

void pdr_reg_cache_release(pdr_reg_cache *cache)
{
    if (!cache->entries) return;
    clear(cache);
    pdr_free(cache->entries);
    pthread_mutex_destroy(&cache->lock);
}

/* FNV-1a. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001B3u;
    return (hash ^ 0xFF) * 0x100000001B3u;
}

static uint64_t hash_of(const char *subject, const char *json)
{
    return hash_text(hash_text(0xCBF29CE484222325u, subject), json);
}

void pdr_reg_cache_put(pdr_reg_cache *cache, const char *subject, const char *json, int32_t id)
{
    size_t bytes = strlen(json) + (subject ? strlen(subject) : 0);
    if (bytes > PDR_REG_CACHE_MAX_BYTES) return;
    pdr_reg_cached entry = {
        .id = id, .json = pdr_strdup(json), .subject = subject ? pdr_strdup(subject) : NULL};
    if (!entry.json || (subject && !entry.subject)) {
        pdr_free(entry.json);
        pdr_free(entry.subject);
        return;
    }
    entry.hash = subject ? hash_of(subject, json) : 0;
    pthread_mutex_lock(&cache->lock);
    if (cache->count == PDR_REG_CACHE_MAX || cache->bytes + bytes > PDR_REG_CACHE_MAX_BYTES) clear(cache);
    cache->entries[cache->count++] = entry;
    cache->bytes += bytes;
    pthread_mutex_unlock(&cache->lock);
}

bool pdr_reg_cache_id(pdr_reg_cache *cache, const char *subject, const char *json, int32_t *id)
{
    uint64_t hash = hash_of(subject, json);
    bool found = false;
    pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; !found && i < cache->count; i++) {
        const pdr_reg_cached *entry = &cache->entries[i];
        found = entry->subject && entry->hash == hash && strcmp(entry->subject, subject) == 0 &&
                strcmp(entry->json, json) == 0;
        if (found) *id = entry->id;
    }
    pthread_mutex_unlock(&cache->lock);
    return found;
}

bool pdr_reg_cache_json(pdr_reg_cache *cache, int32_t id, pdr_buf *json, pdr_code *code)
{
    bool found = false;
    *code = PDR_OK;
    pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; !found && i < cache->count; i++) {
        found = cache->entries[i].id == id;
        if (found) *code = pdr_buf_append(json, cache->entries[i].json, strlen(cache->entries[i].json));
    }
    pthread_mutex_unlock(&cache->lock);
    return found;
}
