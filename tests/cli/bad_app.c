/* Shared objects that are no application, each in its own way. */
#include "perdure/entity.h"

#ifdef BAD_APP_OLD
const pdr_app pdr_application = {sizeof(pdr_app), PDR_ABI_VERSION + 1, "bad", 0, 0};
#elif defined BAD_APP_SMALL
const pdr_app pdr_application = {8, PDR_ABI_VERSION, "bad", 0, 0};
#elif defined BAD_APP_ENTITY
static const pdr_entity_type entity = {.abi_size = sizeof entity, .name = "no/slash"};
static const pdr_entity_type *const entities[] = {&entity};
const pdr_app pdr_application = {sizeof(pdr_app), PDR_ABI_VERSION, "bad", entities, 1};
#else
const int pdr_something_else = 1;
#endif
