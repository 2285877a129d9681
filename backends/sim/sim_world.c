#include "backends/sim/sim_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

/* Memory: chunks that are only given back with the world. Not from base/mem.h, whose failures are for the
 * program under test. */
struct sim_chunk {
    struct sim_chunk *next;
    size_t used, size;
    _Alignas(max_align_t) uint8_t bytes[];
};

enum { SIM_CHUNK = 256 * 1024 };

static void *must_have(void *p)
{
    PDR_INVARIANT("simulated-servers-have-memory", p != NULL);
    return p;
}

void *sim_alloc(pdr_sim_world *world, size_t size)
{
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    struct sim_chunk *chunk = world->chunks;
    if (!chunk || chunk->size - chunk->used < size) {
        size_t room = size > SIM_CHUNK ? size : SIM_CHUNK;
        chunk = must_have(malloc(sizeof *chunk + room));
        *chunk = (struct sim_chunk){world->chunks, 0, room};
        world->chunks = chunk;
    }
    void *p = chunk->bytes + chunk->used;
    chunk->used += size;
    memset(p, 0, size);
    return p;
}

pdr_bytes sim_copy_bytes(pdr_sim_world *world, pdr_bytes bytes)
{
    if (!bytes.data) return (pdr_bytes){NULL, 0};
    uint8_t *copy = sim_alloc(world, bytes.size + 1);
    memcpy(copy, bytes.data, bytes.size);
    return pdr_bytes_of(copy, bytes.size);
}

void *sim_grow(pdr_sim_world *world, void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) return array;
    *capacity = *capacity ? *capacity * 2 : 16;
    void *grown = sim_alloc(world, *capacity * size);
    if (count) memcpy(grown, array, count * size);
    return grown;
}

void pdr_sim_profile_init(pdr_sim_profile *profile)
{
    *profile = (pdr_sim_profile){.wire_min_us = 100, .wire_max_us = 1000, .late_us = 100000};
}

pdr_code pdr_sim_world_open(pdr_sim_world **out, uint64_t seed, const pdr_sim_options *options,
                            pdr_error *err)
{
    *out = NULL;
    if (options->partitions < 1 || options->partitions > PDR_LOG_MAX_PARTITIONS)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "a world of %d partitions", (int)options->partitions);
    if (options->profile.wire_min_us < 1 || options->profile.wire_max_us < options->profile.wire_min_us ||
        options->profile.late_us < 1)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "a profile without times");
    pdr_sim_world *world = calloc(1, sizeof *world);
    if (!world) return pdr_fail(err, PDR_NOMEM, "simulated world");
    world->options = *options;
    sim_random_init(&world->random, seed);
    size_t partitions = (size_t)options->partitions;
    world->truths = sim_alloc(world, partitions * sizeof *world->truths);
    world->store.tables = sim_alloc(world, partitions * sizeof *world->store.tables);
    if (!options->uninitialised) {
        pdr_store_meta meta = {.partitions = options->partitions};
        memcpy(meta.journal_id, options->journal_id, PDR_ID_SIZE);
        sim_store_make(world, &meta);
    }
    *out = world;
    return PDR_OK;
}

void pdr_sim_world_close(pdr_sim_world *world)
{
    if (!world) return;
    for (struct sim_chunk *chunk = world->chunks; chunk;) {
        struct sim_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    free(world->events);
    free(world);
}

/* --- The event queue: a binary heap by (time, order) --- */

static bool before(const sim_event *a, const sim_event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void sift_up(sim_event *heap, size_t i)
{
    sim_event event = heap[i];
    while (i > 0 && before(&event, &heap[(i - 1) / 2])) {
        heap[i] = heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap[i] = event;
}

static void sift_down(sim_event *heap, size_t count)
{
    sim_event event = heap[0];
    size_t i = 0;
    for (size_t child = 1; child < count; child = 2 * i + 1) {
        if (child + 1 < count && before(&heap[child + 1], &heap[child])) child++;
        if (!before(&heap[child], &event)) break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = event;
}

void pdr_sim_world_at(pdr_sim_world *world, int64_t delay_us, pdr_sim_task task, void *context,
                      uint64_t value)
{
    if (world->event_count == world->event_capacity) {
        world->event_capacity = world->event_capacity ? 2 * world->event_capacity : 256;
        world->events = must_have(realloc(world->events, world->event_capacity * sizeof *world->events));
    }
    int64_t at_us = world->now_us + (delay_us > 0 ? delay_us : 0);
    world->events[world->event_count] = (sim_event){at_us, world->order++, task, context, value};
    sift_up(world->events, world->event_count++);
}

bool pdr_sim_world_step(pdr_sim_world *world)
{
    if (!world->event_count) return false;
    sim_event event = world->events[0];
    world->events[0] = world->events[--world->event_count];
    if (world->event_count) sift_down(world->events, world->event_count);
    world->now_us = event.at_us;
    world->steps++;
    event.task(event.context, event.value);
    return true;
}

bool sim_poll_steps(pdr_sim_world *world)
{
    return world->options.poll_moves_time && pdr_sim_world_step(world);
}

int64_t sim_due_us(const pdr_sim_world *world, bool due)
{
    /* With polls moving the time there is always something to poll for while events wait. */
    if (due || (world->options.poll_moves_time && world->event_count)) return 0;
    return world->event_count ? world->events[0].at_us - world->now_us : INT64_MAX;
}

int64_t pdr_sim_world_now(const pdr_sim_world *world)
{
    return world->now_us;
}

uint64_t pdr_sim_world_steps(const pdr_sim_world *world)
{
    return world->steps;
}

/* --- Chance --- */

uint64_t pdr_sim_world_random(pdr_sim_world *world)
{
    return sim_random_next(&world->random);
}

uint64_t pdr_sim_world_below(pdr_sim_world *world, uint64_t limit)
{
    return sim_random_below(&world->random, limit);
}

bool pdr_sim_world_chance(pdr_sim_world *world, uint32_t per_million)
{
    return per_million && sim_random_below(&world->random, 1000000) < per_million;
}

bool sim_fault(pdr_sim_world *world, pdr_sim_fault fault)
{
    if (!pdr_sim_world_chance(world, world->options.profile.chance[fault])) return false;
    world->faults[fault]++;
    pdr_sim_world_trace(world, "fault: %s", pdr_sim_fault_words(fault));
    return true;
}

int64_t sim_wire(pdr_sim_world *world)
{
    const pdr_sim_profile *profile = &world->options.profile;
    uint64_t span = (uint64_t)(profile->wire_max_us - profile->wire_min_us) + 1;
    return profile->wire_min_us + (int64_t)pdr_sim_world_below(world, span);
}

int64_t sim_late(pdr_sim_world *world)
{
    uint64_t span = (uint64_t)world->options.profile.late_us;
    if (pdr_sim_world_below(world, 8) == 0) span *= 4;
    return sim_wire(world) + (int64_t)pdr_sim_world_below(world, span);
}

void pdr_sim_world_set_profile(pdr_sim_world *world, const pdr_sim_profile *profile)
{
    world->options.profile = *profile;
}

uint64_t pdr_sim_world_faults(const pdr_sim_world *world, pdr_sim_fault fault)
{
    return world->faults[fault];
}

const char *pdr_sim_fault_words(pdr_sim_fault fault)
{
    static const char *const words[] = {
#define SIM_FAULT_WORDS(name, words) words,
        PDR_SIM_FAULT_MAP(SIM_FAULT_WORDS)
#undef SIM_FAULT_WORDS
    };
    return words[fault];
}

/* --- Hooks --- */

void sim_wake(pdr_sim_world *world, uint32_t node)
{
    if (world->options.hooks.wake) world->options.hooks.wake(world->options.hooks.context, node);
}

void pdr_sim_world_trace(pdr_sim_world *world, const char *format, ...)
{
    if (!world->options.hooks.trace) return;
    char line[512];
    int n = snprintf(line, sizeof line, "%9lld.%03d ", (long long)(world->now_us / 1000),
                     (int)(world->now_us % 1000));
    va_list args;
    va_start(args, format);
    vsnprintf(line + n, sizeof line - (size_t)n, format, args);
    va_end(args);
    world->options.hooks.trace(world->options.hooks.context, line);
}
