#include "tests/contract/store_contract.h"

#include <poll.h>
#include <time.h>

enum { STORES = 3 };

const pdr_store_meta store_meta = {.journal_id = {1, 2, 3, 0, 0xff, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
                                   .partitions = 4};

static const pdr_store_subject *subject;
static void *place;
const uint64_t wants_1[1] = {1};
static pdr_store *stores[STORES];
static pdr_arena kept = PDR_ARENA_INIT((size_t)1 << 30);
static time_t give_up_at;
static bool in_call; /* an operation is running: no completion may */
static size_t completions;

static time_t seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* --- the world --- */

void store_world_open(void)
{
    pdr_error err = {0};
    subject = pdr_store_subject_get();
    give_up_at = seconds() + PDR_CONTRACT_GUARD_S;
    cr_assert_eq(subject->create(&place, &err), PDR_OK, "%s", err.message);
}

void store_world_ready(void)
{
    pdr_error err = {0};
    store_world_open();
    pdr_store *store = store_world_store(0);
    cr_assert_eq(store->ops->init(store, &store_meta, 60000, &err), PDR_OK, "%s", err.message);
}

pdr_store *store_world_store(size_t index)
{
    cr_assert_lt(index, STORES);
    pdr_error err = {0};
    if (!stores[index]) {
        cr_assert_eq(subject->open(place, &stores[index], &err), PDR_OK, "%s", err.message);
        cr_assert_eq(pdr_store_ops_validate(stores[index]->ops, &err), PDR_OK, "%s", err.message);
    }
    return stores[index];
}

void store_world_close(void)
{
    for (size_t i = 0; i < STORES; i++) {
        if (stores[i]) stores[i]->ops->close(stores[i]);
        stores[i] = NULL;
    }
    subject->destroy(place);
    pdr_arena_release(&kept);
}

pdr_arena *store_world_arena(void)
{
    return &kept;
}

void store_world_make_too_new(void)
{
    if (!subject->make_too_new) cr_skip_test("the backend has no versions");
    pdr_error err = {0};
    cr_assert_eq(subject->make_too_new(place, &err), PDR_OK, "%s", err.message);
}

static void sleep_on(pdr_store *const *open, size_t count)
{
    struct pollfd fds[STORES * 4];
    int used = 0;
    int64_t due = 20000;
    for (size_t i = 0; i < count; i++) {
        int64_t one;
        used += open[i]->ops->wait_on(open[i], fds + used, 4, &one);
        if (one < due) due = one;
    }
    cr_assert_geq(due, 0);
    poll(fds, (nfds_t)used, (int)((due + 999) / 1000));
}

bool store_world_pump(void)
{
    pdr_store *open[STORES];
    size_t count = 0, callbacks = 0;
    for (size_t i = 0; i < STORES; i++) {
        if (!stores[i]) continue;
        open[count++] = stores[i];
        callbacks += stores[i]->ops->poll(stores[i]);
    }
    if (!callbacks && subject->idle) subject->idle(place, open, count);
    if (!callbacks && !subject->idle) sleep_on(open, count);
    return seconds() <= give_up_at;
}

/* --- outcomes --- */

static pdr_bytes copy_of(pdr_bytes bytes)
{
    if (!bytes.data) return bytes;
    pdr_bytes copy = pdr_arena_bytes(&kept, bytes);
    cr_assert_not_null(copy.data);
    return copy;
}

static void note(void *context, uint64_t tag, const pdr_store_result *result)
{
    outcome *o = context;
    cr_assert(!in_call, "a completion came inside a submitting call");
    o->times++;
    o->order = completions++;
    o->tag = tag;
    o->code = result->code;
    cr_assert_eq(result->code == PDR_OK, result->error == NULL);
    if (result->error) {
        o->error = *result->error;
        cr_assert_eq(result->error->code, result->code);
    }
    o->row = result->row;
    o->head_count = result->head_count;
    o->heads = pdr_arena_calloc(&kept, result->head_count + 1, sizeof *o->heads);
    cr_assert_not_null(o->heads);
    for (size_t i = 0; i < result->head_count; i++) {
        o->heads[i] = result->heads[i];
        o->heads[i].key = copy_of(result->heads[i].key);
        o->heads[i].ids = copy_of(result->heads[i].ids);
        o->heads[i].state = copy_of(result->heads[i].state);
    }
    o->schema_count = result->schema_count;
    o->schemas = pdr_arena_calloc(&kept, result->schema_count + 1, sizeof *o->schemas);
    cr_assert_not_null(o->schemas);
    for (size_t i = 0; i < result->schema_count; i++) {
        o->schemas[i] = result->schemas[i];
        o->schemas[i].name = copy_of(result->schemas[i].name);
        o->schemas[i].json = copy_of(result->schemas[i].json);
    }
    if (o->then) o->then(o);
}

void outcome_wait(const outcome *o)
{
    while (!o->times)
        cr_assert(store_world_pump(), "gave up waiting for a completion");
    cr_assert_eq(o->times, 1);
}

static uint64_t next_tag = 1000;

static void accepted(const outcome *o, pdr_code code, const pdr_error *err)
{
    in_call = false;
    cr_assert_eq(code, PDR_OK, "%s", err->message);
    cr_assert_eq(o->times, 0);
}

void submit_load(outcome *o, pdr_store *store, int32_t partition)
{
    pdr_error err = {0};
    in_call = true;
    accepted(o, store->ops->load(store, partition, note, o, next_tag++, &err), &err);
}

void submit_claim(outcome *o, pdr_store *store, int32_t partition, pdr_term term)
{
    pdr_error err = {0};
    pdr_claim claim = {.term = term, .at_us = 1700000000000000, .address = text("127.0.0.1:7000")};
    in_call = true;
    accepted(o, store->ops->claim(store, partition, &claim, note, o, next_tag++, &err), &err);
}

void submit_lookup(outcome *o, pdr_store *store, int32_t partition, const pdr_lookup_key *keys, size_t count)
{
    pdr_error err = {0};
    in_call = true;
    accepted(o, store->ops->lookup(store, partition, keys, count, note, o, next_tag++, &err), &err);
}

void submit_save(outcome *o, pdr_store *store, int32_t partition, const pdr_save *save)
{
    pdr_error err = {0};
    in_call = true;
    accepted(o, store->ops->save(store, partition, save, note, o, next_tag++, &err), &err);
}

void submit_schemas(outcome *o, pdr_store *store, const uint64_t *fingerprints, size_t count)
{
    pdr_error err = {0};
    in_call = true;
    accepted(o, store->ops->schemas(store, fingerprints, count, note, o, next_tag++, &err), &err);
}

void submit_heads(outcome *o, pdr_store *store, const char *after, size_t limit, uint64_t revision)
{
    pdr_error err = {0};
    in_call = true;
    accepted(o, store->ops->heads(store, text(after), limit, revision, note, o, next_tag++, &err), &err);
}

void submit_put_states(outcome *o, pdr_store *store, int32_t partition, const pdr_new_states *states)
{
    pdr_error err = {0};
    in_call = true;
    accepted(o, store->ops->put_states(store, partition, states, note, o, next_tag++, &err), &err);
}

outcome do_schemas(pdr_store *store, const uint64_t *fingerprints, size_t count)
{
    outcome o = {0};
    submit_schemas(&o, store, fingerprints, count);
    outcome_wait(&o);
    return o;
}

outcome do_heads(pdr_store *store, const char *after, size_t limit, uint64_t revision)
{
    outcome o = {0};
    submit_heads(&o, store, after, limit, revision);
    outcome_wait(&o);
    return o;
}

outcome do_put_states(pdr_store *store, int32_t partition, const pdr_new_states *states)
{
    outcome o = {0};
    submit_put_states(&o, store, partition, states);
    outcome_wait(&o);
    return o;
}

outcome do_load(pdr_store *store, int32_t partition)
{
    outcome o = {0};
    submit_load(&o, store, partition);
    outcome_wait(&o);
    return o;
}

outcome do_claim(pdr_store *store, int32_t partition, pdr_term term)
{
    outcome o = {0};
    submit_claim(&o, store, partition, term);
    outcome_wait(&o);
    return o;
}

outcome do_lookup(pdr_store *store, int32_t partition, const pdr_lookup_key *keys, size_t count)
{
    outcome o = {0};
    submit_lookup(&o, store, partition, keys, count);
    outcome_wait(&o);
    return o;
}

outcome do_save(pdr_store *store, int32_t partition, const pdr_save *save)
{
    outcome o = {0};
    submit_save(&o, store, partition, save);
    outcome_wait(&o);
    return o;
}

pdr_stamp claimed(pdr_store *store)
{
    outcome o = do_claim(store, 0, (pdr_term){5, 55});
    cr_assert_eq(o.code, PDR_OK, "%s", o.error.message);
    return o.row.stamp;
}

pdr_stamp save_head(pdr_store *store, pdr_stamp stamp, const pdr_head *head)
{
    pdr_save save = {.expected = stamp,
                     .checkpoint = PDR_POSITION_START,
                     .seen = head->last,
                     .heads = head,
                     .head_count = 1};
    outcome o = do_save(store, 0, &save);
    cr_assert_eq(o.code, PDR_OK, "%s", o.error.message);
    return o.row.stamp;
}

const pdr_head *find_head(pdr_store *store, const char *key, uint64_t revision)
{
    pdr_lookup_key wanted = {text(key), &revision, 1};
    outcome o = do_lookup(store, 0, &wanted, 1);
    cr_assert_eq(o.code, PDR_OK, "%s", o.error.message);
    cr_assert_leq(o.head_count, 1);
    return o.head_count ? o.heads : NULL;
}

/* --- values --- */

pdr_bytes text(const char *text)
{
    return pdr_bytes_of(text, strlen(text));
}

pdr_position position(int64_t offset)
{
    return (pdr_position){offset, {offset / 2, 0xfedcba9876543210u + (uint64_t)offset}, (uint64_t)offset + 3};
}

pdr_head head_of(const char *key, uint64_t seq, const char *state)
{
    return (pdr_head){.key = text(key),
                      .seq = seq,
                      .last = position((int64_t)seq * 10),
                      .ids = text("ids"),
                      .timer_us = PDR_NO_TIMER,
                      .revision = 1,
                      .state_seq = state ? seq : 0,
                      .state = state ? text(state) : pdr_bytes_of(NULL, 0)};
}

bool stamp_equal(const pdr_stamp *a, const pdr_stamp *b)
{
    return memcmp(a->store_id, b->store_id, PDR_ID_SIZE) == 0 && pdr_term_equal(a->term, b->term) &&
           a->saves == b->saves;
}

void expect_row(const pdr_partition_row *got, const pdr_partition_row *wanted)
{
    cr_assert(stamp_equal(&got->stamp, &wanted->stamp), "another stamp: saves %llu, wanted %llu",
              (unsigned long long)got->stamp.saves, (unsigned long long)wanted->stamp.saves);
    cr_assert(pdr_position_equal(got->checkpoint, wanted->checkpoint), "another checkpoint");
    cr_assert(pdr_position_equal(got->seen, wanted->seen), "another seen");
}

void expect_head(const pdr_head *got, const pdr_head *wanted)
{
    cr_assert_not_null(got);
    cr_assert(pdr_bytes_equal(got->key, wanted->key));
    cr_assert_eq(got->seq, wanted->seq);
    cr_assert(pdr_position_equal(got->last, wanted->last));
    cr_assert(pdr_bytes_equal(got->ids, wanted->ids));
    cr_assert_eq(got->timer_us, wanted->timer_us);
    cr_assert_eq(got->state.data == NULL, wanted->state.data == NULL, "state is %s",
                 got->state.data ? "there" : "missing");
    cr_assert(pdr_bytes_equal(got->state, wanted->state));
    if (!wanted->state.data) return;
    cr_assert_eq(got->revision, wanted->revision);
    cr_assert_eq(got->state_seq, wanted->state_seq);
}
