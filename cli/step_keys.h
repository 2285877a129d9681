/* Where the commands of `perdure step` come from: a terminal, by libedit with the arrow keys, or lines of
 * standard input. */
#ifndef PDR_CLI_STEP_KEYS_H
#define PDR_CLI_STEP_KEYS_H

#include "perdure/bytes.h"

typedef struct pdr_step_keys pdr_step_keys;

/* A terminal has a prompt; its text is asked for before each line: `prompt` is borrowed, and may change. */
PDR_CHECKED pdr_code pdr_step_keys_open(pdr_step_keys **out, const char *prompt, pdr_error *err);
void pdr_step_keys_close(pdr_step_keys *keys); /* NULL is fine */
bool pdr_step_keys_is_terminal(const pdr_step_keys *keys);
/* The next line without its end; an arrow key is "next" or "back". NULL: there is no more, or ^C. Valid until
 * the next call. */
const char *pdr_step_keys_next(pdr_step_keys *keys);

#endif
