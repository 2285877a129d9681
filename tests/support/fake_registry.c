#include "tests/support/fake_registry.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t length_told(const char *head)
{
    const char *line = strcasestr(head, "\r\ncontent-length:");
    return line ? (size_t)strtoul(line + 17, NULL, 10) : 0;
}

static char *read_request(int peer)
{
    char *text = calloc(1, FAKE_MAX_REQUEST + 1);
    size_t size = 0;
    for (;;) {
        const char *end = strstr(text, "\r\n\r\n");
        if (end && size >= (size_t)(end - text) + 4 + length_told(text)) return text;
        ssize_t got = recv(peer, text + size, FAKE_MAX_REQUEST - size, 0);
        if (got <= 0) return text;
        size += (size_t)got;
    }
}

static void put(int peer, const char *text, size_t size)
{
    while (size) {
        ssize_t sent = send(peer, text, size, MSG_NOSIGNAL);
        if (sent <= 0) return;
        text += sent;
        size -= (size_t)sent;
    }
}

static void flood(int peer)
{
    static char spaces[65536];
    memset(spaces, ' ', sizeof spaces);
    put(peer, FAKE_REPLY("200", ""), strlen(FAKE_REPLY("200", "")));
    for (;;) {
        ssize_t sent = send(peer, spaces, sizeof spaces, MSG_NOSIGNAL);
        if (sent <= 0) return;
    }
}

static void answer(int peer, const char *reply)
{
    char byte;
    if (reply == FAKE_SILENCE) {
        while (recv(peer, &byte, 1, 0) > 0) {
        }
    } else if (reply == FAKE_FLOOD) {
        flood(peer);
    } else if (reply != FAKE_HANG_UP) {
        put(peer, reply, strlen(reply));
    }
}

/* --- a registry that works --- */

static size_t known(const fake_registry *fake, const char *schema)
{
    for (size_t i = 0; i < fake->schema_count; i++)
        if (strcmp(fake->schemas[i], schema) == 0) return i + 1;
    return 0;
}

/* The text between {"schema":" and "}. */
static char *schema_of(const char *request)
{
    const char *begin = strstr(request, "{\"schema\":\"");
    if (!begin) return NULL;
    begin += strlen("{\"schema\":\"");
    return strndup(begin, strlen(begin) - strlen("\"}"));
}

static void say(char *reply, size_t room, int status, const char *format, ...)
{
    char body[FAKE_MAX_REQUEST];
    va_list args;
    va_start(args, format);
    vsnprintf(body, sizeof body, format, args);
    va_end(args);
    snprintf(reply, room, "HTTP/1.1 %d x\r\nConnection: close\r\n\r\n%s", status, body);
}

static void work(fake_registry *fake, const char *request, char *reply, size_t room)
{
    char *schema = schema_of(request);
    size_t id = schema ? known(fake, schema) : 0;
    if (strncmp(request, "GET /schemas/ids/", 17) == 0) {
        id = strtoul(request + 17, NULL, 10);
        if (id && id <= fake->schema_count)
            say(reply, room, 200, "{\"schema\":\"%s\"}", fake->schemas[id - 1]);
        else
            say(reply, room, 404, "{\"error_code\":40403}");
    } else if (strncmp(request, "POST /compatibility/", 20) == 0) {
        say(reply, room, 200, "{\"is_compatible\":true}");
    } else {
        if (!id && strstr(request, "/versions HTTP") && fake->schema_count < FAKE_MAX_REQUESTS) {
            fake->schemas[fake->schema_count++] = strdup(schema);
            id = fake->schema_count;
        }
        if (id)
            say(reply, room, 200, "{\"id\":%zu}", id);
        else
            say(reply, room, 404, "{\"error_code\":40403}");
    }
    free(schema);
}

static void answer_working(fake_registry *fake, int peer, const char *request)
{
    char reply[2 * FAKE_MAX_REQUEST];
    work(fake, request, reply, sizeof reply);
    put(peer, reply, strlen(reply));
}

static void *serve(void *context)
{
    fake_registry *fake = context;
    const char *const *next = fake->script;
    for (;;) {
        int peer = accept(fake->listener, NULL, NULL);
        if (peer < 0) return NULL;
        char *request = read_request(peer);
        if (fake->count < FAKE_MAX_REQUESTS) fake->requests[fake->count++] = request;
        if (next)
            answer(peer, *next);
        else
            answer_working(fake, peer, request);
        if (next && next[1]) next++;
        if (fake->count == FAKE_MAX_REQUESTS && fake->requests[FAKE_MAX_REQUESTS - 1] != request)
            free(request);
        shutdown(peer, SHUT_RDWR);
        close(peer);
    }
}

void fake_registry_open(fake_registry *fake, const char *const *script)
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof place;
    *fake = (fake_registry){.script = script};
    fake->listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_geq(fake->listener, 0);
    cr_assert_eq(bind(fake->listener, (struct sockaddr *)&place, size), 0);
    cr_assert_eq(listen(fake->listener, 16), 0);
    cr_assert_eq(getsockname(fake->listener, (struct sockaddr *)&place, &size), 0);
    fake->port = ntohs(place.sin_port);
    snprintf(fake->url, sizeof fake->url, "http://127.0.0.1:%d", fake->port);
    setenv("no_proxy", "127.0.0.1", 1);
    cr_assert_eq(pthread_create(&fake->thread, NULL, serve, fake), 0);
}

void fake_registry_close(fake_registry *fake)
{
    shutdown(fake->listener, SHUT_RDWR);
    pthread_join(fake->thread, NULL);
    close(fake->listener);
    for (size_t i = 0; i < fake->count; i++)
        free(fake->requests[i]);
    for (size_t i = 0; i < fake->schema_count; i++)
        free(fake->schemas[i]);
}
