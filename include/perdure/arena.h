/* A bump allocator: what is allocated from it lives until the arena is cleared or released, all at once. */
#ifndef PERDURE_ARENA_H
#define PERDURE_ARENA_H

#include "perdure/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Not thread safe. Zero-initialised with PDR_ARENA_INIT(ceiling in bytes). */
typedef struct pdr_arena {
    struct pdr_arena_chunk *chunks; /* newest first */
    uint8_t *next;                  /* free bytes of the newest chunk: [next, end) */
    uint8_t *end;
    size_t used; /* bytes handed out since init or clear, padding included */
    size_t held; /* bytes held from the allocator */
    size_t max;  /* ceiling of `held` */
} pdr_arena;

#define PDR_ARENA_INIT(ceiling)                                                                              \
    {                                                                                                        \
        NULL, NULL, NULL, 0, 0, (ceiling)                                                                    \
    }

/* `size` bytes aligned for any object, not zeroed; NULL when out of memory or over the ceiling. size 0 gives
 * a valid pointer. */
PDR_API PDR_CHECKED void *pdr_arena_alloc(pdr_arena *arena, size_t size);
PDR_API PDR_CHECKED void *pdr_arena_calloc(pdr_arena *arena, size_t count,
                                           size_t size); /* zeroed, overflow checked */
/* Copies into the arena; data NULL when it fails (a copy of an empty range has data non-NULL). */
PDR_API pdr_string pdr_arena_string(pdr_arena *arena, pdr_string text); /* with a NUL after it */
PDR_API pdr_bytes pdr_arena_bytes(pdr_arena *arena, pdr_bytes bytes);
PDR_API void pdr_arena_clear(pdr_arena *arena);   /* forget everything, keep the newest chunk */
PDR_API void pdr_arena_release(pdr_arena *arena); /* give all memory back; usable again as after init */

#ifdef __cplusplus
}
#endif
#endif
