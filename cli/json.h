/* Bytes as JSON. */
#ifndef PDR_CLI_JSON_H
#define PDR_CLI_JSON_H

#include "perdure/bytes.h"

/* A string; `text` is UTF-8. Each gives PDR_NOMEM or PDR_TOO_LARGE of the buffer. */
PDR_CHECKED pdr_code pdr_json_text(pdr_buf *out, pdr_bytes text);
/* A string of hexadecimal digits. */
PDR_CHECKED pdr_code pdr_json_hex(pdr_buf *out, pdr_bytes bytes);
/* Printable ASCII as a string, anything else as {"hex":"..."}. */
PDR_CHECKED pdr_code pdr_json_bytes(pdr_buf *out, pdr_bytes bytes);

#endif
