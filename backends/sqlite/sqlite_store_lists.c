/* Schemas, pages of heads, and states made beside the owners. */
#include "backends/sqlite/sqlite_store_internal.h"

/* --- schemas --- */

static int put_registry_id(sqlite_store *store, const pdr_schema_row *schema)
{
    sqlite3_stmt *s = store->put_registry;
    int rc = sqlite3_bind_int64(s, 1, (int64_t)schema->fingerprint);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 2, schema->registry_id);
    if (rc == SQLITE_OK) rc = pdr_sqlite_run(s);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int pdr_sqlite_run_put_schema(sqlite_store *store, const pdr_schema_row *schema)
{
    sqlite3_stmt *s = store->put_schema;
    int rc = sqlite3_bind_int64(s, 1, (int64_t)schema->fingerprint);
    if (rc == SQLITE_OK) rc = pdr_sqlite_bind_text(s, 2, schema->name);
    if (rc == SQLITE_OK) rc = pdr_sqlite_bind_text(s, 3, schema->json);
    if (rc == SQLITE_OK) rc = pdr_sqlite_run(s);
    if (rc == SQLITE_DONE) rc = SQLITE_OK;
    return rc == SQLITE_OK && schema->registry_id >= 0 ? put_registry_id(store, schema) : rc;
}

static bool has_room(op *o)
{
    if (o->schema_count < o->schema_capacity) return true;
    size_t capacity = o->schema_capacity ? 2 * o->schema_capacity : 16;
    pdr_schema_row *grown = pdr_arena_calloc(&o->arena, capacity, sizeof *grown);
    if (!grown) return false;
    if (o->schema_count) memcpy(grown, o->schemas, o->schema_count * sizeof *grown);
    o->schemas = grown;
    o->schema_capacity = capacity;
    return true;
}

static int keep_schema(op *o, sqlite3_stmt *s)
{
    if (!has_room(o)) return SQLITE_NOMEM;
    bool has_id = sqlite3_column_type(s, 3) != SQLITE_NULL;
    int64_t id = has_id ? sqlite3_column_int64(s, 3) : -1;
    pdr_schema_row row = {
        (uint64_t)sqlite3_column_int64(s, 0), pdr_arena_bytes(&o->arena, pdr_sqlite_column(s, 1)),
        pdr_arena_bytes(&o->arena, pdr_sqlite_column(s, 2)), id >= 0 && id <= INT32_MAX ? (int32_t)id : -1};
    if (!row.name.data || !row.json.data) return SQLITE_NOMEM;
    o->schemas[o->schema_count++] = row;
    return SQLITE_OK;
}

/* Every row of a statement that is bound. */
static int keep_schemas(op *o, sqlite3_stmt *s)
{
    int rc, kept = SQLITE_OK;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && kept == SQLITE_OK)
        kept = keep_schema(o, s);
    int reset = sqlite3_reset(s);
    if (kept != SQLITE_OK) return kept;
    return rc == SQLITE_DONE ? SQLITE_OK : reset;
}

int pdr_sqlite_run_schemas(sqlite_store *store, op *o)
{
    o->schema_count = 0;
    if (!o->fingerprint_count) return keep_schemas(o, store->schemas);
    int rc = SQLITE_OK;
    for (size_t i = 0; i < o->fingerprint_count && rc == SQLITE_OK; i++) {
        rc = sqlite3_bind_int64(store->schema, 1, (int64_t)o->fingerprints[i]);
        if (rc == SQLITE_OK) rc = keep_schemas(o, store->schema);
    }
    return rc;
}

/* --- heads --- */

int pdr_sqlite_run_heads(sqlite_store *store, op *o)
{
    sqlite3_stmt *s = store->heads;
    o->head_count = 0;
    o->heads = pdr_arena_calloc(&o->arena, o->limit + 1, sizeof *o->heads);
    int rc =
        o->heads ? pdr_sqlite_bind_text(s, 1, o->after.size ? o->after : pdr_bytes_of("", 0)) : SQLITE_NOMEM;
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 2, (int64_t)o->limit);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 3, (int64_t)o->revision);
    if (rc != SQLITE_OK) return rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && o->head_count < o->limit) {
        pdr_head head = pdr_sqlite_column_head(s, 0);
        head.key = pdr_arena_bytes(&o->arena, head.key);
        head.ids = pdr_bytes_of(NULL, 0); /* empty, and a state is too: nothing to copy */
        if (!head.key.data) break;
        o->heads[o->head_count++] = head;
    }
    int reset = sqlite3_reset(s);
    if (rc == SQLITE_ROW) return SQLITE_NOMEM;
    return rc == SQLITE_DONE ? SQLITE_OK : reset;
}

/* --- states made beside the owners --- */

static int add_state(sqlite_store *store, const pdr_head *head)
{
    sqlite3_stmt *s = store->add_state;
    int rc = pdr_sqlite_bind_text(s, 1, head->key);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 2, (int64_t)head->revision);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 3, (int64_t)head->state_seq);
    if (rc == SQLITE_OK) rc = pdr_sqlite_bind_blob(s, 4, head->state);
    if (rc == SQLITE_OK) rc = pdr_sqlite_run(s);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int pdr_sqlite_run_put_states(sqlite_store *store, op *o)
{
    if (memcmp(o->row.stamp.store_id, o->states.store_id, PDR_ID_SIZE) != 0) {
        o->error.code = pdr_fail(&o->error, PDR_STALE, "partition %d: the store was reset or is another one",
                                 o->partition);
        return SQLITE_OK;
    }
    int rc = SQLITE_OK;
    for (size_t i = 0; i < o->states.count && rc == SQLITE_OK; i++)
        rc = add_state(store, &o->states.heads[i]);
    return rc;
}
