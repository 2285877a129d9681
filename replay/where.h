/* Filters in jq's language (libjq) over JSON: `.amount > 10000`. jq's numbers are doubles: integers beyond
 * 2^53 are compared as the nearest that one can hold. */
#ifndef PDR_REPLAY_WHERE_H
#define PDR_REPLAY_WHERE_H

#include "perdure/bytes.h"

typedef struct pdr_where pdr_where; /* one thread at a time */

/* PDR_INVALID_ARGUMENT with jq's message: it doesn't compile. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_where_open(pdr_where **out, const char *program, pdr_error *err);
void pdr_where_close(pdr_where *where); /* NULL is fine */
/* Holds: the first thing that the program gives is neither false nor null; a program that gives nothing
 * doesn't hold. PDR_BAD_DATA: a failure inside the program, with jq's message. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_where_holds(pdr_where *where, pdr_bytes json, bool *holds, pdr_error *err);

#endif
