#include "journal/entity_table.h"

#include "base/mem.h"

_Static_assert(sizeof(void *) == 8, "pointers are tagged in their upper 16 bits");
_Static_assert(sizeof(pdr_entity) <= 208, "a resident entity's shell stays small");

enum { TAG_SHIFT = 48, FIRST_SLOTS = 64, ALLOCATOR_SHARE = 16, TABLE_SHARE = 16 };

static uint64_t tag_of(uint64_t hash)
{
    return hash >> TAG_SHIFT;
}
static pdr_entity *pointer_of(uint64_t slot)
{
    return (pdr_entity *)(uintptr_t)(slot & ((1ull << TAG_SHIFT) - 1));
}

/* Hashed again where it is seldom needed, rather than kept. */
static uint64_t hash_of(const pdr_entity *e)
{
    return pdr_key_hash(pdr_entity_key(e));
}

void pdr_entity_table_init(pdr_entity_table *table)
{
    memset(table, 0, sizeof *table);
}

void pdr_entity_table_release(pdr_entity_table *table)
{
    PDR_INVARIANT("residents-freed", table->count == 0);
    pdr_free(table->slots);
    memset(table, 0, sizeof *table);
}

pdr_entity *pdr_entity_find(const pdr_entity_table *table, pdr_bytes key, uint64_t hash)
{
    if (!table->slots) return NULL;
    for (size_t i = hash & table->mask; table->slots[i]; i = (i + 1) & table->mask) {
        if (table->slots[i] >> TAG_SHIFT != tag_of(hash)) continue;
        pdr_entity *e = pointer_of(table->slots[i]);
        if (pdr_bytes_equal(pdr_entity_key(e), key)) return e;
    }
    return NULL;
}

static void place(uint64_t *slots, size_t mask, uint64_t slot, uint64_t hash)
{
    size_t i = hash & mask;
    while (slots[i])
        i = (i + 1) & mask;
    slots[i] = slot;
}

static pdr_code make_room(pdr_entity_table *table)
{
    size_t slots = table->slots ? table->mask + 1 : 0;
    if (slots && table->count + 1 <= slots / 4 * 3) return PDR_OK;
    size_t grown = slots ? slots * 2 : FIRST_SLOTS;
    uint64_t *fresh = pdr_calloc(grown, sizeof *fresh);
    if (!fresh) return PDR_NOMEM;
    for (size_t i = 0; i < slots; i++)
        if (table->slots[i]) place(fresh, grown - 1, table->slots[i], hash_of(pointer_of(table->slots[i])));
    pdr_free(table->slots);
    table->slots = fresh;
    table->mask = grown - 1;
    table->hand = 0;
    return PDR_OK;
}

pdr_code pdr_entity_add(pdr_entity_table *table, pdr_bytes key, uint64_t hash, pdr_entity **out)
{
    pdr_code code = make_room(table);
    if (code != PDR_OK) return code;
    pdr_entity *e = pdr_calloc(1, sizeof *e + key.size);
    if (!e) return PDR_NOMEM;
    e->key_size = (uint16_t)key.size;
    memcpy(e->key, key.data, key.size);
    place(table->slots, table->mask, (uint64_t)(uintptr_t)e | tag_of(hash) << TAG_SHIFT, hash);
    table->count++;
    *out = e;
    return PDR_OK;
}

static size_t slot_index(const pdr_entity_table *table, const pdr_entity *entity)
{
    size_t i = hash_of(entity) & table->mask;
    while (pointer_of(table->slots[i]) != entity)
        i = (i + 1) & table->mask;
    return i;
}

/* Close the hole by moving back what was pushed past it (linear probing without tombstones). */
static void take_out(pdr_entity_table *table, size_t hole)
{
    table->slots[hole] = 0;
    for (size_t i = (hole + 1) & table->mask; table->slots[i]; i = (i + 1) & table->mask) {
        size_t home = hash_of(pointer_of(table->slots[i])) & table->mask;
        if (((i - home) & table->mask) < ((i - hole) & table->mask)) continue;
        table->slots[hole] = table->slots[i];
        table->slots[i] = 0;
        hole = i;
    }
}

void pdr_entity_remove(pdr_entity_table *table, pdr_entity *entity)
{
    PDR_INVARIANT("no-command-forgotten", !entity->waiting && entity->open == 0);
    take_out(table, slot_index(table, entity));
    table->count--;
    if (entity->flags & PDR_ENTITY_BROKEN) pdr_free(entity->why);
    pdr_state_release(&entity->state);
    pdr_ids_free(entity->ids);
    pdr_free(entity);
}

pdr_entity *pdr_entity_at(const pdr_entity_table *table, size_t i)
{
    return table->slots ? pointer_of(table->slots[i]) : NULL;
}

size_t pdr_entity_shell_bytes(const pdr_entity *entity)
{
    return sizeof *entity + entity->key_size + ALLOCATOR_SHARE + TABLE_SHARE;
}

void pdr_entity_expect_slot(const pdr_entity_table *table, uint64_t hash)
{
    if (table->slots) __builtin_prefetch(&table->slots[hash & table->mask]);
}

void pdr_entity_expect(const pdr_entity_table *table, uint64_t hash)
{
    if (!table->slots) return;
    for (size_t i = hash & table->mask; table->slots[i]; i = (i + 1) & table->mask) {
        if (table->slots[i] >> TAG_SHIFT != tag_of(hash)) continue;
        pdr_prefetch_entity(pointer_of(table->slots[i]));
        return;
    }
}
