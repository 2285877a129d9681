/* Logs for tests, written as text: one word per record.
 *
 *   F        a FENCE; the first one is term a, the second b, ...
 *   a3       term a, number 3: a commit of one event
 *   a3:1/2   ... the event with index 1 of 2
 *   a3m a3s  ... a MARK, a SCHEMA
 *   A3       as a3, but with another incarnation than term a's
 *   x ? !    foreign, malformed, of a newer format version
 *   -        an offset without a record
 *
 * Events are of entity "k"; `=name` at the end of a word gives another one, a lone `=` none. */
#ifndef PDR_TESTS_LOG_TEXT_H
#define PDR_TESTS_LOG_TEXT_H

#include "tests/support/array_log.h"

/* Append what the text says; false if it isn't such a text. */
bool log_text_append(array_log *log, const char *text);

#endif
