#include "cli/import_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/out.h"

pdr_code pdr_import_settle(pdr_import *import, pdr_code code, pdr_error *err)
{
    pdr_error later;
    if (!import || (code != PDR_OK && code != PDR_CANCELLED)) return code;
    pdr_code finished = pdr_import_finish(import, &later);
    if (finished == PDR_OK || code != PDR_OK) return code;
    if (err) *err = later;
    return finished;
}

static void print(const pdr_import_counts *c, bool json, bool has_app)
{
    pdr_cli_progress_end();
    if (json) {
        printf("{\"commits\":%" PRIu64 ",\"events\":%" PRIu64 ",\"there\":%" PRIu64 ",\"unfolded\":%" PRIu64
               ",\"states\":%s}\n",
               c->commits, c->events, c->there, c->unfolded, has_app ? "true" : "false");
        return;
    }
    printf("%" PRIu64 " events in %" PRIu64 " commits written", c->events, c->commits);
    if (c->there) printf(", %" PRIu64 " commits were there", c->there);
    printf("\n");
    if (c->unfolded)
        printf("%" PRIu64
               " entities have events that the application can't fold: only their heads were made\n",
               c->unfolded);
    if (!has_app) printf("without --app only heads were made; states come back as their entities are used\n");
}

int pdr_import_report(const pdr_cli_command *command, const pdr_import_counts *counts, bool json,
                      bool has_app, const char *again, pdr_code code, const pdr_error *err)
{
    if (code == PDR_CANCELLED && pdr_stopped()) {
        print(counts, json, has_app);
        fprintf(stderr, "stopped: %s\n", again);
        return PDR_EXIT_STOPPED;
    }
    if (code == PDR_EXISTS)
        return pdr_cli_refuse(command, err->message, "make an empty journal by perdure init, and use that");
    if (code != PDR_OK) return pdr_cli_fail(command, err);
    print(counts, json, has_app);
    return counts->unfolded ? PDR_EXIT_FAILED : PDR_EXIT_DONE;
}
