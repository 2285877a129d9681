/* The window of command ids: against a simple model, and with bytes that aren't one. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/mem.h"
#include "journal/ids.h"

enum { WINDOW = 7, ROUNDS = 500 };

static pdr_id_entry entry_of(char *text, size_t size, unsigned i)
{
    static uint8_t reply[PDR_MAX_REPLY];
    int n = snprintf(text, size, "id-%u", i);
    memset(reply, (int)(i & 0xff), sizeof reply);
    return (pdr_id_entry){.id = pdr_bytes_of(text, (size_t)n),
                          .fingerprint = i * 0x9E3779B97F4A7C15u,
                          .seq = (uint64_t)i << (i % 40),
                          .events = i % 1025,
                          .has_reply = i % 3 != 0,
                          .reply = pdr_bytes_of(reply, i % 3 ? (i * 37) % (PDR_MAX_REPLY + 1) : 0)};
}

static void expect_same(const pdr_id_entry *a, const pdr_id_entry *b)
{
    cr_expect(pdr_bytes_equal(a->id, b->id));
    cr_expect_eq(a->fingerprint, b->fingerprint);
    cr_expect_eq(a->seq, b->seq);
    cr_expect_eq(a->events, b->events);
    cr_expect_eq(a->has_reply, b->has_reply);
    cr_expect(pdr_bytes_equal(a->reply, b->reply));
}

Test(ids, hold_the_newest_ones_and_all_they_were_given)
{
    pdr_ids *ids = NULL;
    char text[32];
    for (unsigned i = 1; i <= ROUNDS; i++) {
        pdr_id_entry entry = entry_of(text, sizeof text, i), found;
        cr_assert_eq(pdr_ids_add(&ids, WINDOW, &entry), PDR_OK);
        cr_assert(pdr_ids_find(ids, entry.id, &found));
        expect_same(&found, &entry);
        for (unsigned j = i > 10 ? i - 10 : 1; j <= i; j++) {
            char old[32];
            pdr_id_entry other = entry_of(old, sizeof old, j);
            cr_expect_eq(pdr_ids_find(ids, other.id, &found), j + WINDOW > i);
        }
        cr_expect_eq(ids->count, i < WINDOW ? i : WINDOW);
    }
    cr_expect_lt(pdr_ids_held(ids), (size_t)WINDOW * 400 * 3, "dropped entries' room is used again");
    pdr_ids_free(ids);
}

Test(ids, nothing_is_found_where_there_is_nothing)
{
    pdr_id_entry found;
    cr_expect_not(pdr_ids_find(NULL, pdr_bytes_of("a", 1), &found));
    cr_expect_eq(pdr_ids_packed(NULL).size, 0u);
    cr_expect_eq(pdr_ids_held(NULL), 0u);
    pdr_ids *ids = (pdr_ids *)1;
    cr_expect_eq(pdr_ids_load(&ids, pdr_bytes_of("", 0), NULL), PDR_OK);
    cr_expect_null(ids);
}

Test(ids, a_smaller_window_drops_the_oldest_with_the_next_entry)
{
    pdr_ids *ids = NULL;
    char text[32];
    pdr_id_entry entry, found;
    for (unsigned i = 1; i <= 20; i++) {
        entry = entry_of(text, sizeof text, i);
        cr_assert_eq(pdr_ids_add(&ids, 20, &entry), PDR_OK);
    }
    entry = entry_of(text, sizeof text, 21);
    cr_assert_eq(pdr_ids_add(&ids, 2, &entry), PDR_OK);
    cr_expect_eq(ids->count, 2u);
    cr_expect(pdr_ids_find(ids, pdr_bytes_of("id-20", 5), &found));
    cr_expect_not(pdr_ids_find(ids, pdr_bytes_of("id-19", 5), &found));
    pdr_ids_free(ids);
}

static pdr_ids *some(unsigned count)
{
    pdr_ids *ids = NULL;
    char text[32];
    for (unsigned i = 1; i <= count; i++) {
        pdr_id_entry entry = entry_of(text, sizeof text, i);
        cr_assert_eq(pdr_ids_add(&ids, WINDOW, &entry), PDR_OK);
    }
    return ids;
}

Test(ids, packed_and_loaded_are_the_same)
{
    pdr_ids *ids = some(30), *loaded;
    pdr_bytes packed = pdr_ids_packed(ids);
    cr_assert_eq(pdr_ids_load(&loaded, packed, NULL), PDR_OK);
    cr_expect(pdr_bytes_equal(pdr_ids_packed(loaded), packed));
    cr_expect_eq(loaded->count, ids->count);
    pdr_ids_free(ids);
    pdr_ids_free(loaded);
}

/* A prefix is a whole window only where an entry ends. */
Test(ids, bytes_cut_anywhere_are_corrupt_and_never_read_past)
{
    pdr_ids *ids = some(5);
    pdr_bytes packed = pdr_ids_packed(ids);
    size_t whole = 0;
    for (size_t size = 1; size <= packed.size; size++) {
        uint8_t *exact = pdr_memdup(packed.data, size);
        pdr_ids *loaded = NULL;
        pdr_error err;
        pdr_code code = pdr_ids_load(&loaded, pdr_bytes_of(exact, size), &err);
        cr_expect(code == PDR_OK || (code == PDR_CORRUPT && err.message[0]));
        cr_expect_eq(loaded != NULL, code == PDR_OK);
        whole += code == PDR_OK;
        pdr_ids_free(loaded);
        pdr_free(exact);
    }
    cr_expect_eq(whole, 5u);
    pdr_ids_free(ids);
}

Test(ids, hostile_bytes_are_never_read_past)
{
    uint64_t random = 1;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[64];
        size_t size = (size_t)(random >> 33) % sizeof bytes + 1;
        for (size_t i = 0; i < size; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            bytes[i] = i % 3 ? (uint8_t)(random >> 56) : (uint8_t)((random >> 60) & 7);
        }
        uint8_t *exact = pdr_memdup(bytes, size);
        pdr_ids *loaded = NULL;
        if (pdr_ids_load(&loaded, pdr_bytes_of(exact, size), NULL) == PDR_OK) pdr_ids_free(loaded);
        pdr_free(exact);
    }
}

Test(ids, an_entry_that_is_empty_or_too_long_is_corrupt)
{
    uint8_t bytes[256] = {0};
    pdr_ids *loaded;
    cr_expect_eq(pdr_ids_load(&loaded, pdr_bytes_of(bytes, 20), NULL), PDR_CORRUPT);
    bytes[0] = PDR_MAX_COMMAND_ID + 1;
    cr_expect_eq(pdr_ids_load(&loaded, pdr_bytes_of(bytes, sizeof bytes), NULL), PDR_CORRUPT);
}

Test(ids, after_reserve_the_largest_entry_is_added_without_memory)
{
    static uint8_t id[PDR_MAX_COMMAND_ID], reply[PDR_MAX_REPLY];
    pdr_ids *ids = NULL;
    for (unsigned i = 0; i < 200; i++) {
        memcpy(id, &i, sizeof i);
        pdr_id_entry entry = {pdr_bytes_of(id, sizeof id),      UINT64_MAX, UINT64_MAX, UINT32_MAX, true,
                              pdr_bytes_of(reply, sizeof reply)};
        cr_assert_eq(pdr_ids_reserve(&ids), PDR_OK);
        pdr_mem_fail_at(1);
        pdr_code code = pdr_ids_add(&ids, WINDOW, &entry);
        cr_expect_eq(pdr_mem_count(), 0u);
        pdr_mem_fail_at(0);
        cr_assert_eq(code, PDR_OK);
    }
    pdr_ids_free(ids);
}

Test(ids, an_add_or_reserve_without_memory_changes_nothing)
{
    char text[32];
    pdr_ids *ids = NULL;
    pdr_id_entry entry = entry_of(text, sizeof text, 1), found;
    pdr_mem_fail_at(1);
    cr_expect_eq(pdr_ids_add(&ids, WINDOW, &entry), PDR_NOMEM);
    cr_expect_null(ids);
    pdr_mem_fail_at(0);
    cr_assert_eq(pdr_ids_add(&ids, WINDOW, &entry), PDR_OK);
    pdr_mem_fail_at(1);
    cr_expect_eq(pdr_ids_reserve(&ids), PDR_NOMEM);
    pdr_mem_fail_at(0);
    cr_expect(pdr_ids_find(ids, entry.id, &found));
    pdr_ids_free(ids);
}
