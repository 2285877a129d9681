/* The commands of `perdure`. A new one gets a line here and a line in commands.c. */
#ifndef PDR_CLI_COMMANDS_H
#define PDR_CLI_COMMANDS_H

#include "cli/flags.h"

typedef struct pdr_cli_group {
    const char *title;                      /* what one wants to do */
    const pdr_cli_command *const *commands; /* NULL behind the last */
} pdr_cli_group;

/* In the order of the help; title NULL behind the last. */
extern const pdr_cli_group pdr_cli_groups[];

/* The command that the words name, the longest if there are two, and how many words that takes; NULL: none.
 */
const pdr_cli_command *pdr_cli_find(int argc, char **argv, int *words);

extern const pdr_cli_command pdr_cli_init;
extern const pdr_cli_command pdr_cli_rebuild_store;
extern const pdr_cli_command pdr_cli_store_dump;
extern const pdr_cli_command pdr_cli_snapshot_list;
extern const pdr_cli_command pdr_cli_snapshot_show;
extern const pdr_cli_command pdr_cli_snapshot_rebuild;
extern const pdr_cli_command pdr_cli_snapshot_drop;
extern const pdr_cli_command pdr_cli_verify;
extern const pdr_cli_command pdr_cli_doctor;

extern const pdr_cli_command pdr_cli_history;
extern const pdr_cli_command pdr_cli_grep;
extern const pdr_cli_command pdr_cli_state;
extern const pdr_cli_command pdr_cli_diff;
extern const pdr_cli_command pdr_cli_step;
extern const pdr_cli_command pdr_cli_bisect;
extern const pdr_cli_command pdr_cli_tail;
extern const pdr_cli_command pdr_cli_stats;
extern const pdr_cli_command pdr_cli_replay;
extern const pdr_cli_command pdr_cli_trace;
extern const pdr_cli_command pdr_cli_entity_list;

extern const pdr_cli_command pdr_cli_export;
extern const pdr_cli_command pdr_cli_import;
extern const pdr_cli_command pdr_cli_copy;

extern const pdr_cli_command pdr_cli_gen_command;
extern const pdr_cli_command pdr_cli_schema_check;
extern const pdr_cli_command pdr_cli_schema_list;
extern const pdr_cli_command pdr_cli_schema_show;
extern const pdr_cli_command pdr_cli_schema_golden;
extern const pdr_cli_command pdr_cli_schema_compat;
extern const pdr_cli_command pdr_cli_schema_diff;
extern const pdr_cli_command pdr_cli_schema_register;

extern const pdr_cli_command pdr_cli_project_run;
extern const pdr_cli_command pdr_cli_project_list;
extern const pdr_cli_command pdr_cli_project_status;
extern const pdr_cli_command pdr_cli_project_check;
extern const pdr_cli_command pdr_cli_project_pause;
extern const pdr_cli_command pdr_cli_project_resume;
extern const pdr_cli_command pdr_cli_project_throttle;
extern const pdr_cli_command pdr_cli_project_reset;
extern const pdr_cli_command pdr_cli_project_delete;
extern const pdr_cli_command pdr_cli_project_rebuild;
extern const pdr_cli_command pdr_cli_project_diff;
extern const pdr_cli_command pdr_cli_project_swap;
extern const pdr_cli_command pdr_cli_project_rollback;

extern const pdr_cli_command pdr_cli_dlq_list;
extern const pdr_cli_command pdr_cli_dlq_show;
extern const pdr_cli_command pdr_cli_dlq_retry;
extern const pdr_cli_command pdr_cli_dlq_skip;
extern const pdr_cli_command pdr_cli_dlq_purge;

extern const pdr_cli_command pdr_cli_completion;
extern const pdr_cli_command pdr_cli_man;

#endif
