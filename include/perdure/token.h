/* Tokens: which event a view must show, so that one reads one's own write. Who wrote makes a token of the
 * reply (pdr_answered_token, perdure/journal.h) and hands it on as text, in a URL or a header for instance;
 * who reads gives it to pdr_view_wait (perdure/wait.h), or in PostgreSQL to perdure.view_ready(projection,
 * token). The format is docs/formats/token.md. A token is a place and no secret: it permits nothing. */
#ifndef PERDURE_TOKEN_H
#define PERDURE_TOKEN_H

#include "perdure/position.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of a token's text with its NUL. Letters, digits, '-' and '_' only. */
#define PDR_VIEW_TOKEN_SIZE 49

typedef struct pdr_view_token {
    uint8_t journal_id[16];
    int32_t partition;
    int64_t offset;    /* of the last record that the view must cover; -1: none */
    uint8_t entity[8]; /* the first bytes of the SHA-256 of the entity's id */
} pdr_view_token;

/* `entity`: the id, "loan/173688". */
PDR_API void pdr_view_token_of(pdr_view_token *out, const uint8_t journal_id[16], pdr_string entity,
                               int32_t partition, int64_t offset);
/* PDR_INVALID_ARGUMENT: no journal has such a partition or offset. */
PDR_API PDR_CHECKED pdr_code pdr_view_token_write(char out[PDR_VIEW_TOKEN_SIZE], const pdr_view_token *token,
                                                  pdr_error *err);
/* From anywhere: PDR_BAD_DATA unless it is a token, PDR_TOO_NEW if a later version made it. */
PDR_API PDR_CHECKED pdr_code pdr_view_token_read(pdr_view_token *out, pdr_string text, pdr_error *err);

#ifdef __cplusplus
}
#endif
#endif
