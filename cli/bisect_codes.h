/* bisect --app OLD --app NEW: the first event at which two versions of the code disagree. */
#ifndef PDR_CLI_BISECT_CODES_H
#define PDR_CLI_BISECT_CODES_H

#include "cli/entity_command.h"

/* `base` has its flags: target.app the newer version, entity NULL: of all entities the earliest by its
 * append. Opens what it needs of it, puts the event out. PDR_NOT_FOUND: they agree. */
PDR_CHECKED pdr_code pdr_bisect_codes(const pdr_cli_command *command, pdr_entity_command *base,
                                      const char *old_file, pdr_error *err);

#endif
