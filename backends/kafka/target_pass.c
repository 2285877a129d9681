/* What the views behind a target do for it: versions, positions, dead letters, requests. */
#include "backends/kafka/target_inside.h"

static pdr_views *inner_of(pdr_views *views)
{
    return ((target *)views)->inner;
}

#define INNER inner_of(views)->ops

static pdr_code pass_create(pdr_views *views, const pdr_version_spec *spec, int timeout_ms, pdr_error *err)
{
    target *t = (target *)views;
    pdr_code code = t->exactly_once ? exact_begin(t, spec, err) : PDR_OK;
    return code == PDR_OK ? INNER->create(inner_of(views), spec, timeout_ms, err) : code;
}
static pdr_code pass_drop(pdr_views *views, const char *projection, uint32_t version, bool live_too,
                          int timeout_ms, pdr_error *err)
{
    return INNER->drop(inner_of(views), projection, version, live_too, timeout_ms, err);
}
static pdr_code pass_reset(pdr_views *views, const pdr_version_spec *spec, int timeout_ms, pdr_error *err)
{
    return INNER->reset(inner_of(views), spec, timeout_ms, err);
}
static pdr_code pass_swap(pdr_views *views, const char *projection, uint32_t version, bool force, int lock_ms,
                          pdr_error *err)
{
    return INNER->swap(inner_of(views), projection, version, force, lock_ms, err);
}
static pdr_code pass_set_paused(pdr_views *views, const char *projection, uint32_t version, bool paused,
                                int timeout_ms, pdr_error *err)
{
    return INNER->set_paused(inner_of(views), projection, version, paused, timeout_ms, err);
}
static pdr_code pass_set_throttle(pdr_views *views, const char *projection, uint32_t version,
                                  uint32_t per_second, int timeout_ms, pdr_error *err)
{
    return INNER->set_throttle(inner_of(views), projection, version, per_second, timeout_ms, err);
}
static pdr_code pass_set_fault(pdr_views *views, const char *projection, uint32_t version, const char *fault,
                               int timeout_ms, pdr_error *err)
{
    return INNER->set_fault(inner_of(views), projection, version, fault, timeout_ms, err);
}
static pdr_code pass_versions(pdr_views *views, const char *projection, pdr_version_each each, void *context,
                              pdr_error *err)
{
    return INNER->versions(inner_of(views), projection, each, context, err);
}
static pdr_code pass_positions(pdr_views *views, const char *projection, uint32_t version,
                               pdr_position_each each, void *context, pdr_error *err)
{
    return INNER->positions(inner_of(views), projection, version, each, context, err);
}
static pdr_code pass_dead_letters(pdr_views *views, const char *projection, uint32_t version,
                                  int32_t partition, pdr_dead_letter_each each, void *context, pdr_error *err)
{
    return INNER->dead_letters(inner_of(views), projection, version, partition, each, context, err);
}
static pdr_code pass_request(pdr_views *views, const char *projection, uint32_t version,
                             const pdr_request_row *request, int timeout_ms, pdr_error *err)
{
    return INNER->request(inner_of(views), projection, version, request, timeout_ms, err);
}
static pdr_code pass_requests(pdr_views *views, const char *projection, uint32_t version, int32_t partition,
                              pdr_request_each each, void *context, pdr_error *err)
{
    return INNER->requests(inner_of(views), projection, version, partition, each, context, err);
}
static pdr_code pass_scan(pdr_views *views, const pdr_version_spec *spec, size_t table,
                          pdr_position_each positions, pdr_view_row_each each, void *context, pdr_error *err)
{
    return INNER->scan(inner_of(views), spec, table, positions, each, context, err);
}
static pdr_code pass_verify(pdr_views *views, const pdr_version_spec *spec, int timeout_ms, pdr_error *err)
{
    return INNER->verify(inner_of(views), spec, timeout_ms, err);
}
static pdr_code pass_fetch(pdr_views *views, const pdr_version_spec *spec, size_t table,
                           const pdr_cell *const *keys, size_t count, pdr_view_fetched done, void *context,
                           uint64_t tag, pdr_error *err)
{
    return INNER->fetch(inner_of(views), spec, table, keys, count, done, context, tag, err);
}

const pdr_views_ops target_ops = {
    .name = "topic",
    .close = target_close,
    .init = target_init,
    .create = pass_create,
    .drop = pass_drop,
    .reset = pass_reset,
    .swap = pass_swap,
    .set_paused = pass_set_paused,
    .set_throttle = pass_set_throttle,
    .set_fault = pass_set_fault,
    .versions = pass_versions,
    .positions = pass_positions,
    .dead_letters = pass_dead_letters,
    .request = pass_request,
    .requests = pass_requests,
    .scan = pass_scan,
    .verify = pass_verify,
    .fetch = pass_fetch,
    .commit = target_commit,
    .forget = target_forget,
    .poll = target_poll,
    .wait_on = target_wait_on,
};
