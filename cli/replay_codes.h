/* Two versions of an application in one process. */
#ifndef PDR_CLI_REPLAY_CODES_H
#define PDR_CLI_REPLAY_CODES_H

#include "cli/common.h"

/* Both are loaded. PDR_INVALID_ARGUMENT: though they are two files, they share code or types, so that one
 * would be run as the other. */
PDR_CHECKED pdr_code pdr_codes_are_apart(const pdr_loaded_app *one, const pdr_loaded_app *two,
                                         pdr_error *err);
/* What a file holds, as a number that another file hardly has. PDR_NOT_FOUND, PDR_IO. */
PDR_CHECKED pdr_code pdr_code_mark(const char *file, uint64_t *mark, pdr_error *err);

#endif
