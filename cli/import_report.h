/* What `perdure import` and `perdure copy` tell at their end. */
#ifndef PDR_CLI_IMPORT_REPORT_H
#define PDR_CLI_IMPORT_REPORT_H

#include "cli/common.h"
#include "replay/import.h"

/* Everything is written, or something failed, or it was stopped after what came was written. `again`: what
 * goes on with it, for people. Gives the exit code. */
int pdr_import_report(const pdr_cli_command *command, const pdr_import_counts *counts, bool json,
                      bool has_app, const char *again, pdr_code code, const pdr_error *err);

/* Finish what came, also when it ended with `code`, PDR_CANCELLED above all: an import that goes on later has
 * less to do. Gives the first failure. */
PDR_CHECKED pdr_code pdr_import_settle(pdr_import *import, pdr_code code, pdr_error *err);

#endif
