/* Every allocation of base, schemas and journal goes through here, so that a test can make each one fail in
 * turn. Threads: any. The failure switch is for single-threaded tests only. */
#ifndef PDR_BASE_MEM_H
#define PDR_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

#include "perdure/error.h"

#define PDR_LIKELY(x) __builtin_expect(!!(x), 1)
#define PDR_UNLIKELY(x) __builtin_expect(!!(x), 0)
/* For functions that only ask for memory ahead: gcc takes a prefetch for no effect, and drops calls of
 * functions that have no other. */
#define PDR_PREFETCHING static inline __attribute__((always_inline))

/* As malloc, calloc, realloc, free; NULL means out of memory. pdr_free(NULL) is fine. */
PDR_CHECKED void *pdr_alloc(size_t size);
PDR_CHECKED void *pdr_calloc(size_t count, size_t size);
PDR_CHECKED void *pdr_realloc(void *p, size_t size);
PDR_CHECKED void *pdr_memdup(const void *data, size_t size); /* size 0 gives a valid pointer */
PDR_CHECKED char *pdr_strdup(const char *text);
void pdr_free(void *p);

/* The nth allocation from now (1 = the next) fails, once; 0 switches it off. */
void pdr_mem_fail_at(uint64_t nth);
uint64_t pdr_mem_count(void); /* allocations counted since pdr_mem_fail_at was last called */

/* A broken internal invariant: prints its name to stderr and aborts. Never for bad input. */
_Noreturn void pdr_invariant_broken(const char *invariant, const char *condition, const char *file, int line);
#define PDR_INVARIANT(name, condition)                                                                       \
    (PDR_LIKELY(condition) ? (void)0 : pdr_invariant_broken(name, #condition, __FILE__, __LINE__))

#endif
