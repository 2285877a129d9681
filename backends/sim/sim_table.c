/* The true store: rows, heads and states as the simulated server keeps them, and its copies. */
#include "backends/sim/sim_internal.h"

static void tell_stored(pdr_sim_world *world, int32_t partition)
{
    if (world->options.hooks.stored) world->options.hooks.stored(world->options.hooks.context, partition);
}

void sim_store_make(pdr_sim_world *world, const pdr_store_meta *meta)
{
    world->store.initialised = true;
    world->store.schema_count = 0;
    if (meta != &world->store.meta) world->store.meta = *meta;
    pdr_partition_row row = {
        .stamp = {.term = PDR_TERM_NONE}, .checkpoint = PDR_POSITION_START, .seen = PDR_POSITION_START};
    for (size_t i = 0; i < PDR_ID_SIZE; i++)
        row.stamp.store_id[i] = (uint8_t)pdr_sim_world_random(world);
    for (int32_t p = 0; p < world->options.partitions; p++)
        world->store.tables[p] = (sim_table){.row = row};
    for (int32_t p = 0; p < world->options.partitions; p++)
        tell_stored(world, p);
}

int sim_compare(pdr_bytes a, pdr_bytes b)
{
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

const sim_head *sim_table_find(const sim_table *table, pdr_bytes key, size_t *at)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sim_compare(table->heads[middle]->head.key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (at) *at = low;
    bool found = low < table->count && sim_compare(table->heads[low]->head.key, key) == 0;
    return found ? table->heads[low] : NULL;
}

pdr_code sim_table_claim(pdr_sim_world *world, int32_t partition, const pdr_claim *claim)
{
    sim_table *table = &world->store.tables[partition];
    if (!pdr_term_claims_over(claim->term, table->row.stamp.term)) return PDR_STALE;
    table->row.stamp.term = claim->term;
    tell_stored(world, partition);
    return PDR_OK;
}

/* The states of a head with those of this revision replaced; ascending by revision. */
static const sim_state *put_state(pdr_sim_world *world, const sim_state *states, const sim_state *fresh)
{
    if (states && states->revision < fresh->revision) {
        sim_state *copy = sim_alloc(world, sizeof *copy);
        *copy = *states;
        copy->next = put_state(world, states->next, fresh);
        return copy;
    }
    sim_state *copy = sim_alloc(world, sizeof *copy);
    *copy = *fresh;
    copy->next = states && states->revision == fresh->revision ? states->next : states;
    return copy;
}

static void put_head(pdr_sim_world *world, sim_table *table, const pdr_head *head)
{
    size_t at;
    const sim_head *old = sim_table_find(table, head->key, &at);
    sim_head *made = sim_alloc(world, sizeof *made);
    made->head = *head;
    made->head.key = old ? old->head.key : sim_copy_bytes(world, head->key);
    made->head.ids = sim_copy_bytes(world, head->ids);
    made->head.state = (pdr_bytes){NULL, 0};
    made->head.revision = made->head.state_seq = 0;
    made->states = old ? old->states : NULL;
    if (head->state.data) {
        sim_state state = {.revision = head->revision, .seq = head->state_seq};
        state.packed = sim_copy_bytes(world, head->state);
        made->states = put_state(world, made->states, &state);
    }
    if (!old) {
        table->heads = sim_grow(world, table->heads, table->count, &table->capacity, sizeof(void *));
        memmove(table->heads + at + 1, table->heads + at, (table->count - at) * sizeof(void *));
        table->count++;
    }
    table->heads[at] = made;
}

static bool stamp_equal(const pdr_stamp *a, const pdr_stamp *b)
{
    return memcmp(a->store_id, b->store_id, PDR_ID_SIZE) == 0 && pdr_term_equal(a->term, b->term) &&
           a->saves == b->saves;
}

static void put_schema(pdr_sim_world *world, const pdr_schema_row *schema)
{
    sim_true_store *store = &world->store;
    size_t at = 0;
    while (at < store->schema_count && store->schemas[at]->fingerprint != schema->fingerprint)
        at++;
    const pdr_schema_row *old = at < store->schema_count ? store->schemas[at] : NULL;
    if (old && (old->registry_id >= 0 || schema->registry_id < 0)) return;
    pdr_schema_row *made = sim_alloc(world, sizeof *made);
    *made = old ? *old
                : (pdr_schema_row){schema->fingerprint, sim_copy_bytes(world, schema->name),
                                   sim_copy_bytes(world, schema->json), -1};
    made->registry_id = schema->registry_id;
    store->schemas =
        sim_grow(world, store->schemas, store->schema_count, &store->schema_capacity, sizeof(void *));
    store->schemas[at] = made;
    if (!old) store->schema_count++;
}

/* A state is written for the head that is there, if it isn't ahead of it. */
static void add_state(pdr_sim_world *world, sim_table *table, const pdr_head *given)
{
    size_t at;
    const sim_head *old = sim_table_find(table, given->key, &at);
    if (!old || old->head.seq < given->state_seq) return;
    for (const sim_state *state = old->states; state; state = state->next)
        if (state->revision == given->revision && state->seq >= given->state_seq) return;
    sim_state state = {.revision = given->revision, .seq = given->state_seq};
    state.packed = sim_copy_bytes(world, given->state);
    sim_head *made = sim_alloc(world, sizeof *made);
    *made = *old;
    made->states = put_state(world, old->states, &state);
    table->heads[at] = made;
}

pdr_code sim_table_put_states(pdr_sim_world *world, int32_t partition, const pdr_new_states *states)
{
    sim_table *table = &world->store.tables[partition];
    if (memcmp(states->store_id, table->row.stamp.store_id, PDR_ID_SIZE) != 0) return PDR_STALE;
    for (size_t i = 0; i < states->count; i++)
        add_state(world, table, &states->heads[i]);
    tell_stored(world, partition);
    return PDR_OK;
}

static bool is_asked(const pdr_state_filter *which, pdr_bytes key, uint64_t revision)
{
    bool listed = false;
    if (which->key.size && !pdr_bytes_equal(which->key, key)) return false;
    if (which->prefix.size &&
        (key.size < which->prefix.size || memcmp(key.data, which->prefix.data, which->prefix.size) != 0))
        return false;
    for (size_t i = 0; i < which->revision_count; i++)
        listed |= which->revisions[i] == revision;
    return listed != which->others;
}

static const sim_head *without_states(pdr_sim_world *world, const sim_head *old,
                                      const pdr_state_filter *which, size_t limit, uint64_t *dropped)
{
    const sim_state *left = NULL;
    for (const sim_state *state = old->states; state; state = state->next) {
        if (*dropped < limit && is_asked(which, old->head.key, state->revision))
            ++*dropped;
        else
            left = put_state(world, left, state);
    }
    sim_head *made = sim_alloc(world, sizeof *made);
    *made = *old;
    made->states = left;
    return made;
}

uint64_t sim_table_drop_states(pdr_sim_world *world, const pdr_state_filter *which, size_t limit)
{
    uint64_t dropped = 0;
    for (int32_t p = 0; p < world->options.partitions; p++) {
        sim_table *table = &world->store.tables[p];
        for (size_t i = 0; i < table->count && dropped < limit; i++)
            table->heads[i] = without_states(world, table->heads[i], which, limit, &dropped);
        tell_stored(world, p);
    }
    return dropped;
}

pdr_code sim_table_save(pdr_sim_world *world, int32_t partition, const pdr_save *save)
{
    sim_table *table = &world->store.tables[partition];
    if (!stamp_equal(&save->expected, &table->row.stamp)) return PDR_STALE;
    for (size_t i = 0; i < save->head_count; i++)
        put_head(world, table, &save->heads[i]);
    for (size_t i = 0; i < save->schema_count; i++)
        put_schema(world, &save->schemas[i]);
    table->row.checkpoint = save->checkpoint;
    if (save->seen.offset > table->row.seen.offset) table->row.seen = save->seen;
    table->row.stamp.saves++;
    tell_stored(world, partition);
    return PDR_OK;
}

/* --- Misfortunes --- */

static sim_table *copy_tables(pdr_sim_world *world, const sim_table *tables)
{
    size_t partitions = (size_t)world->options.partitions;
    sim_table *copy = sim_alloc(world, partitions * sizeof *copy);
    for (size_t p = 0; p < partitions; p++) {
        copy[p] = tables[p];
        copy[p].capacity = tables[p].count;
        copy[p].heads = sim_alloc(world, tables[p].count * sizeof(void *));
        if (tables[p].count) memcpy(copy[p].heads, tables[p].heads, tables[p].count * sizeof(void *));
    }
    return copy;
}

static void restore(pdr_sim_world *world, const sim_copy *copy)
{
    sim_table *tables = copy_tables(world, copy->tables);
    for (int32_t p = 0; p < world->options.partitions; p++) {
        world->store.tables[p] = tables[p];
        world->store.schema_count = copy->schema_count;
        pdr_sim_world_trace(world, "p%d: store is back at term %lld, saves %llu, checkpoint %lld", (int)p,
                            (long long)tables[p].row.stamp.term.offset,
                            (unsigned long long)tables[p].row.stamp.saves,
                            (long long)tables[p].row.checkpoint.offset);
    }
    for (int32_t p = 0; p < world->options.partitions; p++)
        tell_stored(world, p);
}

/* A kept copy with this partition's present checkpoint but another stamp. */
static const sim_copy *equal_copy(const sim_true_store *store, int32_t partition)
{
    const pdr_partition_row *row = &store->tables[partition].row;
    for (size_t i = 0; i < store->copy_count; i++) {
        const pdr_partition_row *old = &store->copies[i].tables[partition].row;
        if (pdr_position_equal(old->checkpoint, row->checkpoint) && !stamp_equal(&old->stamp, &row->stamp))
            return &store->copies[i];
    }
    return NULL;
}

void sim_store_misfortune(pdr_sim_world *world, int32_t partition)
{
    sim_true_store *store = &world->store;
    const uint32_t *chance = world->options.profile.chance;
    if (!chance[PDR_SIM_store_back] && !chance[PDR_SIM_store_back_equal] && !chance[PDR_SIM_store_lost])
        return;
    const sim_copy *equal = equal_copy(store, partition);
    if (equal && sim_fault(world, PDR_SIM_store_back_equal))
        restore(world, equal);
    else if (store->copy_count && sim_fault(world, PDR_SIM_store_back))
        restore(world, &store->copies[pdr_sim_world_below(world, store->copy_count)]);
    else if (sim_fault(world, PDR_SIM_store_lost))
        sim_store_make(world, &store->meta);
    store->copies[store->copy_next] = (sim_copy){copy_tables(world, store->tables), store->schema_count};
    store->copy_next = (store->copy_next + 1) % SIM_COPIES;
    if (store->copy_count < SIM_COPIES) store->copy_count++;
}

/* --- Looks from outside --- */

const pdr_partition_row *pdr_sim_store_row(const pdr_sim_world *world, int32_t partition)
{
    return &world->store.tables[partition].row;
}

static void look_at(const sim_head *head, void (*look)(void *context, const pdr_head *head), void *context)
{
    pdr_head copy = head->head;
    if (!head->states) look(context, &copy);
    for (const sim_state *state = head->states; state; state = state->next) {
        copy.revision = state->revision;
        copy.state_seq = state->seq;
        copy.state = state->packed;
        look(context, &copy);
    }
}

void pdr_sim_store_heads(const pdr_sim_world *world, int32_t partition,
                         void (*look)(void *context, const pdr_head *head), void *context)
{
    const sim_table *table = &world->store.tables[partition];
    for (size_t i = 0; i < table->count; i++)
        look_at(table->heads[i], look, context);
}

void sim_table_merge(pdr_sim_world *world, void (*look)(void *context, const pdr_head *head), void *context,
                     int32_t *partition)
{
    size_t *at = sim_alloc(world, (size_t)world->options.partitions * sizeof *at);
    for (;;) {
        const sim_head *least = NULL;
        for (int32_t p = 0; p < world->options.partitions; p++) {
            const sim_table *table = &world->store.tables[p];
            if (at[p] == table->count) continue;
            if (least && sim_compare(table->heads[at[p]]->head.key, least->head.key) >= 0) continue;
            least = table->heads[at[p]];
            *partition = p;
        }
        if (!least) return;
        at[*partition]++;
        look_at(least, look, context);
    }
}
