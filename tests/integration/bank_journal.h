/* For tests of the public API: a journal of a test's own, on SQLite; or, if PERDURE_BANK is "servers", on the
 * Kafka and PostgreSQL that PERDURE_TEST_KAFKA and PERDURE_TEST_POSTGRES name. */
#ifndef PDR_TESTS_BANK_JOURNAL_H
#define PDR_TESTS_BANK_JOURNAL_H

#include "bank_app.h"

typedef struct bank_dir {
    char path[64]; /* of the folder; empty on servers */
    char url[256];
    char store[256];
} bank_dir;

/* Make a journal; abort the test program if that isn't possible. */
void bank_dir_make(bank_dir *dir, int32_t partitions);
bool bank_on_servers(void);
void bank_dir_remove(bank_dir *dir);
/* Options with the journal's URL and the bank's application. */
pdr_options bank_options(const bank_dir *dir, unsigned workers);
/* Open, and wait until all partitions serve. */
pdr_journal *bank_open(const pdr_options *options);
pdr_request_spec bank_deposit_spec(const char *entity, const bank_deposit *command);
/* Deposit by pdr_ask; the code. */
pdr_code bank_ask_deposit(pdr_journal *journal, const char *entity, int64_t amount, pdr_answered *answer);
int64_t bank_balance(pdr_journal *journal, const char *entity, uint64_t *seq);
/* Stop the program with a message unless `code` is PDR_OK. */
void bank_must(pdr_code code, const pdr_error *err, const char *what);

#endif
