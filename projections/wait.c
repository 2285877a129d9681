#include "perdure/wait.h"

#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "projections/backends.h"
#include "projections/look.h"
#include "projections/worker_plan.h"

enum { FIRST_PAUSE_US = 500, LAST_PAUSE_US = 100000 };

struct pdr_view_waiter {
    pdr_views *views;
};

pdr_code pdr_view_waiter_open(pdr_view_waiter **out, const char *views, pdr_error *err)
{
    pdr_url url = {0};
    *out = NULL;
    pdr_view_waiter *waiter = pdr_calloc(1, sizeof *waiter);
    if (!waiter) return pdr_fail(err, PDR_NOMEM, "a waiter for views");
    pdr_code code = pdr_views_url(&url, views, NULL, NULL, err);
    if (code == PDR_OK) code = pdr_views_of_url(&waiter->views, &url, "", err);
    pdr_url_release(&url);
    if (code == PDR_OK)
        *out = waiter;
    else
        pdr_free(waiter);
    return code;
}

void pdr_view_waiter_close(pdr_view_waiter *waiter)
{
    if (!waiter) return;
    waiter->views->ops->close(waiter->views);
    pdr_free(waiter);
}

static void sleep_us(int64_t us)
{
    struct timespec pause = {us / 1000000, us % 1000000 * 1000};
    (void)nanosleep(&pause, NULL);
}

/* Until it is known for good, or the time is over. */
static pdr_code wait_for(pdr_views *views, const char *projection, const pdr_view_token *token, int64_t until,
                         pdr_readiness *out, pdr_error *err)
{
    for (int64_t pause = FIRST_PAUSE_US;; pause = 2 * pause < LAST_PAUSE_US ? 2 * pause : LAST_PAUSE_US) {
        pdr_code code = pdr_view_look(views, projection, token, out, err);
        if (code == PDR_OK && *out != PDR_VIEW_BEHIND) return PDR_OK;
        if (code != PDR_OK) *out = PDR_VIEW_BEHIND;
        if (code != PDR_OK && !pdr_code_retry(code)) return code;
        int64_t left = until - pdr_mono_us();
        if (left <= 0) return code == PDR_BUSY ? PDR_OK : code;
        sleep_us(pause < left ? pause : left);
    }
}

pdr_code pdr_view_wait(pdr_view_waiter *waiter, const char *projection, pdr_string token, int timeout_ms,
                       pdr_readiness *out, pdr_error *err)
{
    pdr_view_token wanted;
    *out = PDR_VIEW_BEHIND;
    if (!waiter || !projection) return pdr_fail(err, PDR_INVALID_ARGUMENT, "no waiter or no projection");
    pdr_code code = pdr_view_token_read(&wanted, token, err);
    if (code != PDR_OK) return code;
    return wait_for(waiter->views, projection, &wanted, pdr_deadline_us(timeout_ms), out, err);
}
