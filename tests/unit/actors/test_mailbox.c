#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>

#include "actors/mailbox.h"
#include "base/alarm.h"

typedef struct letter {
    pdr_mail mail;
    int from, number;
} letter;

Test(mailbox, what_was_put_is_taken_once_oldest_first)
{
    pdr_mailbox box = {0};
    letter letters[5] = {{{NULL}, 0, 0}, {{NULL}, 0, 1}, {{NULL}, 0, 2}, {{NULL}, 0, 3}, {{NULL}, 0, 4}};
    cr_assert(pdr_mailbox_is_empty(&box));
    cr_assert_null(pdr_mailbox_take(&box));
    for (int i = 0; i < 3; i++)
        cr_assert_eq(pdr_mailbox_put(&box, &letters[i].mail), i == 0, "only the first finds it empty");
    letters[4].mail.next = &letters[3].mail;
    cr_assert_not(pdr_mailbox_put_chain(&box, &letters[4].mail, &letters[3].mail));
    pdr_mail *mail = pdr_mailbox_take(&box);
    for (int i = 0; i < 5; i++, mail = mail->next)
        cr_assert_eq(((letter *)mail)->number, i);
    cr_assert_null(mail);
    cr_assert_null(pdr_mailbox_take(&box));
    cr_assert(pdr_mailbox_put(&box, &letters[0].mail), "empty again");
}

enum { SENDERS = 3, EACH = 20000 };
static letter storm[SENDERS][EACH];
static pdr_mailbox storm_box;

static void *send_storm(void *context)
{
    int from = (int)(intptr_t)context;
    for (int i = 0; i < EACH; i++) {
        storm[from][i].from = from;
        storm[from][i].number = i;
        pdr_mailbox_put(&storm_box, &storm[from][i].mail);
    }
    return NULL;
}

Test(mailbox, many_senders_lose_nothing_and_each_keeps_its_order)
{
    pthread_t threads[SENDERS];
    int next[SENDERS] = {0}, taken = 0;
    for (intptr_t i = 0; i < SENDERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, send_storm, (void *)i), 0);
    while (taken < SENDERS * EACH)
        for (pdr_mail *mail = pdr_mailbox_take(&storm_box); mail; mail = mail->next, taken++) {
            letter *l = (letter *)mail;
            cr_assert_eq(l->number, next[l->from]);
            next[l->from]++;
        }
    for (int i = 0; i < SENDERS; i++)
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    cr_assert_null(pdr_mailbox_take(&storm_box));
}

static bool is_readable(int fd)
{
    struct pollfd p = {fd, POLLIN, 0};
    return poll(&p, 1, 0) == 1;
}

Test(alarm, rings_only_for_a_sleeper_and_once)
{
    pdr_alarm alarm;
    cr_assert_eq(pdr_alarm_open(&alarm, NULL), PDR_OK);
    pdr_alarm_ring(&alarm);
    cr_assert_not(is_readable(alarm.fd), "nobody sleeps");
    pdr_alarm_set(&alarm);
    cr_assert_not(is_readable(alarm.fd));
    pdr_alarm_ring(&alarm);
    pdr_alarm_ring(&alarm);
    cr_assert(is_readable(alarm.fd));
    pdr_alarm_clear(&alarm);
    cr_assert_not(is_readable(alarm.fd));
    pdr_alarm_ring(&alarm);
    cr_assert_not(is_readable(alarm.fd), "awake again");
    pdr_alarm_wake(&alarm);
    cr_assert(is_readable(alarm.fd), "whether or not somebody sleeps");
    pdr_alarm_close(&alarm);
    pdr_alarm_close(&alarm);
}
