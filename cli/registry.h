/* A folder's versions into a schema registry. */
#ifndef PDR_CLI_REGISTRY_H
#define PDR_CLI_REGISTRY_H

#include "cli/flags.h"
#include "schemas/files.h"

typedef struct pdr_cli_registry {
    const char *url; /* NULL: none is meant */
    const char *topic, *subject, *ca;
} pdr_cli_registry;

#define PDR_REGISTRY_FLAGS(r)                                                                                \
    {PDR_FLAG_TEXT,                                                                                          \
     "--registry",                                                                                           \
     "URL",                                                                                                  \
     "every version into this schema registry too, oldest first: http://host:port/path",                     \
     &(r).url,                                                                                               \
     0,                                                                                                      \
     0},                                                                                                     \
        {PDR_FLAG_TEXT, "--topic", "TOPIC", "the journal's topic, for subjects: loans.events",               \
         &(r).topic,    0,         0},                                                                       \
        {PDR_FLAG_TEXT, "--subject", "NAMING", "topic-record (the default), record or topic",                \
         &(r).subject,  0,           0},                                                                     \
    {                                                                                                        \
        PDR_FLAG_TEXT, "--registry-ca", "FILE", "authorities for https, in PEM; default the system's",       \
            &(r).ca, 0, 0                                                                                    \
    }

/* PDR_INVALID_ARGUMENT: flags that don't go together. */
PDR_CHECKED pdr_code pdr_cli_registry_check(const pdr_cli_registry *registry, pdr_error *err);
/* Register all versions in their order and print the id of each. What pdr_registry_register gives. */
PDR_CHECKED pdr_code pdr_cli_registry_put(const pdr_cli_registry *registry, const pdr_schema_files *files,
                                          bool json, pdr_error *err);

#endif
