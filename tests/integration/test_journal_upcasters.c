/* A log that older programs wrote, read by today's on every path: tests/support/shop. */
#include <criterion/criterion.h>

#include "bank_journal.h"
#include "tests/support/shop/shop_app.h"

static bank_dir dir;

static void make(void)
{
    bank_dir_make(&dir, 1);
}
static void destroy(void)
{
    bank_dir_remove(&dir);
}

TestSuite(upcasters, .init = make, .fini = destroy, .timeout = 600);

static pdr_journal *open_as(const pdr_app *app)
{
    pdr_options options = bank_options(&dir, 0);
    options.app = app;
    return bank_open(&options);
}

static void write(pdr_journal *journal, const char *entity, const pdr_type *type, const void *value)
{
    pdr_error err;
    pdr_new_event event = {type, value, 1234};
    pdr_request_spec spec = {.entity = pdr_string_of(entity)};
    bank_must(pdr_journal_append(journal, &spec, &event, 1, NULL, NULL, &err), &err, "append");
    bank_must(pdr_journal_drain(journal, 120000, &err), &err, "drain");
}

static void price_first(pdr_journal *journal, const char *entity, int32_t euros)
{
    shop_priced_v1 priced = {euros};
    write(journal, entity, &shop_priced_v1_type, &priced);
}

/* Seq 1: a price in euros, 2: a ping, 3: a move, by the first program; 4: a price by the second. */
static void write_history(void)
{
    shop_pinged_v1 pinged = {pdr_string_of("anyone")};
    shop_moved_v1 moved = {pdr_string_of("Main Street"), pdr_string_of("Rome")};
    shop_priced_v2 priced = {250, pdr_string_of("EUR")};
    pdr_journal *journal = open_as(&shop_first_app);
    price_first(journal, "shop/1", 5);
    write(journal, "shop/1", &shop_pinged_v1_type, &pinged);
    write(journal, "shop/1", &shop_moved_v1_type, &moved);
    pdr_journal_close(journal);
    journal = open_as(&shop_second_app);
    write(journal, "shop/1", &shop_priced_v2_type, &priced);
    pdr_journal_close(journal);
}

static void is_whole(const shop_shop *shop)
{
    cr_expect_eq(shop->cents, 250);
    cr_expect(pdr_string_equal(shop->street, pdr_string_of("Main Street")));
    cr_expect(pdr_string_equal(shop->city, pdr_string_of("Rome")));
    cr_expect_eq(shop->folded, 4, "two prices, a street, a city: the ping is dropped");
}

static pdr_code read_state(pdr_journal *journal, const char *entity, pdr_arena *arena, shop_shop *shop,
                           uint64_t *seq, pdr_error *err)
{
    return pdr_read_state(journal, entity, false, 120000, arena, shop, seq, err);
}

Test(upcasters, todays_program_has_the_state_that_all_older_events_make)
{
    pdr_error err;
    pdr_arena arena = PDR_ARENA_INIT(1024 * 1024);
    shop_shop shop;
    uint64_t seq;
    write_history();
    pdr_journal *journal = open_as(&shop_app);
    cr_assert_eq(read_state(journal, "shop/1", &arena, &shop, &seq, &err), PDR_OK, "%s", err.message);
    cr_expect_eq(seq, 4);
    is_whole(&shop);
    pdr_journal_close(journal);
    pdr_arena_release(&arena);
}

static const pdr_logged_event *next(pdr_reader *reader)
{
    const pdr_logged_event *event;
    pdr_error err;
    pdr_code code = pdr_reader_next(reader, &event, 120000, &err);
    cr_assert_eq(code, PDR_OK, "%s", err.message);
    return event;
}

static void gives_todays_events(pdr_reader *reader)
{
    static const struct {
        const pdr_type *type;
        uint64_t seq;
        uint32_t part, parts;
    } expected[] = {{&shop_priced_type, 1, 0, 1},
                    {&shop_street_set_type, 3, 0, 2},
                    {&shop_city_set_type, 3, 1, 2},
                    {&shop_priced_type, 4, 0, 1}};
    pdr_fold *fold;
    int64_t offset = -1;
    cr_assert_eq(pdr_fold_open(&fold, &shop_today, NULL), PDR_OK);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const pdr_logged_event *event = next(reader);
        cr_assert_not_null(event);
        cr_expect_eq(event->type, expected[i].type, "%zu", i);
        cr_expect_eq(event->seq, expected[i].seq, "%zu", i);
        cr_expect_eq(event->part, expected[i].part, "%zu", i);
        cr_expect_eq(event->parts, expected[i].parts, "%zu", i);
        cr_expect_eq(event->time_us, 1234);
        cr_expect_eq(event->count, 1);
        if (event->part)
            cr_expect_eq(event->offset, offset);
        else
            cr_expect_gt(event->offset, offset);
        offset = event->offset;
        cr_assert_eq(pdr_fold_apply(fold, event, NULL), PDR_OK);
    }
    is_whole(pdr_fold_state(fold));
    cr_expect_null(next(reader));
    pdr_fold_close(fold);
}

Test(upcasters, readers_give_todays_events_with_the_seq_and_offset_of_what_is_stored)
{
    pdr_reader *reader;
    write_history();
    pdr_journal *journal = open_as(&shop_app);
    cr_assert_eq(pdr_reader_open(&reader, journal, 0, PDR_POSITION_START, NULL), PDR_OK);
    gives_todays_events(reader);
    pdr_reader_close(reader);
    cr_assert_eq(pdr_history_reader_open(&reader, journal, pdr_string_of("shop/1"), 0, NULL), PDR_OK);
    gives_todays_events(reader);
    pdr_reader_close(reader);
    pdr_journal_close(journal);
}

Test(upcasters, a_log_of_nothing_but_dropped_events_is_read_to_its_end)
{
    pdr_reader *reader;
    shop_pinged_v1 pinged = {pdr_string_of("anyone")};
    pdr_journal *journal = open_as(&shop_first_app);
    for (int i = 0; i < 20; i++)
        write(journal, "shop/1", &shop_pinged_v1_type, &pinged);
    pdr_journal_close(journal);
    journal = open_as(&shop_app);
    cr_assert_eq(pdr_reader_open(&reader, journal, 0, PDR_POSITION_START, NULL), PDR_OK);
    cr_expect_null(next(reader));
    shop_priced priced = {.cents = 9, .currency = pdr_string_of("EUR")};
    write(journal, "shop/1", &shop_priced_type, &priced);
    const pdr_logged_event *event = next(reader);
    cr_assert_not_null(event);
    cr_expect_eq(event->seq, 21);
    cr_expect_null(next(reader));
    pdr_reader_close(reader);
    pdr_journal_close(journal);
}

Test(upcasters, a_fold_of_another_program_folds_a_stored_event_once_however_many_parts_it_has)
{
    pdr_reader *reader;
    pdr_fold *fold;
    write_history();
    pdr_journal *journal = open_as(&shop_app);
    cr_assert_eq(pdr_reader_open(&reader, journal, 0, PDR_POSITION_START, NULL), PDR_OK);
    /* One that knows what was written, and also one of the parts that today's program makes of it. */
    const pdr_type *const events[] = {shop_first.events[0], shop_first.events[1], shop_first.events[2],
                                      &shop_city_set_type};
    pdr_entity_type other = shop_first;
    other.events = events;
    other.event_count = 4;
    cr_assert_eq(pdr_fold_open(&fold, &other, NULL), PDR_OK);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(pdr_fold_apply(fold, next(reader), NULL), PDR_OK);
    const shop_shop *shop = pdr_fold_state(fold);
    cr_expect_eq(shop->folded, 2, "the price and the move, as the first program knows them");
    cr_expect(pdr_string_equal(shop->city, pdr_string_of("Rome")));
    pdr_fold_close(fold);
    pdr_reader_close(reader);
    pdr_journal_close(journal);
}

Test(upcasters, an_event_that_an_upcaster_refuses_makes_its_entity_unavailable_alone)
{
    pdr_error err;
    pdr_reader *reader;
    pdr_arena arena = PDR_ARENA_INIT(1024 * 1024);
    const pdr_logged_event *event;
    shop_shop shop;
    uint64_t seq;
    pdr_journal *journal = open_as(&shop_first_app);
    price_first(journal, "shop/bad", -3);
    price_first(journal, "shop/good", 3);
    pdr_journal_close(journal);
    for (int again = 0; again < 2; again++) {
        journal = open_as(&shop_app);
        cr_expect_eq(read_state(journal, "shop/bad", &arena, &shop, &seq, &err), PDR_BAD_HANDLER);
        cr_expect_not_null(strstr(err.message, "test.shop.Priced version 1, fingerprint"), "%s", err.message);
        cr_expect_not_null(strstr(err.message, "at seq 1"), "%s", err.message);
        cr_expect_not_null(strstr(err.message, "the price is -3 euros"), "%s", err.message);
        cr_assert_eq(read_state(journal, "shop/good", &arena, &shop, &seq, &err), PDR_OK, "%s", err.message);
        cr_expect_eq(shop.cents, 300);
        cr_assert_eq(pdr_journal_drain(journal, 120000, NULL), PDR_OK);
        cr_assert_eq(pdr_reader_open(&reader, journal, 0, PDR_POSITION_START, NULL), PDR_OK);
        cr_expect_eq(pdr_reader_next(reader, &event, 120000, &err), PDR_BAD_HANDLER);
        cr_expect_not_null(strstr(err.message, "partition 0, offset "), "%s", err.message);
        cr_expect_eq(next(reader)->seq, 1, "the next one comes all the same");
        pdr_reader_close(reader);
        pdr_journal_close(journal);
    }
    pdr_arena_release(&arena);
}

Test(upcasters, an_application_with_a_gap_doesn_t_open)
{
    static pdr_entity_type type;
    static const pdr_entity_type *const types[] = {&type};
    type = shop_today;
    type.upcasters = shop_steps + 1;
    type.upcaster_count = SHOP_STEPS - 1;
    pdr_app app = shop_app;
    app.entities = types;
    pdr_options options = bank_options(&dir, 0);
    options.app = &app;
    pdr_journal *journal;
    pdr_error err;
    cr_assert_eq(pdr_journal_open(&journal, &options, &err), PDR_INVALID_ARGUMENT);
    cr_expect_not_null(strstr(err.message, "test.shop.Priced version 1 has no upcaster"), "%s", err.message);
}
