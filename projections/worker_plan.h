/* pdr_worker_options, checked and copied: what opening a worker works from. Tools begin here too. */
#ifndef PDR_PROJECTIONS_WORKER_PLAN_H
#define PDR_PROJECTIONS_WORKER_PLAN_H

#include "journal/backends.h"
#include "perdure/worker.h"
#include "projections/settings.h"

enum { PDR_MAX_WORKER_NAME = 255, PDR_MAX_PROJECTIONS = 256 };

/* A value that owns what it points to, but for `app`. */
typedef struct pdr_worker_plan {
    pdr_backends backends;
    pdr_url views;
    pdr_project_settings settings;
    const pdr_app *app;
    int32_t *partitions; /* NULL: all, or what the group gives */
    size_t partition_count;
    bool group;
    char name[PDR_MAX_WORKER_NAME + 1];
    pdr_log_line line;
    void *line_context;
} pdr_worker_plan;

/* Fill *out; release it in any case. PDR_INVALID_ARGUMENT, PDR_BAD_SETTING, PDR_BAD_URL, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_worker_plan_init(pdr_worker_plan *out, const pdr_worker_options *options,
                                          pdr_error *err);
void pdr_worker_plan_release(pdr_worker_plan *plan);

/* The URL of the views: `views`, else $PERDURE_VIEWS, else the store's: `store`, else $PERDURE_STORE, else a
 * SQLite journal's. Release *out in any case. PDR_BAD_URL. */
PDR_CHECKED pdr_code pdr_views_url(pdr_url *out, const char *views, const char *store, const char *journal,
                                   pdr_error *err);

#endif
