/* Text as JSON. */
#ifndef PDR_SCHEMAS_PRINT_H
#define PDR_SCHEMAS_PRINT_H

#include "perdure/sys/layout.h"

/* Append `text` as a JSON string, quotes included. PDR_INVALID_ARGUMENT if it isn't UTF-8, PDR_NOMEM,
 * PDR_TOO_LARGE; on failure part of it may be there. */
PDR_CHECKED pdr_code pdr_print_text(pdr_buf *out, pdr_string text);

/* As pdr_layout_print, but decimals are numbers: for people, and for filters that compare them. One of more
 * than 64 bytes stays as it is. */
PDR_CHECKED pdr_code pdr_layout_show(const pdr_layout *layout, const void *value, pdr_buf *out);

#endif
