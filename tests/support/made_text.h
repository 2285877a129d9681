/* One notation for values in which two differ if and only if the values do. JSON as we print it hides a
 * union's branch, a number's type, and the difference between text and bytes.
 *
 *   null true false · int 5 · long 5L · float f:BITS, double d:BITS in hexadecimal, f:nan d:nan · string
 *   s:TEXT, bytes b:TEXT, fixed x:TEXT, where all but printable ASCII and the backslash is \HH · enum
 * e:SYMBOL · array [a,b] · map {KEY=a,KEY=b} · record (NAME=a,NAME=b) · union <BRANCH:a>
 *
 * tools/oracle_avro/Resolve.java writes the same. */
#ifndef PDR_TESTS_MADE_TEXT_H
#define PDR_TESTS_MADE_TEXT_H

#include "perdure/bytes.h"

PDR_CHECKED pdr_code made_text(pdr_buf *out, const char *mark, const void *data, size_t size);
PDR_CHECKED pdr_code made_text_float(pdr_buf *out, float value);
PDR_CHECKED pdr_code made_text_double(pdr_buf *out, double value);

#endif
