/* perdure.view_ready in PostgreSQL, and pdr_view_look beside it: what each says of a token, and that what was
 * ready once stays so while versions are swapped. */
#include <pthread.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "backends/postgres/postgres_views.h"
#include "projections/look.h"
#include "tests/contract/contract.h"
#include "tests/integration/postgres_world.h"

enum { PARTITIONS = 2, SWAPS = 40 };

static const pdr_column columns[] = {
    {.name = "part", .type = PDR_COLUMN_BIGINT, .not_null = true, .initial = {.null = true}},
    {.name = "upto", .type = PDR_COLUMN_BIGINT, .initial = {.null = true}},
};
static const pdr_table table = {.name = "seen", .columns = columns, .column_count = 2, .key_count = 1};

static pdr_views *views;
static int64_t reached[4][PARTITIONS]; /* by version */

static pdr_version_spec spec_of(uint32_t version)
{
    pdr_version_spec spec = {.projection = "seen",
                             .version = version,
                             .fingerprint = version,
                             .tables = &table,
                             .table_count = 1,
                             .partitions = PARTITIONS};
    memcpy(spec.journal_id, world_meta.journal_id, sizeof spec.journal_id);
    return spec;
}

static void must(pdr_code code, const pdr_error *err)
{
    cr_assert_eq(code, PDR_OK, "%s", err->message);
}

static uint64_t generations[4][PARTITIONS];

static pdr_code note_generation(void *context, const pdr_position_row *row, pdr_error *err)
{
    (void)err;
    ((uint64_t *)context)[row->partition] = row->generation;
    return PDR_OK;
}

static void make_version(uint32_t version)
{
    pdr_error err = {0};
    pdr_version_spec spec = spec_of(version);
    must(views->ops->create(views, &spec, 60000, &err), &err);
    for (int32_t i = 0; i < PARTITIONS; i++)
        reached[version][i] = -1;
    must(views->ops->positions(views, "seen", version, note_generation, generations[version], &err), &err);
}

static void make(void)
{
    pdr_error err = {0};
    world_open();
    sql("CREATE SCHEMA @ ");
    const char *url = getenv("PERDURE_TEST_POSTGRES");
    pdr_postgres_views_options options = {
        .url = url, .schema = world_schema(), .view_schema = world_schema()};
    must(pdr_postgres_views_open(&views, &options, &err), &err);
    must(views->ops->init(views, 60000, &err), &err);
    make_version(1);
}

static void unmake(void)
{
    views->ops->close(views);
    world_close();
}

static void took(void *context, uint64_t tag, const pdr_view_result *result)
{
    (void)tag;
    cr_assert_eq(result->code, PDR_OK, "%s", result->error->message);
    *(bool *)context = true;
}

static pdr_position place(int64_t offset)
{
    return offset < 0 ? PDR_POSITION_START : (pdr_position){offset, {0, 7}, (uint64_t)offset};
}

/* Move a version's position, and its row, which says where it stands; with a dead letter perhaps. */
static void advance(uint32_t version, int32_t partition, int64_t to, const pdr_dead_letter *park,
                    const pdr_dead_letter *unpark)
{
    bool done = false;
    pdr_error err = {0};
    pdr_version_spec spec = spec_of(version);
    pdr_position_move move = {
        partition, generations[version][partition], place(reached[version][partition]), place(to), 0, 1};
    pdr_cell key = {.as.integer = partition}, cell = {.as.integer = to};
    uint8_t mode = PDR_CELL_SET;
    pdr_row_change row = {.key = &key, .cells = &cell, .modes = &mode};
    pdr_view_step step = {.rows = &row, .row_count = 1, .event = UINT32_MAX};
    pdr_view_batch batch = {.moves = &move,
                            .move_count = 1,
                            .steps = &step,
                            .step_count = 1,
                            .park = park,
                            .park_count = park ? 1 : 0,
                            .unpark = unpark,
                            .unpark_count = unpark ? 1 : 0};
    must(views->ops->commit(views, &spec, "test", &batch, took, &done, 0, &err), &err);
    while (!done) {
        struct pollfd fd;
        int64_t due;
        if (views->ops->poll(views) || done) continue;
        int count = views->ops->wait_on(views, &fd, 1, &due);
        poll(&fd, (nfds_t)count, due > 10000 ? 10 : 1);
    }
    reached[version][partition] = to;
}

static void text_of(char out[PDR_VIEW_TOKEN_SIZE], const uint8_t *journal, const char *entity,
                    int32_t partition, int64_t offset)
{
    pdr_view_token token;
    pdr_view_token_of(&token, journal, pdr_string_of(entity), partition, offset);
    cr_assert_eq(pdr_view_token_write(out, &token, NULL), PDR_OK);
}

/* What both say, which is the same. */
static void expect_text(const char *projection, const char *token, pdr_readiness expected)
{
    char query[400];
    pdr_view_token read;
    pdr_readiness told;
    pdr_error err = {0};
    snprintf(query, sizeof query, "SELECT (@view_ready('%s', '%s') = '%s')::int", projection, token,
             pdr_readiness_text(expected));
    cr_expect_eq(sql_number(query), 1, "%s", query);
    must(pdr_view_token_read(&read, pdr_string_of(token), &err), &err);
    must(pdr_view_look(views, projection, &read, &told, &err), &err);
    cr_expect_eq(told, expected, "%s, not %s", pdr_readiness_text(told), pdr_readiness_text(expected));
}

static void expect(const char *entity, int32_t partition, int64_t offset, pdr_readiness expected)
{
    char token[PDR_VIEW_TOKEN_SIZE];
    text_of(token, world_meta.journal_id, entity, partition, offset);
    expect_text("seen", token, expected);
}

TestSuite(view_ready, .init = make, .fini = unmake);

Test(view_ready, a_token_is_ready_when_its_partition_got_there)
{
    expect("account/1", 1, -1, PDR_VIEW_READY);
    expect("account/1", 1, 0, PDR_VIEW_BEHIND);
    advance(1, 0, 100, NULL, NULL);
    advance(1, 1, 5, NULL, NULL);
    expect("account/1", 1, 5, PDR_VIEW_READY);
    expect("account/1", 1, 6, PDR_VIEW_BEHIND);
    expect("account/1", 0, 100, PDR_VIEW_READY);
    expect("account/1", 0, INT64_MAX, PDR_VIEW_BEHIND);
}

Test(view_ready, another_journal_and_no_projection_are_told)
{
    static const uint8_t other[16] = {0xab, 2, 3, 5};
    char token[PDR_VIEW_TOKEN_SIZE];
    text_of(token, other, "account/1", 0, 0);
    expect_text("seen", token, PDR_VIEW_WRONG_JOURNAL);
    expect("account/1", PARTITIONS, 0, PDR_VIEW_WRONG_JOURNAL);
    expect("account/1", 4095, 0, PDR_VIEW_WRONG_JOURNAL);
    text_of(token, world_meta.journal_id, "account/1", 0, 0);
    expect_text("Seen", token, PDR_VIEW_UNKNOWN);
}

Test(view_ready, the_entity_s_own_parked_events_are_told_until_they_are_retried)
{
    pdr_dead_letter letter = {.partition = 1,
                              .offset = 10,
                              .before = place(9),
                              .entity = pdr_bytes_of("account/\xc3\xa4", 10),
                              .seq = 1,
                              .attempts = 1,
                              .reason = "no"};
    advance(1, 1, 20, &letter, NULL);
    expect("account/\xc3\xa4", 1, 9, PDR_VIEW_READY);
    expect("account/\xc3\xa4", 1, 10, PDR_VIEW_PARKED);
    expect("account/\xc3\xa4", 1, 30, PDR_VIEW_PARKED);
    expect("account/a", 1, 15, PDR_VIEW_READY);
    expect("account/\xc3\xa4", 0, 15, PDR_VIEW_BEHIND);
    advance(1, 1, 21, NULL, &letter);
    expect("account/\xc3\xa4", 1, 10, PDR_VIEW_READY);
}

Test(view_ready, what_is_no_token_is_an_error_of_the_statement)
{
    static const char *const bad[] = {"", "x", "AgAAA6ChoqOkpaanqKmqq6ytrq8AAAAAB1vNFQRZcCWJ1zCY",
                                      "AQAAA6ChoqOkpaanqKmqq6ytrq8AAAAAB1vNFQRZcCWJ1zC+",
                                      "AQAAA6ChoqOkpaanqKmqq6ytrq8AAAAAB1vNFQRZcCWJ1zC\n"};
    PGconn *pg = sql_connect();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char query[300];
        snprintf(query, sizeof query, "SELECT \"%s\".view_ready('seen', $1)", world_schema());
        PGresult *result = PQexecParams(pg, query, 1, NULL, &bad[i], NULL, NULL, 0);
        cr_assert_eq(PQresultStatus(result), PGRES_FATAL_ERROR, "%s", bad[i]);
        cr_expect_str_eq(PQresultErrorField(result, PG_DIAG_SQLSTATE), "22023", "%s", bad[i]);
        PQclear(result);
    }
    PQfinish(pg);
    cr_expect_eq(sql_number("SELECT (@view_ready('seen', NULL) IS NULL)::int"), 1);
}

/* --- Across swaps --- */

static _Atomic bool swaps_are_over;
static _Atomic long ready_answers, broken_answers;
static char broken[300];

static void note_broken(const char *what, const char *answer, const char *upto, int64_t offset)
{
    if (broken_answers++) return;
    snprintf(broken, sizeof broken, "%s: %s, row at %s, token at %lld", what, answer, upto,
             (long long)offset);
}

/* Ask for the newest offset that was ready, and for a few above: all that is ready is in the row, and stays
 * ready. */
static void *ask_again_and_again(void *nothing)
{
    char query[300], offset_text[32], token[PDR_VIEW_TOKEN_SIZE];
    int64_t ready_at = -1;
    (void)nothing;
    PGconn *pg = sql_connect();
    snprintf(query, sizeof query,
             "SELECT r, coalesce((SELECT upto FROM \"%s\".seen WHERE part = 1), -1)"
             " FROM \"%s\".view_ready('seen', $1) r",
             world_schema(), world_schema());
    for (int64_t i = 0; !swaps_are_over; i++) {
        int64_t offset = ready_at + i % 4;
        text_of(token, world_meta.journal_id, "account/1", 1, offset);
        const char *values[] = {token};
        PGresult *result = PQexecParams(pg, query, 1, NULL, values, NULL, NULL, 0);
        const char *answer = PQntuples(result) ? PQgetvalue(result, 0, 0) : PQerrorMessage(pg);
        const char *upto = PQntuples(result) ? PQgetvalue(result, 0, 1) : "?";
        bool ready = strcmp(answer, "ready") == 0;
        snprintf(offset_text, sizeof offset_text, "%lld", (long long)offset);
        if (ready && atoll(upto) < offset) note_broken("ready, but not in the view", answer, upto, offset);
        if (!ready && offset <= ready_at) note_broken("was ready, and isn't any more", answer, upto, offset);
        if (!ready && strcmp(answer, "behind") != 0)
            note_broken("neither ready nor behind", answer, upto, offset);
        if (ready) ready_answers++;
        if (ready && offset > ready_at) ready_at = offset;
        PQclear(result);
    }
    PQfinish(pg);
    return NULL;
}

/* Both versions get on, each at its own pace; now and then the other one goes live, if it may. */
static int swap_versions(void)
{
    uint32_t live = 1;
    int swaps = 0;
    for (unsigned i = 0; swaps < SWAPS || (ready_answers <= SWAPS && !broken_answers); i++) {
        uint32_t other = 3 - live;
        pdr_error err = {0};
        if (i % 3 != 2) advance(live, 1, reached[live][1] + 1 + i % 2, NULL, NULL);
        if (i % 5 != 4) advance(other, 1, reached[other][1] + 1 + i % 3, NULL, NULL);
        pdr_code code = views->ops->swap(views, "seen", other, false, 60000, &err);
        bool behind = reached[other][1] < reached[live][1];
        cr_assert_eq(code, behind ? PDR_CONFLICT : PDR_OK, "%s", err.message);
        if (behind) continue;
        live = other;
        swaps++;
    }
    return swaps;
}

Test(view_ready, what_was_ready_once_stays_so_across_swaps)
{
    pthread_t reader;
    make_version(2);
    cr_assert_eq(pthread_create(&reader, NULL, ask_again_and_again, NULL), 0);
    cr_expect_geq(swap_versions(), SWAPS);
    swaps_are_over = true;
    pthread_join(reader, NULL);
    cr_expect_eq(broken_answers, 0, "%ld of them; the first: %s", (long)broken_answers, broken);
    cr_expect_gt(ready_answers, SWAPS);
}
