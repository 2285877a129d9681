/* Framed events as they lie in the log (docs/formats/avro.md), frozen. Their fingerprints were reckoned by
 * another program from canonical forms written by hand. */
#include <criterion/criterion.h>

#include "schemas/framing.h"
#include "schemas/framing_id.h"
#include "small.gen.h"
#include "tests/support/hex.h"

static pdr_buf read_golden(const char *path)
{
    pdr_buf golden = PDR_BUF_INIT(1024);
    cr_assert(hex_read_golden(path, &golden), "%s", path);
    return golden;
}

/* `value` gives the golden bytes; the golden bytes are split and decoded into `out`. */
static void expect_golden(const char *path, const pdr_type *type, const void *value, pdr_arena *arena,
                          void *out)
{
    pdr_buf golden = read_golden(path), mine = PDR_BUF_INIT(1024);
    uint64_t fingerprint;
    pdr_bytes datum;
    pdr_error err;
    cr_assert_eq(pdr_frame_write(&mine, type->fingerprint), PDR_OK);
    cr_assert_eq(type->encode(value, &mine, &err), PDR_OK, "%s", err.message);
    cr_assert(pdr_bytes_equal(pdr_buf_bytes(&golden), pdr_buf_bytes(&mine)), "%s", path);
    cr_assert_eq(pdr_frame_read(&fingerprint, &datum, pdr_buf_bytes(&golden), &err), PDR_OK, "%s",
                 err.message);
    cr_assert_eq(fingerprint, type->fingerprint, "%s", path);
    cr_assert_eq(type->decode(datum, arena, out, &err), PDR_OK, "%s", err.message);
    pdr_buf_release(&golden);
    pdr_buf_release(&mine);
}

Test(framing, golden_values_are_read_and_written_byte_for_byte)
{
    pdr_arena arena = PDR_ARENA_INIT(4096);
    small_list inner = {.value = -1}, list = {.value = 1000}, read;
    list.next.present = true;
    list.next.value = &inner;
    expect_golden("framing/list.hex", &small_list_type, &list, &arena, &read);
    cr_assert_eq(read.value, 1000);
    cr_assert(read.next.present);
    cr_assert_eq(read.next.value->value, -1);
    cr_assert(!read.next.value->next.present);
    pdr_arena_release(&arena);
}

Test(framing, a_golden_value_may_have_no_bytes)
{
    pdr_arena arena = PDR_ARENA_INIT(4096);
    small_null null, read;
    small_null_type.init(&null);
    expect_golden("framing/empty_datum.hex", &small_null_type, &null, &arena, &read);
    pdr_arena_release(&arena);
}

Test(framing, a_golden_value_with_a_registry_s_id_is_read_and_written_byte_for_byte)
{
    pdr_arena arena = PDR_ARENA_INIT(4096);
    pdr_buf golden = read_golden("framing/registered_list.hex"), mine = PDR_BUF_INIT(1024);
    small_list inner = {.value = -1}, list = {.value = 1000}, read;
    int32_t id = 0;
    pdr_bytes datum;
    pdr_error err;
    list.next.present = true;
    list.next.value = &inner;
    cr_assert_eq(pdr_frame_id_write(&mine, 70000), PDR_OK);
    cr_assert_eq(small_list_type.encode(&list, &mine, &err), PDR_OK, "%s", err.message);
    cr_assert(pdr_bytes_equal(pdr_buf_bytes(&golden), pdr_buf_bytes(&mine)));
    cr_assert(pdr_frame_has_id(pdr_buf_bytes(&golden)));
    cr_assert_eq(pdr_frame_id_read(&id, &datum, pdr_buf_bytes(&golden), &err), PDR_OK, "%s", err.message);
    cr_assert_eq(id, 70000);
    cr_assert_eq(small_list_type.decode(datum, &arena, &read, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(read.next.value->value, -1);
    pdr_arena_release(&arena);
    pdr_buf_release(&golden);
    pdr_buf_release(&mine);
}

Test(framing, short_values_and_ids_that_no_registry_gives_are_refused)
{
    static const uint8_t one[] = {0, 0, 0, 0, 1}, none[] = {0, 0, 0, 0, 0}, huge[] = {0, 0x80, 0, 0, 0},
                         avro[] = {0xC3, 1, 0, 0, 1};
    int32_t id = 0;
    pdr_bytes datum;
    cr_expect_eq(pdr_frame_id_read(&id, &datum, pdr_bytes_of(one, 5), NULL), PDR_OK);
    cr_expect_eq(datum.size, 0);
    for (size_t size = 1; size < 5; size++)
        cr_expect_eq(pdr_frame_id_read(&id, &datum, pdr_bytes_of(one, size), NULL), PDR_BAD_DATA);
    cr_expect_eq(pdr_frame_id_read(&id, &datum, pdr_bytes_of(none, 5), NULL), PDR_BAD_DATA);
    cr_expect_eq(pdr_frame_id_read(&id, &datum, pdr_bytes_of(huge, 5), NULL), PDR_BAD_DATA);
    cr_expect_eq(pdr_frame_id_read(&id, &datum, pdr_bytes_of(avro, 5), NULL), PDR_BAD_DATA);
    cr_expect(!pdr_frame_has_id(pdr_bytes_of(avro, 5)));
    cr_expect(!pdr_frame_has_id(pdr_bytes_of(NULL, 0)));
}
