#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Off in production: one predictable branch. Counting happens only while a test has switched it on. */
static int counting;
static uint64_t counted;
static uint64_t fails_at;

void pdr_mem_fail_at(uint64_t nth)
{
    counting = nth != 0;
    counted = 0;
    fails_at = nth;
}

uint64_t pdr_mem_count(void)
{
    return counted;
}

static int fails_now(void)
{
    return PDR_UNLIKELY(counting) && ++counted == fails_at;
}

void *pdr_alloc(size_t size)
{
    return fails_now() ? NULL : malloc(size ? size : 1);
}

void *pdr_calloc(size_t count, size_t size)
{
    if (fails_now()) return NULL;
    return count && size ? calloc(count, size) : calloc(1, 1);
}

void *pdr_realloc(void *p, size_t size)
{
    return fails_now() ? NULL : realloc(p, size ? size : 1);
}

void *pdr_memdup(const void *data, size_t size)
{
    void *copy = pdr_alloc(size);
    if (copy && size) memcpy(copy, data, size);
    return copy;
}

char *pdr_strdup(const char *text)
{
    return pdr_memdup(text, strlen(text) + 1);
}

void pdr_free(void *p)
{
    free(p);
}

void pdr_invariant_broken(const char *invariant, const char *condition, const char *file, int line)
{
    fprintf(stderr, "perdure: invariant %s is broken: %s (%s:%d)\n", invariant, condition, file, line);
    abort();
}
