#include "rolling_app.h"

int64_t rolling_nonce_of(const pdr_event *event)
{
    return ((const rolling_added *)event->value)->nonce;
}

#if ROLLING_PROGRAM <= 2

int64_t rolling_cents_of(const pdr_event *event)
{
    return 100 * ((const rolling_added *)event->value)->euro;
}

int64_t rolling_sum_of(const rolling_total *total)
{
    return 100 * total->sum;
}

static void emit(const rolling_add *add, pdr_decision *out)
{
    rolling_added added;
    rolling_added_init(&added);
    added.nonce = add->nonce;
    added.euro = add->euro;
#if ROLLING_PROGRAM == 2
    added.note = pdr_string_of("from the second program");
#endif
    pdr_emit(out, &rolling_added_type, &added);
}

static void count(rolling_total *total, const pdr_event *event)
{
    total->sum += rolling_cents_of(event) / 100;
}

#else

int64_t rolling_cents_of(const pdr_event *event)
{
    return ((const rolling_added *)event->value)->cents;
}

int64_t rolling_sum_of(const rolling_total *total)
{
    return total->sum;
}

static void emit(const rolling_add *add, pdr_decision *out)
{
    rolling_added added;
    rolling_added_init(&added);
    added.nonce = add->nonce;
    added.cents = 100 * add->euro;
    pdr_emit(out, &rolling_added_type, &added);
}

static void count(rolling_total *total, const pdr_event *event)
{
    total->sum += rolling_cents_of(event);
}

static void in_cents(const pdr_event *event, pdr_upcast *out)
{
    const rolling_added_v2 *old = event->value;
    rolling_added added;
    rolling_added_init(&added);
    added.nonce = old->nonce;
    added.cents = 100 * old->euro;
    added.note = old->note;
    pdr_upcast_emit(out, &rolling_added_type, &added);
}

#endif

#if ROLLING_PROGRAM == 2
static const pdr_type *const second[] = {&rolling_added_type};
static const pdr_upcaster steps[] = {{&rolling_added_v1_type, second, 1, NULL}};
#elif ROLLING_PROGRAM >= 3
static const pdr_type *const second[] = {&rolling_added_v2_type}, *const third[] = {&rolling_added_type};
static const pdr_upcaster steps[] = {{&rolling_added_v1_type, second, 1, NULL},
                                     {&rolling_added_v2_type, third, 1, in_cents}};
#endif

#if ROLLING_PROGRAM == 3
static pdr_code sum_in_cents(const void *from, void *to, pdr_arena *arena)
{
    (void)arena;
    const rolling_total *old = from;
    rolling_total *total = to;
    total->sum = 100 * old->sum;
    total->count = old->count;
    return PDR_OK;
}
static const pdr_state_upcaster state_steps[] = {
    {&rolling_total_type, 1, &rolling_total_type, 3, sum_in_cents}};
#endif

static void decide(const void *state, const pdr_command *command, int64_t now_us, pdr_decision *out)
{
    (void)state;
    (void)now_us;
    emit(command->value, out);
}

static pdr_code apply(void *state, const pdr_event *event, pdr_arena *arena)
{
    (void)arena;
    rolling_total *total = state;
    total->count++;
    count(total, event);
    return PDR_OK;
}

static const pdr_type *const events[] = {&rolling_added_type};
static const pdr_type *const commands[] = {&rolling_add_type};

static const pdr_entity_type total = {
    .abi_size = sizeof(pdr_entity_type),
    .name = "total",
    .state = &rolling_total_type,
    .events = events,
    .event_count = 1,
    .commands = commands,
    .command_count = 1,
    .revision = ROLLING_PROGRAM <= 2 ? 1 : ROLLING_PROGRAM,
    .decide = decide,
    .apply = apply,
#if ROLLING_PROGRAM >= 2
    .upcasters = steps,
    .upcaster_count = sizeof steps / sizeof steps[0],
#endif
#if ROLLING_PROGRAM == 3
    .state_upcasters = state_steps,
    .state_upcaster_count = 1,
#endif
};
static const pdr_entity_type *const entities[] = {&total};

const pdr_app pdr_application = {sizeof(pdr_app), PDR_ABI_VERSION, "rolling", entities, 1};
