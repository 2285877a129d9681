/* The help of the command and of its commands, wrapped to the terminal. */
#ifndef PDR_CLI_HELP_H
#define PDR_CLI_HELP_H

#include <stdio.h>

#include "cli/flags.h"

/* What the program is called in messages: "perdure" unless an application embeds it. Borrowed. */
const char *pdr_cli_program(void);
void pdr_cli_set_program(const char *name); /* borrowed from now on */

/* Columns for help on `to`: the terminal's, at most 100; 80 where there is none. */
int pdr_help_width(FILE *to);
/* The text's paragraphs, wrapped; what begins with a space as it is. `indent`: columns before each line but
 * the first, which begins at column `at`. */
void pdr_help_wrap(FILE *to, const char *text, int at, int indent, int width);
/* "  NAME  what it is", the second part wrapped in a column of its own. */
void pdr_help_entry(FILE *to, const char *name, const char *text, int column, int width);
/* "perdure store dump [FLAGS]" */
void pdr_help_usage(FILE *to, const pdr_cli_command *command, const pdr_flag *flags);
/* Those of journal, store, views, application and output, which many commands have: they stand behind a
 * command's own. */
bool pdr_help_is_common(const pdr_flag *flag);
/* The summary as a sentence. */
void pdr_help_summary(char *out, size_t room, const pdr_cli_command *command);
void pdr_help_command(FILE *to, const pdr_cli_command *command, const pdr_flag *flags);

#endif
