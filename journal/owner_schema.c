/* Writer schemas: each that is met or sent goes into the book and, with the next save, into the store, so
 * that whatever lies at or before a checkpoint has its schema there. One that an event needs and that nobody
 * knows is looked for: in the store, then in the log. */
#include "journal/owner_core.h"

enum { SEEK_PERMITS = 4 };

/* --- met, sent, saved --- */

pdr_code pdr_own_note_schema(pdr_owner *o, uint64_t fingerprint)
{
    for (size_t i = o->saving_schema_count; i < o->new_schema_count; i++)
        if (o->new_schemas[i] == fingerprint) return PDR_OK;
    if (o->new_schema_count == o->new_schema_capacity) {
        size_t capacity = o->new_schema_capacity ? 2 * o->new_schema_capacity : 16;
        uint64_t *grown = pdr_realloc(o->new_schemas, capacity * sizeof *grown);
        if (!grown) return PDR_NOMEM;
        o->new_schemas = grown;
        o->new_schema_capacity = capacity;
    }
    o->new_schemas[o->new_schema_count++] = fingerprint;
    return PDR_OK;
}

pdr_code pdr_own_meet_schema(pdr_owner *o, const pdr_log_record *record, pdr_error *err)
{
    uint64_t fingerprint = 0;
    pdr_error why = {.code = PDR_OK};
    pdr_code code = pdr_schema_book_take(o->book, record, &fingerprint, &why);
    pdr_code noted = code == PDR_OK || code == PDR_CONFLICT ? pdr_own_note_schema(o, fingerprint) : PDR_OK;
    if (noted != PDR_OK) code = noted;
    if (code == PDR_NOMEM) return pdr_fail(err, code, "a schema met in the log");
    if (code != PDR_OK && code != PDR_NOT_FOUND)
        pdr_own_trace(o, PDR_LEVEL_WARN, "the schema at offset %lld: %s", (long long)record->offset,
                      why.message);
    return PDR_OK;
}

pdr_code pdr_own_schema_rows(const pdr_owner *o, size_t count, pdr_schema_row **out, pdr_error *err)
{
    *out = pdr_alloc(count * sizeof **out);
    if (!*out) return pdr_fail(err, PDR_NOMEM, "a save of %zu schemas", count);
    for (size_t i = 0; i < count; i++) {
        uint64_t fingerprint = o->new_schemas[i];
        pdr_string json = {NULL, 0}, name = pdr_schema_book_name(o->book, fingerprint);
        PDR_INVARIANT("noted-schemas-are-known", pdr_schema_book_find(o->book, fingerprint, &json));
        (*out)[i] =
            (pdr_schema_row){fingerprint, pdr_bytes_of(name.data, name.size),
                             pdr_bytes_of(json.data, json.size), pdr_schema_book_id(o->book, fingerprint)};
    }
    return PDR_OK;
}

/* --- looked for --- */

static void end_seek(pdr_own_seek *s)
{
    pdr_owner *o = s->owner;
    for (pdr_own_seek **p = &o->seeks; *p; p = &(*p)->next) {
        if (*p != s) continue;
        *p = s->next;
        break;
    }
    o->seeks_under_way--;
    pdr_schema_seek_close(s->seek);
    pdr_free(s);
}

void pdr_own_cancel_seeks(pdr_owner *o)
{
    while (o->seeks)
        end_seek(o->seeks);
}

/* The first that still waits for this schema: each step may change the list. */
static pdr_own_catchup *waiting_for(const pdr_owner *o, const pdr_schema_seek_spec *spec)
{
    for (pdr_own_catchup *c = o->catchups; c; c = c->next)
        if (c->lacks && pdr_schema_seek_same(&c->seek, spec)) return c;
    return NULL;
}

static void on_sought(void *context, pdr_code code, const pdr_error *error)
{
    pdr_own_seek *s = context;
    pdr_owner *o = s->owner;
    pdr_schema_seek_spec spec = s->spec;
    bool later = code != PDR_OK && code != PDR_NOT_FOUND && pdr_code_class(code) == PDR_CLASS_TRANSIENT;
    if (code != PDR_OK) pdr_own_trace(o, PDR_LEVEL_WARN, "schema: %s", error->message);
    if (later) o->catchup_after = o->now + o->config.settings.backoff_min_us;
    end_seek(s);
    if (later) return;
    uint64_t recovery = o->recovery;
    for (pdr_own_catchup *c; o->recovery == recovery && (c = waiting_for(o, &spec));)
        pdr_own_schema_sought(c, code == PDR_OK);
    if (o->state == PDR_OWNER_SERVING || o->state == PDR_OWNER_SCANNING) pdr_own_start_catchups(o);
}

static bool is_sought(const pdr_owner *o, const pdr_schema_seek_spec *spec)
{
    for (const pdr_own_seek *s = o->seeks; s; s = s->next)
        if (pdr_schema_seek_same(&s->spec, spec)) return true;
    return false;
}

static pdr_code start_seek(pdr_owner *o, const pdr_schema_seek_spec *spec, pdr_error *err)
{
    pdr_own_seek *s = pdr_calloc(1, sizeof *s);
    if (!s) return pdr_fail(err, PDR_NOMEM, "looking for a schema");
    *s = (pdr_own_seek){o->seeks, o, *spec, NULL};
    pdr_code code = pdr_schema_seek_open(&s->seek, o->log, o->store, o->book, spec, on_sought, s, err);
    if (code != PDR_OK) {
        pdr_free(s);
        return code;
    }
    o->seeks = s;
    o->seeks_under_way++;
    o->counters.schema_seeks++;
    return PDR_OK;
}

void pdr_own_start_seeks(pdr_owner *o)
{
    if (!o->catchups || o->now < o->catchup_after) return;
    for (const pdr_own_catchup *c = o->catchups; c && o->seeks_under_way < SEEK_PERMITS; c = c->next) {
        pdr_error err;
        if (!c->lacks || is_sought(o, &c->seek)) continue;
        if (start_seek(o, &c->seek, &err) == PDR_OK) continue;
        pdr_own_trace(o, PDR_LEVEL_WARN, "schema: %s", err.message);
        o->catchup_after = o->now + o->config.settings.backoff_min_us;
        return;
    }
}
