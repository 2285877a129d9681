#include "cli/help.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMN = 22, NARROWEST = 40, WIDEST = 100, WITHOUT_TERMINAL = 80 };

static const char *program = "perdure";

const char *pdr_cli_program(void)
{
    return program;
}

void pdr_cli_set_program(const char *name)
{
    program = name;
}

int pdr_help_width(FILE *to)
{
    struct winsize size;
    int fd = fileno(to);
    if (isatty(fd) != 1 || ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return WITHOUT_TERMINAL;
    if (size.ws_col < NARROWEST) return NARROWEST;
    return size.ws_col > WIDEST ? WIDEST : size.ws_col;
}

/* The words of one paragraph, to its end: an empty line, a line that begins with a space, or the text's end.
 */
static const char *wrap_paragraph(FILE *to, const char *text, int *at, int indent, int width)
{
    bool first = true;
    while (*text) {
        size_t size = strcspn(text, " \n");
        if (!first && *at + 1 + (int)size > width) {
            fprintf(to, "\n%*s", indent, "");
            *at = indent;
        } else if (!first) {
            fputc(' ', to);
            ++*at;
        }
        fprintf(to, "%.*s", (int)size, text);
        *at += (int)size;
        first = false;
        text += size;
        while (*text == ' ')
            text++;
        if (*text == '\n') text++;
        if (*text == '\n' || *text == ' ') break;
    }
    return text;
}

void pdr_help_wrap(FILE *to, const char *text, int at, int indent, int width)
{
    while (*text) {
        if (*text == '\n') {
            text++;
            fputc('\n', to);
        } else if (*text == ' ') {
            size_t size = strcspn(text, "\n");
            fprintf(to, "%.*s\n", (int)size, text);
            text += size + (text[size] == '\n');
        } else {
            text = wrap_paragraph(to, text, &at, indent, width);
            fputc('\n', to);
        }
        at = 0;
    }
}

void pdr_help_entry(FILE *to, const char *name, const char *text, int column, int width)
{
    int at = fprintf(to, "  %s", name);
    if (at + 2 > column) {
        fputc('\n', to);
        at = 0;
    }
    fprintf(to, "%*s", column - at, "");
    if (*text)
        pdr_help_wrap(to, text, column, column, width);
    else
        fputc('\n', to);
}

void pdr_help_usage(FILE *to, const pdr_cli_command *command, const pdr_flag *flags)
{
    fprintf(to, "%s %s", program, command->name);
    for (const pdr_flag *f = flags; f->kind != PDR_FLAG_END; f++)
        if (f->kind == PDR_FLAG_WORD || f->kind == PDR_FLAG_WORDS) fprintf(to, " %s", f->name);
    fprintf(to, " [FLAGS]");
}

bool pdr_help_is_common(const pdr_flag *flag)
{
    static const char *const names[] = {"--journal", "--store", "--views", "--app", "--settings", "--json"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(flag->name, names[i]) == 0) return true;
    return false;
}

void pdr_help_summary(char *out, size_t room, const pdr_cli_command *command)
{
    size_t size = strlen(command->summary);
    bool ends = size > 0 && command->summary[size - 1] == '?';
    (void)snprintf(out, room, "%s%s", command->summary, ends ? "" : ".");
    if (out[0] >= 'a' && out[0] <= 'z') out[0] = (char)(out[0] - 'a' + 'A');
}

/* What says nothing about itself stands in the usage only. */
static bool print_flags(FILE *to, const pdr_flag *flags, bool common, int width)
{
    bool any = false;
    for (; flags->kind != PDR_FLAG_END; flags++) {
        char name[128];
        if (!flags->help || !*flags->help || pdr_help_is_common(flags) != common) continue;
        (void)snprintf(name, sizeof name, "%s%s%s", flags->name, flags->value ? " " : "",
                       flags->value ? flags->value : "");
        pdr_help_entry(to, name, flags->help, COLUMN, width);
        any = true;
    }
    return any;
}

void pdr_help_command(FILE *to, const pdr_cli_command *command, const pdr_flag *flags)
{
    char summary[256];
    int width = pdr_help_width(to);
    pdr_help_summary(summary, sizeof summary, command);
    fprintf(to, "usage: ");
    pdr_help_usage(to, command, flags);
    fprintf(to, "\n\n");
    pdr_help_wrap(to, summary, 0, 0, width);
    fputc('\n', to);
    pdr_help_wrap(to, command->about, 0, 0, width);
    fputc('\n', to);
    if (print_flags(to, flags, false, width)) fputc('\n', to);
    (void)print_flags(to, flags, true, width);
    pdr_help_entry(to, "--help", "this text", COLUMN, width);
}
