#include "schemas/fingerprint.h"

/* One bit at a time: schemas are fingerprinted once, when they are read, and a table made at first use would
 * need care with threads. */
static uint64_t next(uint64_t fingerprint, uint8_t byte)
{
    fingerprint ^= byte;
    for (int bit = 0; bit < 8; bit++)
        fingerprint = (fingerprint >> 1) ^ (PDR_FINGERPRINT_EMPTY & (0 - (fingerprint & 1)));
    return fingerprint;
}

uint64_t pdr_fingerprint(pdr_bytes bytes)
{
    uint64_t fingerprint = PDR_FINGERPRINT_EMPTY;
    for (size_t i = 0; i < bytes.size; i++)
        fingerprint = next(fingerprint, bytes.data[i]);
    return fingerprint;
}
