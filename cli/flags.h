/* A command's flags: one table, which is what is parsed, what --help prints, and what completion and the
 * manual pages are made of.
 *
 * The rule that makes this work: a command's run() fills its table and calls pdr_flags_parse before anything
 * else: before it prints, reads, opens or allocates; and unless that gives PDR_FLAGS_RUN it returns at once
 * (PDR_FLAGS_HELPED: PDR_EXIT_DONE, PDR_FLAGS_WRONG: PDR_EXIT_USAGE). So its table can be had by running it
 * (pdr_flags_describe). A new command needs a line in cli/commands.h and one in cli/commands.c; the rest
 * comes by itself.
 *
 * What a value is called says what completion offers for it: FILE or FILES files, FOLDER or DIR folders, TYPE
 * entity types, ENTITY entity ids by type, and a word in small letters, or some with '|' between them, these
 * very words ("--order newest|longest"). The same for the names of words, "[...]" and "..." left away. */
#ifndef PDR_CLI_FLAGS_H
#define PDR_CLI_FLAGS_H

#include "perdure/error.h"

typedef enum pdr_flag_kind {
    PDR_FLAG_END,
    PDR_FLAG_SWITCH, /* bool: given or not */
    PDR_FLAG_TEXT,   /* const char *: not empty */
    PDR_FLAG_TEXTS,  /* pdr_texts: may be given several times, min..max of them */
    PDR_FLAG_NUMBER, /* int64_t: decimal, within min..max */
    PDR_FLAG_WORD,   /* const char *: what stands there without a flag before it; `name` is for the help; min
                        1: it must be there */
    PDR_FLAG_WORDS   /* pdr_words: all of those, min..max of them; not together with PDR_FLAG_WORD */
} pdr_flag_kind;

/* Borrowed from argv. */
typedef struct pdr_words {
    char *const *items;
    int count;
} pdr_words;

enum { PDR_MAX_TEXTS = 16 };

/* Borrowed from argv. */
typedef struct pdr_texts {
    const char *items[PDR_MAX_TEXTS];
    int count;
} pdr_texts;

typedef struct pdr_flag {
    pdr_flag_kind kind;
    const char *name;  /* "--journal"; of words, what the help calls them */
    const char *value; /* what the help calls its value; NULL for a switch */
    const char *help;  /* one line */
    void *out;         /* of the kind's type; left as it is when the flag isn't given */
    int64_t min, max;  /* of a number, of how many words or texts */
} pdr_flag;

typedef struct pdr_cli_command {
    const char *name;    /* "init", "store dump" */
    const char *summary; /* one line, for `perdure --help` */
    /* What --help says before the flags. Paragraphs are wrapped anew, an empty line is between them; a line
     * that begins with a space stays as it is (examples). */
    const char *about;
    int (*run)(int argc, char **argv); /* argv[0] is the command's last word; gives the exit code */
} pdr_cli_command;

typedef enum pdr_flags_outcome { PDR_FLAGS_RUN, PDR_FLAGS_HELPED, PDR_FLAGS_WRONG } pdr_flags_outcome;

/* Take "--name VALUE" and "--name=VALUE", each flag once unless it is PDR_FLAG_TEXTS, and a word for each
 * PDR_FLAG_WORD, in their order, or all words for PDR_FLAG_WORDS, which are moved to the front of argv;
 * nothing else. --help prints the help to standard output; what is wrong goes to standard error. */
pdr_flags_outcome pdr_flags_parse(const pdr_cli_command *command, const pdr_flag *flags, int argc,
                                  char **argv);

/* The table is borrowed until return. */
typedef void (*pdr_flags_visitor)(void *context, const pdr_cli_command *command, const pdr_flag *flags);
/* Run the command only so far that its table is known, and hand that over. One thread at a time. */
void pdr_flags_describe(const pdr_cli_command *command, pdr_flags_visitor visit, void *context);

#endif
