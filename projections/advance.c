#include "projections/advance.h"

#include <inttypes.h>
#include <poll.h>

#include "base/clock.h"
#include "base/mem.h"
#include "projections/bounded_log.h"

enum { MAX_FDS = 32, MAX_SLEEP_US = 100000, STALE_MAX = 20 };

typedef struct advance {
    pdr_projector *projector;
    pdr_projector_spec spec;
    const pdr_position *to;
    int32_t *partitions;
    pdr_projector_partition *parts;
    int64_t *ends;
} advance;

/* Are all there? PDR_BUSY: not yet. */
static pdr_code look(const advance *a, pdr_error *err)
{
    pdr_projector_numbers numbers;
    pdr_projector_numbers_get(a->projector, &numbers);
    if (numbers.state == PDR_PROJECTOR_STOPPED) {
        if (err) *err = numbers.error;
        return numbers.error.code;
    }
    size_t count = pdr_projector_partitions(a->projector, a->parts, (size_t)a->spec.partitions);
    pdr_code code = PDR_OK;
    for (size_t i = 0; i < count; i++) {
        const pdr_position *to = &a->to[a->parts[i].partition];
        if (a->parts[i].position.offset > to->offset || numbers.stale > STALE_MAX)
            return pdr_fail(err, PDR_STALE, "partition %d: another worker moves the position",
                            (int)a->parts[i].partition);
        if (!pdr_position_equal(a->parts[i].position, *to)) code = PDR_BUSY;
    }
    return code;
}

static void sleep_until(const advance *a, int64_t due_us)
{
    struct pollfd fds[MAX_FDS];
    int64_t log_us = INT64_MAX, views_us = INT64_MAX;
    int64_t us = due_us == INT64_MAX ? MAX_SLEEP_US : due_us - pdr_mono_us();
    int count = a->spec.log->ops->wait_on(a->spec.log, fds, MAX_FDS, &log_us);
    count += a->spec.views->ops->wait_on(a->spec.views, fds + count, MAX_FDS - count, &views_us);
    if (log_us < us) us = log_us;
    if (views_us < us) us = views_us;
    if (us > MAX_SLEEP_US) us = MAX_SLEEP_US;
    (void)poll(fds, (nfds_t)count,
               us <= 0 ? 0 : (int)((us + 999) / 1000)); /* whatever woke it: it is looked at */
}

static pdr_code drive(const advance *a, int timeout_ms, pdr_error *err)
{
    int64_t until = pdr_deadline_us(timeout_ms);
    pdr_code code;
    while ((code = look(a, err)) == PDR_BUSY) {
        int64_t due_us;
        if (pdr_mono_us() >= until)
            return pdr_fail(err, PDR_TIMEOUT,
                            "version %" PRIu32 " of %s didn't reach the positions within %d ms",
                            a->spec.projection->version, a->spec.projection->name, timeout_ms);
        if (pdr_projector_turn(a->projector, &due_us) == 0) sleep_until(a, due_us);
    }
    return code;
}

static pdr_code alloc_places(advance *a, pdr_error *err)
{
    size_t count = (size_t)a->spec.partitions;
    a->partitions = pdr_calloc(count, sizeof *a->partitions);
    a->parts = pdr_calloc(count, sizeof *a->parts);
    a->ends = pdr_calloc(count, sizeof *a->ends);
    if (!a->partitions || !a->parts || !a->ends) return pdr_fail(err, PDR_NOMEM, "%zu partitions", count);
    for (size_t i = 0; i < count; i++) {
        a->partitions[i] = (int32_t)i;
        a->ends[i] = a->to[i].offset + 1;
    }
    return PDR_OK;
}

pdr_code pdr_projector_advance(const pdr_projector_spec *spec, const pdr_position *to, int timeout_ms,
                               pdr_error *err)
{
    advance a = {.spec = *spec, .to = to};
    a.spec.unpaused = true;
    a.spec.log = NULL;
    pdr_code code = alloc_places(&a, err);
    if (code == PDR_OK) code = pdr_bounded_log_open(&a.spec.log, spec->log, a.ends, spec->partitions, err);
    if (code == PDR_OK) code = pdr_projector_open(&a.projector, &a.spec, err);
    if (code == PDR_OK) code = pdr_projector_assign(a.projector, a.partitions, (size_t)spec->partitions, err);
    if (code == PDR_OK) code = drive(&a, timeout_ms, err);
    pdr_projector_close(a.projector);
    if (a.spec.log) a.spec.log->ops->close(a.spec.log);
    pdr_free(a.partitions);
    pdr_free(a.parts);
    pdr_free(a.ends);
    return code;
}
