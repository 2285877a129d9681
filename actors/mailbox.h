/* Many threads put, one takes all at once: a linked stack whose top is one atomic pointer. Since the taker
 * always takes the whole stack, a compared pointer can't be a re-used one (no ABA). Source: R. K. Treiber,
 * "Systems programming: coping with parallelism", IBM RJ 5118, 1986. */
#ifndef PDR_ACTORS_MAILBOX_H
#define PDR_ACTORS_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* What is put begins with this, or with a pointer of its own that is used as this: hence may_alias. */
typedef struct __attribute__((may_alias)) pdr_mail {
    struct pdr_mail *next;
} pdr_mail;

/* Zero-initialised: empty. */
typedef struct pdr_mailbox {
    _Atomic(pdr_mail *) newest;
} pdr_mailbox;

/* Put a chain that is linked newest first, from `newest` to `oldest`. Gives true if the box was empty:
 * whoever gets true sees to it that the taker comes. Any thread. */
static inline bool pdr_mailbox_put_chain(pdr_mailbox *box, pdr_mail *newest, pdr_mail *oldest)
{
    pdr_mail *top = atomic_load_explicit(&box->newest, memory_order_relaxed);
    do {
        oldest->next = top;
    } while (!atomic_compare_exchange_weak_explicit(&box->newest, &top, newest, memory_order_seq_cst,
                                                    memory_order_relaxed));
    return top == NULL;
}

static inline bool pdr_mailbox_put(pdr_mailbox *box, pdr_mail *mail)
{
    return pdr_mailbox_put_chain(box, mail, mail);
}

static inline bool pdr_mailbox_is_empty(const pdr_mailbox *box)
{
    return atomic_load_explicit(&box->newest, memory_order_seq_cst) == NULL;
}

/* All that was put, oldest first; NULL: nothing. One thread. */
static inline pdr_mail *pdr_mailbox_take(pdr_mailbox *box)
{
    if (atomic_load_explicit(&box->newest, memory_order_relaxed) == NULL) return NULL;
    pdr_mail *mail = atomic_exchange_explicit(&box->newest, NULL, memory_order_seq_cst), *oldest = NULL;
    while (mail) {
        pdr_mail *next = mail->next;
        mail->next = oldest;
        oldest = mail;
        mail = next;
    }
    return oldest;
}

#endif
