/* A datum as JSON by its schema alone, without generated code: for tools that have no application. */
#ifndef PDR_SCHEMAS_DATUM_H
#define PDR_SCHEMAS_DATUM_H

#include "schemas/schema.h"

/* Append one whole datum (no framing) as one line, as a pdr_type of the same schema prints it. PDR_BAD_DATA
 * with the field and the byte; PDR_TOO_LARGE, PDR_NOMEM. On failure `out` is as before. Any thread. */
PDR_CHECKED pdr_code pdr_datum_print(const pdr_schema *schema, pdr_bytes datum, pdr_buf *out, pdr_error *err);
/* The same as pdr_layout_show shows it: decimals are numbers. */
PDR_CHECKED pdr_code pdr_datum_show(const pdr_schema *schema, pdr_bytes datum, pdr_buf *out, pdr_error *err);

#endif
