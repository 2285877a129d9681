/* Stored events of older and newer versions, read and folded by one program: tests/support/shop. */
#include <criterion/criterion.h>
#include <pthread.h>

#include "base/mem.h"
#include "journal/fold.h"
#include "schemas/framing.h"
#include "schemas/schema.h"
#include "tests/support/shop/shop_app.h"

static pdr_entity_type type;
static pdr_upcaster steps[SHOP_STEPS];
static pdr_folder *folder;
static pdr_schema_book *book;
static pdr_state state;
static pdr_arena scratch = PDR_ARENA_INIT(1024 * 1024);
static pdr_buf value = PDR_BUF_INIT(1024 * 1024);
static pdr_event_list list;
static pdr_error err;

static void init(void)
{
    type = shop_today;
    memcpy(steps, shop_steps, sizeof steps);
    type.upcasters = steps;
    cr_assert_eq(pdr_schema_book_open(&book, NULL), PDR_OK);
}

static void release(void)
{
    pdr_state_release(&state);
    pdr_folder_close(folder);
    pdr_schema_book_close(book);
    pdr_arena_release(&scratch);
    pdr_buf_release(&value);
}

TestSuite(upcast_fold, .init = init, .fini = release);

static void open(void)
{
    cr_assert_eq(pdr_folder_open(&folder, &type, book, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(pdr_state_init(&state, folder, NULL), PDR_OK);
}

static pdr_bytes framed(const pdr_type *as, const void *event)
{
    pdr_buf_clear(&value);
    cr_assert_eq(pdr_frame_write(&value, as->fingerprint), PDR_OK);
    cr_assert_eq(as->encode(event, &value, NULL), PDR_OK);
    return pdr_buf_bytes(&value);
}

static pdr_bytes priced_1(int32_t euros)
{
    shop_priced_v1 priced = {euros};
    return framed(&shop_priced_v1_type, &priced);
}

static pdr_bytes moved(void)
{
    shop_moved_v1 event = {pdr_string_of("Main Street"), pdr_string_of("Rome")};
    return framed(&shop_moved_v1_type, &event);
}

static pdr_bytes pinged(void)
{
    shop_pinged_v1 event = {pdr_string_of("anyone")};
    return framed(&shop_pinged_v1_type, &event);
}

static pdr_bytes priced_3(void)
{
    shop_priced event;
    shop_priced_init(&event);
    event.cents = 77;
    return framed(&shop_priced_type, &event);
}

static pdr_code read(pdr_bytes bytes)
{
    if (!folder) open();
    pdr_arena_clear(&scratch);
    return pdr_folder_read(folder, bytes, 9, 1234, &scratch, &list, &err);
}

static pdr_code fold(pdr_bytes bytes, bool check)
{
    if (!folder) open();
    if (!state.value) cr_assert_eq(pdr_state_init(&state, folder, NULL), PDR_OK);
    return pdr_state_fold(&state, folder, bytes, 9, 1234, check, &scratch, &err);
}

static void told(const char *words)
{
    cr_expect_not_null(strstr(err.message, words), "\"%s\" isn't in \"%s\"", words, err.message);
}

Test(upcast_fold, an_old_version_is_read_as_todays_event)
{
    cr_assert_eq(read(priced_1(5)), PDR_OK);
    cr_assert_eq(list.count, 1);
    cr_expect_eq(list.first.type, &shop_priced_type);
    cr_expect_eq(((const shop_priced *)list.first.value)->cents, 500);
    cr_expect_eq(list.first.seq, 9);
    cr_expect_eq(list.first.time_us, 1234);
}

Test(upcast_fold, all_that_one_stored_event_became_is_folded)
{
    cr_assert_eq(fold(moved(), true), PDR_OK);
    const shop_shop *shop = state.value;
    cr_expect(pdr_string_equal(shop->street, pdr_string_of("Main Street")));
    cr_expect(pdr_string_equal(shop->city, pdr_string_of("Rome")));
    cr_expect_eq(shop->folded, 2);
}

Test(upcast_fold, a_dropped_event_leaves_the_state_as_it_is)
{
    cr_assert_eq(fold(priced_1(5), false), PDR_OK);
    cr_assert_eq(fold(pinged(), true), PDR_OK);
    const shop_shop *shop = state.value;
    cr_expect_eq(shop->cents, 500);
    cr_expect_eq(shop->folded, 1);
}

Test(upcast_fold, only_todays_events_are_declared_for_those_who_write)
{
    open();
    cr_expect(pdr_folder_declares(folder, &shop_priced_type));
    cr_expect_not(pdr_folder_declares(folder, &shop_priced_v1_type));
    cr_expect_not(pdr_folder_declares(folder, &shop_pinged_v1_type));
    cr_expect_eq(pdr_folder_event_type(folder, priced_1(1)), &shop_priced_v1_type);
}

Test(upcast_fold, a_failing_upcaster_leaves_no_state_and_says_type_version_fingerprint_and_seq)
{
    cr_expect_eq(fold(priced_1(-1), false), PDR_BAD_HANDLER);
    cr_expect_null(state.value);
    told("entity type shop: event test.shop.Priced version 1, fingerprint ");
    told("at seq 9: the upcaster to test.shop.Priced version 2 says: the price is -1 euros");
}

static void restless(const pdr_event *event, pdr_upcast *out)
{
    static int64_t calls;
    (void)event;
    shop_priced priced;
    shop_priced_init(&priced);
    priced.cents = ++calls;
    pdr_upcast_emit(out, &shop_priced_type, &priced);
}

static void now_and_then(const pdr_event *event, pdr_upcast *out)
{
    static int calls;
    shop_priced priced;
    (void)event;
    shop_priced_init(&priced);
    if (calls++ % 2)
        pdr_upcast_drop(out);
    else
        pdr_upcast_emit(out, &shop_priced_type, &priced);
}

static void not_utf8(const pdr_event *event, pdr_upcast *out)
{
    shop_priced priced;
    (void)event;
    shop_priced_init(&priced);
    priced.currency = pdr_string_of("\xFF");
    pdr_upcast_emit(out, &shop_priced_type, &priced);
}

Test(upcast_fold, checking_finds_an_upcaster_that_isn_t_deterministic)
{
    steps[SHOP_PRICED_2].upcast = restless;
    cr_expect_eq(fold(priced_1(1), false), PDR_OK);
    cr_expect_eq(fold(priced_1(1), true), PDR_BAD_HANDLER);
    told("isn't deterministic");
    steps[SHOP_PRICED_2].upcast = now_and_then;
    cr_expect_eq(fold(priced_1(1), true), PDR_BAD_HANDLER);
    told("isn't deterministic");
}

Test(upcast_fold, checking_finds_an_upcaster_that_makes_what_the_schema_forbids)
{
    steps[SHOP_PRICED_2].upcast = not_utf8;
    cr_expect_eq(fold(priced_1(1), true), PDR_BAD_HANDLER);
    told("an upcaster of shop made an event test.shop.Priced");
}

Test(upcast_fold, an_old_payload_cut_anywhere_is_bad_data_that_names_its_version)
{
    pdr_bytes whole = moved();
    for (size_t size = 10; size < whole.size; size++) {
        uint8_t *exact = pdr_memdup(whole.data, size);
        cr_expect_eq(read(pdr_bytes_of(exact, size)), PDR_BAD_DATA, "%zu bytes", size);
        told("test.shop.Moved version 1");
        pdr_free(exact);
    }
}

Test(upcast_fold, running_out_of_memory_at_any_place_leaves_no_state)
{
    uint64_t failed = 0;
    open();
    pdr_bytes bytes = moved();
    for (pdr_code code = PDR_NOMEM; code != PDR_OK; failed++) {
        pdr_arena_release(&scratch);
        pdr_state_release(&state);
        cr_assert_eq(pdr_state_init(&state, folder, NULL), PDR_OK);
        pdr_mem_fail_at(failed + 1);
        code = pdr_state_fold(&state, folder, bytes, 9, 1234, true, &scratch, &err);
        pdr_mem_fail_at(0);
        cr_assert(code == PDR_OK || code == PDR_NOMEM, "%s", pdr_code_name(code));
        cr_assert_eq(state.value == NULL, code != PDR_OK);
    }
    cr_expect_gt(failed, 5u);
}

/* --- what isn't declared --- */

static void add(const pdr_type *writer)
{
    cr_assert_eq(
        pdr_schema_book_add(book, writer->fingerprint, pdr_string_of(writer->schema), PDR_BOOK_NO_ID, &err),
        PDR_OK, "%s", err.message);
}

Test(upcast_fold, a_schema_that_is_neither_declared_nor_in_the_book_is_lacking)
{
    uint64_t fingerprint = 0;
    type = shop_first;
    pdr_bytes bytes = priced_3();
    cr_assert_eq(read(bytes), PDR_UNKNOWN_SCHEMA);
    told("neither log nor store");
    cr_assert(pdr_folder_lacks(folder, bytes, &fingerprint));
    cr_expect_eq(fingerprint, shop_priced_type.fingerprint);
    add(&shop_priced_type);
    cr_expect_not(pdr_folder_lacks(folder, bytes, &fingerprint));
    cr_expect_not(pdr_folder_lacks(folder, priced_1(1), &fingerprint), "it is declared");
    cr_expect_not(pdr_folder_lacks(folder, pdr_bytes_of("no frame at all", 15), &fingerprint));
}

Test(upcast_fold, without_a_book_everything_that_isn_t_declared_is_lacking)
{
    uint64_t fingerprint;
    type = shop_first;
    cr_assert_eq(pdr_folder_open(&folder, &type, NULL, NULL), PDR_OK);
    pdr_bytes bytes = priced_3();
    cr_expect_eq(pdr_folder_read(folder, bytes, 9, 1, &scratch, &list, NULL), PDR_UNKNOWN_SCHEMA);
    cr_expect(pdr_folder_lacks(folder, bytes, &fingerprint));
}

Test(upcast_fold, a_newer_version_that_older_code_may_not_read_is_refused_with_the_reason)
{
    type = shop_first;
    shop_priced_v2 event = {.cents = 5, .currency = pdr_string_of("EUR")};
    add(&shop_priced_v2_type);
    for (int again = 0; again < 2; again++) {
        cr_assert_eq(read(framed(&shop_priced_v2_type, &event)), PDR_UNKNOWN_SCHEMA);
        told("entity type shop: event test.shop.Priced version 2, fingerprint ");
        told("doesn't say that older code may read it");
    }
}

Test(upcast_fold, a_newer_version_that_says_so_is_read_into_the_newest_known)
{
    type = shop_second;
    add(&shop_priced_type);
    pdr_bytes bytes = priced_3();
    for (int again = 0; again < 2; again++) {
        cr_assert_eq(read(bytes), PDR_OK, "%s", err.message);
        cr_assert_eq(list.count, 1);
        cr_expect_eq(list.first.type, &shop_priced_v2_type);
        cr_expect_eq(((const shop_priced_v2 *)list.first.value)->cents, 77);
        cr_expect_eq(list.first.seq, 9);
        cr_expect_eq(list.first.time_us, 1234);
    }
    cr_expect_eq(fold(bytes, true), PDR_OK);
    cr_expect_eq(((const shop_shop *)state.value)->cents, 77);
    cr_expect_eq(read(pdr_bytes_of(bytes.data, bytes.size - 1)), PDR_BAD_DATA);
    told("newer than test.shop.Priced version 2");
}

Test(upcast_fold, a_type_of_ours_with_a_bad_schema_makes_newer_versions_an_error_not_a_crash)
{
    static const pdr_type *types[8];
    pdr_type bad = shop_street_set_type;
    type = shop_second;
    cr_assert_lt(type.event_count, sizeof types / sizeof types[0]);
    memcpy(types, type.events, type.event_count * sizeof types[0]);
    bad.name = "test.shop.Bad";
    bad.schema = "{";
    bad.version = 0;
    bad.fingerprint = UINT64_MAX; /* looked at last, after the event was found */
    types[type.event_count++] = &bad;
    type.events = types;
    add(&shop_priced_type);
    cr_expect_eq(read(priced_3()), PDR_UNKNOWN_SCHEMA);
    told("test.shop.Bad");
}

Test(upcast_fold, a_newer_version_goes_along_the_chain_of_the_newest_known)
{
    static const pdr_type *const only[] = {&shop_street_set_type, &shop_city_set_type};
    type.events = only;
    type.event_count = 2;
    steps[SHOP_PRICED_2] = (pdr_upcaster){&shop_priced_v2_type, NULL, 0, NULL};
    add(&shop_priced_type);
    cr_assert_eq(read(priced_3()), PDR_OK, "%s", err.message);
    cr_expect_eq(list.count, 0);
}

Test(upcast_fold, a_newer_version_that_doesn_t_resolve_is_refused_though_it_says_so)
{
    type = shop_first;
    add(&shop_priced_type);
    for (int again = 0; again < 2; again++) {
        cr_assert_eq(read(priced_3()), PDR_UNKNOWN_SCHEMA);
        told("entity type shop: event test.shop.Priced version 3, fingerprint ");
        told("euros");
    }
}

Test(upcast_fold, a_step_by_resolution_reads_the_same_first_and_in_the_middle_of_a_chain)
{
    shop_priced_v2 priced = {.cents = 500, .currency = pdr_string_of("EUR")};
    cr_assert_null(shop_steps[SHOP_PRICED_2].upcast);
    cr_assert_eq(read(framed(&shop_priced_v2_type, &priced)), PDR_OK);
    cr_expect_eq(((const shop_priced *)list.first.value)->cents, 500);
    cr_expect_not(((const shop_priced *)list.first.value)->reason.present);
    cr_assert_eq(read(priced_1(5)), PDR_OK);
    cr_expect_eq(((const shop_priced *)list.first.value)->cents, 500);
    cr_expect(pdr_string_equal(((const shop_priced *)list.first.value)->currency, pdr_string_of("EUR")));
}

static void bad_currency(const pdr_event *event, pdr_upcast *out)
{
    shop_priced_v2 priced = {.cents = 1, .currency = pdr_string_of("\xFF")};
    (void)event;
    pdr_upcast_emit(out, &shop_priced_v2_type, &priced);
}

Test(upcast_fold, what_a_step_made_wrongly_is_found_by_a_resolution_behind_it)
{
    steps[SHOP_PRICED_1].upcast = bad_currency;
    cr_expect_eq(read(priced_1(5)), PDR_BAD_HANDLER);
    told("test.shop.Priced version 2");
    told("by schema resolution");
}

static void *read_often(void *context)
{
    pdr_arena arena = PDR_ARENA_INIT(1024 * 1024);
    pdr_event_list read_here;
    size_t *good = context;
    for (int i = 0; i < 2000; i++) {
        pdr_arena_clear(&arena);
        if (pdr_folder_read(folder, pdr_buf_bytes(&value), 1, 1, &arena, &read_here, NULL) == PDR_OK) ++*good;
    }
    pdr_arena_release(&arena);
    return NULL;
}

Test(upcast_fold, threads_that_meet_a_newer_version_at_once_all_read_it)
{
    pthread_t threads[4];
    size_t good[4] = {0};
    type = shop_second;
    add(&shop_priced_type);
    open();
    (void)priced_3();
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, read_often, &good[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        cr_expect_eq(good[i], 2000);
    }
}

Test(upcast_fold, an_older_version_without_a_step_isn_t_resolved_silently)
{
    static const pdr_type *const only[] = {&shop_street_set_type};
    type.events = only;
    type.event_count = 1;
    type.upcaster_count = 0;
    add(&shop_priced_v1_type);
    cr_assert_eq(read(priced_1(1)), PDR_UNKNOWN_SCHEMA);
    told("test.shop.Priced version 1");
    told("no event of that name");
    pdr_folder_close(folder);
    type = shop_today;
    type.upcasters = steps + 1;
    type.upcaster_count = SHOP_STEPS - 1;
    cr_assert_eq(pdr_folder_open_tolerant(&folder, &type, book, NULL), PDR_OK);
    cr_assert_eq(read(priced_1(1)), PDR_UNKNOWN_SCHEMA);
    told("test.shop.Priced version 1");
    told("declares no upcaster from this one");
}

Test(upcast_fold, a_schema_that_says_no_version_isn_t_taken_for_a_newer_one)
{
    static const char nameless[] = "{\"type\":\"record\",\"name\":\"test.shop.Priced\",\"fields\":[]}";
    pdr_schema_set *set;
    uint64_t fingerprint;
    cr_assert_eq(pdr_schema_read(&set, "x", pdr_string_of(nameless), NULL), PDR_OK);
    cr_assert_eq(pdr_schema_fingerprint(&fingerprint, pdr_schema_set_root(set, 0), NULL), PDR_OK);
    pdr_schema_set_close(set);
    cr_assert_eq(pdr_schema_book_add(book, fingerprint, pdr_string_of(nameless), PDR_BOOK_NO_ID, NULL),
                 PDR_OK);
    pdr_buf_clear(&value);
    cr_assert_eq(pdr_frame_write(&value, fingerprint), PDR_OK);
    cr_assert_eq(read(pdr_buf_bytes(&value)), PDR_UNKNOWN_SCHEMA);
    told("says no version");
}
