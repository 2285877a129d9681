/* perdure rebuild-store: the store made anew from the log, by the owner's own recovery. */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "cli/common.h"
#include "journal/log_id.h"
#include "journal/owner.h"
#include "journal/sleep.h"
#include "journal/system_env.h"

enum { STUCK_US = 60 * 1000000, MAX_SLEEP_US = 200000 };

typedef struct rebuild {
    pdr_target target;
    bool yes, json, not_empty;
    pdr_loaded_app app;
    pdr_plan plan;
    pdr_log *log;
    pdr_store *store;
    pdr_system_env env;
    pdr_store_meta meta;
    uint64_t heads; /* saved */
    int32_t taken;  /* partitions whose owners went on with them */
} rebuild;

static int timeout_of(const rebuild *r)
{
    return (int)r->plan.settings.open_timeout_ms;
}

/* --- what is there --- */

/* Every partition from its beginning, before anything is thrown away: a log that has lost it can't give the
 * store back. Each partition that ever had an owner begins with its FENCE, which names the journal. */
static pdr_code read_beginnings(rebuild *r, bool *found, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (int32_t i = 0; code == PDR_OK && i < r->meta.partitions; i++) {
        bool here;
        uint8_t id[PDR_ID_SIZE];
        pdr_cli_progress("looking at partition %d of %d", (int)i + 1, (int)r->meta.partitions);
        code = pdr_log_find_id(r->log, i, 1, timeout_of(r), &here, id, err);
        if (code != PDR_OK || !here) continue;
        if (*found && memcmp(id, r->meta.journal_id, sizeof id) != 0)
            return pdr_fail(err, PDR_CORRUPT, "partition %d has a FENCE of another journal", (int)i);
        *found = true;
        memcpy(r->meta.journal_id, id, sizeof id);
    }
    return code;
}

static pdr_code open_both(rebuild *r, pdr_error *err)
{
    pdr_log_info info;
    bool found = false;
    pdr_code code = pdr_backends_log_open(&r->plan.backends, &r->log, err);
    if (code == PDR_OK) code = r->log->ops->info(r->log, &info, timeout_of(r), err);
    if (code == PDR_OK) code = r->log->ops->check(r->log, timeout_of(r), err);
    if (code != PDR_OK) return code;
    r->meta.partitions = info.partitions;
    code = read_beginnings(r, &found, err);
    if (code != PDR_OK) return code;
    if (!found)
        return pdr_fail(err, PDR_NOT_FOUND,
                        "journal %.200s never had an owner: there is nothing to rebuild from", info.name);
    return pdr_backends_store_open(&r->plan.backends, &r->store, err);
}

static pdr_code stop_at_first(void *context, int32_t partition, const pdr_head *head, pdr_error *err)
{
    (void)partition;
    (void)head;
    *(bool *)context = true;
    return pdr_fail(err, PDR_CANCELLED, "one is enough");
}

/* Tables where there are none; never over another journal's store, nor over heads unless that was asked for.
 */
static pdr_code make_room(rebuild *r, pdr_error *err)
{
    bool any = false;
    pdr_code code = r->store->ops->init(r->store, &r->meta, timeout_of(r), err);
    if (code != PDR_OK) return code;
    code = r->store->ops->dump(r->store, stop_at_first, &any, err);
    if (code != PDR_OK && !any) return code;
    if (any && !r->yes) {
        r->not_empty = true;
        return pdr_fail(err, PDR_CANCELLED, "the store is not empty: nothing was done");
    }
    return r->store->ops->reset(r->store, &r->meta, timeout_of(r), err);
}

/* --- one partition --- */

static void nap(const rebuild *r, int64_t due_us)
{
    int64_t left = due_us - pdr_mono_us();
    pdr_sleep_on(r->log, r->store, left < MAX_SLEEP_US ? left : MAX_SLEEP_US);
}

static void show(const rebuild *r, pdr_owner *owner, int32_t partition)
{
    pdr_owner_gauges gauges;
    pdr_owner_gauges_of(owner, &gauges);
    pdr_cli_progress("rebuilding partition %d of %d: up to offset %" PRId64 ", saved up to %" PRId64,
                     (int)partition + 1, (int)r->meta.partitions, gauges.known_end, gauges.checkpoint);
}

/* Until the owner is idle, failed, or has been waiting for the same thing for too long. */
static pdr_code drive(rebuild *r, pdr_owner *owner, int32_t partition, pdr_error *err)
{
    int64_t moved_us = pdr_mono_us();
    for (;;) {
        size_t came = r->log->ops->poll(r->log) + r->store->ops->poll(r->store);
        int64_t due = pdr_owner_turn(owner), now = pdr_mono_us();
        pdr_owner_state state = pdr_owner_state_of(owner);
        const pdr_error *why = pdr_owner_error(owner);
        show(r, owner, partition);
        if (state == PDR_OWNER_IDLE && why->code == PDR_STALE) r->taken++;
        if (state == PDR_OWNER_IDLE && (why->code == PDR_OK || why->code == PDR_STALE)) return PDR_OK;
        if (came && state != PDR_OWNER_WAITING) moved_us = now;
        if (state == PDR_OWNER_IDLE || state == PDR_OWNER_FAILED || now - moved_us > STUCK_US) {
            if (why->code == PDR_OK)
                return pdr_fail(err, PDR_TIMEOUT, "partition %d: no progress in state %s", (int)partition,
                                pdr_owner_state_name(state));
            if (err) *err = *why;
            return why->code;
        }
        if (!came) nap(r, due);
    }
}

static pdr_code rebuild_one(rebuild *r, int32_t partition, pdr_error *err)
{
    pdr_owner *owner;
    pdr_owner_counters counters;
    pdr_owner_config config = {.partition = partition,
                               .partitions = r->meta.partitions,
                               .address = pdr_bytes_of(r->plan.address, strlen(r->plan.address)),
                               .app = r->plan.app,
                               .settings = r->plan.settings.owner};
    memcpy(config.journal_id, r->meta.journal_id, sizeof config.journal_id);
    pdr_code code = pdr_owner_open(&owner, &config, r->log, r->store, &r->env.env, err);
    if (code != PDR_OK) return code;
    pdr_owner_rebuild(owner);
    code = drive(r, owner, partition, err);
    pdr_owner_counters_of(owner, &counters);
    r->heads += counters.saved_heads;
    pdr_owner_close(owner);
    return code;
}

/* --- the command --- */

static void report(const rebuild *r)
{
    pdr_cli_progress_end();
    if (r->json) {
        printf("{\"partitions\":%d,\"heads_saved\":%" PRIu64 ",\"left_to_owners\":%d,\"states\":%s}\n",
               (int)r->meta.partitions, r->heads, (int)r->taken, r->app.app ? "true" : "false");
        return;
    }
    printf("%d partitions rebuilt, %" PRIu64 " heads saved\n", (int)r->meta.partitions, r->heads);
    if (r->taken) printf("left to owners that are at work: %d\n", (int)r->taken);
    if (!r->app.app)
        printf("without --app only heads were made; states come back as their entities are used\n");
}

static pdr_code work(rebuild *r, pdr_error *err)
{
    pdr_code code = pdr_loaded_app_open(&r->app, r->target.app, err);
    if (code == PDR_OK) code = pdr_target_plan(&r->target, r->app.app, &r->plan, err);
    if (code == PDR_OK) code = open_both(r, err);
    if (code == PDR_OK) code = make_room(r, err);
    pdr_system_env_init(&r->env, NULL, NULL);
    for (int32_t i = 0; code == PDR_OK && i < r->meta.partitions; i++)
        code = rebuild_one(r, i, err);
    return code;
}

static int run(int argc, char **argv)
{
    rebuild r = {.yes = false};
    const pdr_flag flags[] = {
        PDR_JOURNAL_FLAG(r.target),
        PDR_STORE_FLAG(r.target),
        PDR_APP_FLAG(r.target),
        {PDR_FLAG_SWITCH, "--yes", NULL, "empty a store that isn't empty", &r.yes, 0, 0},
        {PDR_FLAG_SWITCH, "--json", NULL, "one JSON object instead of text", &r.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_rebuild_store, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = work(&r, &err);
    if (code == PDR_OK) report(&r);
    if (r.store) r.store->ops->close(r.store);
    if (r.log) r.log->ops->close(r.log);
    pdr_plan_release(&r.plan);
    pdr_loaded_app_close(&r.app);
    if (r.not_empty)
        return pdr_cli_refuse(&pdr_cli_rebuild_store, err.message,
                              "--yes empties it and makes it anew from the log");
    return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(&pdr_cli_rebuild_store, &err);
}

const pdr_cli_command pdr_cli_rebuild_store = {
    .name = "rebuild-store",
    .summary = "make the store anew from the log",
    .about = "Reads the whole log and writes the heads and, with --app, the states into an empty store. It "
             "makes missing\n"
             "tables. A store that isn't empty is left alone unless --yes says otherwise; one of another "
             "journal always.\n"
             "Owners may be at work: each goes on with its partition by itself.\n"
             "\n"
             "  perdure rebuild-store --app loans_app.so\n",
    .run = run};
