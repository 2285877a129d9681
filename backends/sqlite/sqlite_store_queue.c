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
        if (!own(&o->arena, &o->keys[i].key)) return false;
    }
    return true;
}

pdr_code pdr_sqlite_lookup(pdr_store *base, int32_t partition, const pdr_lookup_key *keys, size_t count,
                           pdr_store_done done, void *context, uint64_t tag, pdr_error *err)
{
    op *o = new_op(OP_LOOKUP, partition, done, context, tag);
    return submit((sqlite_store *)base, o, o && own_keys(o, keys, count), err);
}

static bool own_heads(op *o, const pdr_head *given, size_t count)
{
    pdr_head *heads = pdr_arena_calloc(&o->arena, count, sizeof *heads);
    if (!heads) return false;
    if (count) memcpy(heads, given, count * sizeof *heads);
    for (size_t i = 0; i < count; i++) {
        if (!own(&o->arena, &heads[i].key) || !own(&o->arena, &heads[i].ids) ||
            !own(&o->arena, &heads[i].state))
            return false;
    }
    o->save.heads = heads;
    return true;
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
        copied =
            own_heads(o, save->heads, save->head_count) && own_schemas(o, save->schemas, save->schema_count);
    }
    return submit((sqlite_store *)base, o, copied, err);
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
