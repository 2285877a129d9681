#include "cli/flags.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/help.h"
#include "cli/nearest.h"

enum { MAX_FLAGS = 48 };

static struct {
    pdr_flags_visitor visit; /* NULL: nobody asks */
    void *context;
} describing;

static const pdr_flag *words_of(const pdr_flag *flags)
{
    for (; flags->kind != PDR_FLAG_END; flags++)
        if (flags->kind == PDR_FLAG_WORDS) return flags;
    return NULL;
}

static pdr_flags_outcome wrong(const pdr_cli_command *command, const char *what, const char *which)
{
    fprintf(stderr, "%s %s: %s%s\n  %s %s --help lists the flags\n", pdr_cli_program(), command->name, what,
            which, pdr_cli_program(), command->name);
    return PDR_FLAGS_WRONG;
}

static pdr_flags_outcome no_such_flag(const pdr_cli_command *command, const pdr_flag *flags,
                                      const char *given)
{
    char name[64], what[128];
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(given, "="), given);
    pdr_nearest nearest = {.wanted = name};
    for (; flags->kind != PDR_FLAG_END; flags++)
        if (flags->kind != PDR_FLAG_WORD && flags->kind != PDR_FLAG_WORDS)
            pdr_nearest_offer(&nearest, flags->name);
    if (!nearest.found) return wrong(command, "no such flag: ", given);
    (void)snprintf(what, sizeof what, "no such flag: %s; did you mean ", name);
    return wrong(command, what, nearest.found);
}

static bool number(const char *text, const pdr_flag *flag)
{
    int64_t value = 0;
    if (!*text || strlen(text) > 18) return false;
    for (const char *c = text; *c; c++) {
        if (*c < '0' || *c > '9') return false;
        value = value * 10 + (*c - '0');
    }
    if (value < flag->min || value > flag->max) return false;
    *(int64_t *)flag->out = value;
    return true;
}

/* The flag that argv[i] names, and where its value begins behind '=' (NULL: no '='). */
static const pdr_flag *find(const pdr_flag *flags, const char *argument, const char **value)
{
    const char *equals = strchr(argument, '=');
    size_t size = equals ? (size_t)(equals - argument) : strlen(argument);
    *value = equals ? equals + 1 : NULL;
    if (argument[0] != '-') return NULL;
    for (; flags->kind != PDR_FLAG_END; flags++)
        if (flags->kind != PDR_FLAG_WORD && flags->kind != PDR_FLAG_WORDS && strlen(flags->name) == size &&
            memcmp(flags->name, argument, size) == 0)
            return flags;
    return NULL;
}

static pdr_flags_outcome take_text(const pdr_cli_command *command, const pdr_flag *flag, const char *value)
{
    pdr_texts *texts = flag->out;
    if (flag->kind != PDR_FLAG_TEXTS) {
        *(const char **)flag->out = value;
        return PDR_FLAGS_RUN;
    }
    if (texts->count >= flag->max || texts->count >= PDR_MAX_TEXTS)
        return wrong(command, "given too often: ", flag->name);
    texts->items[texts->count++] = value;
    return PDR_FLAGS_RUN;
}

static pdr_flags_outcome take(const pdr_cli_command *command, const pdr_flag *flag, const char *value)
{
    char what[128];
    if (flag->kind == PDR_FLAG_SWITCH) {
        if (value) return wrong(command, "takes no value: ", flag->name);
        *(bool *)flag->out = true;
        return PDR_FLAGS_RUN;
    }
    if (!value || !*value) return wrong(command, "no value for ", flag->name);
    if (flag->kind != PDR_FLAG_NUMBER) return take_text(command, flag, value);
    if (number(value, flag)) return PDR_FLAGS_RUN;
    (void)snprintf(what, sizeof what, "%s takes a number from %" PRId64 " to %" PRId64 ", not ", flag->name,
                   flag->min, flag->max);
    return wrong(command, what, value);
}

/* The first word that isn't given yet; NULL: none is wanted. */
static const pdr_flag *find_word(const pdr_flag *flags, const bool *given, const char *argument)
{
    if (argument[0] == '-' && argument[1]) return NULL; /* "-" alone is a word: standard output */
    for (size_t i = 0; flags[i].kind != PDR_FLAG_END; i++)
        if (flags[i].kind == PDR_FLAG_WORD && !given[i]) return &flags[i];
    return NULL;
}

static pdr_flags_outcome take_words(const pdr_cli_command *command, const pdr_flag *flag, char **argv,
                                    int count)
{
    if (!flag) return PDR_FLAGS_RUN;
    if (count < flag->min) return wrong(command, "missing: ", flag->name);
    if (count > flag->max) return wrong(command, "unexpected: ", argv[1 + (int)flag->max]);
    *(pdr_words *)flag->out = (pdr_words){argv + 1, count};
    return PDR_FLAGS_RUN;
}

/* What must be there and isn't. */
static pdr_flags_outcome missing(const pdr_cli_command *command, const pdr_flag *flags, const bool *given)
{
    for (size_t i = 0; flags[i].kind != PDR_FLAG_END; i++) {
        const pdr_flag *f = &flags[i];
        bool lacks = (f->kind == PDR_FLAG_WORD && f->min > 0 && !given[i]) ||
                     (f->kind == PDR_FLAG_TEXTS && ((const pdr_texts *)f->out)->count < f->min);
        if (lacks) return wrong(command, "missing: ", f->name);
    }
    return PDR_FLAGS_RUN;
}

pdr_flags_outcome pdr_flags_parse(const pdr_cli_command *command, const pdr_flag *flags, int argc,
                                  char **argv)
{
    bool given[MAX_FLAGS] = {false};
    const pdr_flag *words = words_of(flags);
    int word_count = 0;
    if (describing.visit) {
        describing.visit(describing.context, command, flags);
        return PDR_FLAGS_HELPED;
    }
    for (int i = 1; i < argc; i++) {
        const char *value;
        if (strcmp(argv[i], "--help") == 0) {
            pdr_help_command(stdout, command, flags);
            return PDR_FLAGS_HELPED;
        }
        if (words && argv[i][0] != '-') {
            argv[1 + word_count++] = argv[i];
            continue;
        }
        const pdr_flag *flag = find_word(flags, given, argv[i]);
        if (flag)
            value = argv[i];
        else
            flag = find(flags, argv[i], &value);
        if (!flag && argv[i][0] == '-' && argv[i][1]) return no_such_flag(command, flags, argv[i]);
        if (!flag) return wrong(command, "unexpected: ", argv[i]);
        if (given[flag - flags] && flag->kind != PDR_FLAG_TEXTS)
            return wrong(command, "given twice: ", flag->name);
        given[flag - flags] = true;
        if (flag->kind != PDR_FLAG_SWITCH && !value && i + 1 < argc) value = argv[++i];
        pdr_flags_outcome parsed = take(command, flag, value);
        if (parsed != PDR_FLAGS_RUN) return parsed;
    }
    pdr_flags_outcome outcome = missing(command, flags, given);
    return outcome == PDR_FLAGS_RUN ? take_words(command, words, argv, word_count) : outcome;
}

void pdr_flags_describe(const pdr_cli_command *command, pdr_flags_visitor visit, void *context)
{
    char name[] = "describe", *argv[] = {name, NULL};
    describing.visit = visit;
    describing.context = context;
    (void)command->run(1, argv);
    describing.visit = NULL;
}
