/* Claims about generated code for versioned files: tests/unit/schemas/offers. */
#include <criterion/criterion.h>

#include "offers.gen.h"
#include "schemas/schema.h"
#include "schemas/version.h"

Test(versions, the_newest_has_the_plain_names)
{
    offers_offer_made made;
    offers_offer_made_init(&made);
    made.channel = OFFERS_CHANNEL_OTHER;
    cr_expect_eq(made.terms.count, 0);
    cr_expect_eq(offers_offer_made_type.version, 3);
    cr_expect(offers_offer_made_type.readable_by_older);
    cr_expect_eq(offers_offer_mailed_type.version, 1);
    cr_expect_not(offers_offer_mailed_type.readable_by_older);
    cr_expect_eq(offers_make_offer_type.version, 0, "a command has no version");
    cr_expect_eq(offers_term_type.version, 0, "what an event is made of has none of its own");
}

Test(versions, old_ones_have_structs_of_their_own)
{
    offers_term_offer_made_v1 terms[] = {{.months = 12}, {.months = 24}};
    offers_offer_made_v1 made = {
        .amount = 900, .channel = OFFERS_CHANNEL_OFFER_MADE_V1_MAIL, .terms = {2, terms}};
    offers_offer_made_v1 back;
    pdr_buf datum = PDR_BUF_INIT(1000);
    pdr_arena arena = PDR_ARENA_INIT(1000);
    cr_assert_eq(offers_offer_made_v1_encode(&made, &datum, NULL), PDR_OK);
    cr_assert_eq(offers_offer_made_v1_decode(pdr_buf_bytes(&datum), &arena, &back, NULL), PDR_OK);
    cr_expect_eq(back.amount, 900);
    cr_expect_eq(back.channel, OFFERS_CHANNEL_OFFER_MADE_V1_MAIL);
    cr_expect_eq(back.terms.items[1].months, 24);
    cr_expect_eq(offers_offer_made_v1_type.version, 1);
    pdr_buf_release(&datum);
    pdr_arena_release(&arena);
}

Test(versions, share_the_types_of_unversioned_files)
{
    offers_offer_made_v2 old = {.price = {.minor = 5}};
    offers_offer_made made = {.price = old.price};
    offers_make_offer command = {.price = made.price};
    cr_expect_eq(command.price.minor, 5);
}

Test(versions, of_a_retired_event_are_all_old)
{
    cr_expect_eq(offers_offer_sent_v1_type.version, 1);
    cr_expect_gt(OFFERS_OFFER_SENT_V1, OFFERS_TYPE_COUNT - 1);
    for (int i = 0; i < OFFERS_TYPE_COUNT; i++)
        cr_expect_neq(offers_types[i], &offers_offer_sent_v1_type);
}

Test(versions, have_numbers_behind_those_of_todays_types)
{
    for (int i = 0; i < OFFERS_TYPE_COUNT; i++)
        cr_expect_eq(offers_types[i]->id, i);
    cr_expect_eq(offers_offer_made_v1_type.id, OFFERS_OFFER_MADE_V1);
    cr_expect_eq(offers_offer_made_v2_type.id, OFFERS_OFFER_MADE_V2);
    cr_expect_geq(OFFERS_OFFER_MADE_V1, OFFERS_TYPE_COUNT);
}

Test(versions, are_listed_by_event_from_the_first)
{
    static const pdr_type *const all[] = {&offers_offer_made_v1_type, &offers_offer_made_v2_type,
                                          &offers_offer_made_type, &offers_offer_mailed_type,
                                          &offers_offer_sent_v1_type};
    cr_assert_eq(OFFERS_ALL_VERSIONS_COUNT, 5);
    for (size_t i = 0; i < 5; i++)
        cr_expect_eq(offers_all_versions[i], all[i], "%s", offers_all_versions[i]->name);
}

/* The JSON says it too, without changing the fingerprint; "retired" is said of today, not of a version. */
Test(versions, are_what_the_json_says)
{
    for (size_t i = 0; i < OFFERS_ALL_VERSIONS_COUNT; i++) {
        const pdr_type *type = offers_all_versions[i];
        pdr_schema_set *set;
        pdr_schema_version said;
        uint64_t fingerprint;
        cr_assert_eq(pdr_schema_read(&set, "json", pdr_string_of(type->schema), NULL), PDR_OK);
        cr_assert_eq(pdr_schema_version_of(&said, pdr_schema_set_root(set, 0), NULL), PDR_OK);
        cr_assert_eq(pdr_schema_fingerprint(&fingerprint, pdr_schema_set_root(set, 0), NULL), PDR_OK);
        cr_expect_eq(said.version, type->version);
        cr_expect_eq(said.readable_by_older, type->readable_by_older);
        cr_expect_eq(fingerprint, type->fingerprint);
        cr_expect_null(strstr(type->schema, "retired"));
        pdr_schema_set_close(set);
    }
    cr_expect_not_null(strstr(offers_offer_made_type.schema, "\"owner\":\"sales\""));
}
