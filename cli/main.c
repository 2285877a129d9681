/* pdr_main: finds the command and runs it. */
#include "perdure/main.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/common.h"
#include "cli/help.h"
#include "cli/nearest.h"

enum { COLUMN = 22 };

static bool begins(const char *name, const char *word)
{
    size_t size = strlen(word);
    return strncmp(name, word, size) == 0 && name[size] == ' ';
}

/* All commands, or those whose first word this is. False: there is none. */
static bool print_commands(FILE *to, const char *word)
{
    int width = pdr_help_width(to);
    bool any = false;
    for (const pdr_cli_group *g = pdr_cli_groups; g->title; g++) {
        bool first = true;
        for (const pdr_cli_command *const *c = g->commands; *c; c++) {
            if (word && !begins((*c)->name, word)) continue;
            if (first && !word) fprintf(to, "\n%s\n", g->title);
            first = false;
            any = true;
            pdr_help_entry(to, (*c)->name, (*c)->summary, COLUMN, width);
        }
    }
    return any;
}

static void print_help(FILE *to)
{
    int width = pdr_help_width(to);
    fprintf(to, "usage: %s COMMAND [FLAGS]\n\nAn event-sourcing journal: run it, see into it, mend it.\n",
            pdr_cli_program());
    (void)print_commands(to, NULL);
    fprintf(to, "\n%s COMMAND --help describes one.\n\nVariables that are defaults of flags\n",
            pdr_cli_program());
    for (const pdr_help_variable *v = pdr_help_variables; v->name; v++)
        pdr_help_entry(to, v->name, v->flag, COLUMN, width);
    fprintf(to, "\nExit codes\n");
    for (const pdr_help_exit *e = pdr_help_exits; e->meaning; e++) {
        char code[4];
        (void)snprintf(code, sizeof code, "%d", e->code);
        pdr_help_entry(to, code, e->meaning, 5, width);
    }
}

/* The first word of a command, or a command written a little differently. */
static int no_such_command(int argc, char **argv)
{
    char two[128];
    pdr_nearest one_word = {.wanted = argv[0]}, two_words = {.wanted = two};
    (void)snprintf(two, sizeof two, "%s %s", argv[0], argc > 1 ? argv[1] : "");
    fprintf(stderr, "%s: there is no command \"%s\"", pdr_cli_program(), argv[0]);
    for (const pdr_cli_group *g = pdr_cli_groups; g->title; g++)
        for (const pdr_cli_command *const *c = g->commands; *c; c++) {
            pdr_nearest_offer(&one_word, (*c)->name);
            if (argc > 1) pdr_nearest_offer(&two_words, (*c)->name);
        }
    const char *found = two_words.found ? two_words.found : one_word.found;
    fprintf(stderr, found ? "; did you mean %s?\n" : "\n", found);
    fprintf(stderr, "  usage: %s COMMAND [FLAGS]; %s --help lists the commands\n", pdr_cli_program(),
            pdr_cli_program());
    return PDR_EXIT_USAGE;
}

static bool asks_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

/* "store", "store eat", "store --help": what there is of it. */
static int tell_some(int argc, char **argv)
{
    bool asked = argc > 1 && asks_help(argv[1]);
    FILE *to = asked ? stdout : stderr;
    if (!asked && argc > 1)
        fprintf(to, "%s: there is no command \"%s %s\", but\n", pdr_cli_program(), argv[0], argv[1]);
    else
        fprintf(to, "%s: \"%s\" is the first word of\n", pdr_cli_program(), argv[0]);
    (void)print_commands(to, argv[0]);
    return asked ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
}

static bool is_first_word(const char *word)
{
    for (const pdr_cli_group *g = pdr_cli_groups; g->title; g++)
        for (const pdr_cli_command *const *c = g->commands; *c; c++)
            if (begins((*c)->name, word)) return true;
    return false;
}

static int run_command(int argc, char **argv)
{
    int words;
    const pdr_cli_command *command = pdr_cli_find(argc, argv, &words);
    if (command) return command->run(argc - words + 1, argv + words - 1);
    return *argv[0] && is_first_word(argv[0]) ? tell_some(argc, argv) : no_such_command(argc, argv);
}

/* help, help COMMAND */
static int tell(int argc, char **argv)
{
    static char flag[] = "--help";
    char *words[8];
    if (argc == 1) {
        print_help(stdout);
        return PDR_EXIT_DONE;
    }
    int count = argc - 1 < 6 ? argc - 1 : 6;
    memcpy(words, argv + 1, (size_t)count * sizeof *words);
    words[count] = flag;
    words[count + 1] = NULL;
    return run_command(count + 1, words);
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "%s: no command\n", pdr_cli_program());
        print_help(stderr);
        return PDR_EXIT_USAGE;
    }
    if (asks_help(argv[1])) return tell(argc - 1, argv + 1);
    if (strcmp(argv[1], "--version") != 0) return run_command(argc - 1, argv + 1);
    printf("%s %s\n", pdr_cli_program(), PDR_VERSION);
    return PDR_EXIT_DONE;
}

/* Standard output is a pipe that nobody reads any more. */
static bool has_no_reader(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) > 0 && (out.revents & POLLERR);
}

int pdr_main(int argc, char **argv, const pdr_app *app)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    if (argc > 0) pdr_cli_set_program(slash ? slash + 1 : argv[0]);
    pdr_cli_embed(app);
    (void)signal(SIGPIPE, SIG_IGN);
    int exit_code = dispatch(argc, argv);
    bool unwritten = fflush(stdout) != 0 || ferror(stdout);
    if (unwritten && exit_code == PDR_EXIT_DONE && !pdr_cli_reader_gone() && !has_no_reader()) {
        fprintf(stderr, "%s: standard output can't be written\n", pdr_cli_program());
        return pdr_exit_of(PDR_IO);
    }
    return exit_code;
}
