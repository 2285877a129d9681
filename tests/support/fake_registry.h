/* A registry that says what it is told to, whatever that is: a thread with a socket on 127.0.0.1. Each
 * request comes on a connection of its own, is kept, and takes the next reply of the script; when that is
 * used up, the last one again. */
#ifndef TESTS_SUPPORT_FAKE_REGISTRY_H
#define TESTS_SUPPORT_FAKE_REGISTRY_H

#include <pthread.h>
#include <stddef.h>

enum { FAKE_MAX_REQUESTS = 256, FAKE_MAX_REQUEST = 65536 };

#define FAKE_SILENCE ((const char *)1) /* takes the request and says nothing until the client goes */
#define FAKE_HANG_UP ((const char *)2) /* closes at once */
#define FAKE_FLOOD ((const char *)3)   /* 200, then spaces without end */

typedef struct fake_registry {
    int listener, port;
    char url[64]; /* http://127.0.0.1:port */
    pthread_t thread;
    const char *const
        *script; /* whole replies, or one of the above; the last entry of the array is NULL; or NULL */
    char *schemas[FAKE_MAX_REQUESTS]; /* without a script: the schema with id i + 1, as it came in JSON */
    size_t schema_count;
    size_t count;                      /* requests so far; read it when no call is under way */
    char *requests[FAKE_MAX_REQUESTS]; /* head and body */
} fake_registry;

/* All end the test by cr_assert if they can't. */
void fake_registry_open(fake_registry *fake, const char *const *script);
void fake_registry_close(fake_registry *fake);

/* Whole replies of JSON. */
#define FAKE_REPLY(status, body)                                                                             \
    "HTTP/1.1 " status " x\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" body

#endif
