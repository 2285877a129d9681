/* All settings of a journal, as one struct and one table. docs/settings.md is printed from the table. */
#ifndef PDR_ACTORS_SETTINGS_H
#define PDR_ACTORS_SETTINGS_H

#include "base/config.h"
#include "journal/owner.h"

typedef struct pdr_settings {
    pdr_owner_settings owner;
    uint32_t open_timeout_ms;
    uint32_t close_timeout_ms;
    uint32_t topic_replication;
    uint32_t read_ahead_bytes;
} pdr_settings;

extern const pdr_config pdr_settings_table;

#define PDR_PASSED_THROUGH "kafka." /* settings that begin so are librdkafka's, without the prefix */

/* The manual's page, as Markdown. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_settings_manual(pdr_buf *out);

#endif
