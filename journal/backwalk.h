/* An entity's history read backwards by backlinks: the part of history.c without input and output. It says
 * which range of offsets it wants next, is given that range's records, and collects the entity's events.
 *
 * What makes an event valid here. The newest one is valid by the caller's word, and so is whatever a valid
 * event's backlink names: an acknowledged event. Events between a backlink and its event were in flight
 * together with it, so they are of its term and have smaller numbers. An owner gives a number of its term to
 * one record, ever: every copy of (term, number) has the same bytes. So when (term, n) is valid, any copy of
 * (term, m) with m < n is what the valid record says, wherever the reading began: no state of the void rule
 * is needed, and it doesn't matter in which part of a commit a backlink's event stands. (Only its offset may
 * be that of a repeat.) Where this doesn't lead on, a scan with the void rule decides. */
#ifndef PDR_JOURNAL_BACKWALK_H
#define PDR_JOURNAL_BACKWALK_H

#include "journal/held.h"

/* What one jump costs, in records read in order: opening a reader and what it reads ahead in vain, measured
 * in processor time. SQLite 200 to 900, Kafka about 2,700. */
enum { PDR_BACKWALK_JUMP = 2048 };

typedef struct pdr_backwalk {
    pdr_bytes key; /* borrowed */
    uint64_t after_seq, to_seq;
    pdr_position last;
    size_t max_bytes, bytes; /* of all copies held */
    bool may_scan;           /* give up when a scan is cheaper */

    pdr_held_list chain; /* event to_seq, to_seq - 1, ... : without a gap */
    bool seeking;        /* the next of the chain stands at `target`; else fill the gap below the chain */
    int64_t target;
    uint64_t target_seq;

    pdr_held_list near;         /* the key's events among the offsets near_from .. near_to, ascending */
    pdr_held_list incoming;     /* ... of the range being read */
    int64_t near_from, near_to; /* near_from > near_to: nothing has been read */
    int64_t too_new; /* greatest offset near here of a record of the key that is too new; -1: none */

    int64_t from, to; /* range being read */
    int64_t lead;     /* offsets read before a target */
    uint64_t cost;    /* so far, in records */
} pdr_backwalk;

typedef enum pdr_backwalk_step {
    PDR_BACKWALK_READ,   /* give it the records of `from` .. `to` */
    PDR_BACKWALK_DONE,   /* the chain reaches after_seq + 1 */
    PDR_BACKWALK_COSTLY, /* scanning is cheaper */
    PDR_BACKWALK_SCAN,   /* only a scan can tell, or max_bytes is reached */
    PDR_BACKWALK_FAILED
} pdr_backwalk_step;

/* after_seq < to_seq, last.offset >= 0. */
void pdr_backwalk_init(pdr_backwalk *walk, pdr_bytes key, uint64_t after_seq, uint64_t to_seq,
                       pdr_position last, size_t max_bytes);
void pdr_backwalk_release(pdr_backwalk *walk);

/* What next? The range before must be whole. FAILED: *code and err say why. */
pdr_backwalk_step pdr_backwalk_next(pdr_backwalk *walk, pdr_code *code, pdr_error *err);
/* The next record of the range; offsets ascending; those outside the range are ignored. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_backwalk_take(pdr_backwalk *walk, const pdr_log_record *record, pdr_error *err);
/* The range begins before the log does: ask for less. False: it can't be less. */
bool pdr_backwalk_shrink(pdr_backwalk *walk);

#endif
