/* The flags of the example's programs: one table each, which is also their help. */
#ifndef LOANS_FLAGS_H
#define LOANS_FLAGS_H

#include "perdure/journal.h"

typedef struct loans_flag {
    const char *name;  /* "--rate" */
    const char *value; /* what its value is called; NULL: it has none */
    const char *help;  /* one line */
    const char **text; /* where it goes: exactly one of these three isn't NULL */
    uint64_t *number;  /* decimal, at most 2^63 - 1 */
    bool *given;
} loans_flag;

/* The flags that every program of the example has. `at` is where a table's rows go; it ends with a row of
 * NULLs. */
#define LOANS_JOURNAL_FLAGS(o)                                                                               \
    {"--journal",                                                                                            \
     "URL",                                                                                                  \
     "kafka://host:9092/name or sqlite:file; default $PERDURE_JOURNAL, else sqlite:loans.db",                \
     &(o).journal_url,                                                                                       \
     NULL,                                                                                                   \
     NULL},                                                                                                  \
    {                                                                                                        \
        "--store", "URL", "postgres://... or sqlite:file; default $PERDURE_STORE, else the journal's file",  \
            &(o).store_url, NULL, NULL                                                                       \
    }

/* 0: go on. 1: the help was printed, end well. 2: a flag is wrong, and standard error says so. `about`: the
 * help's first lines. */
int loans_flags_parse(const loans_flag *flags, const char *about, int argc, char **argv);

/* The journal and store that the flags, else the environment, else the default name; the loans application.
 */
void loans_options(pdr_options *options, const char *journal_url, const char *store_url);

#endif
