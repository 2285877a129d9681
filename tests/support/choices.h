/* Where something that is made at random takes its choices from: a number, or bytes (a fuzzer's input). */
#ifndef PDR_TESTS_CHOICES_H
#define PDR_TESTS_CHOICES_H

#include <stddef.h>
#include <stdint.h>

typedef struct choices {
    const uint8_t *at, *end; /* bytes left; at NULL: choices come from `state` */
    uint64_t state;
} choices;

static inline choices choices_of_seed(uint64_t seed)
{
    return (choices){NULL, NULL, seed};
}

static inline choices choices_of_bytes(const uint8_t *data, size_t size)
{
    return (choices){data, data + size, 0};
}

static inline uint64_t choices_draw(choices *c)
{
    c->state += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    uint64_t z = c->state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 to count - 1, count at most 256; 0 for ever once the bytes have come to their end. */
static inline unsigned choose(choices *c, unsigned count)
{
    if (!c->at) return (unsigned)(choices_draw(c) % count);
    return c->at < c->end ? *c->at++ % count : 0;
}

static inline uint64_t choose_bits(choices *c)
{
    if (!c->at) return choices_draw(c);
    uint64_t bits = 0;
    for (int i = 0; i < 8 && c->at < c->end; i++)
        bits = bits << 8 | *c->at++;
    return bits;
}

#endif
