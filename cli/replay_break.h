/* Stopping a debugger right before an event is applied. */
#ifndef PDR_CLI_REPLAY_BREAK_H
#define PDR_CLI_REPLAY_BREAK_H

#include "cli/common.h"

/* `where`: "loan/173688:7". Gives the exit code. */
int pdr_replay_break(const pdr_cli_command *command, const pdr_target *target, const pdr_app *app,
                     const char *where);

#endif
