/* Events that were read from the log and not yet given to the application: copied into an arena that is
 * cleared when all were given. One thread. */
#ifndef PDR_ACTORS_EVENT_QUEUE_H
#define PDR_ACTORS_EVENT_QUEUE_H

#include "journal/fold.h"
#include "journal/log.h"
#include "journal/record.h"
#include "journal/schema_seek.h"
#include "perdure/journal.h"

struct pdr_queued_event;

typedef struct pdr_event_queue {
    const pdr_app *app;
    const pdr_schema_book *book;
    pdr_folder **folders; /* by the app's entity types */
    pdr_arena arena;      /* of the queued events and the one given last */
    pdr_arena decoded;    /* of the one given last */
    struct pdr_queued_event *first, *last;
    size_t bytes; /* queued */
    pdr_logged_event given;
    pdr_event_list read;        /* what the stored event that was taken last has become */
    uint32_t part;              /* how many of that were given */
    pdr_schema_seek_spec lacks; /* after take gave PDR_UNKNOWN_SCHEMA */
} pdr_event_queue;

/* Release it in any case. PDR_NOMEM, or what pdr_folder_open says. */
PDR_CHECKED pdr_code pdr_event_queue_init(pdr_event_queue *queue, const pdr_app *app,
                                          const pdr_schema_book *book, pdr_error *err);
void pdr_event_queue_release(pdr_event_queue *queue);

/* `position`: of its commit, or PDR_POSITION_START. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_event_queue_put(pdr_event_queue *queue, int32_t partition,
                                         const pdr_log_record *record, const pdr_header *header,
                                         pdr_position position, pdr_error *err);
static inline bool pdr_event_queue_is_empty(const pdr_event_queue *queue)
{
    return !queue->first && queue->part == queue->given.parts;
}
/* The next one, as one of today's events if the application can read it; valid until the next call of take or
 * forget. *out NULL: there was none, or upcasters drop all that there were. PDR_BAD_DATA, PDR_BAD_HANDLER,
 * PDR_NOMEM: this one can't be read, and is gone. PDR_UNKNOWN_SCHEMA: nothing is known of the next one's
 * schema; look for what `lacks` says, then take again: with the schema or without, it is given then. */
PDR_CHECKED pdr_code pdr_event_queue_take(pdr_event_queue *queue, const pdr_logged_event **out,
                                          pdr_error *err);
/* The schema couldn't be looked for: the next take asks again. */
void pdr_event_queue_ask_again(pdr_event_queue *queue);
/* The one given last is no longer needed. */
void pdr_event_queue_forget(pdr_event_queue *queue);

#endif
