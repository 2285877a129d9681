/* Any bytes as an export: reading never reads past them, and what is read can be written and read again. */
#include "base/mem.h"
#include "tests/support/export_bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pdr_buf again = PDR_BUF_INIT(64 * 1024 * 1024);
    uint64_t events, read_again;
    pdr_code code = export_read_all(pdr_bytes_of(data, size), 0, &again, PDR_CODEC_NULL, &events, NULL);
    if (code == PDR_OK) {
        code = export_read_all(pdr_buf_bytes(&again), 100, NULL, PDR_CODEC_NULL, &read_again, NULL);
        PDR_INVARIANT("what-is-written-is-read", code == PDR_OK && events == read_again);
    }
    pdr_buf_release(&again);
    return 0;
}
