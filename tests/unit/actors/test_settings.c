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
