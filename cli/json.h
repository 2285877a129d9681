/* Bytes as JSON. */
#ifndef PDR_CLI_JSON_H
#define PDR_CLI_JSON_H

#include "perdure/bytes.h"
#include "schemas/json.h"

/* A string; `text` is UTF-8. Each gives PDR_NOMEM or PDR_TOO_LARGE of the buffer. */
PDR_CHECKED pdr_code pdr_json_text(pdr_buf *out, pdr_bytes text);
/* A string of hexadecimal digits. */
PDR_CHECKED pdr_code pdr_json_hex(pdr_buf *out, pdr_bytes bytes);
/* Printable ASCII as a string, anything else as {"hex":"..."}. */
PDR_CHECKED pdr_code pdr_json_bytes(pdr_buf *out, pdr_bytes bytes);
/* A tree on many lines, with a line's end: objects and arrays that fit stay on one line. */
PDR_CHECKED pdr_code pdr_json_pretty(pdr_buf *out, const pdr_json *json);

#endif
