/* A command's flags: one table, which is what is parsed and what --help prints. */
#ifndef PDR_CLI_FLAGS_H
#define PDR_CLI_FLAGS_H

#include "perdure/error.h"

typedef enum pdr_flag_kind {
    PDR_FLAG_END,
    PDR_FLAG_SWITCH, /* bool: given or not */
    PDR_FLAG_TEXT,   /* const char *: not empty */
    PDR_FLAG_NUMBER, /* int64_t: decimal, within min..max */
    PDR_FLAG_WORD,   /* const char *: what stands there without a flag before it; `name` is for the help */
    PDR_FLAG_WORDS   /* pdr_words: all of those, min..max of them; not together with PDR_FLAG_WORD */
} pdr_flag_kind;

/* Borrowed from argv. */
typedef struct pdr_words {
    char *const *items;
    int count;
} pdr_words;

typedef struct pdr_flag {
    pdr_flag_kind kind;
    const char *name;  /* "--journal"; of words, what the help calls them */
    const char *value; /* what the help calls its value; NULL for a switch */
    const char *help;  /* one line */
    void *out;         /* of the kind's type; left as it is when the flag isn't given */
    int64_t min, max;  /* of a number, of how many words */
} pdr_flag;

typedef struct pdr_cli_command {
    const char *name;                  /* "init", "store dump" */
    const char *summary;               /* one line, for `perdure --help` */
    const char *about;                 /* what --help says before the flags */
    int (*run)(int argc, char **argv); /* argv[0] is the command's last word; gives the exit code */
} pdr_cli_command;

typedef enum pdr_flags_outcome { PDR_FLAGS_RUN, PDR_FLAGS_HELPED, PDR_FLAGS_WRONG } pdr_flags_outcome;

/* Take "--name VALUE" and "--name=VALUE", each flag once, and a word for each PDR_FLAG_WORD, in their order,
 * or all words for PDR_FLAG_WORDS, which are moved to the front of argv; nothing else. --help prints the help
 * to standard output; what is wrong goes to standard error. */
pdr_flags_outcome pdr_flags_parse(const pdr_cli_command *command, const pdr_flag *flags, int argc,
                                  char **argv);

#endif
