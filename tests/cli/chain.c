/* Commands that cause each other, for claims about perdure trace: chain JOURNAL STORE. */
#include <stdio.h>

#include "bank_journal.h"

typedef struct link {
    const char *entity, *id, *correlation, *causation;
} link;

/* c1 causes c2 and c3, c3 causes c4, c4 causes four bytes that are no text, and these c6; c2 and c7 have c1's
 * correlation id, c7 no cause. x1 and x2 cause each other. Nothing belongs to u1. */
static const link links[] = {
    {"account/a", "c1", "order-7", NULL},
    {"account/b", "c2", "order-7", "c1"},
    {"account/c", "c3", NULL, "c1"},
    {"account/a", "c4", NULL, "c3"},
    {"account/d", "\xde\xad\xbe\xef", NULL, "c4"},
    {"account/b", "c6", NULL, "\xde\xad\xbe\xef"},
    {"account/e", "c7", "order-7", NULL},
    {"account/x", "x1", NULL, "x2"},
    {"account/y", "x2", NULL, "x1"},
    {"account/u", "u1", NULL, NULL},
};

static pdr_bytes bytes_of(const char *text)
{
    return text ? pdr_bytes_of(text, strlen(text)) : pdr_bytes_of(NULL, 0);
}

int main(int argc, char **argv)
{
    bank_dir dir = {.path = ""};
    pdr_error err;
    if (argc != 3) return 2;
    snprintf(dir.url, sizeof dir.url, "%s", argv[1]);
    snprintf(dir.store, sizeof dir.store, "%s", argv[2]);
    pdr_options options = bank_options(&dir, 1);
    pdr_journal *journal = bank_open(&options);
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        bank_deposit deposit = {(int64_t)i + 1};
        pdr_answered answer;
        pdr_request_spec spec = bank_deposit_spec(links[i].entity, &deposit);
        spec.id = bytes_of(links[i].id);
        spec.correlation = bytes_of(links[i].correlation);
        spec.causation = bytes_of(links[i].causation);
        bank_must(pdr_ask(journal, &spec, 30000, &answer, &err), &err, links[i].id);
    }
    pdr_journal_close(journal);
    return 0;
}
