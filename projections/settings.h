/* All settings of a projection worker, as one struct and one table. docs/settings.md is printed from it. */
#ifndef PDR_PROJECTIONS_SETTINGS_H
#define PDR_PROJECTIONS_SETTINGS_H

#include "base/config.h"
#include "projections/projector.h"

enum { PDR_MAX_VIEW_SCHEMA = 63, PDR_MAX_METRICS_ADDRESS = 63 };

typedef struct pdr_project_settings {
    pdr_projector_settings projector;
    uint32_t open_timeout_ms;
    uint32_t close_timeout_ms;
    uint32_t metrics_port; /* 0: none */
    char metrics_address[PDR_MAX_METRICS_ADDRESS + 1];
    char view_schema[PDR_MAX_VIEW_SCHEMA + 1]; /* "": public */
} pdr_project_settings;

extern const pdr_config pdr_project_settings_table;

/* Their part of the manual, as Markdown. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_project_settings_manual(pdr_buf *out);

#endif
