/* A copy of one record of ours that outlives the callback it came in. */
#ifndef PDR_JOURNAL_HELD_H
#define PDR_JOURNAL_HELD_H

#include "journal/log.h"
#include "journal/record.h"

typedef struct pdr_held {
    pdr_log_record record; /* without the schema header; its ranges lie behind this struct */
    pdr_header header;     /* borrows from `record` */
    size_t size;           /* bytes of the whole copy, this struct included */
} pdr_held;

/* The record's header must be one that parses. NULL: out of memory. pdr_free releases it. */
PDR_CHECKED pdr_held *pdr_held_copy(const pdr_log_record *record);

/* Zero-initialised. Whoever has the list frees `items` and what is in it. */
typedef struct pdr_held_list {
    pdr_held **items;
    size_t count, capacity;
} pdr_held_list;

/* Make room for `more` after `count`; false: out of memory, the list is as before. */
PDR_CHECKED bool pdr_held_list_reserve(pdr_held_list *list, size_t more);

#endif
