#include <criterion/criterion.h>
#include <stdio.h>

#include "actors/shell.h"
#include "base/mem.h"

static pdr_journal journal;
static pdr_actor_worker worker;
static pdr_place place;

static void make(void)
{
    memset(&journal, 0, sizeof journal);
    memset(&worker, 0, sizeof worker);
    memset(&place, 0, sizeof place);
    cr_assert_eq(pdr_alarm_open(&journal.poller, NULL), PDR_OK);
    worker.journal = &journal;
    place.worker = &worker;
}

TestSuite(replies, .init = make);

typedef struct kept {
    int count;
    pdr_code code;
    char answer[600], state[600], message[600];
} kept;

static void keep(void *context, const pdr_reply *reply)
{
    kept *k = context;
    k->count++;
    k->code = reply->code;
    snprintf(k->answer, sizeof k->answer, "%.*s", (int)reply->answer.size, (const char *)reply->answer.data);
    snprintf(k->state, sizeof k->state, "%.*s", (int)reply->state.size, (const char *)reply->state.data);
    snprintf(k->message, sizeof k->message, "%s", reply->error ? reply->error->message : "");
}

static void pass(kept *k, const pdr_reply *reply, uint64_t fail_at)
{
    pdr_ticket *ticket;
    cr_assert_eq(pdr_ticket_open(&ticket, &place, keep, k, NULL), PDR_OK);
    pdr_mem_fail_at(fail_at);
    pdr_ticket_complete(ticket, reply);
    pdr_mem_fail_at(0);
    pdr_replies_flush(&worker);
}

Test(replies, outlive_the_worker_turn_in_order_however_long)
{
    kept k[3] = {{0}};
    char text[500];
    memset(text, 'a', sizeof text);
    pdr_error error;
    cr_assert_eq(pdr_fail(&error, PDR_BUSY, "too much"), PDR_BUSY);
    pdr_reply small = {.answer = pdr_bytes_of(text, 5)};
    pdr_reply large = {.answer = pdr_bytes_of(text, 400), .state = pdr_bytes_of("state", 5)};
    pdr_reply failed = {.code = PDR_BUSY, .error = &error};
    pass(&k[0], &small, 0);
    pass(&k[1], &large, 0);
    pass(&k[2], &failed, 0);
    memset(text, 'b', sizeof text);
    memset(&error, 0, sizeof error);
    cr_assert_eq(atomic_load(&place.queued), 3);
    cr_assert_eq(pdr_replies_run(&journal), 3);
    cr_assert_eq(pdr_replies_run(&journal), 0);
    cr_assert_eq(atomic_load(&place.polled), 3);
    cr_assert_str_eq(k[0].answer, "aaaaa");
    cr_assert_eq(strlen(k[1].answer), 400);
    cr_assert_eq(k[1].answer[0], 'a');
    cr_assert_str_eq(k[1].state, "state");
    cr_assert_str_eq(k[2].message, "too much");
}

Test(replies, a_lost_copy_never_says_that_nothing_was_done)
{
    kept k[2] = {{0}};
    char text[500] = {0};
    pdr_reply accepted = {.answer = pdr_bytes_of(text, 400)}, read = {.state = pdr_bytes_of(text, 400)};
    pass(&k[0], &accepted, 1);
    pass(&k[1], &read, 1);
    cr_assert_eq(pdr_replies_run(&journal), 2);
    cr_assert_eq(k[0].code, PDR_UNKNOWN_OUTCOME);
    cr_assert_eq(k[1].code, PDR_NOMEM);
    cr_assert(k[0].message[0]);
}

Test(replies, a_lost_message_leaves_the_code)
{
    kept k = {0};
    pdr_error error;
    cr_assert_eq(pdr_fail(&error, PDR_CONFLICT, "somebody else"), PDR_CONFLICT);
    pdr_reply failed = {.code = PDR_CONFLICT, .error = &error};
    pass(&k, &failed, 1);
    cr_assert_eq(pdr_replies_run(&journal), 1);
    cr_assert_eq(k.code, PDR_CONFLICT);
    cr_assert(k.message[0]);
}
