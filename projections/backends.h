/* Which views a URL means. */
#ifndef PDR_PROJECTIONS_BACKENDS_H
#define PDR_PROJECTIONS_BACKENDS_H

#include "journal/backends.h"
#include "projections/views.h"

/* One connection more. `view_schema` "": the default. *out is yours: close it by its ops. */
PDR_CHECKED pdr_code pdr_views_of_url(pdr_views **out, const pdr_url *url, const char *view_schema,
                                      pdr_error *err);

/* Put a topic before *views (backends/kafka/target.h), which are closed on failure. `topic`: a name on the
 * journal's own brokers, or kafka://host:9092/name?kafka....; `journal` must outlive it. PDR_BAD_SETTING: the
 * journal isn't on Kafka and `topic` doesn't say where. */
PDR_CHECKED pdr_code pdr_views_to_topic(pdr_views **views, const pdr_backends *journal, const char *topic,
                                        bool exactly_once, pdr_error *err);

#endif
