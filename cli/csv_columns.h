/* Which columns the fields of events make, and an event's JSON as their cells. */
#ifndef PDR_CLI_CSV_COLUMNS_H
#define PDR_CLI_CSV_COLUMNS_H

#include "perdure/arena.h"
#include "perdure/type.h"

typedef struct pdr_csv_columns pdr_csv_columns; /* one thread */

PDR_CHECKED pdr_code pdr_csv_columns_open(pdr_csv_columns **out, pdr_error *err);
void pdr_csv_columns_close(pdr_csv_columns *columns); /* NULL is fine */

/* The columns of one event type more: a record's fields, those of a record within it named with a dot
 * between. Types that have a field of the same name share its column. PDR_BAD_SCHEMA, PDR_TOO_LARGE,
 * PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_csv_columns_add(pdr_csv_columns *columns, const pdr_type *type, pdr_error *err);
/* Append ",name" for each, the names as "event.name". PDR_NOMEM, PDR_TOO_LARGE. */
PDR_CHECKED pdr_code pdr_csv_columns_names(const pdr_csv_columns *columns, pdr_buf *out);
/* Append "," and a cell for each: text and numbers as they are, null and what isn't there as nothing, arrays
 * and maps as JSON. PDR_BAD_SCHEMA: no JSON; PDR_NOMEM, PDR_TOO_LARGE. */
PDR_CHECKED pdr_code pdr_csv_columns_cells(pdr_csv_columns *columns, pdr_bytes json, pdr_buf *out,
                                           pdr_error *err);

/* Append one cell, in quotes where it needs them (RFC 4180). */
PDR_CHECKED pdr_code pdr_csv_cell(pdr_bytes text, pdr_buf *out);

#endif
