/* Projections whose target isn't a table: a C callback; and, with PERDURE_BANK=servers, a Kafka topic. */
#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bank_journal.h"
#include "base/url.h"
#include "projections/backends.h"
#include "schemas/framing.h"

enum { WAIT_MS = 120000, PARTITIONS = 3, MAX_SEEN = 2000 };

static bank_dir dir;
static pdr_journal *journal;
static char topic[80];

static void make(void)
{
    bank_dir_make(&dir, PARTITIONS);
    pdr_options options = bank_options(&dir, 1);
    journal = bank_open(&options);
    snprintf(topic, sizeof topic, "out-%s", strrchr(dir.url, '/') + 1);
}

static void unmake(void)
{
    pdr_journal_close(journal);
    bank_dir_remove(&dir);
}

static void deposit(const char *account, int64_t amount)
{
    pdr_answered answer;
    cr_assert_eq(bank_ask_deposit(journal, account, amount, &answer), PDR_OK);
}

static void name(const char *account, const char *owner, int32_t times)
{
    bank_name command = {pdr_string_of(owner), times};
    pdr_request_spec spec = {.entity = pdr_string_of(account), .type = &bank_name_type, .command = &command};
    pdr_answered answer;
    cr_assert_eq(pdr_ask(journal, &spec, 120000, &answer, NULL), PDR_OK);
}

/* --- Workers --- */

static pdr_worker_options options_of(void)
{
    return (pdr_worker_options){
        .abi_size = sizeof(pdr_worker_options), .journal = dir.url, .store = dir.store, .app = &bank_app};
}

/* One that projects all there is, then ends. Gives how many it parked. */
static uint64_t run(const pdr_worker_options *options)
{
    pdr_worker *worker;
    pdr_worker_status status;
    pdr_error err;
    bank_must(pdr_worker_open(&worker, options, &err), &err, "pdr_worker_open");
    bank_must(pdr_worker_catch_up(worker, WAIT_MS, &err), &err, "pdr_worker_catch_up");
    cr_assert_eq(pdr_worker_status_get(worker, &status, 1), 1);
    pdr_worker_close(worker);
    return status.parked;
}

static pdr_code take_version(void *context, const pdr_version_row *row, pdr_error *err)
{
    pdr_version_spec *spec = context;
    (void)err;
    spec->fingerprint = row->fingerprint;
    memcpy(spec->journal_id, row->journal_id, sizeof spec->journal_id);
    return PDR_OK;
}

/* What an operator does who wants all of it again. */
static void reset(const char *projection)
{
    pdr_url url = {0};
    pdr_views *views;
    pdr_error err;
    pdr_version_spec spec = {.projection = projection, .version = 1, .partitions = PARTITIONS};
    bank_must(pdr_url_parse_store(&url, dir.store, &err), &err, "url");
    bank_must(pdr_views_of_url(&views, &url, "", &err), &err, "views");
    bank_must(views->ops->versions(views, projection, take_version, &spec, &err), &err, "versions");
    bank_must(views->ops->reset(views, &spec, WAIT_MS, &err), &err, "reset");
    views->ops->close(views);
    pdr_url_release(&url);
}

/* --- What arrived --- */

typedef struct seen {
    char key[40], type[40];
    int partition;
    long long offset, part, seq;
    long long amount;
} seen;

static seen list[MAX_SEEN];
static size_t count;

static int compare(const seen *a, const seen *b)
{
    return a->offset != b->offset ? (a->offset < b->offset ? -1 : 1) : (int)(a->part - b->part);
}

/* Of each key, what wasn't there before comes in rising order of offset and part, without a gap in seq: this
 * is how a reader tells repeats. Gives how many there are without them. */
static size_t expect_order(void)
{
    size_t fresh = 0;
    for (size_t i = 0; i < count; i++) {
        const seen *newest = NULL;
        for (size_t j = 0; j < i; j++)
            if (strcmp(list[j].key, list[i].key) == 0 && (!newest || compare(newest, &list[j]) < 0))
                newest = &list[j];
        if (newest && compare(newest, &list[i]) >= 0) continue;
        fresh++;
        cr_expect_eq(list[i].seq, newest ? newest->seq + 1 : 1, "%s", list[i].key);
        if (newest) cr_expect_eq(list[i].partition, newest->partition);
    }
    return fresh;
}

/* --- A callback --- */

static void take(void *context, const pdr_projected *event, pdr_writer *out)
{
    (void)context;
    (void)out;
    cr_assert_lt(count, MAX_SEEN);
    seen *s = &list[count++];
    *s = (seen){.partition = event->partition,
                .offset = event->offset,
                .part = event->part,
                .seq = (long long)event->event.seq};
    snprintf(s->key, sizeof s->key, "%.*s", (int)event->entity.size, event->entity.data);
}

static const pdr_projection_type callback = {
    .abi_size = sizeof callback, .name = "callback", .version = 1, .handle = take};
static const pdr_projection_type *const types[] = {&callback};

TestSuite(callbacks, .init = make, .fini = unmake);

static void deposit_much(void)
{
    char account[40];
    for (int i = 0; i < 60; i++) {
        snprintf(account, sizeof account, "account/%d", i % 7);
        deposit(account, i + 1);
    }
    name("account/1", "Ada", 3);
}

Test(callbacks, a_callback_is_given_every_event_in_order)
{
    pdr_worker_options options = options_of();
    options.types = types;
    options.type_count = 1;
    deposit_much();
    cr_expect_eq(run(&options), 0);
    cr_expect_eq(count, 63);
    cr_expect_eq(expect_order(), 63);
    deposit("account/1", 5);
    run(&options);
    cr_expect_eq(count, 64, "what was committed isn't given again");
}

Test(callbacks, repeats_are_told_by_partition_offset_and_part)
{
    pdr_worker_options options = options_of();
    options.types = types;
    options.type_count = 1;
    deposit_much();
    run(&options);
    reset("callback");
    run(&options);
    cr_expect_eq(count, 2 * 63);
    cr_expect_eq(expect_order(), 63);
}

/* --- A topic --- */

static void make_on_servers(void)
{
    make();
    if (!bank_on_servers()) cr_skip_test("PERDURE_BANK isn't servers");
}

static rd_kafka_t *client(rd_kafka_type_t type)
{
    char reason[200];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", getenv("PERDURE_TEST_KAFKA"), reason, sizeof reason);
    if (type == RD_KAFKA_CONSUMER) {
        rd_kafka_conf_set(conf, "group.id", "targets", reason, sizeof reason);
        rd_kafka_conf_set(conf, "enable.partition.eof", "true", reason, sizeof reason);
    }
    rd_kafka_t *rk = rd_kafka_new(type, conf, reason, sizeof reason);
    cr_assert(rk, "%s", reason);
    return rk;
}

static void make_topic(const char *max_bytes)
{
    char reason[200];
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(topic, 2, 1, reason, sizeof reason);
    if (max_bytes) rd_kafka_NewTopic_set_config(wanted, "max.message.bytes", max_bytes);
    rd_kafka_CreateTopics(rk, &wanted, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);
    cr_assert(event && !rd_kafka_event_error(event));
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy(wanted);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

static long long number_of(const rd_kafka_headers_t *headers, const char *header)
{
    const void *value;
    size_t size;
    cr_assert_eq(rd_kafka_header_get_last(headers, header, &value, &size), 0, "%s", header);
    return atoll(value); /* librdkafka ends values with a NUL */
}

static long long amount_of(const rd_kafka_message_t *message, const char *type)
{
    uint64_t fingerprint;
    pdr_bytes datum;
    bank_deposited deposited;
    pdr_arena arena = PDR_ARENA_INIT(100000);
    pdr_bytes value = pdr_bytes_of(message->payload, message->len);
    cr_assert_eq(pdr_frame_read(&fingerprint, &datum, value, NULL), PDR_OK);
    if (strcmp(type, "test.account.Deposited") != 0) return 0;
    cr_assert_eq(fingerprint, bank_deposited_type.fingerprint);
    cr_assert_eq(bank_deposited_type.decode(datum, &arena, &deposited, NULL), PDR_OK);
    pdr_arena_release(&arena);
    return deposited.amount;
}

static void take_message(const rd_kafka_message_t *message)
{
    const void *type;
    size_t size;
    rd_kafka_headers_t *headers;
    cr_assert_lt(count, MAX_SEEN);
    seen *s = &list[count++];
    cr_assert_eq(rd_kafka_message_headers(message, &headers), 0);
    cr_assert_eq(rd_kafka_header_get_last(headers, "event-type", &type, &size), 0);
    *s = (seen){.partition = message->partition,
                .offset = number_of(headers, "source-offset"),
                .part = number_of(headers, "source-part"),
                .seq = number_of(headers, "event-seq")};
    cr_expect_gt(number_of(headers, "event-time"), 1000000);
    cr_expect_eq(number_of(headers, "source-parts"), 1);
    cr_expect_lt(number_of(headers, "source-partition"), PARTITIONS);
    snprintf(s->key, sizeof s->key, "%.*s", (int)message->key_len, (const char *)message->key);
    snprintf(s->type, sizeof s->type, "%s", (const char *)type);
    s->amount = amount_of(message, s->type);
}

static void read_topic(void)
{
    bool ended[2] = {false, false};
    rd_kafka_t *rk = client(RD_KAFKA_CONSUMER);
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(2);
    for (int32_t i = 0; i < 2; i++)
        rd_kafka_topic_partition_list_add(all, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(rk, all);
    count = 0;
    while (!ended[0] || !ended[1]) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, WAIT_MS);
        cr_assert(message, "nothing more, and no end");
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            ended[message->partition] = true;
        else if (!message->err)
            take_message(message);
        rd_kafka_message_destroy(message);
    }
    rd_kafka_topic_partition_list_destroy(all);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
}

static char file[100];
static const char *const files[] = {file};

/* A worker of the file with this text. */
static pdr_worker_options options_with(const char *text)
{
    pdr_worker_options options = options_of();
    snprintf(file, sizeof file, "/tmp/perdure-targets-%d.sql", (int)getpid());
    FILE *out = fopen(file, "w");
    fprintf(out, text, topic);
    fclose(out);
    options.files = files;
    options.file_count = 1;
    return options;
}

static void unmake_file(void)
{
    if (*file) unlink(file);
    unmake();
}

TestSuite(topics, .init = make_on_servers, .fini = unmake_file);

Test(topics, every_event_is_a_message_in_its_entity_s_order)
{
    pdr_worker_options options = options_with("projection bank_out version 1;\nto topic '%s';\n");
    make_topic(NULL);
    deposit_much();
    cr_expect_eq(run(&options), 0);
    read_topic();
    cr_expect_eq(count, 63);
    cr_expect_eq(expect_order(), 63);
    long long sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += list[i].amount;
    cr_expect_eq(sum, 60 * 61 / 2);
}

Test(topics, what_is_sent_again_is_told)
{
    pdr_worker_options options = options_with("projection bank_out version 1;\nto topic '%s';\n");
    make_topic(NULL);
    deposit_much();
    run(&options);
    run(&options);
    reset("bank_out");
    run(&options);
    read_topic();
    cr_expect_eq(count, 2 * 63);
    cr_expect_eq(expect_order(), 63);
}

Test(topics, rules_choose_what_is_sent)
{
    pdr_worker_options options = options_with("projection bank_out version 1;\nto topic '%s';\non "
                                              "test.account.Deposited when event.amount > 50 send;\n");
    make_topic(NULL);
    deposit_much();
    run(&options);
    read_topic();
    cr_expect_eq(count, 10);
    for (size_t i = 0; i < count; i++)
        cr_expect_gt(list[i].amount, 50);
}

Test(topics, a_message_that_the_broker_refuses_is_parked_and_others_go_on)
{
    static char owner[30000];
    pdr_worker_options options = options_with("projection bank_out version 1;\nto topic '%s';\n");
    make_topic("20000");
    memset(owner, 'x', sizeof owner - 1);
    deposit("account/1", 1);
    deposit("account/2", 2);
    name("account/1", owner, 1);
    deposit("account/1", 3);
    deposit("account/2", 4);
    cr_expect_eq(run(&options), 2);
    read_topic();
    long long last[3] = {0};
    for (size_t i = 0; i < count; i++)
        last[list[i].key[8] - '0'] = list[i].seq;
    cr_expect_eq(last[1], 1, "the later one waits behind it");
    cr_expect_eq(last[2], 2);
    cr_expect_eq(expect_order(), 3);
}

Test(topics, a_topic_that_is_not_there_is_refused)
{
    pdr_worker_options options = options_with("projection bank_out version 1;\nto topic '%s';\n");
    pdr_worker *worker;
    pdr_error err;
    cr_expect_eq(pdr_worker_open(&worker, &options, &err), PDR_NOT_FOUND);
    cr_expect(strstr(err.message, topic), "%s", err.message);
}

static void restart_broker(void)
{
    char command[300];
    const char *dev = getenv("PERDURE_TEST_DEV");
    if (!dev || !*dev) cr_skip_test("PERDURE_TEST_DEV isn't set");
    snprintf(command, sizeof command, "%s services restart kafka --hard >/dev/null 2>&1", dev);
    cr_assert_eq(system(command), 0, "%s", command);
}

/* A tell may fail with the broker; what counts is what the entities have. */
static uint64_t events_of_accounts(void)
{
    uint64_t events = 0, seq;
    char account[40];
    for (int i = 0; i < 7; i++) {
        snprintf(account, sizeof account, "account/%d", i);
        (void)bank_balance(journal, account, &seq);
        events += seq;
    }
    return events;
}

Test(topics, nothing_is_lost_or_out_of_order_when_the_broker_is_killed)
{
    enum { MANY = 400 };
    pdr_worker_options options = options_with("projection bank_out version 1;\nto topic '%s';\n");
    pdr_worker *worker;
    pdr_error err;
    char account[40];
    make_topic(NULL);
    bank_must(pdr_worker_open(&worker, &options, &err), &err, "pdr_worker_open");
    for (int i = 0; i < MANY; i++) {
        bank_deposit command = {i + 1};
        snprintf(account, sizeof account, "account/%d", i % 7);
        bank_must(pdr_tell(journal, account, &bank_deposit_type, &command, &err), &err, "pdr_tell");
    }
    restart_broker();
    deposit_much();
    bank_must(pdr_journal_drain(journal, WAIT_MS, &err), &err, "pdr_journal_drain");
    uint64_t events = events_of_accounts(); /* before: all of this must have been passed */
    bank_must(pdr_worker_catch_up(worker, WAIT_MS, &err), &err, "pdr_worker_catch_up");
    pdr_worker_close(worker);
    read_topic();
    cr_expect_geq(events, 63);
    cr_expect_geq(count, events);
    size_t fresh = expect_order();
    cr_expect_eq(fresh, events, "%zu messages, %zu of them fresh, %zu events", count, fresh, (size_t)events);
}
