/* pdr_journal_init: log and store made, or found as they should be. */
#include "actors/options.h"
#include "journal/log_id.h"
#include "journal/system_env.h"

/* --- the store --- */

static void draw_journal_id(uint8_t id[PDR_ID_SIZE])
{
    pdr_system_env env;
    pdr_system_env_init(&env, NULL, NULL);
    for (size_t i = 0; i < PDR_ID_SIZE; i += sizeof(uint64_t)) {
        uint64_t random = env.env.ops->random(&env.env);
        memcpy(id + i, &random, sizeof random);
    }
}

static pdr_code meta_of(pdr_log *log, pdr_store *store, int32_t partitions, int timeout_ms,
                        pdr_store_meta *meta, pdr_error *err)
{
    pdr_store_meta there;
    bool found;
    pdr_code code = pdr_log_find_id(log, 0, partitions, timeout_ms, &found, meta->journal_id, err);
    meta->partitions = partitions;
    if (code != PDR_OK || found) return code;
    if (store->ops->meta(store, &there, timeout_ms, NULL) == PDR_OK)
        memcpy(meta->journal_id, there.journal_id, PDR_ID_SIZE);
    else
        draw_journal_id(meta->journal_id);
    return PDR_OK;
}

static pdr_code init_store(const pdr_plan *plan, pdr_log *log, int32_t partitions, pdr_error *err)
{
    int timeout = (int)plan->settings.open_timeout_ms;
    pdr_store *store;
    pdr_code code = pdr_backends_store_open(&plan->backends, &store, err);
    if (code != PDR_OK) return code;
    code = PDR_WRONG_JOURNAL;
    /* A second time: another process may make the store of a new log between our look and our init. */
    for (int tries = 0; tries < 2 && code == PDR_WRONG_JOURNAL; tries++) {
        pdr_store_meta meta;
        code = meta_of(log, store, partitions, timeout, &meta, err);
        if (code == PDR_OK) code = store->ops->init(store, &meta, timeout, err);
    }
    store->ops->close(store);
    return code;
}

static pdr_code init_both(const pdr_plan *plan, int32_t partitions, pdr_error *err)
{
    int timeout = (int)plan->settings.open_timeout_ms;
    pdr_log *log;
    pdr_code code = pdr_backends_log_create(&plan->backends, partitions, timeout, err);
    if (code != PDR_OK) return code;
    code = pdr_backends_log_open(&plan->backends, &log, err);
    if (code != PDR_OK) return code;
    pdr_log_info info;
    code = log->ops->info(log, &info, timeout, err);
    if (code == PDR_OK) code = log->ops->check(log, timeout, err);
    if (code == PDR_OK) code = init_store(plan, log, info.partitions, err);
    log->ops->close(log);
    return code;
}

pdr_code pdr_journal_init(const pdr_options *options, int32_t partitions, pdr_error *err)
{
    if (partitions < 1 || partitions > PDR_LOG_MAX_PARTITIONS)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "partitions is %d; 1 to %d", (int)partitions,
                        PDR_LOG_MAX_PARTITIONS);
    pdr_plan plan;
    pdr_code code = pdr_plan_init(&plan, options, err);
    if (code == PDR_OK && !plan.backends.has_store)
        code = pdr_fail(err, PDR_BAD_URL,
                        "no URL names the store: give postgres://... or sqlite:file, or set PERDURE_STORE");
    if (code == PDR_OK) code = init_both(&plan, partitions, err);
    pdr_plan_release(&plan);
    return code;
}
