/* A commit that another journal holds, on its way into this one: what a command of PDR_REQUEST_IMPORT asks
 * for. Its events get this log's offsets, terms and backlinks; everything else of them stays. */
#ifndef PDR_JOURNAL_STORED_COMMIT_H
#define PDR_JOURNAL_STORED_COMMIT_H

#include "journal/command.h"

/* Borrowed. Entity, command id, correlation, causation and traceparent are the command's own (pdr_cmd_spec);
 * its expected_seq is the seq before the first event. */
typedef struct pdr_stored_commit {
    uint64_t fingerprint; /* of the command that made it; meaningful with an id */
    bool has_reply;
    pdr_bytes reply; /* at most PDR_MAX_REPLY bytes */
    bool has_consumed;
    int32_t consumed_partition;
    int64_t consumed_offset;
    const pdr_append_event *events; /* types as they were written: only fingerprint and schema are used; they
                                       outlive the owner */
    size_t count;
} pdr_stored_commit;

enum { PDR_MAX_IMPORT = 33 * 1024 * 1024 }; /* bytes of one: the events of any commit that was decided */

/* Append the payload of an import. PDR_INVALID_ARGUMENT, PDR_TOO_LARGE, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_stored_commit_encode(const pdr_stored_commit *commit, pdr_buf *out, pdr_error *err);
/* The bytes are our own. `commit->events` stays NULL, `count` 0: *events is a list for pdr_append_next. */
void pdr_stored_commit_decode(pdr_bytes payload, pdr_stored_commit *commit, pdr_bytes *events);
/* The command's fingerprint in the payload of an import. */
uint64_t pdr_stored_commit_fingerprint(pdr_bytes payload);

#endif
