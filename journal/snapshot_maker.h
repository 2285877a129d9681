/* Makes the states of today's handler revisions beside the owners: it is told which entities up to which seq,
 * is given the log's records in order, and hands over each state as soon as its entity's events have come.
 * What doesn't fit into its memory is left for another pass. No I/O; one thread. `perdure snapshot rebuild`
 * drives it. */
#ifndef PDR_JOURNAL_SNAPSHOT_MAKER_H
#define PDR_JOURNAL_SNAPSHOT_MAKER_H

#include "journal/fold.h"
#include "journal/log.h"
#include "journal/store.h"

typedef struct pdr_snapshot_maker pdr_snapshot_maker;

typedef struct pdr_snapshot_sink {
    /* A state is made: key, revision, state_seq, state; borrowed until return. A non-OK code ends the pass.
     */
    pdr_code (*made)(void *context, int32_t partition, const pdr_head *head, pdr_error *err);
    /* This entity's events can't be folded by today's code, or aren't all there. */
    void (*failed)(void *context, pdr_bytes key, const pdr_error *why);
} pdr_snapshot_sink;

/* `book`: takes the schemas that are met; the folders look there. `budget`: bytes of memory for entities and
 * states; one entity always has room. */
PDR_CHECKED pdr_code pdr_snapshot_maker_open(pdr_snapshot_maker **out, pdr_schema_book *book, size_t budget,
                                             const pdr_snapshot_sink *sink, void *context, pdr_error *err);
void pdr_snapshot_maker_close(pdr_snapshot_maker *maker); /* NULL is fine */

/* One entity more for the next pass, in ascending order of key. `head`: key, seq and last are looked at.
 * PDR_BUSY: no room, a pass is due; PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_snapshot_maker_want(pdr_snapshot_maker *maker, const pdr_folder *folder,
                                             const pdr_head *head, pdr_error *err);
size_t pdr_snapshot_maker_count(const pdr_snapshot_maker *maker); /* wanted in the next pass */

/* A pass: each partition from its beginning, several at once if that is how they come. PDR_CORRUPT,
 * PDR_TOO_NEW, PDR_NOMEM, or what `made` gave. */
PDR_CHECKED pdr_code pdr_snapshot_maker_begin(pdr_snapshot_maker *maker, int32_t partitions, pdr_error *err);
PDR_CHECKED pdr_code pdr_snapshot_maker_take(pdr_snapshot_maker *maker, int32_t partition,
                                             const pdr_log_record *record, pdr_error *err);
/* The pass is over: entities whose events didn't all come have failed; nothing is wanted any more. *left:
 * the key of the last entity that was done, when those after it were left out for want of memory: want them
 * again; borrowed until the next call. data NULL: all were done. */
void pdr_snapshot_maker_end(pdr_snapshot_maker *maker, pdr_bytes *left);

#endif
