/* loans_remind_v1 JOURNAL_URL STORE_URL COUNT: what only version 1 wrote, a reminder of COUNT old
 * applications on paper that no row of the log is about. */
#include <stdio.h>
#include <stdlib.h>

#include "then.h"

enum { OPEN_MS = 120000, MAX_COUNT = 1000000, FIRST_ON_PAPER = 9000000 };

static void done(void *context, const pdr_reply *reply)
{
    unsigned long *open = context;
    --*open;
    if (reply->code == PDR_OK) return;
    fprintf(stderr, "loans_remind_v1: %s\n", pdr_code_text(reply->code));
    exit(1);
}

static pdr_code remind(pdr_journal *journal, unsigned long number, unsigned long *open, pdr_error *err)
{
    char entity[32];
    int size = snprintf(entity, sizeof entity, "loan/%lu", FIRST_ON_PAPER + number);
    pdr_request_spec spec = {.entity = {entity, (size_t)size}};
    loans_reminder_printed_v1 reminder = {.resource = pdr_string_of("User_112")};
    pdr_new_event event = {&loans_reminder_printed_v1_type, &reminder, 0};
    pdr_code code = pdr_journal_append(journal, &spec, &event, 1, done, open, err);
    if (code == PDR_OK) ++*open;
    while (*open)
        (void)pdr_poll(journal, 100);
    return code;
}

int main(int argc, char **argv)
{
    unsigned long count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0, open = 0;
    if (count < 1 || count > MAX_COUNT) {
        fprintf(stderr, "usage: loans_remind_v1 JOURNAL_URL STORE_URL COUNT\n");
        return 2;
    }
    pdr_options options = PDR_OPTIONS_INIT;
    pdr_journal *journal = NULL;
    pdr_error err;
    options.journal = argv[1];
    options.store = argv[2];
    options.app = &pdr_application;
    pdr_code code = pdr_journal_open(&journal, &options, &err);
    if (code == PDR_OK) code = pdr_journal_wait(journal, OPEN_MS, &err);
    for (unsigned long i = 0; code == PDR_OK && i < count; i++)
        code = remind(journal, i, &open, &err);
    pdr_journal_close(journal);
    if (code != PDR_OK) fprintf(stderr, "loans_remind_v1: %s\n", err.message);
    return code == PDR_OK ? 0 : 1;
}
