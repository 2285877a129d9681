/* Threads that send, ask, tell, read and close at the same time, for the thread sanitizer and for whoever
 * wants to see more than single claims: everything accepted is answered once, and the sums are right. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bank_journal.h"

enum { THREADS = 4, ROUNDS = 150, ENTITIES = 24 };

#define CLAIM(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                  \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

typedef struct world {
    pdr_journal *journal;
    atomic_int accepted; /* deposits of 1 that were answered PDR_OK */
    atomic_int sent, completed;
    atomic_int failed_tells;
    atomic_bool stop;
} world;

typedef struct actor {
    world *world;
    unsigned seed;
    pthread_t thread;
} actor;

static void done(void *context, const pdr_reply *reply)
{
    world *w = context;
    CLAIM(reply->code == PDR_OK);
    w->accepted++;
    w->completed++;
}

static void failed(void *context, pdr_string entity, const pdr_error *error)
{
    world *w = context;
    CLAIM(error->code == PDR_REFUSED && entity.size > 0);
    w->failed_tells++;
}

static void send_some(world *w, const char *entity)
{
    bank_deposit deposit = {1};
    pdr_request_spec specs[3] = {bank_deposit_spec(entity, &deposit), bank_deposit_spec(entity, &deposit),
                                 bank_deposit_spec(entity, &deposit)};
    void *contexts[3] = {w, w, w};
    size_t at = 0;
    while (at < 3) {
        size_t taken;
        pdr_code code = pdr_send_batch(w->journal, specs + at, 3 - at, done, contexts, &taken, NULL);
        w->sent += (int)taken;
        at += taken;
        CLAIM(code == PDR_OK || code == PDR_BUSY);
        if (code == PDR_BUSY) usleep(1000);
    }
}

static void tell_one(world *w, const char *entity, bool good)
{
    bank_deposit deposit = {good ? 1 : -1};
    pdr_code code;
    while ((code = pdr_tell(w->journal, entity, &bank_deposit_type, &deposit, NULL)) == PDR_BUSY)
        usleep(1000);
    CLAIM(code == PDR_OK);
    if (good) w->accepted++;
}

static void read_history(world *w, const char *entity)
{
    pdr_reader *reader;
    const pdr_logged_event *event;
    pdr_error err;
    uint64_t seq = 0;
    bank_must(pdr_history_reader_open(&reader, w->journal, pdr_string_of(entity), 0, &err), &err, "history");
    do {
        bank_must(pdr_reader_next(reader, &event, 120000, &err), &err, "pdr_reader_next");
        if (event) CLAIM(event->seq == ++seq);
    } while (event);
    pdr_reader_close(reader);
}

static void *act(void *context)
{
    actor *a = context;
    world *w = a->world;
    for (int i = 0; i < ROUNDS; i++) {
        char entity[40];
        pdr_answered answer;
        pdr_stats stats;
        snprintf(entity, sizeof entity, "account/%d", rand_r(&a->seed) % ENTITIES);
        pdr_code code = PDR_BUSY;
        switch (rand_r(&a->seed) % 8) {
        case 0:
        case 1:
            while (code == PDR_BUSY)
                code = bank_ask_deposit(w->journal, entity, 1, &answer);
            CLAIM(code == PDR_OK);
            w->accepted++;
            break;
        case 2:
        case 3: send_some(w, entity); break;
        case 4: tell_one(w, entity, true); break;
        case 5: tell_one(w, entity, false); break;
        case 6: CLAIM(bank_balance(w->journal, entity, NULL) >= 0); break;
        default:
            if (i % 8 == 0) read_history(w, entity);
            pdr_journal_stats(w->journal, &stats);
        }
    }
    return NULL;
}

static void *poll_all(void *context)
{
    world *w = context;
    while (!w->stop)
        pdr_poll(w->journal, 5);
    return NULL;
}

static void run_mix(const bank_dir *dir, unsigned workers, bool on_worker)
{
    static const pdr_setting settings[] = {
        {"commands.max", "64"}, {"snapshot.events", "20"}, {"snapshot.age.ms", "20"}};
    world w = {0};
    pdr_options options = bank_options(dir, workers);
    options.complete_on_worker = on_worker;
    options.settings = settings;
    options.setting_count = 3;
    options.failed_tell = failed;
    options.context = &w;
    w.journal = bank_open(&options);
    int64_t before = 0, after = 0;
    char entity[40];
    for (int i = 0; i < ENTITIES; i++) {
        snprintf(entity, sizeof entity, "account/%d", i);
        before += bank_balance(w.journal, entity, NULL);
    }
    pthread_t poller;
    CLAIM(pthread_create(&poller, NULL, poll_all, &w) == 0);
    actor actors[THREADS];
    for (int i = 0; i < THREADS; i++) {
        actors[i] = (actor){&w, workers * 100 + (unsigned)i * 7 + 1, 0};
        CLAIM(pthread_create(&actors[i].thread, NULL, act, &actors[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++)
        CLAIM(pthread_join(actors[i].thread, NULL) == 0);
    pdr_error err;
    bank_must(pdr_journal_drain(w.journal, 60000, &err), &err, "pdr_journal_drain");
    while (w.completed < w.sent)
        usleep(1000);
    w.stop = true;
    CLAIM(pthread_join(poller, NULL) == 0);
    for (int i = 0; i < ENTITIES; i++) {
        snprintf(entity, sizeof entity, "account/%d", i);
        after += bank_balance(w.journal, entity, NULL);
    }
    pdr_stats stats;
    pdr_journal_stats(w.journal, &stats);
    CLAIM(stats.failed_tells == (uint64_t)w.failed_tells);
    CLAIM(after - before == w.accepted);
    pdr_journal_close(w.journal);
}

/* --- close under load: completions go on sending until they are told that it is over --- */

static void go_on(void *context, const pdr_reply *reply)
{
    world *w = context;
    (void)reply;
    w->completed++;
    bank_deposit deposit = {1};
    pdr_request_spec spec = bank_deposit_spec("account/again", &deposit);
    pdr_code code = pdr_send(w->journal, &spec, go_on, w, NULL);
    CLAIM(code == PDR_OK || code == PDR_CLOSED);
    if (code == PDR_OK)
        w->sent++;
    else
        w->stop = true;
}

static void run_close(const bank_dir *dir, unsigned workers, bool on_worker, const char *close_ms)
{
    const pdr_setting settings[] = {{"close.timeout.ms", close_ms}};
    world w = {0};
    pdr_options options = bank_options(dir, workers);
    options.complete_on_worker = on_worker;
    options.settings = settings;
    options.setting_count = 1;
    w.journal = bank_open(&options);
    bank_deposit deposit = {1};
    for (int i = 0; i < 100; i++) {
        char entity[40];
        snprintf(entity, sizeof entity, "account/%d", i);
        pdr_request_spec spec = bank_deposit_spec(entity, &deposit);
        w.sent++;
        CLAIM(pdr_send(w.journal, &spec, go_on, &w, NULL) == PDR_OK);
    }
    for (int i = 0; i < 20; i++)
        pdr_poll(w.journal, 1);
    pdr_journal_close(w.journal);
    CLAIM(w.stop);
    CLAIM(w.completed == w.sent);
}

int main(void)
{
    bank_dir dir;
    bank_dir_make(&dir, 5);
    for (unsigned workers = 0; workers <= 3; workers++)
        for (int on_worker = 0; on_worker < (workers ? 2 : 1); on_worker++) {
            run_mix(&dir, workers, on_worker);
            run_close(&dir, workers, on_worker, "10000");
            run_close(&dir, workers, on_worker, "0");
        }
    bank_dir_remove(&dir);
    return 0;
}
