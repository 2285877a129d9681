/* Completion scripts for shells, from the tables of the commands. */
#ifndef PDR_CLI_COMPLETION_H
#define PDR_CLI_COMPLETION_H

#include "cli/commands.h"
#include "perdure/bytes.h"

/* Each appends a whole script. PDR_NOMEM, PDR_TOO_LARGE. */
PDR_CHECKED pdr_code pdr_complete_bash(pdr_buf *out);
PDR_CHECKED pdr_code pdr_complete_zsh(pdr_buf *out);
PDR_CHECKED pdr_code pdr_complete_fish(pdr_buf *out);

/* The program's name as part of a function's: letters, digits and _ only. */
const char *pdr_complete_name(void);
/* `text`, with each @P@ replaced by the program's name and each @F@ by its form for functions. */
PDR_CHECKED pdr_code pdr_complete_put(pdr_buf *out, const char *text);
/* In single quotes, as bash and zsh (`fish` false) or fish read them. */
PDR_CHECKED pdr_code pdr_complete_quote(pdr_buf *out, const char *text, bool fish);
/* Calls for every command, in the order of the help; ends at the first failure. */
typedef pdr_code (*pdr_complete_each)(pdr_buf *out, const pdr_cli_command *command, const pdr_flag *flags);
PDR_CHECKED pdr_code pdr_complete_all(pdr_buf *out, pdr_complete_each each);
/* The command's first word, and the one behind it (size 0: none). */
pdr_string pdr_complete_first(const pdr_cli_command *command);
pdr_string pdr_complete_second(const pdr_cli_command *command);
/* Is it the first of those that begin with its first word? */
bool pdr_complete_is_first(const pdr_cli_command *command);

#endif
