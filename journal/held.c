#include "journal/held.h"

#include "base/mem.h"

static uint8_t *copy_range(uint8_t *p, pdr_bytes *range)
{
    if (!range->data) return p;
    if (range->size) memcpy(p, range->data, range->size);
    range->data = p;
    return p + range->size;
}

pdr_held *pdr_held_copy(const pdr_log_record *record)
{
    const pdr_log_entry *e = &record->entry;
    size_t size = sizeof(pdr_held) + e->key.size + e->value.size + e->header.size + e->trace.size;
    pdr_held *held = pdr_alloc(size);
    if (!held) return NULL;
    held->record = *record;
    held->record.entry.schema = pdr_bytes_of(NULL, 0);
    held->size = size;
    uint8_t *p = copy_range((uint8_t *)(held + 1), &held->record.entry.key);
    p = copy_range(p, &held->record.entry.value);
    p = copy_range(p, &held->record.entry.header);
    copy_range(p, &held->record.entry.trace);
    PDR_INVARIANT("one-form", pdr_header_parse(held->record.entry.header, &held->header) == PDR_PARSED);
    return held;
}

bool pdr_held_list_reserve(pdr_held_list *list, size_t more)
{
    size_t need = list->count + more;
    if (need <= list->capacity) return true;
    size_t capacity = list->capacity ? list->capacity * 2 : 4;
    if (capacity < need) capacity = need;
    pdr_held **items = pdr_realloc(list->items, capacity * sizeof(pdr_held *));
    if (!items) return false;
    list->items = items;
    list->capacity = capacity;
    return true;
}
