/* The store seam onto a simulated world: a connection with its operations, their fates, and poll. */
#include "backends/sim/sim_internal.h"

#include <stdlib.h>

#include "base/mem.h"

typedef enum sim_op_kind {
    OP_LOAD,
    OP_CLAIM,
    OP_LOOKUP,
    OP_SAVE,
    OP_SCHEMAS,
    OP_HEADS,
    OP_PUT_STATES
} sim_op_kind;
typedef enum sim_fate {
    FATE_DONE,
    FATE_UNAVAILABLE,
    FATE_UNKNOWN_DONE,
    FATE_UNKNOWN_LOST,
    FATE_UNKNOWN_LATE
} sim_fate;

typedef struct sim_store {
    pdr_store base;
    pdr_sim_world *world;
    uint32_t node;
    bool dead, closed, polling;
    uint64_t cuts;           /* of the connection; operations of before are lost with it */
    int64_t last_arrival_us; /* operations of one store are carried out in order */
    int64_t last_answer_us;
    struct sim_op *first, **last; /* not yet completed, in order of submission */
} sim_store;

typedef struct sim_op {
    struct sim_op *next;
    sim_store *store;
    sim_op_kind kind;
    sim_fate fate;
    uint64_t cuts;
    bool answered, forgotten;
    int32_t partition;
    uint64_t tag;
    pdr_store_done done;
    void *context;
    pdr_claim claim;
    pdr_save save;
    pdr_lookup_key *keys;
    size_t key_count;
    uint64_t *fingerprints; /* of OP_SCHEMAS */
    size_t fingerprint_count;
    pdr_bytes after; /* of OP_HEADS, with limit and revision */
    size_t limit;
    uint64_t revision;
    pdr_new_states states;
    pdr_code code; /* the result, as it was when it was carried out */
    pdr_partition_row row;
    pdr_head *heads;
    size_t head_count;
    pdr_schema_row *schemas;
    size_t schema_count;
} sim_op;

/* --- At the server --- */

static const sim_state *wanted_state(const sim_head *head, const pdr_lookup_key *key)
{
    const sim_state *best = NULL;
    for (size_t i = 0; i < key->revision_count; i++)
        for (const sim_state *state = head->states; state; state = state->next)
            if (state->revision == key->revisions[i] && (!best || state->seq > best->seq)) best = state;
    return best;
}

static void look_up(sim_op *op, const sim_table *table)
{
    op->heads = sim_alloc(op->store->world, op->key_count * sizeof *op->heads);
    for (size_t i = 0; i < op->key_count; i++) {
        const sim_head *found = sim_table_find(table, op->keys[i].key, NULL);
        if (!found) continue;
        pdr_head *head = &op->heads[op->head_count++];
        *head = found->head;
        const sim_state *state = wanted_state(found, &op->keys[i]);
        if (!state) continue;
        head->revision = state->revision;
        head->state_seq = state->seq;
        head->state = state->packed;
    }
}

static bool is_asked(const sim_op *op, uint64_t fingerprint)
{
    for (size_t i = 0; i < op->fingerprint_count; i++)
        if (op->fingerprints[i] == fingerprint) return true;
    return op->fingerprint_count == 0;
}

static pdr_code find_schemas(sim_op *op)
{
    const sim_true_store *store = &op->store->world->store;
    op->schemas = sim_alloc(op->store->world, store->schema_count * sizeof *op->schemas);
    for (size_t i = 0; i < store->schema_count; i++)
        if (is_asked(op, store->schemas[i]->fingerprint))
            op->schemas[op->schema_count++] = *store->schemas[i];
    return PDR_OK;
}

/* States of one head follow each other: the page has each head once. */
static void take_page(void *context, const pdr_head *head)
{
    sim_op *op = context;
    pdr_head *newest = op->head_count ? &op->heads[op->head_count - 1] : NULL;
    if (op->after.size && sim_compare(head->key, op->after) <= 0) return;
    if (!newest || !pdr_bytes_equal(newest->key, head->key)) {
        if (op->head_count == op->limit) return;
        newest = &op->heads[op->head_count++];
        *newest = *head;
        newest->ids = newest->state = pdr_bytes_of(NULL, 0);
        newest->revision = newest->state_seq = 0;
    }
    if (!head->state.data || head->revision != op->revision) return;
    newest->revision = head->revision;
    newest->state_seq = head->state_seq;
    newest->state = pdr_bytes_of("", 0);
}

static pdr_code find_heads(sim_op *op)
{
    int32_t partition;
    op->heads = sim_alloc(op->store->world, op->limit * sizeof *op->heads);
    sim_table_merge(op->store->world, take_page, op, &partition);
    return PDR_OK;
}

static pdr_code apply_op(sim_op *op)
{
    pdr_sim_world *world = op->store->world;
    if (!world->store.initialised || op->partition >= world->options.partitions) return PDR_NOT_INITIALISED;
    if (op->kind == OP_SCHEMAS) return find_schemas(op);
    if (op->kind == OP_HEADS) return find_heads(op);
    sim_table *table = &world->store.tables[op->partition];
    pdr_code code = PDR_OK;
    switch (op->kind) {
    case OP_LOAD: break;
    case OP_CLAIM: code = sim_table_claim(world, op->partition, &op->claim); break;
    case OP_LOOKUP: look_up(op, table); break;
    case OP_SAVE: code = sim_table_save(world, op->partition, &op->save); break;
    case OP_PUT_STATES: code = sim_table_put_states(world, op->partition, &op->states); break;
    case OP_SCHEMAS:
    case OP_HEADS: break; /* above */
    }
    op->row = table->row;
    return code;
}

static void carry_out(sim_op *op)
{
    static const char *const names[] = {"load", "claim", "look-up", "save", "schemas", "heads", "put states"};
    pdr_sim_world *world = op->store->world;
    op->code = apply_op(op);
    pdr_sim_world_trace(world, "p%d store: node %u %s #%llu: %s; term %lld, saves %llu, checkpoint %lld",
                        (int)op->partition, (unsigned)op->store->node, names[op->kind],
                        (unsigned long long)op->tag, pdr_code_name(op->code),
                        (long long)op->row.stamp.term.offset, (unsigned long long)op->row.stamp.saves,
                        (long long)op->row.checkpoint.offset);
    if (op->kind == OP_SAVE && op->code == PDR_OK) sim_store_misfortune(world, op->partition);
}

static void carry_out_late(void *context, uint64_t value)
{
    (void)value;
    carry_out(context);
}

static void answer_arrives(void *context, uint64_t value)
{
    (void)value;
    sim_op *op = context;
    op->answered = true;
    if (!op->store->dead) sim_wake(op->store->world, op->store->node);
}

static bool changes(const sim_op *op)
{
    return op->kind == OP_SAVE || op->kind == OP_CLAIM;
}

/* The connection went away under an operation that the server hadn't seen yet. */
static void lose(sim_op *op)
{
    op->fate = changes(op) ? FATE_UNKNOWN_LOST : FATE_UNAVAILABLE;
    if (!changes(op)) return;
    uint64_t roll = pdr_sim_world_below(op->store->world, 4);
    if (roll == 0) op->fate = FATE_UNKNOWN_DONE;
    if (roll == 1) op->fate = FATE_UNKNOWN_LATE;
}

static void op_arrives(void *context, uint64_t value)
{
    (void)value;
    sim_op *op = context;
    sim_store *store = op->store;
    if (op->cuts != store->cuts || store->dead) lose(op);
    if (op->fate == FATE_DONE || op->fate == FATE_UNKNOWN_DONE)
        carry_out(op);
    else if (op->fate == FATE_UNKNOWN_LATE)
        pdr_sim_world_at(store->world, sim_late(store->world), carry_out_late, op, 0);
    int64_t at_us = store->world->now_us + sim_wire(store->world);
    if (at_us < store->last_answer_us) at_us = store->last_answer_us;
    store->last_answer_us = at_us;
    pdr_sim_world_at(store->world, at_us - store->world->now_us, answer_arrives, op, 0);
}

/* --- Submission --- */

static sim_fate choose_fate(pdr_sim_world *world, sim_op_kind kind)
{
    if (sim_fault(world, PDR_SIM_store_unavailable)) return FATE_UNAVAILABLE;
    if (kind != OP_CLAIM && kind != OP_SAVE) return FATE_DONE;
    if (sim_fault(world, PDR_SIM_store_unknown_done)) return FATE_UNKNOWN_DONE;
    if (sim_fault(world, PDR_SIM_store_unknown_lost)) return FATE_UNKNOWN_LOST;
    if (sim_fault(world, PDR_SIM_store_unknown_late)) return FATE_UNKNOWN_LATE;
    return FATE_DONE;
}

static pdr_code make_op(sim_op **out, pdr_store *base, sim_op_kind kind, int32_t partition, pdr_error *err)
{
    sim_store *store = (sim_store *)base;
    pdr_sim_world *world = store->world;
    PDR_INVARIANT("store-is-open", !store->closed);
    if (store->dead) return pdr_fail(err, PDR_UNAVAILABLE, "simulated process is dead");
    if (partition < 0) return pdr_fail(err, PDR_INVALID_ARGUMENT, "no partition %d", (int)partition);
    if (sim_fault(world, PDR_SIM_store_refused))
        return pdr_fail(err, PDR_UNAVAILABLE, "simulated store can't be reached");
    if (sim_fault(world, PDR_SIM_store_cut)) store->cuts++;
    sim_op *op = sim_alloc(world, sizeof *op);
    op->store = store;
    op->kind = kind;
    op->partition = partition;
    op->cuts = store->cuts;
    op->fate = choose_fate(world, kind);
    *out = op;
    return PDR_OK;
}

static pdr_code submit(sim_op *op, pdr_store_done done, void *context, uint64_t tag)
{
    sim_store *store = op->store;
    op->done = done;
    op->context = context;
    op->tag = tag;
    *store->last = op;
    store->last = &op->next;
    int64_t at_us = store->world->now_us + sim_wire(store->world);
    if (sim_fault(store->world, PDR_SIM_store_slow)) at_us += sim_late(store->world);
    if (at_us < store->last_arrival_us) at_us = store->last_arrival_us;
    store->last_arrival_us = at_us;
    pdr_sim_world_at(store->world, at_us - store->world->now_us, op_arrives, op, 0);
    return PDR_OK;
}

static pdr_code store_load(pdr_store *base, int32_t partition, pdr_store_done done, void *context,
                           uint64_t tag, pdr_error *err)
{
    sim_op *op;
    pdr_code code = make_op(&op, base, OP_LOAD, partition, err);
    return code == PDR_OK ? submit(op, done, context, tag) : code;
}

static pdr_code store_claim(pdr_store *base, int32_t partition, const pdr_claim *claim, pdr_store_done done,
                            void *context, uint64_t tag, pdr_error *err)
{
    sim_op *op;
    pdr_code code = make_op(&op, base, OP_CLAIM, partition, err);
    if (code != PDR_OK) return code;
    op->claim = *claim;
    op->claim.address = sim_copy_bytes(op->store->world, claim->address);
    return submit(op, done, context, tag);
}

static pdr_lookup_key copy_key(pdr_sim_world *world, const pdr_lookup_key *key)
{
    size_t size = key->revision_count * sizeof *key->revisions;
    uint64_t *revisions = sim_alloc(world, size);
    if (size) memcpy(revisions, key->revisions, size);
    return (pdr_lookup_key){sim_copy_bytes(world, key->key), revisions, key->revision_count};
}

static pdr_code store_lookup(pdr_store *base, int32_t partition, const pdr_lookup_key *keys, size_t count,
                             pdr_store_done done, void *context, uint64_t tag, pdr_error *err)
{
    sim_op *op;
    pdr_code code = make_op(&op, base, OP_LOOKUP, partition, err);
    if (code != PDR_OK) return code;
    op->keys = sim_alloc(op->store->world, count * sizeof *keys);
    op->key_count = count;
    for (size_t i = 0; i < count; i++)
        op->keys[i] = copy_key(op->store->world, &keys[i]);
    return submit(op, done, context, tag);
}

static const pdr_head *copy_heads(pdr_sim_world *world, const pdr_head *given, size_t count)
{
    pdr_head *heads = sim_alloc(world, count * sizeof *heads);
    for (size_t i = 0; i < count; i++) {
        heads[i] = given[i];
        heads[i].key = sim_copy_bytes(world, given[i].key);
        heads[i].ids = sim_copy_bytes(world, given[i].ids);
        heads[i].state = sim_copy_bytes(world, given[i].state);
    }
    return heads;
}

static pdr_code store_save(pdr_store *base, int32_t partition, const pdr_save *save, pdr_store_done done,
                           void *context, uint64_t tag, pdr_error *err)
{
    sim_op *op;
    pdr_code code = make_op(&op, base, OP_SAVE, partition, err);
    if (code != PDR_OK) return code;
    pdr_sim_world *world = op->store->world;
    op->save = *save;
    op->save.heads = copy_heads(world, save->heads, save->head_count);
    pdr_schema_row *schemas = sim_alloc(world, save->schema_count * sizeof *schemas);
    for (size_t i = 0; i < save->schema_count; i++) {
        schemas[i] = save->schemas[i];
        schemas[i].name = sim_copy_bytes(world, save->schemas[i].name);
        schemas[i].json = sim_copy_bytes(world, save->schemas[i].json);
    }
    op->save.schemas = schemas;
    return submit(op, done, context, tag);
}

static pdr_code store_schemas(pdr_store *base, const uint64_t *fingerprints, size_t count,
                              pdr_store_done done, void *context, uint64_t tag, pdr_error *err)
{
    sim_op *op;
    pdr_code code = make_op(&op, base, OP_SCHEMAS, 0, err);
    if (code != PDR_OK) return code;
    op->fingerprints = sim_alloc(op->store->world, count * sizeof *fingerprints);
    op->fingerprint_count = count;
    if (count) memcpy(op->fingerprints, fingerprints, count * sizeof *fingerprints);
    return submit(op, done, context, tag);
}

static pdr_code store_heads(pdr_store *base, pdr_bytes after, size_t limit, uint64_t revision,
                            pdr_store_done done, void *context, uint64_t tag, pdr_error *err)
{
    sim_op *op;
    pdr_code code = make_op(&op, base, OP_HEADS, 0, err);
    if (code != PDR_OK) return code;
    op->after = sim_copy_bytes(op->store->world, after);
    op->limit = limit;
    op->revision = revision;
    return submit(op, done, context, tag);
}

static pdr_code store_put_states(pdr_store *base, int32_t partition, const pdr_new_states *states,
                                 pdr_store_done done, void *context, uint64_t tag, pdr_error *err)
{
    sim_op *op;
    pdr_code code = make_op(&op, base, OP_PUT_STATES, partition, err);
    if (code != PDR_OK) return code;
    op->states = *states;
    op->states.heads = copy_heads(op->store->world, states->heads, states->count);
    return submit(op, done, context, tag);
}

static void store_forget(pdr_store *base, void *context)
{
    for (sim_op *op = ((sim_store *)base)->first; op; op = op->next)
        if (op->context == context) op->forgotten = true;
}

/* --- Completion, inside poll --- */

static pdr_code code_of(const sim_op *op)
{
    if (op->cuts != op->store->cuts) return changes(op) ? PDR_UNKNOWN_OUTCOME : PDR_UNAVAILABLE;
    if (op->fate == FATE_UNAVAILABLE) return PDR_UNAVAILABLE;
    if (op->fate != FATE_DONE) return PDR_UNKNOWN_OUTCOME;
    return op->code;
}

static void copy_out(uint8_t **to, pdr_bytes *bytes)
{
    if (!bytes->data) return;
    memcpy(*to, bytes->data, bytes->size);
    bytes->data = *to;
    *to += bytes->size;
}

/* As with records: the heads are copies that are overwritten afterwards. */
static void complete(sim_op *op)
{
    pdr_error error = {.code = code_of(op)};
    pdr_store_result result = {.code = error.code};
    if (error.code == PDR_OK || error.code == PDR_STALE) result.row = op->row;
    if (error.code != PDR_OK) {
        (void)pdr_fail(&error, error.code, "simulated store");
        result.error = &error;
        op->done(op->context, op->tag, &result);
        return;
    }
    size_t size = op->head_count * sizeof(pdr_head) + 1;
    for (size_t i = 0; i < op->head_count; i++)
        size += op->heads[i].key.size + op->heads[i].ids.size + op->heads[i].state.size;
    pdr_head *heads = malloc(size);
    PDR_INVARIANT("simulated-servers-have-memory", heads != NULL);
    uint8_t *to = (uint8_t *)(heads + op->head_count);
    for (size_t i = 0; i < op->head_count; i++) {
        heads[i] = op->heads[i];
        copy_out(&to, &heads[i].key);
        copy_out(&to, &heads[i].ids);
        copy_out(&to, &heads[i].state);
    }
    result.heads = heads;
    result.head_count = op->head_count;
    result.schemas = op->schemas;
    result.schema_count = op->schema_count;
    op->done(op->context, op->tag, &result);
    memset(heads, 0xdd, size);
    free(heads);
}

static size_t store_poll(pdr_store *base)
{
    sim_store *store = (sim_store *)base;
    PDR_INVARIANT("poll-is-not-nested", !store->polling && !store->closed);
    if (store->dead) return 0;
    store->polling = true;
    size_t calls = 0, max = 1 + pdr_sim_world_below(store->world, 4);
    while (calls < max && !store->dead && store->first && store->first->answered) {
        sim_op *op = store->first;
        store->first = op->next;
        if (!store->first) store->last = &store->first;
        if (op->forgotten) continue;
        complete(op);
        calls++;
    }
    store->polling = false;
    if (!calls) sim_poll_steps(store->world);
    return calls;
}

static int store_wait_on(pdr_store *base, struct pollfd *fds, int max, int64_t *due_us)
{
    (void)fds;
    (void)max;
    const sim_store *store = (const sim_store *)base;
    *due_us = sim_due_us(store->world, store->first && store->first->answered);
    return 0;
}

/* --- Blocking operations --- */

static bool meta_equal(const pdr_store_meta *a, const pdr_store_meta *b)
{
    return a->partitions == b->partitions && memcmp(a->journal_id, b->journal_id, PDR_ID_SIZE) == 0;
}

/* What init and reset refuse: another number of partitions, another journal's store. */
static pdr_code check_meta(const sim_store *store, const pdr_store_meta *meta, pdr_error *err)
{
    const pdr_sim_world *world = store->world;
    if (store->dead) return pdr_fail(err, PDR_UNAVAILABLE, "simulated process is dead");
    if (meta->partitions != world->options.partitions)
        return pdr_fail(err, PDR_WRONG_JOURNAL, "a world of %d partitions, not %d",
                        (int)world->options.partitions, (int)meta->partitions);
    if (world->store.initialised && !meta_equal(meta, &world->store.meta))
        return pdr_fail(err, PDR_WRONG_JOURNAL, "the store belongs to another journal");
    return PDR_OK;
}

static pdr_code store_init(pdr_store *base, const pdr_store_meta *meta, int timeout_ms, pdr_error *err)
{
    (void)timeout_ms;
    sim_store *store = (sim_store *)base;
    pdr_code code = check_meta(store, meta, err);
    if (code == PDR_OK && !store->world->store.initialised) sim_store_make(store->world, meta);
    return code;
}

static pdr_code store_meta(pdr_store *base, pdr_store_meta *out, int timeout_ms, pdr_error *err)
{
    (void)timeout_ms;
    const sim_store *store = (const sim_store *)base;
    if (store->dead) return pdr_fail(err, PDR_UNAVAILABLE, "simulated process is dead");
    if (!store->world->store.initialised) return pdr_fail(err, PDR_NOT_INITIALISED, "run perdure init");
    *out = store->world->store.meta;
    return PDR_OK;
}

static pdr_code store_reset(pdr_store *base, const pdr_store_meta *meta, int timeout_ms, pdr_error *err)
{
    (void)timeout_ms;
    sim_store *store = (sim_store *)base;
    pdr_code code = check_meta(store, meta, err);
    if (code == PDR_OK) sim_store_make(store->world, meta);
    return code;
}

static pdr_code store_drop_states(pdr_store *base, const pdr_state_filter *which, size_t limit,
                                  uint64_t *dropped, int timeout_ms, pdr_error *err)
{
    (void)timeout_ms;
    *dropped = 0;
    if (((sim_store *)base)->dead) return pdr_fail(err, PDR_UNAVAILABLE, "simulated process is dead");
    if (which->revision_count > PDR_STORE_MAX_REVISIONS || limit == 0)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "no limit, or too many revisions");
    *dropped = sim_table_drop_states(((sim_store *)base)->world, which, limit);
    return PDR_OK;
}

typedef struct dump_context {
    pdr_store_dump_row row;
    void *context;
    pdr_bytes key; /* size 0: all */
    int32_t partition;
    pdr_code code;
    pdr_error *err;
} dump_context;

static void dump_head(void *context, const pdr_head *head)
{
    dump_context *dump = context;
    if (dump->key.size && !pdr_bytes_equal(dump->key, head->key)) return;
    if (dump->code == PDR_OK) dump->code = dump->row(dump->context, dump->partition, head, dump->err);
}

/* Ascending by key over all partitions: a merge of their sorted tables. */
static pdr_code store_dump_one(pdr_store *base, pdr_bytes key, pdr_store_dump_row row, void *context,
                               int timeout_ms, pdr_error *err)
{
    (void)timeout_ms;
    sim_store *store = (sim_store *)base;
    if (store->dead) return pdr_fail(err, PDR_UNAVAILABLE, "simulated process is dead");
    dump_context dump = {row, context, key, 0, PDR_OK, err};
    sim_table_merge(store->world, dump_head, &dump, &dump.partition);
    return dump.code;
}

static pdr_code store_dump(pdr_store *base, pdr_store_dump_row row, void *context, pdr_error *err)
{
    return store_dump_one(base, pdr_bytes_of(NULL, 0), row, context, 0, err);
}

static void store_close(pdr_store *base)
{
    sim_store *store = (sim_store *)base;
    PDR_INVARIANT("store-is-closed-once", !store->closed && !store->polling);
    store->closed = store->dead = true;
}

void pdr_sim_store_crash(pdr_store *base)
{
    ((sim_store *)base)->dead = true;
}

static const pdr_store_ops store_ops = {
    .name = "sim",
    .close = store_close,
    .init = store_init,
    .meta = store_meta,
    .reset = store_reset,
    .dump = store_dump,
    .dump_one = store_dump_one,
    .drop_states = store_drop_states,
    .load = store_load,
    .claim = store_claim,
    .lookup = store_lookup,
    .save = store_save,
    .schemas = store_schemas,
    .heads = store_heads,
    .put_states = store_put_states,
    .forget = store_forget,
    .poll = store_poll,
    .wait_on = store_wait_on,
};

pdr_code pdr_sim_store_open(pdr_store **out, pdr_sim_world *world, uint32_t node, pdr_error *err)
{
    (void)err; /* opening can't fail; the signature is that of the other backends */
    sim_store *store = sim_alloc(world, sizeof *store);
    *store = (sim_store){.base = {&store_ops}, .world = world, .node = node};
    store->last = &store->first;
    *out = &store->base;
    return PDR_OK;
}
