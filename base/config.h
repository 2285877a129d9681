/* Settings as one table: name, kind, range, default, unit, prose. Parsing, defaults and the manual
 * (docs/settings.md) come from it. The idea is librdkafka's (rdkafka_conf.c). Threads: a table is constant.
 */
#ifndef PDR_BASE_CONFIG_H
#define PDR_BASE_CONFIG_H

#include "perdure/bytes.h"

typedef enum pdr_config_kind {
    PDR_CONFIG_U32,  /* uint32_t */
    PDR_CONFIG_U64,  /* uint64_t */
    PDR_CONFIG_I64,  /* int64_t */
    PDR_CONFIG_SIZE, /* size_t */
    PDR_CONFIG_BOOL, /* bool: "true" or "false" */
    PDR_CONFIG_TEXT  /* char[max + 1]: a text of at most `max` bytes; the default is none */
} pdr_config_kind;

typedef struct pdr_config_row {
    const char *name; /* "snapshot.age.ms" */
    pdr_config_kind kind;
    size_t offset;        /* of the member in the struct that the table describes */
    int64_t scale;        /* member = value * scale */
    int64_t min, max, by; /* range and default, in the unit; by: the default */
    const char *unit;     /* "ms", "bytes", "" */
    const char *prose;    /* one sentence, plain text */
} pdr_config_row;

typedef struct pdr_config {
    const pdr_config_row *rows;
    size_t count;
} pdr_config;

/* Every member of *target that the table describes to its default. */
void pdr_config_defaults(const pdr_config *config, void *target);
/* Set one member. PDR_BAD_SETTING: an unknown name (the nearest one is suggested), not a number, out of
 * range. *target is then as before. */
PDR_CHECKED pdr_code pdr_config_set(const pdr_config *config, void *target, const char *name,
                                    const char *value, pdr_error *err);
/* The name of the table that is written most alike; NULL if none is near. */
const char *pdr_config_nearest(const pdr_config *config, const char *name);
/* Append the table as Markdown. PDR_NOMEM, PDR_TOO_LARGE. */
PDR_CHECKED pdr_code pdr_config_print(const pdr_config *config, pdr_buf *out);

#endif
