#include "backends/kafka/internal.h"

#include <pthread.h>
#include <time.h>

/* Destroying a client joins its threads, and asking for metadata waits for a broker: neither may happen in
 * poll. The keeper's thread is started with the log and outlives it when a job hangs; it then frees itself.
 */
typedef enum { DESTROY, WARM, NUDGE } job_kind;

typedef struct job {
    struct job *next;
    job_kind kind;
    kafka_client client;
    int32_t partition;
} job;

struct kafka_keeper {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    job *first, *last;
    bool closing;                                                 /* no more jobs will come */
    bool ended;                                                   /* the thread has done its last job */
    bool abandoned;                                               /* nobody waits for it any more */
    void (*trace)(void *context, int level, const char *message); /* called under the lock */
    void *trace_context;
};

enum { ASK_TIMEOUT_MS = 1000 };

static void warm(const kafka_client *client)
{
    const struct rd_kafka_metadata *metadata;
    if (rd_kafka_metadata(client->rk, 0, client->topic, &metadata, ASK_TIMEOUT_MS) ==
        RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_metadata_destroy(metadata);
}

/* Any request to the partition's leader wakes the thread that fetches from it. */
static void nudge(const kafka_client *client, int32_t partition)
{
    int64_t low, high;
    const char *topic = rd_kafka_topic_name(client->topic);
    rd_kafka_resp_err_t ignored =
        rd_kafka_query_watermark_offsets(client->rk, topic, partition, &low, &high, ASK_TIMEOUT_MS);
    (void)ignored;
}

static void run(job *todo, bool closing)
{
    if (todo->kind == DESTROY)
        kafka_client_close(&todo->client);
    else if (closing)
        return;
    else if (todo->kind == WARM)
        warm(&todo->client);
    else
        nudge(&todo->client, todo->partition);
}

void kafka_keeper_trace(kafka_keeper *keeper, int level, const char *line)
{
    pthread_mutex_lock(&keeper->lock);
    if (keeper->trace) keeper->trace(keeper->trace_context, level, line);
    pthread_mutex_unlock(&keeper->lock);
}

static void keeper_free(kafka_keeper *keeper)
{
    pthread_cond_destroy(&keeper->changed);
    pthread_mutex_destroy(&keeper->lock);
    pdr_free(keeper);
}

static job *next_job(kafka_keeper *keeper)
{
    while (!keeper->first && !keeper->closing)
        pthread_cond_wait(&keeper->changed, &keeper->lock);
    job *next = keeper->first;
    if (next) keeper->first = next->next;
    if (!keeper->first) keeper->last = NULL;
    return next;
}

static void *keeper_main(void *argument)
{
    kafka_keeper *keeper = argument;
    pthread_mutex_lock(&keeper->lock);
    job *next;
    while ((next = next_job(keeper)) != NULL) {
        bool closing = keeper->closing;
        pthread_mutex_unlock(&keeper->lock);
        run(next, closing);
        pdr_free(next);
        pthread_mutex_lock(&keeper->lock);
    }
    keeper->ended = true;
    bool alone = keeper->abandoned;
    pthread_cond_broadcast(&keeper->changed);
    pthread_mutex_unlock(&keeper->lock);
    if (alone) keeper_free(keeper);
    return NULL;
}

static int start_detached(kafka_keeper *keeper)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int failed = pthread_create(&thread, &attributes, keeper_main, keeper);
    pthread_attr_destroy(&attributes);
    return failed;
}

pdr_code kafka_keeper_open(kafka_keeper **out, const pdr_kafka_options *options, pdr_error *err)
{
    kafka_keeper *keeper = pdr_calloc(1, sizeof *keeper);
    if (!keeper) return pdr_fail(err, PDR_NOMEM, "no memory for a Kafka log");
    keeper->trace = options->trace;
    keeper->trace_context = options->trace_context;
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_mutex_init(&keeper->lock, NULL);
    pthread_cond_init(&keeper->changed, &clock);
    pthread_condattr_destroy(&clock);
    int failed = start_detached(keeper);
    if (failed) {
        keeper_free(keeper);
        return pdr_fail_backend(err, PDR_NOMEM, failed, "can't start a thread for a Kafka log");
    }
    *out = keeper;
    return PDR_OK;
}

/* Without memory for a job it is left undone: a client that isn't destroyed is left behind, never raced. */
static void enqueue(kafka_keeper *keeper, job todo)
{
    job *added = pdr_memdup(&todo, sizeof todo);
    if (!added) return;
    pthread_mutex_lock(&keeper->lock);
    if (keeper->last)
        keeper->last->next = added;
    else
        keeper->first = added;
    keeper->last = added;
    pthread_cond_broadcast(&keeper->changed);
    pthread_mutex_unlock(&keeper->lock);
}

void kafka_keeper_destroy(kafka_keeper *keeper, kafka_client client)
{
    enqueue(keeper, (job){.kind = DESTROY, .client = client});
}

void kafka_keeper_warm(kafka_keeper *keeper, const kafka_client *client)
{
    enqueue(keeper, (job){.kind = WARM, .client = *client});
}

void kafka_keeper_nudge(kafka_keeper *keeper, const kafka_client *client, int32_t partition)
{
    enqueue(keeper, (job){.kind = NUDGE, .client = *client, .partition = partition});
}

void kafka_keeper_close(kafka_keeper *keeper, int timeout_ms)
{
    if (!keeper) return;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    pthread_mutex_lock(&keeper->lock);
    keeper->closing = true;
    pthread_cond_broadcast(&keeper->changed);
    int late = 0;
    while (!keeper->ended && !late)
        late = pthread_cond_timedwait(&keeper->changed, &keeper->lock, &until);
    bool ended = keeper->ended;
    keeper->abandoned = !ended;
    keeper->trace = NULL;
    pthread_mutex_unlock(&keeper->lock);
    if (ended) keeper_free(keeper);
}
