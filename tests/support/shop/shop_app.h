/* A shop whose events have a history: a price in whole euros, then in cents with a currency, then with a
 * reason; an address that was one event and is two; an event that nobody needs any more. The program as it
 * was at three times; each can fold what it writes. Events are appended, there are no commands. */
#ifndef PDR_TESTS_SHOP_APP_H
#define PDR_TESTS_SHOP_APP_H

#include "perdure/entity.h"
#include "shop.gen.h"

extern const pdr_entity_type shop_first;  /* Priced 1, Moved, Pinged */
extern const pdr_entity_type shop_second; /* Priced 2, Moved */
extern const pdr_entity_type shop_today;  /* Priced 3, StreetSet, CitySet */

/* Its steps, for those who leave one out. */
enum { SHOP_PRICED_1, SHOP_PRICED_2, SHOP_MOVED, SHOP_PINGED, SHOP_STEPS };
extern const pdr_upcaster shop_steps[SHOP_STEPS];

extern const pdr_app shop_first_app, shop_second_app, shop_app;

#endif
