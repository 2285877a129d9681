/* Does to a topic what perdure never would, for the claims about topics that aren't as they should be.
 *
 *   topic_tool BROKERS TOPIC set NAME VALUE        a setting
 *   topic_tool BROKERS TOPIC grow PARTITIONS       more partitions
 *   topic_tool BROKERS TOPIC drop PARTITION OFFSET the records below the offset; -1: all
 *   topic_tool BROKERS TOPIC delete                the topic
 *
 * Exit code 0: done; 1: failed; 2: wrong use. */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 120000 };

typedef struct tool {
    const char *topic;
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    char reason[500];
} tool;

/* The first error of an answer that may have one for each topic. */
static int finish(tool *t)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(t->queue, WAIT_MS);
    if (!event) {
        fprintf(stderr, "topic_tool: no answer\n");
        return 1;
    }
    int failed = rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR;
    if (failed) fprintf(stderr, "topic_tool: %s\n", rd_kafka_event_error_string(event));
    rd_kafka_event_destroy(event);
    return failed;
}

static int set(tool *t, const char *name, const char *value)
{
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, t->topic);
    rd_kafka_ConfigResource_set_config(resource, name, value);
    rd_kafka_AlterConfigs(t->client, &resource, 1, NULL, t->queue);
    rd_kafka_ConfigResource_destroy(resource);
    return finish(t);
}

static int grow(tool *t, size_t partitions)
{
    rd_kafka_NewPartitions_t *more =
        rd_kafka_NewPartitions_new(t->topic, partitions, t->reason, sizeof t->reason);
    if (!more) return 1;
    rd_kafka_CreatePartitions(t->client, &more, 1, NULL, t->queue);
    rd_kafka_NewPartitions_destroy(more);
    return finish(t);
}

static int make(tool *t, int partitions)
{
    rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(t->topic, partitions, 1, t->reason, sizeof t->reason);
    if (!wanted) return 1;
    rd_kafka_NewTopic_set_config(wanted, "retention.ms",
                                 "-1"); /* messages have the time of their events, years ago */
    rd_kafka_CreateTopics(t->client, &wanted, 1, NULL, t->queue);
    rd_kafka_NewTopic_destroy(wanted);
    return finish(t);
}

static int drop(tool *t, int32_t partition, int64_t offset)
{
    rd_kafka_topic_partition_list_t *before = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(before, t->topic, partition)->offset = offset;
    rd_kafka_DeleteRecords_t *request = rd_kafka_DeleteRecords_new(before);
    rd_kafka_DeleteRecords(t->client, &request, 1, NULL, t->queue);
    rd_kafka_DeleteRecords_destroy(request);
    rd_kafka_topic_partition_list_destroy(before);
    return finish(t);
}

static int delete_topic(tool *t)
{
    rd_kafka_DeleteTopic_t *request = rd_kafka_DeleteTopic_new(t->topic);
    rd_kafka_DeleteTopics(t->client, &request, 1, NULL, t->queue);
    rd_kafka_DeleteTopic_destroy(request);
    return finish(t);
}

static int run(tool *t, int argc, char **argv)
{
    const char *verb = argc > 3 ? argv[3] : "";
    if (argc == 6 && strcmp(verb, "set") == 0) return set(t, argv[4], argv[5]);
    if (argc == 5 && strcmp(verb, "grow") == 0) return grow(t, strtoul(argv[4], NULL, 10));
    if (argc == 5 && strcmp(verb, "make") == 0) return make(t, (int)strtol(argv[4], NULL, 10));
    if (argc == 6 && strcmp(verb, "drop") == 0)
        return drop(t, (int32_t)strtol(argv[4], NULL, 10), strtoll(argv[5], NULL, 10));
    if (argc == 4 && strcmp(verb, "delete") == 0) return delete_topic(t);
    fprintf(stderr, "usage: topic_tool BROKERS TOPIC make|set|grow|drop|delete ...\n");
    return 2;
}

int main(int argc, char **argv)
{
    tool t = {.topic = argc > 2 ? argv[2] : ""};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (argc > 1) (void)rd_kafka_conf_set(conf, "bootstrap.servers", argv[1], t.reason, sizeof t.reason);
    t.client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, t.reason, sizeof t.reason);
    if (!t.client) {
        fprintf(stderr, "topic_tool: %s\n", t.reason);
        return 1;
    }
    t.queue = rd_kafka_queue_new(t.client);
    int code = run(&t, argc, argv);
    rd_kafka_queue_destroy(t.queue);
    rd_kafka_destroy(t.client);
    return code;
}
