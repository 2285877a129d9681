/* Requests to a registry, by libcurl: one at a time, tried again where that may help. Only
 * schemas/registry*.c include this. */
#ifndef PDR_SCHEMAS_REGISTRY_HTTP_H
#define PDR_SCHEMAS_REGISTRY_HTTP_H

#include "schemas/registry.h"

typedef struct pdr_reg_http pdr_reg_http;

typedef struct pdr_reg_answer {
    long status;
    pdr_buf body;
} pdr_reg_answer;

PDR_CHECKED pdr_code pdr_reg_http_open(pdr_reg_http **out, const pdr_registry_config *config, pdr_error *err);
void pdr_reg_http_close(pdr_reg_http *http);
/* The registry's URL as messages show it: without user and password. */
const char *pdr_reg_http_base(const pdr_reg_http *http);
/* GET base + path, or POST if there is a body. PDR_OK: there is an answer, whatever its status below 500.
 * PDR_UNAVAILABLE: none, or only refusals for now, after all attempts. PDR_BAD_SETTING: TLS doesn't agree.
 * PDR_TOO_LARGE: the answer; PDR_NOMEM. `answer` is overwritten; its body is the caller's to release. */
PDR_CHECKED pdr_code pdr_reg_http_send(pdr_reg_http *http, pdr_reg_answer *answer, const char *path,
                                       pdr_bytes body, pdr_error *err);
/* Append one part of a path, percent-encoded. */
PDR_CHECKED pdr_code pdr_reg_path_part(pdr_buf *out, const char *part);

#endif
