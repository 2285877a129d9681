/* What the commands about versions and dead letters work on: the database of the views, and, for those that
 * run events, the journal and the projections' definitions. */
#ifndef PDR_CLI_PROJECT_TOOL_H
#define PDR_CLI_PROJECT_TOOL_H

#include "cli/project_common.h"
#include "journal/schema_book.h"
#include "journal/store.h"
#include "projections/projection.h"
#include "projections/settings.h"
#include "projections/views.h"

enum { PDR_TOOL_MAX_FILES = 16, PDR_TOOL_TIMEOUT_MS = 10000 };

/* A value, zeroed first; release it in any case. */
typedef struct pdr_project_tool {
    pdr_project_target target;
    const char *settings; /* of the flag; NULL: not given */
    pdr_setting_list setting_list;
    pdr_project_settings values;
    pdr_url url;
    pdr_views *views; /* a connection for what the command itself asks */
    pdr_loaded_app app;
    pdr_projection *projections[PDR_TOOL_MAX_FILES];
    size_t projection_count;
    pdr_plan plan;
    pdr_log *log;
    pdr_schema_book *book;
    pdr_log_info info;
    uint8_t journal_id[PDR_ID_SIZE];
    pdr_arena arena; /* of what is listed */
} pdr_project_tool;

#define PDR_TOOL_FLAGS(t)                                                                                    \
    PDR_VIEWS_FLAG((t).target), PDR_JOURNAL_FLAG((t).target.base), PDR_STORE_FLAG((t).target.base),          \
        PDR_APP_FLAG((t).target.base),                                                                       \
    {                                                                                                        \
        PDR_FLAG_TEXT, "--settings", "LIST", "NAME=VALUE,NAME=VALUE: project.* (docs/settings.md)",          \
            &(t).settings, 0, 0                                                                              \
    }

/* A connection to the database, in which nothing is made. */
PDR_CHECKED pdr_code pdr_tool_connect(pdr_project_tool *tool, pdr_error *err);
/* The database alone, with the tables of our own. PDR_BAD_URL, PDR_BAD_SETTING, PDR_UNAVAILABLE, ... */
PDR_CHECKED pdr_code pdr_tool_open_views(pdr_project_tool *tool, pdr_error *err);
/* One connection more; *out is yours. */
PDR_CHECKED pdr_code pdr_tool_views(const pdr_project_tool *tool, pdr_views **out, pdr_error *err);
/* The application; PDR_INVALID_ARGUMENT if none is named. */
PDR_CHECKED pdr_code pdr_tool_open_app(pdr_project_tool *tool, pdr_error *err);
/* Log, identity, and what the store knows of schemas. The application first. */
PDR_CHECKED pdr_code pdr_tool_open_journal(pdr_project_tool *tool, pdr_error *err);
/* The definition in a file, kept in the tool. The application first. */
PDR_CHECKED pdr_code pdr_tool_read_file(pdr_project_tool *tool, const char *file, const pdr_projection **out,
                                        pdr_error *err);
/* Is the word a definition's file, not a projection's name? */
bool pdr_tool_is_file(const char *word);
/* One that was read, or one in C of the application. NULL: there is none. */
PDR_CHECKED pdr_code pdr_tool_find(pdr_project_tool *tool, const char *name, uint32_t version,
                                   pdr_projection **out, pdr_error *err);
void pdr_tool_release(pdr_project_tool *tool);

/* --- versions --- */

typedef struct pdr_version_list {
    pdr_version_row *rows; /* their texts lie in the tool's arena */
    size_t count;
} pdr_version_list;

/* Those of one projection (NULL: of all). PDR_NOT_FOUND: it isn't there. The list lies in the tool's arena.
 */
PDR_CHECKED pdr_code pdr_tool_versions(pdr_project_tool *tool, const char *projection, pdr_version_list *out,
                                       pdr_error *err);
const pdr_version_row *pdr_version_find(const pdr_version_list *list, uint32_t version); /* NULL: none */
const pdr_version_row *pdr_version_in(const pdr_version_list *list, pdr_version_state state);
/* `version` 0: the live one. PDR_NOT_FOUND names those that there are. */
PDR_CHECKED pdr_code pdr_version_pick(const pdr_version_list *list, const char *projection, int64_t version,
                                      const pdr_version_row **out, pdr_error *err);
const char *pdr_version_state_name(pdr_version_state state);

/* Positions of a version; `out` has room for `room`. */
PDR_CHECKED pdr_code pdr_tool_positions(pdr_project_tool *tool, const char *projection, uint32_t version,
                                        pdr_position_row *out, size_t room, size_t *count, pdr_error *err);

#endif
