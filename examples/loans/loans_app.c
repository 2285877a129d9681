/* The application as one value; what `perdure --app loans_app.so` loads. */
#include "loan.h"

static const pdr_entity_type *const entities[] = {&loans_entity};

const pdr_app pdr_application = {sizeof(pdr_app), PDR_ABI_VERSION, "loans", entities, 1};
