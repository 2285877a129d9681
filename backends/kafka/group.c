#include "backends/kafka/group.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backends/kafka/internal.h"

typedef struct kafka_group {
    pdr_group base;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    int fd;
    bool joined, changed;
    int32_t *partitions; /* room for PDR_LOG_MAX_PARTITIONS */
    size_t count;
    void (*trace)(void *context, int level, const char *message);
    void *trace_context;
} kafka_group;

/* A user's settings don't reach these. Not cooperative-sticky: librdkafka 2.0.2 aborts (an assertion in
 * rd_kafka_sticky_assignor_state_destroy) when such a client leaves in the middle of a rebalance. What an
 * eager one costs is that every partition is given up and taken again, for the time of the rebalance. */
static const char *const settings[][2] = {
    {"partition.assignment.strategy", "roundrobin"}, {"enable.partition.eof", "false"}, /* nothing is read */
};

static void say(const kafka_group *g, int level, const char *what, const char *why)
{
    char line[600];
    if (!g->trace) return;
    snprintf(line, sizeof line, "kafka group: %s: %s", what, why);
    g->trace(g->trace_context, level, line);
}

static void trace_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    if (strcmp(facility, "CONFWARN") != 0) say(rd_kafka_opaque(rk), level, facility, text);
}

/* --- rebalances: run inside poll and close --- */

static void take_assignment(kafka_group *g)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    if (rd_kafka_assignment(g->rk, &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    g->count = 0;
    for (int i = 0; i < list->cnt && g->count < PDR_LOG_MAX_PARTITIONS; i++)
        g->partitions[g->count++] = list->elems[i].partition;
    rd_kafka_topic_partition_list_destroy(list);
    g->joined = g->changed = true;
}

/* The client must not fetch: it begins at the end of each partition, and is paused at once. */
static rd_kafka_resp_err_t take(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = RD_KAFKA_OFFSET_END;
    rd_kafka_resp_err_t error = rd_kafka_assign(rk, list);
    return error ? error : rd_kafka_pause_partitions(rk, list);
}

static void rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t *list,
                      void *opaque)
{
    kafka_group *g = opaque;
    rd_kafka_resp_err_t error =
        what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? take(rk, list) : rd_kafka_assign(rk, NULL);
    if (error) say(g, 4, "rebalance", rd_kafka_err2str(error));
    take_assignment(g);
}

/* --- the seam --- */

static bool group_poll(pdr_group *base)
{
    kafka_group *g = (kafka_group *)base;
    uint64_t rings;
    ssize_t ignored = read(g->fd, &rings, sizeof rings);
    (void)ignored;
    g->changed = false;
    for (rd_kafka_message_t *m; (m = rd_kafka_consumer_poll(g->rk, 0)); rd_kafka_message_destroy(m))
        if (m->err) say(g, 4, "error", rd_kafka_message_errstr(m));
    return g->changed;
}

static size_t group_partitions(const pdr_group *base, const int32_t **out, bool *joined)
{
    const kafka_group *g = (const kafka_group *)base;
    *out = g->partitions;
    *joined = g->joined;
    return g->count;
}

static int group_wait_on(pdr_group *base, struct pollfd *fds, int max)
{
    if (max < 1) return 0;
    fds[0] = (struct pollfd){.fd = ((kafka_group *)base)->fd, .events = POLLIN};
    return 1;
}

static void group_close(pdr_group *base)
{
    kafka_group *g = (kafka_group *)base;
    if (g->queue) {
        rd_kafka_queue_io_event_enable(g->queue, -1, NULL, 0);
        rd_kafka_queue_destroy(g->queue);
    }
    if (g->rk) {
        rd_kafka_resp_err_t ignored = rd_kafka_consumer_close(g->rk);
        (void)ignored;
        rd_kafka_destroy(g->rk);
    }
    if (g->fd >= 0) close(g->fd);
    pdr_free(g->partitions);
    pdr_free(g);
}

static const pdr_group_ops ops = {group_close, group_poll, group_partitions, group_wait_on};

/* --- open --- */

static pdr_code configure(kafka_group *g, rd_kafka_conf_t *conf, const char *name, pdr_error *err)
{
    char reason[300];
    bool fine = rd_kafka_conf_set(conf, "group.id", name, reason, sizeof reason) == RD_KAFKA_CONF_OK;
    for (size_t i = 0; fine && i < sizeof settings / sizeof settings[0]; i++)
        fine = rd_kafka_conf_set(conf, settings[i][0], settings[i][1], reason, sizeof reason) ==
               RD_KAFKA_CONF_OK;
    if (!fine) return pdr_fail(err, PDR_BAD_SETTING, "a group's consumer: %s", reason);
    rd_kafka_conf_set_opaque(conf, g);
    rd_kafka_conf_set_log_cb(conf, trace_log);
    rd_kafka_conf_set_rebalance_cb(conf, rebalance);
    return PDR_OK;
}

static pdr_code start(kafka_group *g, const pdr_kafka_options *options, const char *name, pdr_error *err)
{
    kafka_settings all;
    char reason[400];
    pdr_code code = kafka_settings_init(&all, options, err);
    if (code != PDR_OK) return code;
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(all.consumer);
    kafka_settings_release(&all);
    code = configure(g, conf, name, err);
    if (code == PDR_OK) {
        g->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
        if (!g->rk) code = pdr_fail(err, PDR_BAD_SETTING, "can't start a Kafka consumer: %s", reason);
    }
    if (code != PDR_OK) {
        rd_kafka_conf_destroy(conf);
        return code;
    }
    static const uint64_t one = 1;
    rd_kafka_resp_err_t why = rd_kafka_poll_set_consumer(g->rk);
    if (why) return pdr_fail_backend(err, PDR_FATAL, (int32_t)why, "%s", rd_kafka_err2str(why));
    g->queue = rd_kafka_queue_get_consumer(g->rk);
    rd_kafka_queue_io_event_enable(g->queue, g->fd, &one, sizeof one);
    return PDR_OK;
}

static pdr_code subscribe(kafka_group *g, const char *journal, pdr_error *err)
{
    char topic[300];
    snprintf(topic, sizeof topic, "%s.events", journal);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t why = rd_kafka_subscribe(g->rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (!why) return PDR_OK;
    return pdr_fail_backend(err, kafka_code(why), (int32_t)why, "subscribing to %s: %s", topic,
                            rd_kafka_err2str(why));
}

pdr_code pdr_kafka_group_open(pdr_group **out, const pdr_kafka_options *options, const char *name,
                              pdr_error *err)
{
    kafka_group *g = pdr_calloc(1, sizeof *g);
    if (!g) return pdr_fail(err, PDR_NOMEM, "a group");
    *g = (kafka_group){.base.ops = &ops, .trace = options->trace, .trace_context = options->trace_context};
    g->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    g->partitions = pdr_calloc(PDR_LOG_MAX_PARTITIONS, sizeof *g->partitions);
    pdr_code code = PDR_OK;
    if (g->fd < 0 || !g->partitions)
        code = pdr_fail_backend(err, PDR_NOMEM, g->fd < 0 ? errno : 0, "a group");
    if (code == PDR_OK) code = start(g, options, name, err);
    if (code == PDR_OK) code = subscribe(g, options->journal, err);
    if (code == PDR_OK)
        *out = &g->base;
    else
        group_close(&g->base);
    return code;
}
