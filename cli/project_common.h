/* What the commands `perdure project ...` share. */
#ifndef PDR_CLI_PROJECT_COMMON_H
#define PDR_CLI_PROJECT_COMMON_H

#include "cli/common.h"
#include "perdure/worker.h"

typedef struct pdr_project_target {
    pdr_target base;
    const char *views; /* NULL: not given */
} pdr_project_target;

#define PDR_VIEWS_FLAG(t)                                                                                    \
    {                                                                                                        \
        PDR_FLAG_TEXT, "--views", "URL",                                                                     \
            "postgres://... or sqlite:file; default $PERDURE_VIEWS, else the store's", &(t).views, 0, 0      \
    }

/* Files of a command line and the C projections that the application exports. Borrows from `app`. */
PDR_CHECKED pdr_code pdr_project_types(const pdr_loaded_app *app, const pdr_projection_list **out,
                                       pdr_error *err);

/* "a=1,b=2" as settings. Release `out` in any case. PDR_BAD_SETTING, PDR_NOMEM. */
typedef struct pdr_setting_list {
    char *text;
    pdr_setting *items;
    size_t count;
} pdr_setting_list;
PDR_CHECKED pdr_code pdr_setting_list_init(pdr_setting_list *out, const char *text, pdr_error *err);
void pdr_setting_list_release(pdr_setting_list *list);

/* "0,3,5-7" as partitions. *out is to be freed. PDR_INVALID_ARGUMENT, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_partition_list(const char *text, int32_t **out, size_t *count, pdr_error *err);

/* A log line of the library, to standard error. A pdr_log_line. */
void pdr_cli_log_line(void *command, int level, const char *message);

#endif
