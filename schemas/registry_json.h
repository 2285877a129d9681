/* Bodies and answers of a registry, by Jansson. What a registry says is as untrusted as any input. Only
 * schemas/registry*.c include this. */
#ifndef PDR_SCHEMAS_REGISTRY_JSON_H
#define PDR_SCHEMAS_REGISTRY_JSON_H

#include "perdure/bytes.h"

/* What a registry says about a request that it refuses. */
typedef struct pdr_reg_refusal {
    int64_t code;      /* "error_code": 40403 and the like; 0: it gives none */
    char message[240]; /* printable UTF-8; "" if it gives none */
} pdr_reg_refusal;

/* Append the body {"schema": "..."}. PDR_BAD_SCHEMA: not UTF-8. */
PDR_CHECKED pdr_code pdr_reg_put_schema(pdr_buf *out, const char *json, pdr_error *err);
/* The member "id". PDR_BAD_DATA: no JSON object, no id, or one that four bytes can't hold. */
PDR_CHECKED pdr_code pdr_reg_get_id(int32_t *id, pdr_bytes answer, pdr_error *err);
/* Append the member "schema". PDR_BAD_DATA; PDR_UNSUPPORTED: it isn't Avro, or refers to other schemas. */
PDR_CHECKED pdr_code pdr_reg_get_schema(pdr_buf *json, pdr_bytes answer, pdr_error *err);
/* The member "is_compatible", and the first of its "messages" as refusal->message. PDR_BAD_DATA. */
PDR_CHECKED pdr_code pdr_reg_get_verdict(bool *compatible, pdr_reg_refusal *refusal, pdr_bytes answer,
                                         pdr_error *err);
/* Whatever can be read of it. */
void pdr_reg_get_refusal(pdr_reg_refusal *refusal, pdr_bytes answer);

#endif
