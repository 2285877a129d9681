/* Which entities are wanted: by id and by the beginning of their ids. */
#ifndef PDR_REPLAY_CHOICE_H
#define PDR_REPLAY_CHOICE_H

#include "perdure/bytes.h"

typedef struct pdr_choice pdr_choice; /* doesn't change: any thread */

/* "loan/1,loan/2", "loan/17*" (all whose ids begin so), "@FILE" (one a line; # begins a comment), or any of
 * these with commas between. PDR_INVALID_ARGUMENT, PDR_NOT_FOUND (the file), PDR_IO, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_choice_open(pdr_choice **out, const char *text, pdr_error *err);
void pdr_choice_close(pdr_choice *choice); /* NULL is fine */
bool pdr_choice_has(const pdr_choice *choice, pdr_bytes entity);
bool pdr_choice_is_list(const pdr_choice *choice); /* no beginnings of ids, only whole ones */
/* Those that are named by their whole ids, ascending; i below the count. */
size_t pdr_choice_count(const pdr_choice *choice);
pdr_bytes pdr_choice_at(const pdr_choice *choice, size_t i);

#endif
