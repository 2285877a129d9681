#include "tests/integration/kafka_world.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

kafka_world world;

/* Without a server the program says so and counts as skipped. */
__attribute__((constructor)) static void skip_without_a_server(void)
{
    const char *brokers = getenv("PERDURE_TEST_KAFKA");
    if (brokers && brokers[0]) return;
    fprintf(stderr, "SKIPPED: Kafka tests: PERDURE_TEST_KAFKA isn't set\n");
    _exit(77);
}

static time_t seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* --- topics --- */

void world_name(void)
{
    uint64_t drawn = 0;
    cr_assert_eq(getentropy(&drawn, sizeof drawn), 0);
    snprintf(world.journal, sizeof world.journal, "test-%016" PRIx64, drawn);
    snprintf(world.topic, sizeof world.topic, "%s.events", world.journal);
    world.log = NULL;
    world.give_up_at = seconds() + GUARD_S;
}

static rd_kafka_t *client(const char *transactional_id)
{
    char reason[200];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", getenv("PERDURE_TEST_KAFKA"), reason, sizeof reason);
    if (transactional_id)
        rd_kafka_conf_set(conf, "transactional.id", transactional_id, reason, sizeof reason);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    cr_assert_not_null(rk, "%s", reason);
    return rk;
}

static void finish(rd_kafka_t *rk, rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);
    cr_assert_not_null(event);
    cr_assert_eq(rd_kafka_event_error(event), 0, "%s", rd_kafka_event_error_string(event));
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

static void await_topic(int32_t partitions)
{
    rd_kafka_t *rk = client(NULL);
    const struct rd_kafka_metadata *metadata;
    int32_t seen = 0;
    while (seen != partitions) {
        cr_assert_leq(seconds(), world.give_up_at);
        cr_assert_eq(rd_kafka_metadata(rk, 1, NULL, &metadata, WAIT_MS), 0);
        for (int i = 0; i < metadata->topic_cnt; i++)
            if (strcmp(metadata->topics[i].topic, world.topic) == 0) seen = metadata->topics[i].partition_cnt;
        rd_kafka_metadata_destroy(metadata);
        if (seen != partitions) poll(NULL, 0, 20);
    }
    rd_kafka_destroy(rk);
}

void world_create_raw(int32_t partitions, const char *const *settings)
{
    char reason[200];
    rd_kafka_t *rk = client(NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(world.topic, partitions, 1, reason, sizeof reason);
    cr_assert_not_null(topic, "%s", reason);
    for (; settings && *settings; settings += 2)
        rd_kafka_NewTopic_set_config(topic, settings[0], settings[1]);
    rd_kafka_CreateTopics(rk, &topic, 1, NULL, queue);
    rd_kafka_NewTopic_destroy(topic);
    finish(rk, queue);
    await_topic(partitions);
}

pdr_code world_try_open(const pdr_kafka_setting *settings, size_t count, pdr_log **out, pdr_error *err)
{
    pdr_kafka_options options = {.brokers = getenv("PERDURE_TEST_KAFKA"),
                                 .journal = world.journal,
                                 .settings = settings,
                                 .setting_count = count};
    return pdr_kafka_log_open(out, &options, err);
}

pdr_code world_create(int32_t partitions, pdr_error *err)
{
    pdr_kafka_options options = {.brokers = getenv("PERDURE_TEST_KAFKA"), .journal = world.journal};
    pdr_kafka_topic topic = {.partitions = partitions, .retention_ms = -1};
    return pdr_kafka_log_create(&options, &topic, WAIT_MS, err);
}

void world_open_log(void)
{
    pdr_error err = {0};
    pdr_log_info info;
    cr_assert_eq(world_try_open(NULL, 0, &world.log, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(world.log->ops->info(world.log, &info, WAIT_MS, &err), PDR_OK, "%s", err.message);
}

void world_delete_topic(void)
{
    rd_kafka_t *rk = client(NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DeleteTopic_t *gone = rd_kafka_DeleteTopic_new(world.topic);
    rd_kafka_DeleteTopics(rk, &gone, 1, NULL, queue);
    rd_kafka_DeleteTopic_destroy(gone);
    finish(rk, queue);
}

void world_close(void)
{
    if (world.log) world.log->ops->close(world.log);
    world_delete_topic();
}

void world_drop_below(int32_t partition, int64_t offset)
{
    rd_kafka_t *rk = client(NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_topic_partition_list_t *before = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(before, world.topic, partition)->offset = offset;
    rd_kafka_DeleteRecords_t *request = rd_kafka_DeleteRecords_new(before);
    rd_kafka_topic_partition_list_destroy(before);
    rd_kafka_DeleteRecords(rk, &request, 1, NULL, queue);
    rd_kafka_DeleteRecords_destroy(request);
    finish(rk, queue);
}

void world_pump(void)
{
    struct pollfd fd;
    int64_t due;
    cr_assert_leq(seconds(), world.give_up_at, "gave up waiting");
    if (world.log->ops->poll(world.log)) return;
    int used = world.log->ops->wait_on(world.log, &fd, 1, &due);
    poll(&fd, (nfds_t)used, due > 100000 ? 100 : (int)((due + 999) / 1000));
}

bool world_can_restart(void)
{
    const char *dev = getenv("PERDURE_TEST_DEV");
    return dev && dev[0];
}

void world_service(const char *verb, const char *more)
{
    const char *dev = getenv("PERDURE_TEST_DEV");
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        execl(dev, dev, "services", verb, "kafka", more, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    while (waitpid(child, &status, WNOHANG) == 0)
        world_pump(); /* life goes on meanwhile */
    cr_assert_eq(status, 0, "./dev services %s kafka ended with %d", verb, status);
}

/* --- foreigners --- */

rd_kafka_t *foreign_producer(const char *transactional_id)
{
    rd_kafka_t *rk = client(transactional_id);
    if (!transactional_id) return rk;
    rd_kafka_error_t *error = rd_kafka_init_transactions(rk, WAIT_MS);
    cr_assert_null(error);
    return rk;
}

void foreign_write(rd_kafka_t *rk, int32_t partition, const char *key, const char *value, const char *header)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(1);
    if (header) rd_kafka_header_add(headers, "other", -1, header, -1);
    rd_kafka_resp_err_t why = rd_kafka_producev(
        rk, RD_KAFKA_V_TOPIC(world.topic), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, key ? strlen(key) : 0),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)value, value ? strlen(value) : 0), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_END);
    cr_assert_eq(why, 0);
}

void foreign_close(rd_kafka_t *rk)
{
    cr_assert_eq(rd_kafka_flush(rk, WAIT_MS), 0);
    rd_kafka_destroy(rk);
}

/* --- probes --- */

static void on_reports(void *context, const pdr_log_report *reports, size_t count)
{
    writer_probe *probe = context;
    for (size_t i = 0; i < count; i++) {
        const pdr_log_report *r = &reports[i];
        cr_assert_lt(r->tag, probe->capacity);
        cr_assert_eq(probe->offsets[r->tag], -2, "tag %" PRIu64 " was reported twice", r->tag);
        probe->offsets[r->tag] = r->code == PDR_OK ? r->offset : -3;
        probe->failures += r->code != PDR_OK;
        if (r->code != PDR_OK || r->offset < 0) continue;
        probe->disordered |= r->offset <= probe->last_offset;
        probe->last_offset = r->offset;
    }
    probe->reports += count;
}

static void on_broken(void *context, const pdr_error *error)
{
    (void)error;
    ((writer_probe *)context)->broken++;
}

void writer_start(writer_probe *probe, int32_t partition, size_t capacity)
{
    static const pdr_log_writer_events events = {on_reports, on_broken};
    pdr_error err = {0};
    *probe = (writer_probe){.capacity = capacity, .last_offset = -1};
    probe->offsets = malloc(capacity * sizeof *probe->offsets);
    for (size_t i = 0; i < capacity; i++)
        probe->offsets[i] = -2;
    cr_assert_eq(world.log->ops->writer_open(world.log, partition, &events, probe, &probe->writer, &err),
                 PDR_OK, "%s", err.message);
}

pdr_code write_next(writer_probe *probe, size_t padding)
{
    static char value[1000100];
    cr_assert_lt(probe->next_tag, probe->capacity);
    int size = snprintf(value, sizeof value, "%020" PRIu64, probe->next_tag);
    memset(value + size, '.', padding);
    pdr_log_entry entry = {.key = pdr_bytes_of("key", 3),
                           .value = pdr_bytes_of(value, (size_t)size + padding),
                           .header = pdr_bytes_of("header", 6)};
    pdr_code code = world.log->ops->append(probe->writer, &entry, probe->next_tag, NULL);
    if (code == PDR_OK) probe->next_tag++;
    return code;
}

void writer_stop(writer_probe *probe)
{
    world.log->ops->writer_close(probe->writer);
    free(probe->offsets);
    *probe = (writer_probe){0};
}

static void on_records(void *context, const pdr_log_record *records, size_t count)
{
    reader_probe *probe = context;
    for (size_t i = 0; i < count; i++) {
        cr_assert_gt(records[i].offset, probe->last_offset);
        probe->last_offset = records[i].offset;
        probe->count++;
        if (probe->on_record) probe->on_record(probe, &records[i]);
    }
}

static void on_end(void *context, int64_t end)
{
    reader_probe *probe = context;
    cr_assert_gt(end, probe->last_offset);
    probe->end = end;
    probe->ends++;
}

static void on_failed(void *context, const pdr_error *error)
{
    ((reader_probe *)context)->failure = *error;
}

void reader_start(reader_probe *probe, int32_t partition, int64_t from)
{
    static const pdr_log_reader_events events = {on_records, on_end, on_failed};
    pdr_error err = {0};
    probe->last_offset = probe->end = -1;
    probe->count = probe->ends = 0;
    probe->failure = (pdr_error){0};
    cr_assert_eq(
        world.log->ops->reader_open(world.log, partition, from, &events, probe, &probe->reader, &err), PDR_OK,
        "%s", err.message);
}

void reader_stop(reader_probe *probe)
{
    world.log->ops->reader_close(probe->reader);
    probe->reader = NULL;
}

void read_to_end(reader_probe *probe, int32_t partition, int64_t from)
{
    reader_start(probe, partition, from);
    while (!probe->ends && !probe->failure.code)
        world_pump();
    cr_assert_eq(probe->failure.code, PDR_OK, "%s", probe->failure.message);
    reader_stop(probe);
}

/* The writer's records in the log: each tag at most once and in order, and where it was reported. */
static void check_record(reader_probe *probe, const pdr_log_record *record)
{
    const writer_probe *writer = probe->context;
    char text[21] = {0};
    cr_assert_geq(record->entry.value.size, 20);
    memcpy(text, record->entry.value.data, 20);
    uint64_t tag = strtoull(text, NULL, 10);
    cr_assert_lt(tag, writer->next_tag);
    if (writer->offsets[tag] < 0) return;
    cr_assert_eq(writer->offsets[tag], record->offset, "tag %" PRIu64, tag);
    writer->offsets[tag] = -4; /* found */
}

void expect_reported_is_in_log(const writer_probe *writer, int32_t partition)
{
    reader_probe probe = {.on_record = check_record, .context = (void *)(uintptr_t)writer};
    read_to_end(&probe, partition, 0);
    for (uint64_t tag = 0; tag < writer->next_tag; tag++)
        cr_assert_lt(writer->offsets[tag], 0, "tag %" PRIu64 " was reported at %" PRId64 " but isn't there",
                     tag, writer->offsets[tag]);
}
