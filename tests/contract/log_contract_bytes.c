/* Claims about what a record's bytes look like when they come back, and what the log says about itself. */
#include "tests/contract/log_contract.h"

#include <stdlib.h>

static void one_partition(void)
{
    log_world_open(1);
}

TestSuite(log_bytes, .init = one_partition, .fini = log_world_close);

static void expect_bytes(pdr_bytes got, pdr_bytes wanted, const char *what, int index)
{
    cr_assert_eq(got.data == NULL, wanted.data == NULL, "%s of record %d: null and empty were mixed up", what,
                 index);
    cr_assert(pdr_bytes_equal(got, wanted), "%s of record %d differs", what, index);
}

static void expect_entry(const pdr_log_entry *got, const pdr_log_entry *wanted, int index)
{
    expect_bytes(got->key, wanted->key, "key", index);
    expect_bytes(got->value, wanted->value, "value", index);
    expect_bytes(got->header, wanted->header, "header", index);
    expect_bytes(got->schema, wanted->schema, "schema", index);
    expect_bytes(got->trace, wanted->trace, "trace", index);
}

static void round_trip(const pdr_log_entry *entries, int count)
{
    writer_probe w = {0};
    reader_probe r = {0};
    probe_writer_open(&w, 0, 0);
    for (int i = 0; i < count; i++)
        cr_assert_eq(probe_append_entry(&w, &entries[i]), PDR_OK);
    PUMP_UNTIL(w.count >= (size_t)count);
    probe_reader_open(&r, 1, 0, 0);
    PUMP_UNTIL(r.count >= (size_t)count);
    for (int i = 0; i < count; i++)
        expect_entry(&r.records[i].entry, &entries[i], i);
    probe_reader_close(&r);
    probe_writer_close(&w);
}

/* Every way in which each of the five parts can be there, be empty or be absent. */
Test(log_bytes, null_empty_and_full_parts_stay_apart)
{
    static const uint8_t full[] = {0x00, 0xff, 'a', 0x00, 0x80, 0xc3};
    const pdr_bytes forms[3] = {{NULL, 0}, {full, 0}, {full, sizeof full}};
    static pdr_log_entry entries[243];
    for (int i = 0; i < 243; i++) {
        entries[i] = (pdr_log_entry){.key = forms[i % 3],
                                     .value = forms[i / 3 % 3],
                                     .header = forms[i / 9 % 3],
                                     .schema = forms[i / 27 % 3],
                                     .trace = forms[i / 81 % 3]};
    }
    round_trip(entries, 243);
}

Test(log_bytes, every_byte_value_comes_back_in_every_part)
{
    static uint8_t all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    pdr_bytes bytes = {all, sizeof all};
    const pdr_log_entry entry = {bytes, bytes, bytes, bytes, bytes};
    round_trip(&entry, 1);
}

Test(log_bytes, the_longest_key_and_big_values_come_back)
{
    size_t size = pdr_log_subject_get()->max_value;
    uint8_t *big = malloc(size);
    cr_assert_not_null(big);
    for (size_t i = 0; i < size; i++)
        big[i] = (uint8_t)(i * 2654435761u >> 13);
    pdr_log_entry entries[4] = {
        {.key = {big, PDR_LOG_MAX_KEY}, .value = {big, size}, .header = {big, 300}},
        {.key = {big, 1}, .value = {big, size / 2}},
        {.key = {big, 2}, .value = {big, 65536}, .header = {big, 2000}, .schema = {big, 100000}},
        {.key = {big, 2}, .value = {big, size}, .trace = {big, 55}},
    };
    round_trip(entries, 4);
    free(big);
}

static uint8_t changing[64];

Test(log_bytes, append_copies_what_it_is_given)
{
    writer_probe w = {0};
    reader_probe r = {0};
    probe_writer_open(&w, 0, 0);
    for (int i = 0; i < 10; i++) {
        memset(changing, 'a' + i, sizeof changing);
        pdr_log_entry entry = {.key = {changing, 5}, .value = {changing, 60}, .header = {changing, 64}};
        cr_assert_eq(probe_append_entry(&w, &entry), PDR_OK);
        memset(changing, 0, sizeof changing);
    }
    probe_reader_open(&r, 1, 0, 0);
    PUMP_UNTIL(r.count >= 10);
    for (int i = 0; i < 10; i++) {
        cr_assert_eq(r.records[i].entry.value.data[59], 'a' + i);
        cr_assert_eq(r.records[i].entry.header.data[63], 'a' + i);
        cr_assert_geq(r.records[i].append_ms, i ? r.records[i - 1].append_ms - 60000 : 0);
    }
    probe_reader_close(&r);
    probe_writer_close(&w);
}

Test(log_bytes, info_tells_partitions_and_name_and_check_finds_the_settings_safe)
{
    pdr_log *log = log_world_log(0);
    pdr_log_info info;
    pdr_error err = {0};
    memset(&info, 0xff, sizeof info);
    cr_assert_eq(log->ops->info(log, &info, 60000, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(info.partitions, 1);
    cr_assert_not_null(memchr(info.name, 0, sizeof info.name));
    cr_assert(info.name[0]);
    cr_assert_eq(log->ops->check(log, 60000, &err), PDR_OK, "%s", err.message);
    cr_assert_not_null(log->ops->name);
}
