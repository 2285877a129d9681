/* What is in an import's target already. */
#include <inttypes.h>

#include "base/mem.h"
#include "replay/import_inside.h"
#include "replay/scan.h"

typedef struct looking {
    pdr_bytes address;
    bool *ours; /* by partition: its term in force is one of an import of the same journal */
} looking;

/* Partitions are told apart, and one partition is one thread's. */
static pdr_code on_commit(void *context, unsigned thread, int32_t partition, const pdr_commit_event *events,
                          size_t count, pdr_position at, pdr_error *err)
{
    const looking *l = context;
    (void)thread;
    (void)count;
    (void)at;
    if (l->ours[partition]) return PDR_OK;
    pdr_bytes key = events[0].record->entry.key;
    return pdr_fail(err, PDR_EXISTS,
                    "the journal isn't empty: partition %d, offset %" PRId64 ": event %" PRIu64
                    " of %.*s, which no import of the same journal brought",
                    (int)partition, events[0].record->offset, events[0].header->seq,
                    (int)(key.size < 200 ? key.size : 200), (const char *)key.data);
}

static pdr_code on_other(void *context, unsigned thread, int32_t partition, pdr_verdict verdict,
                         const pdr_log_record *record, const pdr_header *header, pdr_error *err)
{
    looking *l = context;
    (void)thread;
    (void)record;
    (void)err;
    if (verdict == PDR_VERDICT_FENCE) l->ours[partition] = pdr_bytes_equal(header->address, l->address);
    return PDR_OK;
}

pdr_code pdr_import_check_target(pdr_import *import, pdr_error *err)
{
    static const pdr_scan_sink sink = {.commit = on_commit, .other = on_other};
    looking l = {.address = pdr_bytes_of(import->address, strlen(import->address))};
    l.ours = pdr_calloc((size_t)import->meta.partitions, sizeof *l.ours);
    if (!l.ours) return pdr_fail(err, PDR_NOMEM, "%d partitions", (int)import->meta.partitions);
    pdr_scan_spec spec = {.sink = &sink, .context = &l};
    pdr_code code = pdr_scan_run(import->target, &spec, err);
    pdr_free(l.ours);
    return code;
}
