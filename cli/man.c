/* perdure man: the manual pages, from the tables of the commands. */
#include <errno.h>
#include <stdio.h>

#include "cli/common.h"
#include "cli/folder.h"
#include "cli/help.h"

enum { MAX_PAGE = 1024 * 1024 };

/* --- roff --- */

static pdr_code put_text(pdr_buf *out, const char *text, size_t size)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < size; i++) {
        bool begins = i == 0 || text[i - 1] == '\n';
        if (begins && (text[i] == '.' || text[i] == '\'')) code = pdr_buf_printf(out, "\\&");
        if (code != PDR_OK) break;
        switch (text[i]) {
        case '\\': code = pdr_buf_printf(out, "\\e"); break;
        case '-': code = pdr_buf_printf(out, "\\-"); break;
        case '^': code = pdr_buf_printf(out, "\\(ha"); break;
        case '~': code = pdr_buf_printf(out, "\\(ti"); break;
        case '`': code = pdr_buf_printf(out, "\\(ga"); break;
        case '\'': code = pdr_buf_printf(out, "\\(aq"); break;
        default: code = pdr_buf_append(out, text + i, 1);
        }
    }
    return code;
}

static pdr_code put(pdr_buf *out, const char *text)
{
    return put_text(out, text, strlen(text));
}

/* Paragraphs; lines that begin with a space stay as they are, set apart. */
static pdr_code put_paragraphs(pdr_buf *out, const char *text)
{
    pdr_code code = PDR_OK;
    while (code == PDR_OK && *text) {
        size_t size = strcspn(text, "\n");
        bool kept = *text == ' ';
        if (size == 0) {
            code = text[1] && text[1] != ' ' ? pdr_buf_printf(out, ".PP\n") : PDR_OK;
        } else {
            if (kept) code = pdr_buf_printf(out, ".PP\n.nf\n");
            while (code == PDR_OK && size > 0 && (*text == ' ') == kept) {
                code = put_text(out, text, size);
                if (code == PDR_OK) code = pdr_buf_printf(out, "\n");
                text += size + (text[size] == '\n');
                size = strcspn(text, "\n");
            }
            if (code == PDR_OK && kept) code = pdr_buf_printf(out, ".fi\n");
            continue;
        }
        text++;
    }
    return code;
}

static pdr_code put_dashed(pdr_buf *out, const char *name)
{
    for (pdr_code code = PDR_OK;; name++) {
        size_t size = strcspn(name, " ");
        code = put_text(out, name, size);
        name += size;
        if (code != PDR_OK || !*name) return code;
        if ((code = put(out, "-")) != PDR_OK) return code;
    }
}

static pdr_code put_head(pdr_buf *out, const char *name, const char *summary)
{
    const char *program = pdr_cli_program();
    pdr_code code = pdr_buf_printf(out, ".\\\" made by `%s man`\n.TH \"", program);
    if (code == PDR_OK) code = put_dashed(out, program);
    if (code == PDR_OK && *name) code = put(out, "-");
    if (code == PDR_OK) code = put_dashed(out, name);
    if (code == PDR_OK)
        code = pdr_buf_printf(out, "\" 1 \"\" \"%s %s\" \"%s manual\"\n.SH NAME\n", program, PDR_VERSION,
                              program);
    if (code == PDR_OK) code = put_dashed(out, program);
    if (code == PDR_OK && *name) code = put(out, "-");
    if (code == PDR_OK) code = put_dashed(out, name);
    if (code == PDR_OK) code = pdr_buf_printf(out, " \\- ");
    if (code == PDR_OK) code = put(out, summary);
    return code == PDR_OK ? pdr_buf_printf(out, "\n") : code;
}

/* --- a command's page --- */

static pdr_code put_synopsis(pdr_buf *out, const pdr_cli_command *command, const pdr_flag *flags)
{
    pdr_code code = pdr_buf_printf(out, ".SH SYNOPSIS\n.B ");
    if (code == PDR_OK) code = put(out, pdr_cli_program());
    if (code == PDR_OK) code = put(out, " ");
    if (code == PDR_OK) code = put(out, command->name);
    if (code == PDR_OK) code = pdr_buf_printf(out, "\n");
    for (; code == PDR_OK && flags->kind != PDR_FLAG_END; flags++) {
        if (flags->kind != PDR_FLAG_WORD && flags->kind != PDR_FLAG_WORDS) continue;
        code = pdr_buf_printf(out, ".I \"");
        if (code == PDR_OK) code = put(out, flags->name);
        if (code == PDR_OK) code = pdr_buf_printf(out, "\"\n");
    }
    return code == PDR_OK ? pdr_buf_printf(out, ".RI [ flags ]\n") : code;
}

static pdr_code put_flag(pdr_buf *out, const pdr_flag *flag)
{
    if (!flag->help || !*flag->help) return PDR_OK;
    pdr_code code = pdr_buf_printf(out, ".TP\n");
    if (code == PDR_OK)
        code = pdr_buf_printf(out, flag->value ? ".BI \"" : flag->name[0] == '-' ? ".B \"" : ".I \"");
    if (code == PDR_OK) code = put(out, flag->name);
    if (code == PDR_OK && flag->value) code = pdr_buf_printf(out, " \" \"");
    if (code == PDR_OK && flag->value) code = put(out, flag->value);
    if (code == PDR_OK) code = pdr_buf_printf(out, "\"\n");
    if (code == PDR_OK) code = put(out, flag->help);
    return code == PDR_OK ? pdr_buf_printf(out, "\n") : code;
}

static pdr_code put_flags(pdr_buf *out, const pdr_flag *flags, bool common)
{
    pdr_code code = PDR_OK;
    for (; code == PDR_OK && flags->kind != PDR_FLAG_END; flags++)
        if (pdr_help_is_common(flags) == common) code = put_flag(out, flags);
    return code;
}

typedef struct writing {
    pdr_buf *out;
    pdr_code code;
} writing;

static void put_page(void *context, const pdr_cli_command *command, const pdr_flag *flags)
{
    writing *w = context;
    pdr_code code = put_head(w->out, command->name, command->summary);
    if (code == PDR_OK) code = put_synopsis(w->out, command, flags);
    if (code == PDR_OK) code = pdr_buf_printf(w->out, ".SH DESCRIPTION\n");
    if (code == PDR_OK) code = put_paragraphs(w->out, command->about);
    if (code == PDR_OK) code = pdr_buf_printf(w->out, ".SH OPTIONS\n");
    if (code == PDR_OK) code = put_flags(w->out, flags, false);
    if (code == PDR_OK) code = put_flags(w->out, flags, true);
    if (code == PDR_OK)
        code = pdr_buf_printf(w->out, ".TP\n.B \\-\\-help\nThis text, shorter.\n.SH SEE ALSO\n.BR ");
    if (code == PDR_OK) code = put_dashed(w->out, pdr_cli_program());
    if (code == PDR_OK)
        code = pdr_buf_printf(w->out, " (1),\nwhich tells exit codes and environment variables.\n");
    w->code = code;
}

/* --- the command's own page --- */

static pdr_code put_groups(pdr_buf *out)
{
    pdr_code code = PDR_OK;
    for (const pdr_cli_group *g = pdr_cli_groups; g->title && code == PDR_OK; g++) {
        if (!g->commands[0]) continue;
        code = pdr_buf_printf(out, ".SS \"%s\"\n", g->title);
        for (const pdr_cli_command *const *c = g->commands; *c && code == PDR_OK; c++) {
            code = pdr_buf_printf(out, ".TP\n.B ");
            if (code == PDR_OK) code = put(out, (*c)->name);
            if (code == PDR_OK) code = pdr_buf_printf(out, "\n");
            if (code == PDR_OK) code = put(out, (*c)->summary);
            if (code == PDR_OK) code = pdr_buf_printf(out, "\n");
        }
    }
    return code;
}

static pdr_code put_exit_codes(pdr_buf *out)
{
    pdr_code code = pdr_buf_printf(out, ".SH EXIT STATUS\n");
    for (const pdr_help_exit *e = pdr_help_exits; e->meaning && code == PDR_OK; e++) {
        code = pdr_buf_printf(out, ".TP\n.B %d\n", e->code);
        if (code == PDR_OK) code = put(out, e->meaning);
        if (code == PDR_OK) code = pdr_buf_printf(out, "\n");
    }
    return code;
}

static pdr_code put_main_page(pdr_buf *out)
{
    pdr_code code = put_head(out, "", "an event-sourcing journal: run it, see into it, mend it");
    if (code == PDR_OK) code = pdr_buf_printf(out, ".SH SYNOPSIS\n.B ");
    if (code == PDR_OK) code = put(out, pdr_cli_program());
    if (code == PDR_OK)
        code = pdr_buf_printf(out, "\n.I command\n.RI [ flags ]\n.SH DESCRIPTION\n"
                                   "Each command has a page of its own, ");
    if (code == PDR_OK) code = put_dashed(out, pdr_cli_program());
    if (code == PDR_OK) code = pdr_buf_printf(out, "\\-\\fIcommand\\fR (1).\n");
    if (code == PDR_OK) code = put_groups(out);
    if (code == PDR_OK) code = put_exit_codes(out);
    if (code == PDR_OK) code = pdr_buf_printf(out, ".SH ENVIRONMENT\n");
    for (const pdr_help_variable *v = pdr_help_variables; v->name && code == PDR_OK; v++)
        code = pdr_buf_printf(out, ".TP\n.B %s\nThe default of\n.BR \\-\\-%s .\n", v->name, v->flag + 2);
    if (code == PDR_OK)
        code = pdr_buf_printf(out, ".TP\n.B NO_COLOR\nNo colour on a terminal, if it is not empty.\n");
    return code;
}

/* --- the command --- */

static pdr_code make(pdr_buf *out, const pdr_cli_command *command)
{
    writing w = {out, PDR_OK};
    if (!command) return put_main_page(out);
    pdr_flags_describe(command, put_page, &w);
    return w.code;
}

static pdr_code write_page(const char *folder, const pdr_cli_command *command, pdr_error *err)
{
    char path[4096];
    pdr_buf page = PDR_BUF_INIT(MAX_PAGE);
    int size = snprintf(path, sizeof path, "%s/%s%s%s.1", folder, pdr_cli_program(), command ? "-" : "",
                        command ? command->name : "");
    if (size < 0 || (size_t)size >= sizeof path)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "--out: too long");
    for (char *c = path + strlen(folder); *c; c++)
        if (*c == ' ') *c = '-';
    pdr_code code = make(&page, command);
    if (code != PDR_OK) code = pdr_fail(err, code, "%.200s", path);
    if (code == PDR_OK) code = pdr_cli_write_file(path, &page, err);
    pdr_buf_release(&page);
    return code;
}

static pdr_code write_all(const char *folder, pdr_error *err)
{
    pdr_code code = write_page(folder, NULL, err);
    for (const pdr_cli_group *g = pdr_cli_groups; g->title; g++)
        for (const pdr_cli_command *const *c = g->commands; *c && code == PDR_OK; c++)
            code = write_page(folder, *c, err);
    return code;
}

static pdr_code print_one(const pdr_words *words, pdr_error *err)
{
    int taken = 0;
    const pdr_cli_command *command = pdr_cli_find(words->count, (char **)words->items, &taken);
    if (taken != words->count)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "there is no command \"%.60s%s%.60s\"", words->items[0],
                        words->count > 1 ? " " : "", words->count > 1 ? words->items[1] : "");
    pdr_buf page = PDR_BUF_INIT(MAX_PAGE);
    return pdr_cli_print_made(&page, make(&page, command), "the page", err);
}

static int run(int argc, char **argv)
{
    const char *folder = NULL;
    pdr_words words = {NULL, 0};
    const pdr_flag flags[] = {
        {PDR_FLAG_WORDS, "[COMMAND]", NULL, "", &words, 0, 2},
        {PDR_FLAG_TEXT, "--out", "FOLDER", "write all pages into this folder, which is there", &folder, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_man, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = folder ? write_all(folder, &err) : print_one(&words, &err);
    return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(&pdr_cli_man, &err);
}

const pdr_cli_command pdr_cli_man = {.name = "man",
                                     .summary = "manual pages, as man reads them",
                                     .about = "Prints the page of COMMAND, or the one that lists them all. "
                                              "What is installed from a package has them "
                                              "already: man perdure-store-dump.\n"
                                              "\n"
                                              "  perdure man store dump | man -l -\n",
                                     .run = run};
