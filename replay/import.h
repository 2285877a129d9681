/* Commits of one journal written into another that has nothing else: same entities, seqs, commits, event
 * times, command ids, replies and writer schemas; new offsets and terms. The target's partitions are owned
 * meanwhile, as any owner would: by FENCE, with the acknowledgement rule, heads and states saved on the way.
 *
 * The FENCEs name the journal that the events come from. So what is in the target tells whether an import of
 * that journal may go on there: it may if every event was brought by one. Which commits are there already is
 * told by their seqs. */
#ifndef PDR_REPLAY_IMPORT_H
#define PDR_REPLAY_IMPORT_H

#include "replay/exported.h"
#include "replay/tool.h"

typedef struct pdr_import pdr_import; /* one thread */

typedef struct pdr_import_spec {
    pdr_tool *target; /* with a store. Its application's states are made on the way; without one heads only */
    uint8_t from[PDR_ID_SIZE];   /* journal that the events come from */
    const pdr_schema_book *book; /* has the writer schema of every event that comes; outlives the import */
} pdr_import_spec;

typedef struct pdr_import_counts {
    uint64_t commits, events; /* written, or on their way */
    uint64_t there;           /* commits that were there already */
    uint64_t unfolded;        /* entities whose events the application couldn't fold */
} pdr_import_counts;

/* Blocking: looks at all that the target has, then takes its partitions. PDR_EXISTS: it has events that no
 * import of this journal brought. PDR_WRONG_JOURNAL: it is the very journal that they come from.
 * PDR_NOT_OWNER, PDR_CANCELLED (the target's `stopped`), and what log and store say. */
PDR_CHECKED pdr_code pdr_import_open(pdr_import **out, const pdr_import_spec *spec, pdr_error *err);
/* What isn't finished is given up: some of what came last may be missing. NULL is fine. */
void pdr_import_close(pdr_import *import);

/* The next commit; those of an entity come by seq. Copied. May block until earlier ones are written. A
 * failure is of this or of any earlier commit; nothing helps then but to close, and perhaps to begin again.
 * PDR_CONFLICT: a commit before it is missing. */
PDR_CHECKED pdr_code pdr_import_commit(pdr_import *import, const pdr_exported_event *events, size_t count,
                                       pdr_error *err);
/* Blocking: all that came is acknowledged, and heads and states of all of it are saved. */
PDR_CHECKED pdr_code pdr_import_finish(pdr_import *import, pdr_error *err);
void pdr_import_counts_of(const pdr_import *import, pdr_import_counts *out);

#endif
