/* `perdure export`: what its forms of output share. */
#ifndef PDR_CLI_EXPORT_FORM_H
#define PDR_CLI_EXPORT_FORM_H

#include "cli/common.h"
#include "cli/event_line.h"
#include "cli/out_file.h"
#include "journal/commit_reader.h"
#include "replay/container.h"
#include "replay/seq_table.h"

typedef struct pdr_export_job {
    pdr_tool *tool;
    const char *target; /* file, folder, or "-" */
    bool force;
    pdr_container_codec codec;
    uint8_t journal[PDR_ID_SIZE];
    const char *selection; /* what is left out, as JSON; NULL: nothing */
    const char *types;     /* with commas between; NULL: all */
    int64_t since_us, until_us;
    pdr_seq_table entities; /* of which something was exported */
    uint64_t events, bytes, unreadable;
    void *own; /* the form's */
} pdr_export_job;

typedef struct pdr_export_form {
    const char *name;
    bool needs_app;
    bool shows_unreadable; /* events that the application can't read aren't left out */
    bool whole;            /* takes no part of a history but its beginning */
    pdr_code (*begin)(pdr_export_job *job, pdr_error *err);
    pdr_code (*commit)(pdr_export_job *job, int32_t partition, const pdr_commit_event *events, size_t count,
                       pdr_error *err);
    pdr_code (*finish)(pdr_export_job *job, pdr_error *err); /* the files get their names */
    void (*end)(pdr_export_job *job);                        /* in any case, after a begin that failed too */
} pdr_export_form;

extern const pdr_export_form pdr_export_exact, pdr_export_plain, pdr_export_jsonl, pdr_export_csv;

/* An event of this type, at this time, is wanted. Types are named in full or by the part behind the last dot.
 */
bool pdr_export_wants(const pdr_export_job *job, const char *type, int64_t time_us);
bool pdr_export_wants_type(const pdr_export_job *job, const char *type);
/* Put each line (cli/event_line.h) of a commit's events that is wanted; not of those that an upcaster drops.
 */
typedef pdr_code (*pdr_export_put)(pdr_export_job *job, const pdr_event_line *line,
                                   const pdr_commit_event *event, pdr_error *err);
PDR_CHECKED pdr_code pdr_export_lines(pdr_export_job *job, pdr_event_lines *lines, pdr_export_put put,
                                      int32_t partition, const pdr_commit_event *events, size_t count,
                                      pdr_error *err);
/* Count an event that was exported. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_export_count(pdr_export_job *job, const pdr_commit_event *event, pdr_error *err);

#endif
