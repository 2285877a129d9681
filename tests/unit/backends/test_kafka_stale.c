/* Claims about readers that share a client, one after the other: what one asked the broker for and never got
 * isn't an answer to the next. The broker is librdkafka's mock. */
#include <criterion/criterion.h>
#include "backends/kafka/kafka_log.h"
#include "tests/unit/backends/kafka_mock.h"

enum { RECORDS = 5 };

static rd_kafka_mock_cluster_t *cluster;
static pdr_log *the_log;

static void begin(void)
{
    pdr_error err = {0};
    cluster = kafka_mock_begin();
    pdr_kafka_options options = {.brokers = rd_kafka_mock_cluster_bootstraps(cluster), .journal = "in"};
    cr_assert_eq(pdr_kafka_log_open(&the_log, &options, &err), PDR_OK, "%s", err.message);
}

static void end(void)
{
    the_log->ops->close(the_log);
    kafka_mock_end();
}

TestSuite(kafka_stale, .init = begin, .fini = end);

static void pump(void)
{
    kafka_mock_pump(the_log);
}

static void pump_for(int turns)
{
    for (int i = 0; i < turns; i++)
        pump();
}

/* --- What came --- */

typedef struct seen {
    pdr_log_reader *reader;
    size_t count;
    int64_t first, end;
    pdr_code failure;
} seen;

static void on_records(void *context, const pdr_log_record *records, size_t count)
{
    seen *s = context;
    if (!s->count) s->first = records[0].offset;
    s->count += count;
}

static void on_end(void *context, int64_t offset)
{
    ((seen *)context)->end = offset;
}

static void on_failed(void *context, const pdr_error *error)
{
    ((seen *)context)->failure = error->code;
}

static void read_from(seen *s, int64_t from)
{
    static const pdr_log_reader_events events = {on_records, on_end, on_failed};
    pdr_error err = {0};
    *s = (seen){.first = -1, .end = -1};
    cr_assert_eq(the_log->ops->reader_open(the_log, 0, from, &events, s, &s->reader, &err), PDR_OK, "%s",
                 err.message);
}

static void expect_all(seen *s)
{
    while (s->end < 0 && s->failure == PDR_OK)
        pump();
    cr_assert_eq(s->failure, PDR_OK, "%s", pdr_code_name(s->failure));
    cr_assert_eq(s->end, RECORDS);
    cr_assert_eq(s->count, RECORDS, "%zu records came before the end", s->count);
    cr_assert_eq(s->first, 0);
    the_log->ops->reader_close(s->reader);
}

static void on_reports(void *context, const pdr_log_report *reports, size_t count)
{
    (void)reports;
    *(size_t *)context += count;
}

static void append_all(void)
{
    static const pdr_log_writer_events events = {.reports = on_reports};
    size_t reported = 0;
    pdr_log_writer *writer;
    pdr_error err = {0};
    cr_assert_eq(the_log->ops->writer_open(the_log, 0, &events, &reported, &writer, &err), PDR_OK, "%s",
                 err.message);
    pdr_log_entry entry = {.key = pdr_bytes_of("k", 1), .value = pdr_bytes_of("v", 1)};
    for (uint64_t tag = 1; tag <= RECORDS; tag++)
        cr_assert_eq(the_log->ops->append(writer, &entry, tag, NULL), PDR_OK);
    while (reported < RECORDS)
        pump();
    the_log->ops->writer_close(writer);
}

/* librdkafka asks again for the end half a second after it was closed, whatever is read by then. */
Test(kafka_stale, a_reader_misses_nothing_though_another_never_learnt_where_the_log_ends)
{
    seen s;
    append_all();
    read_from(&s, 0);
    expect_all(&s);
    rd_kafka_mock_broker_set_down(cluster, 1);
    pump_for(20);
    read_from(&s, PDR_LOG_TAIL(0));
    pump_for(100);
    cr_assert_eq(s.end, -1);
    the_log->ops->reader_close(s.reader);
    read_from(&s, 0);
    pump_for(100);
    rd_kafka_mock_broker_set_up(cluster, 1);
    expect_all(&s);
}
