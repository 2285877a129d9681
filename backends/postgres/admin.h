/* The store's blocking operations, each on a connection of its own: journal/store.h says what they promise.
 */
#ifndef PDR_BACKENDS_POSTGRES_ADMIN_H
#define PDR_BACKENDS_POSTGRES_ADMIN_H

#include "journal/store.h"

typedef struct pdr_pg_admin {
    char *url;
    char *schema; /* quoted */
} pdr_pg_admin;

/* Copies both. PDR_BAD_SETTING (schema), PDR_NOMEM; after a failure release it as after success. */
PDR_CHECKED pdr_code pdr_pg_admin_init_at(pdr_pg_admin *out, const char *url, const char *schema,
                                          pdr_error *err);
void pdr_pg_admin_release(pdr_pg_admin *admin);

PDR_CHECKED pdr_code pdr_pg_admin_init(const pdr_pg_admin *admin, const pdr_store_meta *meta, int timeout_ms,
                                       pdr_error *err);
PDR_CHECKED pdr_code pdr_pg_admin_meta(const pdr_pg_admin *admin, pdr_store_meta *out, int timeout_ms,
                                       pdr_error *err);
PDR_CHECKED pdr_code pdr_pg_admin_reset(const pdr_pg_admin *admin, const pdr_store_meta *meta, int timeout_ms,
                                        pdr_error *err);
PDR_CHECKED pdr_code pdr_pg_admin_dump(const pdr_pg_admin *admin, pdr_store_dump_row row, void *context,
                                       pdr_error *err);
PDR_CHECKED pdr_code pdr_pg_admin_dump_one(const pdr_pg_admin *admin, pdr_bytes key, pdr_store_dump_row row,
                                           void *context, int timeout_ms, pdr_error *err);
PDR_CHECKED pdr_code pdr_pg_admin_drop_states(const pdr_pg_admin *admin, const pdr_state_filter *which,
                                              size_t limit, uint64_t *dropped, int timeout_ms,
                                              pdr_error *err);

#endif
