#include <criterion/criterion.h>
#include <stdlib.h>

#include "actors/options.h"
#include "base/mem.h"

static pdr_options full(void)
{
    static const int32_t partitions[] = {2, 0};
    static const pdr_setting settings[] = {{"kafka.security.protocol", "ssl"}, {"snapshot.events", "7"}};
    pdr_options options = PDR_OPTIONS_INIT;
    options.journal = "kafka://a,b:9093/loans?kafka.linger.ms=5&snapshot.events=6&topic.replication=3";
    options.store = "postgres://u@h/db?schema=s";
    options.partitions = partitions;
    options.partition_count = 2;
    options.settings = settings;
    options.setting_count = 2;
    options.workers = 3;
    options.address = "here:1";
    return options;
}

Test(options, a_plan_has_everything_and_options_win_over_the_url)
{
    pdr_options options = full();
    pdr_plan plan;
    cr_assert_eq(pdr_plan_init(&plan, &options, NULL), PDR_OK);
    cr_assert_str_eq(plan.backends.log.brokers, "a:9092,b:9093");
    cr_assert_str_eq(plan.backends.log.name, "loans");
    cr_assert_str_eq(plan.backends.store.schema, "s");
    cr_assert(plan.backends.has_store);
    cr_assert_eq(plan.backends.passed_count, 2);
    cr_assert_str_eq(plan.backends.passed[0].name, "linger.ms");
    cr_assert_str_eq(plan.backends.passed[1].name, "security.protocol");
    cr_assert_str_eq(plan.backends.passed[1].value, "ssl");
    cr_assert_eq(plan.backends.replication, 3);
    cr_assert_eq(plan.settings.owner.snapshot_events, 7);
    cr_assert_eq(plan.settings.owner.scan_limit, 1000000, "a default");
    cr_assert_eq(plan.partition_count, 2);
    cr_assert_eq(plan.partitions[0], 2);
    cr_assert_not(plan.own_all);
    cr_assert_str_eq(plan.address, "here:1");
    cr_assert_not_null(plan.app);
    cr_assert_eq(plan.app->entity_count, 0);
    cr_assert_eq(pdr_plan_check_partitions(&plan, 3, NULL), PDR_OK);
    cr_assert_eq(pdr_plan_check_partitions(&plan, 2, NULL), PDR_INVALID_ARGUMENT);
    pdr_plan_release(&plan);
}

Test(options, a_process_has_an_address_if_none_is_given)
{
    pdr_options options = full();
    options.address = NULL;
    pdr_plan plan;
    cr_assert_eq(pdr_plan_init(&plan, &options, NULL), PDR_OK);
    cr_assert_not_null(strchr(plan.address, '/'));
    pdr_plan_release(&plan);
}

Test(options, a_kafka_journal_has_no_store_of_its_own)
{
    pdr_options options = full();
    options.store = NULL;
    unsetenv("PERDURE_STORE");
    pdr_plan plan;
    cr_assert_eq(pdr_plan_init(&plan, &options, NULL), PDR_OK);
    cr_assert_not(plan.backends.has_store);
    pdr_store *store;
    cr_assert_eq(pdr_backends_store_open(&plan.backends, &store, NULL), PDR_BAD_URL);
    pdr_plan_release(&plan);
}

Test(options, a_list_of_no_partitions_owns_none)
{
    pdr_options options = full();
    options.partition_count = 0;
    pdr_plan plan;
    cr_assert_eq(pdr_plan_init(&plan, &options, NULL), PDR_OK);
    cr_assert_not(plan.own_all);
    cr_assert_eq(plan.partition_count, 0);
    pdr_plan_release(&plan);
}

Test(options, every_allocation_may_fail)
{
    pdr_options options = full();
    pdr_code code = PDR_NOMEM;
    uint64_t nth = 0;
    while (code == PDR_NOMEM) {
        pdr_plan plan;
        pdr_mem_fail_at(++nth);
        code = pdr_plan_init(&plan, &options, NULL);
        pdr_mem_fail_at(0);
        pdr_plan_release(&plan);
    }
    cr_assert_eq(code, PDR_OK);
    cr_assert_gt(nth, 10);
}
