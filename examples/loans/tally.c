#include "tally.h"

enum { READ_TIMEOUT_MS = 30000 };

static pdr_code read_one(pdr_journal *journal, int32_t partition, loans_visit visit, void *context,
                         pdr_error *err)
{
    const pdr_logged_event *event;
    pdr_reader *reader;
    pdr_code code = pdr_reader_open(&reader, journal, partition, PDR_POSITION_START, err);
    if (code != PDR_OK) return code;
    do {
        code = pdr_reader_next(reader, &event, READ_TIMEOUT_MS, err);
        if (code == PDR_OK && event) code = visit(context, event, err);
    } while (code == PDR_OK && event);
    pdr_reader_close(reader);
    return code;
}

pdr_code loans_read_all(pdr_journal *journal, loans_visit visit, void *context, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (int32_t i = 0; code == PDR_OK && i < pdr_journal_partitions(journal); i++)
        code = read_one(journal, i, visit, context, err);
    return code;
}

void loans_tally_add(loans_tally *tally, const pdr_logged_event *event)
{
    tally->events += event->part == 0; /* what an upcaster split was one event when it was written */
    tally->entities += event->part == 0 && event->seq == 1;
    tally->approved += event->type == &loans_application_approved_type;
    tally->declined += event->type == &loans_application_declined_type;
    tally->cancelled += event->type == &loans_application_cancelled_type;
}

static pdr_code add(void *context, const pdr_logged_event *event, pdr_error *err)
{
    (void)err;
    loans_tally_add(context, event);
    return PDR_OK;
}

pdr_code loans_tally_read(loans_tally *out, pdr_journal *journal, pdr_error *err)
{
    *out = (loans_tally){0};
    return loans_read_all(journal, add, out, err);
}
