#include <criterion/criterion.h>

#include "actors/settings.h"

Test(settings, every_default_lies_in_its_range)
{
    for (size_t i = 0; i < pdr_settings_table.count; i++) {
        const pdr_config_row *row = &pdr_settings_table.rows[i];
        cr_assert(row->min <= row->by && row->by <= row->max, "%s", row->name);
        cr_assert(row->max <= INT64_MAX / row->scale, "%s", row->name);
        cr_assert(row->kind != PDR_CONFIG_U32 || row->max <= UINT32_MAX, "%s", row->name);
    }
}

Test(settings, names_and_places_are_distinct)
{
    for (size_t i = 0; i < pdr_settings_table.count; i++)
        for (size_t j = 0; j < i; j++) {
            cr_assert_str_neq(pdr_settings_table.rows[i].name, pdr_settings_table.rows[j].name);
            cr_assert_neq(pdr_settings_table.rows[i].offset, pdr_settings_table.rows[j].offset);
        }
}

Test(settings, defaults_are_the_owners_own)
{
    pdr_settings by_table;
    pdr_owner_settings own;
    memset(&by_table, 0, sizeof by_table);
    memset(&own, 0, sizeof own);
    pdr_config_defaults(&pdr_settings_table, &by_table);
    pdr_owner_settings_init(&own);
    cr_assert_eq(by_table.owner.delivery_timeout_us, own.delivery_timeout_us);
    cr_assert_eq(by_table.owner.store_timeout_us, own.store_timeout_us);
    cr_assert_eq(by_table.owner.snapshot_age_us, own.snapshot_age_us);
    cr_assert_eq(by_table.owner.snapshot_events, own.snapshot_events);
    cr_assert_eq(by_table.owner.scan_limit, own.scan_limit);
    cr_assert_eq(by_table.owner.tail_bytes, own.tail_bytes);
    cr_assert_eq(by_table.owner.max_commands, own.max_commands);
    cr_assert_eq(by_table.owner.max_entity_commands, own.max_entity_commands);
    cr_assert_eq(by_table.owner.lookup_batch, own.lookup_batch);
    cr_assert_eq(by_table.owner.lookup_permits, own.lookup_permits);
    cr_assert_eq(by_table.owner.save_batch, own.save_batch);
    cr_assert_eq(by_table.owner.resident_bytes, own.resident_bytes);
    cr_assert_eq(by_table.owner.idle_us, own.idle_us);
    cr_assert_eq(by_table.owner.backoff_min_us, own.backoff_min_us);
    cr_assert_eq(by_table.owner.backoff_max_us, own.backoff_max_us);
    cr_assert_eq(by_table.owner.checkpointing, own.checkpointing);
    cr_assert_eq(by_table.owner.check_handlers, own.check_handlers);
}
