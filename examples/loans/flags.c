#include "flags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loan.h"

static void print_help(const loans_flag *flags, const char *about)
{
    printf("%s\n", about);
    for (; flags->name; flags++) {
        int width =
            printf("  %s%s%s", flags->name, flags->value ? " " : "", flags->value ? flags->value : "");
        printf("%*s%s\n", width < 24 ? 24 - width : 1, "", flags->help);
    }
    printf("  --help                this text\n");
}

static bool number(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    if (!*text || strlen(text) > 18) return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        value = value * 10 + (uint64_t)(*text - '0');
    }
    *out = value;
    return true;
}

static int wrong(const char *program, const char *what, const char *which)
{
    fprintf(stderr, "%s: %s %s; --help lists the flags\n", program, what, which);
    return 2;
}

int loans_flags_parse(const loans_flag *flags, const char *about, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const loans_flag *flag = flags;
        if (strcmp(argv[i], "--help") == 0) {
            print_help(flags, about);
            return 1;
        }
        while (flag->name && strcmp(flag->name, argv[i]) != 0)
            flag++;
        if (!flag->name) return wrong(argv[0], "no such flag:", argv[i]);
        if (flag->given) {
            *flag->given = true;
        } else if (++i >= argc || !*argv[i]) {
            return wrong(argv[0], "no value after", flag->name);
        } else if (flag->text) {
            *flag->text = argv[i];
        } else if (!number(argv[i], flag->number)) {
            return wrong(argv[0], "not a number after", flag->name);
        }
    }
    return 0;
}

void loans_options(pdr_options *options, const char *journal_url, const char *store_url)
{
    if (!journal_url) journal_url = getenv("PERDURE_JOURNAL");
    options->journal = journal_url && *journal_url ? journal_url : "sqlite:loans.db";
    options->store = store_url; /* NULL: the library looks at PERDURE_STORE and then at the journal's file */
    options->app = &pdr_application;
    options->workers = 2;
}
