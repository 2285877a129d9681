#include "schemas/registry.h"

#include <pthread.h>
#include <stdio.h>

#include "base/mem.h"
#include "schemas/registry_cache.h"
#include "schemas/registry_http.h"
#include "schemas/registry_json.h"
#include "schemas/schema.h"

enum { MAX_PATH = 4096, MAX_SUBJECT = 1024, MAX_BODY = 2 * PDR_SCHEMA_MAX_TEXT };

/* What a registry of Confluent's kind answers beside 404 when the request's path is right. */
enum { NO_SUBJECT = 40401, NO_VERSION = 40402, NO_SCHEMA = 40403 };

struct pdr_registry {
    pdr_reg_http *http;
    pthread_mutex_t busy; /* of http: one request at a time */
    pdr_reg_cache cache;
    char *topic; /* NULL: none */
    pdr_subject_naming naming;
    bool skip_check;
};

/* --- open --- */

pdr_code pdr_registry_open(pdr_registry **out, const pdr_registry_config *config, pdr_error *err)
{
    if (!config->url || !*config->url) return pdr_fail(err, PDR_BAD_SETTING, "the registry has no URL");
    pdr_registry *registry = pdr_calloc(1, sizeof *registry);
    if (!registry) return pdr_fail(err, PDR_NOMEM, "a client of the registry");
    registry->naming = config->naming;
    registry->skip_check = config->skip_check;
    int failed = pthread_mutex_init(&registry->busy, NULL);
    PDR_INVARIANT("mutexes-open", failed == 0);
    pdr_code code = pdr_reg_cache_init(&registry->cache, err);
    if (code == PDR_OK && config->topic) {
        registry->topic = pdr_strdup(config->topic);
        if (!registry->topic) code = pdr_fail(err, PDR_NOMEM, "a topic's name");
    }
    if (code == PDR_OK) code = pdr_reg_http_open(&registry->http, config, err);
    if (code == PDR_OK)
        *out = registry;
    else
        pdr_registry_close(registry);
    return code;
}

void pdr_registry_close(pdr_registry *registry)
{
    if (!registry) return;
    pdr_reg_http_close(registry->http);
    pdr_reg_cache_release(&registry->cache);
    pthread_mutex_destroy(&registry->busy);
    pdr_free(registry->topic);
    pdr_free(registry);
}

/* --- subjects --- */

bool pdr_subject_naming_of(const char *text, pdr_subject_naming *out)
{
    static const char *const names[] = {[PDR_SUBJECT_TOPIC_RECORD] = "topic-record",
                                        [PDR_SUBJECT_RECORD] = "record",
                                        [PDR_SUBJECT_TOPIC] = "topic"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (pdr_subject_naming)i;
            return true;
        }
    return false;
}

pdr_code pdr_registry_subject(pdr_buf *out, pdr_subject_naming naming, const char *topic, const char *name,
                              pdr_error *err)
{
    pdr_code code = PDR_FATAL;
    if (naming != PDR_SUBJECT_RECORD && (!topic || !*topic))
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "the subject of %s needs a topic's name", name);
    switch (naming) {
    case PDR_SUBJECT_TOPIC_RECORD: code = pdr_buf_printf(out, "%s-%s", topic, name); break;
    case PDR_SUBJECT_RECORD: code = pdr_buf_printf(out, "%s", name); break;
    case PDR_SUBJECT_TOPIC: code = pdr_buf_printf(out, "%s-value", topic); break;
    }
    return code == PDR_OK ? code : pdr_fail(err, code, "the subject of %.300s", name);
}

/* --- one request --- */

typedef struct request {
    pdr_registry *registry;
    const char *about; /* the schema's name, or "id 7" */
    char path[MAX_PATH];
    pdr_reg_answer answer;
    pdr_reg_refusal refusal; /* unless the status is 200 */
} request;

static void request_release(request *r)
{
    pdr_buf_release(&r->answer.body);
}

/* `subject` NULL: the path ends after `before`. */
static pdr_code set_path(request *r, const char *before, const char *subject, const char *after,
                         pdr_error *err)
{
    pdr_buf path = PDR_BUF_INIT(MAX_PATH - 1);
    pdr_code code = pdr_buf_printf(&path, "%s", before);
    if (code == PDR_OK && subject) code = pdr_reg_path_part(&path, subject);
    if (code == PDR_OK && subject) code = pdr_buf_printf(&path, "%s", after);
    if (code == PDR_OK) {
        memcpy(r->path, path.data, path.size);
        r->path[path.size] = '\0';
    }
    pdr_buf_release(&path);
    return code == PDR_OK ? code : pdr_fail(err, code, "a registry's subject %.300s", subject ? subject : "");
}

static pdr_code exchange(request *r, pdr_bytes body, pdr_error *err)
{
    pthread_mutex_lock(&r->registry->busy);
    pdr_code code = pdr_reg_http_send(r->registry->http, &r->answer, r->path, body, err);
    pthread_mutex_unlock(&r->registry->busy);
    if (code != PDR_OK) return pdr_fail_context(err, code, "%s", r->about);
    r->refusal = (pdr_reg_refusal){0};
    if (r->answer.status != 200) pdr_reg_get_refusal(&r->refusal, pdr_buf_bytes(&r->answer.body));
    return PDR_OK;
}

/* An answer that can't be understood: which one. */
static pdr_code at_request(const request *r, pdr_code code, pdr_error *err)
{
    if (code == PDR_OK) return PDR_OK;
    return pdr_fail_context(err, code, "%.150s: registry %.150s%.100s", r->about,
                            pdr_reg_http_base(r->registry->http), r->path);
}

/* What a status other than 200 means, where it has no meaning of its own for the request. */
static pdr_code refused(const request *r, pdr_error *err)
{
    const char *base = pdr_reg_http_base(r->registry->http);
    int32_t status = (int32_t)r->answer.status;
    switch (r->answer.status) {
    case 401:
    case 403:
        return pdr_fail_backend(
            err, PDR_BAD_SETTING, status,
            "registry %.150s refuses the user for %.100s (%d %.100s): see registry.user and "
            "registry.password",
            base, r->about, status, r->refusal.message);
    case 404:
        return pdr_fail_backend(err, PDR_BAD_SETTING, status,
                                "registry %.150s has nothing at %.100s: is the path in registry.url right? "
                                "(Apicurio's is /apis/ccompat/v7)",
                                base, r->path);
    case 409:
    case 422:
        return pdr_fail_backend(err, PDR_BAD_SCHEMA, status,
                                "registry %.150s refuses %.100s (%d, error %lld): %s", base, r->about, status,
                                (long long)r->refusal.code, r->refusal.message);
    default:
        return pdr_fail_backend(err, PDR_FATAL, status, "registry %.150s answers %d to %.100s: %.150s", base,
                                status, r->path, r->refusal.message);
    }
}

/* --- by id --- */

static pdr_code fetch(pdr_registry *registry, int32_t id, pdr_buf *json, pdr_error *err)
{
    char about[32];
    snprintf(about, sizeof about, "id %d", (int)id);
    request r = {.registry = registry, .about = about};
    snprintf(r.path, sizeof r.path, "/schemas/ids/%d", (int)id);
    pdr_code code = exchange(&r, pdr_bytes_of(NULL, 0), err);
    if (code == PDR_OK && r.answer.status == 404)
        code = pdr_fail(err, PDR_NOT_FOUND, "registry %.200s has no schema with id %d",
                        pdr_reg_http_base(registry->http), (int)id);
    else if (code == PDR_OK && r.answer.status != 200)
        code = refused(&r, err);
    else if (code == PDR_OK)
        code = at_request(&r, pdr_reg_get_schema(json, pdr_buf_bytes(&r.answer.body), err), err);
    request_release(&r);
    return code;
}

static pdr_code remember(pdr_registry *registry, int32_t id, const pdr_buf *json)
{
    pdr_buf text = PDR_BUF_INIT(json->size + 1);
    pdr_code code = pdr_buf_append(&text, json->data, json->size);
    if (code == PDR_OK) code = pdr_buf_append(&text, "", 1);
    if (code == PDR_OK) pdr_reg_cache_put(&registry->cache, NULL, (const char *)text.data, id);
    pdr_buf_release(&text);
    return code;
}

pdr_code pdr_registry_by_id(pdr_registry *registry, int32_t id, pdr_buf *json, pdr_error *err)
{
    pdr_code code;
    if (pdr_reg_cache_json(&registry->cache, id, json, &code))
        return code == PDR_OK ? code : pdr_fail(err, code, "the schema with id %d", (int)id);
    pdr_buf found = PDR_BUF_INIT(PDR_SCHEMA_MAX_TEXT);
    code = fetch(registry, id, &found, err);
    if (code == PDR_OK) {
        code = remember(registry, id, &found);
        if (code == PDR_OK) code = pdr_buf_append(json, found.data, found.size);
        if (code != PDR_OK) pdr_fail(err, code, "the schema with id %d", (int)id);
    }
    pdr_buf_release(&found);
    return code;
}

/* --- by schema --- */

static pdr_code fingerprint_of(uint64_t *out, const pdr_buf *json, int32_t id, pdr_error *err)
{
    char file[48];
    pdr_schema_set *set = NULL;
    snprintf(file, sizeof file, "the registry's schema %d", (int)id);
    pdr_code code = pdr_schema_read(&set, file, (pdr_string){(const char *)json->data, json->size}, err);
    if (code == PDR_OK) code = pdr_schema_fingerprint(out, pdr_schema_set_root(set, 0), err);
    pdr_schema_set_close(set);
    return code == PDR_BAD_SCHEMA ? pdr_fail_context(err, PDR_BAD_DATA, "the registry") : code;
}

/* What others will find under the id is what we write. */
static pdr_code check_id(pdr_registry *registry, const pdr_registry_schema *schema, int32_t id,
                         pdr_error *err)
{
    uint64_t fingerprint = 0;
    pdr_buf json = PDR_BUF_INIT(PDR_SCHEMA_MAX_TEXT);
    pdr_code code = fetch(registry, id, &json, err);
    if (code == PDR_OK) code = fingerprint_of(&fingerprint, &json, id, err);
    pdr_buf_release(&json);
    if (code != PDR_OK || fingerprint == schema->fingerprint) return code;
    return pdr_fail(
        err, PDR_CONFLICT,
        "registry %.150s gives id %d for %.100s (fingerprint %016llx), but its schema %d has fingerprint "
        "%016llx",
        pdr_reg_http_base(registry->http), (int)id, schema->name, (unsigned long long)schema->fingerprint,
        (int)id, (unsigned long long)fingerprint);
}

/* What the requests about one schema share. */
typedef struct inquiry {
    pdr_registry *registry;
    const pdr_registry_schema *schema;
    char subject[MAX_SUBJECT + 1];
    pdr_buf body;
} inquiry;

static pdr_code inquiry_init(inquiry *q, pdr_registry *registry, const pdr_registry_schema *schema,
                             pdr_error *err)
{
    *q = (inquiry){.registry = registry, .schema = schema, .body = PDR_BUF_INIT(MAX_BODY)};
    pdr_buf subject = PDR_BUF_INIT(MAX_SUBJECT);
    pdr_code code = pdr_registry_subject(&subject, registry->naming, registry->topic, schema->name, err);
    if (code == PDR_OK) memcpy(q->subject, subject.data, subject.size);
    pdr_buf_release(&subject);
    return code;
}

/* Ask about, or for, the schema: POST its JSON to a path of its subject. */
static pdr_code post(inquiry *q, request *r, const char *before, const char *after, pdr_error *err)
{
    *r = (request){.registry = q->registry, .about = q->schema->name};
    pdr_code code = q->body.size ? PDR_OK : pdr_reg_put_schema(&q->body, q->schema->json, err);
    if (code == PDR_OK) code = set_path(r, before, q->subject, after, err);
    return code == PDR_OK ? exchange(r, pdr_buf_bytes(&q->body), err) : code;
}

static pdr_code find(inquiry *q, int32_t *id, pdr_error *err)
{
    request r;
    pdr_code code = post(q, &r, "/subjects/", "", err);
    bool missing = r.answer.status == 404 && (r.refusal.code == NO_SUBJECT || r.refusal.code == NO_SCHEMA);
    if (code == PDR_OK && missing)
        code = pdr_fail(err, PDR_NOT_FOUND, "registry %.150s has no schema %.100s under subject %.200s",
                        pdr_reg_http_base(q->registry->http), q->schema->name, q->subject);
    else if (code == PDR_OK && r.answer.status != 200)
        code = refused(&r, err);
    else if (code == PDR_OK)
        code = at_request(&r, pdr_reg_get_id(id, pdr_buf_bytes(&r.answer.body), err), err);
    request_release(&r);
    return code;
}

/* A subject without a version yet can't be broken. */
static pdr_code check_compatible(inquiry *q, pdr_error *err)
{
    request r;
    bool compatible = true;
    pdr_code code = post(q, &r, "/compatibility/subjects/", "/versions/latest?verbose=true", err);
    bool first = r.answer.status == 404 && (r.refusal.code == NO_SUBJECT || r.refusal.code == NO_VERSION);
    if (code == PDR_OK && r.answer.status != 200 && !first)
        code = refused(&r, err);
    else if (code == PDR_OK && !first)
        code = at_request(
            &r, pdr_reg_get_verdict(&compatible, &r.refusal, pdr_buf_bytes(&r.answer.body), err), err);
    if (code == PDR_OK && !compatible)
        code = pdr_fail(
            err, PDR_BAD_SCHEMA,
            "registry %.100s: %.100s isn't compatible with the latest version of subject %.100s: %.150s",
            pdr_reg_http_base(q->registry->http), q->schema->name, q->subject, r.refusal.message);
    request_release(&r);
    return code;
}

static pdr_code add(inquiry *q, int32_t *id, pdr_error *err)
{
    request r;
    pdr_code code = post(q, &r, "/subjects/", "/versions", err);
    if (code == PDR_OK && r.answer.status != 200)
        code = refused(&r, err);
    else if (code == PDR_OK)
        code = at_request(&r, pdr_reg_get_id(id, pdr_buf_bytes(&r.answer.body), err), err);
    request_release(&r);
    return code;
}

static pdr_code ask(pdr_registry *registry, int32_t *id, const pdr_registry_schema *schema, bool may_add,
                    pdr_error *err)
{
    inquiry q;
    pdr_code code = inquiry_init(&q, registry, schema, err);
    if (code == PDR_OK && !pdr_reg_cache_id(&registry->cache, q.subject, schema->json, id)) {
        code = find(&q, id, err);
        if (code == PDR_NOT_FOUND && may_add) {
            code = registry->skip_check ? PDR_OK : check_compatible(&q, err);
            if (code == PDR_OK) code = add(&q, id, err);
        }
        if (code == PDR_OK) code = check_id(registry, schema, *id, err);
        if (code == PDR_OK) pdr_reg_cache_put(&registry->cache, q.subject, schema->json, *id);
    }
    pdr_buf_release(&q.body);
    return code;
}

pdr_code pdr_registry_register(pdr_registry *registry, int32_t *id, const pdr_registry_schema *schema,
                               pdr_error *err)
{
    return ask(registry, id, schema, true, err);
}

pdr_code pdr_registry_find(pdr_registry *registry, int32_t *id, const pdr_registry_schema *schema,
                           pdr_error *err)
{
    return ask(registry, id, schema, false, err);
}
