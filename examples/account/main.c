/* Accounts that remember: deposits and withdrawals become events; the balance comes back from them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bank.gen.h" /* what `perdure gen` made of bank.avsc */
#include "perdure/perdure.h"

/* A command comes in: look at the state, say what happens. Nothing is changed here. */
static void decide(const void *state, const pdr_command *command, int64_t now_us, pdr_decision *out)
{
    (void)now_us;
    const bank_account *account = state;
    bool deposits = command->type == &bank_deposit_type;
    int64_t amount = deposits ? ((const bank_deposit *)command->value)->amount
                              : ((const bank_withdraw *)command->value)->amount;
    if (amount <= 0)
        pdr_refuse(out, "not an amount");
    else if (deposits)
        pdr_emit(out, &bank_deposited_type, &(bank_deposited){amount});
    else if (amount <= account->balance)
        pdr_emit(out, &bank_withdrew_type, &(bank_withdrew){amount});
    else
        pdr_refuse(out, "insufficient funds");
}

/* An event happened: fold it into the state. Runs again for old events when an account is rebuilt. */
static pdr_code apply(void *state, const pdr_event *event, pdr_arena *arena)
{
    (void)arena; /* memory for what a state points to: this one points to nothing */
    bank_account *account = state;
    if (event->type == &bank_deposited_type)
        account->balance += ((const bank_deposited *)event->value)->amount;
    else
        account->balance -= ((const bank_withdrew *)event->value)->amount;
    return PDR_OK;
}

static const pdr_type *const commands[] = {&bank_deposit_type, &bank_withdraw_type};
static const pdr_type *const events[] = {&bank_deposited_type, &bank_withdrew_type};
/* clang-format off */
static const pdr_entity_type account_type = {
    .abi_size = sizeof account_type, .name = "account", .state = &bank_account_type, .decide = decide,
    .apply = apply, .commands = commands, .command_count = 2, .events = events, .event_count = 2};
/* clang-format on */
static const pdr_entity_type *const entities[] = {&account_type};
static const pdr_app bank = {sizeof bank, PDR_ABI_VERSION, "bank", entities, 1};

static void check(pdr_code code, const pdr_error *err)
{
    if (code == PDR_OK) return;
    fprintf(stderr, "account: %s\n  %s\n", err->message, pdr_code_advice(code));
    exit(1);
}

/* Send a command and wait for its answer: either its event is in the log, or it was refused. */
static void ask(pdr_journal *journal, const char *what, const pdr_type *type, const void *command)
{
    pdr_error err;
    pdr_answered answer;
    pdr_request_spec spec = {.entity = pdr_string_of("account/alice"), .type = type, .command = command};
    pdr_code code = pdr_ask(journal, &spec, 10000, &answer, &err);
    if (code != PDR_REFUSED) check(code, &err);
    if (code == PDR_OK) printf("%s: Ack(%llu)\n", what, (unsigned long long)answer.seq);
    if (code == PDR_REFUSED) printf("%s: Nack(\"%s\")\n", what, (const char *)answer.answer);
}

int main(int argc, char **argv)
{
    char kafka[300];
    pdr_error err;
    pdr_options options = PDR_OPTIONS_INIT;
    options.app = &bank;
    options.journal = options.store = "sqlite:accounts.db"; /* log and store */
    if (argc == 5 && strcmp(argv[1], "--kafka") == 0 && strcmp(argv[3], "--store") == 0) {
        (void)snprintf(kafka, sizeof kafka, "kafka://%s/accounts", argv[2]); /* topic accounts.events */
        options.journal = kafka;
        options.store = argv[4];
    } else if (argc > 1) {
        check(pdr_fail(&err, PDR_INVALID_ARGUMENT, "usage: account [--kafka HOST:PORT --store URL]"), &err);
    }
    check(pdr_journal_init(&options, 4, &err), &err); /* 4 partitions; nothing to do the second time */
    pdr_journal *journal;
    check(pdr_journal_open(&journal, &options, &err), &err);
    ask(journal, "deposit 100", &bank_deposit_type, &(bank_deposit){100});
    ask(journal, "withdraw 30", &bank_withdraw_type, &(bank_withdraw){30});
    ask(journal, "withdraw 1000000", &bank_withdraw_type, &(bank_withdraw){1000000});

    bank_account alice;
    uint64_t seq;
    pdr_arena arena = PDR_ARENA_INIT(4096);
    check(pdr_read_state(journal, "account/alice", false, 10000, &arena, &alice, &seq, &err), &err);
    printf("alice has %lld after %d events\n", (long long)alice.balance, (int)seq);
    pdr_arena_release(&arena);
    pdr_journal_close(journal);
    return 0;
}
