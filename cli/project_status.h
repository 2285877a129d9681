/* Where each version of each projection stands: what `perdure project status` shows. */
#ifndef PDR_CLI_PROJECT_STATUS_H
#define PDR_CLI_PROJECT_STATUS_H

#include "cli/project_tool.h"

/* One partition of a version. */
typedef struct pdr_standing_part {
    pdr_position_row row; /* its worker's name lies in the tool's arena */
    int64_t end;          /* of the log; -1: not known */
    uint64_t lag;         /* offsets behind the end */
    int64_t lag_us;       /* age of the newest event projected, if anything is behind it; else 0 */
} pdr_standing_part;

/* One version. */
typedef struct pdr_standing {
    const pdr_version_row *row;
    pdr_standing_part *parts;
    size_t count;
    bool lag_known;
    uint64_t lag, parked, events;
    int64_t lag_us;
    double trend; /* events per second by which the lag grew between two looks; 0 if there was one */
} pdr_standing;

/* Look at each version of the list. `log` NULL: positions only. `out` has room for list->count; what it
 * points to lies in the tool's arena. */
PDR_CHECKED pdr_code pdr_standing_look(pdr_project_tool *tool, pdr_log *log, const pdr_version_list *list,
                                       pdr_standing *out, pdr_error *err);

PDR_CHECKED pdr_code pdr_standing_text(pdr_buf *out, const pdr_standing *standing, int64_t wall_us);
PDR_CHECKED pdr_code pdr_standing_json(pdr_buf *out, const pdr_standing *standing);

#endif
