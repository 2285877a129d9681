/* What becomes of a reply: to the teller's handler, to a waiting thread, to the poller, or straight to the
 * application's completion (which is then the command's own). */
#include "actors/shell.h"
#include "actors/waiter.h"
#include "base/spare.h"

pdr_code pdr_ticket_open(pdr_ticket **out, pdr_place *place, pdr_completion done, void *context,
                         pdr_error *err)
{
    pdr_ticket *ticket = pdr_spare_take(sizeof *ticket);
    if (!ticket) return pdr_fail(err, PDR_NOMEM, "a reply's place");
    ticket->place = place;
    ticket->done = done;
    ticket->context = context;
    ticket->error = NULL;
    ticket->bytes = NULL;
    *out = ticket;
    return PDR_OK;
}

void pdr_ticket_free(pdr_ticket *ticket)
{
    pdr_free(ticket->error);
    pdr_free(ticket->bytes);
    pdr_spare_give(ticket, sizeof *ticket);
}

static const pdr_error lost_message = {PDR_NOMEM, 0, "no memory for the message"};
static const pdr_error lost_reply = {PDR_NOMEM, 0, "no memory for a copy of the reply"};

static void copy_error(pdr_ticket *ticket, const pdr_error *error)
{
    size_t size = offsetof(pdr_error, message) + strlen(error->message) + 1;
    ticket->error = pdr_alloc(sizeof *error);
    if (ticket->error) memcpy(ticket->error, error, size);
    ticket->reply.error = ticket->error ? ticket->error : &lost_message;
}

/* A read can be asked again; a command's outcome stands, so its code must not say that nothing was done. */
static void lose_reply(pdr_ticket *ticket)
{
    pdr_reply *reply = &ticket->reply;
    bool was_read = reply->state.data != NULL;
    reply->state = reply->answer = pdr_bytes_of(NULL, 0);
    reply->code = was_read ? PDR_NOMEM : PDR_UNKNOWN_OUTCOME;
    reply->error = &lost_reply;
}

static void copy_bytes(pdr_ticket *ticket)
{
    pdr_reply *reply = &ticket->reply;
    size_t size = reply->answer.size + reply->state.size;
    uint8_t *to = ticket->room;
    if (size > sizeof ticket->room) to = ticket->bytes = pdr_alloc(size);
    if (!to) {
        lose_reply(ticket);
        return;
    }
    if (reply->answer.size) memcpy(to, reply->answer.data, reply->answer.size);
    if (reply->answer.data) reply->answer.data = to;
    if (reply->state.size) memcpy(to + reply->answer.size, reply->state.data, reply->state.size);
    if (reply->state.data) reply->state.data = to + reply->answer.size;
}

void pdr_ticket_complete(void *context, const pdr_reply *reply)
{
    pdr_ticket *ticket = context;
    pdr_actor_worker *worker = ticket->place->worker;
    ticket->reply = *reply;
    copy_bytes(ticket);
    if (reply->error && ticket->reply.error == reply->error) copy_error(ticket, reply->error);
    ticket->mail.next = worker->tickets ? &worker->tickets->mail : NULL;
    if (!worker->tickets) worker->last_ticket = ticket;
    worker->tickets = ticket;
    pdr_place *place = ticket->place;
    uint64_t queued = atomic_load_explicit(&place->queued, memory_order_relaxed);
    atomic_store_explicit(&place->queued, queued + 1, memory_order_relaxed);
}

void pdr_replies_flush(pdr_actor_worker *worker)
{
    if (!worker->tickets) return;
    pdr_journal *journal = worker->journal;
    pdr_mailbox_put_chain(&journal->completed, &worker->tickets->mail, &worker->last_ticket->mail);
    worker->tickets = worker->last_ticket = NULL;
    pdr_alarm_ring(&journal->poller);
}

size_t pdr_replies_run(pdr_journal *journal)
{
    size_t ran = 0;
    pdr_journal *outer = pdr_this_completing;
    pdr_this_completing = journal;
    for (pdr_mail *mail = pdr_mailbox_take(&journal->completed); mail; ran++) {
        pdr_ticket *ticket = (pdr_ticket *)mail;
        mail = mail->next;
        atomic_uint_fast64_t *polled = &ticket->place->polled;
        ticket->done(ticket->context, &ticket->reply);
        atomic_store_explicit(polled, atomic_load_explicit(polled, memory_order_relaxed) + 1,
                              memory_order_relaxed);
        pdr_ticket_free(ticket);
    }
    pdr_this_completing = outer;
    return ran;
}

/* The command still stands while its completion runs. */
void pdr_tell_complete(void *context, const pdr_reply *reply)
{
    const pdr_cmd *cmd = context;
    pdr_actor_worker *worker = pdr_this_worker;
    worker->silent++;
    if (reply->code == PDR_OK) return;
    pdr_journal *journal = worker->journal;
    atomic_fetch_add_explicit(&journal->failed_tells, 1, memory_order_relaxed);
    pdr_failed_tell handler = journal->plan.failed_tell;
    if (!handler) return;
    pdr_error bare;
    if (!reply->error) {
        pdr_code ignored = pdr_fail(&bare, reply->code, "%s", pdr_code_text(reply->code));
        (void)ignored;
    }
    handler(journal->plan.context, (pdr_string){(const char *)pdr_cmd_key(cmd).data, pdr_cmd_key(cmd).size},
            reply->error ? reply->error : &bare);
}

void pdr_silent_complete(void *waiter, const pdr_reply *reply)
{
    pdr_this_worker->silent++;
    pdr_waiter_complete(waiter, reply);
}
