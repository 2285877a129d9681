/* What is exported and copied: a log's commits, one partition after the other, or of a few entities one
 * entity after the other, so that the same log gives the same bytes. */
#ifndef PDR_REPLAY_EXPORT_SCAN_H
#define PDR_REPLAY_EXPORT_SCAN_H

#include "replay/choice.h"
#include "replay/exported.h"
#include "replay/scan.h"

/* How far it is. */
typedef struct pdr_export_progress {
    int32_t partition, partitions;
    int64_t done, total; /* records of this partition, as far as offsets tell */
} pdr_export_progress;

double pdr_export_share(const pdr_export_progress *progress); /* of all partitions, about: 0 to 1 */

typedef struct pdr_export_scan {
    pdr_tool *tool;
    const pdr_choice *entities; /* NULL: all */
    /* A commit that counts, of an entity that is wanted; on this or another thread, one at a time. */
    pdr_code (*commit)(void *context, int32_t partition, const pdr_commit_event *events, size_t count,
                       pdr_error *err);
    void *context;
    /* By the calling thread, some ten times a second; true: stop (PDR_CANCELLED). Not for a few entities,
     * which only the tool's `stopped` ends. May be NULL. */
    bool (*watch)(void *context, const pdr_export_progress *progress);
} pdr_export_scan;

/* Blocking. As pdr_scan_run and pdr_story_run. */
PDR_CHECKED pdr_code pdr_export_scan_run(const pdr_export_scan *scan, pdr_error *err);

/* The journal that the log's FENCEs name. PDR_NOT_FOUND: it never had an owner, so it has no events. What the
 * log says. */
PDR_CHECKED pdr_code pdr_export_journal_id(pdr_tool *tool, uint8_t id[PDR_ID_SIZE], pdr_error *err);

/* A stored event as it is exported, and its writer schema's JSON. Borrowed from the record, the header and
 * the tool. As pdr_tool_writer. */
PDR_CHECKED pdr_code pdr_exported_from(pdr_tool *tool, int32_t partition, const pdr_commit_event *event,
                                       pdr_exported_event *out, pdr_string *json, pdr_error *err);

#endif
