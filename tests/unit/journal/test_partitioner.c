#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>

#include "journal/partitioner.h"

/* Values of Utils.murmur2 in Kafka's own tests (UtilsTest.testMurmur2); with INT32_MAX partitions the
 * partition is the hash without its sign bit. */
Test(partitioner, the_hash_is_that_of_javas_client)
{
    static const struct {
        const char *key;
        int32_t hash;
    } known[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        pdr_bytes key = pdr_bytes_of(known[i].key, strlen(known[i].key));
        cr_assert_eq(pdr_partition_of(key, INT32_MAX), known[i].hash & INT32_MAX, "%s", known[i].key);
    }
}

Test(partitioner, agrees_with_librdkafkas_murmur2_for_every_length_and_byte_value)
{
    uint8_t key[300];
    uint32_t state = 1;
    for (size_t size = 0; size <= sizeof key; size++) {
        for (size_t i = 0; i < size; i++)
            key[i] = (uint8_t)((state = state * 1664525u + 1013904223u) >> 24);
        static const int32_t counts[] = {1, 2, 3, 8, 12, 4096};
        for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
            cr_assert_eq(pdr_partition_of(pdr_bytes_of(key, size), counts[i]),
                         rd_kafka_msg_partitioner_murmur2(NULL, key, size, counts[i], NULL, NULL));
    }
}

Test(partitioner, an_entity_stays_where_it_is_and_entities_spread)
{
    int filled[8] = {0};
    for (int i = 0; i < 8000; i++) {
        char key[32];
        int size = snprintf(key, sizeof key, "loan/%d", 100000 + i);
        int32_t partition = pdr_partition_of(pdr_bytes_of(key, (size_t)size), 8);
        cr_assert(partition >= 0 && partition < 8);
        filled[partition]++;
    }
    for (int p = 0; p < 8; p++)
        cr_assert(filled[p] > 800 && filled[p] < 1200, "%d of 8000 in partition %d", filled[p], p);
}
