/* One look at a view's position, through views that stand as the claim says and change when it says. */
#include <criterion/criterion.h>

#include "projections/look.h"

typedef struct probe {
    pdr_views base;
    uint32_t live; /* 0: none */
    int64_t offset[3];
    uint32_t swapped_to; /* before the positions are read; 0: it isn't */
    const char *parked;  /* entity; NULL: none */
    int64_t parked_at;
    pdr_code fails;
} probe;

static const uint8_t journal_id[16] = {1, 2, 3}, other_id[16] = {1, 2, 4};

static pdr_code versions(pdr_views *views, const char *projection, pdr_version_each each, void *context,
                         pdr_error *err)
{
    const probe *p = (const probe *)views;
    if (p->fails) return pdr_fail(err, p->fails, "away");
    for (uint32_t v = 1; v <= 2 && strcmp(projection, "balances") == 0; v++) {
        pdr_version_row row = {.projection = projection,
                               .version = v,
                               .state = v == p->live ? PDR_VERSION_LIVE : PDR_VERSION_FORMER,
                               .fault = "",
                               .changed_us = p->live};
        memcpy(row.journal_id, journal_id, sizeof journal_id);
        pdr_code code = each(context, &row, err);
        if (code != PDR_OK) return code;
    }
    return PDR_OK;
}

static pdr_code positions(pdr_views *views, const char *projection, uint32_t version, pdr_position_each each,
                          void *context, pdr_error *err)
{
    probe *p = (probe *)views;
    (void)projection;
    for (int32_t i = 0; i < 2; i++) {
        pdr_position_row row = {.partition = i, .worker = ""};
        row.parked = i == 1 && p->parked ? 1 : 0;
        row.position.offset = i == 1 ? p->offset[version] : 1000000;
        pdr_code code = each(context, &row, err);
        if (code != PDR_OK) return code;
    }
    if (p->swapped_to) p->live = p->swapped_to;
    return PDR_OK;
}

static pdr_code dead_letters(pdr_views *views, const char *projection, uint32_t version, int32_t partition,
                             pdr_dead_letter_each each, void *context, pdr_error *err)
{
    const probe *p = (const probe *)views;
    pdr_dead_letter letter = {.partition = partition, .offset = p->parked_at, .reason = ""};
    (void)projection;
    (void)version;
    if (!p->parked || partition != 1) return PDR_OK;
    letter.entity = pdr_bytes_of(p->parked, strlen(p->parked));
    return each(context, &letter, err);
}

static const pdr_views_ops ops = {.versions = versions, .positions = positions, .dead_letters = dead_letters};

static pdr_readiness look(probe *p, const char *projection, const uint8_t *id, int32_t partition,
                          int64_t offset)
{
    pdr_view_token token;
    pdr_readiness told;
    p->base.ops = &ops;
    pdr_view_token_of(&token, id, pdr_string_of("account/1"), partition, offset);
    cr_assert_eq(pdr_view_look(&p->base, projection, &token, &told, NULL), PDR_OK);
    return told;
}

static pdr_readiness look_at(probe *p, int64_t offset)
{
    return look(p, "balances", journal_id, 1, offset);
}

Test(look, the_live_version_s_position_counts)
{
    probe p = {.live = 1, .offset = {0, 10, 5}};
    cr_expect_eq(look_at(&p, -1), PDR_VIEW_READY);
    cr_expect_eq(look_at(&p, 10), PDR_VIEW_READY);
    cr_expect_eq(look_at(&p, 11), PDR_VIEW_BEHIND);
    p.live = 2;
    cr_expect_eq(look_at(&p, 5), PDR_VIEW_READY);
    cr_expect_eq(look_at(&p, 6), PDR_VIEW_BEHIND);
}

Test(look, another_journal_s_token_is_told)
{
    probe p = {.live = 1, .offset = {0, 10, 5}};
    cr_expect_eq(look(&p, "balances", other_id, 1, 5), PDR_VIEW_WRONG_JOURNAL);
    cr_expect_eq(look(&p, "balances", journal_id, 2, 5), PDR_VIEW_WRONG_JOURNAL, "no such partition");
}

Test(look, no_projection_is_told)
{
    probe p = {.live = 1};
    cr_expect_eq(look(&p, "balance", journal_id, 1, 5), PDR_VIEW_UNKNOWN);
    p.live = 0;
    cr_expect_eq(look_at(&p, 0), PDR_VIEW_UNKNOWN, "no version is live");
}

Test(look, only_the_entity_s_own_parked_events_count_and_only_up_to_the_token)
{
    probe p = {.live = 1, .offset = {0, 20, 0}, .parked = "account/1", .parked_at = 10};
    cr_expect_eq(look_at(&p, 9), PDR_VIEW_READY, "the event before is in the view");
    cr_expect_eq(look_at(&p, 10), PDR_VIEW_PARKED);
    cr_expect_eq(look_at(&p, 15), PDR_VIEW_PARKED, "parked behind it");
    cr_expect_eq(look_at(&p, 25), PDR_VIEW_PARKED, "it will be");
    p.parked = "account/2";
    cr_expect_eq(look_at(&p, 15), PDR_VIEW_READY);
}

Test(look, a_position_read_during_a_swap_does_not_count)
{
    probe p = {.live = 1, .offset = {0, 50, 40}, .swapped_to = 2, .base.ops = &ops};
    pdr_view_token token;
    pdr_readiness told;
    pdr_view_token_of(&token, journal_id, pdr_string_of("account/1"), 1, 45);
    cr_expect_eq(pdr_view_look(&p.base, "balances", &token, &told, NULL), PDR_BUSY);
    cr_expect_neq(told, PDR_VIEW_READY);
    cr_expect_eq(pdr_view_look(&p.base, "balances", &token, &told, NULL), PDR_OK);
    cr_expect_eq(told, PDR_VIEW_BEHIND);
}

Test(look, errors_of_the_views_are_handed_on)
{
    probe p = {.fails = PDR_UNAVAILABLE, .base.ops = &ops};
    pdr_view_token token;
    pdr_readiness told;
    pdr_view_token_of(&token, journal_id, pdr_string_of("account/1"), 1, 45);
    cr_expect_eq(pdr_view_look(&p.base, "balances", &token, &told, NULL), PDR_UNAVAILABLE);
}
