#include "journal/newer.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "schemas/schema.h"
#include "schemas/type.h"
#include "schemas/version.h"

struct pdr_newer {
    const pdr_chain *chain;
    const pdr_schema_book *book;
    _Atomic(pdr_newer_route *) routes; /* only ever put in front, under `lock` */
    pthread_mutex_t lock;
};

pdr_code pdr_newer_open(pdr_newer **out, const pdr_chain *chain, const pdr_schema_book *book, pdr_error *err)
{
    pdr_newer *newer = pdr_calloc(1, sizeof *newer);
    if (!newer) return pdr_fail(err, PDR_NOMEM, "the event types of entity type %s", chain->entity);
    if (pthread_mutex_init(&newer->lock, NULL) != 0) {
        pdr_free(newer);
        return pdr_fail(err, PDR_NOMEM, "a lock");
    }
    newer->chain = chain;
    newer->book = book;
    *out = newer;
    return PDR_OK;
}

static void free_route(pdr_newer_route *route)
{
    pdr_plan_close(route->plan);
    pdr_free(route);
}

void pdr_newer_close(pdr_newer *newer)
{
    if (!newer) return;
    pdr_newer_route *route = atomic_load_explicit(&newer->routes, memory_order_relaxed);
    while (route) {
        pdr_newer_route *next = route->next;
        free_route(route);
        route = next;
    }
    pthread_mutex_destroy(&newer->lock);
    pdr_free(newer);
}

static const pdr_newer_route *kept(const pdr_newer *newer, uint64_t fingerprint)
{
    const pdr_newer_route *route = atomic_load_explicit(&newer->routes, memory_order_acquire);
    while (route && route->fingerprint != fingerprint)
        route = route->next;
    return route;
}

/* --- which of our events is it? --- */

static pdr_code has_alias(bool *out, const pdr_type *type, const char *name, pdr_error *err)
{
    pdr_schema_set *set;
    pdr_code code = pdr_schema_read(&set, type->name, pdr_string_of(type->schema), err);
    if (code != PDR_OK) return code;
    const pdr_schema *schema = pdr_schema_set_root(set, 0);
    for (size_t i = 0; i < schema->alias_count; i++)
        if (strcmp(schema->aliases[i], name) == 0) *out = true;
    pdr_schema_set_close(set);
    return PDR_OK;
}

static pdr_code is_called(bool *out, const pdr_type *type, const char *name, pdr_error *err)
{
    *out = strcmp(type->name, name) == 0;
    return *out ? PDR_OK : has_alias(out, type, name, err);
}

/* The newest version of that event that we know; *out NULL: we know none. */
static pdr_code newest(const pdr_route **out, const pdr_chain *chain, const char *name, pdr_error *err)
{
    *out = NULL;
    for (size_t i = 0; i <= chain->mask; i++) {
        const pdr_route *route = &chain->slots[i];
        bool same = false;
        pdr_code code = route->type ? is_called(&same, route->type, name, err) : PDR_OK;
        if (code != PDR_OK) return code;
        if (same && (!*out || route->type->version > (*out)->type->version)) *out = route;
    }
    return PDR_OK;
}

/* --- may we read it? --- */

typedef struct writer {
    const pdr_schema *schema;
    pdr_schema_version mark;
    pdr_string json;
    uint64_t fingerprint;
} writer;

static pdr_code refuse(pdr_newer_route *route, const pdr_newer *newer, const writer *w, const char *why)
{
    return pdr_fail(&route->refusal, PDR_UNKNOWN_SCHEMA,
                    "entity type %.60s: event %.120s version %u, fingerprint %016llx: %.250s",
                    newer->chain->entity, w->schema->name, w->mark.version,
                    (unsigned long long)w->fingerprint, why);
}

static const char *why_not(const writer *w, const pdr_route *known)
{
    if (!known) return "this code has no event of that name; run a version of the application that does";
    if (w->mark.version == 0)
        return "its schema says no version and isn't declared; declare it, with an upcaster if it is older";
    if (w->mark.version <= known->type->version)
        return "this code reads newer versions, but declares no upcaster from this one; declare it";
    if (!w->mark.readable_by_older)
        return "newer than this code, and it doesn't say that older code may read it; run a newer version of "
               "the application";
    return NULL;
}

static pdr_code open_plan(pdr_newer_route *route, const pdr_newer *newer, const writer *w)
{
    pdr_error why = {0};
    pdr_code code = pdr_plan_open(&route->plan, w->json, route->route->type, &why);
    if (code == PDR_OK || code == PDR_NOMEM) return code;
    route->route = NULL;
    return refuse(route, newer, w, why.message);
}

static pdr_code look(pdr_newer_route *route, const pdr_newer *newer, const writer *w, pdr_error *err)
{
    const pdr_route *known;
    pdr_code code = newest(&known, newer->chain, w->schema->name, err);
    if (code != PDR_OK) return code;
    const char *why = why_not(w, known);
    if (why) return refuse(route, newer, w, why);
    route->route = known;
    return open_plan(route, newer, w);
}

/* PDR_OK, or PDR_UNKNOWN_SCHEMA with the refusal filled: both are kept. Anything else isn't. */
static pdr_code judge(pdr_newer_route *route, const pdr_newer *newer, pdr_string json, pdr_error *err)
{
    pdr_schema_set *set = NULL;
    writer w = {.json = json, .fingerprint = route->fingerprint};
    pdr_code code = pdr_schema_read(&set, "writer schema", json, err);
    if (code == PDR_OK) {
        w.schema = pdr_schema_set_root(set, 0);
        code = pdr_schema_version_of(&w.mark, w.schema, err);
    }
    if (code == PDR_OK) code = look(route, newer, &w, err);
    pdr_schema_set_close(set);
    return code;
}

static pdr_code make(pdr_newer *newer, uint64_t fingerprint, pdr_string json, const pdr_newer_route **out,
                     pdr_error *err)
{
    pdr_error why = {0};
    pdr_newer_route *route = pdr_calloc(1, sizeof *route);
    if (!route) return pdr_fail(err, PDR_NOMEM, "reading a schema");
    route->fingerprint = fingerprint;
    pdr_code code = judge(route, newer, json, &why);
    if (code == PDR_NOMEM) {
        free_route(route);
        return pdr_fail(err, PDR_NOMEM, "reading a schema");
    }
    if (code != PDR_OK && route->refusal.code == PDR_OK)
        (void)pdr_fail(&route->refusal, PDR_UNKNOWN_SCHEMA,
                       "entity type %.60s: the schema of fingerprint %016llx: %.300s", newer->chain->entity,
                       (unsigned long long)fingerprint, why.message);
    route->next = atomic_load_explicit(&newer->routes, memory_order_relaxed);
    atomic_store_explicit(&newer->routes, route, memory_order_release);
    *out = route;
    return PDR_OK;
}

/* --- the way in --- */

static pdr_code find_in_book(pdr_newer *newer, uint64_t fingerprint, const pdr_newer_route **out,
                             pdr_error *err)
{
    pdr_string json;
    if (!newer->book || !pdr_schema_book_find(newer->book, fingerprint, &json))
        return pdr_fail(err, PDR_UNKNOWN_SCHEMA,
                        "entity type %s has no event with fingerprint %016llx, and neither log nor store "
                        "told its schema; run a version of the application that knows it",
                        newer->chain->entity, (unsigned long long)fingerprint);
    pthread_mutex_lock(&newer->lock);
    pdr_code code = PDR_OK;
    *out = kept(newer, fingerprint);
    if (!*out) code = make(newer, fingerprint, json, out, err);
    pthread_mutex_unlock(&newer->lock);
    return code;
}

pdr_code pdr_newer_find(pdr_newer *newer, uint64_t fingerprint, const pdr_newer_route **out, pdr_error *err)
{
    *out = kept(newer, fingerprint);
    pdr_code code = *out ? PDR_OK : find_in_book(newer, fingerprint, out, err);
    if (code != PDR_OK || (*out)->route) return code;
    if (err) *err = (*out)->refusal;
    return PDR_UNKNOWN_SCHEMA;
}

bool pdr_newer_lacks(const pdr_newer *newer, uint64_t fingerprint)
{
    return !kept(newer, fingerprint) &&
           !(newer->book && pdr_schema_book_find(newer->book, fingerprint, NULL));
}
