/* What the options of whoever opens a journal have in common: owners and tools (actors/), workers
 * (projections/). */
#ifndef PDR_JOURNAL_OPTIONS_H
#define PDR_JOURNAL_OPTIONS_H

#include "base/config.h"
#include "journal/backends.h"

#define PDR_PASSED_THROUGH "kafka." /* settings that begin so are librdkafka's, without the prefix */
#define PDR_WORKERS_OWN "project."  /* those that begin so are a projection worker's */

/* A caller built with an older header gives fewer members; one built with a newer header may use only what
 * this library knows: the rest must be zero. Both structs begin with abi_size. `begin`: what the caller
 * should begin with. PDR_INVALID_ARGUMENT. */
PDR_CHECKED pdr_code pdr_options_read(void *out, size_t size, const void *given, const char *begin,
                                      pdr_error *err);

/* NULL: neither is given. */
const char *pdr_options_text(const char *given, const char *variable);
/* Where log and store are: as given, else in the environment; a SQLite journal holds its store itself.
 * PDR_BAD_URL. */
PDR_CHECKED pdr_code pdr_options_urls(pdr_backends *out, const char *journal, const char *store,
                                      pdr_error *err);

/* Where settings go. */
typedef struct pdr_options_settings {
    const pdr_config *table;
    void *target;           /* the struct that the table describes */
    pdr_backends *backends; /* gets those that are passed through; its log's URL may carry settings too */
    bool (*in_url)(const char *name); /* those of the URL that are meant for this reader */
} pdr_options_settings;

/* The table's defaults, then the URL's settings, then the list's. PDR_BAD_SETTING, PDR_INVALID_ARGUMENT. */
PDR_CHECKED pdr_code pdr_options_set(const pdr_options_settings *to, const pdr_setting *list, size_t count,
                                     pdr_error *err);

/* A copy of the list; *out NULL: none was given. */
PDR_CHECKED pdr_code pdr_options_partitions(int32_t **out, size_t *out_count, const int32_t *list,
                                            size_t count, pdr_error *err);
/* `given`, of 1 to size - 1 bytes, or "hostname/pid". `member`: what the option is called. */
PDR_CHECKED pdr_code pdr_options_name(char *out, size_t size, const char *given, const char *member,
                                      pdr_error *err);

#endif
