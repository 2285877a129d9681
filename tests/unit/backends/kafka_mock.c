#include "tests/unit/backends/kafka_mock.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <time.h>

enum { GUARD_S = 60 };

static rd_kafka_t *home;
static rd_kafka_mock_cluster_t *cluster;
static time_t give_up_at;

static time_t seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

rd_kafka_mock_cluster_t *kafka_mock_begin(void)
{
    char reason[200];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
    home = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    cr_assert_not_null(home, "%s", reason);
    cluster = rd_kafka_mock_cluster_new(home, 1);
    cr_assert_not_null(cluster);
    rd_kafka_mock_topic_create(cluster, "in.events", 1, 1);
    give_up_at = seconds() + GUARD_S;
    return cluster;
}

void kafka_mock_end(void)
{
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(home);
}

void kafka_mock_guard(void)
{
    cr_assert_leq(seconds(), give_up_at, "gave up");
}

void kafka_mock_pump(pdr_log *log)
{
    kafka_mock_guard();
    if (!log->ops->poll(log)) poll(NULL, 0, 10);
}
