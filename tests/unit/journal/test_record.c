#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tests/support/headers.h"
#include "tests/support/hex.h"

#define TEXT(text)                                                                                           \
    {                                                                                                        \
        (const uint8_t *)(text), sizeof(text) - 1                                                            \
    }

static const pdr_term term = {1000, 0x1122334455667788};
static const int64_t then = 1700000000123456;

static pdr_header first_event(void)
{
    return (pdr_header){.kind = PDR_RECORD_EVENT,
                        .term = term,
                        .number = 2,
                        .seq = 1,
                        .count = 1,
                        .schema = 1,
                        .time_us = then,
                        .back_offset = -1};
}

/* A block of exactly this size, so that a sanitizer sees a read past its end. */
static pdr_parsed parse(pdr_bytes bytes, pdr_header *out)
{
    static uint8_t *block;
    free(block);
    block = malloc(bytes.size ? bytes.size : 1);
    if (bytes.size) memcpy(block, bytes.data, bytes.size);
    memset(out, 0xa5, sizeof *out);
    return pdr_header_parse(pdr_bytes_of(block, bytes.size), out);
}

/* --- Golden files --- */

static void expect_golden(const char *name, pdr_header h, bool encodes)
{
    char path[64];
    snprintf(path, sizeof path, "record/%s.hex", name);
    pdr_buf golden = PDR_BUF_INIT(PDR_MAX_HEADER), mine = PDR_BUF_INIT(PDR_MAX_HEADER);
    cr_assert(hex_read_golden(path, &golden), "%s", path);
    pdr_header parsed;
    cr_assert_eq(parse(pdr_buf_bytes(&golden), &parsed), PDR_PARSED, "%s", name);
    if (h.kind != PDR_RECORD_EVENT) h.back_offset = -1;
    cr_assert(header_equal(&h, &parsed), "%s", name);
    cr_assert_eq(pdr_header_encode(&parsed, &mine), PDR_OK);
    if (encodes) cr_assert(pdr_bytes_equal(pdr_buf_bytes(&golden), pdr_buf_bytes(&mine)), "%s", name);
    pdr_buf_release(&golden);
    pdr_buf_release(&mine);
}

Test(record, golden_fences_are_read_and_written_byte_for_byte)
{
    pdr_header h = {.kind = PDR_RECORD_FENCE, .term = {-1, term.incarnation}, .partitions = 8};
    for (uint8_t i = 0; i < 16; i++)
        h.journal_id[i] = i;
    h.generation = 300;
    h.address = (pdr_bytes)TEXT("node-a.lan:741");
    expect_golden("fence", h, true);
    h = (pdr_header){.kind = PDR_RECORD_FENCE, .term = {-1, UINT64_MAX}, .partitions = 4096};
    memset(h.journal_id, 0xff, 16);
    expect_golden("fence_static", h, true);
}

Test(record, golden_schemas_and_marks_are_read_and_written_byte_for_byte)
{
    pdr_header schema = {.kind = PDR_RECORD_SCHEMA, .term = term, .number = 1};
    schema.schema_fingerprint = 0x8a8f25cce724dd63;
    expect_golden("schema", schema, true);
    schema.registry_id = 70000;
    expect_golden("schema_registered", schema, true);
    pdr_header mark = {.kind = PDR_RECORD_MARK, .term = {INT64_MAX, term.incarnation}, .number = UINT64_MAX};
    expect_golden("mark", mark, true);
}

Test(record, golden_events_are_read_and_written_byte_for_byte)
{
    pdr_header h = first_event();
    expect_golden("event_first", h, true);
    h.has_reply = true;
    expect_golden("event_empty_reply", h, true);
    h.reply = (pdr_bytes)TEXT("ok");
    expect_golden("event_with_hints", h, false);
    h = (pdr_header){.kind = PDR_RECORD_EVENT, .term = {0, term.incarnation}, .number = 1, .seq = 2};
    h.count = 1024;
    h.time_us = -1;
    h.back_seq = 1;
    expect_golden("event_before_epoch", h, true);
    h = (pdr_header){.kind = PDR_RECORD_EVENT,
                     .term = term,
                     .number = 300,
                     .seq = 129,
                     .index = 2,
                     .count = 3,
                     .schema = 1,
                     .time_us = then,
                     .back_offset = 1234567,
                     .back_seq = 126,
                     .id = TEXT("row-7"),
                     .fingerprint = 0xfeedfacecafebeef,
                     .has_reply = true,
                     .reply = TEXT("ok"),
                     .correlation = TEXT("trace-1"),
                     .causation = TEXT("c"),
                     .has_consumed = true,
                     .consumed_partition = 7,
                     .consumed_offset = 70000};
    expect_golden("event_full", h, true);
}

/* --- Round trips --- */

Test(record, what_is_encoded_is_parsed_as_the_same)
{
    uint64_t random = 1;
    pdr_buf buf = PDR_BUF_INIT(2 * PDR_MAX_HEADER), plain = PDR_BUF_INIT(2 * PDR_MAX_HEADER);
    for (int i = 0; i < 20000; i++) {
        pdr_header h = header_random(&random), parsed;
        pdr_buf_clear(&buf);
        pdr_buf_clear(&plain);
        cr_assert_eq(pdr_header_encode(&h, &buf), PDR_OK);
        cr_assert_leq(buf.size, PDR_MAX_HEADER);
        header_encode_plainly(&h, &plain);
        cr_assert(pdr_bytes_equal(pdr_buf_bytes(&buf), pdr_buf_bytes(&plain)));
        cr_assert_eq(parse(pdr_buf_bytes(&buf), &parsed), PDR_PARSED);
        cr_assert(header_equal(&h, &parsed));
    }
    pdr_buf_release(&buf);
    pdr_buf_release(&plain);
}

Test(record, encode_refuses_exactly_what_parse_calls_malformed)
{
    uint64_t random = 2;
    pdr_buf buf = PDR_BUF_INIT(8 * PDR_MAX_HEADER), plain = PDR_BUF_INIT(8 * PDR_MAX_HEADER);
    int refused = 0;
    for (int i = 0; i < 50000; i++) {
        pdr_header h = header_random(&random), parsed;
        header_spoil(&h, &random);
        pdr_buf_clear(&buf);
        pdr_buf_clear(&plain);
        header_encode_plainly(&h, &plain);
        pdr_parsed verdict = parse(pdr_buf_bytes(&plain), &parsed);
        pdr_code code = pdr_header_encode(&h, &buf);
        cr_assert_eq(code, verdict == PDR_PARSED ? PDR_OK : PDR_INVALID_ARGUMENT, "kind %d, round %d", h.kind,
                     i);
        cr_assert(code == PDR_OK || buf.size == 0);
        refused += code != PDR_OK;
    }
    cr_assert(refused > 10000 && refused < 45000, "%d", refused);
    pdr_buf_release(&buf);
    pdr_buf_release(&plain);
}

Test(record, encode_refuses_kinds_that_there_are_not)
{
    pdr_buf buf = PDR_BUF_INIT(2 * PDR_MAX_HEADER);
    for (int kind = -1; kind < 300; kind++) {
        pdr_header h = first_event();
        h.kind = (pdr_record_kind)kind;
        h.partitions = 1;
        bool known = kind == PDR_RECORD_SCHEMA || kind == PDR_RECORD_MARK || kind == PDR_RECORD_EVENT;
        cr_assert_eq(pdr_header_encode(&h, &buf), known ? PDR_OK : PDR_INVALID_ARGUMENT);
        pdr_buf_clear(&buf);
    }
    pdr_buf_release(&buf);
}

Test(record, encode_says_when_memory_or_room_ends_and_leaves_the_buffer_as_it_was)
{
    pdr_header h = first_event();
    pdr_buf buf = PDR_BUF_INIT(2 * PDR_MAX_HEADER);
    cr_assert_eq(pdr_buf_append(&buf, "abc", 3), PDR_OK);
    pdr_mem_fail_at(1);
    cr_assert_eq(pdr_header_encode(&h, &buf), PDR_NOMEM);
    pdr_mem_fail_at(0);
    cr_assert_eq(buf.size, 3);
    buf.max = 100;
    cr_assert_eq(pdr_header_encode(&h, &buf), PDR_TOO_LARGE);
    cr_assert_eq(buf.size, 3);
    pdr_buf_release(&buf);
}

/* --- Malformed --- */

static const char *const goldens[] = {
    "fence",      "fence_static", "schema", "mark", "event_full", "event_before_epoch", "event_empty_reply",
    "event_first"};
enum { GOLDENS = sizeof goldens / sizeof *goldens };

static void read_golden(const char *name, pdr_buf *out)
{
    char path[64];
    snprintf(path, sizeof path, "record/%s.hex", name);
    cr_assert(hex_read_golden(path, out), "%s", path);
}

Test(record, cut_short_at_any_byte_is_malformed_or_a_whole_header_of_its_own)
{
    for (size_t g = 0; g < GOLDENS; g++) {
        pdr_buf golden = PDR_BUF_INIT(PDR_MAX_HEADER), again = PDR_BUF_INIT(2 * PDR_MAX_HEADER);
        read_golden(goldens[g], &golden);
        size_t wholes = 0;
        for (size_t size = 0; size < golden.size; size++) {
            pdr_header h;
            pdr_bytes cut = pdr_bytes_of(golden.data, size);
            pdr_parsed parsed = parse(cut, &h);
            cr_assert_neq(parsed, PDR_PARSED_TOO_NEW);
            if (parsed == PDR_PARSED_MALFORMED) continue;
            wholes++;
            pdr_buf_clear(&again);
            cr_assert_eq(pdr_header_encode(&h, &again), PDR_OK);
            cr_assert(pdr_bytes_equal(pdr_buf_bytes(&again), cut));
        }
        /* Optional fields end where a header may end. */
        size_t optional = strcmp(goldens[g], "event_full") == 0 ? 5 : strstr(goldens[g], "reply") ? 1 : 0;
        cr_assert_eq(wholes, optional, "%s", goldens[g]);
        pdr_buf_release(&golden);
        pdr_buf_release(&again);
    }
}

Test(record, followed_by_more_bytes_is_malformed_unless_they_are_hints)
{
    for (size_t g = 0; g < GOLDENS; g++)
        for (int byte = 0; byte < 256; byte++) {
            pdr_buf golden = PDR_BUF_INIT(PDR_MAX_HEADER);
            read_golden(goldens[g], &golden);
            uint8_t more[] = {(uint8_t)byte, 0};
            cr_assert_eq(pdr_buf_append(&golden, more, 2), PDR_OK);
            pdr_header h;
            bool empty_reply = byte == 2 && strcmp(goldens[g], "event_first") == 0;
            cr_assert_eq(parse(pdr_buf_bytes(&golden), &h),
                         byte >= 128 || empty_reply ? PDR_PARSED : PDR_PARSED_MALFORMED, "%s, tag %d",
                         goldens[g], byte);
            pdr_buf_release(&golden);
        }
}

Test(record, a_hint_that_cannot_be_understood_is_skipped_as_any_other)
{
    static const struct {
        uint8_t size, bytes[6];
    } odd[] = {{0, {0}}, {3, {1, 2, 3}}, {5, {0, 0, 0, 0, 7}}, {4, {0x80, 0, 0, 0}}, {4, {0, 0, 0, 0}}};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        pdr_buf golden = PDR_BUF_INIT(PDR_MAX_HEADER);
        read_golden("schema", &golden);
        uint8_t tag[] = {128, odd[i].size};
        cr_assert_eq(pdr_buf_append(&golden, tag, 2), PDR_OK);
        cr_assert_eq(pdr_buf_append(&golden, odd[i].bytes, odd[i].size), PDR_OK);
        pdr_header h;
        cr_expect_eq(parse(pdr_buf_bytes(&golden), &h), PDR_PARSED, "%zu", i);
        cr_expect_eq(h.registry_id, 0, "%zu", i);
        pdr_buf_release(&golden);
    }
}

Test(record, an_id_that_no_registry_gives_is_not_written)
{
    pdr_buf out = PDR_BUF_INIT(PDR_MAX_HEADER);
    pdr_header schema = {.kind = PDR_RECORD_SCHEMA, .term = term, .number = 1, .registry_id = -1};
    cr_assert_eq(pdr_header_encode(&schema, &out), PDR_INVALID_ARGUMENT);
    cr_assert_eq(out.size, 0);
}

#define INC "0102030405060708 "
#define T0 "0000000000000000 "
#define HEAD "01 04 05 " INC "01 "         /* an EVENT of term 5, number 1 */
#define FIXED HEAD "01 00 01 01 " T0 "00 " /* ... and its fixed fields: seq 1, index 0 of 1 */

typedef struct header_case {
    const char *why, *hex;
    pdr_parsed expected;
} header_case;

static const header_case cases[] = {
    {"the base of the others", FIXED, PDR_PARSED},
    {"empty", "", PDR_PARSED_MALFORMED},
    {"version 0", "00 04 05 " INC "01 01 00 01 01 " T0 "00", PDR_PARSED_MALFORMED},
    {"version 2", "02 04 05 " INC "01 01 00 01 01 " T0 "00", PDR_PARSED_TOO_NEW},
    {"version 255", "ff", PDR_PARSED_TOO_NEW},
    {"version 2, a FENCE", "02 01 00", PDR_PARSED_TOO_NEW},
    {"only a version", "01", PDR_PARSED_MALFORMED},
    {"kind 0", "01 00 05 " INC "01", PDR_PARSED_MALFORMED},
    {"kind 5", "01 05 05 " INC "01", PDR_PARSED_MALFORMED},
    {"a MARK", "01 03 05 " INC "01", PDR_PARSED},
    {"number 0", "01 03 05 " INC "00", PDR_PARSED_MALFORMED},
    {"term offset over 63 bits", "01 03 8080808080808080 8001 " INC "01", PDR_PARSED_MALFORMED},
    {"a varint longer than needed", "01 03 8500 " INC "01", PDR_PARSED_MALFORMED},
    {"a varint of zero in two bytes", "01 03 8000 " INC "01", PDR_PARSED_MALFORMED},
    {"number of 64 bits", "01 03 05 " INC "ffffffffffffffffff 01", PDR_PARSED},
    {"number of 65 bits", "01 03 05 " INC "ffffffffffffffffff 02", PDR_PARSED_MALFORMED},
    {"number of eleven bytes", "01 03 05 " INC "ffffffffffffffffff 81 00", PDR_PARSED_MALFORMED},
    {"a MARK with an id", "01 03 05 " INC "01 01 09 " T0 "61", PDR_PARSED_MALFORMED},
    {"a SCHEMA with a reply", "01 02 05 " INC "01 " T0 "02 00", PDR_PARSED_MALFORMED},
    {"seq 0", HEAD "00 00 01 01 " T0 "00", PDR_PARSED_MALFORMED},
    {"count 0", HEAD "01 00 00 01 " T0 "00", PDR_PARSED_MALFORMED},
    {"index as great as count", HEAD "02 01 01 01 " T0 "00", PDR_PARSED_MALFORMED},
    {"1024 events", HEAD "01 00 8008 01 " T0 "00", PDR_PARSED},
    {"1025 events", HEAD "01 00 8108 01 " T0 "00", PDR_PARSED_MALFORMED},
    {"index over 32 bits", HEAD "01 8080808010 01 01 " T0 "00", PDR_PARSED_MALFORMED},
    {"seq below its place in the commit", HEAD "01 01 02 01 " T0 "00", PDR_PARSED_MALFORMED},
    {"a backlink without seq", HEAD "02 00 01 01 " T0 "04", PDR_PARSED_MALFORMED},
    {"a backlink", HEAD "02 00 01 01 " T0 "04 01", PDR_PARSED},
    {"a backlink to seq 0", HEAD "02 00 01 01 " T0 "04 00", PDR_PARSED_MALFORMED},
    {"a backlink to its own seq", HEAD "02 00 01 01 " T0 "04 02", PDR_PARSED_MALFORMED},
    {"a backlink over 63 bits", HEAD "02 00 01 01 " T0 "80808080808080808001 01", PDR_PARSED_MALFORMED},
    {"tag 0", FIXED "00 00", PDR_PARSED_MALFORMED},
    {"tag 6, unknown", FIXED "06 00", PDR_PARSED_MALFORMED},
    {"tag 127, unknown", FIXED "7f 00", PDR_PARSED_MALFORMED},
    {"tag 128, a hint", FIXED "80 00", PDR_PARSED},
    {"a hint cut short", FIXED "80 02 00", PDR_PARSED_MALFORMED},
    {"a hint of a huge length", FIXED "80 ffffffffffffffffff01", PDR_PARSED_MALFORMED},
    {"the same hint twice", FIXED "80 00 80 00", PDR_PARSED_MALFORMED},
    {"hints in order", FIXED "80 00 81 00", PDR_PARSED},
    {"tags not in order", FIXED "80 00 02 00", PDR_PARSED_MALFORMED},
    {"a tag without length", FIXED "02", PDR_PARSED_MALFORMED},
    {"an id of no bytes", FIXED "01 08 " T0, PDR_PARSED_MALFORMED},
    {"an id without a whole fingerprint", FIXED "01 07 00000000000000", PDR_PARSED_MALFORMED},
    {"an id of one byte", FIXED "01 09 " T0 "61", PDR_PARSED},
    {"a reply in an event that isn't the last", HEAD "01 00 02 01 " T0 "00 02 00", PDR_PARSED_MALFORMED},
    {"a correlation id of no bytes", FIXED "03 00", PDR_PARSED_MALFORMED},
    {"a causation id of no bytes", FIXED "04 00", PDR_PARSED_MALFORMED},
    {"a consumed command", FIXED "05 02 07 08", PDR_PARSED},
    {"a consumed command without offset", FIXED "05 01 07", PDR_PARSED_MALFORMED},
    {"a consumed command and a byte more", FIXED "05 03 07 08 09", PDR_PARSED_MALFORMED},
    {"a consumed partition over 31 bits", FIXED "05 06 8080808008 08", PDR_PARSED_MALFORMED},
    {"a FENCE for no partitions", "01 01 " T0 T0 INC "00 " T0 "00", PDR_PARSED_MALFORMED},
    {"a FENCE", "01 01 " T0 T0 INC "01 " T0 "00", PDR_PARSED},
    {"a FENCE with a reply", "01 01 " T0 T0 INC "01 " T0 "00 02 00", PDR_PARSED_MALFORMED},
    {"a FENCE with a hint", "01 01 " T0 T0 INC "01 " T0 "00 c8 01 00", PDR_PARSED},
    {"a FENCE of a negative generation", "01 01 " T0 T0 INC "01 0000000000000080 00", PDR_PARSED_MALFORMED},
};

Test(record, each_malformed_form_is_told_from_its_sound_neighbour)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pdr_buf buf = PDR_BUF_INIT(PDR_MAX_HEADER);
        cr_assert(hex_read(cases[i].hex, &buf), "%s", cases[i].why);
        pdr_header h;
        cr_assert_eq(parse(pdr_buf_bytes(&buf), &h), cases[i].expected, "%s", cases[i].why);
        pdr_buf_release(&buf);
    }
}

Test(record, a_golden_header_that_is_too_new_is_not_malformed)
{
    pdr_buf golden = PDR_BUF_INIT(PDR_MAX_HEADER);
    read_golden("too_new", &golden);
    pdr_header h;
    cr_assert_eq(parse(pdr_buf_bytes(&golden), &h), PDR_PARSED_TOO_NEW);
    pdr_buf_release(&golden);
}

/* A mark, filled up with hints to this size. */
static pdr_parsed parse_filled(size_t size)
{
    pdr_header mark = {.kind = PDR_RECORD_MARK, .term = term, .number = 1}, out;
    pdr_buf buf = PDR_BUF_INIT(2 * PDR_MAX_HEADER + 1);
    cr_assert_eq(pdr_header_encode(&mark, &buf), PDR_OK);
    size_t rest = size - buf.size - 3;
    uint8_t hint[2 * PDR_MAX_HEADER] = {200, (uint8_t)(rest | 0x80), (uint8_t)(rest >> 7)};
    cr_assert_eq(pdr_buf_append(&buf, hint, size - buf.size), PDR_OK);
    pdr_parsed parsed = parse(pdr_buf_bytes(&buf), &out);
    pdr_buf_release(&buf);
    return parsed;
}

Test(record, has_a_ceiling_of_1024_bytes)
{
    cr_assert_eq(parse_filled(PDR_MAX_HEADER), PDR_PARSED);
    cr_assert_eq(parse_filled(PDR_MAX_HEADER + 1), PDR_PARSED_MALFORMED);
}

Test(record, any_damaged_byte_gives_a_verdict_and_never_more_than_one_form)
{
    pdr_buf golden = PDR_BUF_INIT(PDR_MAX_HEADER), again = PDR_BUF_INIT(2 * PDR_MAX_HEADER);
    for (size_t g = 0; g < GOLDENS; g++) {
        pdr_buf_clear(&golden);
        read_golden(goldens[g], &golden);
        for (size_t at = 1; at < golden.size; at++)
            for (int value = 0; value < 256; value++) {
                uint8_t was = golden.data[at];
                golden.data[at] = (uint8_t)value;
                pdr_header h, h2;
                if (parse(pdr_buf_bytes(&golden), &h) == PDR_PARSED) {
                    pdr_buf_clear(&again);
                    cr_assert_eq(pdr_header_encode(&h, &again), PDR_OK);
                    cr_assert_leq(again.size, golden.size); /* hints are dropped */
                    cr_assert_eq(pdr_header_parse(pdr_buf_bytes(&again), &h2), PDR_PARSED);
                    cr_assert(header_equal(&h, &h2));
                }
                golden.data[at] = was;
            }
    }
    pdr_buf_release(&golden);
    pdr_buf_release(&again);
}
