#include "backends/sqlite/sqlite_store_internal.h"
#include "base/mem.h"

void pdr_op_queue_put(op_queue *queue, op *o)
{
    o->next = NULL;
    *queue->last = o;
    queue->last = &o->next;
    queue->count++;
    queue->bytes += o->size;
}

op *pdr_op_queue_take(op_queue *queue)
{
    op *o = queue->first;
    if (!o) return NULL;
    queue->first = o->next;
    if (!queue->first) queue->last = &queue->first;
    queue->count--;
    queue->bytes -= o->size;
    return o;
}

void pdr_op_free(op *o)
{
    if (!o) return;
    pdr_arena_release(&o->arena);
    pdr_free(o);
}

static op *new_op(op_kind kind, int32_t partition, pdr_store_done done, void *context, uint64_t tag)
{
    op *o = pdr_calloc(1, sizeof *o);
    if (!o) return NULL;
    o->kind = kind;
    o->partition = partition;
    o->done = done;
    o->context = context;
    o->tag = tag;
    o->arena = (pdr_arena)PDR_ARENA_INIT(STORE_QUEUE_BYTES);
    return o;
}

/* Take a copied operation in, or free it. */
static pdr_code submit(sqlite_store *store, op *o, bool copied, pdr_error *err)
{
    pdr_code code = PDR_OK;
    if (!o || !copied) {
        code = pdr_fail(err, PDR_NOMEM, "queueing an operation of the store");
    } else if (store->queue.count >= STORE_QUEUE_OPS ||
               o->arena.held > STORE_QUEUE_BYTES - store->queue.bytes) {
        code = pdr_fail(err, PDR_QUEUE_FULL, "%zu operations of the store wait", store->queue.count);
    }
    if (code != PDR_OK) {
        pdr_op_free(o);
        return code;
    }
    o->size = o->arena.held;
    pdr_op_queue_put(&store->queue, o);
    return PDR_OK;
}

pdr_code pdr_sqlite_load(pdr_store *base, int32_t partition, pdr_store_done done, void *context, uint64_t tag,
                         pdr_error *err)
{
    return submit((sqlite_store *)base, new_op(OP_LOAD, partition, done, context, tag), true, err);
}

/* Copy in place; false: out of memory. */
static bool own(pdr_arena *arena, pdr_bytes *bytes)
{
    if (!bytes->data) return true;
    *bytes = pdr_arena_bytes(arena, *bytes);
    return bytes->data != NULL;
}

pdr_code pdr_sqlite_claim(pdr_store *base, int32_t partition, const pdr_claim *claim, pdr_store_done done,
                          void *context, uint64_t tag, pdr_error *err)
{
    op *o = new_op(OP_CLAIM, partition, done, context, tag);
    bool copied = false;
    if (o) {
        o->claim = *claim;
        copied = own(&o->arena, &o->claim.address);
    }
    return submit((sqlite_store *)base, o, copied, err);
}

static bool own_keys(op *o, const pdr_lookup_key *keys, size_t count)
{
    o->keys = pdr_arena_calloc(&o->arena, count, sizeof *keys);
    if (!o->keys) return false;
    o->key_count = count;
    if (count) memcpy(o->keys, keys, count * sizeof *keys);
    for (size_t i = 0; i < count; i++) {
        pdr_lookup_key *key = &o->keys[i];
        if (!own(&o->arena, &key->key)) return false;
        uint64_t *revisions = pdr_arena_calloc(&o->arena, key->revision_count + 1, sizeof *revisions);
        if (!revisions) return false;
        if (key->revision_count) memcpy(revisions, key->revisions, key->revision_count * sizeof *revisions);
        key->revisions = revisions;
    }
    return true;
}

pdr_code pdr_sqlite_lookup(pdr_store *base, int32_t partition, const pdr_lookup_key *keys, size_t count,
                           pdr_store_done done, void *context, uint64_t tag, pdr_error *err)
{
    op *o = new_op(OP_LOOKUP, partition, done, context, tag);
    return submit((sqlite_store *)base, o, o && own_keys(o, keys, count), err);
}

static const pdr_head *own_heads(op *o, const pdr_head *given, size_t count)
{
    pdr_head *heads = pdr_arena_calloc(&o->arena, count, sizeof *heads);
    if (!heads) return NULL;
    if (count) memcpy(heads, given, count * sizeof *heads);
    for (size_t i = 0; i < count; i++) {
        if (!own(&o->arena, &heads[i].key) || !own(&o->arena, &heads[i].ids) ||
            !own(&o->arena, &heads[i].state))
            return NULL;
    }
    return heads;
}

static bool own_schemas(op *o, const pdr_schema_row *given, size_t count)
{
    pdr_schema_row *schemas = pdr_arena_calloc(&o->arena, count, sizeof *schemas);
    if (!schemas) return false;
    if (count) memcpy(schemas, given, count * sizeof *schemas);
    for (size_t i = 0; i < count; i++) {
        if (!own(&o->arena, &schemas[i].name) || !own(&o->arena, &schemas[i].json)) return false;
    }
    o->save.schemas = schemas;
    return true;
}

pdr_code pdr_sqlite_save(pdr_store *base, int32_t partition, const pdr_save *save, pdr_store_done done,
                         void *context, uint64_t tag, pdr_error *err)
{
    op *o = new_op(OP_SAVE, partition, done, context, tag);
    bool copied = false;
    if (o) {
        o->save = *save;
        o->save.heads = own_heads(o, save->heads, save->head_count);
        copied = o->save.heads && own_schemas(o, save->schemas, save->schema_count);
    }
    return submit((sqlite_store *)base, o, copied, err);
}

pdr_code pdr_sqlite_schemas(pdr_store *base, const uint64_t *fingerprints, size_t count, pdr_store_done done,
                            void *context, uint64_t tag, pdr_error *err)
{
    op *o = new_op(OP_SCHEMAS, -1, done, context, tag);
    bool copied = false;
    if (o) {
        o->fingerprints = pdr_arena_calloc(&o->arena, count + 1, sizeof *fingerprints);
        o->fingerprint_count = count;
        copied = o->fingerprints != NULL;
        if (copied && count) memcpy(o->fingerprints, fingerprints, count * sizeof *fingerprints);
    }
    return submit((sqlite_store *)base, o, copied, err);
}

pdr_code pdr_sqlite_heads(pdr_store *base, pdr_bytes after, size_t limit, uint64_t revision,
                          pdr_store_done done, void *context, uint64_t tag, pdr_error *err)
{
    op *o = new_op(OP_HEADS, -1, done, context, tag);
    bool copied = false;
    if (o) {
        o->after = after;
        o->limit = limit;
        o->revision = revision;
        copied = own(&o->arena, &o->after);
    }
    return submit((sqlite_store *)base, o, copied, err);
}

pdr_code pdr_sqlite_put_states(pdr_store *base, int32_t partition, const pdr_new_states *states,
                               pdr_store_done done, void *context, uint64_t tag, pdr_error *err)
{
    op *o = new_op(OP_PUT_STATES, partition, done, context, tag);
    if (o) {
        o->states = *states;
        o->states.heads = own_heads(o, states->heads, states->count);
    }
    return submit((sqlite_store *)base, o, o && o->states.heads, err);
}

void pdr_sqlite_forget(pdr_store *base, void *context)
{
    sqlite_store *store = (sqlite_store *)base;
    for (op *o = store->queue.first; o; o = o->next) {
        if (o->context == context) o->done = NULL;
    }
    for (op *o = store->finished.first; o; o = o->next) {
        if (o->context == context) o->done = NULL;
    }
}
