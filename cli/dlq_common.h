/* Dead letters as the commands `perdure dlq ...` see them. */
#ifndef PDR_CLI_DLQ_COMMON_H
#define PDR_CLI_DLQ_COMMON_H

#include "cli/project_tool.h"

typedef struct pdr_letter {
    pdr_dead_letter letter; /* its texts lie in the tool's arena */
    const char *projection;
    uint32_t version;
    bool first;   /* of its entity's in this version that are listed */
    size_t later; /* how many of those come after it */
} pdr_letter;

typedef struct pdr_letter_list {
    pdr_letter *items; /* by projection, version, partition and offset */
    size_t count, room;
} pdr_letter_list;

/* Add those of one version; `entity` NULL: of all entities. They lie in the tool's arena. */
PDR_CHECKED pdr_code pdr_dlq_add(pdr_project_tool *tool, const pdr_version_row *version, const char *entity,
                                 pdr_letter_list *list, pdr_error *err);
/* Append a time as "2026-11-21T13:30:00Z", of microseconds since 1970. */
PDR_CHECKED pdr_code pdr_dlq_put_time(pdr_buf *out, int64_t us);
/* One letter as a JSON object. */
PDR_CHECKED pdr_code pdr_dlq_put_json(pdr_buf *out, const pdr_letter *letter);

#endif
