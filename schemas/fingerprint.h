/* CRC-64-AVRO, the fingerprint of a schema's Parsing Canonical Form. Source: Apache Avro 1.11 specification,
 * "Schema Fingerprints". */
#ifndef PDR_SCHEMAS_FINGERPRINT_H
#define PDR_SCHEMAS_FINGERPRINT_H

#include "perdure/bytes.h"

#define PDR_FINGERPRINT_EMPTY UINT64_C(0xc15d213aa4d7a795) /* of no bytes at all */

/* The fingerprint of `bytes`. Any thread. */
uint64_t pdr_fingerprint(pdr_bytes bytes);

#endif
