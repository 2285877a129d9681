#include "bank_app.h"

#include <stdio.h>

static void deposit(const bank_account *account, const bank_deposit *command, pdr_decision *out)
{
    bank_deposited event = {command->amount, account->balance + command->amount};
    if (command->amount <= 0) {
        pdr_refuse(out, "a deposit of %lld", (long long)command->amount);
        return;
    }
    char text[40];
    int size = snprintf(text, sizeof text, "balance %lld", (long long)event.balance);
    pdr_emit(out, &bank_deposited_type, &event);
    pdr_answer(out, text, (size_t)size);
}

static void withdraw(const bank_account *account, const bank_withdraw *command, pdr_decision *out)
{
    bank_withdrew event = {command->amount, account->balance - command->amount};
    if (command->amount > account->balance)
        pdr_refuse(out, "insufficient funds");
    else if (command->amount > 0)
        pdr_emit(out, &bank_withdrew_type, &event);
}

static void decide(const void *state, const pdr_command *command, int64_t now_us, pdr_decision *out)
{
    (void)now_us;
    if (command->type == &bank_deposit_type)
        deposit(state, command->value, out);
    else if (command->type == &bank_withdraw_type)
        withdraw(state, command->value, out);
    else {
        const bank_name *name = command->value;
        bank_named event = {name->owner};
        for (int32_t i = 0; i < name->times; i++)
            pdr_emit(out, &bank_named_type, &event);
    }
}

static pdr_code apply(void *state, const pdr_event *event, pdr_arena *arena)
{
    bank_account *account = state;
    account->entries++;
    if (event->type == &bank_deposited_type) {
        account->balance += ((const bank_deposited *)event->value)->amount;
    } else if (event->type == &bank_withdrew_type) {
        account->balance -= ((const bank_withdrew *)event->value)->amount;
    } else {
        account->owner = pdr_arena_string(arena, ((const bank_named *)event->value)->owner);
        if (!account->owner.data) return PDR_NOMEM;
    }
    return PDR_OK;
}

static const pdr_type *const events[] = {&bank_deposited_type, &bank_withdrew_type, &bank_named_type};
static const pdr_type *const commands[] = {&bank_deposit_type, &bank_withdraw_type, &bank_name_type};

const pdr_entity_type bank_account_entity = {.abi_size = sizeof(pdr_entity_type),
                                             .name = "account",
                                             .state = &bank_account_type,
                                             .events = events,
                                             .event_count = 3,
                                             .commands = commands,
                                             .command_count = 3,
                                             .decide = decide,
                                             .apply = apply};

static const pdr_entity_type *const entities[] = {&bank_account_entity};
const pdr_app bank_app = {sizeof(pdr_app), PDR_ABI_VERSION, "bank", entities, 1};
