/* Writer schemas that an owner's code doesn't declare: they are saved with what needs them, looked for in the
 * store and in the log when an event needs one, and an entity that needs one that nobody can read is
 * unavailable alone. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/mem.h"
#include "journal/owner_core.h"
#include "schemas/schema.h"
#include "tests/unit/journal/owner_probe.h"

static probe p;
static pdr_type renamed;
static pdr_entity_type writer_types[2];
static const pdr_type *writer_events[3];
static const pdr_entity_type *writer_entities[2][1];
static pdr_app writers[2];

static void decide(const void *state, const pdr_command *command, int64_t now_us, pdr_decision *out)
{
    (void)state;
    (void)now_us;
    pdr_emit(out, command->type == &sim_deposit_type ? &sim_deposited_type : &renamed, command->value);
}

/* Two applications like those of the simulation that also write an event that those don't know. */
static void make_writers(void)
{
    pdr_schema_set *set;
    renamed = sim_deposited_type;
    renamed.name = "sim.Renamed";
    renamed.schema = "{\"type\":\"record\",\"name\":\"sim.Renamed\",\"perdure\":{\"version\":7},\"fields\":["
                     "{\"name\":\"nonce\",\"type\":\"long\"},{\"name\":\"amount\",\"type\":\"long\"},"
                     "{\"name\":\"parts\",\"type\":\"long\"},{\"name\":\"note\",\"type\":\"string\"}]}";
    cr_assert_eq(pdr_schema_read(&set, "test", pdr_string_of(renamed.schema), NULL), PDR_OK);
    cr_assert_eq(pdr_schema_fingerprint(&renamed.fingerprint, pdr_schema_set_root(set, 0), NULL), PDR_OK);
    pdr_schema_set_close(set);
    writer_events[0] = &sim_deposited_type;
    writer_events[1] = &sim_withdrew_type;
    writer_events[2] = &renamed;
    for (size_t i = 0; i < 2; i++) {
        writers[i] = *sim_app((uint32_t)i + 1);
        writer_types[i] = *writers[i].entities[0];
        writer_types[i].events = writer_events;
        writer_types[i].event_count = 3;
        writer_types[i].upcasters = NULL; /* it writes deposits as the first one does */
        writer_types[i].upcaster_count = 0;
        writer_types[i].decide = decide;
        writer_entities[i][0] = &writer_types[i];
        writers[i].entities = writer_entities[i];
    }
}

/* --- the store's look-up of schemas, replaced --- */

static const pdr_store_ops *real_store;
static pdr_store_ops odd_store;
static int refusals; /* how often it still can't say */
static bool forgets; /* it knows none */

static pdr_code odd_schemas(pdr_store *store, const uint64_t *fingerprints, size_t count, pdr_store_done done,
                            void *context, uint64_t tag, pdr_error *err)
{
    static const uint64_t nobody = 1;
    if (refusals > 0) {
        refusals--;
        return pdr_fail(err, PDR_UNAVAILABLE, "refused");
    }
    return real_store->schemas(store, forgets ? &nobody : fingerprints, forgets ? 1 : count, done, context,
                               tag, err);
}

static void init(void)
{
    make_writers();
    probe_init(&p);
    real_store = p.store->ops;
    odd_store = *real_store;
    odd_store.schemas = odd_schemas;
    p.store->ops = &odd_store;
    refusals = 0;
    forgets = false;
}

static void release(void)
{
    probe_release(&p);
}

TestSuite(owner_schema, .init = init, .fini = release);

/* --- steps --- */

static pdr_code command(const char *key, const pdr_type *type)
{
    probe_answer a;
    pdr_buf payload = PDR_BUF_INIT(1024);
    pdr_cmd_spec spec = probe_deposit(key, NULL, 5, 1, "note", &payload, &a);
    spec.type = type;
    probe_ask(&p, &spec);
    pdr_buf_release(&payload);
    return a.code;
}

static char why[500];

static void note_why(void *context, const pdr_reply *reply)
{
    probe_note(context, reply);
    snprintf(why, sizeof why, "%s", reply->error ? reply->error->message : "");
}

static pdr_code read_of(const char *key, uint64_t *seq)
{
    probe_answer a;
    pdr_cmd_spec spec = probe_spec(key, NULL, &a);
    spec.done = note_why;
    probe_ask(&p, &spec);
    *seq = a.seq;
    return a.code;
}

static void serve_as(const pdr_app *app)
{
    p.app = app;
    probe_serve(&p);
}

static void close_owner(void)
{
    pdr_owner_close(p.owner);
    p.owner = NULL;
}

/* A writer of revision 1 leaves one entity that only it can read and one that all can, all saved. */
static void write_both(void)
{
    serve_as(&writers[0]);
    cr_assert_eq(command("acct/old", &sim_touch_type), PDR_OK);
    cr_assert_eq(command("acct/any", &sim_deposit_type), PDR_OK);
    cr_assert(probe_until_clean(&p));
    close_owner();
}

static void expect_only_old_unavailable(void)
{
    uint64_t seq;
    char fingerprint[20];
    snprintf(fingerprint, sizeof fingerprint, "%016llx", (unsigned long long)renamed.fingerprint);
    cr_assert_eq(read_of("acct/any", &seq), PDR_OK);
    cr_assert_eq(seq, 1);
    cr_assert_eq(command("acct/any", &sim_deposit_type), PDR_OK);
    cr_assert_eq(read_of("acct/old", &seq), PDR_UNKNOWN_SCHEMA);
    cr_assert_not_null(strstr(why, fingerprint), "%s", why);
    cr_assert_not_null(strstr(why, "sim.Renamed"), "the schema was found: %s", why);
    cr_assert_not_null(strstr(why, "version 7"), "%s", why);
}

/* --- claims --- */

Test(owner_schema, an_event_nobody_declares_makes_its_entity_unavailable_by_name)
{
    write_both();
    serve_as(sim_app(2)); /* another revision: states are brought up from history */
    expect_only_old_unavailable();
    cr_assert_eq(probe_counters(&p).schema_seeks, 1);
}

Test(owner_schema, a_schema_that_the_store_lost_is_found_in_the_log)
{
    write_both();
    forgets = true;
    serve_as(sim_app(2));
    expect_only_old_unavailable();
}

Test(owner_schema, a_store_that_is_away_is_asked_again)
{
    write_both();
    refusals = 3;
    serve_as(sim_app(2));
    expect_only_old_unavailable();
    cr_assert_eq(refusals, 0);
}

Test(owner_schema, events_of_a_tail_need_theirs_too)
{
    write_both();
    p.settings.checkpointing = false;
    serve_as(&writers[0]);
    cr_assert_eq(command("acct/any", &sim_touch_type), PDR_OK); /* its SCHEMA is in the tail */
    cr_assert_eq(command("acct/old", &sim_deposit_type), PDR_OK);
    close_owner();
    serve_as(sim_app(1)); /* states fit, the tail doesn't */
    uint64_t seq;
    cr_assert_eq(read_of("acct/any", &seq), PDR_UNKNOWN_SCHEMA);
    cr_assert_not_null(strstr(why, "sim.Renamed"), "%s", why);
    cr_assert_eq(probe_counters(&p).schema_seeks, 0, "the scan has met it");
    cr_assert_eq(read_of("acct/old", &seq), PDR_OK, "its state holds what can't be read");
    cr_assert_eq(seq, 2);
}

static void leave_a_tail_behind_the_schema(void)
{
    serve_as(&writers[0]);
    cr_assert_eq(command("acct/old", &sim_touch_type), PDR_OK);
    cr_assert(probe_until_clean(&p)); /* the checkpoint is past the SCHEMA */
    cr_assert_eq(command("acct/any", &sim_touch_type), PDR_OK);
    close_owner();
}

Test(owner_schema, a_tail_whose_schema_lies_before_the_checkpoint_finds_it)
{
    leave_a_tail_behind_the_schema();
    serve_as(sim_app(1));
    uint64_t seq;
    cr_assert_eq(read_of("acct/any", &seq), PDR_UNKNOWN_SCHEMA);
    cr_assert_not_null(strstr(why, "sim.Renamed"), "%s", why);
    cr_assert_eq(probe_counters(&p).schema_seeks, 1);
}

Test(owner_schema, a_tail_whose_schema_the_store_lost_finds_it_in_the_log)
{
    leave_a_tail_behind_the_schema();
    forgets = true;
    serve_as(sim_app(1));
    uint64_t seq;
    cr_assert_eq(read_of("acct/any", &seq), PDR_UNKNOWN_SCHEMA);
    cr_assert_not_null(strstr(why, "sim.Renamed"), "%s", why);
}

Test(owner_schema, code_that_reads_it_serves_the_entity_again)
{
    write_both();
    serve_as(sim_app(2));
    uint64_t seq;
    cr_assert_eq(read_of("acct/old", &seq), PDR_UNKNOWN_SCHEMA);
    cr_assert(probe_until_clean(&p));
    close_owner();
    serve_as(&writers[1]);
    cr_assert_eq(read_of("acct/old", &seq), PDR_OK);
    cr_assert_eq(seq, 1);
}

typedef struct schemas_seen {
    size_t count;
    bool renamed;
    bool done;
} schemas_seen;

static void see_schemas(void *context, uint64_t tag, const pdr_store_result *result)
{
    (void)tag;
    schemas_seen *seen = context;
    seen->done = true;
    seen->count = result->schema_count;
    for (size_t i = 0; i < result->schema_count; i++)
        if (result->schemas[i].fingerprint == renamed.fingerprint)
            seen->renamed = pdr_bytes_equal(result->schemas[i].json,
                                            pdr_bytes_of(renamed.schema, strlen(renamed.schema)));
}

static bool have_seen(probe *probe, void *context)
{
    (void)probe;
    return ((schemas_seen *)context)->done;
}

static schemas_seen schemas_of_store(void)
{
    schemas_seen seen = {0, false, false};
    cr_assert_eq(real_store->schemas(p.store, NULL, 0, see_schemas, &seen, 0, NULL), PDR_OK);
    cr_assert(probe_until(&p, have_seen, &seen, 1000000));
    return seen;
}

Test(owner_schema, a_rebuilt_store_has_every_schema_of_the_log)
{
    write_both();
    pdr_store_meta meta;
    cr_assert_eq(p.store->ops->meta(p.store, &meta, 0, NULL), PDR_OK);
    cr_assert_eq(p.store->ops->reset(p.store, &meta, 0, NULL), PDR_OK);
    p.app = sim_app(1);
    cr_assert_eq(probe_open(&p), PDR_OK);
    pdr_owner_rebuild(p.owner);
    probe_run(&p, 2000000);
    cr_assert_eq(pdr_owner_state_of(p.owner), PDR_OWNER_IDLE);
    schemas_seen seen = schemas_of_store();
    cr_assert_eq(seen.count, 2);
    cr_assert(seen.renamed);
}

Test(owner_schema, one_who_takes_over_saves_those_that_it_met)
{
    p.settings.checkpointing = false;
    serve_as(&writers[0]);
    cr_assert_eq(command("acct/old", &sim_touch_type), PDR_OK);
    close_owner();
    serve_as(sim_app(1));
    cr_assert_eq(schemas_of_store().count, 0, "nothing was saved yet");
    cr_assert(probe_until_clean(&p));
    cr_assert(schemas_of_store().renamed);
}
