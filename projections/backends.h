/* Which views a URL means. */
#ifndef PDR_PROJECTIONS_BACKENDS_H
#define PDR_PROJECTIONS_BACKENDS_H

#include "base/url.h"
#include "projections/views.h"

/* One connection more. `view_schema` "": the default. *out is yours: close it by its ops. */
PDR_CHECKED pdr_code pdr_views_of_url(pdr_views **out, const pdr_url *url, const char *view_schema,
                                      pdr_error *err);

#endif
