/* All settings of a journal, as one struct and one table. docs/settings.md is printed from the table. */
#ifndef PDR_ACTORS_SETTINGS_H
#define PDR_ACTORS_SETTINGS_H

#include "base/config.h"
#include "journal/owner.h"

/* Of the schema registry; url "": there is none. */
enum { PDR_MAX_REGISTRY_TEXT = 1024, PDR_MAX_REGISTRY_WORD = 32 };
typedef struct pdr_registry_settings {
    char url[PDR_MAX_REGISTRY_TEXT + 1];
    char user[PDR_MAX_REGISTRY_TEXT + 1];
    char password[PDR_MAX_REGISTRY_TEXT + 1];
    char subject[PDR_MAX_REGISTRY_WORD + 1];
    char ca[PDR_MAX_REGISTRY_TEXT + 1];
    char certificate[PDR_MAX_REGISTRY_TEXT + 1];
    char key[PDR_MAX_REGISTRY_TEXT + 1];
    char key_password[PDR_MAX_REGISTRY_TEXT + 1];
    bool check;
    uint32_t timeout_ms, attempts, backoff_min_ms, backoff_max_ms;
} pdr_registry_settings;

typedef struct pdr_settings {
    pdr_owner_settings owner;
    uint32_t open_timeout_ms;
    uint32_t close_timeout_ms;
    uint32_t topic_replication;
    uint32_t read_ahead_bytes;
    pdr_registry_settings registry;
} pdr_settings;

extern const pdr_config pdr_settings_table;

/* The manual's page, as Markdown. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_settings_manual(pdr_buf *out);

#endif
