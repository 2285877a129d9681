/* The window of command ids as it lies in the store's head rows (docs/formats/store.md), frozen. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "journal/ids.h"
#include "tests/support/hex.h"

enum { LARGEST_WINDOW = 4096 };

static pdr_buf read_golden(const char *name)
{
    char path[64];
    pdr_buf golden = PDR_BUF_INIT(LARGEST_WINDOW);
    snprintf(path, sizeof path, "ids/%s.hex", name);
    cr_assert(hex_read_golden(path, &golden), "%s", path);
    cr_assert_gt(golden.size, 0, "%s", path);
    return golden;
}

static void expect_entry(const uint8_t **at, const uint8_t *end, const pdr_id_entry *expected)
{
    pdr_id_entry entry;
    cr_assert(pdr_ids_next(at, end, &entry));
    cr_assert(pdr_bytes_equal(entry.id, expected->id));
    cr_assert_eq(entry.fingerprint, expected->fingerprint);
    cr_assert_eq(entry.seq, expected->seq);
    cr_assert_eq(entry.events, expected->events);
    cr_assert_eq(entry.has_reply, expected->has_reply);
    cr_assert(pdr_bytes_equal(entry.reply, expected->reply));
}

/* The golden bytes are these entries, and these entries give the golden bytes. */
static void expect_golden(const char *name, const pdr_id_entry *entries, size_t count)
{
    pdr_buf golden = read_golden(name);
    const uint8_t *at = golden.data, *end = golden.data + golden.size;
    pdr_ids *read = NULL, *written = NULL;
    for (size_t i = 0; i < count; i++) {
        expect_entry(&at, end, &entries[i]);
        cr_assert_eq(pdr_ids_add(&written, PDR_ID_WINDOW, &entries[i]), PDR_OK);
    }
    cr_assert_eq(at, end, "%s holds more", name);
    cr_assert_eq(pdr_ids_load(&read, pdr_buf_bytes(&golden), NULL), PDR_OK);
    cr_assert_eq(read->count, count);
    cr_assert(pdr_bytes_equal(pdr_ids_packed(read), pdr_buf_bytes(&golden)), "%s", name);
    cr_assert(pdr_bytes_equal(pdr_ids_packed(written), pdr_buf_bytes(&golden)), "%s", name);
    pdr_ids_free(read);
    pdr_ids_free(written);
    pdr_buf_release(&golden);
}

static const pdr_id_entry row_7 = {.id = {(const uint8_t *)"row-7", 5},
                                   .fingerprint = 0xfeedfacecafebeef,
                                   .seq = 129,
                                   .events = 3,
                                   .has_reply = true,
                                   .reply = {(const uint8_t *)"ok", 2}};

Test(ids, golden_windows_are_read_and_written_byte_for_byte)
{
    expect_golden("one", &row_7, 1);
    const pdr_id_entry three[] = {
        {.id = {(const uint8_t *)"", 1}, .seq = 1, .events = 1},
        {.id = {(const uint8_t *)"c2", 2},
         .fingerprint = UINT64_MAX,
         .seq = 300,
         .events = 1024,
         .has_reply = true},
        {.id = {(const uint8_t *)"\xff\xfe\xfd", 3},
         .fingerprint = 0x0102030405060708,
         .seq = UINT64_MAX,
         .events = 1,
         .has_reply = true,
         .reply = {(const uint8_t *)"\0\1\2", 3}},
    };
    expect_golden("oldest_first", three, 3);
}

Test(ids, the_longest_id_and_reply_are_read_and_written_byte_for_byte)
{
    uint8_t id[PDR_MAX_COMMAND_ID], reply[PDR_MAX_REPLY];
    for (size_t i = 0; i < sizeof id; i++)
        id[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof reply; i++)
        reply[i] = (uint8_t)(7 * i + 3);
    pdr_id_entry largest = {.id = pdr_bytes_of(id, sizeof id),
                            .fingerprint = 1,
                            .seq = 1,
                            .events = 1,
                            .has_reply = true,
                            .reply = pdr_bytes_of(reply, sizeof reply)};
    expect_golden("largest", &largest, 1);
}

/* A window that ends inside an entry is refused; one that ends between two is only shorter. */
Test(ids, a_window_that_is_cut_off_is_corrupt)
{
    pdr_buf golden = read_golden("oldest_first");
    size_t whole = 0;
    for (size_t size = 1; size < golden.size; size++) {
        pdr_ids *ids = NULL;
        pdr_error err;
        pdr_code code = pdr_ids_load(&ids, pdr_bytes_of(golden.data, size), &err);
        whole += code == PDR_OK;
        if (code == PDR_OK)
            pdr_ids_free(ids);
        else
            cr_assert(code == PDR_CORRUPT && !ids, "cut to %zu bytes", size);
    }
    cr_assert_eq(whole, 2, "after the first and the second entry");
    pdr_buf_release(&golden);
}

Test(ids, a_malformed_entry_is_corrupt_and_named)
{
    static const char *const bad[] = {
        "00 0000000000000000 01 01 00",                      /* an id without bytes */
        "41 61",                                             /* an id of 65 bytes */
        "01 61 0000000000000000 ffffffffffffffffff02 01 00", /* a seq beyond 64 bits */
        "01 61 0000000000000000 01 8080808010 00",           /* 2^32 events */
        "01 61 0000000000000000 01 01 05 61",                /* a reply past the end */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pdr_buf bytes = PDR_BUF_INIT(LARGEST_WINDOW);
        pdr_ids *ids = NULL;
        pdr_error err;
        cr_assert(hex_read("01 62 0000000000000000 01 01 00", &bytes), "a good one first");
        cr_assert(hex_read(bad[i], &bytes), "%s", bad[i]);
        cr_assert_eq(pdr_ids_load(&ids, pdr_buf_bytes(&bytes), &err), PDR_CORRUPT, "%s", bad[i]);
        cr_assert(strstr(err.message, "entry 1"), "%s: %s", bad[i], err.message);
        cr_assert_null(ids);
        pdr_buf_release(&bytes);
    }
}
