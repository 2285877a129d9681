/* What the commands share: exit codes, errors for people, progress, the application, connections. */
#ifndef PDR_CLI_COMMON_H
#define PDR_CLI_COMMON_H

#include "actors/options.h"
#include "cli/commands.h"
#include "cli/flags.h"

/* Stable: scripts rest on them. docs/operations.md says the same. */
enum {
    PDR_EXIT_DONE = 0,
    PDR_EXIT_FAILED = 1,  /* trying again as it is won't help */
    PDR_EXIT_USAGE = 2,   /* the command line is wrong: a flag, a value, a URL, a setting */
    PDR_EXIT_LATER = 3,   /* for the moment: a server is away, a file is locked; trying again may help */
    PDR_EXIT_REFUSED = 4, /* what is there is in the way */
    PDR_EXIT_DAMAGED = 5, /* log or store break their rules */
    PDR_EXIT_STOPPED = 6  /* ^C or SIGTERM: stopped cleanly; what was said tells how to go on */
};

/* For help and manual; meaning and name NULL behind the last. */
typedef struct pdr_help_exit {
    int code;
    const char *meaning;
} pdr_help_exit;
extern const pdr_help_exit pdr_help_exits[];

/* Variables that are defaults of flags. */
typedef struct pdr_help_variable {
    const char *name, *flag;
} pdr_help_variable;
extern const pdr_help_variable pdr_help_variables[];

int pdr_exit_of(pdr_code code);
/* The error to standard error: what failed, then what to do. Gives its exit code. */
int pdr_cli_fail(const pdr_cli_command *command, const pdr_error *err);

/* The command itself won't: why, and what would make it. Gives PDR_EXIT_REFUSED. */
int pdr_cli_refuse(const pdr_cli_command *command, const char *why, const char *advice);

/* What was made, to standard output. PDR_IO; PDR_CANCELLED: nobody reads it any more, which pdr_cli_fail
 * passes over in silence with PDR_EXIT_DONE. */
PDR_CHECKED pdr_code pdr_cli_print(const pdr_buf *text, pdr_error *err);
/* The same of a text that was made, or else, as `made` has it, of which `what` ("the list") couldn't be.
 * Releases it. */
PDR_CHECKED pdr_code pdr_cli_print_made(pdr_buf *text, pdr_code made, const char *what, pdr_error *err);
/* A write to standard output met a pipe without a reader. */
bool pdr_cli_reader_gone(void);
/* Why standard output couldn't be written, by errno: PDR_CANCELLED (and reader_gone from then on) or PDR_IO.
 */
PDR_CHECKED pdr_code pdr_cli_write_failed(pdr_error *err);

/* --- progress: a line on standard error, only if that is a terminal --- */
void pdr_cli_progress(const char *format, ...) PDR_PRINTF(1, 2); /* at most about ten times a second */
void pdr_cli_progress_end(void);                                 /* takes the line away */
/* Of work that began then (pdr_mono_us) and of which this share, up to 1, is done; 0: that can't be told yet.
 */
double pdr_cli_seconds_left(int64_t began_us, double share);

/* --- the flags that name what is worked on --- */
typedef struct pdr_target {
    const char *journal, *store, *app; /* NULL: not given */
} pdr_target;

#define PDR_JOURNAL_FLAG(t)                                                                                  \
    {                                                                                                        \
        PDR_FLAG_TEXT, "--journal", "URL",                                                                   \
            "kafka://host:9092/name or sqlite:file; default $PERDURE_JOURNAL", &(t).journal, 0, 0            \
    }
#define PDR_STORE_FLAG(t)                                                                                    \
    {                                                                                                        \
        PDR_FLAG_TEXT, "--store", "URL",                                                                     \
            "postgres://... or sqlite:file; default $PERDURE_STORE, else the journal's file", &(t).store, 0, \
            0                                                                                                \
    }
#define PDR_APP_FLAG(t)                                                                                      \
    {                                                                                                        \
        PDR_FLAG_TEXT, "--app", "FILE", "shared object of the application; default $PERDURE_APP", &(t).app,  \
            0, 0                                                                                             \
    }

/* --- app.c --- */
typedef struct pdr_loaded_app {
    void *handle;
    const pdr_app *app; /* NULL: none */
} pdr_loaded_app;

/* The application that is built in (pdr_main); NULL: none. */
void pdr_cli_embed(const pdr_app *app);

/* Load and check the shared object that `file` names; else what is built in; else what $PERDURE_APP names;
 * none of them: app NULL. Zero *out first; close it in any case. PDR_NOT_FOUND, PDR_INVALID_ARGUMENT. */
PDR_CHECKED pdr_code pdr_loaded_app_open(pdr_loaded_app *out, const char *file, pdr_error *err);
/* The same, but upcasters may be missing: for tools that say so (journal/app.h). No journal opens with it. */
PDR_CHECKED pdr_code pdr_loaded_app_open_tolerant(pdr_loaded_app *out, const char *file, pdr_error *err);
/* PDR_INVALID_ARGUMENT unless there is one. */
PDR_CHECKED pdr_code pdr_loaded_app_needed(const pdr_loaded_app *app, pdr_error *err);
void pdr_loaded_app_close(pdr_loaded_app *app);

/* --- connections --- */
/* The URLs, checked. Release the plan in any case. `app` may be NULL. PDR_BAD_URL if no URL names the store.
 */
PDR_CHECKED pdr_code pdr_target_plan(const pdr_target *target, const pdr_app *app, pdr_plan *plan,
                                     pdr_error *err);
/* A connection to the store alone: its own URL, else the journal's file. *out is yours. */
PDR_CHECKED pdr_code pdr_target_open_store(const pdr_target *target, pdr_store **out, pdr_error *err);

#endif
