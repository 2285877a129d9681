/* Bytes written as hexadecimal text: pairs of digits, blanks between them, '#' to the end of the line is a
 * comment. */
#ifndef PDR_TESTS_HEX_H
#define PDR_TESTS_HEX_H

#include "perdure/bytes.h"

/* Append the bytes of a text; false if it isn't such a text. */
bool hex_read(const char *text, pdr_buf *out);
/* The same from a file below tests/golden/. */
bool hex_read_golden(const char *path, pdr_buf *out);

#endif
