#include "journal/partitioner.h"

#include "base/mem.h"

/* MurmurHash2 (Austin Appleby, public domain), with the seed and the little-endian reading that Kafka's Java
 * client fixed. */
enum { MURMUR_R = 24 };
static const uint32_t MURMUR_M = 0x5bd1e995u;
static const uint32_t MURMUR_SEED = 0x9747b28cu;

static uint32_t word_at(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t murmur2(pdr_bytes key)
{
    const uint8_t *p = key.data;
    size_t left = key.size;
    uint32_t hash = MURMUR_SEED ^ (uint32_t)key.size;
    for (; left >= 4; p += 4, left -= 4) {
        uint32_t k = word_at(p) * MURMUR_M;
        hash = hash * MURMUR_M ^ (k ^ k >> MURMUR_R) * MURMUR_M;
    }
    if (left) {
        for (size_t i = left; i-- > 0;)
            hash ^= (uint32_t)p[i] << 8 * i;
        hash *= MURMUR_M;
    }
    hash = (hash ^ hash >> 13) * MURMUR_M;
    return hash ^ hash >> 15;
}

int32_t pdr_partition_of(pdr_bytes key, int32_t partitions)
{
    PDR_INVARIANT("partitions-are-positive", partitions > 0);
    return (int32_t)(murmur2(key) & 0x7fffffffu) % partitions;
}
