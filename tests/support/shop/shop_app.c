#include "tests/support/shop/shop_app.h"

/* --- folding: what each version's events say --- */

static pdr_code keep(pdr_string *to, pdr_string text, pdr_arena *arena)
{
    *to = pdr_arena_string(arena, text);
    return to->data ? PDR_OK : PDR_NOMEM;
}

static pdr_code apply_price(shop_shop *shop, const pdr_event *event)
{
    if (event->type == &shop_priced_v1_type)
        shop->cents = 100 * (int64_t)((const shop_priced_v1 *)event->value)->euros;
    else if (event->type == &shop_priced_v2_type)
        shop->cents = ((const shop_priced_v2 *)event->value)->cents;
    else
        shop->cents = ((const shop_priced *)event->value)->cents;
    return PDR_OK;
}

static pdr_code apply_moved(shop_shop *shop, const shop_moved_v1 *moved, pdr_arena *arena)
{
    pdr_code code = keep(&shop->street, moved->street, arena);
    return code == PDR_OK ? keep(&shop->city, moved->city, arena) : code;
}

static pdr_code apply(void *state, const pdr_event *event, pdr_arena *arena)
{
    shop_shop *shop = state;
    shop->folded++;
    if (event->type == &shop_moved_v1_type) return apply_moved(shop, event->value, arena);
    if (event->type == &shop_street_set_type)
        return keep(&shop->street, ((const shop_street_set *)event->value)->street, arena);
    if (event->type == &shop_city_set_type)
        return keep(&shop->city, ((const shop_city_set *)event->value)->city, arena);
    if (event->type == &shop_pinged_v1_type) return PDR_OK;
    return apply_price(shop, event);
}

/* --- upcasting --- */

static void price_in_cents(const pdr_event *event, pdr_upcast *out)
{
    const shop_priced_v1 *old = event->value;
    shop_priced_v2 priced = {.cents = 100 * (int64_t)old->euros, .currency = pdr_string_of("EUR")};
    if (old->euros < 0)
        pdr_upcast_fail(out, "the price is %d euros", (int)old->euros);
    else
        pdr_upcast_emit(out, &shop_priced_v2_type, &priced);
}

static void street_and_city(const pdr_event *event, pdr_upcast *out)
{
    const shop_moved_v1 *old = event->value;
    shop_street_set street = {.street = old->street};
    shop_city_set city = {.city = old->city};
    pdr_upcast_emit(out, &shop_street_set_type, &street);
    pdr_upcast_emit(out, &shop_city_set_type, &city);
}

static const pdr_type *const priced_2[] = {&shop_priced_v2_type};
static const pdr_type *const priced_3[] = {&shop_priced_type};
static const pdr_type *const moved[] = {&shop_street_set_type, &shop_city_set_type};
const pdr_upcaster shop_steps[SHOP_STEPS] = {
    [SHOP_PRICED_1] = {&shop_priced_v1_type, priced_2, 1, price_in_cents},
    [SHOP_PRICED_2] = {&shop_priced_v2_type, priced_3, 1, NULL},
    [SHOP_MOVED] = {&shop_moved_v1_type, moved, 2, street_and_city},
    [SHOP_PINGED] = {&shop_pinged_v1_type, NULL, 0, NULL},
};
static const pdr_upcaster second_steps[] = {{&shop_priced_v1_type, priced_2, 1, price_in_cents},
                                            {&shop_pinged_v1_type, NULL, 0, NULL}};

/* --- the program, three times --- */

static const pdr_type *const first_events[] = {&shop_priced_v1_type, &shop_moved_v1_type,
                                               &shop_pinged_v1_type};
static const pdr_type *const second_events[] = {&shop_priced_v2_type, &shop_moved_v1_type};
static const pdr_type *const events[] = {&shop_priced_type, &shop_street_set_type, &shop_city_set_type};

#define SHOP(number)                                                                                         \
    .abi_size = sizeof(pdr_entity_type), .name = "shop", .state = &shop_shop_type, .apply = apply,           \
    .revision = number

const pdr_entity_type shop_first = {SHOP(1), .events = first_events, .event_count = 3};
const pdr_entity_type shop_second = {SHOP(2), .events = second_events, .event_count = 2,
                                     .upcasters = second_steps, .upcaster_count = 2};
const pdr_entity_type shop_today = {SHOP(3), .events = events, .event_count = 3, .upcasters = shop_steps,
                                    .upcaster_count = SHOP_STEPS};

static const pdr_entity_type *const firsts[] = {&shop_first}, *const seconds[] = {&shop_second},
                                    *const todays[] = {&shop_today};
const pdr_app shop_first_app = {sizeof(pdr_app), PDR_ABI_VERSION, "shop", firsts, 1};
const pdr_app shop_second_app = {sizeof(pdr_app), PDR_ABI_VERSION, "shop", seconds, 1};
const pdr_app shop_app = {sizeof(pdr_app), PDR_ABI_VERSION, "shop", todays, 1};
