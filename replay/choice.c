#include "replay/choice.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/order.h"
#include "perdure/entity.h"

typedef struct names {
    pdr_bytes *items; /* owned */
    size_t count, capacity;
} names;

struct pdr_choice {
    names ids, prefixes;
};

static pdr_code add(names *list, const char *text, size_t size, pdr_error *err)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        pdr_bytes *grown = pdr_realloc(list->items, capacity * sizeof *grown);
        if (!grown) return pdr_fail(err, PDR_NOMEM, "%zu entities", list->count);
        list->items = grown;
        list->capacity = capacity;
    }
    uint8_t *copy = pdr_memdup(text, size);
    if (!copy) return pdr_fail(err, PDR_NOMEM, "%zu entities", list->count);
    list->items[list->count++] = pdr_bytes_of(copy, size);
    return PDR_OK;
}

static pdr_code take(pdr_choice *choice, const char *text, size_t size, pdr_error *err)
{
    while (size && (*text == ' ' || *text == '\t'))
        text++, size--;
    while (size && (text[size - 1] == ' ' || text[size - 1] == '\t' || text[size - 1] == '\r'))
        size--;
    if (!size) return PDR_OK;
    if (size > PDR_MAX_ENTITY_ID)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "an entity id of %zu bytes: at most %d", size,
                        PDR_MAX_ENTITY_ID);
    if (text[size - 1] == '*') return add(&choice->prefixes, text, size - 1, err);
    return add(&choice->ids, text, size, err);
}

static pdr_code take_file(pdr_choice *choice, const char *name, pdr_error *err)
{
    FILE *file = fopen(name, "re");
    if (!file)
        return pdr_fail(err, errno == ENOENT ? PDR_NOT_FOUND : PDR_IO, "%.300s: %s", name, strerror(errno));
    char *line = NULL;
    size_t room = 0;
    pdr_code code = PDR_OK;
    for (ssize_t size; code == PDR_OK && (size = getline(&line, &room, file)) >= 0;) {
        if (size && line[size - 1] == '\n') size--;
        if (size && line[0] != '#') code = take(choice, line, (size_t)size, err);
    }
    if (code == PDR_OK && ferror(file)) code = pdr_fail(err, PDR_IO, "%.300s can't be read", name);
    free(line);
    (void)fclose(file);
    return code;
}

static pdr_code take_item(pdr_choice *choice, const char *text, size_t size, pdr_error *err)
{
    char name[4096];
    if (*text != '@') return take(choice, text, size, err);
    if (size < 2 || size > sizeof name) return pdr_fail(err, PDR_INVALID_ARGUMENT, "@ is followed by a file");
    memcpy(name, text + 1, size - 1);
    name[size - 1] = '\0';
    return take_file(choice, name, err);
}

static int order(const void *a, const void *b)
{
    return pdr_bytes_order(*(const pdr_bytes *)a, *(const pdr_bytes *)b);
}

static void sort(names *list)
{
    size_t kept = 0;
    if (list->count) qsort(list->items, list->count, sizeof *list->items, order);
    for (size_t i = 0; i < list->count; i++) {
        if (kept && pdr_bytes_equal(list->items[kept - 1], list->items[i]))
            pdr_free((void *)(uintptr_t)list->items[i].data);
        else
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
}

pdr_code pdr_choice_open(pdr_choice **out, const char *text, pdr_error *err)
{
    pdr_choice *choice = pdr_calloc(1, sizeof *choice);
    if (!choice) return pdr_fail(err, PDR_NOMEM, "a choice of entities");
    pdr_code code = PDR_OK;
    for (const char *at = text; code == PDR_OK;) {
        size_t size = strcspn(at, ",");
        if (size) code = take_item(choice, at, size, err);
        if (!at[size]) break;
        at += size + 1;
    }
    if (code == PDR_OK && !choice->ids.count && !choice->prefixes.count)
        code = pdr_fail(err, PDR_INVALID_ARGUMENT, "\"%.200s\" names no entity", text);
    if (code != PDR_OK) {
        pdr_choice_close(choice);
        return code;
    }
    sort(&choice->ids);
    *out = choice;
    return PDR_OK;
}

static void release(names *list)
{
    for (size_t i = 0; i < list->count; i++)
        pdr_free((void *)(uintptr_t)list->items[i].data);
    pdr_free(list->items);
}

void pdr_choice_close(pdr_choice *choice)
{
    if (!choice) return;
    release(&choice->ids);
    release(&choice->prefixes);
    pdr_free(choice);
}

bool pdr_choice_has(const pdr_choice *choice, pdr_bytes entity)
{
    for (size_t i = 0; i < choice->prefixes.count; i++)
        if (pdr_bytes_begin_with(entity, choice->prefixes.items[i])) return true;
    return choice->ids.count &&
           bsearch(&entity, choice->ids.items, choice->ids.count, sizeof entity, order) != NULL;
}

bool pdr_choice_is_list(const pdr_choice *choice)
{
    return choice->prefixes.count == 0;
}

size_t pdr_choice_count(const pdr_choice *choice)
{
    return choice->ids.count;
}

pdr_bytes pdr_choice_at(const pdr_choice *choice, size_t i)
{
    return choice->ids.items[i];
}
