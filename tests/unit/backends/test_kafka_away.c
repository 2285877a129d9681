/* Claims about a broker that isn't there, and about producers that fail for good. No server is needed. */
#include <criterion/criterion.h>
#include <poll.h>
#include <time.h>

#include "backends/kafka/internal.h"

enum { GUARD_S = 600 };

static pdr_log *the_log;
static time_t give_up_at;

static time_t seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void open_away(void)
{
    static const pdr_kafka_setting settings[] = {{"reader.unavailable.ms", "300"},
                                                 {"queue.buffering.max.messages", "100"}};
    pdr_kafka_options options = {
        .brokers = "127.0.0.1:1", .journal = "away", .settings = settings, .setting_count = 2};
    pdr_error err = {0};
    cr_assert_eq(pdr_kafka_log_open(&the_log, &options, &err), PDR_OK, "%s", err.message);
    give_up_at = seconds() + GUARD_S;
}

static void close_away(void)
{
    time_t begun = seconds();
    the_log->ops->close(the_log);
    cr_assert_leq(seconds() - begun, 60, "close must end in a bounded time");
}

TestSuite(kafka_away, .init = open_away, .fini = close_away);

static void pump(void)
{
    struct pollfd fd;
    int64_t due;
    cr_assert_leq(seconds(), give_up_at, "gave up waiting");
    if (the_log->ops->poll(the_log)) return;
    int used = the_log->ops->wait_on(the_log, &fd, 1, &due);
    int wait_ms = due > 100000 ? 100 : (int)((due + 999) / 1000);
    poll(&fd, (nfds_t)used, wait_ms);
}

typedef struct probe {
    pdr_log_writer *writer;
    size_t reports, broken;
    pdr_error failure;
    bool renew_when_broken;
} probe;

static void on_reports(void *context, const pdr_log_report *reports, size_t count)
{
    (void)reports;
    ((probe *)context)->reports += count;
}

static void on_broken(void *context, const pdr_error *error)
{
    probe *p = context;
    p->broken++;
    p->failure = *error;
    if (p->renew_when_broken) cr_assert_eq(the_log->ops->writer_renew(p->writer, NULL), PDR_OK);
}

static void open_writer(probe *p, int32_t partition)
{
    static const pdr_log_writer_events events = {on_reports, on_broken};
    pdr_error err = {0};
    cr_assert_eq(the_log->ops->writer_open(the_log, partition, &events, p, &p->writer, &err), PDR_OK, "%s",
                 err.message);
}

static pdr_code append(probe *p)
{
    pdr_log_entry entry = {.key = pdr_bytes_of("k", 1), .value = pdr_bytes_of("v", 1)};
    return the_log->ops->append(p->writer, &entry, 1, NULL);
}

static kafka_producer *producer_of(const probe *p)
{
    return ((kafka_writer *)p->writer)->producer;
}

static kafka_producer *shared(void)
{
    return ((pdr_kafka *)the_log)->shared;
}

static void fail_for_good(kafka_producer *producer)
{
    rd_kafka_test_fatal_error(producer->client.rk, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                              "by the test");
}

Test(kafka_away, info_and_check_say_so_in_the_time_given)
{
    pdr_log_info info;
    pdr_error err = {0};
    time_t begun = seconds();
    cr_assert_eq(the_log->ops->info(the_log, &info, 300, &err), PDR_UNAVAILABLE);
    cr_assert(strstr(err.message, "away.events"), "%s", err.message);
    cr_assert_eq(the_log->ops->check(the_log, 300, &err), PDR_UNAVAILABLE);
    cr_assert_leq(seconds() - begun, 60);
}

static pdr_error reader_failure;

static void on_records(void *context, const pdr_log_record *records, size_t count)
{
    (void)context, (void)records, (void)count;
    cr_assert_fail("a record from nowhere");
}

static void on_end(void *context, int64_t end)
{
    (void)context;
    cr_assert_fail("an end from nowhere: %lld", (long long)end);
}

static void on_failed(void *context, const pdr_error *error)
{
    (void)context;
    reader_failure = *error;
}

static pdr_log_reader *open_reader(int32_t partition, int64_t from)
{
    static const pdr_log_reader_events events = {on_records, on_end, on_failed};
    pdr_log_reader *reader = NULL;
    cr_assert_eq(the_log->ops->reader_open(the_log, partition, from, &events, NULL, &reader, NULL), PDR_OK);
    return reader;
}

Test(kafka_away, a_reader_fails_as_unavailable_after_the_set_time)
{
    const int64_t places[] = {0, 1000, PDR_LOG_TAIL(0), PDR_LOG_TAIL(7)};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        reader_failure = (pdr_error){0};
        pdr_log_reader *reader = open_reader(0, places[i]);
        while (!reader_failure.code)
            pump();
        cr_assert_eq(reader_failure.code, PDR_UNAVAILABLE);
        cr_assert(strstr(reader_failure.message, "300 ms"), "%s", reader_failure.message);
        the_log->ops->reader_close(reader);
    }
}

Test(kafka_away, a_paused_reader_does_not_fail_until_it_goes_on)
{
    reader_failure = (pdr_error){0};
    pdr_log_reader *reader = open_reader(0, 0);
    the_log->ops->reader_pause(reader, true);
    for (int i = 0; i < 8; i++)
        pump();
    cr_assert_eq(reader_failure.code, PDR_OK);
    the_log->ops->reader_pause(reader, false);
    while (!reader_failure.code)
        pump();
    the_log->ops->reader_close(reader);
}

Test(kafka_away, readers_of_one_partition_are_bounded_and_the_next_gets_busy)
{
    static const pdr_log_reader_events events = {on_records, on_end, on_failed};
    pdr_log_reader *readers[KAFKA_CLIENTS_MAX + 1];
    for (int i = 0; i < KAFKA_CLIENTS_MAX; i++)
        readers[i] = open_reader(0, 0);
    pdr_error err = {0};
    cr_assert_eq(the_log->ops->reader_open(the_log, 0, 0, &events, NULL, &readers[KAFKA_CLIENTS_MAX], &err),
                 PDR_BUSY);
    pdr_log_reader *other = open_reader(1, 0); /* of another partition shares a client */
    the_log->ops->reader_close(other);
    the_log->ops->reader_close(readers[0]);
    readers[0] = open_reader(0, 0);
    for (int i = 0; i < KAFKA_CLIENTS_MAX; i++)
        the_log->ops->reader_close(readers[i]);
}

Test(kafka_away, readers_of_many_partitions_share_a_few_clients)
{
    pdr_log_reader *readers[20];
    for (int i = 0; i < 20; i++)
        readers[i] = open_reader(i, 0);
    int clients = 0;
    for (kafka_consumer *c = ((pdr_kafka *)the_log)->consumers; c; c = c->next)
        clients++;
    cr_assert_eq(clients, KAFKA_CLIENTS_KEPT);
    for (int i = 0; i < 20; i++)
        the_log->ops->reader_close(readers[i]);
}

Test(kafka_away, a_full_queue_refuses_and_renewal_gives_an_empty_one)
{
    probe p = {0};
    open_writer(&p, 0);
    pdr_code code = PDR_OK;
    size_t taken = 0;
    for (; taken <= 100 && (code = append(&p)) == PDR_OK; taken++)
        cr_assert_eq(the_log->ops->poll(the_log), 0);
    cr_assert_eq(code, PDR_QUEUE_FULL);
    cr_assert_eq(taken, 100);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(the_log->ops->writer_renew(p.writer, NULL), PDR_OK);
        cr_assert_eq(append(&p), PDR_OK);
    }
    cr_assert_eq(p.reports, 0);
    the_log->ops->writer_close(p.writer);
}

Test(kafka_away, a_renewed_writer_moves_alone_and_the_shared_producer_goes_on)
{
    probe a = {0}, b = {0};
    open_writer(&a, 0);
    open_writer(&b, 1);
    kafka_producer *first = shared();
    cr_assert_eq(producer_of(&a), first);
    cr_assert_eq(producer_of(&b), first);
    cr_assert_eq(append(&a), PDR_OK);
    cr_assert_eq(append(&b), PDR_OK);
    cr_assert_eq(the_log->ops->writer_renew(a.writer, NULL), PDR_OK);
    kafka_producer *private_one = producer_of(&a);
    cr_assert_neq(private_one, first);
    cr_assert_eq(producer_of(&b), first);
    cr_assert_eq(shared(), first);
    cr_assert(!first->retired);
    cr_assert_eq(append(&a), PDR_OK);
    cr_assert_eq(the_log->ops->writer_renew(a.writer, NULL), PDR_OK);
    cr_assert_neq(producer_of(&a), first,
                  "a private producer that delivered nothing is replaced by a private one");
    the_log->ops->writer_close(a.writer);
    the_log->ops->writer_close(b.writer);
}

Test(kafka_away, a_writer_that_opens_on_a_partition_with_records_in_flight_starts_apart)
{
    probe a = {0}, b = {0};
    open_writer(&a, 0);
    cr_assert_eq(append(&a), PDR_OK);
    the_log->ops->writer_close(a.writer);
    open_writer(&a, 0);
    open_writer(&b, 1);
    cr_assert_neq(producer_of(&a), shared());
    cr_assert_eq(producer_of(&b), shared());
    the_log->ops->writer_close(a.writer);
    the_log->ops->writer_close(b.writer);
}

Test(kafka_away, a_fatal_shared_producer_breaks_each_of_its_writers_once_and_renewal_puts_them_on_a_new_one)
{
    probe on_it[3] = {{0}}, apart = {0};
    for (int i = 0; i < 3; i++)
        open_writer(&on_it[i], i);
    open_writer(&apart, 3);
    cr_assert_eq(append(&apart), PDR_OK);
    cr_assert_eq(the_log->ops->writer_renew(apart.writer, NULL), PDR_OK);
    kafka_producer *private_one = producer_of(&apart);
    cr_assert_eq(append(&on_it[0]), PDR_OK);
    fail_for_good(shared());
    while (!on_it[0].broken || !on_it[1].broken || !on_it[2].broken)
        pump();
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(on_it[i].failure.code, PDR_FATAL);
        cr_assert(strstr(on_it[i].failure.message, "by the test"), "%s", on_it[i].failure.message);
        cr_assert_eq(append(&on_it[i]), PDR_FATAL);
    }
    cr_assert_eq(apart.broken, 0);
    cr_assert_eq(producer_of(&apart), private_one);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(the_log->ops->writer_renew(on_it[i].writer, NULL), PDR_OK);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(producer_of(&on_it[i]), shared());
        cr_assert_eq(append(&on_it[i]), PDR_OK);
    }
    for (int i = 0; i < 5; i++)
        pump();
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(on_it[i].broken, 1);
        cr_assert_eq(on_it[i].reports, 0);
        the_log->ops->writer_close(on_it[i].writer);
    }
    the_log->ops->writer_close(apart.writer);
}

Test(kafka_away, a_fatal_private_producer_breaks_its_writer_only)
{
    probe a = {0}, b = {0};
    open_writer(&a, 0);
    open_writer(&b, 1);
    cr_assert_eq(append(&a), PDR_OK);
    cr_assert_eq(the_log->ops->writer_renew(a.writer, NULL), PDR_OK);
    fail_for_good(producer_of(&a));
    while (!a.broken)
        pump();
    cr_assert_eq(b.broken, 0);
    cr_assert_eq(append(&b), PDR_OK);
    cr_assert_eq(the_log->ops->writer_renew(a.writer, NULL), PDR_OK);
    cr_assert_neq(producer_of(&a), shared(), "the shared one still holds records of the partition");
    cr_assert_eq(append(&a), PDR_OK);
    the_log->ops->writer_close(a.writer);
    the_log->ops->writer_close(b.writer);
}

Test(kafka_away, writers_may_be_renewed_in_their_broken_callback)
{
    probe p[4] = {{0}};
    for (int i = 0; i < 4; i++) {
        p[i].renew_when_broken = true;
        open_writer(&p[i], i);
    }
    for (int round = 1; round <= 3; round++) {
        fail_for_good(shared());
        while (p[0].broken + p[1].broken + p[2].broken + p[3].broken < 4 * (size_t)round)
            pump();
        for (int i = 0; i < 4; i++) {
            cr_assert_eq(p[i].broken, (size_t)round);
            cr_assert_eq(producer_of(&p[i]), shared());
            cr_assert_eq(append(&p[i]), PDR_OK);
        }
    }
    for (int i = 0; i < 4; i++)
        the_log->ops->writer_close(p[i].writer);
}

/* librdkafka tells a batch that the broker had already with offsets -1, 0, 1, ...: none of them is the log's.
 */
Test(kafka_away, offsets_that_are_not_the_logs_are_reported_as_unknown)
{
    kafka_producer p = {.partitions = 1};
    uint32_t in_flight = 100;
    static const int64_t told[] = {7, 8, -1, 0, 1, 2, 9, 10, -1001, -1001, 11};
    static const int64_t wanted[] = {7, 8, -1, -1, -1, -1, 9, 10, -1, -1, 11};
    p.in_flight = &in_flight;
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        cr_assert_eq(kafka_producer_offset(&p, told[i]), wanted[i], "report %zu", i);
}
