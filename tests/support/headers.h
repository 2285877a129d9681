/* Record headers for tests: comparison, random ones, and a second encoder that checks nothing. */
#ifndef PDR_TESTS_HEADERS_H
#define PDR_TESTS_HEADERS_H

#include "journal/record.h"

/* The same in every field (absent ranges equal empty ones). */
bool header_equal(const pdr_header *a, const pdr_header *b);

/* A sound header of any kind; its ranges lie in static memory. Moves *random on. */
pdr_header header_random(uint64_t *random);
/* Make at most one field unsound. */
void header_spoil(pdr_header *header, uint64_t *random);

/* The bytes of the format, written down a second time: of any header, sound or not. */
void header_encode_plainly(const pdr_header *header, pdr_buf *out);

#endif
