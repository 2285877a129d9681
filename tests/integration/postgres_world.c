#include "tests/integration/postgres_world.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/contract/contract.h"

enum { MAX_STORES = 8 };

const pdr_store_meta world_meta = {.journal_id = {0xab, 2, 3, 4}, .partitions = 2};

static char schema[64];
static pdr_store *stores[MAX_STORES];

static const char *server(void)
{
    const char *url = getenv("PERDURE_TEST_POSTGRES");
    return url && *url ? url : NULL;
}

const char *pdr_contract_skip(void)
{
    return server() ? NULL : "PERDURE_TEST_POSTGRES isn't set";
}

const char *world_schema(void)
{
    return schema;
}

void world_open(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(schema, sizeof schema, "test_%d_%lld", (int)getpid(),
             (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void world_ready(void)
{
    pdr_error err = {0};
    world_open();
    pdr_store *store = store_here();
    cr_assert_eq(store->ops->init(store, &world_meta, 60000, &err), PDR_OK, "%s", err.message);
}

pdr_store *store_at(const char *url, int wait_ms, int limit_ms)
{
    pdr_postgres_options options = {
        .url = url ? url : server(), .schema = schema, .wait_ms = wait_ms, .limit_ms = limit_ms};
    pdr_error err = {0};
    pdr_store *store = NULL;
    cr_assert_eq(pdr_postgres_store_open(&store, &options, &err), PDR_OK, "%s", err.message);
    for (int i = 0; i < MAX_STORES; i++) {
        if (stores[i]) continue;
        stores[i] = store;
        return store;
    }
    cr_assert_fail("too many stores");
    return NULL;
}

pdr_store *store_here(void)
{
    return store_at(NULL, 0, 0);
}

void store_gone(pdr_store *store)
{
    for (int i = 0; i < MAX_STORES; i++)
        if (stores[i] == store) stores[i] = NULL;
    store->ops->close(store);
}

static void proxy_end(void);

void world_close(void)
{
    for (int i = 0; i < MAX_STORES; i++)
        if (stores[i]) store_gone(stores[i]);
    proxy_end();
    sql("SET lock_timeout = 60000; DROP SCHEMA IF EXISTS @ CASCADE");
}

/* --- SQL --- */

static void ignore_notice(void *context, const char *message)
{
    (void)context;
    (void)message;
}

PGconn *sql_connect(void)
{
    PGconn *pg = PQconnectdb(server());
    PQsetNoticeProcessor(pg, ignore_notice, NULL);
    cr_assert_eq(PQstatus(pg), CONNECTION_OK, "%s", PQerrorMessage(pg));
    return pg;
}

/* "@ " stands for the schema alone. */
static void expand(char *out, size_t size, const char *text)
{
    size_t used = 0;
    for (; *text; text++) {
        if (*text == '@')
            used += (size_t)snprintf(out + used, size - used, "\"%s\"%s", schema, text[1] == ' ' ? "" : ".");
        else
            used += (size_t)snprintf(out + used, size - used, "%c", *text);
        cr_assert_lt(used, size);
    }
}

static PGresult *execute(PGconn *pg, const char *text)
{
    char expanded[2000];
    expand(expanded, sizeof expanded, text);
    PGresult *result = PQexec(pg, expanded);
    ExecStatusType status = PQresultStatus(result);
    cr_assert(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, "%s: %s", expanded,
              PQerrorMessage(pg));
    return result;
}

void sql_on(PGconn *pg, const char *text)
{
    PQclear(execute(pg, text));
}

void sql(const char *text)
{
    PGconn *pg = sql_connect();
    sql_on(pg, text);
    PQfinish(pg);
}

long sql_number(const char *text)
{
    PGconn *pg = sql_connect();
    PGresult *result = execute(pg, text);
    cr_assert_eq(PQntuples(result), 1);
    long number = atol(PQgetvalue(result, 0, 0));
    PQclear(result);
    PQfinish(pg);
    return number;
}

/* --- Outcomes --- */

void tell(void *context, uint64_t tag, const pdr_store_result *result)
{
    told *t = context;
    (void)tag;
    t->times++;
    t->code = result->code;
    if (result->error) memcpy(t->message, result->error->message, sizeof t->message);
    t->row = result->row;
    t->head_count = result->head_count;
    if (!result->head_count) return;
    t->seq = result->heads[0].seq;
    t->state_seq = result->heads[0].state_seq;
    snprintf(t->state, sizeof t->state, "%.*s", (int)result->heads[0].state.size,
             (const char *)result->heads[0].state.data);
}

static void sleep_on(pdr_store *store, int64_t most_us)
{
    struct pollfd fd[1];
    int64_t due;
    int count = store->ops->wait_on(store, fd, 1, &due);
    if (due > most_us) due = most_us;
    poll(fd, (nfds_t)count, (int)((due + 999) / 1000));
}

void until_told(pdr_store *store, const told *t)
{
    time_t give_up = time(NULL) + PDR_CONTRACT_GUARD_S;
    while (!t->times) {
        cr_assert_lt(time(NULL), give_up, "gave up waiting for a completion");
        if (!store->ops->poll(store)) sleep_on(store, 100000);
    }
    cr_assert_eq(t->times, 1);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void pump(pdr_store *store, int ms)
{
    for (int64_t end = now_ms() + ms; now_ms() < end;)
        if (!store->ops->poll(store)) sleep_on(store, 5000);
}

told load_of(pdr_store *store, int32_t partition)
{
    told t = {0};
    cr_assert_eq(store->ops->load(store, partition, tell, &t, 1, NULL), PDR_OK);
    until_told(store, &t);
    return t;
}

told load_saying(pdr_store *store, const char *why)
{
    told t;
    for (int tries = 0; !strstr((t = load_of(store, 0)).message, why) && tries < 600; tries++)
        cr_assert_eq(t.code, PDR_UNAVAILABLE);
    return t;
}

void until_locked(pdr_store *store)
{
    time_t give_up = time(NULL) + PDR_CONTRACT_GUARD_S;
    while (!sql_number("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND"
                       " datname = current_database()")) {
        cr_assert_lt(time(NULL), give_up, "nobody waits for a lock");
        pump(store, 10);
    }
}

told claim_of(pdr_store *store, int32_t partition, int64_t term)
{
    told t = {0};
    pdr_claim claim = {.term = {term, 7}, .at_us = 1, .address = pdr_bytes_of("node", 4)};
    cr_assert_eq(store->ops->claim(store, partition, &claim, tell, &t, 1, NULL), PDR_OK);
    until_told(store, &t);
    return t;
}

told lookup_of(pdr_store *store, const char *key)
{
    static const uint64_t one = 1;
    told t = {0};
    pdr_lookup_key wanted = {pdr_bytes_of(key, strlen(key)), &one, 1};
    cr_assert_eq(store->ops->lookup(store, 0, &wanted, 1, tell, &t, 1, NULL), PDR_OK);
    until_told(store, &t);
    return t;
}

void begin_save(told *t, pdr_store *store, int32_t partition, pdr_stamp expected, const char *key,
                uint64_t seq)
{
    char state[32];
    snprintf(state, sizeof state, "state %llu", (unsigned long long)seq);
    pdr_position last = {(int64_t)seq, {1, 7}, seq};
    pdr_head head = {.key = pdr_bytes_of(key, strlen(key)),
                     .seq = seq,
                     .last = last,
                     .ids = pdr_bytes_of("", 0),
                     .timer_us = PDR_NO_TIMER,
                     .revision = 1,
                     .state_seq = seq,
                     .state = pdr_bytes_of(state, strlen(state))};
    pdr_save save = {.expected = expected, .checkpoint = last, .seen = last, .heads = &head, .head_count = 1};
    pdr_error err = {0};
    cr_assert_eq(store->ops->save(store, partition, &save, tell, t, 1, &err), PDR_OK, "%s", err.message);
}

told save_of(pdr_store *store, int32_t partition, pdr_stamp expected, const char *key, uint64_t seq)
{
    told t = {0};
    begin_save(&t, store, partition, expected, key, seq);
    until_told(store, &t);
    return t;
}

/* --- The server --- */

static void dev_services(const char *what)
{
    const char *dev = getenv("PERDURE_TEST_DEV");
    if (!dev || !*dev) cr_skip_test("PERDURE_TEST_DEV isn't set");
    char command[1000];
    snprintf(command, sizeof command, "'%s' services %s >&2 </dev/null", dev, what);
    cr_assert_eq(system(command), 0, "%s", command);
}

void server_restart_hard(void)
{
    dev_services("restart postgres --hard");
}

void server_stop(void)
{
    dev_services("stop postgres");
}

void server_start(void)
{
    dev_services("start postgres");
}

/* --- The proxy: one thread; the mode is changed through a pipe and confirmed through another --- */

enum { PAIRS = 16 };

typedef struct proxy {
    pthread_t thread;
    bool running;
    int orders[2], answers[2];
    int listener;
    int port;
    struct sockaddr_storage target;
    socklen_t target_size;
    proxy_mode mode;
    int pairs[PAIRS][2];
    size_t pair_count;
    char url[500];
} proxy;

static proxy the_proxy = {.listener = -1};

static void proxy_find_server(proxy *p)
{
    PGconn *pg = sql_connect();
    p->target_size = sizeof p->target;
    cr_assert_eq(getpeername(PQsocket(pg), (struct sockaddr *)&p->target, &p->target_size), 0);
    PQfinish(pg);
}

static void proxy_listen(proxy *p)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)p->port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int yes = 1;
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(p->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(p->listener, (struct sockaddr *)&at, sizeof at) || listen(p->listener, 16)) abort();
    socklen_t size = sizeof at;
    getsockname(p->listener, (struct sockaddr *)&at, &size);
    p->port = ntohs(at.sin_port);
}

static void proxy_drop(proxy *p, size_t i)
{
    close(p->pairs[i][0]);
    close(p->pairs[i][1]);
    p->pair_count--;
    memmove(p->pairs[i], p->pairs[p->pair_count], sizeof p->pairs[i]);
}

static void proxy_apply(proxy *p, proxy_mode mode)
{
    p->mode = mode;
    if (mode == PROXY_REFUSES) {
        while (p->pair_count)
            proxy_drop(p, 0);
        if (p->listener >= 0) close(p->listener);
        p->listener = -1;
    } else if (p->listener < 0) {
        proxy_listen(p);
    }
}

static void proxy_accept(proxy *p)
{
    int client = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0) return;
    int there = socket(p->target.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (p->pair_count == PAIRS || connect(there, (struct sockaddr *)&p->target, p->target_size)) {
        close(client);
        close(there);
        return;
    }
    p->pairs[p->pair_count][0] = client;
    p->pairs[p->pair_count++][1] = there;
}

static bool proxy_copy(int from, int to)
{
    char bytes[16384];
    ssize_t got = read(from, bytes, sizeof bytes);
    for (ssize_t sent = 0; got > 0 && sent < got;) {
        ssize_t n = send(to, bytes + sent, (size_t)(got - sent), MSG_NOSIGNAL);
        if (n <= 0) return false;
        sent += n;
    }
    return got > 0;
}

static void *proxy_run(void *context)
{
    proxy *p = context;
    for (;;) {
        struct pollfd fds[2 + 2 * PAIRS] = {{p->orders[0], POLLIN, 0}, {p->listener, POLLIN, 0}};
        size_t pairs = p->mode == PROXY_PASSES ? p->pair_count : 0;
        for (size_t i = 0; i < 2 * pairs; i++)
            fds[2 + i] = (struct pollfd){p->pairs[i / 2][i % 2], POLLIN, 0};
        if (poll(fds, 2 + 2 * pairs, -1) < 0) continue;
        for (size_t i = pairs; i-- > 0;) {
            bool lives = true;
            for (size_t side = 0; side < 2 && lives; side++)
                if (fds[2 + 2 * i + side].revents)
                    lives = proxy_copy(p->pairs[i][side], p->pairs[i][1 - side]);
            if (!lives) proxy_drop(p, i);
        }
        if (fds[1].revents) proxy_accept(p);
        char order;
        if (!fds[0].revents || read(p->orders[0], &order, 1) != 1) continue;
        if (order == 'q') break;
        proxy_apply(p, (proxy_mode)order);
        if (write(p->answers[1], &order, 1) != 1) abort();
    }
    proxy_apply(p, PROXY_REFUSES);
    return NULL;
}

void proxy_open(proxy_mode mode)
{
    proxy *p = &the_proxy;
    proxy_find_server(p);
    cr_assert_eq(pipe(p->orders) | pipe(p->answers), 0);
    proxy_listen(p); /* for the port */
    proxy_apply(p, mode);
    snprintf(p->url, sizeof p->url, "%s%chost=127.0.0.1&port=%d", server(), strchr(server(), '?') ? '&' : '?',
             p->port);
    cr_assert_eq(pthread_create(&p->thread, NULL, proxy_run, p), 0);
    p->running = true;
}

void proxy_set(proxy_mode mode)
{
    char order = (char)mode;
    cr_assert_eq(write(the_proxy.orders[1], &order, 1), 1);
    cr_assert_eq(read(the_proxy.answers[0], &order, 1), 1);
}

const char *proxy_url(void)
{
    return the_proxy.url;
}

static void proxy_end(void)
{
    if (!the_proxy.running) return;
    cr_assert_eq(write(the_proxy.orders[1], "q", 1), 1);
    pthread_join(the_proxy.thread, NULL);
    the_proxy.running = false;
}
