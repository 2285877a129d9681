/* pdr_options, checked and copied: what opening a journal works from. */
#ifndef PDR_ACTORS_OPTIONS_H
#define PDR_ACTORS_OPTIONS_H

#include "actors/settings.h"
#include "journal/backends.h"
#include "perdure/journal.h"

enum { PDR_MAX_WORKERS = 256 };

/* A value that owns what it points to, but for `app`. */
typedef struct pdr_plan {
    pdr_backends backends;
    pdr_settings settings;
    const pdr_app *app; /* never NULL */
    unsigned workers;
    bool complete_on_worker;
    bool own_nothing;
    bool own_all;
    int32_t *partitions; /* when not all */
    size_t partition_count;
    char address[PDR_MAX_ADDRESS + 1];
    pdr_failed_tell failed_tell;
    pdr_log_line log_line;
    void *context;
} pdr_plan;

/* Fill *out; release it in any case. PDR_INVALID_ARGUMENT, PDR_BAD_SETTING, PDR_BAD_URL, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_plan_init(pdr_plan *out, const pdr_options *options, pdr_error *err);
void pdr_plan_release(pdr_plan *plan);
/* The list of partitions against how many there are: in range, none twice. */
PDR_CHECKED pdr_code pdr_plan_check_partitions(const pdr_plan *plan, int32_t partitions, pdr_error *err);

#endif
