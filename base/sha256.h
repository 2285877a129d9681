/* SHA-256 (FIPS 180-4) of short texts: a hash that databases know too. */
#ifndef PDR_BASE_SHA256_H
#define PDR_BASE_SHA256_H

#include "perdure/bytes.h"

enum { PDR_SHA256_SIZE = 32 };

void pdr_sha256(uint8_t out[PDR_SHA256_SIZE], pdr_bytes data);

#endif
