/* perdure completion: what a shell needs to complete this command's words. */
#include "cli/completion.h"

#include <ctype.h>
#include <stdio.h>

#include "cli/common.h"
#include "cli/help.h"

enum { MAX_SCRIPT = 4 * 1024 * 1024 };

const char *pdr_complete_name(void)
{
    static char name[64];
    (void)snprintf(name, sizeof name, "_%s", pdr_cli_program());
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c)) *c = '_';
    return name;
}

pdr_code pdr_complete_put(pdr_buf *out, const char *text)
{
    pdr_code code = PDR_OK;
    while (code == PDR_OK && *text) {
        const char *at = strchr(text, '@');
        bool program = at && strncmp(at, "@P@", 3) == 0, function = at && strncmp(at, "@F@", 3) == 0;
        size_t size = !at ? strlen(text) : (size_t)(at - text) + !(program || function);
        code = pdr_buf_append(out, text, size);
        text += size;
        if (!program && !function) continue;
        if (code == PDR_OK)
            code = pdr_buf_printf(out, "%s", program ? pdr_cli_program() : pdr_complete_name());
        text += 3;
    }
    return code;
}

pdr_code pdr_complete_quote(pdr_buf *out, const char *text, bool fish)
{
    pdr_code code = pdr_buf_append(out, "'", 1);
    for (; code == PDR_OK && *text; text++) {
        if (*text == '\'')
            code = pdr_buf_printf(out, fish ? "\\'" : "'\\''");
        else if (*text == '\\' && fish)
            code = pdr_buf_printf(out, "\\\\");
        else
            code = pdr_buf_append(out, text, 1);
    }
    return code == PDR_OK ? pdr_buf_append(out, "'", 1) : code;
}

typedef struct asking {
    pdr_buf *out;
    pdr_complete_each each;
    pdr_code code;
} asking;

static void visit(void *context, const pdr_cli_command *command, const pdr_flag *flags)
{
    asking *a = context;
    a->code = a->each(a->out, command, flags);
}

pdr_code pdr_complete_all(pdr_buf *out, pdr_complete_each each)
{
    asking a = {out, each, PDR_OK};
    for (const pdr_cli_group *g = pdr_cli_groups; g->title; g++)
        for (const pdr_cli_command *const *c = g->commands; *c && a.code == PDR_OK; c++)
            pdr_flags_describe(*c, visit, &a);
    return a.code;
}

pdr_string pdr_complete_first(const pdr_cli_command *command)
{
    return (pdr_string){command->name, strcspn(command->name, " ")};
}

pdr_string pdr_complete_second(const pdr_cli_command *command)
{
    const char *space = strchr(command->name, ' ');
    return pdr_string_of(space ? space + 1 : "");
}

bool pdr_complete_is_first(const pdr_cli_command *command)
{
    for (const pdr_cli_group *g = pdr_cli_groups; g->title; g++)
        for (const pdr_cli_command *const *c = g->commands; *c; c++)
            if (pdr_string_equal(pdr_complete_first(*c), pdr_complete_first(command))) return *c == command;
    return false;
}

static pdr_code put_types(pdr_buf *out, const char *app_file, pdr_error *err)
{
    pdr_loaded_app loaded;
    pdr_code code = pdr_loaded_app_open_tolerant(&loaded, app_file, err);
    for (size_t i = 0; code == PDR_OK && loaded.app && i < loaded.app->entity_count; i++)
        code = pdr_buf_printf(out, "%s\n", loaded.app->entities[i]->name);
    pdr_loaded_app_close(&loaded);
    return code;
}

static pdr_code make(pdr_buf *out, const char *what, const char *app_file, pdr_error *err)
{
    if (strcmp(what, "types") == 0) return put_types(out, app_file, err);
    pdr_code code;
    if (strcmp(what, "bash") == 0)
        code = pdr_complete_bash(out);
    else if (strcmp(what, "zsh") == 0)
        code = pdr_complete_zsh(out);
    else if (strcmp(what, "fish") == 0)
        code = pdr_complete_fish(out);
    else
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "%.60s: it is for bash, zsh or fish", what);
    return code == PDR_OK ? code : pdr_fail(err, code, "the script");
}

static int run(int argc, char **argv)
{
    const char *what = NULL, *app_file = NULL;
    const pdr_flag flags[] = {
        {PDR_FLAG_WORD, "bash|zsh|fish|types", NULL,
         "a shell; or types, what the scripts ask for: the "
         "application's entity types",
         &what, 1, 0},
        {PDR_FLAG_TEXT, "--app", "FILE", "of types: shared object of the application; default $PERDURE_APP",
         &app_file, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_completion, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_buf out = PDR_BUF_INIT(MAX_SCRIPT);
    pdr_code code = make(&out, what, app_file, &err);
    if (code == PDR_OK) code = pdr_cli_print(&out, &err);
    pdr_buf_release(&out);
    return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(&pdr_cli_completion, &err);
}

const pdr_cli_command pdr_cli_completion = {
    .name = "completion",
    .summary = "a script that lets your shell complete this command's words",
    .about = "Prints the script; the shell reads it when it begins. It offers commands, flags, files, values "
             "that are "
             "one of a few words, and entity types. What is installed from a package has it already.\n"
             "\n"
             "  bash    perdure completion bash >~/.local/share/bash-completion/completions/perdure\n"
             "  zsh     perdure completion zsh >~/.zfunc/_perdure   (a folder that is in $fpath)\n"
             "  fish    perdure completion fish >~/.config/fish/completions/perdure.fish\n",
    .run = run};
