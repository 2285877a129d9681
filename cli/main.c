/* The command `perdure`: finds the command and runs it. */
#include <stdio.h>
#include <string.h>

#include "cli/common.h"
#include "cli/gen.h"

static const pdr_cli_command *const commands[] = {
    &pdr_cli_init,           &pdr_cli_gen_command,    &pdr_cli_rebuild_store,    &pdr_cli_store_dump,
    &pdr_cli_schema_check,   &pdr_cli_schema_list,    &pdr_cli_schema_show,      &pdr_cli_schema_golden,
    &pdr_cli_schema_compat,  &pdr_cli_schema_diff,    &pdr_cli_schema_register,  &pdr_cli_snapshot_rebuild,
    &pdr_cli_project_run,    &pdr_cli_project_check,  &pdr_cli_project_list,     &pdr_cli_project_status,
    &pdr_cli_project_pause,  &pdr_cli_project_resume, &pdr_cli_project_throttle, &pdr_cli_project_rebuild,
    &pdr_cli_project_diff,   &pdr_cli_project_swap,   &pdr_cli_project_rollback, &pdr_cli_project_reset,
    &pdr_cli_project_delete, &pdr_cli_dlq_list,       &pdr_cli_dlq_show,         &pdr_cli_dlq_retry,
    &pdr_cli_dlq_skip,       &pdr_cli_dlq_purge};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

const pdr_cli_command pdr_cli_gen_command = {
    .name = "gen", .summary = "C structs and codecs from Avro schemas", .about = "", .run = pdr_cli_gen};

static void print_help(FILE *to)
{
    fprintf(to, "usage: perdure COMMAND [FLAGS]\n\n");
    for (int i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-18s%s\n", commands[i]->name, commands[i]->summary);
    fprintf(
        to,
        "\n"
        "perdure COMMAND --help describes one. PERDURE_JOURNAL, PERDURE_STORE, PERDURE_VIEWS and PERDURE_APP "
        "are\n"
        "the defaults of --journal, --store, --views and --app. Exit codes: 0 done; 1 failed; 2 the command "
        "line is wrong; 3 "
        "failed\n"
        "for the moment, try again; 4 refused, what is there is in the way; 5 log or store are damaged.\n");
}

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

int main(int argc, char **argv)
{
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
        print_help(stdout);
        return PDR_EXIT_DONE;
    }
    if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
        printf("perdure %s\n", PDR_VERSION);
        return PDR_EXIT_DONE;
    }
    for (int i = 0; i < COMMANDS; i++) {
        int words = words_of(commands[i]->name, argc - 1, argv + 1);
        if (words) return commands[i]->run(argc - words, argv + words);
    }
    if (argc < 2)
        fprintf(stderr, "perdure: no command\n");
    else
        fprintf(stderr, "perdure: there is no command \"%s\"\n", argv[1]);
    print_help(stderr);
    return PDR_EXIT_USAGE;
}
