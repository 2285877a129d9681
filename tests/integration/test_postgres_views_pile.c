/* Claims about a batch that PostgreSQL got before the answer to the one below it, when that one fails at its
 * end or the connection breaks. */
#include "tests/integration/postgres_views_world.h"

TestSuite(postgres_views_pile, .init = views_open, .fini = views_close);

/* What the server yet carries out of a pile is all of it from below. */
Test(postgres_views_pile, a_pile_under_way_when_the_connection_breaks_is_unknown_and_positions_tell)
{
    ended piled[2];
    proxy_open(PROXY_PASSES);
    pdr_views *views = views_at(proxy_url(), 20000, 0);
    cr_assert_eq(batch(views, 0, -1, 2).code, PDR_OK);
    PGconn *pg = sql_connect();
    sql_on(pg, "BEGIN; SELECT 1 FROM @projection_position WHERE partition = 0 FOR UPDATE");
    begin_batch(piled, views, 1, 0, 0, 2);
    begin_on_top(piled, views, 1, 2);
    for (int i = 0; i < 10; i++)
        poll_once(views, 30);
    proxy_set(PROXY_REFUSES);
    until_ended(views, &piled[0]);
    until_ended(views, &piled[1]);
    cr_assert_eq(piled[0].code, PDR_UNKNOWN_OUTCOME, "%s", piled[0].error.message);
    cr_assert_eq(piled[1].code, PDR_UNKNOWN_OUTCOME, "%s", piled[1].error.message);
    proxy_set(PROXY_PASSES);
    sql_on(pg, "COMMIT");
    PQfinish(pg);
    for (int tries = 0; tries < 600; tries++) {
        ended e = batch(views, 0, offset_now(opened[0]), 2);
        if (e.code == PDR_OK) break;
        cr_assert(e.code == PDR_STALE || e.code == PDR_UNAVAILABLE, "%s", e.error.message);
        cr_assert_lt(tries, 599);
    }
    rows_equal_positions();
}

Test(postgres_views_pile, what_the_commit_itself_refuses_is_refused_with_what_lies_on_top_of_it)
{
    ended first, piled[2];
    pdr_views *views = opened[0];
    sql("ALTER TABLE @counts__v1 ADD CONSTRAINT late UNIQUE (n) DEFERRABLE INITIALLY DEFERRED");
    begin_batch(&first, views, 1, 2, -1, 2);
    begin_batch(piled, views, 1, 1, -1, 2); /* its n is that of the first */
    begin_on_top(piled, views, -1, 2);      /* the position of its own partition would let it through */
    until_ended(views, &piled[1]);
    cr_assert_eq(first.code, PDR_OK, "%s", first.error.message);
    cr_assert_eq(piled[0].code, PDR_BAD_DATA, "%s", piled[0].error.message);
    cr_assert_eq(piled[1].code, PDR_STALE, "%s", piled[1].error.message);
    sql("ALTER TABLE @counts__v1 DROP CONSTRAINT late");
    begin_batch(piled, views, 1, 1, -1, 2);
    begin_on_top(piled, views, -1, 2);
    until_ended(views, &piled[1]);
    cr_assert_eq(piled[0].code, PDR_OK, "%s", piled[0].error.message);
    cr_assert_eq(piled[1].code, PDR_OK, "%s", piled[1].error.message);
    rows_equal_positions();
}

Test(postgres_views_pile, a_deadlock_of_a_batch_refuses_what_lies_on_top_of_it)
{
    ended piled[2];
    pdr_views *views = opened[0];
    cr_assert_eq(batch(views, 0, -1, 0).code, PDR_OK);
    sql("CREATE FUNCTION @deadlock() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION"
        " 'deadlock detected' USING ERRCODE = '40P01'; END $$");
    sql("CREATE TRIGGER deadlock BEFORE INSERT ON @counts__v1 FOR EACH ROW WHEN (new.id = '1') EXECUTE "
        "FUNCTION"
        " @deadlock()");
    begin_batch(piled, views, 1, 1, -1, 0);
    begin_on_top(piled, views, 0, 0);
    until_ended(views, &piled[1]);
    cr_assert_eq(piled[0].code, PDR_BUSY, "%s", piled[0].error.message);
    cr_assert_eq(piled[1].code, PDR_STALE, "%s", piled[1].error.message);
    rows_equal_positions();
}
