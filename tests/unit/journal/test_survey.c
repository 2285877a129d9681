/* What a survey finds in a log: what counts, by whom written, and what can't be read. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/mem.h"
#include "journal/record.h"
#include "journal/survey.h"
#include "schemas/framing.h"
#include "schemas/framing_id.h"
#include "schemas/schema.h"
#include "tests/sim/sim_entity.h"
#include "tests/support/array_log.h"

static array_log log_;
static pdr_survey *survey;
static pdr_term term;
static uint64_t number, random_;

static void init(void)
{
    array_log_init(&log_);
    number = random_ = 0;
}

static void release(void)
{
    pdr_survey_close(survey);
    array_log_release(&log_);
}

TestSuite(survey, .init = init, .fini = release);

/* --- writing --- */

static int64_t append(const char *key, pdr_bytes value, const char *json, pdr_header *header)
{
    pdr_buf bytes = PDR_BUF_INIT(PDR_MAX_HEADER);
    header->back_offset = -1;
    header->partitions = 8;
    cr_assert_eq(pdr_header_encode(header, &bytes), PDR_OK);
    pdr_log_entry entry = {.value = value, .header = pdr_buf_bytes(&bytes)};
    if (key) entry.key = pdr_bytes_of(key, strlen(key));
    if (json) entry.schema = pdr_bytes_of(json, strlen(json));
    int64_t offset = array_log_append(&log_, &entry);
    pdr_buf_release(&bytes);
    return offset;
}

static void fence(void)
{
    pdr_header header = {.kind = PDR_RECORD_FENCE, .term = {-1, ++random_}};
    term = (pdr_term){append(NULL, (pdr_bytes){NULL, 0}, NULL, &header), random_};
    number = 0;
}

static void schema(uint64_t fingerprint, const char *json)
{
    pdr_header header = {
        .kind = PDR_RECORD_SCHEMA, .term = term, .number = ++number, .schema_fingerprint = fingerprint};
    append(NULL, (pdr_bytes){NULL, 0}, json, &header);
}

static int64_t raw_event(const char *key, uint64_t seq, pdr_bytes value, uint32_t index, uint32_t count)
{
    pdr_header header = {.kind = PDR_RECORD_EVENT,
                         .term = term,
                         .number = ++number,
                         .seq = seq,
                         .index = index,
                         .count = count};
    return append(key, value, NULL, &header);
}

/* One of the simulation's facts under any fingerprint, the whole commit or a part of it. */
static int64_t fact(const char *key, uint64_t seq, uint64_t fingerprint, uint32_t index, uint32_t count)
{
    sim_fact value = {1, 5, 0, {"note", 4}};
    pdr_buf bytes = PDR_BUF_INIT(1024);
    cr_assert_eq(pdr_frame_write(&bytes, fingerprint), PDR_OK);
    cr_assert_eq(sim_deposited_type.encode(&value, &bytes, NULL), PDR_OK);
    int64_t offset = raw_event(key, seq, pdr_buf_bytes(&bytes), index, count);
    pdr_buf_release(&bytes);
    return offset;
}

#define DEPOSITED sim_deposited_type.fingerprint
static const char unknown_json[] =
    "{\"type\":\"record\",\"name\":\"Gone\",\"namespace\":\"sim\",\"fields\":[],"
    "\"perdure\":{\"version\":7}}";
enum { UNKNOWN = 0x77 };

/* --- reading --- */

static pdr_code read_log(uint64_t sample)
{
    pdr_error err = {0};
    pdr_survey_close(survey);
    cr_assert_eq(pdr_survey_open(&survey, sim_app(1), sample, NULL), PDR_OK);
    cr_assert_eq(pdr_survey_begin(survey, 4, NULL), PDR_OK);
    for (size_t i = 0; i < log_.count; i++) {
        pdr_code code = pdr_survey_take(survey, 3, &log_.records[i], &err);
        if (code == PDR_OK) continue;
        cr_expect_eq(err.code, code);
        cr_expect(strstr(err.message, "partition 3"), "%s", err.message);
        return code;
    }
    return PDR_OK;
}

static const pdr_survey_group *group(size_t at, size_t of)
{
    const pdr_survey_group *const *groups;
    size_t count;
    cr_assert_eq(pdr_survey_groups(survey, &groups, &count, NULL), PDR_OK);
    cr_assert_eq(count, of, "%zu groups", count);
    return groups[at];
}

Test(survey, counts_what_counts_with_its_first_and_last_place)
{
    fence();
    schema(DEPOSITED, sim_deposited_type.schema);
    fact("acct/1", 1, DEPOSITED, 0, 1);
    fact("acct/1", 2, DEPOSITED, 0, 2); /* its commit never ends */
    fence();
    int64_t last = fact("acct/1", 2, DEPOSITED, 0, 1);
    cr_assert_eq(read_log(1), PDR_OK);
    const pdr_survey_group *g = group(0, 1);
    cr_expect_str_eq(g->name, "sim.Deposited");
    cr_expect_eq(g->count, 2);
    cr_expect_eq(g->tried, 2);
    cr_expect_eq(g->failed, 0);
    cr_expect_eq(g->first.offset, 2);
    cr_expect_eq(g->last.offset, last);
    cr_expect_eq(g->first.partition, 3);
    cr_expect_eq(g->way, PDR_SURVEY_TODAY);
    cr_expect_eq(g->result_count, 1);
    cr_expect(g->results[0] == &sim_deposited_type);
    pdr_survey_totals totals = pdr_survey_totals_of(survey);
    cr_expect_eq(totals.events, 2);
    cr_expect_eq(totals.records, log_.count);
    cr_expect_eq(totals.voids, 1);
    cr_expect(pdr_survey_is_readable(survey));
}

Test(survey, names_a_schema_that_is_not_declared_by_what_the_log_says_of_it)
{
    fence();
    schema(DEPOSITED, sim_deposited_type.schema);
    schema(UNKNOWN, unknown_json);
    fact("acct/1", 1, DEPOSITED, 0, 1);
    int64_t first = fact("acct/2", 1, UNKNOWN, 0, 1);
    fact("acct/2", 2, UNKNOWN, 0, 1);
    cr_assert_eq(read_log(1), PDR_OK);
    const pdr_survey_group *g = group(1, 2);
    cr_expect_str_eq(g->name, "sim.Gone");
    cr_expect_eq(g->version, 7);
    cr_expect_str_eq(g->json, unknown_json);
    cr_expect_eq(g->way, PDR_SURVEY_UNKNOWN);
    cr_expect_eq(g->failed, 2);
    cr_expect_eq(g->bad.offset, first);
    cr_expect_eq(g->bad.partition, 3);
    cr_expect_str_eq(g->bad_entity, "acct/2");
    cr_expect_eq(g->bad_seq, 1);
    cr_expect_eq(g->why.code, PDR_UNKNOWN_SCHEMA);
    cr_expect_not(pdr_survey_is_readable(survey));
}

Test(survey, an_event_that_does_not_decode_is_told_and_the_rest_goes_on)
{
    static const uint8_t cut[] = {0x02, 0x0a};
    pdr_buf bytes = PDR_BUF_INIT(64);
    fence();
    schema(DEPOSITED, sim_deposited_type.schema);
    fact("acct/1", 1, DEPOSITED, 0, 1);
    cr_assert_eq(pdr_frame_write(&bytes, DEPOSITED), PDR_OK);
    cr_assert_eq(pdr_buf_append(&bytes, cut, sizeof cut), PDR_OK);
    int64_t bad = raw_event("acct/1", 2, pdr_buf_bytes(&bytes), 0, 1);
    pdr_buf_release(&bytes);
    fact("acct/1", 3, DEPOSITED, 0, 1);
    cr_assert_eq(read_log(1), PDR_OK);
    const pdr_survey_group *g = group(0, 1);
    cr_expect_eq(g->count, 3);
    cr_expect_eq(g->tried, 3);
    cr_expect_eq(g->failed, 1);
    cr_expect_eq(g->bad.offset, bad);
    cr_expect_eq(g->bad_seq, 2);
    cr_expect_eq(g->why.code, PDR_BAD_DATA);
}

Test(survey, the_first_that_fails_is_of_the_lowest_partition_in_whatever_order_they_are_read)
{
    static const int32_t order[] = {2, 0, 3, 1};
    fence();
    schema(UNKNOWN, unknown_json);
    int64_t first = fact("acct/1", 1, UNKNOWN, 0, 1);
    fact("acct/1", 2, UNKNOWN, 0, 1);
    cr_assert_eq(pdr_survey_open(&survey, sim_app(1), 1, NULL), PDR_OK);
    cr_assert_eq(pdr_survey_begin(survey, 4, NULL), PDR_OK);
    for (size_t p = 0; p < 4; p++)
        for (size_t i = 0; i < log_.count; i++)
            cr_assert_eq(pdr_survey_take(survey, order[p], &log_.records[i], NULL), PDR_OK);
    const pdr_survey_group *g = group(0, 1);
    cr_expect_eq(g->failed, 8);
    cr_expect_eq(g->bad.partition, 0);
    cr_expect_eq(g->bad.offset, first);
    cr_expect_eq(g->bad_seq, 1);
    cr_expect_eq(g->why.code, PDR_UNKNOWN_SCHEMA);
}

Test(survey, a_sample_reads_one_in_so_many_and_always_the_first)
{
    fence();
    schema(UNKNOWN, unknown_json);
    for (uint64_t seq = 1; seq <= 25; seq++)
        fact("acct/1", seq, DEPOSITED, 0, 1);
    fact("acct/2", 1, UNKNOWN, 0, 1);
    cr_assert_eq(read_log(10), PDR_OK);
    cr_expect_eq(group(0, 2)->count, 25);
    cr_expect_eq(group(0, 2)->tried, 3);
    cr_expect_eq(group(1, 2)->failed, 1);
    cr_expect_not(pdr_survey_is_readable(survey));
}

Test(survey, an_entity_type_that_is_not_declared_and_values_of_no_frame_are_findings)
{
    fence();
    schema(DEPOSITED, sim_deposited_type.schema);
    fact("bond/1", 1, DEPOSITED, 0, 1);
    fact("nothing", 1, DEPOSITED, 0, 1);
    raw_event("acct/1", 1, pdr_bytes_of("text", 4), 0, 1);
    raw_event("acct/1", 2, pdr_bytes_of("", 0), 0, 1);
    cr_assert_eq(read_log(1), PDR_OK);
    const pdr_survey_group *other = group(0, 2), *plain = group(1, 2);
    cr_expect_null(other->entity_type);
    cr_expect_str_eq(other->entity_prefix, "bond");
    cr_expect_eq(other->failed, 2);
    cr_expect(strstr(other->why.message, "\"bond\""), "%s", other->why.message);
    cr_expect_not(plain->framed);
    cr_expect_eq(plain->failed, 2);
    cr_expect_eq(plain->why.code, PDR_BAD_DATA);
}

Test(survey, an_entity_id_that_is_only_its_types_name_is_of_that_type)
{
    fence();
    schema(DEPOSITED, sim_deposited_type.schema);
    fact("acct", 1, DEPOSITED, 0, 1);
    fact("accts", 1, DEPOSITED, 0, 1);
    cr_assert_eq(read_log(1), PDR_OK);
    cr_expect_null(group(0, 2)->entity_type);
    cr_expect_not_null(group(1, 2)->entity_type);
    cr_expect_eq(group(1, 2)->failed, 0, "%s", group(1, 2)->why.message);
}

/* Written by newer code, which may also write a text as nonce. */
static uint64_t branched(const char **json)
{
    static const char text[] =
        "{\"type\":\"record\",\"name\":\"sim.Deposited\",\"perdure\":{\"version\":9,"
        "\"readableByOlder\":true},\"fields\":[{\"name\":\"nonce\",\"type\":[\"long\",\"string\"]},"
        "{\"name\":\"amount\",\"type\":\"long\"},{\"name\":\"parts\",\"type\":\"long\"},"
        "{\"name\":\"note\",\"type\":\"string\"}]}";
    pdr_schema_set *set;
    uint64_t fingerprint;
    cr_assert_eq(pdr_schema_read(&set, "test", pdr_string_of(text), NULL), PDR_OK);
    cr_assert_eq(pdr_schema_fingerprint(&fingerprint, pdr_schema_set_root(set, 0), NULL), PDR_OK);
    pdr_schema_set_close(set);
    *json = text;
    return fingerprint;
}

Test(survey, one_branch_that_can_t_be_read_does_not_make_the_others_unreadable)
{
    static const uint8_t number_datum[] = {0, 2, 2, 0, 0}, text_datum[] = {2, 2, 'x', 2, 0, 0};
    const char *json;
    uint64_t fingerprint = branched(&json);
    fence();
    schema(fingerprint, json);
    for (uint64_t seq = 1; seq <= 4; seq++) {
        pdr_buf bytes = PDR_BUF_INIT(64);
        cr_assert_eq(pdr_frame_write(&bytes, fingerprint), PDR_OK);
        const uint8_t *datum = seq % 2 ? text_datum : number_datum;
        cr_assert_eq(pdr_buf_append(&bytes, datum, seq % 2 ? sizeof text_datum : sizeof number_datum),
                     PDR_OK);
        raw_event("acct/1", seq, pdr_buf_bytes(&bytes), 0, 1);
        pdr_buf_release(&bytes);
    }
    cr_assert_eq(read_log(1), PDR_OK);
    const pdr_survey_group *g = group(0, 1);
    cr_expect_eq(g->way, PDR_SURVEY_NEWER);
    cr_expect_eq(g->why.code, PDR_UNKNOWN_SCHEMA, "%s", g->why.message);
    cr_expect_eq(g->tried, 4);
    cr_expect_eq(g->failed, 2);
    cr_expect_eq(g->bad_seq, 1);
}

Test(survey, schemas_that_can_t_be_read_leave_their_events_unnamed)
{
    static const char *const bad[] = {"", "{", "{\"type\":\"record\"}", "\xff\xfe", "[]"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        release();
        survey = NULL;
        init();
        fence();
        schema(UNKNOWN, bad[i]);
        fact("acct/1", 1, UNKNOWN, 0, 1);
        cr_assert_eq(read_log(1), PDR_OK, "%s", bad[i]);
        cr_expect_null(group(0, 1)->name, "%s", bad[i]);
        cr_expect_eq(group(0, 1)->failed, 1);
    }
}

Test(survey, many_schemas_all_have_their_group)
{
    enum { MANY = 3000 };
    fence();
    for (uint64_t i = 1; i <= MANY; i++) {
        char json[128];
        snprintf(json, sizeof json, "{\"type\":\"record\",\"name\":\"E%04d\",\"fields\":[]}", (int)i);
        schema(i << 40, json);
        fact("acct/1", i, i << 40, 0, 1);
    }
    cr_assert_eq(read_log(1), PDR_OK);
    const pdr_survey_group *const *groups;
    size_t count;
    cr_assert_eq(pdr_survey_groups(survey, &groups, &count, NULL), PDR_OK);
    cr_assert_eq(count, MANY);
    for (size_t i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof name, "E%04d", (int)i + 1);
        cr_assert_str_eq(groups[i]->name, name);
        cr_assert_eq(groups[i]->count, 1);
    }
}

Test(survey, a_record_that_breaks_the_rules_stops_it)
{
    fence();
    fact("acct/1", 2, DEPOSITED, 1, 2);
    cr_expect_eq(read_log(1), PDR_CORRUPT);
}

Test(survey, any_allocation_may_fail)
{
    fence();
    schema(DEPOSITED, sim_deposited_type.schema);
    schema(UNKNOWN, unknown_json);
    fact("acct/1", 1, DEPOSITED, 0, 2);
    fact("acct/1", 2, UNKNOWN, 1, 2);
    const pdr_survey_group *const *groups;
    size_t count;
    pdr_code code = PDR_NOMEM;
    uint64_t nth;
    for (nth = 1; code == PDR_NOMEM; nth++) {
        pdr_survey_close(survey);
        survey = NULL;
        pdr_mem_fail_at(nth);
        code = pdr_survey_open(&survey, sim_app(1), 1, NULL);
        if (code == PDR_OK) code = pdr_survey_begin(survey, 1, NULL);
        for (size_t i = 0; code == PDR_OK && i < log_.count; i++)
            code = pdr_survey_take(survey, 0, &log_.records[i], NULL);
        if (code == PDR_OK) code = pdr_survey_groups(survey, &groups, &count, NULL);
        pdr_mem_fail_at(0);
    }
    cr_expect_eq(code, PDR_OK);
    cr_expect_gt(nth, 10);
    cr_expect_eq(count, 2);
}

Test(survey, an_id_that_stands_for_two_schemas_makes_its_events_a_finding)
{
    fence();
    pdr_header h1 = {.kind = PDR_RECORD_SCHEMA,
                     .term = term,
                     .number = ++number,
                     .schema_fingerprint = DEPOSITED,
                     .registry_id = 7};
    append(NULL, (pdr_bytes){NULL, 0}, sim_deposited_type.schema, &h1);
    pdr_header h2 = {.kind = PDR_RECORD_SCHEMA,
                     .term = term,
                     .number = ++number,
                     .schema_fingerprint = sim_withdrew_type.fingerprint,
                     .registry_id = 7};
    append(NULL, (pdr_bytes){NULL, 0}, sim_withdrew_type.schema, &h2);
    sim_fact value = {1, 5, 0, {"note", 4}};
    pdr_buf bytes = PDR_BUF_INIT(1024);
    cr_assert_eq(pdr_frame_id_write(&bytes, 7), PDR_OK);
    cr_assert_eq(sim_withdrew_type.encode(&value, &bytes, NULL), PDR_OK);
    raw_event("acct/1", 1, pdr_buf_bytes(&bytes), 0, 1);
    cr_assert_eq(read_log(1), PDR_OK);
    cr_expect_not(pdr_survey_is_readable(survey), "read as %s", group(0, 1)->name);
    pdr_buf_release(&bytes);
}
