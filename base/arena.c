#include "perdure/arena.h"

#include "base/mem.h"

typedef struct pdr_arena_chunk {
    struct pdr_arena_chunk *older;
    size_t size; /* of the whole chunk, header included */
} chunk;

enum { ALIGN = 8, FIRST_CHUNK = 128, LARGEST_STEP = 256 * 1024 };
_Static_assert(sizeof(chunk) % ALIGN == 0, "chunk header keeps alignment");

static size_t next_chunk_size(const pdr_arena *arena, size_t need)
{
    size_t size = arena->held ? arena->held : FIRST_CHUNK;
    if (size > LARGEST_STEP) size = LARGEST_STEP;
    if (size < need) size = need;
    if (size > arena->max - arena->held) size = need;
    return size;
}

static void *alloc_in_new_chunk(pdr_arena *arena, size_t size)
{
    size_t need = sizeof(chunk) + size;
    if (need < size || arena->held > arena->max || need > arena->max - arena->held) return NULL;
    size_t total = next_chunk_size(arena, need);
    chunk *c = pdr_alloc(total);
    if (!c) return NULL;
    c->older = arena->chunks;
    c->size = total;
    arena->chunks = c;
    arena->held += total;
    arena->end = (uint8_t *)c + total;
    uint8_t *p = (uint8_t *)c + sizeof *c;
    arena->next = p + size;
    arena->used += size;
    return p;
}

void *pdr_arena_alloc(pdr_arena *arena, size_t size)
{
    if (size > SIZE_MAX - ALIGN) return NULL;
    size_t rounded = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (!arena->next || rounded > (size_t)(arena->end - arena->next))
        return alloc_in_new_chunk(arena, rounded);
    uint8_t *p = arena->next;
    arena->next += rounded;
    arena->used += rounded;
    return p;
}

void *pdr_arena_calloc(pdr_arena *arena, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size) return NULL;
    void *p = pdr_arena_alloc(arena, count * size);
    size_t total = count * size;
    if (p && total > 0) memset(p, 0, total);
    return p;
}

pdr_string pdr_arena_string(pdr_arena *arena, pdr_string text)
{
    pdr_string copy = {NULL, 0};
    char *p = text.size == SIZE_MAX ? NULL : pdr_arena_alloc(arena, text.size + 1);
    if (!p) return copy;
    if (text.size) memcpy(p, text.data, text.size);
    p[text.size] = '\0';
    copy.data = p;
    copy.size = text.size;
    return copy;
}

pdr_bytes pdr_arena_bytes(pdr_arena *arena, pdr_bytes bytes)
{
    uint8_t *p = pdr_arena_alloc(arena, bytes.size);
    if (!p) return pdr_bytes_of(NULL, 0);
    if (bytes.size) memcpy(p, bytes.data, bytes.size);
    return pdr_bytes_of(p, bytes.size);
}

static void free_older(chunk *c)
{
    while (c) {
        chunk *older = c->older;
        pdr_free(c);
        c = older;
    }
}

void pdr_arena_clear(pdr_arena *arena)
{
    chunk *newest = arena->chunks;
    arena->used = 0;
    if (!newest) return;
    free_older(newest->older);
    newest->older = NULL;
    arena->held = newest->size;
    arena->next = (uint8_t *)newest + sizeof *newest;
    arena->end = (uint8_t *)newest + newest->size;
}

void pdr_arena_release(pdr_arena *arena)
{
    free_older(arena->chunks);
    arena->chunks = NULL;
    arena->next = arena->end = NULL;
    arena->used = arena->held = 0;
}
