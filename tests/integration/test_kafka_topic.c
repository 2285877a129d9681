/* Claims about topics: what is refused, and what others may have written. */
#include "tests/integration/kafka_world.h"

#include <poll.h>

TestSuite(kafka_topic, .init = world_name, .fini = world_close);

static const char *const safe[] = {
    "cleanup.policy", "delete", "retention.ms", "-1", "retention.bytes", "-1", NULL};

/* The safe settings with one of them replaced, or one added. */
static void expect_refused(const char *name, const char *value)
{
    const char *settings[20] = {0};
    size_t count = 0;
    for (size_t i = 0; safe[i]; i += 2) {
        if (strcmp(safe[i], name) == 0) continue;
        settings[count++] = safe[i];
        settings[count++] = safe[i + 1];
    }
    settings[count++] = name;
    settings[count++] = value;
    world_create_raw(1, settings);
    world_open_log();
    pdr_error err = {0};
    cr_assert_eq(world.log->ops->check(world.log, WAIT_MS, &err), PDR_UNSAFE_SETTING, "%s=%s", name, value);
    char shown[200];
    snprintf(shown, sizeof shown, "%s=%s", name, value);
    cr_assert(strstr(err.message, shown), "%s", err.message);
    cr_assert(strstr(err.message, "wanted"), "%s", err.message);
    cr_assert(strstr(err.message, "kafka-configs.sh"), "%s", err.message);
    cr_assert_eq(world_create(1, NULL), PDR_UNSAFE_SETTING, "a topic that exists is checked by create too");
}

Test(kafka_topic, compaction_is_refused)
{
    expect_refused("cleanup.policy", "compact");
}

Test(kafka_topic, compaction_beside_deletion_is_refused)
{
    expect_refused("cleanup.policy", "compact,delete");
}

Test(kafka_topic, finite_retention_in_time_is_refused)
{
    expect_refused("retention.ms", "604800000");
}

Test(kafka_topic, finite_retention_in_bytes_is_refused)
{
    expect_refused("retention.bytes", "1000000000");
}

Test(kafka_topic, unclean_leader_election_is_refused)
{
    expect_refused("unclean.leader.election.enable", "true");
}

Test(kafka_topic, a_ceiling_below_the_producers_batches_is_refused)
{
    expect_refused("max.message.bytes", "999999");
}

Test(kafka_topic, the_brokers_defaults_are_refused_because_they_forget)
{
    world_create_raw(1, NULL);
    world_open_log();
    pdr_error err = {0};
    cr_assert_eq(world.log->ops->check(world.log, WAIT_MS, &err), PDR_UNSAFE_SETTING);
    cr_assert(strstr(err.message, "retention.ms"), "%s", err.message);
}

Test(kafka_topic, a_missing_topic_is_not_initialised_and_is_not_made_by_asking)
{
    pdr_error err = {0};
    pdr_log_info info;
    cr_assert_eq(world_try_open(NULL, 0, &world.log, &err), PDR_OK);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(world.log->ops->info(world.log, &info, WAIT_MS, &err), PDR_NOT_INITIALISED);
        cr_assert(strstr(err.message, world.topic), "%s", err.message);
        cr_assert_eq(world.log->ops->check(world.log, WAIT_MS, &err), PDR_NOT_INITIALISED);
    }
    cr_assert_eq(world_create(3, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(world.log->ops->info(world.log, &info, WAIT_MS, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(info.partitions, 3);
    cr_assert_str_eq(info.name, world.journal);
}

Test(kafka_topic, what_create_makes_is_safe_and_creating_it_again_changes_nothing)
{
    pdr_error err = {0};
    cr_assert_eq(world_create(5, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(world_create(5, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(world_create(6, &err), PDR_EXISTS);
    cr_assert(strstr(err.message, "with 5 partitions, not 6"), "%s", err.message);
    world_open_log();
    cr_assert_eq(world.log->ops->check(world.log, WAIT_MS, &err), PDR_OK, "%s", err.message);
}

Test(kafka_topic, create_makes_room_for_the_largest_batch_that_the_settings_allow)
{
    static const pdr_kafka_setting big[] = {{"message.max.bytes", "8000000"}};
    pdr_kafka_options options = {.brokers = getenv("PERDURE_TEST_KAFKA"),
                                 .journal = world.journal,
                                 .settings = big,
                                 .setting_count = 1};
    pdr_kafka_topic topic = {.partitions = 1, .retention_ms = -1};
    pdr_error err = {0};
    cr_assert_eq(pdr_kafka_log_create(&options, &topic, WAIT_MS, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(world_try_open(big, 1, &world.log, &err), PDR_OK);
    cr_assert_eq(world.log->ops->check(world.log, WAIT_MS, &err), PDR_OK, "%s", err.message);
    pdr_log *bigger = NULL;
    static const pdr_kafka_setting too_big[] = {{"message.max.bytes", "9000000"}};
    cr_assert_eq(world_try_open(too_big, 1, &bigger, &err), PDR_OK);
    cr_assert_eq(bigger->ops->check(bigger, WAIT_MS, &err), PDR_UNSAFE_SETTING);
    bigger->ops->close(bigger);
}

/* --- records of others --- */

typedef struct seen {
    const char *key, *value;
} seen;

static void check_foreign(reader_probe *probe, const pdr_log_record *record)
{
    const seen *wanted = (const seen *)probe->context + (probe->count - 1);
    pdr_bytes key = pdr_bytes_of(wanted->key, wanted->key ? strlen(wanted->key) : 0);
    pdr_bytes value = pdr_bytes_of(wanted->value, wanted->value ? strlen(wanted->value) : 0);
    cr_assert_eq(record->entry.key.data == NULL, key.data == NULL);
    cr_assert_eq(record->entry.value.data == NULL, value.data == NULL);
    cr_assert(pdr_bytes_equal(record->entry.key, key));
    cr_assert(pdr_bytes_equal(record->entry.value, value));
    cr_assert_null(record->entry.header.data);
    cr_assert_null(record->entry.schema.data);
    cr_assert_null(record->entry.trace.data);
}

Test(kafka_topic, foreign_records_come_with_what_they_have_and_without_our_header)
{
    static seen written[] = {{"k", "v"}, {NULL, "v"}, {"k", NULL}, {NULL, NULL}, {"", ""}};
    cr_assert_eq(world_create(1, NULL), PDR_OK);
    world_open_log();
    rd_kafka_t *rk = foreign_producer(NULL);
    for (size_t i = 0; i < 5; i++)
        foreign_write(rk, 0, written[i].key, written[i].value, i % 2 ? "header of theirs" : NULL);
    foreign_close(rk);
    reader_probe r = {.on_record = check_foreign, .context = written};
    read_to_end(&r, 0, 0);
    cr_assert_eq(r.count, 5);
    cr_assert_eq(r.end, 5);
}

Test(kafka_topic, an_open_foreign_transaction_holds_no_reader_up_and_its_markers_are_gaps)
{
    cr_assert_eq(world_create(1, NULL), PDR_OK);
    world_open_log();
    rd_kafka_t *rk = foreign_producer(world.journal);
    reader_probe r = {0};
    for (int i = 0; i < 2; i++) {
        cr_assert_null(rd_kafka_begin_transaction(rk));
        foreign_write(rk, 0, "k", "v", NULL);
        cr_assert_eq(rd_kafka_flush(rk, WAIT_MS), 0);
        read_to_end(&r, 0, 0); /* the transaction is open */
        cr_assert_eq(r.count, (size_t)i + 1);
        cr_assert_eq(r.last_offset, 2 * i);
        rd_kafka_error_t *error =
            i ? rd_kafka_abort_transaction(rk, WAIT_MS) : rd_kafka_commit_transaction(rk, WAIT_MS);
        cr_assert_null(error);
        do /* the marker follows the answer */
            read_to_end(&r, 0, 0);
        while (r.end < 2 * (i + 1));
        cr_assert_eq(r.end, 2 * (i + 1));
        cr_assert_eq(r.count, (size_t)i + 1, "markers are never delivered; aborted records are");
    }
    foreign_close(rk);
    read_to_end(&r, 0, 1); /* from a marker */
    cr_assert_eq(r.count, 1);
    cr_assert_eq(r.last_offset, 2);
    read_to_end(&r, 0, 4);
    cr_assert_eq(r.count, 0);
    cr_assert_eq(r.end, 4);
}

Test(kafka_topic, a_log_truncated_under_a_reader_is_out_of_range_for_the_next_one)
{
    writer_probe w;
    cr_assert_eq(world_create(1, NULL), PDR_OK);
    world_open_log();
    writer_start(&w, 0, 1000);
    while (w.next_tag < 1000)
        cr_assert_eq(write_next(&w, 100), PDR_OK);
    while (w.reports < 1000)
        world_pump();
    world_drop_below(0, 600);
    const int64_t below[] = {0, 1, 599};
    for (size_t i = 0; i < 3; i++) {
        reader_probe r = {0};
        reader_start(&r, 0, below[i]);
        while (!r.failure.code)
            world_pump();
        cr_assert_eq(r.failure.code, PDR_OUT_OF_RANGE, "%s", r.failure.message);
        cr_assert(strstr(r.failure.message, "partition 0"), "%s", r.failure.message);
        cr_assert_eq(r.count, 0);
        reader_stop(&r);
    }
    reader_probe r = {0};
    read_to_end(&r, 0, PDR_LOG_TAIL(5000));
    cr_assert_eq(r.count, 400);
    world_drop_below(0, 1000); /* nothing is left */
    read_to_end(&r, 0, PDR_LOG_TAIL(5000));
    cr_assert_eq(r.count, 0);
    cr_assert_eq(r.end, 1000);
    read_to_end(&r, 0, 1000);
    writer_stop(&w);
}

static void pause_at_first(reader_probe *probe, const pdr_log_record *record)
{
    (void)record;
    if (probe->count == 1) world.log->ops->reader_pause(probe->reader, true);
}

/* Records, an end, and records again wait in one batch; the reader is paused in the first callback. */
Test(kafka_topic, what_a_batch_still_held_when_the_reader_was_paused_comes_when_it_goes_on)
{
    enum { EACH = 5 };
    cr_assert_eq(world_create(1, NULL), PDR_OK);
    world_open_log();
    reader_probe r = {.on_record = pause_at_first};
    reader_start(&r, 0, 0);
    while (!r.ends)
        world_pump();
    for (int round = 0; round < 3; round++) {
        rd_kafka_t *rk = foreign_producer(NULL);
        for (int i = 0; i < EACH; i++)
            foreign_write(rk, 0, "k", "v", NULL);
        foreign_close(rk);
        poll(NULL, 0, 60); /* without polling the log */
    }
    while (!r.count)
        world_pump();
    cr_assert_leq(r.count, 3 * EACH);
    cr_assert_eq(r.ends, 1);
    world.log->ops->reader_pause(r.reader, false);
    while (r.end < 3 * EACH)
        world_pump();
    cr_assert_eq(r.count, 3 * EACH);
    reader_stop(&r);
}

Test(kafka_topic, a_topic_deleted_under_a_reader_is_not_initialised_and_what_was_appended_is_reported)
{
    static const pdr_kafka_setting soon[] = {{"reader.unavailable.ms", "1000"}};
    cr_assert_eq(world_create(1, NULL), PDR_OK);
    pdr_log_info info;
    cr_assert_eq(world_try_open(soon, 1, &world.log, NULL), PDR_OK);
    cr_assert_eq(world.log->ops->info(world.log, &info, WAIT_MS, NULL), PDR_OK);
    writer_probe w;
    writer_start(&w, 0, 10);
    cr_assert_eq(write_next(&w, 0), PDR_OK);
    reader_probe r = {0};
    reader_start(&r, 0, 0);
    while (!w.reports || !r.count)
        world_pump();
    world_delete_topic();
    cr_assert_eq(write_next(&w, 0), PDR_OK);
    while (w.reports < 2 || !r.failure.code)
        world_pump();
    cr_assert_eq(r.failure.code, PDR_NOT_INITIALISED, "%s", r.failure.message);
    reader_stop(&r);
    writer_stop(&w);
    cr_assert_eq(world_create(1, NULL), PDR_OK); /* for the suite's end */
}
