/* Claims about a broker that refuses a producer's first request and takes its second: one does that which has
 * just begun to lead the partition. librdkafka then reports the first one's records as delivered, which they
 * aren't. The broker is librdkafka's mock. */
#include <criterion/criterion.h>
#include <poll.h>

#include "backends/kafka/kafka_log.h"
#include "backends/kafka/target.h"
#include "tests/unit/backends/kafka_mock.h"

enum { PRODUCE = 0, ROUND_TRIP_MS = 200 };

static rd_kafka_mock_cluster_t *cluster;

static void begin(void)
{
    cluster = kafka_mock_begin();
    rd_kafka_mock_topic_create(cluster, "out", 1, 1);
}

/* ... which has a second one on its way by then. */
static void refuse_the_first_request(void)
{
    rd_kafka_mock_broker_set_rtt(cluster, 1, ROUND_TRIP_MS);
    rd_kafka_mock_push_request_errors(cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
}

TestSuite(kafka_refused, .init = begin, .fini = kafka_mock_end);

/* Each record is a request. */
static pdr_kafka_options options_of(const char *journal)
{
    static const pdr_kafka_setting settings[] = {{"batch.num.messages", "1"}};
    return (pdr_kafka_options){.brokers = rd_kafka_mock_cluster_bootstraps(cluster),
                               .journal = journal,
                               .settings = settings,
                               .setting_count = 1};
}

/* --- The log: what isn't known to be there has no offset, and owners look --- */

typedef struct told {
    pdr_log_report reports[2];
    size_t count;
} told;

static void on_reports(void *context, const pdr_log_report *reports, size_t count)
{
    told *t = context;
    cr_assert_leq(t->count + count, 2);
    memcpy(t->reports + t->count, reports, count * sizeof *reports);
    t->count += count;
}

static void on_broken(void *context, const pdr_error *error)
{
    (void)context;
    cr_assert_fail("%s", error->message);
}

static pdr_log *open_log(void)
{
    pdr_kafka_options options = options_of("in");
    pdr_log *log;
    pdr_error err = {0};
    cr_assert_eq(pdr_kafka_log_open(&log, &options, &err), PDR_OK, "%s", err.message);
    return log;
}

static told append_two(pdr_log *log)
{
    static const pdr_log_writer_events events = {on_reports, on_broken};
    told t = {.count = 0};
    pdr_log_writer *writer;
    pdr_error err = {0};
    cr_assert_eq(log->ops->writer_open(log, 0, &events, &t, &writer, &err), PDR_OK, "%s", err.message);
    pdr_log_entry entry = {.key = pdr_bytes_of("k", 1), .value = pdr_bytes_of("v", 1)};
    for (uint64_t tag = 1; tag <= 2; tag++)
        cr_assert_eq(log->ops->append(writer, &entry, tag, NULL), PDR_OK);
    while (t.count < 2)
        kafka_mock_pump(log);
    log->ops->writer_close(writer);
    return t;
}

Test(kafka_refused, a_record_that_is_only_believed_to_be_there_is_reported_without_an_offset)
{
    refuse_the_first_request();
    pdr_log *log = open_log();
    told t = append_two(log);
    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(t.reports[i].code, PDR_OK);
        cr_assert_eq(t.reports[i].offset, t.reports[i].tag == 2 ? 0 : -1, "record %d", (int)t.reports[i].tag);
    }
    log->ops->close(log);
}

/* --- A projection's topic: nobody looks, so it must not happen --- */

static void close_inner(pdr_views *views)
{
    (void)views;
}

static pdr_code commit_inner(pdr_views *views, const pdr_version_spec *spec, const char *worker,
                             const pdr_view_batch *batch, pdr_view_done done, void *context, uint64_t tag,
                             pdr_error *err)
{
    static const pdr_view_result fine = {.code = PDR_OK};
    (void)views, (void)spec, (void)worker, (void)batch, (void)err;
    done(context, tag, &fine);
    return PDR_OK;
}

static size_t poll_inner(pdr_views *views)
{
    (void)views;
    return 0;
}

static void on_done(void *context, uint64_t tag, const pdr_view_result *result)
{
    (void)tag;
    cr_assert_eq(result->code, PDR_OK, "%s", result->error ? result->error->message : "");
    ++*(size_t *)context;
}

static pdr_cell text(const char *words)
{
    return (pdr_cell){.as.bytes = pdr_bytes_of(words, strlen(words))};
}

static void commit_messages(pdr_views *views, size_t *done)
{
    pdr_cell cells[2][PDR_MESSAGE_CELLS];
    pdr_view_step steps[2];
    for (int i = 0; i < 2; i++) {
        for (int c = 0; c < PDR_MESSAGE_CELLS; c++)
            cells[i][c] = (pdr_cell){.as.integer = i};
        cells[i][PDR_MESSAGE_KEY] = text("account/1");
        cells[i][PDR_MESSAGE_VALUE] = text(i ? "second" : "first");
        cells[i][PDR_MESSAGE_TYPE] = text("bank.Deposited");
        steps[i] = (pdr_view_step){
            .statement = PDR_VIEW_MESSAGE, .parameters = cells[i], .parameter_count = PDR_MESSAGE_CELLS};
    }
    pdr_version_spec spec = {.projection = "out", .version = 1, .partitions = 1};
    pdr_view_batch batch = {.steps = steps, .step_count = 2};
    pdr_error err = {0};
    cr_assert_eq(views->ops->commit(views, &spec, "worker", &batch, on_done, done, 1, &err), PDR_OK, "%s",
                 err.message);
}

/* All that the topic holds. */
static void expect_values(const char *const *values, size_t count)
{
    char reason[200];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster), NULL, 0);
    rd_kafka_conf_set(conf, "group.id", "claims", NULL, 0);
    rd_kafka_conf_set(conf, "enable.partition.eof", "true", NULL, 0);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, "out", 0)->offset = 0;
    rd_kafka_assign(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    size_t seen = 0;
    for (bool more = true; more;) {
        kafka_mock_guard();
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 100);
        if (!message) continue;
        more = message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (more) {
            cr_assert_eq(message->err, RD_KAFKA_RESP_ERR_NO_ERROR, "%s", rd_kafka_message_errstr(message));
            cr_assert_lt(seen, count);
            cr_assert_arr_eq(message->payload, values[seen], message->len);
            seen++;
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_destroy(rk);
    cr_assert_eq(seen, count);
}

Test(kafka_refused, a_projections_messages_are_all_there_in_their_order)
{
    static const char *const both[] = {"first", "second"};
    static const pdr_views_ops ops = {
        .name = "none", .close = close_inner, .commit = commit_inner, .poll = poll_inner};
    refuse_the_first_request();
    pdr_views inner = {&ops}, *views;
    pdr_kafka_options options = options_of("");
    pdr_error err = {0};
    size_t done = 0;
    cr_assert_eq(pdr_kafka_target_open(&views, &inner, &options, "out", false, &err), PDR_OK, "%s",
                 err.message);
    commit_messages(views, &done);
    while (!done) {
        kafka_mock_guard();
        if (!views->ops->poll(views)) poll(NULL, 0, 10);
    }
    views->ops->close(views);
    expect_values(both, 2);
}
