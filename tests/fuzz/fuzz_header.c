/* Any bytes as a record's header: parsing never reads past them, and a header that parses has one form, which
 * parses to the same. */
#include "base/mem.h"
#include "journal/term.h"
#include "tests/support/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In its own term and with its number coming next, a record is in sequence or corrupt, never void. */
static void walk_to(pdr_bytes bytes, const pdr_header *header)
{
    pdr_log_record record = {.offset = INT64_MAX,
                             .entry = {.key = {(const uint8_t *)"k", 1}, .header = bytes}};
    pdr_walk walk;
    pdr_header seen;
    uint32_t voided;
    pdr_walk_init(&walk, (pdr_position){0, header->term, header->number - 1});
    pdr_verdict verdict = pdr_walk_step(&walk, &record, &seen, &voided, NULL);
    PDR_INVARIANT("what-comes-next-counts", verdict >= PDR_VERDICT_FENCE);
    PDR_INVARIANT("it-parsed-before", verdict != PDR_VERDICT_TOO_NEW);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pdr_header header, again;
    if (pdr_header_parse(pdr_bytes_of(data, size), &header) != PDR_PARSED) return 0;
    pdr_buf buf = PDR_BUF_INIT(PDR_MAX_HEADER), twice = PDR_BUF_INIT(PDR_MAX_HEADER);
    PDR_INVARIANT("parsed-is-sound", pdr_header_encode(&header, &buf) == PDR_OK);
    PDR_INVARIANT("hints-are-all-that-is-dropped", buf.size <= size);
    PDR_INVARIANT("one-form", pdr_header_parse(pdr_buf_bytes(&buf), &again) == PDR_PARSED);
    PDR_INVARIANT("one-form", header_equal(&header, &again));
    header_encode_plainly(&header, &twice);
    PDR_INVARIANT("two-encoders", pdr_bytes_equal(pdr_buf_bytes(&buf), pdr_buf_bytes(&twice)));
    pdr_buf_release(&buf);
    pdr_buf_release(&twice);
    walk_to(pdr_bytes_of(data, size), &header);
    return 0;
}
