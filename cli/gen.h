/* perdure gen: C structs and codecs from Avro schemas. */
#ifndef PDR_CLI_GEN_H
#define PDR_CLI_GEN_H

#include "cli/flags.h"

/* argv[0] is "gen" or the program's name; gives the exit code: 0 done, 1 failed, 2 wrong usage. */
int pdr_cli_gen(int argc, char **argv);

extern const pdr_cli_command pdr_cli_gen_command;

#endif
