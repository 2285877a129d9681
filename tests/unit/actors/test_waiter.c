#include <criterion/criterion.h>
#include <pthread.h>

#include "actors/waiter.h"
#include "base/mem.h"

static pdr_reply reply_of(pdr_code code, const char *answer)
{
    return (pdr_reply){.code = code,
                       .seq = 7,
                       .events = 2,
                       .answer = pdr_bytes_of(answer, strlen(answer)),
                       .position = PDR_POSITION_START};
}

Test(waiter, a_reply_before_the_sleep_is_not_missed)
{
    pdr_waiter *waiter;
    cr_assert_eq(pdr_waiter_open(&waiter, NULL), PDR_OK);
    cr_assert_not(pdr_waiter_is_done(waiter));
    pdr_reply reply = reply_of(PDR_OK, "yes");
    pdr_waiter_complete(waiter, &reply);
    cr_assert(pdr_waiter_is_done(waiter));
    cr_assert(pdr_waiter_sleep(waiter, INT64_MAX));
    cr_assert_eq(waiter->answered.seq, 7);
    cr_assert_str_eq((char *)waiter->answered.answer, "yes");
    cr_assert_not(waiter->has_state);
    pdr_waiter_let_go(waiter);
}

static void *reply_from_afar(void *context)
{
    pdr_reply reply = reply_of(PDR_REFUSED, "no");
    reply.state = pdr_bytes_of("state", 5);
    pdr_waiter_complete(context, &reply);
    return NULL;
}

Test(waiter, a_reply_wakes_the_sleeper)
{
    pdr_waiter *waiter;
    pthread_t thread;
    cr_assert_eq(pdr_waiter_open(&waiter, NULL), PDR_OK);
    cr_assert_eq(pthread_create(&thread, NULL, reply_from_afar, waiter), 0);
    cr_assert(pdr_waiter_sleep(waiter, INT64_MAX));
    cr_assert_eq(waiter->answered.code, PDR_REFUSED);
    cr_assert(pdr_bytes_equal(pdr_buf_bytes(&waiter->state), pdr_bytes_of("state", 5)));
    pdr_waiter_let_go(waiter);
    cr_assert_eq(pthread_join(thread, NULL), 0);
}

Test(waiter, a_reply_after_the_time_limit_finds_its_place)
{
    pdr_waiter *waiter;
    cr_assert_eq(pdr_waiter_open(&waiter, NULL), PDR_OK);
    cr_assert_not(pdr_waiter_sleep(waiter, pdr_deadline_us(1)));
    pdr_waiter_let_go(waiter);
    pdr_reply reply = reply_of(PDR_OK, "late");
    pdr_waiter_complete(waiter, &reply); /* frees it: the address sanitizer would see an error */
}

Test(waiter, a_state_that_finds_no_memory_fails_the_read)
{
    pdr_waiter *waiter;
    cr_assert_eq(pdr_waiter_open(&waiter, NULL), PDR_OK);
    pdr_reply reply = reply_of(PDR_OK, "");
    reply.state = pdr_bytes_of("state", 5);
    pdr_mem_fail_at(1);
    pdr_waiter_complete(waiter, &reply);
    pdr_mem_fail_at(0);
    cr_assert_eq(waiter->answered.code, PDR_NOMEM);
    pdr_waiter_let_go(waiter);
}

Test(waiter, opening_survives_lack_of_memory)
{
    pdr_waiter *waiter;
    pdr_mem_fail_at(1);
    cr_assert_eq(pdr_waiter_open(&waiter, NULL), PDR_NOMEM);
    pdr_mem_fail_at(0);
}
