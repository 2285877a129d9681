#include "app.h"

static void decide(const void *state, const pdr_command *command, int64_t now_us, pdr_decision *out)
{
    const bench_counter *counter = state;
    const bench_add *add = command->value;
    (void)now_us;
    bench_added event = {.amount = add->amount, .total = counter->total + add->amount, .note = add->note};
    pdr_emit(out, &bench_added_type, &event);
}

static pdr_code apply(void *state, const pdr_event *event, pdr_arena *arena)
{
    bench_counter *counter = state;
    const bench_added *added = event->value;
    (void)arena;
    counter->total = added->total;
    counter->adds++;
    return PDR_OK;
}

static const pdr_type *const events[] = {&bench_added_type};
static const pdr_type *const commands[] = {&bench_add_type};

static const pdr_entity_type counter_type = {.abi_size = sizeof(pdr_entity_type),
                                             .name = "acct",
                                             .state = &bench_counter_type,
                                             .events = events,
                                             .event_count = 1,
                                             .commands = commands,
                                             .command_count = 1,
                                             .decide = decide,
                                             .apply = apply};
static const pdr_entity_type *const entities[] = {&counter_type};

const pdr_app bench_app = {.abi_size = sizeof(pdr_app),
                           .abi_version = PDR_ABI_VERSION,
                           .name = "bench",
                           .entities = entities,
                           .entity_count = 1};
