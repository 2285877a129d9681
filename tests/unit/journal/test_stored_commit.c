/* A commit of another journal as a command's payload (journal/stored_commit.h). */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "journal/stored_commit.h"

static const pdr_type coin = {.name = "shop.Coin", .schema = "{}", .fingerprint = 7};
static uint8_t large[PDR_MAX_EVENT];

static pdr_stored_commit good(pdr_append_event *events)
{
    events[0] = (pdr_append_event){&coin, pdr_bytes_of("abc", 3), 0};
    events[1] = (pdr_append_event){&coin, pdr_bytes_of("", 0), -5};
    return (pdr_stored_commit){.fingerprint = 0xfeedfacecafebeef,
                               .has_reply = true,
                               .reply = pdr_bytes_of("ok", 2),
                               .has_consumed = true,
                               .consumed_partition = INT32_MAX,
                               .consumed_offset = INT64_MAX,
                               .events = events,
                               .count = 2};
}

static pdr_cmd_spec spec_of(const pdr_buf *payload)
{
    return (pdr_cmd_spec){.request = PDR_REQUEST_IMPORT,
                          .key = {"a/1", 3},
                          .id = pdr_bytes_of("row-7", 5),
                          .expected_seq = 4,
                          .payload = pdr_buf_bytes(payload)};
}

Test(stored_commit, a_command_carries_it_whole)
{
    pdr_append_event events[2], event;
    pdr_stored_commit commit = good(events), back;
    pdr_buf payload = PDR_BUF_INIT(PDR_MAX_IMPORT);
    pdr_cmd *cmd;
    pdr_bytes list;
    cr_assert_eq(pdr_stored_commit_encode(&commit, &payload, NULL), PDR_OK);
    pdr_cmd_spec spec = spec_of(&payload);
    cr_assert_eq(pdr_cmd_make(&cmd, &spec, NULL), PDR_OK);
    cr_expect_eq(cmd->fingerprint, commit.fingerprint, "the first command's, not this one's");
    pdr_stored_commit_decode(pdr_cmd_payload(cmd), &back, &list);
    cr_expect_eq(back.fingerprint, commit.fingerprint);
    cr_expect(back.has_reply && back.has_consumed);
    cr_expect(pdr_bytes_equal(back.reply, commit.reply));
    cr_expect_eq(back.consumed_partition, INT32_MAX);
    cr_expect_eq(back.consumed_offset, INT64_MAX);
    size_t at = 0;
    for (size_t i = 0; i < 2; i++) {
        cr_assert(pdr_append_next(list, &at, &event));
        cr_expect_eq(event.type, &coin);
        cr_expect_eq(event.time_us, events[i].time_us);
        cr_expect(pdr_bytes_equal(event.datum, events[i].datum));
    }
    cr_expect_not(pdr_append_next(list, &at, &event));
    pdr_cmd_free(cmd);
    pdr_buf_release(&payload);
}

Test(stored_commit, one_that_no_owner_decided_is_refused)
{
    pdr_append_event events[2];
    pdr_buf payload = PDR_BUF_INIT(PDR_MAX_IMPORT);
    pdr_stored_commit commit = good(events);
    commit.reply = pdr_bytes_of(large, PDR_MAX_REPLY + 1);
    cr_expect_eq(pdr_stored_commit_encode(&commit, &payload, NULL), PDR_TOO_LARGE);
    commit = good(events);
    commit.count = 0;
    cr_expect_eq(pdr_stored_commit_encode(&commit, &payload, NULL), PDR_INVALID_ARGUMENT);
    pdr_buf_release(&payload);
}

Test(stored_commit, one_of_the_largest_size_fits_and_more_does_not)
{
    static pdr_append_event events[40];
    pdr_stored_commit commit = {.events = events, .count = 32};
    pdr_buf payload = PDR_BUF_INIT(PDR_MAX_IMPORT);
    for (size_t i = 0; i < 40; i++)
        events[i] = (pdr_append_event){&coin, pdr_bytes_of(large, sizeof large), 0};
    cr_expect_eq(pdr_stored_commit_encode(&commit, &payload, NULL), PDR_OK);
    pdr_buf_clear(&payload);
    commit.count = 40;
    cr_expect_eq(pdr_stored_commit_encode(&commit, &payload, NULL), PDR_TOO_LARGE);
    pdr_buf_release(&payload);
}
