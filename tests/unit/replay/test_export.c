/* Exact exports and the container files that they are (docs/formats/export.md). */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/mem.h"
#include "tests/support/export_bytes.h"
#include "tests/support/hex.h"

enum { ROOM = 8 * 1024 * 1024 };

static const char coin[] = "{\"type\":\"record\",\"name\":\"Coin\",\"namespace\":\"shop\",\"fields\":[{"
                           "\"name\":\"n\",\"type\":\"int\"}]}";
static const uint64_t coin_mark = 0xf1044f3a228dc4c0;

static pdr_bytes text(const char *t)
{
    return pdr_bytes_of(t, strlen(t));
}

static pdr_exported_event event(const char *entity, uint64_t seq, uint32_t index, uint32_t count)
{
    return (pdr_exported_event){.entity = pdr_string_of(entity),
                                .seq = seq,
                                .index = index,
                                .count = count,
                                .time_us = 1700000000123456,
                                .append_ms = 1700000000124,
                                .partition = 7,
                                .offset = 1234567 + (int64_t)seq,
                                .type = pdr_string_of("shop.Coin"),
                                .version = 3,
                                .fingerprint = coin_mark,
                                .datum = text("\x54")};
}

/* A commit with all that there is, one with nothing. */
static void write_story(pdr_export_writer *writer, unsigned rounds)
{
    pdr_string json = pdr_string_of(coin);
    for (unsigned r = 0; r < rounds; r++) {
        char id[32];
        (void)snprintf(id, sizeof id, "shop/%u", r);
        for (uint32_t i = 0; i < 2; i++) {
            pdr_exported_event e = event(id, 1 + i, i, 2);
            e.id = text("row-7");
            e.command_fingerprint = 0xfeedfacecafebeef;
            e.correlation = text("trace-1");
            e.causation = text("c");
            e.trace = text("00-4bf9");
            e.has_consumed = true;
            e.consumed_partition = 7;
            e.consumed_offset = 70000;
            e.has_reply = i == 1;
            if (i == 1) e.reply = text("ok");
            cr_assert_eq(pdr_export_writer_event(writer, &e, json, NULL), PDR_OK);
        }
        pdr_exported_event last = event(id, 3, 0, 1);
        last.time_us = -1;
        cr_assert_eq(pdr_export_writer_event(writer, &last, json, NULL), PDR_OK);
    }
}

static pdr_buf exported(pdr_container_codec codec, unsigned rounds)
{
    pdr_error err = {.message = ""};
    pdr_export_writer *writer = NULL;
    pdr_buf out = PDR_BUF_INIT(ROOM);
    pdr_byte_sink sink = sink_of(&out);
    pdr_export_spec spec = {.codec = codec, .selection = "{\"entities\":\"shop/*\"}"};
    for (uint8_t i = 0; i < PDR_ID_SIZE; i++)
        spec.journal[i] = (uint8_t)(0x11 * i);
    cr_assert_eq(pdr_export_writer_open(&writer, &sink, &spec, &err), PDR_OK, "%s", err.message);
    write_story(writer, rounds);
    cr_assert_eq(pdr_export_writer_finish(writer, &err), PDR_OK, "%s", err.message);
    pdr_export_writer_close(writer);
    return out;
}

Test(export, the_golden_file_is_written_byte_for_byte_and_read)
{
    pdr_error err = {.message = ""};
    pdr_buf golden = PDR_BUF_INIT(ROOM), written = exported(PDR_CODEC_NULL, 2);
    uint64_t events;
    cr_assert(hex_read_golden("export/small.hex", &golden));
    cr_expect(pdr_bytes_equal(pdr_buf_bytes(&golden), pdr_buf_bytes(&written)));
    cr_assert_eq(export_read_all(pdr_buf_bytes(&golden), 0, NULL, PDR_CODEC_NULL, &events, &err), PDR_OK,
                 "%s", err.message);
    cr_expect_eq(events, 6);
    pdr_buf_release(&golden);
    pdr_buf_release(&written);
}

Test(export, what_is_read_and_written_again_is_the_same_with_each_codec)
{
    for (int codec = PDR_CODEC_NULL; codec <= PDR_CODEC_SNAPPY; codec++) {
        pdr_error err = {.message = ""};
        pdr_buf first = exported((pdr_container_codec)codec, 2000), again = PDR_BUF_INIT(ROOM);
        uint64_t events;
        for (size_t at_once = 0; at_once <= 7; at_once += 7) {
            pdr_buf_clear(&again);
            pdr_code code = export_read_all(pdr_buf_bytes(&first), at_once, &again,
                                            (pdr_container_codec)codec, &events, &err);
            cr_assert_eq(code, PDR_OK, "%s", err.message);
            cr_expect_eq(events, 6000);
            cr_expect(pdr_bytes_equal(pdr_buf_bytes(&first), pdr_buf_bytes(&again)));
        }
        pdr_buf_release(&first);
        pdr_buf_release(&again);
    }
}

static bool is_refusal(pdr_code code)
{
    return code == PDR_BAD_DATA || code == PDR_INVALID_ARGUMENT || code == PDR_TOO_NEW;
}

Test(export, cut_short_anywhere_it_is_refused)
{
    for (int codec = PDR_CODEC_NULL; codec <= PDR_CODEC_SNAPPY; codec++) {
        pdr_buf whole = exported((pdr_container_codec)codec, 3);
        for (size_t size = 0; size < whole.size; size++) {
            pdr_error err = {.message = ""};
            uint64_t events;
            pdr_code code =
                export_read_all(pdr_bytes_of(whole.data, size), 0, NULL, PDR_CODEC_NULL, &events, &err);
            cr_assert(is_refusal(code), "%zu bytes: %s", size, pdr_code_name(code));
            cr_assert_neq(err.message[0], 0);
        }
        pdr_buf_release(&whole);
    }
}

/* What gets through says the same: some bits of a header or of packed data mean nothing. */
Test(export, a_flipped_bit_anywhere_is_refused_or_changes_no_event)
{
    for (int codec = PDR_CODEC_NULL; codec <= PDR_CODEC_SNAPPY; codec++) {
        pdr_buf whole = exported((pdr_container_codec)codec, 3), plain = PDR_BUF_INIT(ROOM),
                again = PDR_BUF_INIT(ROOM);
        uint64_t events, passed = 0;
        cr_assert_eq(export_read_all(pdr_buf_bytes(&whole), 0, &plain, PDR_CODEC_NULL, &events, NULL),
                     PDR_OK);
        for (size_t bit = 0; bit < 8 * whole.size; bit++) {
            whole.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            pdr_buf_clear(&again);
            pdr_code code = export_read_all(pdr_buf_bytes(&whole), 0, &again, PDR_CODEC_NULL, &events, NULL);
            if (code == PDR_OK) {
                passed++;
                cr_assert_eq(again.size > plain.size, false);
                size_t tail = 200; /* events and end, behind the header's texts */
                cr_assert(memcmp(again.data + again.size - tail, plain.data + plain.size - tail, tail - 16) ==
                          0);
            } else {
                cr_assert(is_refusal(code), "bit %zu: %s", bit, pdr_code_name(code));
            }
            whole.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        cr_expect_lt(passed, 2000);
        pdr_buf_release(&whole);
        pdr_buf_release(&plain);
        pdr_buf_release(&again);
    }
}

Test(export, without_memory_nothing_is_lost_but_the_export)
{
    for (int codec = PDR_CODEC_NULL; codec <= PDR_CODEC_SNAPPY; codec++) {
        pdr_buf whole = exported((pdr_container_codec)codec, 3);
        pdr_code code = PDR_NOMEM;
        for (uint64_t nth = 1; code != PDR_OK; nth++) {
            pdr_buf again = PDR_BUF_INIT(ROOM);
            uint64_t events;
            pdr_mem_fail_at(nth);
            code =
                export_read_all(pdr_buf_bytes(&whole), 0, &again, (pdr_container_codec)codec, &events, NULL);
            pdr_mem_fail_at(0);
            cr_assert(code == PDR_OK || code == PDR_NOMEM, "allocation %llu: %s", (unsigned long long)nth,
                      pdr_code_name(code));
            pdr_buf_release(&again);
        }
        pdr_buf_release(&whole);
    }
}

static pdr_code full(void *context, pdr_bytes bytes, pdr_error *err)
{
    size_t *left = context;
    if (bytes.size > *left) return pdr_fail(err, PDR_NO_SPACE, "full");
    *left -= bytes.size;
    return PDR_OK;
}

Test(export, a_sink_that_fails_is_told)
{
    pdr_export_writer *writer = NULL;
    pdr_export_spec spec = {.codec = PDR_CODEC_NULL};
    size_t left = 10;
    pdr_byte_sink sink = {full, &left};
    cr_expect_eq(pdr_export_writer_open(&writer, &sink, &spec, NULL), PDR_NO_SPACE);
    left = 4096;
    cr_assert_eq(pdr_export_writer_open(&writer, &sink, &spec, NULL), PDR_OK);
    left = 100;
    write_story(writer, 1);
    cr_expect_eq(pdr_export_writer_finish(writer, NULL), PDR_NO_SPACE);
    pdr_export_writer_close(writer);
}

/* --- containers --- */

static pdr_code packed(pdr_container_codec codec, pdr_bytes raw, pdr_buf *out)
{
    return pdr_container_pack(codec, raw, out, NULL);
}

Test(container, a_block_that_would_grow_without_end_is_refused)
{
    static uint8_t zeros[1024 * 1024];
    pdr_buf bomb = PDR_BUF_INIT(2 * PDR_CONTAINER_MAX_BLOCK), raw = PDR_BUF_INIT(2 * PDR_CONTAINER_MAX_BLOCK);
    for (int i = 0; i < 65; i++)
        cr_assert_eq(pdr_buf_append(&raw, zeros, sizeof zeros), PDR_OK);
    for (int codec = PDR_CODEC_DEFLATE; codec <= PDR_CODEC_SNAPPY; codec++) {
        pdr_buf out = PDR_BUF_INIT(2 * PDR_CONTAINER_MAX_BLOCK);
        pdr_error err;
        pdr_buf_clear(&bomb);
        cr_assert_eq(packed((pdr_container_codec)codec, pdr_buf_bytes(&raw), &bomb), PDR_OK);
        cr_expect_eq(pdr_container_unpack((pdr_container_codec)codec, pdr_buf_bytes(&bomb), &out, &err),
                     PDR_BAD_DATA);
        pdr_buf_release(&out);
    }
    pdr_buf_release(&bomb);
    pdr_buf_release(&raw);
}

Test(container, a_codec_s_checksum_is_looked_at)
{
    pdr_buf block = PDR_BUF_INIT(ROOM), out = PDR_BUF_INIT(ROOM);
    cr_assert_eq(packed(PDR_CODEC_SNAPPY, text("many words, many words, many words"), &block), PDR_OK);
    cr_expect_eq(pdr_container_unpack(PDR_CODEC_SNAPPY, pdr_buf_bytes(&block), &out, NULL), PDR_OK);
    block.data[block.size - 1] ^= 1;
    cr_expect_eq(pdr_container_unpack(PDR_CODEC_SNAPPY, pdr_buf_bytes(&block), &out, NULL), PDR_BAD_DATA);
    pdr_buf_release(&block);
    pdr_buf_release(&out);
}
