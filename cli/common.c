#include "cli/common.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/help.h"

const pdr_help_exit pdr_help_exits[] = {
    {PDR_EXIT_DONE, "done"},
    {PDR_EXIT_FAILED,
     "failed; trying again as it is won't help. Or what was looked for isn't so: two states differ, "
     "an event isn't read"},
    {PDR_EXIT_USAGE, "the command line is wrong: a flag, a value, a URL, a setting"},
    {PDR_EXIT_LATER, "failed for the moment: a server is away, a file is locked; try again"},
    {PDR_EXIT_REFUSED, "refused: what is there is in the way"},
    {PDR_EXIT_DAMAGED, "log or store break their rules"},
    {PDR_EXIT_STOPPED, "stopped by ^C or SIGTERM, cleanly; what was said tells how to go on"},
    {0, NULL},
};

const pdr_help_variable pdr_help_variables[] = {
    {"PERDURE_JOURNAL", "--journal"},
    {"PERDURE_STORE", "--store"},
    {"PERDURE_VIEWS", "--views"},
    {"PERDURE_APP", "--app"},
    {NULL, NULL},
};

int pdr_exit_of(pdr_code code)
{
    if (code == PDR_BAD_URL || code == PDR_BAD_SETTING || code == PDR_INVALID_ARGUMENT) return PDR_EXIT_USAGE;
    switch (pdr_code_class(code)) {
    case PDR_CLASS_OK: return PDR_EXIT_DONE;
    case PDR_CLASS_CONFLICT: return PDR_EXIT_REFUSED;
    case PDR_CLASS_TRANSIENT:
    case PDR_CLASS_DEPOSED: return PDR_EXIT_LATER;
    case PDR_CLASS_CORRUPT: return PDR_EXIT_DAMAGED;
    case PDR_CLASS_CANCELLED: return PDR_EXIT_STOPPED;
    default: return PDR_EXIT_FAILED;
    }
}

static bool reader_gone;

bool pdr_cli_reader_gone(void)
{
    return reader_gone;
}

pdr_code pdr_cli_write_failed(pdr_error *err)
{
    if (errno == EPIPE) reader_gone = true;
    if (reader_gone) return pdr_fail(err, PDR_CANCELLED, "nobody reads standard output any more");
    return pdr_fail(err, PDR_IO, "standard output can't be written: %s", strerror(errno));
}

int pdr_cli_fail(const pdr_cli_command *command, const pdr_error *err)
{
    if (err->code == PDR_CANCELLED && reader_gone) return PDR_EXIT_DONE;
    pdr_cli_progress_end();
    fprintf(stderr, "%s %s: %s: %s\n  %s\n", pdr_cli_program(), command->name, pdr_code_text(err->code),
            err->message, pdr_code_advice(err->code));
    return pdr_exit_of(err->code);
}

int pdr_cli_refuse(const pdr_cli_command *command, const char *why, const char *advice)
{
    pdr_cli_progress_end();
    fprintf(stderr, "%s %s: %s\n  %s\n", pdr_cli_program(), command->name, why, advice);
    return PDR_EXIT_REFUSED;
}

pdr_code pdr_cli_print(const pdr_buf *text, pdr_error *err)
{
    pdr_cli_progress_end();
    bool whole = !text->size || fwrite(text->data, 1, text->size, stdout) == text->size;
    if (whole && fflush(stdout) == 0) return PDR_OK;
    return pdr_cli_write_failed(err);
}

pdr_code pdr_cli_print_made(pdr_buf *text, pdr_code made, const char *what, pdr_error *err)
{
    pdr_code code = made == PDR_OK ? pdr_cli_print(text, err) : pdr_fail(err, made, "%s", what);
    pdr_buf_release(text);
    return code;
}

/* --- progress --- */

enum { PROGRESS_US = 100000 };
static int64_t progress_at;
static bool progress_shown;

void pdr_cli_progress(const char *format, ...)
{
    int64_t now = pdr_mono_us();
    if (now - progress_at < PROGRESS_US || isatty(STDERR_FILENO) != 1) return;
    va_list arguments;
    va_start(arguments, format);
    fputs("\r\033[K", stderr);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fflush(stderr);
    progress_at = now;
    progress_shown = true;
}

void pdr_cli_progress_end(void)
{
    if (progress_shown) fputs("\r\033[K", stderr);
    progress_shown = false;
}

double pdr_cli_seconds_left(int64_t began_us, double share)
{
    double seconds = (double)(pdr_mono_us() - began_us) / 1e6;
    return share > 0 ? seconds / share * (1 - share) : 0;
}

/* --- connections --- */

pdr_code pdr_target_plan(const pdr_target *target, const pdr_app *app, pdr_plan *plan, pdr_error *err)
{
    pdr_options options = PDR_OPTIONS_INIT;
    options.journal = target->journal;
    options.store = target->store;
    options.app = app;
    options.own_nothing = true;
    pdr_code code = pdr_plan_init(plan, &options, err);
    if (code != PDR_OK || plan->backends.has_store) return code;
    return pdr_fail(err, PDR_BAD_URL, "no URL names the store: give --store, or set PERDURE_STORE");
}

pdr_code pdr_target_open_store(const pdr_target *target, pdr_store **out, pdr_error *err)
{
    pdr_backends backends;
    const char *url = target->store;
    memset(&backends, 0, sizeof backends);
    if (!url) url = getenv("PERDURE_STORE");
    if (!url || !*url) {
        pdr_plan plan;
        pdr_code code = pdr_target_plan(target, NULL, &plan, err);
        if (code == PDR_OK) code = pdr_backends_store_open(&plan.backends, out, err);
        pdr_plan_release(&plan);
        return code;
    }
    backends.has_store = true;
    pdr_code code = pdr_url_parse_store(&backends.store, url, err);
    if (code == PDR_OK) code = pdr_backends_store_open(&backends, out, err);
    pdr_backends_release(&backends);
    return code;
}
