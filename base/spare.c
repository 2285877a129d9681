#include "base/spare.h"

#include <pthread.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KEEPS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KEEPS 0
#endif
#endif
#ifndef KEEPS
#define KEEPS 1
#endif

enum {
    STEP = 128,
    CLASSES = 8,
    MOST = 16384
}; /* classes of STEP bytes each; blocks of one class kept by one thread */

typedef struct spare {
    struct spare *next;
} spare;

typedef struct spares {
    spare *first[CLASSES];
    unsigned count[CLASSES];
    int registered;
} spares;

static _Thread_local spares mine;
static pthread_key_t at_end;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int have_key;

static void free_all(void *context)
{
    spares *s = context;
    for (int i = 0; i < CLASSES; i++)
        for (spare *b = s->first[i], *next; b; b = next) {
            next = b->next;
            pdr_free(b);
        }
    memset(s, 0, sizeof *s);
}

static void make_key(void)
{
    have_key = pthread_key_create(&at_end, free_all) == 0;
}

/* What a thread keeps is freed when it ends; a thread that can't arrange that keeps nothing. */
static int keeps(void)
{
    if (mine.registered) return mine.registered > 0;
    pthread_once(&once, make_key);
    mine.registered = have_key && pthread_setspecific(at_end, &mine) == 0 ? 1 : -1;
    return mine.registered > 0;
}

/* The block that is taken next may have left the cache since it was given back; it is written soon. */
PDR_PREFETCHING void fetch_ahead(const spare *next, size_t class)
{
    enum { LINE = 64 };
    for (size_t at = 0; next && at < class * STEP; at += LINE)
        __builtin_prefetch((const char *)next + at, 1);
}

void *pdr_spare_take(size_t size)
{
    size_t class = (size + STEP - 1) / STEP;
    if (!KEEPS || class == 0 || class > CLASSES) return pdr_alloc(size);
    spare *b = mine.first[class - 1];
    if (!b) return pdr_alloc(class * STEP);
    mine.first[class - 1] = b->next;
    mine.count[class - 1]--;
    fetch_ahead(b->next, class);
    return b;
}

void pdr_spare_give(void *block, size_t size)
{
    size_t class = (size + STEP - 1) / STEP;
    if (!KEEPS || class == 0 || class > CLASSES || mine.count[class - 1] >= MOST || !keeps()) {
        pdr_free(block);
        return;
    }
    spare *b = block;
    b->next = mine.first[class - 1];
    mine.first[class - 1] = b;
    mine.count[class - 1]++;
}
