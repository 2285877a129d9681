#include "cli/commands.h"

#include <stddef.h>
#include <string.h>

/* A line each, so that two who add one rarely meet. */
/* clang-format off */
static const pdr_cli_command *const running[] = {
    &pdr_cli_init,
    &pdr_cli_rebuild_store,
    &pdr_cli_store_dump,
    &pdr_cli_snapshot_list,
    &pdr_cli_snapshot_show,
    &pdr_cli_snapshot_rebuild,
    &pdr_cli_snapshot_drop,
    &pdr_cli_verify,
    &pdr_cli_doctor,
    NULL,
};

static const pdr_cli_command *const seeing[] = {
    &pdr_cli_history,
    &pdr_cli_state,
    &pdr_cli_diff,
    &pdr_cli_step,
    &pdr_cli_bisect,
    &pdr_cli_tail,
    &pdr_cli_grep,
    &pdr_cli_stats,
    &pdr_cli_replay,
    &pdr_cli_trace,
    &pdr_cli_entity_list,
    NULL,
};

static const pdr_cli_command *const schemas[] = {
    &pdr_cli_gen_command,
    &pdr_cli_schema_check,
    &pdr_cli_schema_list,
    &pdr_cli_schema_show,
    &pdr_cli_schema_golden,
    &pdr_cli_schema_compat,
    &pdr_cli_schema_diff,
    &pdr_cli_schema_register,
    NULL,
};

static const pdr_cli_command *const views[] = {
    &pdr_cli_project_run,
    &pdr_cli_project_list,
    &pdr_cli_project_status,
    &pdr_cli_project_check,
    &pdr_cli_project_pause,
    &pdr_cli_project_resume,
    &pdr_cli_project_throttle,
    &pdr_cli_project_reset,
    &pdr_cli_project_delete,
    &pdr_cli_project_rebuild,
    &pdr_cli_project_diff,
    &pdr_cli_project_swap,
    &pdr_cli_project_rollback,
    NULL,
};

static const pdr_cli_command *const letters[] = {
    &pdr_cli_dlq_list,
    &pdr_cli_dlq_show,
    &pdr_cli_dlq_retry,
    &pdr_cli_dlq_skip,
    &pdr_cli_dlq_purge,
    NULL,
};

static const pdr_cli_command *const moving[] = {
    &pdr_cli_export,
    &pdr_cli_import,
    &pdr_cli_copy,
    NULL,
};

static const pdr_cli_command *const shell[] = {
    &pdr_cli_completion,
    &pdr_cli_man,
    NULL,
};

const pdr_cli_group pdr_cli_groups[] = {
    {"Begin, look after and mend a journal", running},
    {"See what happened, and try other code on it", seeing},
    {"Take a journal elsewhere", moving},
    {"Schemas that evolve", schemas},
    {"Read views", views},
    {"Parked events of read views", letters},
    {"This command", shell},
    {NULL, NULL},
};
/* clang-format on */

/* How many of the words name this command: 0 if they don't. */
static int words_of(const char *name, int argc, char **argv)
{
    int words = 0;
    while (*name) {
        size_t size = strcspn(name, " ");
        if (words >= argc || strlen(argv[words]) != size || memcmp(argv[words], name, size) != 0) return 0;
        words++;
        name += size + (name[size] == ' ');
    }
    return words;
}

const pdr_cli_command *pdr_cli_find(int argc, char **argv, int *words)
{
    const pdr_cli_command *found = NULL;
    *words = 0;
    for (const pdr_cli_group *g = pdr_cli_groups; g->title; g++)
        for (const pdr_cli_command *const *c = g->commands; *c; c++) {
            int count = words_of((*c)->name, argc, argv);
            if (count <= *words) continue;
            found = *c;
            *words = count;
        }
    return found;
}
