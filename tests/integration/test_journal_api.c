#include <criterion/criterion.h>

#include "bank_journal.h"

static bank_dir dir;

static void make(void)
{
    bank_dir_make(&dir, 4);
}
static void destroy(void)
{
    bank_dir_remove(&dir);
}

TestSuite(journal, .init = make, .fini = destroy);

Test(journal, an_ask_is_answered_and_its_state_can_be_read)
{
    for (unsigned workers = 0; workers <= 3; workers++) {
        pdr_options options = bank_options(&dir, workers);
        pdr_journal *journal = bank_open(&options);
        pdr_answered answer;
        cr_assert_eq(bank_ask_deposit(journal, "account/1", 10, &answer), PDR_OK);
        cr_assert_eq(answer.seq, workers + 1);
        cr_assert_eq(answer.events, 1);
        uint64_t seq;
        cr_assert_eq(bank_balance(journal, "account/1", &seq), 10 * (workers + 1));
        cr_assert_eq(seq, workers + 1);
        pdr_journal_close(journal);
    }
}
