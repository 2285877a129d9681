#include "tests/unit/journal/owner_probe.h"

#include <criterion/criterion.h>

void probe_init(probe *p)
{
    pdr_sim_options options = {.journal = "claims", .partitions = 1};
    pdr_sim_profile_init(&options.profile);
    memset(p, 0, sizeof *p);
    p->app = sim_app(1);
    cr_assert_eq(pdr_sim_world_open(&p->world, 1, &options, NULL), PDR_OK);
    cr_assert_eq(pdr_sim_log_open(&p->log, p->world, 0, NULL), PDR_OK);
    cr_assert_eq(pdr_sim_store_open(&p->store, p->world, 0, NULL), PDR_OK);
    cr_assert_eq(pdr_sim_env_open(&p->env, p->world, 0, NULL), PDR_OK);
    pdr_owner_settings_init(&p->settings);
}

pdr_code probe_open(probe *p)
{
    pdr_owner_config config = {.partition = 0,
                               .partitions = 1,
                               .address = pdr_bytes_of("probe", 5),
                               .app = p->app,
                               .settings = p->settings};
    return pdr_owner_open(&p->owner, &config, p->log, p->store, p->env, NULL);
}

void probe_serve(probe *p)
{
    cr_assert_eq(probe_open(p), PDR_OK);
    pdr_owner_assign(p->owner, 0);
    cr_assert(probe_until_state(p, PDR_OWNER_SERVING));
}

void probe_release(probe *p)
{
    pdr_owner_close(p->owner);
    p->log->ops->close(p->log);
    p->store->ops->close(p->store);
    pdr_sim_env_close(p->env);
    pdr_sim_world_close(p->world);
}

static void nothing(void *context, uint64_t value)
{
    (void)context;
    (void)value;
}

/* One turn, and what came of it; the time moves only when nothing else is left to do. */
static void move(probe *p)
{
    int64_t due = pdr_owner_turn(p->owner);
    if (p->log->ops->poll(p->log) + p->store->ops->poll(p->store)) return;
    int64_t wait = due == INT64_MAX ? INT64_MAX : due - p->env->ops->mono_us(p->env);
    if (due != INT64_MAX && wait > 0)
        pdr_sim_world_at(p->world, wait < 100000 ? wait : 100000, nothing, NULL, 0);
    if (wait > 0) (void)pdr_sim_world_step(p->world);
}

bool probe_until(probe *p, bool (*holds)(probe *p, void *context), void *context, int64_t virtual_us)
{
    int64_t end = pdr_sim_world_now(p->world) + virtual_us;
    for (int at_once = 0; !holds(p, context);) {
        int64_t before = pdr_sim_world_now(p->world);
        if (before > end) return false;
        move(p);
        at_once = pdr_sim_world_now(p->world) == before ? at_once + 1 : 0;
        if (at_once > 100000) return false;
    }
    return true;
}

static bool in_state(probe *p, void *context)
{
    return pdr_owner_state_of(p->owner) == *(pdr_owner_state *)context;
}

bool probe_until_state(probe *p, pdr_owner_state state)
{
    return probe_until(p, in_state, &state, 60000000);
}

static bool answered(probe *p, void *context)
{
    (void)p;
    return ((const probe_answer *)context)->count > 0;
}

bool probe_until_answered(probe *p, const probe_answer *answer)
{
    return probe_until(p, answered, (void *)(uintptr_t)answer, 120000000);
}

static bool clean(probe *p, void *context)
{
    (void)context;
    return pdr_owner_is_clean(p->owner);
}

bool probe_until_clean(probe *p)
{
    pdr_owner_flush(p->owner);
    return probe_until(p, clean, NULL, 60000000);
}

static bool never(probe *p, void *context)
{
    (void)p;
    (void)context;
    return false;
}

void probe_run(probe *p, int64_t virtual_us)
{
    (void)probe_until(p, never, NULL, virtual_us);
}

void probe_note(void *context, const pdr_reply *reply)
{
    probe_answer *a = context;
    a->count++;
    a->code = reply->code;
    a->seq = reply->seq;
    a->events = reply->events;
    a->repeated = reply->repeated;
    a->has_state = reply->state.data != NULL;
    a->position = reply->position;
    size_t size = reply->answer.size < sizeof a->text ? reply->answer.size : sizeof a->text - 1;
    if (size) memcpy(a->text, reply->answer.data, size);
    a->text[size] = 0;
}

pdr_cmd_spec probe_spec(const char *key, const char *id, probe_answer *answer)
{
    memset(answer, 0, sizeof *answer);
    return (pdr_cmd_spec){.request = PDR_REQUEST_READ,
                          .expected_seq = PDR_ANY_SEQ,
                          .key = {key, strlen(key)},
                          .id = id ? pdr_bytes_of(id, strlen(id)) : pdr_bytes_of(NULL, 0),
                          .done = probe_note,
                          .context = answer};
}

pdr_cmd_spec probe_deposit(const char *key, const char *id, int64_t amount, int64_t parts, const char *note,
                           pdr_buf *payload, probe_answer *answer)
{
    pdr_cmd_spec spec = probe_spec(key, id, answer);
    sim_fact fact = {1, amount, parts, {note, strlen(note)}};
    cr_assert_eq(sim_deposit_type.encode(&fact, payload, NULL), PDR_OK);
    spec.request = PDR_REQUEST_DECIDE;
    spec.type = &sim_deposit_type;
    spec.payload = pdr_buf_bytes(payload);
    return spec;
}

pdr_code probe_submit(probe *p, const pdr_cmd_spec *spec)
{
    pdr_cmd *cmd;
    pdr_code code = pdr_cmd_make(&cmd, spec, NULL);
    if (code != PDR_OK) return code;
    code = pdr_owner_submit(p->owner, cmd, NULL);
    if (code != PDR_OK) pdr_cmd_free(cmd);
    return code;
}

void probe_ask(probe *p, const pdr_cmd_spec *spec)
{
    cr_assert_eq(probe_submit(p, spec), PDR_OK);
    cr_assert(probe_until_answered(p, spec->context));
}

pdr_code probe_ask_deposit(probe *p, const char *key, const char *id, int64_t amount, probe_answer *answer)
{
    pdr_buf payload = PDR_BUF_INIT(1024);
    pdr_cmd_spec spec = probe_deposit(key, id, amount, 1, "", &payload, answer);
    pdr_code code = probe_submit(p, &spec);
    pdr_buf_release(&payload);
    if (code == PDR_OK) cr_assert(probe_until_answered(p, answer));
    return code == PDR_OK ? answer->code : code;
}

pdr_owner_counters probe_counters(const probe *p)
{
    pdr_owner_counters counters;
    pdr_owner_counters_of(p->owner, &counters);
    return counters;
}

pdr_owner_gauges probe_gauges(const probe *p)
{
    pdr_owner_gauges gauges;
    pdr_owner_gauges_of(p->owner, &gauges);
    return gauges;
}
