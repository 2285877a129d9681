/* Text as JSON. */
#ifndef PDR_SCHEMAS_PRINT_H
#define PDR_SCHEMAS_PRINT_H

#include "perdure/bytes.h"

/* Append `text` as a JSON string, quotes included. PDR_INVALID_ARGUMENT if it isn't UTF-8, PDR_NOMEM,
 * PDR_TOO_LARGE; on failure part of it may be there. */
PDR_CHECKED pdr_code pdr_print_text(pdr_buf *out, pdr_string text);

#endif
