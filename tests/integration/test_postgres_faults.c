/* Claims about the PostgreSQL store when the network or the server fails. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/integration/postgres_world.h"

TestSuite(postgres_network, .init = world_ready, .fini = world_close);
TestSuite(postgres_server, .init = world_ready, .fini = world_close);

/* The store tries again with a pause that may be longer than a claim's own wait. */
static told load_when_served(pdr_store *store)
{
    told t;
    for (int tries = 0; (t = load_of(store, 0)).code == PDR_UNAVAILABLE && tries < 600; tries++)
        pump(store, 50);
    return t;
}

Test(postgres_network, operations_wait_for_a_server_that_comes_later)
{
    proxy_open(PROXY_REFUSES);
    pdr_store *store = store_at(proxy_url(), 30000, 0);
    told t = {0}, claimed = {0};
    pdr_claim claim = {.term = {5, 7}, .at_us = 1, .address = pdr_bytes_of("n", 1)};
    cr_assert_eq(store->ops->claim(store, 0, &claim, tell, &claimed, 1, NULL), PDR_OK);
    cr_assert_eq(store->ops->load(store, 0, tell, &t, 1, NULL), PDR_OK);
    pump(store, 300);
    cr_assert_eq(t.times, 0);
    proxy_set(PROXY_PASSES);
    until_told(store, &t);
    cr_assert_eq(claimed.code, PDR_OK);
    cr_assert_eq(t.code, PDR_OK);
    cr_assert_eq(t.row.stamp.term.offset, 5);
}

Test(postgres_network, operations_end_as_unavailable_when_the_server_stays_away)
{
    proxy_open(PROXY_REFUSES);
    pdr_store *store = store_at(proxy_url(), 300, 0);
    cr_assert_eq(load_of(store, 0).code, PDR_UNAVAILABLE);
    cr_assert_eq(claim_of(store, 0, 5).code, PDR_UNAVAILABLE);
    told t = save_of(store, 0, (pdr_stamp){.saves = 0}, "key", 1);
    cr_assert_eq(t.code, PDR_UNAVAILABLE);
    t = load_saying(store, "refused");
    cr_assert_eq(t.code, PDR_UNAVAILABLE);
    cr_assert_not_null(strstr(t.message, "refused"), "%s", t.message);
    pdr_store_meta meta;
    cr_assert_eq(store->ops->meta(store, &meta, 5000, NULL), PDR_UNAVAILABLE);
    proxy_set(PROXY_PASSES);
    cr_assert_eq(load_when_served(store).code, PDR_OK);
}

Test(postgres_network, a_server_that_accepts_and_says_nothing_is_unavailable)
{
    proxy_open(PROXY_STALLS);
    pdr_store *store = store_at(proxy_url(), 300, 500);
    cr_assert_eq(load_of(store, 0).code, PDR_UNAVAILABLE);
    pdr_store_meta meta;
    pdr_error err = {0};
    cr_assert_eq(store->ops->meta(store, &meta, 300, &err), PDR_UNAVAILABLE);
    cr_assert_not_null(strstr(err.message, "300 ms"), "%s", err.message);
    proxy_set(PROXY_PASSES);
    cr_assert_eq(load_when_served(store).code, PDR_OK);
}

/* The server has got the save and waits for a lock; then the connection breaks. */
Test(postgres_network, a_save_under_way_when_the_connection_breaks_is_unknown_and_reads_are_not_lost)
{
    proxy_open(PROXY_PASSES);
    pdr_store *store = store_at(proxy_url(), 0, 0);
    pdr_stamp stamp = claim_of(store, 0, 5).row.stamp;
    PGconn *pg = sql_connect();
    sql_on(pg, "BEGIN; SELECT * FROM @partition WHERE partition = 0 FOR UPDATE");
    told saved = {0}, first = {0}, later = {0};
    cr_assert_eq(store->ops->load(store, 1, tell, &first, 1, NULL), PDR_OK);
    begin_save(&saved, store, 0, stamp, "key", 1);
    cr_assert_eq(store->ops->load(store, 1, tell, &later, 1, NULL), PDR_OK);
    until_told(store, &first);
    until_locked(store);
    cr_assert_eq(saved.times + later.times, 0);
    proxy_set(PROXY_REFUSES);
    until_told(store, &saved);
    cr_assert_eq(saved.code, PDR_UNKNOWN_OUTCOME, "%s: %s", pdr_code_name(saved.code), saved.message);
    proxy_set(PROXY_PASSES);
    until_told(store, &later);
    cr_assert_eq(later.code, PDR_OK);
    sql_on(pg, "COMMIT");
    PQfinish(pg);
    /* It may yet be carried out; a save on the same stamp then isn't, and one of both is. */
    told again = save_of(store, 0, stamp, "key", 2);
    told row = load_of(store, 0), head = lookup_of(store, "key");
    cr_assert_eq(row.row.stamp.saves, 1);
    cr_assert_eq(head.seq, again.code == PDR_OK ? 2 : 1);
    cr_assert_eq(head.state_seq, head.seq);
}

Test(postgres_network, an_operation_without_an_answer_ends_at_its_limit_and_those_behind_it_go_on)
{
    proxy_open(PROXY_PASSES);
    pdr_store *store = store_at(proxy_url(), 20000, 2000);
    pdr_stamp stamp = claim_of(store, 0, 5).row.stamp;
    told hung = {0}, saved = {0}, behind = {0};
    proxy_set(PROXY_STALLS);
    cr_assert_eq(store->ops->load(store, 0, tell, &hung, 1, NULL), PDR_OK);
    cr_assert_eq(store->ops->load(store, 1, tell, &behind, 1, NULL), PDR_OK);
    begin_save(&saved, store, 0, stamp, "key", 1);
    until_told(store, &hung);
    cr_assert_eq(hung.code, PDR_UNAVAILABLE);
    cr_assert_not_null(strstr(hung.message, "time limit"), "%s", hung.message);
    proxy_set(PROXY_PASSES);
    until_told(store, &behind);
    cr_assert_eq(behind.code, PDR_OK);
    cr_assert_eq(saved.times, 1);
    cr_assert_eq(saved.code, PDR_UNKNOWN_OUTCOME);
}

Test(postgres_network, forgotten_operations_stay_silent_when_the_connection_breaks)
{
    proxy_open(PROXY_PASSES);
    pdr_store *store = store_at(proxy_url(), 300, 0);
    cr_assert_eq(load_when_served(store).code, PDR_OK);
    proxy_set(PROXY_STALLS);
    told under_way = {0}, waiting = {0}, stays = {0};
    cr_assert_eq(store->ops->load(store, 0, tell, &under_way, 1, NULL), PDR_OK);
    cr_assert_eq(store->ops->load(store, 0, tell, &stays, 1, NULL), PDR_OK);
    pump(store, 50);
    cr_assert_eq(store->ops->load(store, 0, tell, &waiting, 1, NULL), PDR_OK);
    store->ops->forget(store, &under_way);
    store->ops->forget(store, &waiting);
    proxy_set(PROXY_REFUSES);
    until_told(store, &stays);
    cr_assert_eq(stays.code, PDR_UNAVAILABLE);
    cr_assert_eq(under_way.times + waiting.times, 0);
}

/* --- Saves under load while sessions or the server end --- */

enum { IN_FLIGHT = 12 };

/* One partition's owner, as the journal's: saves one after the other, an unknown outcome settled by a load.
 * Every save writes two heads with one seq, so that half a save would show. */
typedef struct saver {
    pdr_store *store;
    pdr_stamp stamp;
    uint64_t seq;          /* of the newest save that went through */
    uint64_t acknowledged; /* saves */
    int unknown, failed;
} saver;

static void save_pair(told *t, saver *s, uint64_t seq)
{
    char state[32];
    snprintf(state, sizeof state, "state %llu", (unsigned long long)seq);
    pdr_position last = {(int64_t)seq, {5, 7}, seq};
    pdr_head heads[2] = {{.key = pdr_bytes_of("a", 1), .ids = pdr_bytes_of("", 0)},
                         {.key = pdr_bytes_of("b", 1), .ids = pdr_bytes_of("", 0)}};
    for (int i = 0; i < 2; i++) {
        heads[i].seq = heads[i].state_seq = seq;
        heads[i].last = last;
        heads[i].timer_us = PDR_NO_TIMER;
        heads[i].revision = 1;
        heads[i].state = pdr_bytes_of(state, strlen(state));
    }
    pdr_save save = {.expected = s->stamp, .checkpoint = last, .seen = last, .heads = heads, .head_count = 2};
    cr_assert_eq(s->store->ops->save(s->store, 0, &save, tell, t, 1, NULL), PDR_OK);
}

static void whole(pdr_store *store, uint64_t seq)
{
    told a = lookup_of(store, "a"), b = lookup_of(store, "b"), row = load_of(store, 0);
    cr_assert_eq(a.seq, seq);
    cr_assert_eq(b.seq, seq);
    cr_assert_eq(a.state_seq, seq);
    cr_assert_eq(b.state_seq, seq);
    cr_assert_eq((uint64_t)row.row.checkpoint.offset, seq);
}

/* What an unknown or failed save came to, asked until the server answers. */
static void settle(saver *s, uint64_t seq)
{
    told t;
    for (int tries = 0; (t = load_of(s->store, 0)).code != PDR_OK; tries++)
        cr_assert(tries < 20 && t.code == PDR_UNAVAILABLE, "%s: %s", pdr_code_name(t.code), t.message);
    bool done = t.row.stamp.saves == s->stamp.saves + 1;
    cr_assert(done || t.row.stamp.saves == s->stamp.saves, "saves %llu after %llu",
              (unsigned long long)t.row.stamp.saves, (unsigned long long)s->stamp.saves);
    s->stamp = t.row.stamp;
    if (done) s->seq = seq;
}

static void save_next(saver *s)
{
    uint64_t seq = s->seq + 1;
    told loads[IN_FLIGHT] = {{0}}, t = {0};
    save_pair(&t, s, seq);
    for (int i = 0; i < IN_FLIGHT; i++)
        cr_assert_eq(s->store->ops->load(s->store, 1, tell, &loads[i], 1, NULL), PDR_OK);
    until_told(s->store, &t);
    if (t.code == PDR_OK) {
        s->stamp = t.row.stamp;
        s->seq = seq;
        s->acknowledged++;
    } else {
        cr_assert(t.code == PDR_UNKNOWN_OUTCOME || t.code == PDR_UNAVAILABLE, "%s: %s", pdr_code_name(t.code),
                  t.message);
        s->unknown += t.code == PDR_UNKNOWN_OUTCOME;
        s->failed += t.code == PDR_UNAVAILABLE;
        settle(s, seq);
    }
    for (int i = 0; i < IN_FLIGHT; i++)
        until_told(s->store, &loads[i]);
}

static saver saver_of(const char *url)
{
    saver s = {.store = store_at(url, 60000, 0)};
    told t = claim_of(s.store, 0, 5);
    cr_assert_eq(t.code, PDR_OK, "%s", t.message);
    s.stamp = t.row.stamp;
    return s;
}

Test(postgres_server, sessions_ended_by_the_server_under_load_lose_nothing)
{
    char url[500];
    const char *base = getenv("PERDURE_TEST_POSTGRES");
    snprintf(url, sizeof url, "%s%capplication_name=%s", base, strchr(base, '?') ? '&' : '?', world_schema());
    saver s = saver_of(url);
    PGconn *pg = sql_connect();
    char kill[300];
    snprintf(kill, sizeof kill,
             "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '%s'",
             world_schema());
    for (int round = 0; round < 30; round++) {
        for (int i = 0; i < round % 5 + 1; i++)
            save_next(&s);
        told t = {0};
        save_pair(&t, &s, s.seq + 1);
        for (int i = 0; i < round % 3; i++)
            (void)s.store->ops->poll(s.store);
        sql_on(pg, kill);
        until_told(s.store, &t);
        settle(&s, s.seq + 1);
        if (t.code == PDR_OK) cr_assert_eq(s.stamp.saves, t.row.stamp.saves);
        whole(s.store, s.seq);
    }
    PQfinish(pg);
    cr_assert_gt(s.acknowledged, 30);
}

Test(postgres_server, a_server_killed_and_started_under_load_keeps_every_acknowledged_save, .timeout = 600)
{
    saver s = saver_of(NULL);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 50; i++)
            save_next(&s);
        uint64_t before = s.seq;
        told t = {0};
        save_pair(&t, &s, s.seq + 1);
        for (int i = 0; i < round; i++)
            (void)s.store->ops->poll(s.store);
        server_restart_hard();
        until_told(s.store, &t);
        settle(&s, s.seq + 1);
        cr_assert_geq(s.seq, before);
        whole(s.store, s.seq);
        save_next(&s);
    }
    pdr_store *other = store_here();
    whole(other, s.seq);
}

Test(postgres_server, a_server_that_is_stopped_is_unavailable_until_it_is_started, .timeout = 600)
{
    pdr_store *store = store_at(NULL, 500, 0), *patient = store_at(NULL, 60000, 0);
    cr_assert_eq(claim_of(patient, 0, 5).code, PDR_OK);
    cr_assert_eq(load_when_served(store).code, PDR_OK);
    server_stop();
    told t = load_of(store, 0);
    server_start();
    cr_assert_eq(t.code, PDR_UNAVAILABLE);
    cr_assert_eq(load_of(patient, 0).row.stamp.term.offset, 5);
    cr_assert_eq(load_when_served(store).row.stamp.term.offset, 5);
}
