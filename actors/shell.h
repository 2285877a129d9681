/* Inside the entity shell: a journal, its workers, and their places (owned partitions). Only actors/ includes
 * this.
 *
 *   any thread            send.c: encode, put into the place's mailbox, ring the worker if it sleeps
 *   worker thread         worker.c: mailbox -> owner, log and store polled, owner's turn, completions
 *   pdr_poll's thread     poll.c: runs completions, and without workers everything
 *
 * Each owner, log, store and env belongs to its worker's thread; without workers, to whoever holds `drive`.
 */
#ifndef PDR_ACTORS_SHELL_H
#define PDR_ACTORS_SHELL_H

#include <pthread.h>

#include "actors/directory.h"
#include "actors/mailbox.h"
#include "actors/options.h"
#include "base/alarm.h"
#include "journal/owner.h"
#include "journal/system_env.h"

typedef struct pdr_actor_worker pdr_actor_worker;

enum { PDR_CACHE_LINE = 64, PDR_MAX_FDS = 64 };

/* An owned partition. Counters only grow; each has one writer but `sent`. */
typedef struct pdr_place {
    /* Written by senders. */
    pdr_mail ready;   /* in the worker's box of places that have mail */
    pdr_mailbox mail; /* commands */
    atomic_uint_fast64_t sent;
    pdr_actor_worker *worker;
    int32_t partition;
    /* Written by the worker; on cache lines of their own. */
    char apart[PDR_CACHE_LINE];
    atomic_uint_fast64_t answered; /* of `sent` */
    atomic_uint_fast64_t queued;   /* replies waiting for pdr_poll */
    uint64_t taken;                /* of `sent` */
    pdr_owner *owner;
    int64_t due; /* monotonic: when the owner wants its turn */
    bool touched;
    /* Written by pdr_poll's thread. */
    char apart_too[PDR_CACHE_LINE];
    atomic_uint_fast64_t polled; /* of `queued` */
    /* Under the journal's lock. */
    pdr_owner_state state;
    pdr_error error; /* code PDR_OK: none */
} pdr_place;

/* A reply on its way to pdr_poll: made by the sender, filled by the worker, freed by the poller. */
enum { PDR_TICKET_ROOM = 96 };
typedef struct pdr_ticket {
    pdr_mail mail;
    pdr_place *place;
    pdr_completion done;
    void *context;
    pdr_reply reply;
    pdr_error *error; /* owned */
    uint8_t *bytes;   /* owned, when `room` is too small */
    uint8_t room[PDR_TICKET_ROOM];
} pdr_ticket;

/* Something to be done on a worker's thread. */
typedef struct pdr_job {
    pdr_mail mail;
    void (*run)(pdr_actor_worker *worker, void *context);
    void *context;
    bool done; /* under the journal's lock */
} pdr_job;

struct pdr_actor_worker {
    pdr_journal *journal;
    pdr_log *log;
    pdr_store *store;
    pdr_system_env env;
    pdr_place **places;
    size_t place_count;
    pthread_t thread;
    bool started; /* has a thread */
    bool closing; /* resigned: ends when all owners are idle, or at `until` */
    bool ended;   /* its owners are gone; under the journal's lock, without a thread under `drive` */
    int64_t until;
    pdr_ticket *tickets, *last_ticket; /* filled in this step, newest first */
    uint64_t silent;                   /* answers that nobody's completion saw: tells and waiters */
    pdr_alarm alarm;
    char apart[PDR_CACHE_LINE];
    pdr_mailbox ready; /* places that have mail */
    pdr_mailbox jobs;
};

struct pdr_journal {
    pdr_plan plan;
    int32_t partitions;
    uint8_t id[PDR_ID_SIZE];
    char topic[sizeof((pdr_log_info *)0)->name + sizeof ".events"];
    bool ids_are_new;          /* a registry's ids, not all of which the store had at open */
    pdr_schema_book *book;     /* writer schemas that were met, and a registry's ids */
    uint64_t family;           /* of processes: another one after fork */
    bool queues_replies;       /* workers, and completions in pdr_poll */
    pdr_actor_worker *workers; /* at least one if any partition is owned */
    size_t worker_count;
    pdr_place *places;
    size_t place_count;
    pdr_place **by_partition; /* NULL: not owned here */
    pdr_directory directory;
    pthread_mutex_t lock; /* of places' states and jobs' ends */
    pthread_cond_t changed;
    pthread_mutex_t drive; /* without workers: of everything that a worker's thread would own */
    unsigned sleepers;     /* under `drive`: drivers that sleep */
    int epoll;             /* without workers: what pdr_poll_fd gives; -1: nobody asked yet */
    atomic_bool watched;   /* pdr_poll_fd was asked */
    atomic_bool closing;
    atomic_uint blocked; /* blocking calls under way */
    atomic_uint_fast64_t failed_tells, busy;
    char apart[PDR_CACHE_LINE];
    pdr_mailbox completed; /* tickets */
    pdr_alarm poller;
};

/* --- guard.c --- */
/* Usable at all: not NULL, not of a parent process, not closing. */
PDR_CHECKED pdr_code pdr_guard_enter(pdr_journal *journal, pdr_error *err);
/* The same for a blocking call, that close waits for; leave it by pdr_guard_unblock. */
PDR_CHECKED pdr_code pdr_guard_block(pdr_journal *journal, pdr_error *err);
void pdr_guard_unblock(pdr_journal *journal);
pdr_code pdr_guard_closing(pdr_error *err); /* PDR_CLOSED */
uint64_t pdr_guard_family(void);
bool pdr_guard_is_parents(const pdr_journal *journal);
/* Which worker, or whose completions, this thread is running; NULL: none. */
extern _Thread_local pdr_actor_worker *pdr_this_worker;
extern _Thread_local pdr_journal *pdr_this_completing;
bool pdr_guard_in_completion(const pdr_journal *journal);

/* --- worker.c --- */
/* Opens what it isn't given: log and store are the worker's afterwards, even if this fails. Close it in any
 * case. */
PDR_CHECKED pdr_code pdr_actor_worker_open(pdr_actor_worker *worker, pdr_journal *journal, pdr_log *log,
                                           pdr_store *store, pdr_error *err);
PDR_CHECKED pdr_code pdr_actor_worker_start(pdr_actor_worker *worker, pdr_error *err);
void pdr_actor_worker_resign(
    pdr_actor_worker *worker); /* its owners stop owning; its thread ends when they have */
void pdr_actor_worker_close(pdr_actor_worker *worker); /* joins the thread; owners and connections are gone */
/* One round: what was sent, what came, what is due. 0: nothing happened. */
size_t pdr_actor_worker_step(pdr_actor_worker *worker);
/* Sleep until something comes, at most until `until_us`. `held`: unlocked meanwhile; NULL: none. */
void pdr_actor_worker_sleep(pdr_actor_worker *worker, int64_t until_us, pthread_mutex_t *held);
bool pdr_actor_worker_has_mail(pdr_actor_worker *worker);
/* When a step is due at the latest, and the fds that may make one due earlier. */
int64_t pdr_actor_worker_due(pdr_actor_worker *worker, struct pollfd *fds, int *count);
/* Run on the worker's thread and wait for the end of it. */
void pdr_actor_worker_call(pdr_actor_worker *worker, void (*run)(pdr_actor_worker *worker, void *context),
                           void *context);
/* Answer a command that no owner took, and free it. */
void pdr_actor_worker_refuse(pdr_place *place, pdr_cmd *cmd, pdr_code code, const pdr_error *error);

/* --- replies.c --- */
PDR_CHECKED pdr_code pdr_ticket_open(pdr_ticket **out, pdr_place *place, pdr_completion done, void *context,
                                     pdr_error *err);
void pdr_ticket_free(pdr_ticket *ticket);
void pdr_ticket_complete(void *ticket, const pdr_reply *reply); /* a pdr_completion, on the worker's thread */
void pdr_tell_complete(void *cmd, const pdr_reply *reply);      /* a pdr_completion; context is the command */
void pdr_silent_complete(void *waiter, const pdr_reply *reply); /* pdr_waiter_complete, counted as silent */
void pdr_replies_flush(pdr_actor_worker *worker);               /* hand this step's tickets to the poller */
size_t pdr_replies_run(pdr_journal *journal);                   /* in the poller: run what was handed over */

/* --- send.c --- */
/* What becomes a command; `done` NULL: nobody is told. */
PDR_CHECKED pdr_code pdr_submit(pdr_journal *journal, pdr_cmd_spec *spec, pdr_completion done, void *context,
                                pdr_error *err);
/* The same with a waiter of this thread. */
struct pdr_waiter;
PDR_CHECKED pdr_code pdr_submit_waiting(pdr_journal *journal, pdr_cmd_spec *spec, struct pdr_waiter *waiter,
                                        pdr_error *err);
/* `code` is what sending gave; if it is PDR_NOT_OWNER, say by whom the partition is owned. Blocking; gives
 * code. */
pdr_code pdr_name_owner(pdr_journal *journal, pdr_string entity, int timeout_ms, pdr_code code,
                        pdr_error *err);
PDR_CHECKED pdr_code pdr_cmd_spec_of(const pdr_journal *journal, pdr_cmd_spec *out,
                                     const pdr_request_spec *spec, pdr_buf *payload, pdr_error *err);
const pdr_entity_type *pdr_entity_type_of(const pdr_app *app, pdr_string entity); /* NULL: not declared */

/* --- poll.c --- */
/* Without workers: drive until is_done(context), at most until the monotonic time. Gives is_done. */
bool pdr_drive_until(pdr_journal *journal, int64_t until_us, bool (*is_done)(void *context), void *context);

#endif
