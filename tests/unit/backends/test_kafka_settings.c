/* Claims about settings, names and a broker that isn't there: no server is needed. */
#include <criterion/criterion.h>

#include "backends/kafka/kafka_log.h"

/* Nothing listens there. */
static const char NOWHERE[] = "127.0.0.1:1";

static pdr_code open_with(const char *name, const char *value, pdr_error *err)
{
    pdr_kafka_setting setting = {name, value};
    pdr_kafka_options options = {
        .brokers = NOWHERE, .journal = "j", .settings = &setting, .setting_count = name ? 1 : 0};
    pdr_log *log = NULL;
    pdr_code code = pdr_kafka_log_open(&log, &options, err);
    cr_assert_eq(code == PDR_OK, log != NULL);
    if (log) log->ops->close(log);
    return code;
}

Test(kafka_settings, what_perdure_rests_on_is_refused_by_name_with_the_reason)
{
    static const char *const fixed[][2] = {
        {"bootstrap.servers", "elsewhere:9092"},
        {"metadata.broker.list", "elsewhere:9092"},
        {"test.mock.num.brokers", "3"},
        {"enable.idempotence", "false"},
        {"enable.gapless.guarantee", "false"},
        {"acks", "1"},
        {"acks", "all"},
        {"request.required.acks", "0"},
        {"retries", "0"},
        {"message.send.max.retries", "3"},
        {"message.timeout.ms", "1000"},
        {"delivery.timeout.ms", "1000"},
        {"transactional.id", "t"},
        {"queuing.strategy", "lifo"},
        {"partitioner", "random"},
        {"delivery.report.only.error", "true"},
        {"produce.offset.report", "false"},
        {"enabled_events", "255"},
        {"log.queue", "true"},
        {"group.id", "g"},
        {"group.instance.id", "i"},
        {"enable.auto.commit", "true"},
        {"auto.commit.enable", "true"},
        {"enable.auto.offset.store", "true"},
        {"offset.store.method", "file"},
        {"isolation.level", "read_committed"},
        {"auto.offset.reset", "latest"},
        {"check.crcs", "false"},
        {"enable.partition.eof", "false"},
        {"allow.auto.create.topics", "true"},
        {"client.rack", "r"},
    };
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        pdr_error err = {0};
        cr_assert_eq(open_with(fixed[i][0], fixed[i][1], &err), PDR_UNSAFE_SETTING, "%s", fixed[i][0]);
        cr_assert(strstr(err.message, fixed[i][0]), "%s", err.message);
        cr_assert(strstr(err.message, ": "), "%s: no reason in %s", fixed[i][0], err.message);
    }
}

Test(kafka_settings, unknown_names_and_bad_values_are_refused_with_librdkafkas_reason)
{
    static const char *const bad[][2] = {
        {"no.such.setting", "1"},
        {"", "1"},
        {"linger.ms", "soon"},
        {"linger.ms", "-5"},
        {"compression.codec", "rar"},
        {"security.protocol", "carrier-pigeon"},
        {"queue.buffering.max.messages", "-1"},
        {"dr_msg_cb", "0"},
        {"batch.size", "0"},
        {"reader.unavailable.ms", "99"},
        {"reader.unavailable.ms", "3600001"},
        {"reader.unavailable.ms", "5s"},
        {"reader.unavailable.ms", ""},
        {"ssl.ca.location", "/no/such/file"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pdr_error err = {0};
        const char *name = bad[i][0], *value = bad[i][1];
        if (strcmp(name, "ssl.ca.location") == 0) {
            pdr_kafka_setting both[2] = {{name, value}, {"security.protocol", "ssl"}};
            pdr_kafka_options options = {
                .brokers = NOWHERE, .journal = "j", .settings = both, .setting_count = 2};
            pdr_log *log = NULL;
            cr_assert_eq(pdr_kafka_log_open(&log, &options, &err), PDR_BAD_SETTING, "%s", err.message);
        } else {
            cr_assert_eq(open_with(name, value, &err), PDR_BAD_SETTING, "%s=%s", name, value);
        }
        cr_assert(strlen(err.message) > 10, "%s=%s: %s", name, value, err.message);
    }
}

Test(kafka_settings, settings_of_either_kind_of_client_and_of_tls_and_sasl_pass_through)
{
    static const char *const good[][2] = {
        {"linger.ms", "5"},
        {"compression.codec", "lz4"},
        {"queue.buffering.max.messages", "1000"},
        {"fetch.wait.max.ms", "50"},
        {"queued.max.messages.kbytes", "1024"},
        {"client.id", "loans"},
        {"security.protocol", "ssl"},
        {"sasl.mechanism", "PLAIN"},
        {"sasl.username", "u"},
        {"ssl.endpoint.identification.algorithm", "https"},
        {"reader.unavailable.ms", "100"},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        pdr_error err = {0};
        cr_assert_eq(open_with(good[i][0], good[i][1], &err), PDR_OK, "%s: %s", good[i][0], err.message);
    }
}

Test(kafka_settings, settings_that_do_not_go_together_are_refused_at_open)
{
    pdr_error err = {0};
    cr_assert_eq(open_with("max.in.flight.requests.per.connection", "100", &err), PDR_BAD_SETTING);
    cr_assert(strstr(err.message, "max.in.flight"), "%s", err.message);
}

Test(kafka_settings, a_setting_without_name_or_value_is_refused)
{
    pdr_kafka_setting settings[2] = {{"linger.ms", NULL}, {NULL, "1"}};
    for (int i = 0; i < 2; i++) {
        pdr_kafka_options options = {
            .brokers = NOWHERE, .journal = "j", .settings = &settings[i], .setting_count = 1};
        pdr_log *log = NULL;
        cr_assert_eq(pdr_kafka_log_open(&log, &options, NULL), PDR_INVALID_ARGUMENT);
    }
}

Test(kafka_settings, bad_journal_names_and_missing_brokers_are_refused)
{
    char long_name[300];
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    const char *const names[] = {NULL, "", "a b", "a/b", "ä", "a\n", long_name};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        pdr_kafka_options options = {.brokers = NOWHERE, .journal = names[i]};
        pdr_log *log = NULL;
        pdr_error err = {0};
        cr_assert_eq(pdr_kafka_log_open(&log, &options, &err), PDR_BAD_URL, "name %zu", i);
        cr_assert(err.message[0]);
    }
    const char *const brokers[] = {NULL, ""};
    for (size_t i = 0; i < 2; i++) {
        pdr_kafka_options options = {.brokers = brokers[i], .journal = "j"};
        pdr_log *log = NULL;
        cr_assert_eq(pdr_kafka_log_open(&log, &options, NULL), PDR_BAD_URL);
    }
}

Test(kafka_settings, the_longest_journal_name_is_taken_whole)
{
    char name[300];
    for (size_t size = 240; size < 246; size++) {
        memset(name, 'a', size);
        name[size] = '\0';
        pdr_kafka_options options = {.brokers = NOWHERE, .journal = name};
        pdr_log *log = NULL;
        pdr_code code = pdr_kafka_log_open(&log, &options, NULL);
        cr_assert_eq(code, size <= 242 ? PDR_OK : PDR_BAD_URL, "%zu letters", size);
        if (log) log->ops->close(log);
    }
}

static size_t lines;

static void count_line(void *context, int level, const char *message)
{
    cr_assert_eq(context, &lines);
    cr_assert(level >= 0 && level <= 7);
    cr_assert(message[0]);
    __atomic_add_fetch(&lines, 1, __ATOMIC_RELAXED);
}

Test(kafka_settings, librdkafkas_log_lines_go_to_the_trace_callback)
{
    pdr_kafka_options options = {
        .brokers = NOWHERE, .journal = "j", .trace = count_line, .trace_context = &lines};
    pdr_log *log = NULL;
    pdr_log_info info;
    cr_assert_eq(pdr_kafka_log_open(&log, &options, NULL), PDR_OK);
    cr_assert_eq(log->ops->info(log, &info, 500, NULL), PDR_UNAVAILABLE);
    log->ops->close(log);
    cr_assert_gt(__atomic_load_n(&lines, __ATOMIC_RELAXED), 0);
}

Test(kafka_settings, a_topic_that_can_not_be_made_safe_is_refused_before_any_broker_is_asked)
{
    pdr_kafka_options options = {.brokers = NOWHERE, .journal = "j"};
    static const struct {
        pdr_kafka_topic topic;
        pdr_code code;
    } bad[] = {
        {{.partitions = 0, .retention_ms = -1}, PDR_INVALID_ARGUMENT},
        {{.partitions = -1, .retention_ms = -1}, PDR_INVALID_ARGUMENT},
        {{.partitions = 4097, .retention_ms = -1}, PDR_INVALID_ARGUMENT},
        {{.partitions = 1, .replication = -1, .retention_ms = -1}, PDR_INVALID_ARGUMENT},
        {{.partitions = 1, .replication = 40000, .retention_ms = -1}, PDR_INVALID_ARGUMENT},
        {{.partitions = 1, .retention_ms = 86400000}, PDR_UNSAFE_SETTING},
        {{.partitions = 1, .retention_ms = 0}, PDR_UNSAFE_SETTING},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pdr_error err = {0};
        cr_assert_eq(pdr_kafka_log_create(&options, &bad[i].topic, 300, &err), bad[i].code, "topic %zu", i);
        cr_assert(err.message[0]);
    }
    static const pdr_kafka_topic good = {.partitions = 1, .retention_ms = -1};
    cr_assert_eq(pdr_kafka_log_create(&options, &good, 300, NULL), PDR_UNAVAILABLE);
}
