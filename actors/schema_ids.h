/* The schema registry's ids of the events that this process may write: remembered in the store's table of
 * schemas, else asked for, which registers them. */
#ifndef PDR_ACTORS_SCHEMA_IDS_H
#define PDR_ACTORS_SCHEMA_IDS_H

#include "actors/settings.h"
#include "journal/schema_book.h"
#include "journal/store.h"
#include "schemas/registry.h"

/* A client by these settings; `topic` may be NULL. As pdr_registry_open. */
PDR_CHECKED pdr_code pdr_schema_ids_client(pdr_registry **out, const pdr_registry_settings *settings,
                                           const char *topic, pdr_error *err);

/* Put the id of each event of `app` into the book; the registry is asked only for those that have none
 * (*asked: there were some). Blocking. PDR_UNAVAILABLE: the registry is away and an id isn't known yet;
 * PDR_CONFLICT: it gives an id that this journal knows as another schema's; what pdr_registry_register gives.
 */
PDR_CHECKED pdr_code pdr_schema_ids_learn(pdr_schema_book *book, bool *asked,
                                          const pdr_registry_settings *settings, const char *topic,
                                          const pdr_app *app, pdr_error *err);

#endif
